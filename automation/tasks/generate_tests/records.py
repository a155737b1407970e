"""What travels between the steps: subjects, observed calls, drafts of tests, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Arc = tuple[int, int]


class Ground(StrEnum):
    """Why a test may say what it says."""

    OBSERVED = "characterisation"
    PROPERTY = "property"
    DOCUMENTED = "documented"


@dataclass(frozen=True, slots=True)
class Subject:
    """Something public that tests can call.

    Parameters
    ----------
    path, module : str
        File, and its dotted name.
    owner, name : str
        Class or empty, and own name.
    kind : str
        ``function``, ``method``, ``static``, ``property`` or ``class``.
    line, end_line : int
        Where it stands, from 1.
    documented : tuple of str
        Exceptions that its docstring names.
    examples : tuple of (str, str)
        Calls of its docstring and what they return.
    """

    path: str
    module: str
    owner: str
    name: str
    kind: str
    line: int
    end_line: int
    documented: tuple[str, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()

    @property
    def qualified(self) -> str:
        """Name inside the file."""
        return f"{self.owner}.{self.name}" if self.owner else self.name

    @property
    def imported(self) -> str:
        """The import line."""
        return f"from {self.module} import {self.owner or self.name}"


@dataclass(frozen=True, slots=True)
class Case:
    """One call and what it came to.

    Parameters
    ----------
    template : str
        The call, with its arguments' numbers between null characters in their places.
    arguments : tuple of (str, str)
        Parameter name and source.
    imports : tuple of str
        Import lines of the call.
    outcome : mapping
        ``kind`` (``value``, ``array``, ``raises``, ``left``), and what belongs to it.
    arcs : frozenset of (int, int)
        Steps from line to line inside the subject's file.
    changed : tuple of str
        Arguments that the call changed.
    origin : str
        ``type``, ``explored``, ``seen``, ``model``.
    """

    template: str
    arguments: tuple[tuple[str, str], ...]
    imports: tuple[str, ...]
    outcome: Mapping[str, object]
    arcs: frozenset[Arc]
    changed: tuple[str, ...]
    origin: str

    @property
    def kind(self) -> str:
        """Kind of the outcome."""
        return str(self.outcome["kind"])

    @property
    def expected(self) -> str:
        """Source of what is expected, for values and exceptions."""
        return str(self.outcome.get("text", ""))

    @property
    def expected_imports(self) -> tuple[str, ...]:
        """Import lines of what is expected."""
        found = self.outcome.get("imports", ())
        return tuple(str(each) for each in found) if isinstance(found, list | tuple) else ()

    def call(self, names: Mapping[int, str] | None = None) -> str:
        """Return the call's source, with names in the place of some arguments."""
        text = self.template
        for at, (_, source) in enumerate(self.arguments):
            text = text.replace(f"\0{at}\0", (names or {}).get(at, source))
        return text


@dataclass(frozen=True, slots=True)
class Draft:
    """One test on its own, before similar ones are written together.

    Parameters
    ----------
    name : str
        Unique among the drafts of a file: ``draft_12``.
    subject : Subject
        What it tests.
    ground : Ground
        Why it may say so.
    scenario : str
        What it is about, for its name: ``refuses_an_unknown_unit``.
    body : str
        Statements, without indentation.
    imports : tuple of str
        Import lines.
    decorators : tuple of str
        Lines above the function.
    parameters : str
        Of the function.
    case : Case or None
        The call behind it, where it is one that can share a parametrised test.
    cost : float
        How much a reader has to take in.
    arcs : frozenset of (int, int)
        Steps that it makes.
    rival : str
        Drafts that share this say the same; the first that holds is kept.
    """

    name: str
    subject: Subject
    ground: Ground
    scenario: str
    body: str
    imports: tuple[str, ...]
    decorators: tuple[str, ...] = ()
    parameters: str = ""
    case: Case | None = None
    cost: float = 1.0
    arcs: frozenset[Arc] = frozenset()
    rival: str = ""

    def source(self) -> str:
        """Return the function as it is tried."""
        lines = "\n".join(f"    {line}" if line else "" for line in self.body.splitlines())
        above = "".join(f"{line}\n" for line in self.decorators)
        return f"{above}def {self.name}({self.parameters}):\n{lines}\n"


@dataclass(frozen=True, slots=True)
class Score:
    """How well tests hold something.

    Parameters
    ----------
    lines, lines_run : int
        Lines with statements inside functions, and how many of them ran.
    branches, branches_run : int
        Ways out of decisions, and how many were taken.
    mutants, killed : int
        Mutants that were judged, and those that a test noticed.
    """

    lines: int = 0
    lines_run: int = 0
    branches: int = 0
    branches_run: int = 0
    mutants: int = 0
    killed: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(*(getattr(self, name) + getattr(other, name) for name in Score.__slots__))

    def as_json(self) -> dict[str, object]:
        """Return counts and shares."""
        return {
            "line_coverage": share(self.lines_run, self.lines),
            "branch_coverage": share(self.branches_run, self.branches),
            "mutation_score": share(self.killed, self.mutants),
            **{name: getattr(self, name) for name in Score.__slots__},
        }


def share(part: int, whole: int) -> float | None:
    """Return a fraction with four digits, None of nothing."""
    return round(part / whole, 4) if whole else None


@dataclass(frozen=True, slots=True)
class SubjectOutcome:
    """What was gained for one function of a file."""

    name: str
    line: int
    before: Score
    after: Score
    tests: int = 0
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What was made for one file.

    Parameters
    ----------
    path : str
        The file that is tested.
    test_path : str
        Where its new tests go; empty when there are none.
    text : str
        That file's whole new text.
    before, after : Score
        Of the file's functions in scope.
    subjects : tuple of SubjectOutcome
        By line.
    kept : mapping of str to int
        Test functions by ground.
    rows : int
        Rows of parametrised tests and single tests together.
    dropped : mapping of str to int
        Drafts that were not kept, by reason.
    survivors : tuple of str
        Mutants that no test notices even now.
    unjudged : int
        Mutants for which there was no time.
    seconds : float
        Spent on the file.
    notes : tuple of str
        What a reader should know.
    """

    path: str
    test_path: str
    text: str
    before: Score
    after: Score
    subjects: tuple[SubjectOutcome, ...]
    kept: Mapping[str, int] = field(default_factory=dict)
    rows: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    survivors: tuple[str, ...] = ()
    unjudged: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
