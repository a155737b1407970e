"""Choose among proven rewrites by paired runs of the workload: one after the other, then all together."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from automation.codebase.characterisation import characterisations
from automation.codebase.fork_server import ForkServer
from automation.incidents.suites import suite_server
from automation.tasks.optimize.bench import Bench
from automation.tasks.optimize.candidates import Candidate, failing_test, works_of
from automation.tasks.optimize.drafts import Draft, applied, fit, texts_with
from automation.tasks.optimize.profiling import Profile
from automation.tasks.optimize.proving import Proof, Question, prove
from automation.tasks.optimize.results import Attempt
from automation.tasks.optimize.timing import Timing, measured
from automation.tasks.optimize.workloads import Workload, told, workload_server
from trading.commands import Progress

Files = dict[str, bytes | None]

# Less is what imports and caches hold now and not the next time.
_LEAST_GROWTH = 1 << 20
# What numba's compiler takes once, whatever it compiles.
_COMPILER_BYTES = 64 << 20
_LONGEST_PROOF_S, _LAST_SHARE = 60.0, 0.25


@dataclass(frozen=True, slots=True)
class Accepted:
    """One rewrite of the change, and what it saved when it was added."""

    candidate: Candidate
    timing: Timing


@dataclass(frozen=True, slots=True)
class Selection:
    """The change as it was proven.

    Parameters
    ----------
    accepted : tuple of Accepted
        In the order in which they were added; empty when nothing holds.
    together : Timing or None
        Of all of them against the original.
    peak_bytes : int
        Most memory of the workload with the change.
    inputs : int
        On which the final functions were compared with the originals.
    reason : str
        Why nothing holds.
    """

    accepted: tuple[Accepted, ...] = ()
    together: Timing | None = None
    peak_bytes: int = 0
    inputs: int = 0
    reason: str = ""


def select(
    bench: Bench,
    workload: Workload,
    found: Sequence[Candidate],
    profile: Profile,
    attempts: list[Attempt],
) -> Generator[Progress, None, Selection]:
    """Add one rewrite after the other as long as the workload gets faster by it, then prove all of them together.

    Parameters
    ----------
    bench : Bench
        Of this optimisation.
    workload : Workload
        What is timed.
    found : sequence of Candidate
        By what they should save, most first.
    profile : Profile
        Of the workload before.
    attempts : list of Attempt
        Takes every rewrite with its fate.
    """
    # what a rewrite imports anew is a library too, whose import is no part of the workload's time
    compiled = ("numba",) if any(each.draft.proposer == "template:numba" for each in found) else ()
    libraries = tuple(dict.fromkeys((*profile.libraries, *compiled)))
    with workload_server(bench.workspace, bench.settings, "workload_run.py", libraries) as server:
        accepted = yield from _greedy(bench, server, workload, found, attempts)
        if not accepted:
            return Selection(reason="no rewrite makes the workload measurably faster")
        return (yield from _together(bench, server, workload, accepted, profile))


def _greedy(
    bench: Bench, server: ForkServer, workload: Workload, found: Sequence[Candidate], attempts: list[Attempt]
) -> Generator[Progress, None, list[Accepted]]:
    accepted: list[Accepted] = []
    job = workload.job(bench.settings)
    for number, candidate in enumerate(found):
        draft = candidate.draft
        taken = [each.candidate.draft for each in accepted]
        if any(not fit(draft.edits, other.edits) for other in taken if other.path == draft.path):
            attempts.append(candidate.attempt("it changes lines that a better rewrite changed"))
            continue
        if bench.seconds_left <= 0:
            attempts.append(candidate.attempt("there was no time left to measure it"))
            continue
        timing = yield from measured(
            server,
            job,
            files_with(bench, taken),
            files_with(bench, [*taken, draft]),
            pairs=bench.request.pairs,
            minimum=bench.request.minimum,
            seed=bench.request.seed + number,
            deadline=bench.end,
            label=f"measuring: {draft.description}",
        )
        fate = "accepted" if timing.accepted else f"{timing.reason}: {timing.text}"
        attempts.append(candidate.attempt(fate, timing.as_json()))
        if timing.accepted:
            accepted.append(Accepted(candidate, timing))
    return accepted


def _together(
    bench: Bench, server: ForkServer, workload: Workload, accepted: list[Accepted], profile: Profile
) -> Generator[Progress, None, Selection]:
    """Compare, test and time the whole change once more; what does not hold together does not land."""
    drafts = [each.candidate.draft for each in accepted]
    files = files_with(bench, drafts)
    inputs = 0
    for path, function in sorted({(draft.path, draft.function) for draft in drafts}):
        yield Progress(f"comparing all rewrites of {function} together")
        proof = _proof(bench, workload, path, function, drafts, accepted)
        if not proof.compared and not proof.equal:
            return Selection(reason=f"{function} with all rewrites could not be compared: {proof.reason}")
        if not proof.equal:
            return Selection(reason=f"together they differ in {function}: {proof.reason}")
        inputs += proof.inputs
    tests = sorted({test for each in accepted for test in each.candidate.tests})
    with suite_server(bench.workspace.tree, bench.settings, workers=1) as suite:
        wrong = failing_test(bench, suite, files, tests)
    if wrong:
        return Selection(reason=f"together they break {wrong}")
    job = workload.job(bench.settings)
    memory = told(server.submit({"mode": "memory", "workload": job}, files).result(), "measured")
    peak = int(str(memory["peak_bytes"]))
    is_compiled = any(draft.proposer == "template:numba" for draft in drafts)
    least = _COMPILER_BYTES if is_compiled else _LEAST_GROWTH
    if peak > max(profile.peak_bytes * (1 + bench.request.memory), profile.peak_bytes + least):
        grown = peak / profile.peak_bytes - 1
        return Selection(reason=f"the workload's peak memory grows by {grown:.0%}; allow more with --memory")
    timing = yield from measured(
        server,
        job,
        {},
        files,
        pairs=max(bench.request.pairs, 6),
        minimum=bench.request.minimum,
        seed=bench.request.seed + 1_000,
        deadline=float("inf"),
        label="measuring the whole change",
    )
    if not timing.accepted:
        return Selection(reason=f"measured once more, all rewrites together save {timing.text}")
    return Selection(tuple(accepted), timing, peak, inputs)


def _proof(
    bench: Bench,
    workload: Workload,
    path: str,
    function: str,
    drafts: Sequence[Draft],
    accepted: Sequence[Accepted],
) -> Proof:
    source = bench.source(path)
    text = applied(source.text, [edit for draft in drafts if draft.path == path for edit in draft.edits])
    tests = next(each.candidate.tests for each in accepted if each.candidate.draft.function == function)
    request = bench.request
    return prove(
        bench.workspace,
        bench.settings,
        Question(path, function, source.text, (text,)),
        works_of(workload, tests),
        tolerance=request.tolerance,
        # nothing comes after it that would need the time more
        seconds=max(bench.proof_s, min(_LONGEST_PROOF_S, bench.seconds_left * _LAST_SHARE)),
        timed=False,
        # Other inputs than those by which the rewrites were chosen.
        seed=request.seed + 1,
    )[0]


def files_with(bench: Bench, drafts: Sequence[Draft]) -> Files:
    """Return the files that drafts change, as bytes in their own encoding."""
    sources = {draft.path: bench.source(draft.path).text for draft in drafts}
    return {path: bench.source(path).with_text(text).content for path, text in texts_with(sources, drafts).items()}


def evidence_of(selection: Selection, workload: Workload, profile: Profile, tree: Path) -> dict[str, object]:
    """Return what speaks for the change, as plain JSON."""
    together = cast("Timing", selection.together)
    edits: list[Mapping[str, object]] = []
    for each in selection.accepted:
        draft, found = each.candidate.draft, each.timing.comparison
        edits.append(
            {
                "place": f"{draft.path}:{draft.line}",
                "what": draft.description,
                "saved": round(found.improvement, 4),
                "interval": f"{found.low:+.1%} to {found.high:+.1%}",
                "pairs": len(found.a),
                "inputs": each.candidate.proof.inputs,
                "tests": len(each.candidate.tests),
                # these state what the code did; they say that it still does, and nothing about what it should
                "characterisation_tests": len(characterisations(tree, each.candidate.tests)),
            }
        )
    return {
        "measured": workload.label,
        "workload": together.as_json(),
        "edits": edits,
        "compared_inputs": selection.inputs,
        "peak_bytes_before": profile.peak_bytes,
        "peak_bytes_after": selection.peak_bytes,
    }
