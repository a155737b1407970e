"""What the tracebacks of failing tests say about lines: own frames, loops that hang, files that do not parse."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from automation.codebase.suite_files import is_test_path
from automation.incidents.records import Frame, Outcome, Raised, TestResult

# An own frame one call further out is this much less likely to hold the fault than the one inside it.
_PER_FRAME = 0.6
_SYNTAX = frozenset({"SyntaxError", "IndentationError", "TabError"})
_NAMED_FILE = re.compile(r"\(([^()]+\.py), line (\d+)\)|File \"([^\"]+\.py)\", line (\d+)")
_NAMED_MODULE = re.compile(r"from (?:partially initialized module )?'([\w.]+)'|module '([\w.]+)' has no attribute")
_IMPORTED = re.compile(r"cannot import name '(\w+)'|has no attribute '(\w+)'")

Lines = dict[tuple[str, int], float]


def traced_back(tests: Sequence[TestResult]) -> Lines:
    """Return how much the tracebacks point at lines.

    Parameters
    ----------
    tests : sequence of TestResult
        Failing ones.

    Returns
    -------
    dict of (str, int) to float
        Path and line to 0..1: 1 for the innermost own frame outside the tests, less for each frame around it; the
        innermost of every exception of the chain counts, as a cause is as telling as what it led to.
    """
    found: Lines = {}
    for test in tests:
        for raised in test.chain:
            weight = 1.0
            for frame in reversed(own_frames(raised.frames)):
                key = (frame.path, frame.line)
                found[key] = max(found.get(key, 0.0), weight)
                weight *= _PER_FRAME
    return found


def own_frames(frames: Iterable[Frame]) -> list[Frame]:
    """Return the frames that a repair may touch, outermost first."""
    return [frame for frame in frames if frame.own and not frame.test and not is_test_path(frame.path)]


def hanging_loops(tests: Sequence[TestResult], trees: Mapping[str, ast.Module]) -> Lines:
    """Return the loops around the place where a test was when its time ran out.

    Parameters
    ----------
    tests : sequence of TestResult
        Failing ones; only those that timed out count.
    trees : mapping of str to ast.Module
        Parsed files by path.

    Returns
    -------
    dict of (str, int) to float
        1 for the header of a loop around a frame, 0.8 for what it holds.
    """
    found: Lines = {}
    frames = [
        frame
        for test in tests
        if test.outcome is Outcome.TIMEOUT
        for raised in test.chain
        for frame in own_frames(raised.frames)
    ]
    for frame in frames:
        tree = trees.get(frame.path)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.While | ast.For) and node.lineno <= frame.line <= (node.end_lineno or 0):
                found[frame.path, node.lineno] = 1.0
                for line in range(node.lineno + 1, (node.end_lineno or node.lineno) + 1):
                    found.setdefault((frame.path, line), 0.8)
    return found


def unparsable(tests: Sequence[TestResult], tree: Path) -> Lines:
    """Return the lines at which own files do not parse, when a test failed for that.

    Parameters
    ----------
    tests : sequence of TestResult
        Failing ones.
    tree : Path
        The repository.

    Returns
    -------
    dict of (str, int) to float
        1 for the line that Python names, 0.8 for the line before it, where a missing bracket or colon often is.
    """
    found: Lines = {}
    raised = [raised for test in tests for raised in test.chain if raised.type.rsplit(".", 1)[-1] in _SYNTAX]
    for path in dict.fromkeys(path for one in raised for path in _files_named(one, tree)):
        try:
            ast.parse((tree / path).read_bytes())
        except SyntaxError as error:
            line = error.lineno or 1
            found[path, line] = 1.0
            if line > 1:
                found[path, line - 1] = 0.8
        except (OSError, ValueError):
            continue
    return found


def missing_names(tests: Sequence[TestResult], tree: Path) -> Iterator[tuple[str, str]]:
    """Yield the file of a module that lacks a name which somebody asked for, and that name."""
    for test in tests:
        for raised in test.chain:
            module = _NAMED_MODULE.search(raised.message)
            name = _IMPORTED.search(raised.message)
            if module and name:
                dotted = next(filter(None, module.groups()))
                path = module_path(tree, dotted)
                if path is not None:
                    yield path, next(filter(None, name.groups()))


def module_path(tree: Path, dotted: str) -> str | None:
    """Return the file of a module of a repository, in its root or under ``src``."""
    inside = dotted.replace(".", "/")
    for root in ("", "src/"):
        for path in (f"{root}{inside}.py", f"{root}{inside}/__init__.py"):
            if (tree / path).is_file():
                return path
    return None


def _files_named(raised: Raised, tree: Path) -> Iterator[str]:
    for match in _NAMED_FILE.finditer(raised.message):
        named = Path(match[1] or match[3])
        if named.is_absolute():
            if named.is_relative_to(tree):
                yield named.relative_to(tree).as_posix()
            continue
        exact = tree / named
        paths = [exact] if exact.is_file() else sorted(tree.rglob(named.name))
        for path in paths:
            inside = path.relative_to(tree).as_posix()
            if not is_test_path(inside):
                yield inside
    for frame in own_frames(raised.frames):
        yield frame.path
