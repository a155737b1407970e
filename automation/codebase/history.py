"""What git's history says about the lines of a snapshot."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from automation.codebase.workspaces import Workspace


def recent_lines(workspace: Workspace, paths: Collection[str], commits: int = 20) -> Mapping[str, Mapping[int, float]]:
    """Return how recently the lines of some files were changed.

    Parameters
    ----------
    workspace : Workspace
        Whose snapshot to look at.
    paths : collection of str
        Relative to `Workspace.tree`; only these are asked about, since each costs one ``git blame``.
    commits : int
        How far back to look.

    Returns
    -------
    mapping of str to mapping of int to float
        File to line (from 1) to 0..1: 1 for uncommitted changes, less with each commit since; older lines are left out.
    """
    if workspace.head is None:
        return {}
    log = workspace.git.text("log", "--format=%H", f"--max-count={commits + 1}", workspace.base).split("\n")
    ranks = {name: 1.0 - place / (commits + 1) for place, name in enumerate(log)}
    ranges = [workspace.base] if len(log) <= commits else [f"{log[-1]}..{workspace.base}"]
    found = {}
    for path in paths:
        # A file that is not in the snapshot's commit (ignored, in a submodule) has no history here.
        blamed = workspace.git.attempt("blame", "--porcelain", *ranges, "--", f"{workspace.prefix}{path}")
        if blamed.returncode == 0:
            found[path] = _ranked(blamed.stdout, ranks)
    return found


def _ranked(porcelain: bytes, ranks: Mapping[str, float]) -> dict[int, float]:
    boundaries, lines = set(), {}
    commit = ""
    for line in porcelain.split(b"\n"):
        if line.startswith(b"\t"):
            continue
        first, _, rest = line.partition(b" ")
        if len(first) >= 40 and rest[:1].isdigit():
            commit = first.decode()
            lines[int(rest.split()[1])] = commit
        elif line == b"boundary":
            boundaries.add(commit)
    return {line: ranks[name] for line, name in lines.items() if name in ranks and name not in boundaries}
