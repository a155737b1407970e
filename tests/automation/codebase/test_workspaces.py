from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from automation.codebase import owners
from automation.codebase.history import recent_lines
from automation.codebase.patches import Patch
from automation.codebase.workspaces import (
    Workspace,
    close_workspace,
    content_key,
    fresh_tree,
    open_workspace,
    reopen_workspace,
    sweep,
    work_folder,
)
from automation.errors import RepositoryUnusable, StaleSource, WorkspaceFailed
from tests.automation.codebase.repositories import FILES, files_of, git, make_repository, photograph, write


def opened(target: Path, tmp_path: Path, run: str = "run-1") -> Workspace:
    before = photograph(target)
    workspace = open_workspace(target, work_folder(tmp_path / "home", run))
    assert photograph(target) == before
    return workspace


def test_clean_repository_is_cloned_at_its_head(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    workspace = opened(target, tmp_path)
    assert (workspace.is_git, workspace.dirty, workspace.prefix) == (True, False, "")
    assert workspace.base == workspace.head == git(target, "rev-parse", "HEAD")
    assert files_of(workspace.tree) == FILES
    assert git(workspace.root, "status", "--porcelain") == ""
    assert git(workspace.root, "rev-parse", "HEAD") == workspace.base


def test_snapshot_holds_uncommitted_untracked_staged_and_deleted_but_nothing_ignored(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r", {**FILES, "gone.py": b"1\n", "mode.py": b"1\n"})
    write(target, {"pkg/sums.py": b"edited\n", "pkg/new.py": b"new\n", "staged.py": b"staged\n", "noise.log": b"x"})
    write(target, {"build/out.bin": b"x", ".venv/lib/site.py": b"x", "pkg/__pycache__/sums.pyc": b"x"})
    git(target, "add", "staged.py")
    (target / "staged.py").write_bytes(b"staged, then edited\n")
    (target / "gone.py").unlink()
    (target / "mode.py").chmod(0o755)
    workspace = opened(target, tmp_path)
    expected = {**FILES, "pkg/sums.py": b"edited\n", "pkg/new.py": b"new\n", "mode.py": b"1\n"}
    assert files_of(workspace.tree) == {**expected, "staged.py": b"staged, then edited\n"}
    assert workspace.dirty
    assert workspace.git.text("rev-parse", f"{workspace.base}^") == workspace.head
    assert set(git(workspace.root, "ls-tree", "-r", "--name-only", workspace.base).split("\n")) == {
        *expected,
        "staged.py",
    }
    assert git(workspace.root, "ls-tree", workspace.base, "mode.py").startswith("100755")
    assert os.access(workspace.tree / "mode.py", os.X_OK)


def test_ignored_files_that_python_imports_come_along_but_not_into_the_commit(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    write(target, {"pkg/_version.py": b"version = '1'\n"})
    workspace = opened(target, tmp_path)
    assert (workspace.tree / "pkg/_version.py").read_bytes() == b"version = '1'\n"
    assert not workspace.dirty


def test_folder_inside_a_repository_counts_alone_while_its_neighbours_come_along(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r", {f"service/{name}": content for name, content in FILES.items()})
    write(target, {"lib/shared.py": b"x = 1\n", "service/new.py": b"1\n"})
    git(target, "add", "lib")
    write(target, {"elsewhere/untracked.py": b"1\n"})
    workspace = opened(target / "service", tmp_path)
    assert workspace.tree == workspace.root / "service"
    assert files_of(workspace.tree) == {**FILES, "new.py": b"1\n"}
    assert (workspace.root / "lib/shared.py").exists()
    assert not (workspace.root / "elsewhere").exists()


def test_plain_folder_gets_a_shadow_repository(tmp_path: Path) -> None:
    target = write(tmp_path / "plain", FILES)
    write(
        target,
        {"noise.log": b"x", "node_modules/a.js": b"x", "venv/x.py": b"1", "my-env/pyvenv.cfg": b"", "a.pyc": b""},
    )
    write(target, {"my-env/lib/x.py": b"1"})
    workspace = opened(target, tmp_path)
    assert not workspace.is_git
    assert workspace.head is None
    assert files_of(workspace.tree) == FILES
    assert git(workspace.root, "status", "--porcelain") == ""
    assert not (target / ".git").exists()


def test_ignored_folder_inside_a_repository_is_a_plain_folder(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    write(target / "build" / "inner", FILES)
    workspace = opened(target / "build" / "inner", tmp_path)
    assert not workspace.is_git
    assert files_of(workspace.tree) == FILES


def test_repository_without_a_commit(tmp_path: Path) -> None:
    target = tmp_path / "r"
    target.mkdir()
    git(target, "init", "-q")
    write(target, FILES)
    workspace = opened(target, tmp_path)
    assert (workspace.is_git, workspace.head, workspace.dirty) == (True, None, True)
    assert files_of(workspace.tree) == FILES


def test_detached_head_and_linked_worktree(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    git(target, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    write(tmp_path / "linked", {"pkg/sums.py": b"edited\n"})
    main = photograph(target)
    workspace = opened(tmp_path / "linked", tmp_path)
    assert photograph(target) == main
    assert (tmp_path / "linked" / ".git").is_file()
    assert workspace.dirty
    assert files_of(workspace.tree)["pkg/sums.py"] == b"edited\n"


def test_submodule_files_come_along(tmp_path: Path) -> None:
    inner = make_repository(tmp_path / "inner", {"inner.py": b"1\n"})
    target = make_repository(tmp_path / "r")
    git(target, "submodule", "--quiet", "add", str(inner), "vendored")
    git(target, "commit", "-q", "-m", "second")
    write(target, {"vendored/inner.py": b"edited\n", "vendored/new.py": b"2\n"})
    workspace = opened(target, tmp_path)
    assert files_of(workspace.tree)["vendored/inner.py"] == b"edited\n"
    assert files_of(workspace.tree)["vendored/new.py"] == b"2\n"
    assert not workspace.dirty


@pytest.mark.parametrize("with_commit", [True, False])
def test_repository_that_lies_untracked_inside_another(tmp_path: Path, with_commit: bool) -> None:
    target = make_repository(tmp_path / "r")
    if with_commit:
        make_repository(target / "embedded", {"inner.py": b"1\n"})
    else:
        git(write(target / "embedded", {"inner.py": b"1\n"}), "init", "-q")
    workspace = opened(target, tmp_path)
    assert files_of(workspace.tree)["embedded/inner.py"] == b"1\n"
    assert not workspace.dirty


def test_links_modes_and_odd_names_are_kept(tmp_path: Path) -> None:
    odd = ["a b.py", "é.py", "new\nline.py", 'q"uote.py', "*.py", ":(top)x.py", "-n.py", os.fsdecode(b"\xff.py")]
    target = make_repository(tmp_path / "r", {**FILES, **dict.fromkeys(odd, b"1\n")})
    for name in odd[::2]:
        (target / name).write_bytes(b"2\n")
    (target / "link.py").symlink_to("pkg/sums.py")
    (target / "folder").symlink_to("pkg")
    (target / "dangling").symlink_to("nowhere")
    (target / "pkg/sums.py").chmod(0o555)
    workspace = opened(target, tmp_path)
    found = files_of(workspace.tree)
    assert {name: found[name] for name in odd} == {
        name: b"2\n" if place % 2 == 0 else b"1\n" for place, name in enumerate(odd)
    }
    assert (workspace.tree / "link.py").readlink() == Path("pkg/sums.py")
    assert (workspace.tree / "folder").readlink() == Path("pkg")
    assert (workspace.tree / "dangling").readlink() == Path("nowhere")
    assert (workspace.tree / "pkg/sums.py").stat().st_mode & 0o777 == 0o755
    assert files_of(reopen_workspace(workspace.folder).tree) == found
    assert git(workspace.root, "status", "--porcelain") == ""
    assert len(content_key(workspace)) == 64


@pytest.mark.parametrize("attributes", [b"* text=auto eol=crlf\n", b"* text eol=lf\n", b"*.py -text\n"])
@pytest.mark.parametrize("autocrlf", ["true", "false", "input"])
def test_line_ends_stay_as_they_are_on_disk(tmp_path: Path, attributes: bytes, autocrlf: str) -> None:
    target = make_repository(tmp_path / "r", {**FILES, ".gitattributes": attributes})
    git(target, "config", "core.autocrlf", autocrlf)
    write(target, {"pkg/new.py": b"a = 1\r\nb = 2\r\n", "pkg/sums.py": b"def add(a, b):\r\n    return a\r\n"})
    workspace = opened(target, tmp_path)
    assert files_of(workspace.tree)["pkg/new.py"] == b"a = 1\r\nb = 2\r\n"
    assert files_of(workspace.tree)["pkg/sums.py"] == b"def add(a, b):\r\n    return a\r\n"


def test_checkout_with_converted_line_ends_is_not_dirty(tmp_path: Path) -> None:
    origin = make_repository(tmp_path / "origin", {**FILES, ".gitattributes": b"*.py text eol=crlf\n"})
    git(tmp_path, "clone", "-q", str(origin), str(tmp_path / "r"))
    assert b"\r\n" in (tmp_path / "r/pkg/sums.py").read_bytes()
    workspace = opened(tmp_path / "r", tmp_path)
    assert not workspace.dirty
    assert files_of(workspace.tree)["pkg/sums.py"] == b"def add(a, b):\r\n    return a - b\r\n"


def test_conflict_in_the_middle_of_a_merge(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    git(target, "checkout", "-q", "-b", "other")
    write(target, {"pkg/sums.py": b"theirs\n"})
    git(target, "commit", "-q", "-a", "-m", "theirs")
    git(target, "checkout", "-q", "main")
    write(target, {"pkg/sums.py": b"ours\n"})
    git(target, "commit", "-q", "-a", "-m", "ours")
    with pytest.raises(AssertionError):
        git(target, "merge", "-q", "other")
    workspace = opened(target, tmp_path)
    assert workspace.dirty
    assert files_of(workspace.tree)["pkg/sums.py"].startswith(b"<<<<<<<")


@pytest.mark.parametrize(
    "special", ["split index", "no index", "intent to add", "sparse", "shallow", "sha256", "file over folder"]
)
def test_special_repositories(tmp_path: Path, special: str) -> None:
    target = make_repository(tmp_path / "r")
    expected = dict(FILES)
    if special == "split index":
        git(target, "update-index", "--split-index")
    elif special == "no index":
        (target / ".git/index").unlink()
    elif special == "intent to add":
        write(target, {"pkg/later.py": b"1\n"})
        git(target, "add", "-N", "pkg/later.py")
        expected["pkg/later.py"] = b"1\n"
    elif special == "sparse":
        git(target, "sparse-checkout", "set", "--no-cone", "/pkg/")
        expected = {name: content for name, content in FILES.items() if name.startswith("pkg/")}
    elif special == "shallow":
        write(target, {"more.py": b"1\n"})
        git(target, "add", "-A")
        git(target, "commit", "-q", "-m", "second")
        git(tmp_path, "clone", "-q", "--depth", "1", f"file://{target}", str(tmp_path / "cut"))
        target, expected["more.py"] = tmp_path / "cut", b"1\n"
    elif special == "sha256":
        target = tmp_path / "sha256"
        target.mkdir()
        git(target, "init", "-q", "--object-format=sha256")
        git(write(target, FILES), "add", "-A")
        git(target, "commit", "-q", "-m", "first")
    else:
        shutil.rmtree(target / "pkg")
        write(target, {"pkg": b"now a file\n"})
        expected = {name: content for name, content in FILES.items() if not name.startswith("pkg/")}
        expected["pkg"] = b"now a file\n"
    workspace = opened(target, tmp_path)
    assert files_of(workspace.tree) == expected
    assert workspace.dirty == (special in {"intent to add", "file over folder"})


def test_hostile_settings_and_hooks_of_the_target_do_not_run(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    trap = f"touch {tmp_path / 'ran'}"
    for name in ("post-checkout", "post-commit", "post-index-change", "reference-transaction", "pre-commit"):
        write(target, {f".git/hooks/{name}": f"#!/bin/sh\n{trap}\n".encode()})
        (target / ".git/hooks" / name).chmod(0o755)
    git(target, "config", "core.fsmonitor", f"sh -c '{trap}'")
    git(target, "config", "core.pager", trap)
    git(target, "config", "filter.bad.clean", f"sh -c '{trap}; cat'")
    write(target, {".gitattributes": b"*.py filter=bad\n", "pkg/sums.py": b"edited\n"})
    workspace = opened(target, tmp_path)
    assert files_of(workspace.tree)["pkg/sums.py"] == b"edited\n"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("broken", ["missing", "file", "no python", "bare", "git folder"])
def test_unusable_targets_are_refused_and_leave_nothing(tmp_path: Path, broken: str) -> None:
    target = tmp_path / "target"
    if broken == "file":
        target.write_bytes(b"")
    elif broken == "no python":
        make_repository(target, {"a.txt": b""})
    elif broken == "bare":
        git(tmp_path, "init", "-q", "--bare", str(target))
    elif broken == "git folder":
        target = make_repository(target) / ".git"
    with pytest.raises(RepositoryUnusable, match=str(target)):
        open_workspace(target, work_folder(tmp_path / "home", "run"))
    run = tmp_path.joinpath("home", "work", "run")
    assert not run.exists() or not any(run.iterdir())


def test_workspace_inside_its_own_target_is_refused_unless_ignored(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    with pytest.raises(WorkspaceFailed, match="GRIDBOT_HOME"):
        open_workspace(target, work_folder(target / "home", "run"))
    assert files_of(open_workspace(target, work_folder(target / ".gridbot", "run")).tree) == FILES


def test_changes_in_the_clone_reach_neither_target_nor_snapshot(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    workspace = opened(target, tmp_path)
    before = photograph(target)
    for path in sorted(workspace.root.rglob("*"), reverse=True):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(b"ruined")
    assert photograph(target) == before
    assert files_of(reopen_workspace(workspace.folder).tree) == FILES


def test_reopened_workspace_equals_the_opened_one(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    write(target, {"pkg/sums.py": b"edited\n"})
    workspace = opened(target, tmp_path)
    key = content_key(workspace)
    write(target, {"pkg/sums.py": b"edited again\n"})
    again = reopen_workspace(workspace.folder)
    assert again == workspace
    assert content_key(again) == key
    assert files_of(again.tree)["pkg/sums.py"] == b"edited\n"


def test_reopening_refuses_what_is_incomplete_or_changed(tmp_path: Path) -> None:
    workspace = opened(make_repository(tmp_path / "r"), tmp_path)
    (workspace.pristine / "pkg/sums.py").write_bytes(b"tampered\n")
    with pytest.raises(WorkspaceFailed, match="is not what was taken"):
        reopen_workspace(workspace.folder)
    with pytest.raises(WorkspaceFailed, match="is not what was taken"):
        fresh_tree(workspace, "final")
    (workspace.folder / "workspace.json").unlink()
    with pytest.raises(WorkspaceFailed, match="no complete workspace"):
        reopen_workspace(workspace.folder)


def test_opening_again_replaces_what_an_interrupted_attempt_left(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    folder = work_folder(tmp_path / "home", "run")
    write(folder, {"clone/half.py": b"", "snapshot.git/HEAD": b"broken", "owner.json": b"{"})
    assert files_of(open_workspace(target, folder).tree) == FILES


def test_closing_removes_all(tmp_path: Path) -> None:
    workspace = opened(make_repository(tmp_path / "r"), tmp_path)
    locked = workspace.root / "locked" / "inner"
    locked.mkdir(parents=True)
    (locked / "x").write_bytes(b"")
    locked.chmod(0o000)
    locked.parent.chmod(0o500)
    close_workspace(workspace)
    assert not workspace.folder.exists()


CHILD = """
import pathlib, sys
from automation.codebase.workspaces import open_workspace
open_workspace(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
print("open", flush=True)
sys.stdin.read()
"""


def test_sweep_removes_what_killed_runs_left_and_nothing_else(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    home = tmp_path / "home"
    own = open_workspace(target, work_folder(home, "own"))
    children = []
    for run in ("dead", "resumable"):
        command = [sys.executable, "-c", CHILD, str(target), str(work_folder(home, run))]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        children.append(child)
    assert sweep(home, keep=()) == ()
    with pytest.raises(WorkspaceFailed, match=f"in use by process {children[1].pid}"):
        reopen_workspace(work_folder(home, "resumable"))
    for child in children:
        child.kill()
        child.communicate()
    assert sweep(home, keep={"resumable"}) == (work_folder(home, "dead"),)
    assert not work_folder(home, "dead").exists()
    assert files_of(own.tree) == FILES
    assert files_of(reopen_workspace(work_folder(home, "resumable")).tree) == FILES


def test_a_reused_process_number_is_not_the_owner(tmp_path: Path) -> None:
    owners.claim(tmp_path)
    assert owners.is_owned(tmp_path)
    owner = json.loads((tmp_path / "owner.json").read_text())
    (tmp_path / "owner.json").write_text(json.dumps({**owner, "started": "1"}))
    assert not owners.is_owned(tmp_path)
    (tmp_path / "owner.json").write_text(json.dumps({**owner, "boot": "another"}))
    assert not owners.is_owned(tmp_path)
    (tmp_path / "owner.json").write_text(json.dumps({**owner, "host": "another"}))
    assert owners.is_owned(tmp_path)


def test_recent_lines_rank_uncommitted_over_newer_over_older(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r", {"m.py": b"a = 1\nb = 1\nc = 1\nd = 1\n", "still.py": b"x\n"})
    write(target, {"m.py": b"a = 1\nb = 2\nc = 1\nd = 1\n"})
    git(target, "commit", "-q", "-a", "-m", "second")
    write(target, {"m.py": b"a = 1\nb = 2\nc = 2\nd = 1\n"})
    git(target, "commit", "-q", "-a", "-m", "third")
    write(target, {"m.py": b"a = 1\nb = 2\nc = 2\nd = 2\n"})
    workspace = opened(target, tmp_path)
    found = recent_lines(workspace, ["m.py", "still.py", "missing.py"])
    assert set(found) == {"m.py", "still.py"}
    assert found["m.py"][4] == 1.0
    assert 1.0 > found["m.py"][3] > found["m.py"][2] > 0
    assert 1 not in found["m.py"]
    assert found["still.py"] == {}
    assert set(recent_lines(workspace, ["m.py"], commits=1)["m.py"]) == {4}


def test_content_key_follows_content_not_time(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    first = content_key(opened(target, tmp_path, "1"))
    os.utime(target / "pkg/sums.py", (1, 1))
    assert content_key(opened(target, tmp_path, "2")) == first
    write(target, {"pkg/sums.py": b"edited\n"})
    assert content_key(opened(target, tmp_path, "3")) != first


def test_lesson_30_verification_runs_in_a_tree_that_no_leftover_process_knows(tmp_path: Path) -> None:
    workspace = opened(make_repository(tmp_path / "r"), tmp_path)
    (workspace.tree / "pkg/sums.py").write_bytes(b"changed by a child that outlived its time\n")
    (workspace.tree / "pkg/extra.py").write_bytes(b"left behind\n")
    patch = Patch.of({"pkg/sums.py": FILES["pkg/sums.py"]}, {"pkg/sums.py": b"fixed\n"})
    tree = fresh_tree(workspace, "final", patch)
    assert files_of(tree) == {**FILES, "pkg/sums.py": b"fixed\n"}
    with pytest.raises(StaleSource):
        fresh_tree(workspace, "final", Patch.of({"pkg/sums.py": b"else"}, {"pkg/sums.py": b"fixed\n"}))
