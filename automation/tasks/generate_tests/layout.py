"""Where a repository keeps its tests: the files that belong to a module, and the place of new ones."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath

_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$")
_FEW_FILES = 25
_MOST_FILES = 12
_SUFFIX = "_generated"
_FORMAT_S = 30


def files_with_tests(paths: Sequence[str]) -> tuple[str, ...]:
    """Return those of a repository's files that hold tests."""
    return tuple(path for path in paths if _TEST_FILE.search(path))


def related_tests(tree: Path, tests: Sequence[str], path: str, module: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return the test files that are likely to reach a module, the likeliest first; all, where there are few.

    Parameters
    ----------
    tree : Path
        The repository.
    tests : sequence of str
        Its test files.
    path, module : str
        The module's file and dotted name.
    names : sequence of str
        What tests can call in it.
    """
    stem = PurePosixPath(path).stem
    package, _, last = module.rpartition(".")
    words = [rf"\b{re.escape(module)}\b", rf"from {re.escape(package)} import [^\n]*\b{re.escape(last)}\b"]
    direct = re.compile("|".join(words if package else words[:1]))
    named = re.compile(r"\b(?:" + "|".join(map(re.escape, names)) + r")\b") if names else None
    ranked: list[tuple[int, str]] = []
    for test in tests:
        text = (tree / test).read_text(encoding="utf-8", errors="replace")
        own_name = PurePosixPath(test).stem.removesuffix(_SUFFIX) in {f"test_{stem}", f"{stem}_test"}
        score = 2 * bool(direct.search(text)) + own_name + bool(named and named.search(text))
        if score or len(tests) <= _FEW_FILES:
            ranked.append((-score, test))
    return tuple(test for _, test in sorted(ranked)[:_MOST_FILES])


def generated_path(
    path: str, tests: Sequence[str], python_path: Sequence[str] = (".",), taken: Collection[str] = ()
) -> str:
    """Return where the generated tests of a file go: beside the tests that it has, else where such tests lie.

    Parameters
    ----------
    path : str
        The file that is tested, relative to the repository.
    tests : sequence of str
        The repository's test files.
    python_path : sequence of str
        Folders at the front of the import path.
    taken : collection of str
        Test files that belong to another module, or that a person wrote.
    """
    pure = PurePosixPath(path)
    own = [test for test in tests if PurePosixPath(test).stem in {f"test_{pure.stem}", f"{pure.stem}_test"}]
    name = f"test_{pure.stem}{_SUFFIX}.py"
    if own:
        folder = max(own, key=lambda test: _shared(PurePosixPath(test).parent, pure.parent)).rpartition("/")[0]
        found = f"{folder}/{name}" if folder else name
        return found if found not in taken else found.replace(name, f"test_{'_'.join(pure.parts[:-1])}_{name[5:]}")
    top = _top(tests)
    inside = pure.parent
    for folder in python_path:
        if folder not in {".", ""} and inside.is_relative_to(folder):
            inside = inside.relative_to(folder)
    folders = {PurePosixPath(test).parent.as_posix() for test in tests}
    choices = [PurePosixPath(top, inside), PurePosixPath(top, *inside.parts[1:])]
    mirrored = any(folder.startswith(f"{top}/") for folder in folders) or not tests
    known = next((each for each in choices if each.as_posix() in folders), None)
    folder_path = known or (choices[0] if mirrored and _mirrors(folders, top, inside) else PurePosixPath(top))
    found = (folder_path / name).as_posix()
    # two files of one name in folders without __init__.py cannot be imported by every pytest
    clash = found in taken or any(PurePosixPath(test).name == name and test != found for test in tests)
    return found if not clash else (folder_path / f"test_{'_'.join(inside.parts)}_{pure.stem}{_SUFFIX}.py").as_posix()


def _top(tests: Sequence[str]) -> str:
    tops = [test.partition("/")[0] for test in tests if "/" in test]
    if not tops:
        return "tests" if not tests else "."
    return "tests" if "tests" in tops else max(set(tops), key=tops.count)


def _mirrors(folders: set[str], top: str, inside: PurePosixPath) -> bool:
    return bool(inside.parts) and any(folder.startswith(f"{top}/{inside.parts[0]}") for folder in folders)


def _shared(one: PurePosixPath, other: PurePosixPath) -> int:
    return len(set(one.parts) & set(other.parts))


def formatted(text: str, path: str, folder: Path) -> str:
    """Return a file as ruff writes it by the repository's own settings; unchanged where there is no ruff.

    Parameters
    ----------
    text, path : str
        The file and where it will lie.
    folder : Path
        The repository.
    """
    beside = Path(sys.executable).with_name("ruff")
    ruff = str(beside) if beside.is_file() else shutil.which("ruff")
    if ruff is None:
        return text
    for words in (["check", "--select", "I,F401", "--fix-only", "--quiet"], ["format", "--quiet"]):
        done = subprocess.run(  # noqa: S603 - a fixed program
            [ruff, *words, "--stdin-filename", str(folder / path), "-"],
            input=text.encode(),
            capture_output=True,
            check=False,
            cwd=folder,
            timeout=_FORMAT_S,
        )
        if done.returncode == 0 and done.stdout:
            text = done.stdout.decode()
    return text
