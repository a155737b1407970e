"""The screen Maintenance and what it reads: real folders of runs, at work, waiting, ended, half written."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from automation.codebase.owners import claim, release
from automation.codebase.patches import Patch
from automation.codebase.workspaces import work_folder
from automation.interfaces.console.app import build_console
from automation.interfaces.console.data.incidents import CrashReader
from automation.interfaces.console.data.maintenance import MaintenanceReader
from automation.interfaces.console.data.run_records import CHANGE_STAGES, REPAIR_STAGES, StageState
from automation.interfaces.console.requests import ScreenName
from automation.interfaces.console.screens.maintenance import MaintenancePane
from automation.interfaces.console.widgets.patch_editor import PatchEditor
from automation.interfaces.console.widgets.row_table import RowTable
from automation.interfaces.console.widgets.still import Still
from automation.pipeline.commands import fix
from automation.pipeline.hand_edits import EditRunRequest, edit_run, files_to_edit, keep_edit
from automation.pipeline.proposals import Proposal
from automation.pipeline.requests import FixRequest
from automation.pipeline.runs import Run, RunStore
from automation.pipeline.state import RunState, Status
from tests.automation.interfaces.console.piloting import driven
from tests.automation.interfaces.console.stage import Stage, context, once_shown
from tests.automation.pipeline.targets import FLAT, plant
from trading.commands import result_of
from trading.orders.journal import Journal
from trading.orders.journal_rows import SessionFacts
from trading.sessions.catalog import SessionCatalog

BEFORE = "def days_in(month):\n    return 30 if month == 2 else 31\n"
AFTER = "def days_in(month):\n    return 28 if month == 2 else 31\n"
INCIDENT = {"fingerprint": "f1", "kind": "logic", "title": "assert 30 == 28 in test_february"}
WRONG = json.dumps(
    {"run_id": "x", "started_ms": 1, "target": "t", "folder": "f", "status": "fixed", "seconds": None, "chosen": [3]}
)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A folder with the file that runs are about."""
    folder = tmp_path / "target"
    folder.mkdir()
    (folder / "dates.py").write_text(BEFORE)
    return folder


def settled(store: RunStore, target: Path, status: Status, **more: object) -> Run:
    """A run that came to an end, or waits, as the pipeline leaves it."""
    run = store.create(FixRequest(path=target))
    patch = Patch.of({"dates.py": BEFORE.encode()}, {"dates.py": AFTER.encode()}).diff()
    state: RunState = {
        "run_id": run.run_id,
        "started_ms": run.started_ms,
        "target": str(target),
        "status": status,
        "reason": "dates.py always asks for a person's approval" if status is Status.AWAITING_APPROVAL else "",
        "incident": INCIDENT,
        "patch": patch,
        "seconds": {"observe": 1.5, "triage": 0.0, "reproduce": 2.0, "localise": 0.1, "propose": 0.0, "verify": 4.0},
        "tried": {"template:number": 30, "memory": 2},
        "search_seconds": 4.0,
        "chosen": [{"proposer": "template:number", "description": "30 becomes 28", "place": "dates.py:2"}],
        "tests_before": {"passed": 2, "failed": 1},
        "tests_after": {"passed": 3, "failed": 0},
        "diagnosis": [{"path": "dates.py", "line": 2, "function": "days_in", "score": 1.0, "reasons": ["traceback"]}],
    }
    store.settle(run, {**state, **more})  # type: ignore[typeddict-item]
    return run


def at_work(store: RunStore, target: Path, stage: str = "verify", **progress: object) -> Run:
    """A run that this process works on."""
    run = store.create(FixRequest(path=target))
    claim(work_folder(store.home, run.run_id))
    (run.folder / "stage").write_text(stage)
    (run.folder / "progress.json").write_text(json.dumps(progress))
    return run


def standing(reader: MaintenanceReader, run: Run, clock_ms: int) -> dict[str, StageState]:
    shown = reader.read(run.run_id, clock_ms).shown
    assert shown is not None
    return {stage.name: stage.state for stage in shown.stages}


def test_a_run_that_waits_shows_what_it_found_and_which_stage_asks(tmp_path: Path, target: Path) -> None:
    store = RunStore(tmp_path / "home")
    run = settled(store, target, Status.AWAITING_APPROVAL)
    facts = MaintenanceReader(store.home).read(None, run.started_ms + 60_000)
    assert [row.run_id for row in facts.waiting] == [run.run_id]
    assert facts.shown is not None
    assert facts.shown.row.title == INCIDENT["title"]
    states = {stage.name: (stage.state, stage.seconds) for stage in facts.shown.stages}
    assert tuple(states) == REPAIR_STAGES
    assert states["verify"] == (StageState.DONE, 4.0)
    assert states["approve"] == (StageState.ASKS, None)
    assert states["land"] == states["record"] == (StageState.WAITING, None)
    assert (facts.shown.work.candidates, facts.shown.work.candidates_per_second) == (32, 8.0)
    assert [(row.kind, row.runs, row.status) for row in facts.incidents] == [("logic", 1, "awaiting approval")]


def test_a_run_at_work_is_followed_stage_by_stage(tmp_path: Path, target: Path) -> None:
    store = RunStore(tmp_path / "home")
    settled(store, target, Status.AWAITING_APPROVAL)
    run = at_work(store, target, "observe")
    reader, began = MaintenanceReader(store.home), run.started_ms
    os.utime(run.folder / "stage", ns=(0, began * 1_000_000))
    facts = reader.read(None, began + 2_500)
    assert facts.shown is not None
    # what is at work comes before what waits
    assert facts.shown.row.run_id == run.run_id
    assert facts.shown.stages[0].seconds == pytest.approx(2.5)
    (run.folder / "stage").write_text("verify")
    os.utime(run.folder / "stage", ns=(0, (began + 4_000) * 1_000_000))
    told = {"label": "trying single edits", "tried": {"template:number": 10}, "updated_ms": began + 6_000}
    told |= {"title": INCIDENT["title"], "seconds": {"observe": 4.0, "propose": 0.25, "verify": 1.5}}
    (run.folder / "progress.json").write_text(json.dumps(told))
    facts = reader.read(None, began + 6_000)
    assert facts.shown is not None
    stages = {stage.name: stage for stage in facts.shown.stages}
    assert stages["observe"].seconds == pytest.approx(4.0)
    assert stages["verify"].state is StageState.AT_WORK
    # it was there before, and then went back for more to propose
    assert stages["verify"].seconds == pytest.approx(1.5 + 2.0)
    assert facts.shown.row.title == INCIDENT["title"]
    assert stages["localise"].state is StageState.DONE
    assert stages["approve"].state is StageState.WAITING
    told |= {"tried": {"template:number": 25, "template:order": 35}, "updated_ms": began + 8_000}
    (run.folder / "progress.json").write_text(json.dumps(told))
    work = reader.read(None, began + 8_000).shown.work  # type: ignore[union-attr]
    assert (work.label, work.candidates) == ("trying single edits", 60)
    assert work.candidates_per_second == pytest.approx(25.0)
    release(work_folder(store.home, run.run_id))


def test_a_run_whose_process_died_is_interrupted_and_not_at_work(tmp_path: Path, target: Path) -> None:
    store = RunStore(tmp_path / "home")
    run = at_work(store, target, "verify", label="trying single edits")
    clock_ms = run.started_ms + 3_600_000
    reader = MaintenanceReader(store.home)
    assert standing(reader, run, clock_ms)["verify"] is StageState.AT_WORK
    owner = work_folder(store.home, run.run_id) / "owner.json"
    owner.write_text(json.dumps({**json.loads(owner.read_text()), "started": "1"}))
    assert standing(reader, run, clock_ms)["verify"] is StageState.STOPPED
    row = reader.read(run.run_id, clock_ms).runs[0]
    assert row.is_interrupted
    assert not row.is_at_work


def test_a_proposed_change_has_stages_of_its_own(tmp_path: Path, target: Path) -> None:
    store = RunStore(tmp_path / "home")
    patch = Patch.of({"dates.py": BEFORE.encode()}, {"dates.py": AFTER.encode()})
    run = store.create(FixRequest(path=target), Proposal("edit", "Edit dates.py", patch).as_json())
    claim(work_folder(store.home, run.run_id))
    (run.folder / "stage").write_text("weigh")
    facts = MaintenanceReader(store.home).read(None, run.started_ms)
    assert facts.shown is not None
    assert (facts.shown.row.kind, facts.shown.row.title) == ("edit", "Edit dates.py")
    assert tuple(stage.name for stage in facts.shown.stages) == CHANGE_STAGES
    assert facts.shown.stages[0].state is StageState.AT_WORK
    assert "+    return 28" in facts.shown.result.patch
    (file,) = files_to_edit(run, facts.shown.result)
    assert (file.before, file.proposed) == (BEFORE, AFTER)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"run_id": 3}', '{"status": "fixed", "unknown": 1}', "\x00", WRONG]
)
def test_half_of_a_result_is_no_reason_to_fail(tmp_path: Path, target: Path, content: str) -> None:
    store = RunStore(tmp_path / "home")
    known, broken = (settled(store, target, Status.FIXED) for _ in range(2))
    reader = MaintenanceReader(store.home)
    before = reader.read(known.run_id, known.started_ms)
    for run in (known, broken):
        (run.folder / "result.json").write_text(content)
    assert reader.read(known.run_id, known.started_ms) == before
    anew = MaintenanceReader(store.home).read(broken.run_id, known.started_ms)
    assert anew.shown is not None
    assert "cannot be read" in anew.shown.result.reason
    (broken.folder / "progress.json").write_text(content)
    (broken.folder / "run.json").write_text(content)
    assert MaintenanceReader(store.home).read(None, known.started_ms).run_count == 1
    shutil.rmtree(store.folder)
    assert reader.read(None, known.started_ms).run_count == 0


def test_a_crashed_session_is_an_open_incident_until_a_run_is_about_it(tmp_path: Path, target: Path) -> None:
    home = tmp_path / "home"
    file = SessionCatalog(home).files_of("broken").journal
    facts = SessionFacts(
        name="broken", mode="paper", exchange="replay", symbol="BTC/USDT", timeframe="1m", capital=Decimal(10_000),
        settings_json="{}", market_json="{}", created_ms=1, origin_ms=1, version="0", account="paper",
    )  # fmt: skip
    crashes = CrashReader(home)
    with Journal.create(file, facts) as journal:
        with journal.transaction():
            journal.note(5, "started", {})
        assert crashes.read() == ()
        with journal.transaction():
            journal.note(9, "crashed", {"error": "division\nby zero"})
    assert [(crash.session, crash.error) for crash in crashes.read()] == [("broken", "division by zero")]
    (incident,) = MaintenanceReader(home).read(None, 10).incidents
    assert (incident.status, incident.runs, incident.title) == ("open", 0, "broken: division by zero")
    store = RunStore(home)
    run = store.create(FixRequest(path=target, session="broken"))
    claim(work_folder(home, run.run_id))
    (incident,) = MaintenanceReader(home).read(None, run.started_ms).incidents
    assert (incident.status, incident.runs, incident.run_id) == ("at work", 1, run.run_id)


def test_the_screen_shows_diff_evidence_and_incidents_and_asks_before_it_approves(tmp_path: Path, target: Path) -> None:
    store = RunStore(tmp_path / "home")
    settled(store, target, Status.UNFIXED)
    run = settled(store, target, Status.AWAITING_APPROVAL)

    async def scene() -> None:
        console = build_console(store.home, target, screen=ScreenName.MAINTENANCE, pace=0)
        async with driven(console) as driver:
            await driver.shows("maintenance")
            await driver.says("awaiting approval", "1 to approve (w)", "32 candidates", "8.0 a second")
            await driver.press("c")
            await driver.says("-    return 30 if month == 2", "+    return 28 if month == 2")
            await driver.press("v")
            await driver.says("always asks", "2 passed  1 failed", "30 becomes 28")
            await driver.press("i")
            await driver.says("assert 30 == 28 in test_february")
            await driver.press("a")
            await driver.says("Run this?", f"gridbot runs approve {run.run_id}")
            await driver.press("escape")
            await driver.press("r")
            await driver.says("Why is it rejected?")
            await driver.press(*"late", "enter")
            await driver.says(f"gridbot runs reject --reason late {run.run_id}")
            await driver.press("escape")
            assert console.desk.jobs == []
            assert store.result(run).status is Status.AWAITING_APPROVAL

    asyncio.run(scene())


def test_keys_that_do_not_fit_the_run_say_so(tmp_path: Path, target: Path) -> None:
    store = RunStore(tmp_path / "home")
    settled(store, target, Status.NOTHING_TO_FIX, patch="")

    async def scene() -> None:
        pane = MaintenancePane(context(store.home, target, 0))
        app = Stage(pane)
        async with app.run_test() as pilot:
            await once_shown(pane)(pilot)
            pane.focus()
            await pilot.press("a", "r", "e", "u", "w", "d")
            said = [note.message for note in app._notifications]
            assert len(said) == 6
            assert "this run has no change that could be edited" in said

    asyncio.run(scene())


def test_the_run_under_the_cursor_is_the_one_that_is_shown(tmp_path: Path, target: Path) -> None:
    store = RunStore(tmp_path / "home")
    runs = [settled(store, target, Status.FIXED, started_ms=1_000 * number) for number in range(3)]

    async def scene() -> None:
        pane = MaintenancePane(context(store.home, target, runs[0].started_ms))
        async with Stage(pane).run_test() as pilot:
            await once_shown(pane)(pilot)
            table = pane.query_one("#runs-table", RowTable)
            table.focus()
            await pilot.press("down")
            other = table.chosen
            while pane.facts is None or pane.facts.shown is None or pane.facts.shown.row.run_id != other:
                await pilot.pause()
            assert str(other) in pane.query_one("#line", Still).said
            await pilot.press("enter")
            assert pane.query_one("#change").display

    asyncio.run(scene())


def test_an_edited_change_is_kept_as_it_was_written(tmp_path: Path, target: Path) -> None:
    store = RunStore(tmp_path / "home")
    run = settled(store, target, Status.AWAITING_APPROVAL)

    async def scene() -> None:
        pane = MaintenancePane(context(store.home, target, 0))
        app = Stage(pane)
        async with app.run_test() as pilot:
            await once_shown(pane)(pilot)
            pane.focus()
            await pilot.press("e")
            while not isinstance(app.screen, PatchEditor):
                await pilot.pause()
            await pilot.pause()
            # the cursor stands where the change is
            await pilot.press("end", "space", "#", *"short", "escape")
            assert isinstance(app.screen, PatchEditor)
            await pilot.press("ctrl+s")
            while not app.asked:
                await pilot.pause()
            assert app.asked == [("runs edit", {"run": run.run_id})]
            kept = run.folder / "edited" / "dates.py"
            assert kept.read_text() == AFTER.replace("else 31", "else 31 #short")
            await pilot.press("e")
            while not isinstance(app.screen, PatchEditor):
                await pilot.pause()
            await pilot.pause()
            await pilot.press("escape")
            assert not isinstance(app.screen, PatchEditor)

    asyncio.run(scene())


def test_an_edit_that_changes_nothing_is_refused(tmp_path: Path, target: Path, own_home: Path) -> None:
    store = RunStore(own_home)
    run = settled(store, target, Status.AWAITING_APPROVAL)
    for texts in ({}, {"dates.py": BEFORE}):
        keep_edit(run.folder, texts)
        with pytest.raises(Exception, match="holds no file that differs"):
            result_of(edit_run(EditRunRequest(run=run.run_id)))
    assert store.result(run).status is Status.AWAITING_APPROVAL


@pytest.mark.slow
def test_a_change_that_a_person_edited_is_proven_and_replaces_the_run(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = FLAT["dates.py"].replace("29 if", "30 if")
    folder = plant(tmp_path / "flat", {**FLAT, "dates.py": broken})
    waiting = result_of(fix(FixRequest(path=folder, model="none", max_minutes=1, land="apply")))  # type: ignore[arg-type]
    assert waiting.status is Status.AWAITING_APPROVAL
    store = RunStore(own_home)
    run = store.find(waiting.run_id)
    (file,) = files_to_edit(run, waiting)
    keep_edit(run.folder, {file.path: file.proposed.replace("29 if leap", "29 if not leap")})
    wrong = result_of(edit_run(EditRunRequest(run=run.run_id)))
    assert wrong.status is Status.REFUSED
    assert store.result(run).status is Status.AWAITING_APPROVAL
    keep_edit(run.folder, {file.path: file.proposed.replace("def days_in", "# by hand\ndef days_in")})
    right = result_of(edit_run(EditRunRequest(run=run.run_id)))
    assert right.status is Status.AWAITING_APPROVAL, right.reason
    assert right.tests_after["failed"] == 0
    replaced = store.result(run)
    assert (replaced.status, right.run_id in replaced.reason) == (Status.REJECTED, True)
    assert (folder / "dates.py").read_text() == file.before
