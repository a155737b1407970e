"""Changes that somebody proposes: what lands, what is refused, what waits for a person, and what survives a kill."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from rich.console import Console

from automation.codebase.landing import Land
from automation.codebase.patches import Patch
from automation.errors import EditRefused, RepositoryUnusable
from automation.improvement.ledger import FILE_NAME, Ledger
from automation.improvement.report import improvement_report
from automation.pipeline import graph
from automation.pipeline.commands import approve_run, resume_run, show_run
from automation.pipeline.desk import Desk
from automation.pipeline.live_progress import read_progress
from automation.pipeline.proposals import Proposal, land_proposal
from automation.pipeline.requests import FixRequest, RunRequest
from automation.pipeline.result import FixResult
from automation.pipeline.state import RunState, Status
from tests.automation.pipeline.targets import FLAT, branches, contents, files_beside_git, git_run, plant
from trading.commands import result_of

DATES = "dates.py"
FASTER = {DATES: ("(4, 6, 9)", "{4, 6, 9}")}
NEW_TEST = "from dates import days_in\n\n\ndef test_june():\n    assert days_in(6) == 30\n"


@pytest.fixture(scope="module")
def baselines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which runs of all data homes keep how a suite ended before the change."""
    return tmp_path_factory.mktemp("baselines")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, baselines: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the run a data home of its own."""
    monkeypatch.setenv("GRIDBOT_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "baselines").symlink_to(baselines)
    return tmp_path / "home"


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    return plant(tmp_path / "flat", FLAT)


def changed(folder: Path, changes: Mapping[str, tuple[str, str]], **new: str) -> Patch:
    """Return the patch that replaces a text in each file, and adds files."""
    before = {name: (folder / name).read_bytes() for name in changes}
    after = {name: before[name].replace(old.encode(), text.encode()) for name, (old, text) in changes.items()}
    return Patch.of(before, {**after, **{name: text.encode() for name, text in new.items()}})


def proposal(kind: str, patch: Patch, **evidence: object) -> Proposal:
    edits = ({"proposer": "somebody", "description": "look up in a set", "place": "dates.py:4"},)
    return Proposal(kind, "Look months up in a set", patch, edits, evidence)


def landed(what: Proposal, folder: Path, **wishes: object) -> FixResult:
    return result_of(land_proposal(what, FixRequest(path=folder, max_minutes=1, **wishes)))  # type: ignore[arg-type]


def test_a_change_lands_as_a_commit_on_a_branch_of_its_kind_with_its_evidence(flat: Path, home: Path) -> None:
    before = files_beside_git(flat)
    evidence = {"improvement": 0.25, "edits": [{"place": "dates.py:4", "saved": 0.25}]}
    result = landed(proposal("optimize", changed(flat, FASTER), **evidence), flat)
    assert (result.status, result.exit_code, result.reason) == (Status.LANDED, 0, "")
    assert branches(flat) == [f"gridbot/optimize-{result.run_id}"]
    assert files_beside_git(flat) == before
    branch = branches(flat)[0]
    assert "{4, 6, 9}" in git_run(flat, "show", f"{branch}:dates.py")
    message = git_run(flat, "log", "-1", "--format=%B", branch)
    for words in ("Look months up in a set\n", "- dates.py:4: look up in a set (somebody)", "improvement: 0.25"):
        assert words in message
    assert result.tests_before == result.tests_after
    assert list(result.seconds) == ["weigh", "approve", "land", "record"]
    shown = result_of(show_run(RunRequest(run=result.run_id)))
    assert (shown.kind, shown.title, dict(shown.evidence)) == ("optimize", "Look months up in a set", evidence)
    console = Console(width=120)
    with console.capture() as captured:
        console.print(shown.as_text())
    text = captured.get()
    assert "evidence  improvement: 0.25" in text
    report = (Path(result.folder) / "report.html").read_text(encoding="utf-8")
    assert "<td>improvement</td>" in report
    assert "Diagnosis" not in report
    with Ledger(home / FILE_NAME) as ledger:
        (row,) = ledger.records()
    assert (row.kind, row.status.value, row.proposer, row.branch) == ("optimize", "landed", "somebody", branch)
    counted = improvement_report([row], 0, row.started_ms)
    # It repaired nothing, so it must not count as a repair that went well.
    assert (counted.success.attempts, counted.as_json()["landed"]) == (0, {"optimize": 1})
    assert read_progress(Path(result.folder)) is None


def test_a_change_that_breaks_a_test_is_refused_and_nothing_lands(flat: Path) -> None:
    before = contents(flat)
    result = landed(proposal("edit", changed(flat, {DATES: ("29 if", "30 if")})), flat)
    assert (result.status, result.exit_code) == (Status.REFUSED, 3)
    assert result.reason.startswith("test_dates.py::test_leap passed before and fails with the change (AssertionError")
    assert contents(flat) == before
    assert "+        return 30 if leap else 28" in result.patch


def test_a_change_made_for_other_files_is_refused(flat: Path) -> None:
    patch = changed(flat, FASTER)
    (flat / DATES).write_text((flat / DATES).read_text() + "\n# newer\n")
    result = landed(proposal("optimize", patch), flat)
    assert (result.status, result.exit_code) == (Status.REFUSED, 3)
    assert result.reason == "dates.py is not what the change was made for; propose it anew"
    assert branches(flat) == []


SLOW = pytest.mark.slow
# Those that need the tests to run.
RUN = ("tests that fail", "tests without a test")
REFUSED = {
    "tests that change code": ("tests", FASTER, {}, "is no test"),
    "tests that fail": (
        "tests",
        {},
        {"test_more.py": NEW_TEST.replace("30", "31")},
        "is new and fails (AssertionError",
    ),
    "tests without a test": ("tests", {}, {"test_more.py": "LIMIT = 3\n"}, "no new test of test_more.py runs"),
    "documents that change code": ("document", FASTER, {}, "changes code and not only docstrings"),
    "assertions that go": (
        "edit",
        {"test_dates.py": ("def test_may", "def check_may")},
        {},
        "removes or empties 1 of 1",
    ),
    "a skipped test": (
        "edit",
        {"test_dates.py": ("def test_may", "import pytest\n\n\n@pytest.mark.skip\ndef test_may")},
        {},
        "skip",
    ),
    "a command run": (
        "optimize",
        {DATES: ("def days_in", "import os\nos.system('true')\n\n\ndef days_in")},
        {},
        "os.system",
    ),
}


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=name, marks=SLOW if name in RUN else ()) for name, case in REFUSED.items()]
)
def test_what_a_kind_may_not_do_is_refused(
    case: tuple[str, Mapping[str, tuple[str, str]], Mapping[str, str], str], flat: Path
) -> None:
    kind, changes, new, reason = case
    result = landed(proposal(kind, changed(flat, changes, **new)), flat)
    assert result.status is Status.REFUSED
    assert reason in result.reason
    assert "\n" not in result.reason
    assert branches(flat) == []


@pytest.mark.slow
def test_tests_that_the_suite_s_arguments_do_not_select_are_run_by_name(tmp_path: Path) -> None:
    more = {"more/test_more.py": "from dates import days_in\n\n\ndef test_june():\n    assert days_in(6) == 30\n"}
    folder = plant(tmp_path / "flat", {**FLAT, **more})
    added = ("== 30\n", "== 30\n\n\ndef test_july():\n    assert days_in(7) == 31\n")
    good = proposal("tests", changed(folder, {"more/test_more.py": added}))
    assert landed(good, folder, tests="pytest -q test_dates.py").status is Status.LANDED
    renamed = proposal("tests", changed(folder, {"more/test_more.py": ("test_june", "test_june_")}))
    refused = landed(renamed, folder, tests="pytest -q test_dates.py")
    assert refused.status is Status.REFUSED
    none = proposal("tests", changed(folder, {"more/test_more.py": ("== 30", "== 30 + 0")}))
    assert (
        landed(none, folder, tests="pytest -q test_dates.py").reason
        == "no new test of more/test_more.py runs and passes"
    )


@pytest.mark.slow
def test_a_change_with_which_a_test_vanishes_is_refused(tmp_path: Path) -> None:
    files = {
        "cases.py": "CASES = [1, 2]\n",
        "test_cases.py": """
            import pytest
            from cases import CASES


            @pytest.mark.parametrize("case", CASES)
            def test_case(case):
                assert case
            """,
    }
    folder = plant(tmp_path / "cases", files)
    result = landed(proposal("edit", changed(folder, {"cases.py": ("1, 2", "1")})), folder)
    assert result.reason == "test_cases.py::test_case[2] is a test before the change and is none with it"


@pytest.mark.slow
def test_tests_and_docstrings_land_where_no_test_was_before(tmp_path: Path) -> None:
    bare = plant(tmp_path / "bare", {DATES: FLAT[DATES]})
    result = landed(proposal("tests", changed(bare, {}, **{"test_more.py": NEW_TEST})), bare)
    assert (result.status, result.tests_after["passed"]) == (Status.LANDED, 1), result.reason
    doc = {DATES: ("    if month", '    """Return the days of a month."""\n    if month')}
    result = landed(proposal("document", changed(bare, doc)), bare)
    assert result.status is Status.LANDED, result.reason
    assert len(branches(bare)) == 2


@pytest.mark.slow
def test_code_that_no_test_watches_over_waits_for_a_person(tmp_path: Path) -> None:
    bare = plant(tmp_path / "bare", {DATES: FLAT[DATES]})
    result = landed(proposal("edit", changed(bare, FASTER)), bare, approve=True)
    assert (result.status, result.exit_code) == (Status.AWAITING_APPROVAL, 5)
    assert "no passing test watches over this folder" in result.reason
    approved = result_of(approve_run(RunRequest(run=result.run_id)))
    assert (approved.status, approved.approval) == (Status.LANDED, "by a person")
    assert branches(bare) == [f"gridbot/edit-{result.run_id}"]


def test_a_path_that_always_asks_waits_and_lands_when_a_person_says_so(tmp_path: Path) -> None:
    core = {"trading/engine/dates.py": FLAT[DATES], "trading/__init__.py": "", "trading/engine/__init__.py": ""}
    tests = {"test_dates.py": FLAT["test_dates.py"].replace("from dates", "from trading.engine.dates")}
    folder = plant(tmp_path / "core", {**core, **tests})
    patch = changed(folder, {"trading/engine/dates.py": FASTER[DATES]})
    result = landed(proposal("optimize", patch), folder)
    assert (result.status, result.reason) == (
        Status.AWAITING_APPROVAL,
        "trading/engine/dates.py always asks for a person's approval",
    )
    assert branches(folder) == []
    approved = result_of(approve_run(RunRequest(run=result.run_id[:20])))
    assert (approved.status, approved.exit_code) == (Status.LANDED, 0)
    assert "{4, 6, 9}" in git_run(folder, "show", f"{branches(folder)[0]}:trading/engine/dates.py")


@pytest.mark.slow
def test_a_person_s_edit_of_a_test_waits_and_a_public_name_that_goes_does_too(flat: Path) -> None:
    new = {"test_dates.py": ("def test_leap", "def test_april():\n    assert days_in(4) == 30\n\n\ndef test_leap")}
    result = landed(proposal("edit", changed(flat, new)), flat)
    assert (result.status, result.reason) == (
        Status.AWAITING_APPROVAL,
        "test_dates.py changes test_dates.py, which is a test, so a person decides",
    )
    assert result.tests_after["passed"] == result.tests_before["passed"] + 1


@pytest.mark.slow
def test_a_red_suite_may_take_a_change_that_breaks_nothing_more(tmp_path: Path) -> None:
    red = plant(tmp_path / "red", {**FLAT, "test_red.py": "def test_red():\n    assert False\n"})
    result = landed(proposal("optimize", changed(red, FASTER)), red)
    assert result.status is Status.LANDED, result.reason
    assert (result.tests_before["failed"], result.tests_after["failed"]) == (1, 1)


@pytest.mark.slow
def test_a_plain_folder_gets_a_patch_file_and_applying_asks(tmp_path: Path) -> None:
    plain = plant(tmp_path / "plain", FLAT, git=False)
    before = contents(plain)
    result = landed(proposal("optimize", changed(plain, FASTER)), plain)
    assert result.status is Status.LANDED, result.reason
    assert result.landed is not None
    assert result.landed["how"] == "patch"
    assert contents(plain) == before
    git_run(plain, "apply", str(result.landed["path"]))
    assert "{4, 6, 9}" in (plain / DATES).read_text()
    again = proposal("optimize", changed(plain, {DATES: ("{4, 6, 9}", "frozenset((4, 6, 9))")}))
    assert landed(again, plain, land=Land.APPLY).status is Status.AWAITING_APPROVAL
    assert landed(again, plain, land=Land.APPLY, approve=True).status is Status.LANDED
    assert "frozenset" in (plain / DATES).read_text()


def killed_after(stage: str, work: Callable[[], object]) -> int:
    """Run work in a fork that a power cut ends after a stage's body; return the number of the signal."""
    child = os.fork()
    if child == 0:
        body = graph.STAGES[stage]

        def cut(desk: Desk, state: RunState) -> RunState:
            body(desk, state)
            os.kill(os.getpid(), signal.SIGKILL)
            return {}

        graph.STAGES[stage] = cut
        try:
            work()
        finally:
            os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("stage", ["weigh", pytest.param("land", marks=pytest.mark.slow)])
def test_a_run_that_was_killed_goes_on_and_lands_once(stage: str, flat: Path, home: Path) -> None:
    what = proposal("optimize", changed(flat, FASTER), saved=0.5)
    assert killed_after(stage, lambda: landed(what, flat)) == signal.SIGKILL
    (run,) = [path.name for path in (home / "runs").iterdir() if path.is_dir()]
    stopped = result_of(show_run(RunRequest(run=run)))
    assert (stopped.status, stopped.title) == (Status.RUNNING, what.title)
    progress = read_progress(home / "runs" / run)
    assert progress is not None
    assert progress["stage"] == stage
    assert progress["title"] == what.title
    assert set(progress["seconds"]) == {"weigh": set(), "land": {"weigh", "approve"}}[stage]
    assert {"label", "done", "total", "unit", "tried", "candidates_per_second", "updated_ms"} <= set(progress)
    result = result_of(resume_run(RunRequest(run=run)))
    assert (result.status, dict(result.evidence)) == (Status.LANDED, {"saved": 0.5})
    assert branches(flat) == [f"gridbot/optimize-{run}"]
    assert not (home / "work" / run).exists()


def test_a_proposal_that_no_run_could_weigh_is_refused_before_there_is_one(flat: Path, home: Path) -> None:
    patch = changed(flat, FASTER)
    for kind, title, what in (("magic", "Do it", patch), ("edit", "Do\nit", patch), ("edit", "Do it", Patch(()))):
        with pytest.raises(EditRefused):
            Proposal(kind, title, what)
    with pytest.raises(EditRefused, match="no plain JSON"):
        Proposal("edit", "Do it", patch, evidence={"gain": float("nan")})
    with pytest.raises(RepositoryUnusable):
        landed(proposal("edit", patch), flat / "nowhere")
    assert not (home / "runs").exists()


def test_what_a_folder_says_of_its_work_is_none_when_it_says_nothing(tmp_path: Path) -> None:
    assert read_progress(tmp_path) is None
    (tmp_path / "progress.json").write_text("[1", encoding="utf-8")
    assert read_progress(tmp_path) is None
    (tmp_path / "progress.json").write_text(json.dumps({"stage": "weigh"}), encoding="utf-8")
    assert read_progress(tmp_path) == {"stage": "weigh"}
