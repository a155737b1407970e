"""What the sandbox answers: surveys of calls, trials of tests, and runs of the tests that are there already."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from automation.codebase.limits import JobOutcome
from automation.incidents.records import TestReport
from automation.incidents.suites import report_of
from automation.tasks.generate_tests.records import Arc, Case

_TOLD = "gridbot trial "


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What calls of one subject came to; ``strategies`` are hypothesis' words by parameter."""

    cases: tuple[Case, ...]
    skipped: str = ""
    strategies: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What test functions came to.

    Parameters
    ----------
    failed : mapping of str to str
        Names to what they raised.
    arcs : mapping of str to frozenset
        Steps by name, where they were traced.
    broken : str
        Why none could be called.
    """

    failed: Mapping[str, str]
    arcs: Mapping[str, frozenset[Arc]]
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Existing:
    """What the tests that are there already do in one file."""

    report: TestReport
    arcs: Mapping[str, frozenset[Arc]]
    seen: Mapping[int, Sequence[Sequence[Sequence[object]]]]


def surveyed(outcome: JobOutcome) -> Surveyed:
    """Read what a survey came to."""
    found = merged(outcome.records)
    cases = found.get("cases")
    if not isinstance(cases, list):
        ends = {"timeout": "its calls do not come to an end", "memory": "its calls take too much memory"}
        reason = found.get("skip") or ends.get(outcome.end) or f"its calls end the process ({outcome.end})"
        return Surveyed((), str(reason))
    strategies = found.get("strategies")
    return Surveyed(tuple(map(_case, cases)), "", strategies if isinstance(strategies, dict) else {})


def tried(outcome: JobOutcome) -> Trial:
    """Read what a trial came to, whether it was a job or a program."""
    records: Iterable[dict[str, object]] = outcome.records
    if not outcome.records:
        lines = [line for line in outcome.stdout.splitlines() if line.startswith(_TOLD)]
        records = [json.loads(line[len(_TOLD) :]) for line in lines]
    found = merged(records)
    failed, arcs = found.get("failed"), found.get("arcs")
    if not isinstance(failed, dict):
        return Trial({}, {}, str(found.get("broken") or f"the run ended with {outcome.end}: {outcome.stderr[-200:]}"))
    steps = arcs if isinstance(arcs, dict) else {}
    return Trial(failed, {name: _arcs(each) for name, each in steps.items()})


def merged(records: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Return the fields of all records together, the later ones in place of the earlier."""
    return {name: value for record in records for name, value in record.items()}


def _case(data: Mapping[str, object]) -> Case:
    arguments, imports, changed = data["arguments"], data["imports"], data["changed"]
    outcome = data["outcome"]
    return Case(
        template=str(data["template"]),
        arguments=tuple((str(name), str(text)) for name, text in arguments) if isinstance(arguments, list) else (),
        imports=tuple(words_of(imports)),
        outcome=outcome if isinstance(outcome, dict) else {},
        arcs=_arcs(data["arcs"]),
        changed=tuple(words_of(changed)),
        origin=str(data["origin"]),
    )


def _arcs(found: object) -> frozenset[Arc]:
    return frozenset((int(start), int(end)) for start, end in found) if isinstance(found, list) else frozenset()


def words_of(found: object) -> list[str]:
    """Return a list of texts, empty for anything else."""
    return [str(each) for each in found] if isinstance(found, list) else []


def existing_of(outcome: JobOutcome) -> Existing:
    """Read what the tests that are there already do."""
    arcs: dict[str, frozenset[Arc]] = {}
    seen: dict[int, Sequence[Sequence[Sequence[object]]]] = {}
    plain = []
    for record in outcome.records:
        if record.get("event") == "arcs":
            arcs[str(record["node_id"])] = _arcs(record["arcs"])
        elif record.get("event") == "seen":
            calls = record["calls"]
            seen = {int(line): found for line, found in calls.items()} if isinstance(calls, dict) else {}
        else:
            plain.append(record)
    return Existing(report_of(replace(outcome, records=tuple(plain))), arcs, seen)
