"""What a repairer is given and judged by, whether from the corpus or planted in a copy of the trading wing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.repair_corpus.corpus import Task


@dataclass(frozen=True, slots=True)
class Problem:
    """One repository to repair.

    Parameters
    ----------
    name : str
        Unique in its suite.
    suite : str
        ``corpus`` or ``trading``.
    pattern : str
        What sort of bug it is.
    single_edit : bool
        Whether one small edit repairs it.
    fault : str
        One line for people.
    files : mapping of str to str
        The repository with the fault and the visible tests, text by path.
    tests : str
        What ``gridbot fix --tests`` is told: arguments for pytest.
    held_back : mapping of str to str
        Test files that the repairer never sees, text by path.
    visible : tuple of str
        Paths of the visible test files.
    """

    name: str
    suite: str
    pattern: str
    single_edit: bool
    fault: str
    files: Mapping[str, str]
    tests: str
    held_back: Mapping[str, str]
    visible: tuple[str, ...]

    def write(self, root: Path) -> None:
        """Write the repository into a folder."""
        write_files(self.files, root)


def problem_of(task: Task) -> Problem:
    """Return a task of the corpus as a problem."""
    return Problem(
        name=task.name,
        suite="corpus",
        pattern=task.pattern,
        single_edit=task.single_edit,
        fault=task.pattern,
        files={**task.buggy, **task.visible},
        tests="-q",
        held_back=task.held_back,
        visible=tuple(task.visible),
    )


def write_files(files: Mapping[str, str], root: Path) -> None:
    """Write texts to paths under a folder."""
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
