"""What the stages of a repair hand to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from automation.codebase.sources import SourceFile


@dataclass(frozen=True, slots=True)
class Place:
    """A line under suspicion.

    Parameters
    ----------
    path : str
        File, relative to the repository.
    line : int
        From 1.
    function : str
        Qualified name of the innermost function around it, ``""`` at module level.
    score : float
        0..1, higher is more suspicious.
    reasons : tuple of str
        What speaks for it: ``"ran in 3 of 3 failing tests, 1 of 9 passing"``, ``"traceback"``, ``"changed recently"``.
    """

    path: str
    line: int
    function: str
    score: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class TextEdit:
    """Replace ``text[start:end]`` of a file by ``new``; offsets count characters of `SourceFile.text`."""

    start: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """One proposed change of one file.

    Parameters
    ----------
    source : SourceFile
        The file that it was made for.
    edits : tuple of TextEdit
        Not overlapping, in order.
    proposer : str
        ``template:<family>``, ``fim:<model>``, ``function:<model>`` or ``memory``.
    place : Place
        Where it acts and how suspicious that place is.
    description : str
        One line for people: ``"< becomes <="``.
    prior : float
        How often such an edit is right, 0..1, before the place is taken into account.
    parts : tuple of Candidate
        Those that it was put together from, when there are several.
    """

    source: SourceFile
    edits: tuple[TextEdit, ...]
    proposer: str
    place: Place
    description: str
    prior: float
    parts: tuple[Candidate, ...] = ()

    def text(self) -> str:
        """Return the file's text after the change."""
        parts, at = [], 0
        for edit in self.edits:
            parts += [self.source.text[at : edit.start], edit.new]
            at = edit.end
        return "".join(parts) + self.source.text[at:]

    def content(self) -> bytes:
        """Return the file's bytes after the change."""
        return self.source.with_text(self.text()).content

    @property
    def score(self) -> float:
        """Suspicion of the place times the prior of the edit."""
        return self.place.score * self.prior


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a failing run tells a proposer beside the code.

    Parameters
    ----------
    tests : tuple of str
        Failing node ids.
    failure : str
        The failing assertion with operands, or the exception, as text for a prompt.
    values : mapping of str to tuple of str
        ``"path:line"`` to ``name=repr`` snapshots seen in the failing test.
    test_source : str
        The failing test's own text, bounded.
    exception : str
        Type of the exception, such as ``"AssertionError"``.
    """

    tests: tuple[str, ...]
    failure: str
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    test_source: str = ""
    exception: str = ""
