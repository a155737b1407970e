from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.codebase.patches import FileChange, Patch
from automation.errors import EditRefused, StaleSource, WorkspaceFailed


def git_apply(folder: Path, diff: str) -> subprocess.CompletedProcess[bytes]:
    environment = {"PATH": os.environ["PATH"], "GIT_CEILING_DIRECTORIES": str(folder.parent), "HOME": str(folder)}
    return subprocess.run(["git", "apply", "-"], cwd=folder, input=diff.encode(), capture_output=True, env=environment)


def write(folder: Path, files: dict[str, bytes | None]) -> None:
    for name, content in files.items():
        if content is not None:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


def check_git_accepts(folder: Path, before: dict[str, bytes | None], after: dict[str, bytes | None]) -> str:
    folder.mkdir(parents=True)
    write(folder, before)
    diff = Patch.of(before, after).diff()
    done = git_apply(folder, diff)
    assert done.returncode == 0, done.stderr.decode() + diff
    for name, content in after.items():
        if content is None:
            assert not (folder / name).exists()
        else:
            assert (folder / name).read_bytes() == content
    return diff


LONG = b"".join(b"line %d\n" % number for number in range(400))

CASES = {
    "plain": (b"a\nb\nc\n", b"a\nB\nc\n"),
    "crlf": (b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nc\r\n"),
    "mixed line ends": (b"a\r\nb\nc\r\n", b"a\nb\r\nc\r\n"),
    "lone carriage returns": (b"a\rb\rc\n", b"a\rB\rc\n"),
    "no newline before": (b"a\nb", b"a\nb\n"),
    "no newline after": (b"a\nb\n", b"a\nb"),
    "no newline at all": (b"a\nb", b"a\nc"),
    "added": (None, b"x = 1\n"),
    "added without newline": (None, b"x = 1"),
    "added empty": (None, b""),
    "removed": (b"x = 1\n", None),
    "removed empty": (b"", None),
    "emptied": (b"x = 1\n", b""),
    "filled": (b"", b"x = 1\n"),
    "latin-1": ("# coding: latin-1\nx = 'é'\n".encode("latin-1"), "# coding: latin-1\nx = 'è'\n".encode("latin-1")),
    "latin-1 crlf": (b"# coding: latin-1\r\nx = '\xe9'\r\n", b"# coding: latin-1\r\ny = '\xe9'\r\n"),
    "utf-16": ("x = 1\n".encode("utf-16"), "x = 2\n".encode("utf-16")),
    "byte order mark": (b"\xef\xbb\xbfx = 1\n", b"\xef\xbb\xbfx = 2\n"),
    "binary": (bytes(range(256)) * 3, bytes(range(255, -1, -1)) * 2),
    "binary added": (None, b"\0\1\2"),
    "binary removed": (b"\0\1\2", None),
    "form feeds and separators": ("a\x0cb\u2028c\x1cd\n".encode(), "a\x0cb\u2028c\x1ce\n".encode()),
    "lines that look like headers": (b"-- a\n++ b\n@@ -1 +1 @@\n", b"-- x\n++ y\n@@ -1 +1 @@\n"),
    "two far places": (LONG, LONG.replace(b"line 7\n", b"seven\n").replace(b"line 390\n", b"")),
    "lines repeated": (b"\n" * 300 + b"x\n" + b"\n" * 300, b"\n" * 300 + b"y\n" + b"\n" * 299),
}


@pytest.mark.parametrize("case", CASES)
def test_git_applies_the_diff_byte_for_byte(tmp_path: Path, case: str) -> None:
    before, after = CASES[case]
    check_git_accepts(tmp_path / "r", {"m.py": before}, {"m.py": after})


@pytest.mark.parametrize("case", CASES)
def test_git_applies_the_reverse_too(tmp_path: Path, case: str) -> None:
    after, before = CASES[case]
    check_git_accepts(tmp_path / "r", {"m.py": before}, {"m.py": after})


NAMES = ["a b.py", "é.py", 'q"uote.py', "back\\slash.py", "tab\there.py", "new\nline.py", "a b/c d.py", "-x.py"]


@pytest.mark.parametrize("name", [*NAMES, os.fsdecode(b"\xff.py")])
def test_git_finds_odd_file_names(tmp_path: Path, name: str) -> None:
    check_git_accepts(tmp_path / "change", {name: b"1\n2\n"}, {name: b"1\n3\n"})
    check_git_accepts(tmp_path / "add", {name: None}, {name: b"1\n"})
    check_git_accepts(tmp_path / "remove", {name: b"1\n"}, {name: None})
    check_git_accepts(tmp_path / "binary", {name: b"\0"}, {name: b"\1\0"})


def test_all_cases_in_one_diff(tmp_path: Path) -> None:
    before = {f"{number}.py": case[0] for number, case in enumerate(CASES.values())}
    after = {f"{number}.py": case[1] for number, case in enumerate(CASES.values())}
    diff = check_git_accepts(tmp_path / "r", before, after)
    assert "# -x = 'é'" in diff
    assert "# +x = 'è'" in diff


def test_diff_of_a_long_file_names_only_the_changed_line() -> None:
    body = b"".join(b"if a:\n    pass\n" if number % 2 else b"\n" for number in range(3000))
    diff = Patch.of({"m.py": body + b"x = 1\n" + body}, {"m.py": body + b"x = 2\n" + body}).diff()
    changed = [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
    assert changed == ["-x = 1", "+x = 2"]


lines = st.lists(st.sampled_from([b"a\n", b"b\n", b"\n", b"c\r\n", b"d"]), max_size=12).map(b"".join)


@given(before=lines, after=lines)
def test_replaced_lines_rebuild_the_file(before: bytes, after: bytes) -> None:
    change = FileChange("m.py", before, after)
    old, new = (text.split(b"\n") for text in (before, after))
    kept_old = [line for number, line in enumerate(old, 1) if not any(number in a for a, _ in change.replaced_lines())]
    kept_new = [line for number, line in enumerate(new, 1) if not any(number in b for _, b in change.replaced_lines())]
    assert [line for line in kept_old if line] == [line for line in kept_new if line]


def test_executable_file_is_changed_and_removed_by_git(tmp_path: Path) -> None:
    for after in (b"two\n", None):
        folder = tmp_path / str(after)
        folder.mkdir()
        script = folder / "run.py"
        script.write_bytes(b"one\n")
        script.chmod(0o755)
        assert git_apply(folder, Patch.of({"run.py": b"one\n"}, {"run.py": after}).diff()).returncode == 0
        assert script.exists() == (after is not None)
        if after is not None:
            assert script.stat().st_mode & 0o111


def test_apply_keeps_mode_and_writes_new_folders(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_bytes(b"one\n")
    script.chmod(0o750)
    Patch.of({"run.py": b"one\n", "new/deep/m.py": None}, {"run.py": b"two\n", "new/deep/m.py": b"x\n"}).apply(tmp_path)
    assert script.read_bytes() == b"two\n"
    assert stat.S_IMODE(script.stat().st_mode) == 0o750
    assert (tmp_path / "new/deep/m.py").read_bytes() == b"x\n"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["deep", "m.py", "new", "run.py"]


def test_apply_writes_through_a_link_and_keeps_the_link(tmp_path: Path) -> None:
    (tmp_path / "real.py").write_bytes(b"one\n")
    (tmp_path / "link.py").symlink_to("real.py")
    Patch.of({"link.py": b"one\n"}, {"link.py": b"two\n"}).apply(tmp_path)
    assert (tmp_path / "link.py").is_symlink()
    assert (tmp_path / "real.py").read_bytes() == b"two\n"


def test_apply_writes_nothing_when_one_file_is_stale(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": b"one\n", "b.py": b"changed\n"})
    patch = Patch.of({"a.py": b"one\n", "b.py": b"one\n"}, {"a.py": b"two\n", "b.py": b"two\n"})
    with pytest.raises(StaleSource, match=r"b\.py changed since"):
        patch.apply(tmp_path)
    assert (tmp_path / "a.py").read_bytes() == b"one\n"


def test_apply_refuses_to_write_over_a_file_that_it_would_add(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": b"mine\n"})
    with pytest.raises(StaleSource):
        Patch.of({"a.py": None}, {"a.py": b"two\n"}).apply(tmp_path)
    assert (tmp_path / "a.py").read_bytes() == b"mine\n"


def test_apply_puts_all_back_when_a_later_file_cannot_be_written(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": b"one\n", "z.py": b"one\n"})
    patch = Patch.of(
        {"a.py": b"one\n", "a/b.py": None, "z.py": b"one\n"}, {"a.py": b"two\n", "a/b.py": b"x\n", "z.py": b"two\n"}
    )
    (tmp_path / "a").write_bytes(b"a file where a folder is needed")
    with pytest.raises((WorkspaceFailed, StaleSource)):
        patch.apply(tmp_path)
    assert (tmp_path / "a.py").read_bytes() == b"one\n"
    assert (tmp_path / "z.py").read_bytes() == b"one\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a.py", "z.py"]


@pytest.mark.parametrize(
    "path", ["../out.py", "/etc/passwd", ".git/config", "sub/.git/hooks/x", "a/../../x.py", "", "."]
)
def test_apply_refuses_paths_that_leave_the_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(EditRefused):
        Patch((FileChange(path, None, b"x"),)).apply(tmp_path)


def test_apply_refuses_a_link_that_leaves_the_folder(tmp_path: Path) -> None:
    (tmp_path / "out.py").write_bytes(b"one\n")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link.py").symlink_to("../out.py")
    with pytest.raises(EditRefused, match="leads out"):
        Patch.of({"link.py": b"one\n"}, {"link.py": b"two\n"}).apply(root)
    assert (tmp_path / "out.py").read_bytes() == b"one\n"
