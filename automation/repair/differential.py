"""Compare how candidates behave on inputs near those of the tests: it ranks them, it never rejects one."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from automation.codebase.fork_server import ForkServer
from automation.codebase.limits import JobOutcome
from automation.codebase.sources import SourceFile
from automation.incidents.suites import PROBE, PROBE_NEEDS, SuiteSettings, suite_job
from automation.repair.statements import function_named

ENTRY = Path(__file__).resolve().parent / "inside" / "differential_run.py"

_NEAR_WEIGHT = 0.3
# As the run inside the sandbox says it.
_HANGS = "runs too long"
_MOST_EXAMPLES = 3
_TESTS_S = 20.0
_MOST_TESTS = 60


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one candidate behaves beside the original and its rivals.

    Parameters
    ----------
    comparable : bool
        Whether it could be called at all.
    agreement : float
        0..1, with the original on inputs of tests that passed and inputs near those.
    cluster : int
        Candidates of one number did the same on every input; -1 when not comparable.
    crashes : int
        Inputs on which it raised and the original did not.
    hangs : int
        Inputs on which it did not end, whatever the original did.
    examples : tuple of str
        Inputs on which it differs from the original, as text, bounded.
    reason : str
        Why it is not comparable.
    """

    comparable: bool = True
    agreement: float = 0.5
    cluster: int = -1
    crashes: int = 0
    hangs: int = 0
    examples: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """The tests whose calls are looked at.

    Parameters
    ----------
    passing : tuple of str
        Node ids of passing tests that reach the function.
    failing : tuple of str
        Node ids of the failing tests; their inputs tell rivals apart but say nothing about agreement.
    """

    passing: tuple[str, ...]
    failing: tuple[str, ...] = ()


def compare(
    tree: Path,
    settings: SuiteSettings,
    source: SourceFile,
    function: str,
    candidates: Sequence[str],
    tests: Observed,
    *,
    files: Mapping[str, bytes | None] = {},
    seconds: float = 10.0,
    seed: int = 0,
) -> tuple[Behaviour, ...]:
    """Call the original and every candidate on the same inputs, in one sandboxed process of their own.

    Parameters
    ----------
    tree : Path
        The private copy of the repository.
    settings : SuiteSettings
        How its tests run.
    source : SourceFile
        The file before the change.
    function : str
        Dotted name of the changed function.
    candidates : sequence of str
        The file's text after each change.
    tests : Observed
        Whose calls are harvested, at most 50 different ones.
    files : mapping of str to bytes or None
        Other files that differ from the tree.
    seconds : float
        For the calls; the tests have their own limit.
    seed : int
        Same seed, same inputs.

    Returns
    -------
    tuple of Behaviour
        One a candidate, in order. An agreement is the share of equal outcomes (value, exception type, changed
        arguments), inputs of passing tests weighing 0.7 and inputs near those 0.3.
    """
    span = function_named(ast.parse(source.text), function)
    if span is None or not candidates:
        return tuple(Behaviour(comparable=False, reason=f"{function} is no function") for _ in candidates)
    selected = (*tests.failing, *tests.passing)[:_MOST_TESTS]
    limits = replace(settings.limits, wall_s=min(settings.limits.wall_s, _TESTS_S + seconds))
    job = {
        "probe": str(PROBE),
        "suite": suite_job(settings, tests=selected),
        "path": source.path,
        "function": function,
        "lines": sorted({span.first, span.line}),
        "passing": list(tests.passing),
        "versions": [source.text, *candidates],
        "seed": seed,
        "seconds": seconds,
    }
    with ForkServer(
        tree,
        ENTRY,
        settings.python,
        preload=("pytest",),
        workers=1,
        limits=limits,
        environment=settings.environment,
        python_path=settings.python_path,
        show=(*PROBE_NEEDS, PROBE.parent),
        hostile=settings.hostile,
    ) as server:
        outcome = server.submit(job, {source.path: source.content, **files}).result()
    return _behaviours(outcome, len(candidates))


@dataclass(frozen=True, slots=True)
class _Input:
    text: str
    passing: bool
    seen: bool


def _behaviours(outcome: JobOutcome, count: int) -> tuple[Behaviour, ...]:
    inputs: list[_Input] = []
    versions: dict[int, tuple[str, ...]] = {}
    problem = f"the comparison ended with {outcome.end}"
    for record in outcome.records:
        problem = str(record.get("problem", problem))
        told, number = record.get("outcomes", record.get("inputs")), record.get("version")
        if isinstance(told, list) and isinstance(number, int):
            versions[number] = tuple(str(one) for one in told)
        elif isinstance(told, list):
            inputs = [_Input(str(one["text"]), bool(one["passing"]), bool(one["seen"])) for one in told]
    original = versions.get(0, ())
    if not inputs or len(original) < len(inputs):
        return tuple(Behaviour(comparable=False, reason=problem) for _ in range(count))
    known: dict[tuple[str, ...], int] = {}
    found = []
    for number in range(1, count + 1):
        outcomes = versions.get(number, ())
        if len(outcomes) < len(inputs):
            found.append(Behaviour(comparable=False, reason="it did not answer within the time"))
            continue
        cluster = known.setdefault(outcomes, len(known))
        found.append(_behaviour(inputs, original, outcomes, cluster))
    return tuple(found)


def _behaviour(inputs: Sequence[_Input], original: Sequence[str], outcomes: Sequence[str], cluster: int) -> Behaviour:
    pairs = list(zip(inputs, original, outcomes, strict=True))
    shares, weights = 0.0, 0.0
    for seen, weight in ((True, 1 - _NEAR_WEIGHT), (False, _NEAR_WEIGHT)):
        group = [before == after for one, before, after in pairs if one.passing and one.seen is seen]
        if group:
            shares += weight * sum(group) / len(group)
            weights += weight
    differing = [f"{one.text}: {before} -> {after}" for one, before, after in pairs if before != after]
    crashes = sum(after.startswith("raises") and not before.startswith("raises") for _, before, after in pairs)
    agreement = shares / weights if weights else 0.5
    hangs = sum(after == _HANGS for after in outcomes)
    return Behaviour(True, agreement, cluster, crashes, hangs, tuple(differing[:_MOST_EXAMPLES]))
