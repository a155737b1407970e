from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from automation.codebase.landing import Land, land
from automation.codebase.patches import Patch
from automation.codebase.workspaces import (
    Workspace,
    close_workspace,
    open_workspace,
    reopen_workspace,
    sweep,
    work_folder,
)
from automation.errors import EditRefused, StaleSource, WorkspaceFailed
from tests.automation.codebase.repositories import FILES, files_of, git, make_repository, photograph, write

FIXED = b"def add(a, b):\n    return a + b\n"
PATCH = Patch.of({"pkg/sums.py": FILES["pkg/sums.py"]}, {"pkg/sums.py": FIXED})


def opened(target: Path, tmp_path: Path) -> Workspace:
    return open_workspace(target, work_folder(tmp_path / "home", "run"))


def landed(
    workspace: Workspace, tmp_path: Path, how: Land = Land.BRANCH, patch: Patch = PATCH, branch: str = "gridbot/fix"
):
    return land(workspace, patch, how, branch=branch, message="Fix add", patch_folder=tmp_path / "patches")


def outside_git(folder: Path) -> dict[str, tuple[object, ...]]:
    kept = (".git/index", ".git/HEAD", ".git/config", ".git/refs/heads/main", ".git/logs/HEAD", ".git/FETCH_HEAD")
    return {name: facts for name, facts in photograph(folder).items() if not name.startswith(".git") or name in kept}


def test_clean_repository_gets_a_branch_of_one_commit_and_nothing_else(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    workspace = opened(target, tmp_path)
    before = outside_git(target)
    result = landed(workspace, tmp_path)
    assert outside_git(target) == before
    assert (result.how, result.branch) == (Land.BRANCH, "gridbot/fix")
    assert git(target, "rev-parse", "gridbot/fix") == result.commit
    assert git(target, "log", "--format=%an <%ae> %s", "main..gridbot/fix") == "GridBot <gridbot@localhost> Fix add"
    assert git(target, "diff", "--name-only", "main", "gridbot/fix") == "pkg/sums.py"
    assert git(target, "show", "gridbot/fix:pkg/sums.py") == FIXED.decode().strip()
    assert git(target, "branch", "--format=%(refname:short)").split() == ["gridbot/fix", "main"]
    assert git(target, "status", "--porcelain") == ""
    git(target, "fsck", "--strict")


def test_branch_outlives_its_workspace(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    workspace = opened(target, tmp_path)
    landed(workspace, tmp_path)
    close_workspace(workspace)
    git(target, "fsck", "--strict", "--connectivity-only")
    git(target, "checkout", "-q", "gridbot/fix")
    assert (target / "pkg/sums.py").read_bytes() == FIXED


def test_dirty_repository_gets_its_work_and_the_fix_as_two_commits(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    write(target, {"pkg/new.py": b"new\n", "tests/test_sums.py": b"edited\n"})
    workspace = opened(target, tmp_path)
    before = outside_git(target)
    landed(workspace, tmp_path)
    assert outside_git(target) == before
    subjects = git(target, "log", "--format=%s", "main..gridbot/fix").split("\n")
    assert subjects == ["Fix add", "Uncommitted work in r as GridBot found it"]
    assert git(target, "diff", "--name-only", "gridbot/fix~", "gridbot/fix") == "pkg/sums.py"
    tree = git(target, "ls-tree", "-r", "--name-only", "gridbot/fix").split()
    assert sorted(tree) == sorted([*FILES, "pkg/new.py"])


def test_repository_without_a_commit_gets_a_branch(tmp_path: Path) -> None:
    target = tmp_path / "r"
    target.mkdir()
    git(target, "init", "-q", "-b", "main")
    write(target, FILES)
    landed(opened(target, tmp_path), tmp_path)
    assert git(target, "log", "--format=%s", "gridbot/fix").split("\n")[0] == "Fix add"
    assert git(target, "symbolic-ref", "HEAD") == "refs/heads/main"


def test_taken_name_gets_a_number_and_the_same_fix_is_not_landed_twice(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    git(target, "branch", "gridbot/fix")
    workspace = opened(target, tmp_path)
    first = landed(workspace, tmp_path)
    assert first.branch == "gridbot/fix-2"
    assert landed(workspace, tmp_path) == first
    assert landed(reopen_workspace(workspace.folder), tmp_path) == first
    other = Patch.of({"pkg/sums.py": FILES["pkg/sums.py"]}, {"pkg/sums.py": b"def add(a, b):\n    return b + a\n"})
    assert landed(workspace, tmp_path, patch=other).branch == "gridbot/fix-3"
    assert git(target, "rev-parse", "gridbot/fix") == git(target, "rev-parse", "main")


def test_killed_between_commit_and_fetch_lands_once(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    workspace = opened(target, tmp_path)
    git_dir = target / ".git"
    git_dir.rename(tmp_path / "away")
    with pytest.raises(WorkspaceFailed):
        landed(workspace, tmp_path)
    (tmp_path / "away").rename(git_dir)
    landed(reopen_workspace(workspace.folder), tmp_path)
    assert git(target, "branch", "--format=%(refname:short)").split() == ["gridbot/fix", "main"]


def test_branch_stands_on_the_verified_commit_after_head_moved(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    workspace = opened(target, tmp_path)
    write(target, {"later.py": b"1\n"})
    git(target, "add", "-A")
    git(target, "commit", "-q", "-m", "second")
    landed(workspace, tmp_path)
    assert git(target, "rev-parse", "gridbot/fix~") == workspace.base == git(target, "rev-parse", "main~")


def test_subfolder_worktree_checkout_and_shallow_clone_get_branches(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r", {f"service/{name}": content for name, content in FILES.items()})
    landed(open_workspace(target / "service", work_folder(tmp_path / "home", "1")), tmp_path)
    assert git(target, "diff", "--name-only", "main", "gridbot/fix") == "service/pkg/sums.py"
    git(target, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    linked = open_workspace(tmp_path / "linked" / "service", work_folder(tmp_path / "home", "2"))
    assert landed(linked, tmp_path, branch="other").branch == "other"
    assert git(target, "rev-parse", "other^{tree}") == git(target, "rev-parse", "gridbot/fix^{tree}")
    git(target, "commit", "-q", "--allow-empty", "-m", "second")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{target}", str(tmp_path / "cut"))
    cut = open_workspace(tmp_path / "cut" / "service", work_folder(tmp_path / "home", "3"))
    landed(cut, tmp_path)
    assert git(tmp_path / "cut", "rev-list", "--count", "gridbot/fix") == "2"


@pytest.mark.parametrize("autocrlf", ["true", "false"])
@pytest.mark.parametrize("stored", [b"\r\n", b"\n"])
def test_branch_changes_one_line_whatever_the_line_ends(tmp_path: Path, autocrlf: str, stored: bytes) -> None:
    origin = make_repository(tmp_path / "origin", {"m.py": b"a = 1\nb = 2\nc = 3\n".replace(b"\n", stored)})
    git(tmp_path, "-c", f"core.autocrlf={autocrlf}", "clone", "-q", str(origin), str(tmp_path / "r"))
    git(tmp_path / "r", "config", "core.autocrlf", autocrlf)
    before = (tmp_path / "r/m.py").read_bytes()
    workspace = opened(tmp_path / "r", tmp_path)
    assert not workspace.dirty
    landed(workspace, tmp_path, patch=Patch.of({"m.py": before}, {"m.py": before.replace(b"b = 2", b"b = 3")}))
    assert git(tmp_path / "r", "diff", "--numstat", "main", "gridbot/fix").split() == ["1", "1", "m.py"]


def test_modes_links_new_and_removed_files_in_a_branch(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r", {**FILES, "run.py": b"1\n", "gone.py": b"1\n"})
    (target / "run.py").chmod(0o755)
    (target / "link.py").symlink_to("pkg/sums.py")
    (target / "folder").symlink_to("pkg")
    git(target, "add", "-A")
    git(target, "commit", "-q", "-m", "second")
    before = {
        "run.py": b"1\n",
        "gone.py": b"1\n",
        "link.py": FILES["pkg/sums.py"],
        "folder/__init__.py": b"",
        "new.py": None,
    }
    after = {"run.py": b"2\n", "gone.py": None, "link.py": FIXED, "folder/__init__.py": b"x = 1\n", "new.py": b"1\n"}
    landed(opened(target, tmp_path), tmp_path, patch=Patch.of(before, after))
    status = git(target, "diff", "--no-renames", "--name-status", "main", "gridbot/fix").split("\n")
    assert status == ["D\tgone.py", "A\tnew.py", "M\tpkg/__init__.py", "M\tpkg/sums.py", "M\trun.py"]
    assert git(target, "ls-tree", "gridbot/fix", "run.py").startswith("100755")
    assert git(target, "ls-tree", "gridbot/fix", "link.py").startswith("120000")


@pytest.mark.parametrize("name", ["", "a..b", "-x", "a b", "x.lock", "/x", "@{-1}"])
def test_impossible_branch_names_are_refused(tmp_path: Path, name: str) -> None:
    target = make_repository(tmp_path / "r")
    workspace = opened(target, tmp_path)
    with pytest.raises(WorkspaceFailed, match="cannot be the name of a branch"):
        landed(workspace, tmp_path, branch=name)
    assert git(target, "branch", "--format=%(refname:short)").split() == ["main"]


def test_branch_is_refused_where_it_cannot_hold_what_was_verified(tmp_path: Path) -> None:
    plain = opened(write(tmp_path / "plain", FILES), tmp_path)
    with pytest.raises(WorkspaceFailed, match="no git repository"):
        landed(plain, tmp_path)
    target = make_repository(tmp_path / "r")
    write(target, {"_version.py": b"1\n"})
    workspace = open_workspace(target, work_folder(tmp_path / "home", "2"))
    with pytest.raises(WorkspaceFailed, match="ignored or a submodule"):
        landed(workspace, tmp_path, patch=Patch.of({"_version.py": b"1\n"}, {"_version.py": b"2\n"}))
    with pytest.raises(StaleSource, match="not what the patch was made for"):
        landed(workspace, tmp_path, patch=Patch.of({"pkg/sums.py": b"else"}, {"pkg/sums.py": b"2\n"}))
    with pytest.raises(EditRefused):
        landed(workspace, tmp_path, patch=Patch.of({"../x.py": None}, {"../x.py": b"2\n"}))
    with pytest.raises(WorkspaceFailed, match="changes nothing"):
        landed(workspace, tmp_path, patch=Patch(()))


@pytest.mark.parametrize("how", [Land.WORKTREE, Land.PATCH])
@pytest.mark.parametrize("plain", [True, False])
def test_worktree_and_patch_leave_the_target_byte_for_byte(tmp_path: Path, how: Land, plain: bool) -> None:
    target = write(tmp_path / "r", FILES) if plain else make_repository(tmp_path / "r")
    workspace = opened(target, tmp_path)
    before = photograph(target)
    landed(workspace, tmp_path, how)
    close_workspace(workspace)
    assert photograph(target) == before


def test_worktree_stays_after_closing_with_the_commit_checked_out(tmp_path: Path) -> None:
    workspace = opened(make_repository(tmp_path / "r"), tmp_path)
    (workspace.tree / "left-by-a-test.txt").write_bytes(b"")
    result = landed(workspace, tmp_path, Land.WORKTREE)
    assert landed(workspace, tmp_path, Land.WORKTREE) == result
    close_workspace(workspace)
    assert sweep(tmp_path / "home", keep=()) == ()
    assert result.path == workspace.tree
    assert files_of(result.path) == {**FILES, "pkg/sums.py": FIXED}
    assert git(result.path, "status", "--porcelain", "--branch") == "## gridbot/fix"
    assert git(result.path, "rev-parse", "HEAD") == result.commit
    assert git(result.path, "log", "--format=%s").split("\n") == ["Fix add", "first"]


def test_worktree_is_made_anew_when_its_workspace_was_reopened(tmp_path: Path) -> None:
    workspace = opened(write(tmp_path / "r", FILES), tmp_path)
    landed(workspace, tmp_path, Land.WORKTREE)
    again = landed(reopen_workspace(workspace.folder), tmp_path, Land.WORKTREE)
    assert again.path is not None
    assert files_of(again.path)["pkg/sums.py"] == FIXED


def test_apply_changes_the_files_and_no_git_state(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    write(target, {"notes.txt": b"uncommitted\n"})
    (target / "pkg/sums.py").chmod(0o640)
    workspace = opened(target, tmp_path)
    before = photograph(target)
    write(target, {"run.txt": b"a log may grow\n"})
    assert landed(workspace, tmp_path, Land.APPLY).path == target
    after = photograph(target)
    assert {name for name in before if before[name][4] != after[name][4]} == {"pkg/sums.py"}
    assert files_of(target)["pkg/sums.py"] == FIXED
    assert (target / "pkg/sums.py").stat().st_mode & 0o777 == 0o640
    again = photograph(target)
    landed(reopen_workspace(workspace.folder), tmp_path, Land.APPLY)
    assert photograph(target) == again


@pytest.mark.parametrize("edited", ["pkg/sums.py", "tests/test_sums.py"])
def test_apply_refuses_when_code_changed_since(tmp_path: Path, edited: str) -> None:
    target = make_repository(tmp_path / "r")
    workspace = opened(target, tmp_path)
    write(target, {edited: b"edited meanwhile\n"})
    before = photograph(target)
    with pytest.raises(StaleSource, match="changed since"):
        landed(workspace, tmp_path, Land.APPLY)
    assert photograph(target) == before


def test_apply_killed_between_two_files_is_finished_on_resume(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r")
    workspace = opened(target, tmp_path)
    patch = Patch.of(
        {"pkg/__init__.py": b"", "pkg/sums.py": FILES["pkg/sums.py"]},
        {"pkg/__init__.py": b"x = 1\n", "pkg/sums.py": FIXED},
    )
    write(target, {"pkg/__init__.py": b"x = 1\n"})
    landed(reopen_workspace(workspace.folder), tmp_path, Land.APPLY, patch)
    assert files_of(target) == {**FILES, "pkg/__init__.py": b"x = 1\n", "pkg/sums.py": FIXED}


def test_apply_inside_a_subfolder(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "r", {f"service/{name}": content for name, content in FILES.items()})
    workspace = opened(target / "service", tmp_path)
    landed(workspace, tmp_path, Land.APPLY)
    assert (target / "service/pkg/sums.py").read_bytes() == FIXED


def test_patch_file_is_what_git_applies_and_is_written_once(tmp_path: Path) -> None:
    target = write(tmp_path / "r", FILES)
    workspace = opened(target, tmp_path)
    result = landed(workspace, tmp_path, Land.PATCH)
    assert result.path == tmp_path / "patches" / "gridbot-fix.patch"
    assert landed(workspace, tmp_path, Land.PATCH) == result
    other = Patch.of({"new.py": None}, {"new.py": b"1\n"})
    second = landed(workspace, tmp_path, Land.PATCH, other)
    assert second.path == tmp_path / "patches" / "gridbot-fix-2.patch"
    shutil.copytree(target, tmp_path / "copy")
    git(tmp_path / "copy", "apply", str(result.path))
    assert files_of(tmp_path / "copy") == {**FILES, "pkg/sums.py": FIXED}
    assert sorted(path.name for path in (tmp_path / "patches").iterdir()) == [
        "gridbot-fix-2.patch",
        "gridbot-fix.patch",
    ]
