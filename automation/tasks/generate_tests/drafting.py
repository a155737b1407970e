"""Drafts of tests from observed calls and documented examples, each one on its own."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Iterable, Iterator, Mapping

from automation.tasks.generate_tests.records import Case, Draft, Ground, Subject
from automation.tasks.generate_tests.wording import constant_part, literal, match_literal, slug, snake

INSTANCE = "instance"
"""Name of the argument that stands for the object of a method."""
_LONG = 70.0
_EMPTY = 0.15
_LONGEST_LINE = 76
_MOST_NAMED = 2
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
            cost=1.0 + len(body) / _LONG + _PLAIN_ORIGINS.get(case.origin, 0.3) + _odd(case),
            arcs=case.arcs,
        )


def _odd(case: Case) -> float:
    """Return what an empty text among the arguments costs where another one would do."""
    return _EMPTY * sum('""' in source for _, source in case.arguments)


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


def arranged(subject: Subject, case: Case, named: Mapping[int, str] | None = None) -> tuple[list[str], str]:
    """Return the lines that make the instance of a method's call, where that is no matter of one line, and the call.

    Parameters
    ----------
    subject : Subject
        What is called.
    case : Case
        The call.
    named : mapping of int to str, optional
        Names that stand in the place of arguments.
    """
    named = dict(named or {})
    at = next((i for i, (name, _) in enumerate(case.arguments) if name == INSTANCE), None)
    if at is None or at in named:
        return [], case.call(named)
    first, *calls = case.arguments[at][1].splitlines()
    if not calls and len(case.call(named)) + len(case.expected) <= _LONGEST_LINE:
        return [], case.call(named)
    name = instance_name(subject, case)
    return [f"{name} = {first}", *(f"{name}{call}" for call in calls)], case.call({**named, at: name})


def instance_name(subject: Subject, case: Case) -> str:
    """Return what a test calls the instance that it works on."""
    name = snake(subject.owner).rpartition("_")[2]
    taken = {subject.name, subject.owner, *(each for each, _ in case.arguments)}
    return f"the_{name}" if name in taken or keyword.iskeyword(name) else name


def _value(subject: Subject, case: Case) -> tuple[str, tuple[str, ...]]:
    lines, call = arranged(subject, case)
    comparison = "is" if case.outcome.get("same") else "=="
    return "\n".join([*lines, f"assert {call} {comparison} {case.expected}"]), _imports(case)


def _array(subject: Subject, case: Case) -> tuple[str, tuple[str, ...]]:
    lines, call = arranged(subject, case)
    return "\n".join([*lines, f"assert {call}.tolist() == {case.expected}"]), _imports(case)


def _arrays(subject: Subject, case: Case) -> tuple[str, tuple[str, ...]]:
    lines, call = arranged(subject, case)
    return "\n".join([*lines, f"assert [each.tolist() for each in {call}] == {case.expected}"]), _imports(case)


def _raises(subject: Subject, case: Case) -> tuple[str, tuple[str, ...]]:
    lines, call = arranged(subject, case)
    return "\n".join([*lines, f"with {raising(case)}:\n    {call}"]), (*_imports(case), "import pytest")


def raising(case: Case) -> str:
    """Return the ``pytest.raises`` of a case that is refused."""
    match = refusal(case)
    return f"pytest.raises({case.expected}{f', match={match_literal(match)}' if match else ''})"


def refusal(case: Case) -> str:
    """Return the part of an error's message that does not come from the arguments."""
    return constant_part([str(case.outcome.get("message", ""))], [source for _, source in case.arguments])


def _left(subject: Subject, case: Case) -> tuple[str, tuple[str, ...]]:
    of = str(case.outcome["of"])
    if of == "result":
        return "\n".join([f"result = {case.call()}", *_facts("result", case)]), _imports(case)
    name = instance_name(subject, case) if of == INSTANCE else of
    at = next(i for i, (parameter, _) in enumerate(case.arguments) if parameter == of)
    return "\n".join([*_made(name, case.arguments[at][1]), case.call({at: name}), *_facts(name, case)]), _imports(case)


def _does(subject: Subject, case: Case) -> tuple[str, tuple[str, ...]]:
    name = instance_name(subject, case)
    at = next(i for i, (parameter, _) in enumerate(case.arguments) if parameter == INSTANCE)
    comparison = "is" if case.outcome.get("same") else "=="
    stated = f"assert {case.call({at: name})} {comparison} {case.expected}"
    return "\n".join([*_made(name, case.arguments[at][1]), stated, *_facts(name, case)]), _imports(case)


def _made(name: str, source: str) -> list[str]:
    first, *calls = source.splitlines()
    return [f"{name} = {first}", *(f"{name}{call}" for call in calls)]


def _facts(name: str, case: Case) -> list[str]:
    facts = case.outcome["facts"]
    return [
        f"assert {_compared(f'len({name})' if fact == 'len' else f'{name}{fact}', expected)}"
        for fact, expected in (facts if isinstance(facts, list) else ())
    ]


def _imports(case: Case) -> tuple[str, ...]:
    return tuple(sorted({*case.imports, *case.expected_imports}))


def left_scenario(subject: Subject, case: Case) -> str:
    """Return in words what a call left behind."""
    of = str(case.outcome["of"]) if case.kind == "left" else INSTANCE
    if of == "result":
        return "result" if subject.kind != "class" else "keeps_what_it_is_given"
    if of != INSTANCE:
        return f"changes_{slug(of)}_in_place"
    facts = case.outcome["facts"]
    names = [slug(str(fact)) for fact, _ in facts] if isinstance(facts, list) else []
    return f"changes_{'_and_'.join(names[:_MOST_NAMED])}"


_FORMS = {"value": _value, "array": _array, "arrays": _arrays, "raises": _raises, "left": _left, "does": _does}


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
