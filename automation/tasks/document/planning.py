"""What is to change in each file: docstrings to put in, docstrings to mend, and what only a person can say."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from automation.codebase.edit_places import SymbolPlace
from automation.codebase.edit_text import LineTable
from automation.codebase.sources import SourceFile, read_source
from automation.errors import EditRefused
from automation.tasks.document.drafts import Drafter, Sourced
from automation.tasks.document.examples import ExampleDesk, calls_of
from automation.tasks.document.insertion import DocLiteral, body_margin, keyed_places, literal_of, with_docstrings
from automation.tasks.document.requests import Style
from automation.tasks.document.staleness import mended
from automation.tasks.document.writing import docstring_text
from automation.tasks.review.docstrings import Documentable, documentable
from automation.tasks.review.ground import Ground, ParsedFile

_MOST_EXAMPLES = 2


@dataclass(frozen=True, slots=True)
class Written:
    """One docstring that was written or mended: of what, by whom, and what was done."""

    path: str
    line: int
    name: str
    proposer: str
    what: str

    @property
    def place(self) -> str:
        """``path:line``."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Open:
    """What a person has to say: of what, and why neither rules nor model could."""

    path: str
    line: int
    name: str
    why: str


@dataclass
class FilePlan:
    """The changes of one file.

    Parameters
    ----------
    source : SourceFile
        As it is.
    drafts : dict of str to (Documentable, Sourced)
        By ``name:line``.
    mends : dict of DocLiteral to str
        The literals to replace, and by what.
    written : list of Written
        What is done.
    open : list of Open
        What is left to a person.
    """

    source: SourceFile
    drafts: dict[str, tuple[Documentable, Sourced]] = field(default_factory=dict)
    mends: dict[DocLiteral, str] = field(default_factory=dict)
    written: list[Written] = field(default_factory=list)
    open: list[Open] = field(default_factory=list)

    @cached_property
    def places(self) -> dict[str, SymbolPlace]:
        """Where the file's definitions stand."""
        return keyed_places(self.source)

    @cached_property
    def table(self) -> LineTable:
        """The file's lines."""
        return LineTable.of(self.source.text)


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans what is said, and writes it out.

    Parameters
    ----------
    ground : Ground
        The scope.
    drafter : Drafter
        Knows what to say.
    style : Style
        Layout of what is new.
    width : int
        Longest line, in characters.
    """

    ground: Ground
    drafter: Drafter
    style: Style
    width: int

    def plan(self, file: ParsedFile) -> FilePlan:
        """Look at everything public of a file that lies in the scope."""
        plan = FilePlan(read_source(self.ground.root, file.path))
        for subject in subjects_of(self.ground, file):
            if ast.get_docstring(subject.node, clean=False) is None:
                self._write(plan, subject, file)
            else:
                self._mend(plan, subject)
        return plan

    def text(self, plan: FilePlan) -> SourceFile:
        """Return a file with its plan carried out.

        Raises
        ------
        EditRefused
            When that would change more than docstrings.
        """
        texts = {
            key: docstring_text(sourced.draft, self.style, body_margin(plan.source, plan.places.get(key)), self.width)
            for key, (_, sourced) in plan.drafts.items()
        }
        return with_docstrings(plan.source, plan.places, texts, plan.mends)

    def _write(self, plan: FilePlan, subject: Documentable, file: ParsedFile) -> None:
        sourced = self.drafter.draft(subject, file)
        if sourced is None:
            asked = self.drafter.writer is not None and bool(subject.name)
            why = "the model's words did not hold" if asked else "neither its code nor its name says enough"
            plan.open.append(Open(subject.path, subject.line, subject.name or "the module", f"no docstring: {why}"))
            return
        plan.drafts[f"{subject.name}:{subject.line}"] = (subject, sourced)
        name = subject.name or "the module"
        plan.written.append(Written(subject.path, subject.line, name, sourced.proposer, "docstring written"))

    def _mend(self, plan: FilePlan, subject: Documentable) -> None:
        literal = literal_of(plan.source, plan.table, subject.node)
        if literal is None:
            return
        mend = mended(subject, literal, self.drafter.knowledge, self.width)
        if mend is None:
            return
        if mend.reasons:
            plan.mends[literal] = literal.with_body(mend.body)
            told = "; ".join(mend.reasons)
            plan.written.append(Written(subject.path, subject.line, subject.name, "rules", f"docstring mended: {told}"))
        plan.open += [Open(subject.path, subject.line, subject.name, why) for why in mend.open]


def subjects_of(ground: Ground, file: ParsedFile) -> Iterator[Documentable]:
    """Yield what a file has to document in the scope; the module itself only where the file is meant whole."""
    for subject in documentable(file):
        if subject.name:
            last = getattr(subject.node, "end_lineno", None)
            inside = subject.line if isinstance(subject.node, ast.ClassDef) else last
            if ground.scope.holds(file.path, subject.line, inside):
                yield subject
        elif not ground.scope.symbols and file.path not in ground.scope.lines:
            yield subject


def add_examples(planner: Planner, plan: FilePlan, desk: ExampleDesk, seen: dict[str, list[str]]) -> str:
    """Add examples that the sandbox ran to the functions that a plan documents, and keep those that pass as doctests.

    Parameters
    ----------
    planner : Planner
        Writes the file out.
    plan : FilePlan
        Is changed.
    desk : ExampleDesk
        Runs them.
    seen : dict of str to list of str
        Calls that the repository itself makes, by function.

    Returns
    -------
    str
        Why there are none, empty when nothing went wrong.
    """
    calls = {key: calls_of(subject, seen.get(subject.name, ())) for key, (subject, _) in plan.drafts.items()}
    wanted = [call for each in calls.values() for call in each]
    if not wanted:
        return ""
    tried = desk.answers(plan.source.path, wanted)
    given: dict[str, tuple[Documentable, Sourced]] = {}
    for key, each in calls.items():
        lines = [line for call in each if call in tried.answers for line in (f">>> {call}", tried.answers[call])]
        lines = lines[: 2 * _MOST_EXAMPLES]
        if lines and max(map(len, lines)) + 4 <= planner.width:
            subject, sourced = plan.drafts[key]
            given[key] = (subject, sourced)
            plan.drafts[key] = (subject, replace(sourced, draft=replace(sourced.draft, examples=tuple(lines))))
    if not given:
        return tried.problem
    try:
        content = planner.text(plan).content
        good = desk.passing(plan.source.path, content, [subject.name for subject, _ in given.values()])
    except EditRefused:
        good = frozenset()
    for key, (subject, sourced) in given.items():
        if subject.name not in good:
            plan.drafts[key] = (subject, sourced)
    return tried.problem
