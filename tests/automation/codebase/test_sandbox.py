"""One job or program in a sandbox of its own, what the kernel allows, and the files that run inside."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from automation.codebase.inside.guard import refuse_other_machines
from automation.codebase.inside.namespace_box import NamespaceBox
from automation.codebase.inside.tree_copy import RestoredTree
from automation.codebase.isolation import MODE_VARIABLE, isolation
from automation.codebase.limits import Limits
from automation.codebase.sandbox import run_fresh, run_program
from automation.codebase.visibility import plan_visibility
from tests.automation.codebase.confined import ENTRY, PYTHON, sandbox_mode

ROOT = Path(__file__).resolve().parents[3]
INSIDE = ROOT / "automation" / "codebase" / "inside"
MODES = ("namespaces", "limits")


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest):
    with sandbox_mode(request.param):
        yield request.param


# Fresh processes and programs


def test_a_fresh_process_has_imported_nothing_of_others(tmp_path: Path, mode: str) -> None:
    code = "import sys; emit({'found': [n for n in ('pytest', 'numpy', 'automation') if n in sys.modules]})"
    outcome = run_fresh(tmp_path, ENTRY, PYTHON, {"code": code})
    assert (outcome.end, outcome.records) == ("done", ({"found": []},))


def test_a_fresh_process_sees_the_files_of_its_job(tmp_path: Path, mode: str) -> None:
    (tmp_path / "tree").mkdir()
    code = "emit({'text': open('a').read()}); import os; emit({'seen': os.environ['SEEN']})"
    outcome = run_fresh(tmp_path / "tree", ENTRY, PYTHON, {"code": code}, {"a": b"new"}, environment={"SEEN": "yes"})
    assert outcome.records == ({"text": "new"}, {"seen": "yes"})
    assert list((tmp_path / "tree").iterdir()) == []


def test_a_program_runs_and_its_files_are_gone_afterwards(tmp_path: Path, mode: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "input").write_text("42\n")
    outcome = run_program(["/bin/sh", "-c", "cat input; echo wrong >&2; touch output; exit 5"], folder)
    assert (outcome.end, outcome.exit_code, outcome.stdout, outcome.stderr) == ("exit", 5, "42\n", "wrong\n")
    assert [path.name for path in folder.iterdir()] == ["input"]


def test_a_program_meets_the_limits(tmp_path: Path, mode: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    assert run_program(["/bin/sh", "-c", "yes"], folder).end == "output"
    assert run_program(["sleep", "1000000"], folder, limits=Limits(wall_s=0.3)).end == "timeout"


def test_a_program_that_is_not_there_exits_as_in_a_shell(tmp_path: Path) -> None:
    outcome = run_program(["no-such-program"], tmp_path)
    assert (outcome.end, outcome.exit_code) == ("exit", 127)
    assert "No such file" in outcome.stderr


def test_a_python_program_finds_its_own_packages(tmp_path: Path, mode: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    outcome = run_program([sys.executable, "-c", "import pytest; print(pytest.__name__)"], folder)
    assert outcome.stdout == "pytest\n"


# What the kernel allows


def test_the_mode_without_namespaces_says_so() -> None:
    with sandbox_mode("limits"):
        found = isolation()
    assert (found.namespaces, found.network, found.overlay) == (False, "guard", False)
    assert "no namespaces" in found.describe()


def test_namespaces_are_told_from_what_they_do(tmp_path: Path) -> None:
    with sandbox_mode("namespaces"):
        found = isolation()
        outcome = run_fresh(tmp_path, ENTRY, PYTHON, {"code": "import os; emit({'user': os.getuid()})"})
    assert (found.network, found.overlay) == ("namespace", True)
    assert (outcome.records[0]["user"] != os.getuid()) == found.user_dropped
    assert "namespaces" in found.describe()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("mode", MODES)
def test_a_caller_without_root_s_rights_has_a_sandbox_too(tmp_path: Path, mode: str) -> None:
    python = Path("/usr/bin/python3")
    if not python.exists() or not _can_read(ROOT):
        pytest.skip("there is no interpreter that another user could run")
    script = f"""
import json, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from automation.codebase.sandbox import isolation, run_fresh
code = '''
import os, socket
os.remove("given"); open("new", "w").close()
emit({{"user": os.getuid(), "names": os.listdir("."), "pids": [n for n in os.listdir("/proc") if n.isdigit()]}})
emit({{"held": [line for line in open("/proc/self/status") if line.startswith(("CapEff", "NoNewPrivs"))]}})
try: socket.create_connection(("192.0.2.1", 9), timeout=1); emit({{"reached": True}})
except OSError: pass
'''
outcome = run_fresh(Path.cwd(), Path({str(ENTRY)!r}), Path({str(python)!r}), {{"code": code}})
print(json.dumps([isolation().namespaces, outcome.end, outcome.records, outcome.stderr]))
"""
    # the folders above pytest's temporary ones are closed to other users
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        tree.mkdir()
        (tree / "given").touch()
        for path in (Path(folder), tree, tree / "given"):
            os.chown(path, 65534, 65534)
        variables = {"PATH": os.defpath, "HOME": "/nonexistent", MODE_VARIABLE: mode}
        answer = subprocess.run(
            [str(python), "-c", script], env=variables, cwd=tree, user=65534, group=65534, extra_groups=[],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        kept = [path.name for path in tree.iterdir()]
    assert answer.returncode == 0, answer.stderr
    namespaces, end, records, errors = json.loads(answer.stdout)
    assert (end, len(records), errors, kept) == ("done", 2, "", ["given"])
    assert (records[0]["user"], records[0]["names"]) == (65534, ["new"])
    assert records[1]["held"] == ["CapEff:\t0000000000000000\n", "NoNewPrivs:\t1\n"]
    if namespaces:
        assert len(records[0]["pids"]) == 2


def _can_read(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def test_a_sandbox_that_is_not_the_first_process_of_its_namespace_kills_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # recorded only: what this test must rule out would end every process of the machine
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    with pytest.raises(RuntimeError, match="first process"):
        object.__new__(NamespaceBox).kill_all(os.getpid())
    assert sent == []


# What a job sees


def test_private_folders_are_covered_and_what_python_needs_is_brought_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = (tmp_path / "home").resolve()
    for name in ("versions/3.12/bin", "project", ".ssh", "versions/3.12/private"):
        (home / name).mkdir(parents=True)
    (home / "current").symlink_to("versions/3.12")
    monkeypatch.setenv("HOME", str(home))
    tree = home / "project"
    view = plan_visibility(tree, [home / "current" / "bin"], [home / ".ssh", home / "versions/3.12/private"])
    steps = {path: kind for kind, path in view.steps}
    assert steps[str(home / "versions/3.12/bin")] == steps[str(tree)] == "show"
    assert str(home / ".ssh") not in steps
    assert (str(home / "current"), "versions/3.12") in view.links
    covered = [path for path, kind in steps.items() if kind == "hide"]
    assert any(str(home).startswith(path) for path in covered)
    assert [path for _, path in view.steps] == sorted(steps, key=lambda path: path.count("/"))


def test_a_private_folder_of_the_tree_is_covered_by_itself(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    view = plan_visibility(tmp_path.resolve(), [], [tmp_path / "state"])
    assert view.hide_in_tree == (str((tmp_path / "state").resolve()),)


# What runs inside


@pytest.mark.parametrize("file", sorted(INSIDE.glob("*.py")), ids=lambda file: file.stem)
def test_what_runs_inside_needs_python_3_9_and_its_standard_library_only(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 9))
    siblings = {path.stem for path in INSIDE.glob("*.py")}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            allowed = sys.stdlib_module_names | ({"pytest"} if file.stem == "collect" else set())
            assert {alias.name.partition(".")[0] for alias in node.names} <= allowed
        if isinstance(node, ast.ImportFrom) and node.level:
            names = {node.module} if node.module else {alias.name for alias in node.names}
            assert names <= siblings
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert node.module.partition(".")[0] in sys.stdlib_module_names


@pytest.mark.parametrize(
    "call",
    [
        "connect(('192.0.2.1', 9))",
        "connect_ex(('192.0.2.1', 9))",
        "sendto(b'x', ('192.0.2.1', 9))",
        "sendto(b'x', 0, ('192.0.2.1', 9))",
        "sendmsg([b'x'], [], 0, ('192.0.2.1', 9))",
    ],
)
def test_the_check_in_python_knows_every_way_out(call: str) -> None:
    guard = f"import sys; sys.path.insert(0, {str(INSIDE)!r}); import guard; guard.refuse_other_machines()"
    script = f"import socket\n{guard}\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).{call}"
    assert refuse_other_machines.__module__.endswith("guard")
    answer = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, timeout=60)
    assert "PermissionError: the sandbox refuses a connection to 192.0.2.1" in answer.stderr


def test_a_copied_tree_comes_back_from_every_kind_of_change(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for folder in (source / "a" / "b", source / "empty", target):
        folder.mkdir(parents=True)
    (source / "a" / "file").write_text("1")
    (source / "a" / "b" / "deep").write_text("2")
    (source / "link").symlink_to("a/file")
    (source / "a" / "program").write_text("#!")
    (source / "a" / "program").chmod(0o750)
    before = _listing(source)
    tree = RestoredTree(source, target)
    assert _listing(target) == before
    damage = """
        rm -r a/b; echo 3 > a/b; chmod 700 a/program; rm link; mkdir -p link/x; rmdir empty; ln -s / empty
        mv a/file a/moved; mkfifo pipe; mkdir locked; touch locked/in; chmod 0 locked; chmod 500 a
    """
    subprocess.run(["/bin/sh", "-ec", damage], cwd=target, check=True)
    assert _listing(target) != before
    tree.restore()
    assert _listing(target) == before
    tree.restore()
    assert _listing(source) == before


def _listing(root: Path) -> list[tuple[str, int, str]]:
    found = []
    for path in sorted(root.rglob("*")):
        content = str(path.readlink()) if path.is_symlink() else path.read_text() if path.is_file() else ""
        found.append((str(path.relative_to(root)), path.lstat().st_mode, content))
    return found
