"""The command `optimize`: profile, rewrite, prove, measure, and land what holds."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

from automation.codebase.patches import FileChange, Patch
from automation.codebase.scopes import Scope, resolve_scope
from automation.config import load_automation_config
from automation.errors import RepositoryUnusable
from automation.models.bound import BoundModel
from automation.models.selection import open_model
from automation.pipeline.proposals import Proposal, land_proposal
from automation.pipeline.requests import FixRequest
from automation.pipeline.result import FixResult
from automation.pipeline.state import Chosen
from automation.tasks.optimize.bench import Bench, open_bench
from automation.tasks.optimize.candidates import candidates
from automation.tasks.optimize.profiling import HotFunction, Profile, profile
from automation.tasks.optimize.requests import OptimizeRequest
from automation.tasks.optimize.results import Attempt, OptimizeResult
from automation.tasks.optimize.selection import Selection, evidence_of, files_with, select
from automation.tasks.optimize.touching import module_word, tests_naming, touching_tests
from automation.tasks.optimize.workloads import Workload, test_workload, workload_of
from trading.commands import Progress
from trading.setting_sources import data_home

_LEAST_SHARE = 0.01
_TOUCHING_SHARE = 0.15


def optimize(request: OptimizeRequest) -> Generator[Progress, None, OptimizeResult]:
    """Find what is slow in a workload, and land rewrites that are proven equal and measurably faster."""
    root = request.path.resolve()
    if not root.is_dir():
        raise RepositoryUnusable(f"{request.path} is no folder; name a repository with Python files")
    home = data_home(request.home)
    config = load_automation_config()
    scope = resolve_scope(root, request.target, diff=request.diff, home=request.home)
    workload = _workload(request, root, scope)
    model = open_model(config, request.model, role="optimizer", home=home)
    try:
        with open_bench(request, root, home, config) as bench:
            found = yield from profile(bench.workspace, bench.settings, workload)
            attempts: list[Attempt] = []
            notes: list[str] = []
            hot = _hot(bench, found, scope, notes)
            selection = yield from _search(bench, workload, hot, found, model, attempts)
            if not selection.accepted:
                reason = selection.reason or _why_none(found, hot, scope)
                return OptimizeResult(workload.label, found, attempts, reason, notes=notes)
            proposal = _proposal(bench, workload, found, selection)
    finally:
        if model is not None:
            model.close()
    run = yield from _landed(proposal, request)
    return OptimizeResult(workload.label, found, attempts, evidence=proposal.evidence, run=run, notes=notes)


def _workload(request: OptimizeRequest, root: Path, scope: Scope) -> Workload:
    """Return what the request names, else the tests that name its target, else the whole suite."""
    named = workload_of(request, root)
    if request.benchmark or request.test or request.command or not (request.target or request.diff):
        return named
    words = {module_word(path): 1 for path in scope.files} | {
        symbol.name.rpartition(".")[2]: 2 for symbol in scope.symbols
    }
    files = tuple(tests_naming(root, words))
    return replace(test_workload(files), label=f"the tests that name {scope.label}") if files else named


def _hot(bench: Bench, found: Profile, scope: Scope, notes: list[str]) -> list[HotFunction]:
    inside = [each for each in found.functions if scope.holds(each.path, each.line, each.last)]
    hot = [each for each in inside if each.below >= _LEAST_SHARE][: bench.request.functions]
    left = sum(each.below >= _LEAST_SHARE for each in inside) - len(hot)
    if left > 0:
        notes.append(f"{left} more functions take {_LEAST_SHARE:.0%} or more; --functions looks at them too")
    return hot


def _search(
    bench: Bench,
    workload: Workload,
    hot: Sequence[HotFunction],
    found: Profile,
    model: BoundModel | None,
    attempts: list[Attempt],
) -> Generator[Progress, None, Selection]:
    if not hot:
        return Selection()
    yield Progress("finding the tests that touch the hot functions")
    touching = dict(touching_tests(bench.workspace, bench.settings, hot, bench.seconds_left * _TOUCHING_SHARE))
    proven = yield from candidates(bench, workload, hot, touching, model, attempts)
    if not proven and not attempts and bench.seconds_left <= 0:
        return Selection(reason="the time was spent before a rewrite could be compared; allow more with --max-minutes")
    if not proven:
        return Selection(reason="no rewrite of a hot function is both proven equal and faster" if attempts else "")
    return (yield from select(bench, workload, proven, found, attempts))


def _why_none(found: Profile, hot: Sequence[HotFunction], scope: Scope) -> str:
    if hot:
        return "the templates know nothing faster for the hot functions"
    if found.functions:
        return f"no function of {scope.label} takes {_LEAST_SHARE:.0%} of the workload's time"
    return "the workload spends its time outside the repository's own functions"


def _proposal(bench: Bench, workload: Workload, found: Profile, selection: Selection) -> Proposal:
    drafts = [each.candidate.draft for each in selection.accepted]
    changes = tuple(
        FileChange(path, bench.source(path).content, content) for path, content in files_with(bench, drafts).items()
    )
    edits = tuple(
        Chosen(proposer=each.proposer, description=each.description, place=f"{each.path}:{each.line}")
        for each in drafts
    )
    evidence = evidence_of(selection, workload, found, bench.workspace.tree)
    names = list(dict.fromkeys(draft.function for draft in drafts))
    what = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    saved = selection.together.comparison.improvement if selection.together is not None else 0.0
    return Proposal("optimize", f"Make {what} faster: {saved:.0%} less time", Patch(changes), edits, evidence)


def _landed(proposal: Proposal, request: OptimizeRequest) -> Generator[Progress, None, FixResult]:
    wishes = FixRequest(
        path=request.path,
        tests=request.tests,
        max_minutes=request.max_minutes,
        land=request.land,
        approve=request.approve,
        python=request.python,
        seed=request.seed,
    )
    return (yield from land_proposal(proposal, wishes))
