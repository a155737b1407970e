"""The screen Improvement and what it reads: a real ledger, real results of runs, half a nightly report."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from automation.improvement.ledger import Ledger, ledger_path
from automation.improvement.records import DAY_MS, RepairRecord, Status
from automation.interfaces.console.data.improvement import ImprovementReader
from automation.interfaces.console.screens.improvement import ImprovementPane
from automation.interfaces.console.widgets.day_chart import DayChart
from automation.interfaces.console.widgets.row_table import RowTable
from automation.interfaces.console.widgets.still import Still
from tests.automation.improvement.runs import START_MS, run
from tests.automation.interfaces.console.stage import Stage, context, once_shown
from trading.errors import StateCorrupt

TODAY_MS = START_MS + 40 * DAY_MS
NOW_MS = TODAY_MS + DAY_MS // 2


def written(home: Path, *records: RepairRecord) -> Path:
    with Ledger(ledger_path(home)) as ledger:
        for record in records:
            ledger.record(record)
    return home


def history(home: Path) -> Path:
    """Six weeks of repairs."""
    return written(
        home,
        run(1, Status.FIXED, day=0),
        run(2, Status.FIXED, day=38.1, seconds={"verify": 2.0, "land": 1.0}, candidates={"a": 30}),
        run(3, Status.UNFIXED, day=38.9, seconds={"verify": 8.0}, candidates={"a": 70}, model_tokens=500, model="m"),
        run(4, Status.AWAITING_APPROVAL, day=40.2, seconds={"verify": 5.0}),
        run(5, Status.LANDED, day=40.3, kind="optimize", seconds={"weigh": 60.0}, candidates={}),
    )


def test_days_hold_what_happened_in_them(tmp_path: Path) -> None:
    facts = ImprovementReader(history(tmp_path), tmp_path / "reports").read(7, NOW_MS)
    assert [day.start_ms for day in facts.days] == [TODAY_MS - back * DAY_MS for back in range(6, -1, -1)]
    earlier, today = facts.days[4], facts.days[6]
    assert (earlier.success.fixed, earlier.success.unfixed, earlier.model_tokens) == (1, 1, 500)
    # the median is that of repairs that stand; the speed that of all searches together
    assert (earlier.median_s, earlier.candidates_per_second) == (3.0, 10.0)
    assert (today.success.awaiting, today.landed, today.median_s) == (1, 1, 5.0)
    assert (facts.total.repaired, facts.total.attempts, facts.earlier) == (2, 3, 1)
    assert [record.run_id for record in facts.records] == ["run-005", "run-004", "run-003", "run-002"]
    assert ImprovementReader(tmp_path, tmp_path).read(90, NOW_MS).total.attempts == 4


def test_what_is_recorded_meanwhile_is_seen_the_next_time(tmp_path: Path) -> None:
    reader = ImprovementReader(tmp_path, tmp_path / "reports")
    assert reader.read(7, NOW_MS).records == ()
    written(tmp_path, run(1, day=40))
    assert len(reader.read(7, NOW_MS).records) == 1
    written(tmp_path, run(2, day=40))
    assert len(reader.read(7, NOW_MS).records) == 2


def test_verdicts_come_from_runs_and_nights_and_half_of_one_is_left_out(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    compared = {"a": [1.0], "b": [0.9], "improvement": 0.1, "low": 0.05, "high": 0.15, "confidence": 0.95}
    night = {
        "session_info": {"started": "2026-02-10T01:00:00+00:00"},
        "optimization_results": {"benchmark": {"command": "bench", **compared, "low": -0.02}},
    }
    files = {
        "runs/one/result.json": {"started_ms": NOW_MS, "title": "Speed up x", "evidence": {"timing": compared}},
        "runs/two/result.json": {"started_ms": NOW_MS, "evidence": {}},
        "reports/nightly-1/report.json": night,
    }
    for name, content in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(content))
    for name in ("runs/three/result.json", "reports/nightly-2/report.json"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(json.dumps(night)[:-20])
    found = ImprovementReader(tmp_path, reports).read(7, NOW_MS).verdicts
    assert [(one.what, one.improvement, one.is_faster) for one in found] == [
        ("Speed up x", 0.1, True),
        ("bench", 0.1, False),
    ]


def test_a_damaged_ledger_is_said_and_read_again_when_it_is_whole(tmp_path: Path) -> None:
    file = ledger_path(history(tmp_path))
    whole = file.read_bytes()
    reader = ImprovementReader(tmp_path, tmp_path)
    before = reader.read(30, NOW_MS)
    file.write_bytes(b"no ledger")
    with pytest.raises(StateCorrupt):
        reader.read(30, NOW_MS)
    file.write_bytes(whole)
    assert reader.read(30, NOW_MS) == before
    file.unlink()
    assert reader.read(30, NOW_MS).records == ()


def test_the_screen_changes_its_range_its_chart_and_its_table(tmp_path: Path) -> None:
    async def scene() -> None:
        pane = ImprovementPane(context(history(tmp_path), tmp_path, NOW_MS))
        async with Stage(pane).run_test() as pilot:
            await once_shown(pane)(pilot)
            pane.focus()
            assert "67% repaired, 2 of 3" in pane.query_one("#summary", Still).said
            await pilot.press("n")
            while pane.facts is None or pane.facts.range_days != 90:
                await pilot.pause()
            assert "75% repaired, 3 of 4" in pane.query_one("#summary", Still).said
            assert [chart.id for chart in pane.query(DayChart) if chart.display] == ["repairs"]
            await pilot.press("c")
            assert [chart.id for chart in pane.query(DayChart) if chart.display] == ["seconds"]
            await pilot.press("t")
            assert not pane.query_one("#records", RowTable).display
            assert pane.query_one("#verdict-table", RowTable).display
            await pilot.resize_terminal(140, 45)
            await pilot.pause()
            assert all(chart.display for chart in pane.query(DayChart))

    asyncio.run(scene())
