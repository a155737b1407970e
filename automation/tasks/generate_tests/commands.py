"""The command ``test``: write tests for a file, a symbol, the current diff or the repository."""

from __future__ import annotations

import os
import uuid
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, perf_counter

from automation.codebase.limits import Limits
from automation.codebase.patches import Patch
from automation.codebase.scopes import Scope, resolve_scope
from automation.codebase.suite_files import is_test_path
from automation.codebase.workspaces import Workspace, close_workspace, open_workspace, work_folder
from automation.config import load_automation_config
from automation.config_sections import AutomationConfig
from automation.errors import RepositoryUnusable
from automation.incidents.suites import SuiteSettings, suite_settings
from automation.models.bound import BoundModel
from automation.models.selection import open_model
from automation.pipeline.proposals import Proposal, land_proposal
from automation.pipeline.requests import FixRequest
from automation.pipeline.result import FixResult
from automation.pipeline.state import Chosen
from automation.tasks.generate_tests.asking import asked_inputs
from automation.tasks.generate_tests.generation import Effort, FileTests
from automation.tasks.generate_tests.laboratory import Laboratory
from automation.tasks.generate_tests.records import FileOutcome
from automation.tasks.generate_tests.requests import TestRequest
from automation.tasks.generate_tests.results import TestsResult, file_json
from automation.tasks.generate_tests.subjects import module_of, subjects_of
from trading.commands import Progress
from trading.setting_sources import data_home

_LEAST_S = 15.0
_LANDING_SHARE = 0.2
_MODEL_S = 30.0


def generate_tests(request: TestRequest) -> Generator[Progress, None, TestsResult]:
    """Write tests that each cover a new branch or notice a new mutant, and land them on the one road.

    Parameters
    ----------
    request : TestRequest
        What tests are written for, and how they land.

    Yields
    ------
    Progress
        What is tried.

    Returns
    -------
    TestsResult
        Coverage and mutation score before and after, and the run that lands the tests.

    Raises
    ------
    RepositoryUnusable
        When the target's modules cannot be imported at all.
    """
    began = perf_counter()
    yield Progress("reading the code")
    scope = resolve_scope(request.path, request.target, diff=request.diff, home=request.home)
    run_id = f"tests-{uuid.uuid4().hex[:12]}"
    with ExitStack() as stack:
        workspace = open_workspace(scope.root, work_folder(data_home(request.home), run_id))
        stack.callback(close_workspace, workspace)
        config = load_automation_config()
        lab = stack.enter_context(
            Laboratory(
                workspace.tree,
                _settings(request, config, workspace),
                workers=config.repair.workers or os.cpu_count() or 1,
                seed=request.seed,
            )
        )
        model = _model(request, config, run_id)
        if model is not None:
            stack.callback(model.close)
        result = yield from _worked(request, scope, lab, model)
    patch = patch_of(scope.root, result)
    run: FixResult | None = None
    if patch.changes:
        left = max(1.0, request.max_minutes - (perf_counter() - began) / 60)
        run = yield from land_proposal(proposal_of(result, patch), _landing_request(request, left))
    return TestsResult(result.scope, result.files, result.skipped, result.model, perf_counter() - began, run)


def patch_of(root: Path, result: TestsResult) -> Patch:
    """Return the change of a repository that adds the tests."""
    before: dict[str, bytes | None] = {}
    after: dict[str, bytes | None] = {}
    for each in result.files:
        if each.test_path:
            place = root / each.test_path
            before[each.test_path] = place.read_bytes() if place.is_file() else None
            after[each.test_path] = each.text.encode()
    return Patch.of(before, after)


def proposal_of(result: TestsResult, patch: Patch) -> Proposal:
    """Return what the one road is asked to land, with the figures that speak for it."""
    gaining = [each for each in result.files if each.test_path]
    count = sum(sum(each.kept.values()) for each in gaining)
    edits = [
        Chosen(
            proposer="generated tests",
            description=f"{sum(each.kept.values())} tests with {each.rows} cases, {_gain(each)}",
            place=f"{each.test_path}:1",
        )
        for each in gaining
    ]
    evidence: Mapping[str, object] = {
        "before": result.before.as_json(),
        "after": result.after.as_json(),
        "tests_by_ground": result.kept,
        "characterisation": "tests of this ground state what the code did, and justify no change on their own",
        "files": [file_json(each) for each in gaining],
    }
    title = f"Add {count} generated test{'s' * (count > 1)} for {result.scope}"
    return Proposal("tests", title, patch, tuple(edits), evidence)


def _worked(
    request: TestRequest, scope: Scope, lab: Laboratory, model: BoundModel | None
) -> Generator[Progress, None, TestsResult]:
    began = monotonic()
    skipped: dict[str, str] = {}
    paths = _chosen_paths(scope, lab, skipped)[: request.most_files]
    for number, path in enumerate(list(paths)):
        yield Progress("importing what is to be tested", number, len(paths), "files")
        problem = lab.prepare(module_of(path, lab.settings.python_path), path)
        if problem:
            skipped[path] = problem
            paths.remove(path)
    if skipped and not paths and len(scope.files) == 1:
        path, reason = next(iter(skipped.items()))
        raise RepositoryUnusable(f"no tests can be written for {path}: {reason}")
    files: list[FileOutcome] = []
    budget = request.max_minutes * 60 * (1 - _LANDING_SHARE)
    for number, path in enumerate(paths):
        left = budget - (monotonic() - began)
        if left < _LEAST_S and files:
            skipped[path] = "no time was left for it; allow more with --max-minutes"
            continue
        effort = Effort(max(_LEAST_S, left / (len(paths) - number)), most_mutants=request.most_mutants)
        used = [each.test_path for each in files if each.test_path]
        asked = _asked(model, scope, lab, path)
        files.append((yield from FileTests(lab, path, scope, effort, asked, used).work()))
    return TestsResult(scope.label, tuple(files), skipped, model.name if model is not None else "", monotonic() - began)


def _chosen_paths(scope: Scope, lab: Laboratory, skipped: dict[str, str]) -> list[str]:
    """Return the files with something to call, those with the most of it first."""
    counts: dict[str, int] = {}
    for path in scope.files:
        if is_test_path(path) or path.endswith(("conftest.py", "setup.py")):
            continue
        try:
            text = (lab.tree / path).read_text(encoding="utf-8")
            found, _ = subjects_of(path, text, module_of(path, lab.settings.python_path), scope)
        except (SyntaxError, UnicodeDecodeError) as error:
            skipped[path] = f"it cannot be read: {error}"
            continue
        if found:
            counts[path] = sum(each.end_line - each.line + 1 for each in found)
    return sorted(counts, key=lambda path: (-counts[path], path))


def _asked(
    model: BoundModel | None, scope: Scope, lab: Laboratory, path: str
) -> Mapping[str, Sequence[Mapping[str, object]]]:
    if model is None:
        return {}
    text = (lab.tree / path).read_text(encoding="utf-8")
    subjects, _ = subjects_of(path, text, module_of(path, lab.settings.python_path), scope)
    return asked_inputs(model, subjects, text, _MODEL_S)


def _model(request: TestRequest, config: AutomationConfig, run_id: str) -> BoundModel | None:
    return open_model(config, request.model, run=run_id, home=request.home)


def _settings(request: TestRequest, config: AutomationConfig, workspace: Workspace) -> SuiteSettings:
    sandbox = config.sandbox
    limits = Limits(
        wall_s=sandbox.wall_s,
        cpu_s=round(sandbox.cpu_s),
        memory_bytes=sandbox.memory_mb << 20,
        file_bytes=sandbox.file_mb << 20,
        processes=sandbox.processes,
    )
    return suite_settings(
        workspace.tree,
        workspace.target,
        request.tests,
        request.python,
        test_timeout_s=config.repair.test_timeout_s,
        limits=limits,
    )


def _landing_request(request: TestRequest, minutes: float) -> FixRequest:
    return FixRequest(
        path=request.path,
        tests=request.tests,
        max_minutes=minutes,
        model="none",
        land=request.land,
        approve=request.approve,
        python=request.python,
        seed=request.seed,
    )


def _gain(outcome: FileOutcome) -> str:
    noticed = outcome.after.killed - outcome.before.killed
    branches = outcome.after.branches_run - outcome.before.branches_run
    return f"{noticed} more mutants noticed and {branches} more branches taken"
