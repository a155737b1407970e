"""Jobs over one tree: each sees its own files, in order, and nothing of the server survives its caller."""

from __future__ import annotations

import compileall
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import CancelledError, wait
from pathlib import Path, PurePosixPath

import pytest

from automation.codebase.inside.tree_files import compiled_files
from automation.codebase.isolation import MODE_VARIABLE
from automation.codebase.limits import Limits
from automation.codebase.sandbox import ForkServer
from automation.errors import SandboxUnavailable
from tests.automation.codebase.confined import (
    ENTRY,
    PYTHON,
    SMALL,
    Confined,
    confined,
    eventually,
    processes_with,
    sandbox_mode,
)

ROOT = Path(__file__).resolve().parents[3]
MODES = ("namespaces", "limits")


@pytest.fixture(scope="module", params=MODES)
def box(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Confined]:
    with confined(tmp_path_factory.mktemp("server"), request.param) as made:
        yield made


# What a job gets and gives back


def test_records_output_and_end_come_back(box: Confined) -> None:
    outcome = box.run(
        "import sys; print('said'); print('warned', file=sys.stderr); emit({'n': job['n'] if 'n' in job else 0})"
    )
    assert (outcome.end, outcome.exit_code, outcome.signal) == ("done", 0, None)
    assert (outcome.stdout, outcome.stderr, outcome.records) == ("said\n", "warned\n", ({"n": 0},))
    assert outcome.seconds > 0


def test_an_exception_is_a_crash_with_its_traceback(box: Confined) -> None:
    outcome = box.run("emit({'before': 1}); raise LookupError('lost')")
    assert (outcome.end, outcome.exit_code, outcome.records) == ("crash", 1, ({"before": 1},))
    assert "LookupError: lost" in outcome.stderr


@pytest.mark.parametrize(
    ("code", "end", "exit_code", "number"),
    [
        ("import os; os._exit(3)", "exit", 3, None),
        ("import sys; sys.exit(4)", "exit", 4, None),
        ("import ctypes; ctypes.string_at(0)", "crash", None, signal.SIGSEGV),
        ("import os; os.abort()", "crash", None, signal.SIGABRT),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "crash", None, signal.SIGKILL),
    ],
)
def test_records_before_a_sudden_end_are_kept(
    box: Confined, code: str, end: str, exit_code: int | None, number: int | None
) -> None:
    outcome = box.run(f"emit({{'kept': True}}); print('last words', flush=True)\n{code}")
    assert (outcome.end, outcome.exit_code, outcome.signal) == (end, exit_code, number)
    assert (outcome.records, outcome.stdout) == (({"kept": True},), "last words\n")


def test_a_record_that_was_cut_is_left_out(box: Confined) -> None:
    outcome = box.run("emit({'whole': True}); import os; os.write(200, b'\\0' * 7 + b'\\x20{'); os._exit(0)")
    assert outcome.records == ({"whole": True},)


def test_a_job_s_imports_and_variables_do_not_reach_the_next(box: Confined) -> None:
    box.run("import sys, os; sys.modules['planted'] = sys; os.environ['PLANTED'] = '1'; import package")
    outcome = box.run("import sys, os; emit({'found': [n for n in ('planted', 'package') if n in sys.modules]})")
    assert outcome.records == ({"found": []},)


def test_many_jobs_of_two_workers_come_back_to_who_asked(tmp_path: Path) -> None:
    with ForkServer(tmp_path, ENTRY, PYTHON, workers=2, limits=SMALL) as server:
        futures = [server.submit({"code": "emit({'number': job['number']})", "number": n}) for n in range(40)]
        assert [future.result(60).records for future in futures] == [({"number": n},) for n in range(40)]


def test_third_party_modules_are_imported_once_and_missing_ones_left_out(tmp_path: Path) -> None:
    code = "import sys; emit({'loaded': 'pytest' in sys.modules})"
    with ForkServer(tmp_path, ENTRY, PYTHON, preload=["no_such_module", "pytest"], workers=1) as server:
        assert server.submit({"code": code}).result(60).records == ({"loaded": True},)


def test_a_module_of_the_tree_is_not_preloaded(tmp_path: Path) -> None:
    (tmp_path / "trap.py").write_text("raise SystemExit('ran outside a job')")
    code = "import sys; emit({'loaded': 'trap' in sys.modules})"
    with ForkServer(tmp_path, ENTRY, PYTHON, preload=["trap"], python_path=[str(tmp_path)], workers=1) as server:
        assert server.submit({"code": code}).result(60).records == ({"loaded": False},)


def test_a_package_of_the_target_may_be_called_automation(tmp_path: Path) -> None:
    (tmp_path / "automation").mkdir()
    (tmp_path / "automation" / "__init__.py").write_text("OWNER = 'target'")
    with ForkServer(tmp_path, ENTRY, PYTHON, workers=1, python_path=["."]) as server:
        outcome = server.submit({"code": "import automation; emit({'owner': automation.OWNER})"}).result(60)
    assert outcome.records == ({"owner": "target"},)


def test_a_fault_before_the_job_is_reported(tmp_path: Path) -> None:
    broken = tmp_path / "entry.py"
    broken.write_text("import nothing_of_this_name")
    with ForkServer(tmp_path, broken, PYTHON, workers=1) as server:
        outcome = server.submit({}).result(60)
    assert outcome.end == "crash"
    assert "nothing_of_this_name" in outcome.stderr


# Files of one job


def test_files_are_replaced_for_one_job_only(box: Confined) -> None:
    code = "import package, os; emit({'value': package.VALUE, 'names': sorted(os.listdir('.'))})"
    files = {"package/__init__.py": b"VALUE = 2\n", "data.txt": None, "new/deep/file.txt": b"x"}
    assert box.run(code, files).records == ({"value": 2, "names": ["link.txt", "new", "package"]},)
    assert box.run(code).records == ({"value": 1, "names": ["data.txt", "link.txt", "package"]},)


def test_a_replaced_file_keeps_its_mode_and_has_another_second(box: Confined) -> None:
    code = (
        "import os; found = os.stat('data.txt'); emit({'mode': found.st_mode & 0o777, 'second': int(found.st_mtime)})"
    )
    before = box.run(code).records[0]
    after = box.run(code, {"data.txt": b"replaced\n"}).records[0]
    assert after["mode"] == before["mode"]
    assert abs(after["second"] - before["second"]) > 1


@pytest.mark.parametrize("mode", MODES)
def test_a_compiled_file_of_the_same_size_and_second_is_never_served(tmp_path: Path, mode: str) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in ("one", "two"):
        (tree / f"{name}.py").write_text("VALUE = 1\n")
        os.utime(tree / f"{name}.py", (1_700_000_000, 1_700_000_000))
    # one by time and size, the other never checked against its source at all
    compileall.compile_file(tree / "one.py", quiet=2)
    compileall.compile_file(tree / "two.py", quiet=2, invalidation_mode=_never_checked())
    code = "import one, two; emit({'values': [one.VALUE, two.VALUE], 'cached': [one.__cached__, two.__cached__]})"
    replaced: dict[str, bytes | None] = {"one.py": b"VALUE = 2\n", "two.py": b"VALUE = 2\n"}
    with sandbox_mode(mode), ForkServer(tree, ENTRY, PYTHON, workers=1, python_path=["."]) as server:
        results = [server.submit({"code": code}, files).result(60).records[0] for files in ({}, replaced, {})]
    assert [result["values"] for result in results] == [[1, 1], [2, 2], [1, 1]]


def _never_checked() -> object:
    import py_compile

    return py_compile.PycInvalidationMode.UNCHECKED_HASH


def test_a_deleted_module_is_not_served_from_its_compiled_form(tmp_path: Path) -> None:
    (tmp_path / "gone.py").write_text("VALUE = 1\n")
    compileall.compile_file(tmp_path / "gone.py", quiet=2, legacy=True)
    with ForkServer(tmp_path, ENTRY, PYTHON, workers=1, python_path=["."]) as server:
        outcome = server.submit({"code": "import gone"}, {"gone.py": None}).result(60)
    assert "ModuleNotFoundError" in outcome.stderr


@pytest.mark.parametrize("mode", MODES)
def test_odd_names_of_trees_and_files_do_not_matter(tmp_path: Path, mode: str) -> None:
    tree = tmp_path / "a tree: with, all=of\\it é"
    tree.mkdir()
    (tree / "naïve file.txt").write_text("1")
    code = "import os; emit({'names': os.listdir('.'), 'here': os.path.basename(os.getcwd())})"
    with sandbox_mode(mode), ForkServer(tree, ENTRY, PYTHON, workers=1) as server:
        outcome = server.submit({"code": code}).result(60)
    assert outcome.records == ({"names": ["naïve file.txt"], "here": tree.name},)


def test_the_tree_is_seen_at_its_own_place(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "link").symlink_to("tree")
    with sandbox_mode("namespaces"), ForkServer(tmp_path / "link", ENTRY, PYTHON, workers=1) as server:
        outcome = server.submit({"code": "import os; emit({'here': os.getcwd()})"}).result(60)
    assert outcome.records == ({"here": str((tmp_path / "tree").resolve())},)


@pytest.mark.parametrize("place", ["beside", "tree/inside"])
def test_a_hidden_folder_is_empty(tmp_path: Path, place: str) -> None:
    tree, private = tmp_path / "tree", tmp_path / place
    tree.mkdir()
    private.mkdir()
    (private / "key").write_text("secret")
    code = f"import os; emit({{'names': os.listdir({str(private)!r})}})"
    with sandbox_mode("namespaces"):
        around = Path(__file__).parent
        with ForkServer(tree, ENTRY, PYTHON, workers=1, show=[tmp_path, around], hide=[private]) as server:
            assert server.submit({"code": code}).result(60).records == ({"names": []},)


def test_an_entry_in_a_folder_closed_to_others_can_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    (folder / "tree").mkdir(parents=True)
    (folder / "entry.py").write_text("def run(job, emit): emit({'text': open('file').read()})")
    (folder / "tree" / "file").write_text("seen")
    (folder / "tree" / "file").chmod(0o600)
    (folder / "tree").chmod(0o700)
    folder.chmod(0o700)
    with ForkServer(folder / "tree", folder / "entry.py", PYTHON, workers=1) as server:
        assert server.submit({}).result(60).records == ({"text": "seen"},)


# Ends


def test_a_copy_within_the_tree_itself_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with sandbox_mode("limits"), ForkServer(tmp_path, ENTRY, PYTHON, workers=1) as server:
        future = server.submit({"code": "pass"})
        with pytest.raises(SandboxUnavailable, match="TMPDIR"):
            future.result(60)


def test_a_hostile_tree_is_refused_without_namespaces(tmp_path: Path) -> None:
    with sandbox_mode("limits"), pytest.raises(SandboxUnavailable, match="hostile"):
        ForkServer(tmp_path, ENTRY, PYTHON, hostile=True)


def test_a_program_that_is_no_python_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="name another"):
        ForkServer(tmp_path, ENTRY, Path("/bin/false"))


@pytest.mark.parametrize("mode", MODES)
def test_a_dead_sandbox_is_started_again_once_for_a_job(tmp_path: Path, mode: str) -> None:
    with confined(tmp_path, mode) as box:
        box.run("pass")
        _kill(_sandboxes_of(os.getpid()))
        assert box.run("emit({'again': True})").records == ({"again": True},)


@pytest.mark.parametrize("mode", MODES)
def test_a_sandbox_that_dies_twice_is_a_crash(tmp_path: Path, mode: str) -> None:
    word = uuid.uuid4().hex
    with confined(tmp_path, mode) as box:
        future = box.server.submit({"code": f"import os, sys; {_exec(word)}"})
        for _ in range(2):
            assert eventually(lambda: bool(processes_with(word)))
            _kill(_sandboxes_of(os.getpid()))
            assert eventually(lambda: not processes_with(word))
        outcome = future.result(60)
    assert (outcome.end, outcome.records) == ("crash", ())
    assert "ended twice" in outcome.stderr


def test_close_ends_running_jobs_and_cancels_waiting_ones(tmp_path: Path) -> None:
    word, before = uuid.uuid4().hex, threading.enumerate()
    server = ForkServer(tmp_path, ENTRY, PYTHON, workers=1, limits=SMALL)
    sleeper = f"import os, sys; {_exec(word)}"
    futures = [server.submit({"code": sleeper}) for _ in range(3)]
    assert eventually(lambda: bool(processes_with(word)))
    server.close()
    assert wait(futures, timeout=0).not_done == set()
    for future in futures:
        with pytest.raises(CancelledError):
            future.result()
    assert processes_with(word) == []
    assert server.submit({"code": "pass"}).cancelled()
    assert threading.enumerate() == before


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_left_when_the_caller_is_killed(tmp_path: Path, mode: str) -> None:
    tree, temporary = tmp_path / "tree", tmp_path / "temporary"
    tree.mkdir()
    temporary.mkdir()
    word = uuid.uuid4().hex
    sleeper = f"import os, subprocess, sys\nif os.fork() == 0: os.setsid(); os.fork()\n{_exec(word)}"
    script = f"""
from pathlib import Path
from automation.codebase.sandbox import ForkServer
server = ForkServer(Path({str(tree)!r}), Path({str(ENTRY)!r}), Path({str(PYTHON)!r}), workers=2)
futures = [server.submit({{"code": {sleeper!r}}}) for _ in range(2)]
futures[0].result()
"""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), MODE_VARIABLE: mode, "TMPDIR": str(temporary)}
    with sandbox_mode(mode), subprocess.Popen([sys.executable, "-c", script], env=variables) as caller:
        # two jobs of three processes each
        assert eventually(lambda: len([pid for pid in processes_with(word) if pid != caller.pid]) >= 6)
        sandboxes = _sandboxes_of(caller.pid)
        caller.kill()
        caller.wait()
        assert len(sandboxes) == 2
        assert eventually(lambda: not processes_with(word) and not set(sandboxes) & set(processes_with("start.py")))
    assert eventually(lambda: not list(temporary.iterdir()))


def _exec(word: str) -> str:
    return f"os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(1e6)', '{word}'])"


def _sandboxes_of(pid: int) -> list[int]:
    """Return the first process of every sandbox that a process started."""
    return [found for found in processes_with("inside/start.py") if _parent(found) == pid]


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        # somebody else's sandbox, which has just ended
        return None


def _kill(pids: list[int]) -> None:
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_limits_of_a_job_replace_those_of_the_server(tmp_path: Path) -> None:
    with ForkServer(tmp_path, ENTRY, PYTHON, workers=1, limits=SMALL) as server:
        outcome = server.submit({"code": "import time; time.sleep(1e6)"}, limits=Limits(wall_s=0.2)).result(60)
    assert outcome.end == "timeout"


# Compiled files


@pytest.mark.parametrize("mode", MODES)
def test_collected_tests_leave_compiled_files_for_every_job_and_none_in_the_tree(tmp_path: Path, mode: str) -> None:
    tree = tmp_path / "tree"
    (tree / "tests").mkdir(parents=True)
    (tree / "one.py").write_text("VALUE = 1\n")
    (tree / "tests" / "test_one.py").write_text("import one\ndef test_one(): assert one.VALUE == 1\n")
    code = """if True:
        import pathlib, one
        compiled = sorted(path.name.partition(".")[0] for path in pathlib.Path().rglob("*.pyc"))
        emit({"compiled": compiled, "value": one.VALUE})
    """
    spoil = "import os, shutil; shutil.rmtree('tests')\nfor f in os.scandir('__pycache__'): open(f, 'w').close()"
    steps: list[tuple[str, dict[str, bytes | None]]] = [
        (code, {}),
        (code, {"one.py": b"VALUE = 2\n"}),
        (spoil, {}),
        ("import one; emit({'value': one.VALUE})", {}),
    ]
    with (
        sandbox_mode(mode),
        ForkServer(tree, ENTRY, PYTHON, workers=1, limits=SMALL, python_path=["."], collect=["tests"]) as server,
    ):
        first, changed, spoilt, last = (server.submit({"code": step}, files).result(60) for step, files in steps)
    assert first.records == ({"compiled": ["one", "test_one"], "value": 1},)
    assert changed.records == ({"compiled": ["test_one"], "value": 2},)
    assert (spoilt.end, last.records) == ("done", ({"value": 1},))
    assert sorted(path.name for path in tree.rglob("*")) == ["one.py", "test_one.py", "tests"]


def test_a_tree_that_cannot_be_collected_has_jobs_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text("import os; os._exit(9)")
    with ForkServer(tmp_path, ENTRY, PYTHON, workers=1, collect=["--no-such-option"]) as server:
        assert server.submit({"code": "emit({'ran': True})"}).result(60).records == ({"ran": True},)
    with ForkServer(tmp_path, ENTRY, PYTHON, workers=1, collect=[]) as server:
        assert server.submit({"code": "emit({'ran': True})"}).result(60).records == ({"ran": True},)


def test_only_compiled_files_below_the_tree_are_taken_over() -> None:
    names = [
        "__pycache__/a.pyc",
        "a/__pycache__/b.pyc",
        "../__pycache__/c.pyc",
        "/__pycache__/d.pyc",
        "a.pyc",
        "a/b.py",
    ]
    records = [json.dumps({"path": name, "content": "YQ=="}).encode() for name in names]
    assert compiled_files([*records, b"", b"failed"]) == {PurePosixPath(name): b"a" for name in names[:2]}


def test_an_entry_is_loaded_once_before_its_jobs_and_each_time_when_fresh(tmp_path: Path) -> None:
    entry = tmp_path / "entry.py"
    entry.write_text("import os\nPID = os.getpid()\ndef run(job, emit): emit({'here': os.getpid() == PID})")
    for fresh in (False, True):
        with ForkServer(tmp_path, entry, PYTHON, workers=1, fresh=fresh) as server:
            assert server.submit({}).result(60).records == ({"here": fresh},)
