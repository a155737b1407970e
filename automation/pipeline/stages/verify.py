"""Verify: run one proposer's candidates, choose among those that pass, and prove the choice."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from automation.codebase.guard import Finding, check_patch
from automation.codebase.patches import FileChange, Patch
from automation.incidents.records import TestReport
from automation.pipeline.change import encoded
from automation.pipeline.desk import Desk
from automation.pipeline.stages.localise import places_of
from automation.pipeline.stages.propose import share_of
from automation.pipeline.state import Chosen, RunState
from automation.repair.choose import best_first, guard_scope, literals_of_test
from automation.repair.evidence import evidence_of
from automation.repair.memory import RepairMemory
from automation.repair.minimal import Plausible
from automation.repair.proposers import (
    Candidates,
    Case,
    from_fill_in,
    from_functions,
    from_memory,
    from_pairs,
    from_syntax,
    from_templates,
)
from automation.repair.records import Candidate
from automation.repair.search import Patience, search
from automation.repair.verify import Goal, Judge, Verdict
from trading.commands import Progress
from trading.setting_sources import data_home

if TYPE_CHECKING:
    from automation.incidents.session_agreement import Agreement

_LABELS = {
    "memory": "trying what helped before",
    "syntax": "mending the syntax",
    "templates": "trying single edits",
    "fim": "letting the model fill in lines",
    "function": "letting the model rewrite functions",
    "pairs": "trying two edits at a time",
}
_SHOWN_RIVALS, _MOST_REFUTERS = 8, 5
# When some change is proven already, others are tried for what else they mend only as long as time allows.
_MOST_PROOFS, _LEAST_PROOF_S = 4, 120.0
# Of the time that is left, for telling the recording with each of those that pass.
_AGREEMENT_SHARE, _LONGEST_AGREEMENT_S = 0.25, 60.0
_MODEL_TIERS = ("fim", "function")


def verify(desk: Desk, state: RunState) -> RunState:
    """Search with one proposer; the best candidate that survives guard and whole suite becomes part of the change."""
    observed = desk.saved("observed")
    judge = _judge(desk, state, observed)
    case = _case(desk, state, observed)
    already = len(desk.tally.plausible)
    if not _search(desk, state, judge, case, observed):
        counted = _counted(desk, state)
        return {**counted, "tiers": []} if _has_several_faults(desk, state, observed) else counted
    findings: list[Finding] = []
    allowed: list[tuple[Candidate, int]] = []
    for candidate in desk.tally.plausible[already:]:
        found = _guard(candidate, case)
        findings += found
        if not any(finding.blocking for finding in found):
            allowed.append((candidate, len(found)))
    ranked = best_first(
        allowed,
        judge,
        case.evidence,
        desk.workspace.tree,
        desk.seen_settings,
        seed=desk.request.seed,
        agreed=_agreed(desk, [candidate for candidate, _ in allowed]),
        mended=desk.tally.mended,
    )
    refuters: set[str] = set(state.get("refuters", []))
    proven = _proven(desk, state, judge, ranked, refuters)
    if proven is not None:
        return {**_counted(desk, state), **_accept(desk, state, *proven, ranked), "findings": []}
    ended: RunState = {**_counted(desk, state), "findings": _findings_json(findings)}
    if desk.tally.undecided:
        # Whoever proposes next would only bring more to choose from.
        ended |= {"tiers": [], "rivals": [_rival_json(rival) for rival in desk.tally.undecided][:_SHOWN_RIVALS]}
    elif ranked and state["tier"] not in _MODEL_TIERS:
        # The same proposer goes on where it stopped, with the tests that refuted these.
        again = [state["tier"], *state.get("tiers", [])]
        ended |= {"tiers": again, "refuters": sorted(refuters)[:_MOST_REFUTERS]}
    return ended


def _agreed(desk: Desk, candidates: Sequence[Candidate]) -> list[Agreement | None]:
    """Return how those that pass agree with the recording of the session that failed."""
    if desk.request.session is None or len(candidates) < 2:
        return [None] * len(candidates)
    # What reads a session needs the core, which takes a second to import.
    from automation.incidents.session_agreement import agreements
    from automation.incidents.session_records import failed_session

    def notify(done: int, total: int) -> None:
        desk.notify(Progress("telling the whole recording", done, total, "changes"))

    return agreements(
        failed_session(desk.request.session, data_home()),
        desk.workspace.tree,
        desk.settings,
        [{candidate.source.path: candidate.content()} for candidate in candidates],
        min(_LONGEST_AGREEMENT_S, desk.seconds_left * _AGREEMENT_SHARE),
        notify,
    )


def _proven(
    desk: Desk, state: RunState, judge: Judge, ranked: Sequence[Plausible], refuters: set[str]
) -> tuple[Plausible, Verdict] | None:
    """Return the first that the whole suite proves, and rather one that mends what else fails too.

    Tests that passed and that a candidate breaks are added to the refuters.
    """
    also = set(state.get("also_failing", []))
    partly: tuple[Plausible, Verdict] | None = None
    for at, rival in enumerate(ranked):
        desk.notify(Progress("running the whole suite on the change", at, len(ranked)))
        started = monotonic()
        verdict = judge.check_suite(rival.candidate)
        refuters.update(verdict.lost)
        if verdict.plausible and not also & set(verdict.failing):
            return rival, verdict
        if verdict.plausible:
            partly = partly or (rival, verdict)
        if partly is not None and (at + 1 >= _MOST_PROOFS or desk.seconds_left < _LEAST_PROOF_S):
            break
        if desk.seconds_left < monotonic() - started:
            # there is no time for another one
            break
    return partly


def _judge(desk: Desk, state: RunState, observed: TestReport) -> Judge:
    baseline = desk.saved("baseline")
    fixed = [test for group in state["groups"][: max(state["group"], 0)] for test in group]
    known = {test.node_id: test.duration_s for test in observed.tests}
    # One group after the other, so that a run that stops at its first failure shows whether a whole group is mended.
    group_of = {test: number for number, group in enumerate(state["groups"]) for test in group}
    goal = Goal(
        targets=tuple(sorted(state["targets"], key=lambda test: (group_of.get(test, 0), known.get(test, inf)))),
        passed=baseline.passed | {test for test in fixed if "::" in test},
        collected=len(baseline.collected),
        beside=tuple(state.get("beside", [])),
        refuters=_quick(state.get("refuters", []), baseline, max(known.values(), default=0.0)),
    )
    server = desk.server(baseline.third_party)
    return Judge(desk.workspace.tree, desk.seen_settings, server, goal, observed, desk.settings)


def _quick(tests: Sequence[str], baseline: TestReport, usual_s: float) -> tuple[str, ...]:
    # The time that a test may take is measured by those that were observed: a slower one would refute everything.
    took = {test.node_id: test.duration_s for test in baseline.tests}
    return tuple(test for test in tests if took.get(test, inf) <= max(1.0, usual_s))


def _case(desk: Desk, state: RunState, observed: TestReport) -> Case:
    incident = state.get("incident") or {}
    return Case(
        places=places_of(state),
        source=desk.source,
        vocabulary=desk.vocabulary,
        evidence=evidence_of(observed, state["targets"], desk.workspace.tree),
        fingerprint=str(incident.get("fingerprint", "")),
        root=desk.workspace.tree,
        paths=desk.paths,
    )


def _search(desk: Desk, state: RunState, judge: Judge, case: Case, observed: TestReport) -> bool:
    tier = state["tier"]
    stream = _stream(desk, tier, case)
    if stream is None:
        return False
    share = share_of(tier) * (0.5 if state["group"] < 0 and len(state["groups"]) > 1 else 1.0)
    before = len(desk.tally.plausible)
    patience = Patience(
        deadline=monotonic() + desk.seconds_left * share,
        most=desk.config.repair.max_candidates,
        extra_s=desk.config.repair.plausible_extra_s,
    )
    for step in search(
        stream,
        judge,
        desk.tally,
        patience,
        label=_LABELS[tier],
        one_at_a_time=tier in _MODEL_TIERS,
        stop=lambda: _has_several_faults(desk, state, observed),
    ):
        desk.notify(step)
    return len(desk.tally.plausible) > before


def _has_several_faults(desk: Desk, state: RunState, observed: TestReport) -> bool:
    """Say whether a change mended the first group of tests in code that another failing test never reaches."""
    if state["group"] >= 0 or len(state["groups"]) < 2:
        return False
    first, lines = set(state["groups"][0]), {test.node_id: test.lines for test in observed.tests}
    for candidate, mended in desk.tally.near:
        others = [lines[test] for test in state["targets"] if test in lines and test not in mended]
        place = candidate.place
        if first <= mended and any(place.line not in ran.get(place.path, ()) for ran in others):
            return True
    return False


def _stream(desk: Desk, tier: str, case: Case) -> Candidates | None:
    if tier in _MODEL_TIERS:
        return _from_model(desk, tier, case)
    if tier == "memory":
        return from_memory(case, RepairMemory(desk.home / "repair_memory.db")) if desk.config.repair.memory else None
    if tier == "pairs":
        return from_pairs(case, [candidate for candidate, _ in desk.tally.near])
    return from_syntax(case) if tier == "syntax" else from_templates(case)


def _from_model(desk: Desk, tier: str, case: Case) -> Candidates | None:
    model = desk.model()
    if model is None or (tier == "fim" and not model.fim):
        return None
    settings, seed = desk.config.repair, desk.request.seed
    end = monotonic() + desk.seconds_left * share_of(tier)

    def left() -> float:
        return end - monotonic()

    if tier == "fim":
        return from_fill_in(case, model, settings.fim_samples, seed, left)
    return from_functions(case, model, settings.samples, seed, left)


def _guard(candidate: Candidate, case: Case) -> tuple[Finding, ...]:
    patch = Patch((FileChange(candidate.source.path, candidate.source.content, candidate.content()),))
    return check_patch(patch, allowed=guard_scope(case.places), test_inputs=literals_of_test(case.evidence))


def _accept(desk: Desk, state: RunState, winner: Plausible, verdict: Verdict, ranked: Sequence[Plausible]) -> RunState:
    candidate = winner.candidate
    path = candidate.source.path
    chosen = Chosen(
        proposer=candidate.proposer,
        description=candidate.description,
        place=f"{path}:{candidate.place.line}",
    )
    changes: RunState = {
        "before": {path: encoded(candidate.source.content), **state.get("before", {})},
        "after": {**state.get("after", {}), path: encoded(candidate.content())},
        "chosen": [*state.get("chosen", []), chosen],
        "alternatives": [_rival_json(rival) for rival in ranked if rival is not winner][:_SHOWN_RIVALS],
        "tests_after": dict(verdict.counts),
    }
    desk.accept(path, candidate.content())
    if state["group"] < 0 or state["group"] + 1 >= len(state["groups"]):
        return {**changes, "tiers": [], "targets": []}
    following = state["group"] + 1
    return {**changes, "tier": "", "tiers": [], "group": following, "targets": state["groups"][following]}


def _rival_json(rival: Plausible) -> dict[str, object]:
    candidate, behaviour = rival.candidate, rival.behaviour
    return {
        "proposer": candidate.proposer,
        "description": candidate.description,
        "place": f"{candidate.place.path}:{candidate.place.line}",
        "score": round(candidate.score, 4),
        "specialised": round(rival.specialised, 2),
        "agreement": round(behaviour.agreement, 2) if behaviour.comparable else None,
        "behaves_like": behaviour.cluster if behaviour.comparable else None,
        "differs_on": list(behaviour.examples[:2]),
    }


def _counted(desk: Desk, state: RunState) -> RunState:
    counts: RunState = {"tried": dict(desk.tally.tried), "search_seconds": desk.tally.seconds}
    model = desk.model_used
    if model is not None:
        usage = model.usage
        counts |= {
            "model": model.name,
            "model_calls": usage.calls,
            "model_tokens": usage.prompt_tokens + usage.tokens,
        }
    return counts


def _findings_json(findings: tuple[Finding, ...] | list[Finding]) -> list[dict[str, object]]:
    return [
        {"rule": each.rule, "path": each.path, "line": each.line, "message": each.message, "blocking": each.blocking}
        for each in findings
    ]
