"""Laws that functions may keep: round trip, idempotence, order, monotony, conservation, untouched inputs."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from automation.tasks.generate_tests.records import Case, Draft, Ground, Subject
from automation.tasks.generate_tests.wording import literal, snake

_LEAST_ROWS, _MOST_ROWS = 3, 6
_DOMAINS = (("-1_000_000", "1_000_000"), ("0", "1_000_000"), ("1", "10_000"))
_EXAMPLES = 50
_HYPOTHESIS = ("from hypothesis import given, settings", "from hypothesis import strategies as st")
_PAIRS = (
    (r"^encode(.*)$", r"decode\1"),
    (r"^(.*)_encode$", r"\1_decode"),
    (r"^parse(.*)$", r"format\1"),
    (r"^format(.*)$", r"parse\1"),
    (r"^dump(s?)(.*)$", r"load\1\2"),
    (r"^to_(.+)$", r"from_\1"),
    (r"^pack(.*)$", r"unpack\1"),
    (r"^compress(.*)$", r"decompress\1"),
    (r"^serialize(.*)$", r"deserialize\1"),
    (r"^serialise(.*)$", r"deserialise\1"),
    (r"^escape(.*)$", r"unescape\1"),
    (r"^quote(.*)$", r"unquote\1"),
    (r"^encrypt(.*)$", r"decrypt\1"),
    (r"^(.+)_to_(.+)$", r"\2_to_\1"),
    (r"^(.+)_to_(.+)$", r"\1_from_\2"),
    (r"^(.+)_of$", r"\1_ms"),
    (r"^write(.*)$", r"read\1"),
    (r"^(.+)_text$", r"\1_of_text"),
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one function: its calls that returned something, and hypothesis' words for its parameters."""

    subject: Subject
    cases: Sequence[Case]
    strategies: Mapping[str, str]

    @property
    def plain(self) -> list[Case]:
        """Calls that returned a value that can be written."""
        return [case for case in self.cases if case.kind == "value"]

    @property
    def domains(self) -> list[tuple[str, str]]:
        """Ranges of numbers of which none was refused as the only argument."""
        refused = [case.arguments[0][1] for case in self.cases if case.kind == "raises" and len(case.arguments) == 1]
        numbers = [number for number in map(_number, refused) if number is not None]
        return [
            (low, high) for low, high in _DOMAINS if not any(float(low) <= number <= float(high) for number in numbers)
        ]

    def single(self) -> tuple[str, list[Case]]:
        """Return the name of the only argument and the calls with that argument alone."""
        found = [case for case in self.plain if len(case.arguments) == 1]
        names = {case.arguments[0][0] for case in found}
        is_function = self.subject.kind == "function"
        return (names.pop(), found) if len(names) == 1 and is_function else ("", [])


@dataclass(frozen=True, slots=True)
class _Law:
    scenario: str
    names: tuple[str, ...]
    statement: str
    rows: Sequence[tuple[str, ...]]
    strategies: tuple[str | None, ...]
    imports: tuple[str, ...]


def property_drafts(known: Sequence[Known], *, has_hypothesis: bool) -> Iterator[Draft]:
    """Yield drafts of laws that the observed calls do not contradict.

    Parameters
    ----------
    known : sequence of Known
        The functions of one file.
    has_hypothesis : bool
        Whether the target's interpreter has hypothesis.
    """
    by_name = {each.subject.name: each for each in known if each.subject.kind == "function"}
    for each in known:
        laws = [*_round_trips(each, by_name), *_idempotence(each), *_either_order(each), *_monotony(each)]
        for law in [*laws, *_conservation(each)]:
            yield from _drafts(each, law, has_hypothesis)
        yield from _untouched(each)


def inverses(name: str, names: Mapping[str, object]) -> Iterator[str]:
    """Yield the names of functions that undo one, by how they are named."""
    for pattern, other in _PAIRS:
        for forward, backward in ((pattern, other),):
            if re.match(forward, name):
                found = re.sub(forward, backward, name)
                if found in names and found != name:
                    yield found


def _round_trips(each: Known, by_name: Mapping[str, Known]) -> Iterator[_Law]:
    parameter, cases = each.single()
    for other in dict.fromkeys(inverses(each.subject.name, by_name)):
        if parameter and by_name[other].single()[0]:
            back = by_name[other].subject
            # what is computed with fractions is rounded on the way there and back
            computed = any("pytest.approx" in case.expected for case in cases)
            expected = f"pytest.approx({parameter}, abs=1e-6)" if computed else parameter
            yield _Law(
                f"is_undone_by_{snake(other)}",
                (parameter,),
                f"assert {other}({each.subject.name}({parameter})) == {expected}",
                [(case.arguments[0][1],) for case in cases],
                (each.strategies.get(parameter),),
                (*_imports(cases), back.imported, *(["import pytest"] if computed else [])),
            )


def _idempotence(each: Known) -> Iterator[_Law]:
    parameter, cases = each.single()
    moved = [case for case in cases if case.expected != case.arguments[0][1]]
    same_sort = all(_sort(case.expected) == _sort(case.arguments[0][1]) != "" for case in cases)
    results = {case.arguments[0][1]: case.expected for case in cases}
    contradicted = any(results.get(case.expected, case.expected) != case.expected for case in cases)
    if len(moved) >= _LEAST_ROWS - 1 and same_sort and not contradicted:
        name = each.subject.name
        yield _Law(
            "twice_is_once",
            (parameter,),
            f"once = {name}({parameter})\nassert {name}(once) == once",
            [(case.arguments[0][1],) for case in (*moved, *cases)],
            (each.strategies.get(parameter),),
            _imports(cases),
        )


def _either_order(each: Known) -> Iterator[_Law]:
    cases = [case for case in each.plain if len(case.arguments) == 2]
    if each.subject.kind != "function" or not cases:
        return
    (first, _), (second, _) = cases[0].arguments
    unequal = [case for case in cases if case.arguments[0][1] != case.arguments[1][1]]
    alike = all(_sort(case.arguments[0][1]) == _sort(case.arguments[1][1]) != "" for case in unequal)
    if len(unequal) >= _LEAST_ROWS and alike and len({case.expected for case in unequal}) > 1:
        name = each.subject.name
        yield _Law(
            "takes_either_order",
            (first, second),
            f"assert {name}({first}, {second}) == {name}({second}, {first})",
            [(case.arguments[0][1], case.arguments[1][1]) for case in unequal],
            (each.strategies.get(first), each.strategies.get(second)),
            _imports(cases),
        )


def _monotony(each: Known) -> Iterator[_Law]:
    parameter, cases = each.single()
    points = sorted({(_number(case.arguments[0][1]), _number(case.expected)) for case in cases}, key=repr)
    pairs = sorted((x, y) for x, y in points if x is not None and y is not None)
    results = [y for _, y in pairs]
    if len(pairs) < len(points) or len(set(results)) < _LEAST_ROWS:
        return
    rising = all(left <= right for left, right in itertools.pairwise(results))
    falling = all(left >= right for left, right in itertools.pairwise(results))
    if rising or falling:
        name, sign = each.subject.name, "<=" if rising else ">="
        sources = sorted({case.arguments[0][1] for case in cases}, key=lambda source: _number(source) or 0)
        yield _Law(
            f"{'never_falls' if rising else 'never_rises'}_as_{snake(parameter)}_grows",
            ("one", "other"),
            f"low, high = sorted([one, other])\nassert {name}(low) {sign} {name}(high)",
            list(itertools.pairwise(sources)),
            (each.strategies.get(parameter),) * 2,
            _imports(cases),
        )


def _conservation(each: Known) -> Iterator[_Law]:
    parameter, cases = each.single()
    listed = [case for case in cases if isinstance(literal(case.arguments[0][1]), list)]
    results = [(literal(case.arguments[0][1]), literal(case.expected)) for case in listed]
    if len(listed) < _LEAST_ROWS or not all(isinstance(made, list) for _, made in results):
        return
    pairs = [(taken, made) for taken, made in results if isinstance(taken, list) and isinstance(made, list)]
    name = each.subject.name
    rows = [(case.arguments[0][1],) for case in listed]
    if all(sorted(map(repr, taken)) == sorted(map(repr, made)) for taken, made in pairs):
        statement = f"assert sorted({name}({parameter})) == sorted({parameter})"
        yield _Law(
            "keeps_every_item", (parameter,), statement, rows, (each.strategies.get(parameter),), _imports(cases)
        )
    elif all(len(taken) == len(made) for taken, made in pairs):
        statement = f"assert len({name}({parameter})) == len({parameter})"
        yield _Law(
            "keeps_the_length", (parameter,), statement, rows, (each.strategies.get(parameter),), _imports(cases)
        )


def _untouched(each: Known) -> Iterator[Draft]:
    for at, name in enumerate(next((case.arguments for case in each.plain), ())):
        cases = [
            case
            for case in each.plain
            if at < len(case.arguments) and isinstance(literal(case.arguments[at][1]), list | dict | set)
        ]
        full = [case for case in cases if literal(case.arguments[at][1])]
        if not full or any(name[0] in case.changed for case in each.cases):
            continue
        case = max(full, key=lambda one: len(one.arguments[at][1]))
        held = case.arguments[at][1]
        body = f"{name[0]} = {held}\n{case.call({at: name[0]})}\nassert {name[0]} == {held}"
        scenario = f"leaves_{snake(name[0])}_as_they_were"
        yield Draft("", each.subject, Ground.PROPERTY, scenario, body, case.imports, cost=1.6, arcs=case.arcs)


def _drafts(known: Known, law: _Law, has_hypothesis: bool) -> Iterator[Draft]:
    subject = known.subject
    rival = f"{subject.qualified} {law.scenario}"
    imports = tuple(sorted({*law.imports}))
    if has_hypothesis and all(law.strategies):
        texts = [str(each) for each in law.strategies]
        ranged = any("{low}" in text for text in texts)
        for low, high in known.domains if ranged else _DOMAINS[:1]:
            given = ", ".join(
                f"{name}={text.format(low=low, high=high)}" for name, text in zip(law.names, texts, strict=True)
            )
            decorators = (f"@settings(max_examples={_EXAMPLES}, derandomize=True, database=None, deadline=None)",)
            yield Draft(
                name="",
                subject=subject,
                ground=Ground.PROPERTY,
                scenario=law.scenario,
                body=law.statement,
                imports=(*imports, *_HYPOTHESIS, *(["import string"] if "string.printable" in given else [])),
                decorators=(f"@given({given})", *decorators),
                parameters=", ".join(law.names),
                cost=1.0,
                rival=rival,
            )
    rows = list(dict.fromkeys(law.rows))
    rows = sorted(rows, key=lambda row: sum(map(len, row)))[:_MOST_ROWS]
    if len(rows) >= _LEAST_ROWS:
        names = ", ".join(f'"{name}"' for name in law.names)
        names = names if len(law.names) == 1 else f"({names})"
        told = ", ".join(row[0] if len(row) == 1 else f"({', '.join(row)})" for row in rows)
        yield Draft(
            name="",
            subject=subject,
            ground=Ground.PROPERTY,
            scenario=law.scenario,
            body=law.statement,
            imports=(*imports, "import pytest"),
            decorators=(f"@pytest.mark.parametrize({names}, [{told}])",),
            parameters=", ".join(law.names),
            cost=1.4,
            rival=rival,
        )


def _imports(cases: Sequence[Case]) -> tuple[str, ...]:
    return tuple(sorted({line for case in cases for line in case.imports}))


def _number(source: str) -> float | None:
    value = literal(source.removeprefix("pytest.approx(").removesuffix(")") if "approx" in source else source)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _sort(source: str) -> str:
    number = _number(source)
    if number is not None:
        return "number"
    value = literal(source)
    return type(value).__name__ if value is not None else source.partition("(")[0] if "(" in source else ""
