"""Readable pytest files from drafts: similar calls share a parametrised test, long values get a name."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from automation.codebase.characterisation import MARK
from automation.tasks.generate_tests.drafting import INSTANCE, arranged, left_scenario, refusal
from automation.tasks.generate_tests.records import Case, Draft, Ground, Subject
from automation.tasks.generate_tests.wording import (
    argument_words,
    constant_part,
    literal,
    match_literal,
    name_of_test,
    slug,
    snake,
)

_LONGEST_VALUE = 90
_LONGEST_LINE = 100
_LONGEST_CELL = 40
_LONGEST_WORDS = 30
_ORDER = {Ground.DOCUMENTED: 0, Ground.PROPERTY: 1, Ground.OBSERVED: 2}
_RESERVED = frozenset({"request", "expected"})
_SHARING = frozenset({"value", "array", "arrays", "raises"})


@dataclass(frozen=True, slots=True)
class WrittenTest:
    """One function of a test file.

    Parameters
    ----------
    name, text : str
        Its name, and all of it with its decorators and the constants that it needs above.
    imports : tuple of str
        Import lines.
    drafts : tuple of Draft
        What it says, one for each row.
    """

    name: str
    text: str
    imports: tuple[str, ...]
    drafts: tuple[Draft, ...]


@dataclass(slots=True)
class _Names:
    taken: set[str] = field(default_factory=set)

    def unique(self, name: str) -> str:
        found, number = name, 1
        while found in self.taken:
            number += 1
            found = f"{name}_{number}"
        self.taken.add(found)
        return found


def written_tests(drafts: Iterable[Draft], taken: Iterable[str] = ()) -> tuple[WrittenTest, ...]:
    """Write drafts as test functions, those that say the same of other values together.

    Parameters
    ----------
    drafts : iterable of Draft
        What was kept.
    taken : iterable of str
        Names that the file has already.
    """
    groups: dict[tuple[object, ...], list[Draft]] = {}
    ordered = sorted(drafts, key=lambda each: (each.subject.line, _ORDER[each.ground]))
    for draft in ordered:
        groups.setdefault(_key(draft), []).append(draft)
    names = _Names(set(taken))
    return tuple(_function(sorted(group, key=_by_size), names) for group in groups.values())


def written_file(module: str, functions: Sequence[WrittenTest], existing: str = "") -> str:
    """Return the text of a test file; an earlier one of the same kind is kept and added to.

    Parameters
    ----------
    module : str
        What is tested.
    functions : sequence of WrittenTest
        New ones.
    existing : str
        The file's text so far.
    """
    imports = {line for function in functions for line in function.imports}
    body = "\n\n".join(function.text for function in functions)
    if existing:
        head, kept, earlier = _taken_apart(existing)
        return f"{head}\n\n{import_block(imports | earlier, module)}\n\n\n{kept.strip()}\n\n\n{body}"
    marked = any(draft.ground is Ground.OBSERVED for function in functions for draft in function.drafts)
    note = "\n\nWhat is marked as characterisation states what the code did when it was called, right or wrong.\n"
    head = f"{file_head(module)} each earns its place by a branch or a mutant."
    return f'{head}{note if marked else ""}"""\n\n{import_block(imports, module)}\n\n\n{body}'


def file_head(module: str) -> str:
    """Return how a file of generated tests of a module begins."""
    return f'"""Generated tests of {module}:'


def defined_names(text: str) -> frozenset[str]:
    """Return what a test file defines."""
    found = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return frozenset(found)


def import_block(lines: Iterable[str], module: str) -> str:
    """Return import lines sorted into the standard library, packages, and the repository's own.

    Parameters
    ----------
    lines : iterable of str
        ``import x``, ``import x as y`` or ``from x import y``.
    module : str
        A module of the repository.
    """
    plain: set[str] = set()
    taken: dict[str, set[str]] = {}
    for line in lines:
        node = ast.parse(line).body[0]
        if isinstance(node, ast.ImportFrom):
            names = {each.name if each.asname is None else f"{each.name} as {each.asname}" for each in node.names}
            taken.setdefault(node.module or "", set()).update(names)
        else:
            plain.add(line)
    own = module.partition(".")[0]
    blocks: list[list[str]] = [[], [], []]
    for line in sorted(plain):
        blocks[_section(line.split()[1], own)].append(line)
    for source in sorted(taken):
        blocks[_section(source, own)].append(f"from {source} import {', '.join(sorted(taken[source], key=_by_case))}")
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _by_case(name: str) -> tuple[bool, bool, str]:
    # constants, classes, functions: as ruff and isort order them
    return (not name.isupper(), not name[:1].isupper(), name)


def _section(source: str, own: str) -> int:
    top = source.partition(".")[0]
    return 2 if top == own else 0 if top in sys.stdlib_module_names else 1


def _taken_apart(text: str) -> tuple[str, str, set[str]]:
    tree = ast.parse(text)
    lines = text.splitlines()
    has_docstring = ast.get_docstring(tree, clean=False) is not None
    head = "\n".join(lines[: tree.body[0].end_lineno]) if has_docstring else ""
    imports, last = set(), tree.body[0].end_lineno or 0 if has_docstring else 0
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            last = max(last, node.end_lineno or 0)
            kind = type(node)
            imports |= {ast.unparse(_alone(node, kind, each)) for each in node.names}
    return head, "\n".join(lines[last:]), imports


def _alone(node: ast.Import | ast.ImportFrom, kind: type[ast.AST], name: ast.alias) -> ast.AST:
    return ast.Import([name]) if kind is ast.Import else ast.ImportFrom(getattr(node, "module", ""), [name], 0)


def _key(draft: Draft) -> tuple[object, ...]:
    case = draft.case
    start = (draft.subject.line, draft.subject.qualified, draft.ground)
    if case is None or case.kind not in _SHARING:
        return (*start, id(draft))
    names = tuple(name for name, _ in case.arguments)
    same = case.expected if case.outcome.get("same") or case.kind == "raises" else ""
    long = max(len(text) for text in (*(text for name, text in case.arguments if name != INSTANCE), case.expected))
    alone = id(draft) if long > _LONGEST_VALUE else 0
    # a long instance is made above the call, so it is one for all rows
    made = [text for name, text in case.arguments if name == INSTANCE and ("\n" in text or len(text) > _LONGEST_CELL)]
    refused = refusal(case) if case.kind == "raises" else ""
    return (*start, case.kind, case.template, names, same, refused, alone, *made)


def _by_size(draft: Draft) -> tuple[tuple[int, float, str], ...]:
    """Order rows as a reader expects: numbers by size, the rest by length."""
    sources = [text for _, text in draft.case.arguments] if draft.case is not None else []
    keys = []
    for source in sources:
        value = literal(source)
        number = float(value) if isinstance(value, int | float) else float(len(source))
        keys.append((0 if isinstance(value, int | float) else 1, number, source))
    return tuple(keys)


def _function(group: Sequence[Draft], names: _Names) -> WrittenTest:
    first = group[0]
    cases = [draft.case for draft in group if draft.case is not None]
    if len(cases) > 1:
        return _table(group, cases, names)
    scenario = first.scenario or _scenario(first.subject, cases)
    name = names.unique(name_of_test(first.subject, scenario))
    body = first.body
    if cases and cases[0].kind in _SHARING:
        body = _with_locals(first, cases[0])
    return _built(name, group, list(first.decorators), first.parameters, body)


def _with_locals(draft: Draft, case: Case) -> str:
    """Give values that are too long to be read in a line names of their own."""
    body, lines = draft.body, []
    long = [(name, text) for name, text in case.arguments if len(text) > _LONGEST_VALUE and name != INSTANCE]
    if case.kind != "raises" and len(case.expected) > _LONGEST_VALUE:
        long.append(("expected", case.expected))
    for name, text in long:
        local = _parameter(name, draft.subject) if name != "expected" else name
        body = body.replace(text, local, 1)
        lines.append(f"{local} = {text}")
    return "\n".join([*lines, body])


def _table(group: Sequence[Draft], cases: Sequence[Case], names: _Names) -> WrittenTest:
    first, subject = cases[0], group[0].subject
    varying = [at for at in range(len(first.arguments)) if len({case.arguments[at][1] for case in cases}) > 1]
    called = {at: _parameter(first.arguments[at][0], subject) for at in varying}
    has_result = first.kind != "raises" and len({case.expected for case in cases}) > 1
    columns = [*called.values(), *(["expected"] if has_result else [])]
    rows = [[*(case.arguments[at][1] for at in varying), *([case.expected] if has_result else [])] for case in cases]
    decorator = _parametrized(columns, rows)
    body = _shared_body(subject, first, cases, called, has_result)
    name = names.unique(name_of_test(subject, _scenario(subject, cases)))
    return _built(name, group, [decorator], ", ".join(columns), body, ("import pytest",))


def _parametrized(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    names = ", ".join(f'"{each}"' for each in columns)
    names = names if len(columns) == 1 else f"({names})"
    told = [row[0] if len(columns) == 1 else f"({', '.join(row)})" for row in rows]
    line = f"@pytest.mark.parametrize({names}, [{', '.join(told)}])"
    if len(line) <= _LONGEST_LINE:
        return line
    inside = ",\n        ".join(told)
    return f"@pytest.mark.parametrize(\n    {names},\n    [\n        {inside},\n    ],\n)"


def _shared_body(subject: Subject, first: Case, cases: Sequence[Case], called: dict[int, str], has_result: bool) -> str:
    lines, call = arranged(subject, first, called)
    if first.kind == "raises":
        messages = [str(case.outcome.get("message", "")) for case in cases]
        match = constant_part(messages, [text for case in cases for _, text in case.arguments])
        tolerant = f", match={match_literal(match)}" if match else ""
        return "\n".join([*lines, f"with pytest.raises({first.expected}{tolerant}):\n    {call}"])
    expected = "expected" if has_result else first.expected
    stated = f"{call} {'is' if first.outcome.get('same') else '=='} {expected}"
    if first.kind == "array":
        stated = f"{call}.tolist() == {expected}"
    elif first.kind == "arrays":
        stated = f"[each.tolist() for each in {call}] == {expected}"
    return "\n".join([*lines, f"assert {stated}"])


def _parameter(name: str, subject: Subject) -> str:
    name = snake(subject.owner).rpartition("_")[2] if name == INSTANCE else name
    return f"{name}_given" if name in _RESERVED or name in {subject.name, subject.owner, "pytest", "np"} else name


def _scenario(subject: Subject, cases: Sequence[Case]) -> str:
    """Say in words what calls have in common."""
    first = cases[0]
    if first.kind == "raises":
        messages = [str(case.outcome.get("message", "")) for case in cases]
        reason = slug(constant_part(messages, [text for case in cases for _, text in case.arguments]))
        return f"refuses_{reason}" if reason else f"raises_{snake(first.expected)}"
    if first.kind in {"left", "does"}:
        return left_scenario(subject, first)
    if first.outcome.get("same"):
        return f"is_{first.expected.lower()}" + (_of(first) if len(cases) == 1 else "")
    if len(cases) > 1:
        return "values"
    return _of(first).removeprefix("_") or _returned(first) or "value"


def _returned(case: Case) -> str:
    source = case.expected.removeprefix("pytest.approx(").removesuffix(")") if "approx" in case.expected else ""
    words = argument_words(source or case.expected) if "\\" not in case.expected else ""
    return f"returns_{words}" if words and len(words) < _LONGEST_WORDS else ""


def _of(case: Case) -> str:
    words = [argument_words(text) for _, text in case.arguments]
    told = "_and_".join(word for word in words[:3] if word)
    return f"_of_{told}" if told and len(told) < 40 and all(words[:3]) else ""


def _built(
    name: str,
    group: Sequence[Draft],
    decorators: Sequence[str],
    parameters: str,
    body: str,
    imports: tuple[str, ...] = (),
) -> WrittenTest:
    indented = "\n".join(f"    {line}" if line else "" for line in body.splitlines())
    mark = f"{MARK}\n" if group[0].ground is Ground.OBSERVED else ""
    above = "".join(f"{line}\n" for line in decorators)
    text = f"{mark}{above}def {name}({parameters}):\n{indented}\n"
    needed = {line for draft in group for line in draft.imports} | set(imports)
    if "pytest." not in text:
        needed.discard("import pytest")
    return WrittenTest(name, text, tuple(sorted(needed)), tuple(group))
