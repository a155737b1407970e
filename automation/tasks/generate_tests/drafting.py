"""Drafts of tests from observed calls and documented examples, each one on its own."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from automation.tasks.generate_tests.records import Case, Draft, Ground, Subject
from automation.tasks.generate_tests.wording import constant_part, literal, match_literal, slug, snake

_LONG = 70.0
_PLAIN_ORIGINS = {"documented": 0.0, "seen": 0.0, "type": 0.1, "model": 0.1}


def case_drafts(subject: Subject, cases: Iterable[Case]) -> Iterator[Draft]:
    """Yield one draft for each observed call.

    Parameters
    ----------
    subject : Subject
        What was called.
    cases : iterable of Case
        What the calls came to.
    """
    for case in cases:
        write = _FORMS[case.kind]
        body, imports = write(subject, case)
        documented = case.kind == "raises" and bool(case.outcome.get("documented"))
        yield Draft(
            name="",
            subject=subject,
            ground=Ground.DOCUMENTED if documented else Ground.OBSERVED,
            scenario="",
            body=body,
            imports=imports,
            case=case,
            cost=1.0 + len(body) / _LONG + _PLAIN_ORIGINS.get(case.origin, 0.3),
            arcs=case.arcs,
        )


def example_drafts(subject: Subject, defined: Mapping[str, str]) -> Iterator[Draft]:
    """Yield a draft for each example of a docstring that is one expression with a literal result.

    Parameters
    ----------
    subject : Subject
        Whose docstring it is.
    defined : mapping of str to str
        Names that its module defines, with the import line of each.
    """
    before: list[str] = []
    for source, want in subject.examples:
        if not want:
            before.append(source)
            continue
        if not _is_expression(source) or (literal(want) is None and want != "None"):
            continue
        statements = "\n".join([*before, f"assert {source} == {want}"])
        imports = {line for name, line in defined.items() if name in _names(statements)}
        imports |= {line for line in before if line.startswith(("import ", "from "))}
        body = "\n".join([*(line for line in before if line not in imports), f"assert {_compared(source, want)}"])
        yield Draft(
            name="",
            subject=subject,
            ground=Ground.DOCUMENTED,
            scenario="as_documented",
            body=body,
            imports=tuple(sorted(imports)),
            cost=0.6,
        )


def _compared(call: str, expected: str) -> str:
    return f"{call} is {expected}" if expected in {"None", "True", "False"} else f"{call} == {expected}"


def _value(subject: Subject, case: Case) -> tuple[str, tuple[str, ...]]:
    comparison = "is" if case.outcome.get("same") else "=="
    return f"assert {case.call()} {comparison} {case.expected}", _imports(case)


def _array(subject: Subject, case: Case) -> tuple[str, tuple[str, ...]]:
    return f"assert {case.call()}.tolist() == {case.expected}", _imports(case)


def _arrays(subject: Subject, case: Case) -> tuple[str, tuple[str, ...]]:
    return f"assert [each.tolist() for each in {case.call()}] == {case.expected}", _imports(case)


def _raises(subject: Subject, case: Case) -> tuple[str, tuple[str, ...]]:
    return f"with {raising(case)}:\n    {case.call()}", (*_imports(case), "import pytest")


def raising(case: Case) -> str:
    """Return the ``pytest.raises`` of a case that is refused."""
    match = refusal(case)
    return f"pytest.raises({case.expected}{f', match={match_literal(match)}' if match else ''})"


def refusal(case: Case) -> str:
    """Return the part of an error's message that does not come from the arguments."""
    return constant_part([str(case.outcome.get("message", ""))], [source for _, source in case.arguments])


def _left(subject: Subject, case: Case) -> tuple[str, tuple[str, ...]]:
    of = str(case.outcome["of"])
    facts = case.outcome["facts"]
    lines = []
    if of == "result":
        name = "result"
        lines.append(f"result = {case.call()}")
    else:
        name = snake(subject.owner).rpartition("_")[2] if of == "instance" else of
        at = next(i for i, (parameter, _) in enumerate(case.arguments) if parameter == of)
        lines += [f"{name} = {case.arguments[at][1]}", case.call({at: name})]
    for fact, expected in facts if isinstance(facts, list) else ():
        held = f"len({name})" if fact == "len" else f"{name}{fact}"
        lines.append(f"assert {_compared(held, expected)}")
    return "\n".join(lines), _imports(case)


def _imports(case: Case) -> tuple[str, ...]:
    return tuple(sorted({*case.imports, *case.expected_imports}))


def left_scenario(subject: Subject, case: Case) -> str:
    """Return in words what a call left behind."""
    of = str(case.outcome["of"])
    if of == "result":
        return "result"
    if of == "instance":
        return f"changes_the_{snake(subject.owner)}"
    return f"changes_{slug(of)}_in_place"


_FORMS = {"value": _value, "array": _array, "arrays": _arrays, "raises": _raises, "left": _left}


def _is_expression(source: str) -> bool:
    try:
        ast.parse(source, mode="eval")
    except SyntaxError:
        return False
    return True


def _names(source: str) -> set[str]:
    try:
        return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    except SyntaxError:
        return set()
