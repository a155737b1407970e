"""From hot functions to rewrites that are proven to do the same: drafts, the guard, the comparison, the tests."""

from __future__ import annotations

import ast
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from automation.codebase.fork_server import ForkServer
from automation.codebase.patches import FileChange, Patch
from automation.incidents.suites import report_of, suite_job, suite_server
from automation.models.protocol import Model
from automation.pipeline.proposal_rules import findings_of
from automation.repair.asking import Samples
from automation.repair.statements import function_named
from automation.tasks.optimize.bench import Bench
from automation.tasks.optimize.drafts import Draft, applied
from automation.tasks.optimize.profiling import HotFunction
from automation.tasks.optimize.proving import Proof, Question, prove
from automation.tasks.optimize.results import Attempt
from automation.tasks.optimize.rewriting import model_drafts, said_of
from automation.tasks.optimize.templates.catalogue import template_drafts
from automation.tasks.optimize.touching import Touching
from automation.tasks.optimize.workloads import Workload, test_workload
from trading.commands import Progress

_MOST_DRAFTS = 40
_LEAST_GAIN = 0.02
# What a change saves of the workload cannot be more than this and still be worth its pairs.
_LEAST_OF_WORKLOAD = 0.4
_MODEL_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rewrite that does the same as the original and looks faster.

    Parameters
    ----------
    draft : Draft
        The rewrite.
    function : HotFunction
        Of which.
    proof : Proof
        That it does the same.
    expected : float
        Share of the workload's time that it should save.
    tests : tuple of str
        That touch the function and pass with it.
    """

    draft: Draft
    function: HotFunction
    proof: Proof
    expected: float
    tests: tuple[str, ...] = ()

    def attempt(self, fate: str, timing: dict[str, object] | None = None) -> Attempt:
        """Return it with its fate, for people."""
        return attempt_of(self.draft, fate, self.proof, timing)


def attempt_of(draft: Draft, fate: str, proof: Proof | None = None, timing: dict[str, object] | None = None) -> Attempt:
    """Return a rewrite with its fate, for people."""
    return Attempt(
        place=f"{draft.path}:{draft.line}",
        function=draft.function,
        proposer=draft.proposer,
        description=draft.description,
        fate=fate,
        ratio=proof.ratio if proof is not None and not draft.remembers else None,
        timing=timing,
        inputs=proof.inputs if proof is not None else 0,
    )


def candidates(
    bench: Bench,
    workload: Workload,
    functions: Sequence[HotFunction],
    touching: dict[HotFunction, Touching],
    model: Model | None,
    attempts: list[Attempt],
) -> Generator[Progress, None, list[Candidate]]:
    """Draft rewrites of each hot function, and keep those that are proven and look faster.

    Parameters
    ----------
    bench : Bench
        Of this optimisation.
    workload : Workload
        Whose calls are looked at, beside the tests'.
    functions : sequence of HotFunction
        Most time first.
    touching : mapping of HotFunction to Touching
        The tests of each.
    model : Model or None
        Who rewrites whole functions.
    attempts : list of Attempt
        Takes those that are dropped.

    Returns
    -------
    list of Candidate
        By what they should save, most first.
    """
    found: list[Candidate] = []
    for number, function in enumerate(functions):
        if bench.seconds_left <= 0:
            break
        yield Progress(f"rewriting {function.name}", number, len(functions), "functions")
        drafts = list(_allowed(bench, _drafts(bench, function, model, attempts), attempts))
        if not drafts:
            continue
        yield Progress(f"comparing {len(drafts)} rewrites of {function.name}", number, len(functions), "functions")
        tests = touching[function].tests
        source = bench.source(function.path)
        texts = tuple(applied(source.text, draft.edits) for draft in drafts)
        question = Question(function.path, function.name, source.text, texts)
        request = bench.request
        proofs = prove(
            bench.workspace,
            bench.settings,
            question,
            works_of(workload, tests),
            tolerance=request.tolerance,
            seed=request.seed,
            seconds=bench.proof_s,
        )
        found += _promising(bench, function, list(zip(drafts, proofs, strict=True)), attempts)
    kept: list[Candidate] = []
    with suite_server(bench.workspace.tree, bench.settings, workers=1) as server:
        for candidate in sorted(found, key=lambda each: -each.expected):
            yield Progress(f"running the tests that touch {candidate.function.name}", len(kept), len(found), "rewrites")
            tests = touching[candidate.function].tests
            wrong = failing_test(bench, server, {candidate.draft.path: _content(bench, candidate.draft)}, tests)
            if wrong:
                attempts.append(candidate.attempt(f"{wrong} fails with it"))
            else:
                kept.append(replace(candidate, tests=tests))
    return kept


def works_of(workload: Workload, tests: Sequence[str]) -> list[Workload]:
    """Return whose calls are looked at: the workload's, and those of tests that it is not made of."""
    others = tuple(test for test in tests if workload.kind != "tests" or test not in workload.arguments)
    return [workload, test_workload(others)] if others else [workload]


def failing_test(bench: Bench, server: ForkServer, files: dict[str, bytes | None], tests: Sequence[str]) -> str:
    """Return the first of some tests that does not pass with changed files; empty when all do.

    Parameters
    ----------
    bench : Bench
        Of this optimisation.
    server : ForkServer
        Runs the repository's tests.
    files : mapping of str to bytes or None
        As the tests see them.
    tests : sequence of str
        Node ids.
    """
    if not tests:
        return ""
    report = report_of(server.submit(suite_job(bench.settings, tests=tests), files).result())
    return next((test for test in tests if test not in report.passed), "")


def _drafts(bench: Bench, function: HotFunction, model: Model | None, attempts: list[Attempt]) -> Iterator[Draft]:
    source = bench.source(function.path)
    yield from template_drafts(source, function.name, bench.workspace.tree)
    if model is not None and bench.request.samples:
        until = bench.seconds_left * (1 - _MODEL_SHARE)
        deadline = partial(_left_above, bench, until)
        request = bench.request
        made = Samples()
        drafts = model_drafts(model, source, function, made, request.samples, seed=request.seed, deadline=deadline)
        count = 0
        for draft in drafts:
            count += 1
            yield draft
        if not count:
            nothing = Draft(f"function:{model.name}", "written anew", function.path, function.name, function.line, ())
            attempts.append(attempt_of(nothing, f"the model wrote nothing: {said_of(made)}"))


def _left_above(bench: Bench, until: float) -> float:
    return bench.seconds_left - until


def _allowed(bench: Bench, drafts: Iterator[Draft], attempts: list[Attempt]) -> Iterator[Draft]:
    seen: set[str] = set()
    for draft in drafts:
        if len(seen) >= _MOST_DRAFTS:
            return
        source = bench.source(draft.path)
        text = applied(source.text, draft.edits)
        if text == source.text or text in seen:
            continue
        seen.add(text)
        try:
            tree = ast.parse(text)
        except SyntaxError:
            attempts.append(attempt_of(draft, "it does not parse"))
            continue
        patch = Patch((FileChange(draft.path, source.content, source.with_text(text).content),))
        blocking = [each for each in findings_of("optimize", patch) if each.blocking]
        if blocking or function_named(tree, draft.function) is None:
            attempts.append(attempt_of(draft, blocking[0].message if blocking else "the function is gone"))
            continue
        yield draft


def _promising(
    bench: Bench, function: HotFunction, proven: Sequence[tuple[Draft, Proof]], attempts: list[Attempt]
) -> Iterator[Candidate]:
    for draft, proof in proven:
        fate, expected = _fate(bench, function, draft, proof)
        if fate:
            attempts.append(attempt_of(draft, fate, proof))
        else:
            yield Candidate(draft, function, proof, expected)


def _fate(bench: Bench, function: HotFunction, draft: Draft, proof: Proof) -> tuple[str, float]:
    if not proof.equal:
        return (f"differs: {proof.reason}" if proof.compared else f"cannot be proven: {proof.reason}"), 0.0
    if draft.remembers:
        repeated = 1 - proof.distinct / proof.calls if proof.calls else 0.0
        if repeated <= 0:
            return "no call comes twice with the same arguments", 0.0
        saved = function.below * repeated
    elif proof.ratio is None:
        return "no call of it returned in time, so its speed is unknown", 0.0
    elif proof.ratio > 1 - _LEAST_GAIN:
        return f"one call takes {proof.ratio:.0%} of the original's time", 0.0
    else:
        saved = function.below * (1 - proof.ratio)
    if saved < bench.request.minimum * _LEAST_OF_WORKLOAD:
        return f"it would save about {saved:.1%} of the workload", 0.0
    return "", saved


def _content(bench: Bench, draft: Draft) -> bytes:
    source = bench.source(draft.path)
    return source.with_text(applied(source.text, draft.edits)).content
