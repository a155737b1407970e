"""The widgets: what they draw of any facts, in any size, and that they draw again only what changed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from automation.improvement.records import Status as Outcome
from automation.interfaces.console.data.improvement import ImprovementReader
from automation.interfaces.console.data.run_records import (
    REPAIR_STAGES,
    MaintenanceFacts,
    RunRow,
    RunStage,
    RunView,
    RunWork,
    StageState,
)
from automation.interfaces.console.data.trading_records import (
    Bar,
    Decision,
    Money,
    OwnFill,
    OwnOrder,
    SessionRow,
    SessionView,
    Slot,
    Standing,
    Vote,
)
from automation.interfaces.console.screens.improvement import ImprovementPane
from automation.interfaces.console.screens.maintenance import MaintenancePane
from automation.interfaces.console.screens.trading import TradingFacts, TradingPane
from automation.interfaces.console.theme import DARK, LIGHT
from automation.interfaces.console.widgets.candle_drawing import Picture, draw_candles, grouped, level_colour
from automation.interfaces.console.widgets.canvas import Canvas, CanvasView
from automation.interfaces.console.widgets.code_area import CodeArea
from automation.interfaces.console.widgets.day_chart import DayBars, Part, bar_points, ticks_up_to
from automation.interfaces.console.widgets.pipeline_graph import draw_stages
from automation.interfaces.console.widgets.row_table import Column, RowTable
from automation.interfaces.console.widgets.session_texts import order_rows
from automation.interfaces.console.widgets.wording import age, money
from automation.pipeline.result import FixResult
from automation.pipeline.state import Status
from tests.automation.improvement.runs import START_MS, run
from tests.automation.interfaces.console.stage import Stage, context, once_shown
from tests.automation.interfaces.console.test_improvement import DAY_MS, written

MINUTE_MS = 60_000
PRICES = st.floats(0.001, 1e6, allow_nan=False)
BARS = st.lists(
    st.builds(lambda a, b, c, d: (max(a, b, c, d), min(a, b, c, d), a, b), PRICES, PRICES, PRICES, PRICES), max_size=60
).map(lambda rows: [Bar(MINUTE_MS * n, a, high, low, b) for n, (high, low, a, b) in enumerate(rows)])
BODIES = set("┃╽╿╻╹│╷╵")


def slot(number: int, price: float, standing: Standing, side: int = 1) -> Slot:
    level = Decimal(str(price))
    held = Decimal("0.5") if side < 0 else Decimal(0)
    return Slot(number, standing, standing.value, "", level, level, held, level if held else None, side)


@given(bars=BARS, width=st.integers(0, 140), height=st.integers(0, 50), zoom=st.sampled_from([1, 5, 15]))
def test_a_chart_fits_any_size_and_shows_every_candle_there_is_room_for(
    bars: list[Bar], width: int, height: int, zoom: int
) -> None:
    canvas = draw_candles(Picture(bars, zoom=zoom), width, height, DARK)
    rows = canvas.text().split("\n")
    assert len(rows) <= max(1, height)
    assert all(len(row) <= width for row in rows)
    assert all(strip.cell_length == width for strip in canvas.strips())
    drawn = {column for row in rows for column, character in enumerate(row) if character in BODIES}
    gutter = max((len(f"{bar.high:.2f}") for bar in bars[-width:]), default=0) + 2
    if bars and height >= 5 and width - gutter >= 16:
        assert len(drawn) == min(len(grouped(bars, zoom)), width - gutter)


@given(bars=BARS, zoom=st.integers(1, 20))
def test_candles_taken_together_span_what_they_are_made_of(bars: list[Bar], zoom: int) -> None:
    together = grouped(bars, zoom)
    assert len(together) == len({bar.time_ms // (zoom * MINUTE_MS) for bar in bars})
    if bars:
        assert max(bar.high for bar in together) == max(bar.high for bar in bars)
        assert min(bar.low for bar in together) == min(bar.low for bar in bars)
        assert (together[0].open, together[-1].close) == (bars[0].open, bars[-1].close)


def test_levels_and_fills_stand_at_their_prices_in_their_colours() -> None:
    bars = [Bar(MINUTE_MS * n, 100, 110, 90, 105) for n in range(20)]
    fills = [
        OwnFill("1", 5 * MINUTE_MS + 7, 1, Decimal(92), Decimal(1), Decimal(0), "USDT"),
        OwnFill("2", 19 * MINUTE_MS, -1, Decimal(108), Decimal(1), Decimal(0), "USDT"),
        OwnFill("3", -1, -1, Decimal(108), Decimal(1), Decimal(0), "USDT"),
    ]
    slots = [slot(0, 95, Standing.ARMED), slot(1, 107, Standing.WORKING, -1), slot(2, 300, Standing.HELD, -1)]
    canvas = draw_candles(Picture(bars, slots, fills, 101.0), 60, 25, DARK)
    rows = canvas.text().split("\n")
    (bought,) = [(row.index("▲"), y) for y, row in enumerate(rows) if "▲" in row]
    (sold,) = [(row.index("▼"), y) for y, row in enumerate(rows) if "▼" in row]
    columns = 60 - len("110.00") - 2
    assert (bought[0], sold[0]) == (columns - 20 + 5, columns - 1)
    assert sold[1] < bought[1]
    levels = {canvas.style_at(0, y): y for y, row in enumerate(rows) if row.startswith("┄")}
    assert set(levels) == {level_colour(Standing.ARMED, DARK), level_colour(Standing.WORKING, DARK)}
    assert levels[level_colour(Standing.WORKING, DARK)] < levels[level_colour(Standing.ARMED, DARK)]
    assert "95.00" in rows[levels[level_colour(Standing.ARMED, DARK)]]
    (priced,) = [y for y, row in enumerate(rows) if " 101.00" in row]
    assert canvas.style_at(columns + 1, priced).endswith(DARK.price)


@given(
    states=st.lists(st.sampled_from(StageState), min_size=9, max_size=9),
    seconds=st.lists(st.none() | st.floats(0, 1e6), min_size=9, max_size=9),
    width=st.integers(0, 200),
)
def test_the_stages_keep_their_places_whatever_time_they_take(
    states: list[StageState], seconds: list[float | None], width: int
) -> None:
    stages = [RunStage(*each) for each in zip(REPAIR_STAGES, states, seconds, strict=True)]
    rows = draw_stages(stages, width, DARK).text().split("\n")
    assert len(rows) == 4
    assert all(len(row) <= width for row in rows)
    if width >= 80:
        assert all(name in rows[1] for name in REPAIR_STAGES)
        waiting = [RunStage(name, StageState.WAITING) for name in REPAIR_STAGES]
        assert draw_stages(waiting, width, LIGHT).text().split("\n")[0] == rows[0]


@given(highest=st.floats(1e-6, 1e12), whole=st.booleans())
def test_ticks_are_few_and_reach_the_highest_bar(highest: float, whole: bool) -> None:
    ticks = ticks_up_to(highest, whole=whole)
    assert 2 <= len(ticks) <= 5
    assert not whole or all(tick == round(tick) for tick in ticks)
    assert ticks[0] == 0
    assert ticks[-1] >= highest * (1 - 1e-6)
    assert ticks[-2] < highest


@given(
    values=st.lists(st.tuples(*[st.integers(0, 40)] * 3), min_size=1, max_size=90),
    columns=st.integers(10, 120),
    rows=st.integers(2, 20),
)
def test_bars_are_as_high_as_their_values_and_cover_no_cell_twice(
    values: list[tuple[int, int, int]], columns: int, rows: int
) -> None:
    parts = tuple(Part(str(n), tuple(float(day[n]) for day in values), "#ffffff") for n in range(3))
    bars = DayBars("", tuple("x" for _ in values), parts)
    top = max(bars.highest, 1.0)
    covered = bar_points(bars, columns, rows, top)
    assert all(0 <= x < 2 * columns and 0 <= y < 2 * rows for part in covered for x, y in part)
    if len(values) <= 2 * columns:
        points = [point for part in covered for point in part]
        assert len(points) == len(set(points))
        heights = [sum(x == round(day * 2 * columns / len(values)) for x, _ in points) for day in range(len(values))]
        for height, day in zip(heights, values, strict=True):
            # what is small is made visible, and parts end with a row
            assert bool(height) == bool(sum(day))
            assert height == pytest.approx(sum(day) / top * rows * 2, abs=6.5)


def test_amounts_and_ages_are_short() -> None:
    amounts = [money(Decimal(text), "+") for text in ("0", "1234.5", "-0.0647992", "0.00000123", "-3.25", "0.28")]
    assert amounts == ["+0.00", "+1,234.50", "-0.0648", "+0.00000123", "-3.25", "+0.28"]
    assert [age(milliseconds) for milliseconds in (-5, 59_999, 60_000, 7_200_000, 864_000_000)] == [
        "0s", "59s", "1m", "2h", "10d",
    ]  # fmt: skip


def test_a_canvas_draws_only_the_lines_that_changed() -> None:
    async def scene() -> None:
        view = CanvasView()
        async with Stage(view).run_test(size=(20, 6)) as pilot:
            for text, touched in (("a", 6), ("a", 0), ("b", 1)):
                canvas = Canvas(20, 6)
                canvas.put(3, 2, text, "red")
                before = view.drawn_lines
                view.draw(canvas)
                assert view.drawn_lines - before == touched
            await pilot.pause()
            assert view.render_line(2).text.strip() == "b"
            view.draw(Canvas(20, 2))
            assert view.render_line(4).text == " " * 20

    asyncio.run(scene())


def test_a_table_shows_the_rows_it_was_told_last_and_touches_no_cell_in_vain() -> None:
    rng = random.Random(7)

    async def scene() -> None:
        table = RowTable([Column("key"), Column("value", right=True)])
        async with Stage(table).run_test(size=(30, 8)):
            for _ in range(150):
                rows = [(key, rng.choice("12")) for key in rng.sample("abcde", rng.randint(0, 5))]
                if table.row_count:
                    table.move_cursor(row=rng.randrange(table.row_count), animate=False)
                chosen = table.chosen
                wanted = [(key, (key, Text(value, "red"))) for key, value in rows]
                table.show_rows(wanted)
                shown = [tuple(str(cell) for cell in table.get_row_at(row)) for row in range(table.row_count)]
                assert shown == rows
                if chosen in dict(rows):
                    assert table.chosen == chosen
                touched = table.touched
                table.show_rows(wanted)
                assert table.touched == touched
                changed = [(key, (key, Text("3", "red"))) for key, _ in rows]
                table.show_rows(changed)
                # one cell of each row, and neither the rows nor their keys
                assert table.touched == touched + len(rows)
                table.show_rows([(key, (key, Text("3", "blue"))) for key, _ in rows])
                # texts of another colour are equal, and still not the same
                assert table.touched == touched + 2 * len(rows)

    asyncio.run(scene())


def test_code_is_coloured_and_a_line_that_is_being_written_is_plain() -> None:
    async def scene() -> None:
        area = CodeArea(dark=True)
        async with Stage(area).run_test(size=(40, 6)) as pilot:
            area.load("a.py", "def f():\n    return 1\n")
            assert area.get_line(0).spans
            area.focus()
            await pilot.press("x")
            assert (area.get_line(0).plain, area.get_line(0).spans) == ("xdef f():", [])
            assert area.get_line(1).spans

    asyncio.run(scene())


def session_view() -> SessionView:
    """A session with a bit of everything, the same every time."""
    closes = [100 + (n * 37 % 23) / 4 + n / 40 for n in range(150)]
    bars = tuple(Bar(START_MS + MINUTE_MS * n, c - (n % 5) / 3, c + 1, c - 2, c) for n, c in enumerate(closes))
    slots = [slot(n, 96 + 2 * n, standing) for n, standing in enumerate((*Standing, Standing.ARMED))]
    orders = tuple(
        OwnOrder(
            f"gb-{n}", 1 if n < 3 else -1, Decimal(97 + 3 * n), Decimal("0.25"), Decimal("0.1") * (n == 4),
            "submitted" if n < 5 else "filled", "limit", START_MS + n * MINUTE_MS, is_open=n < 5,
        )
        for n in range(7)
    )  # fmt: skip
    fills = tuple(
        OwnFill(str(n), bars[90 + 9 * n].time_ms, (-1) ** n, Decimal(str(bars[90 + 9 * n].close)), Decimal("0.25"),
                Decimal("0.02"), "USDT") for n in range(6)
    )  # fmt: skip
    has = Money(
        Decimal(1_000), Decimal("1012.34"), Decimal("880.10"), Decimal("1.25"), Decimal("9.75"), Decimal("1.10")
    )
    return SessionView(
        "paper-btc-usdt", "paper", "built-in", "BTC/USDT", "1m", "BTC", "USDT", False, Decimal("105.25"), 2, has, bars,
        tuple(reversed(slots)), orders, fills, 6, 7, bars[-1].time_ms + MINUTE_MS, notes=("halted: daily loss",),
    )  # fmt: skip


def test_the_book_has_sales_above_the_price_and_purchases_below() -> None:
    view = session_view()
    rows = [(key, cells[1].plain if isinstance(cells[1], Text) else cells[1]) for key, cells in order_rows(view, DARK)]
    assert rows == [
        ("gb-4", "109.00"), ("gb-3", "106.00"), (":price", "105.25"), ("gb-2", "103.00"), ("gb-1", "100.00"),
        ("gb-0", "97.00"), ("gb-5", "112.00"), ("gb-6", "115.00"),
    ]  # fmt: skip


class StillTrading(TradingPane):
    """The screen on one look at a session, and one decision."""

    def read(self) -> TradingFacts:
        view = session_view()
        votes = (
            Vote("momentum", 1, 0.7, 0.01, 1.2, "", ("RSI is 31.0, oversold is under 32",)),
            Vote("regime", 0, 0.0, 0.01, 0.9, "took longer than its budget", ()),
        )
        self._decision = view.name, Decision(view.bars[-1].time_ms, 1, 0.62, 0.01, 0.2, "ranging", "normal", votes)
        return TradingFacts((SessionRow(view.name, False, "paper"), SessionRow("other", True, "paper")), view)


class StillMaintenance(MaintenancePane):
    """The screen on one look at a run at work."""

    def read(self) -> MaintenanceFacts:
        states = [StageState.DONE] * 5 + [StageState.AT_WORK] + [StageState.WAITING] * 3
        times = (1.2, 0.0, 3.4, 0.1, 0.0, 12.0, None, None, None)
        stages = tuple(RunStage(*each) for each in zip(REPAIR_STAGES, states, times, strict=True))
        title = "AssertionError: assert 30 == 28 in test_february"
        rows = (
            RunRow("20260101-2", START_MS, "fix", "at work", title, "", 16.7, "/shop"),
            RunRow(
                "20260101-1", START_MS - DAY_MS, "optimize", "awaiting approval", "Hoist a loop", "model", 61.0, "/shop"
            ),
        )
        patch = "--- a/dates.py\n+++ b/dates.py\n@@ -1,2 +1,2 @@\n def days(month):\n-    return 30\n+    return 28\n"
        result = FixResult("20260101-2", START_MS, "/shop", "f", Status.RUNNING, patch=patch)
        work = RunWork(
            "trying single edits", 340, 0, "candidates", 27.4, {"template:number": 300, "memory": 40}, "", 3, 900
        )
        return MaintenanceFacts(rows, 2, RunView(rows[0], stages, work, result), (), START_MS)


SIZES = [(80, 24), pytest.param((120, 40), marks=pytest.mark.slow)]


@pytest.mark.parametrize("size", SIZES)
def test_trading_looks_as_it_did(snap_compare: Callable[..., bool], tmp_path: Path, size: tuple[int, int]) -> None:
    pane = StillTrading(context(tmp_path, tmp_path, START_MS))
    assert snap_compare(Stage(pane), terminal_size=size, run_before=once_shown(pane))


@pytest.mark.parametrize("size", SIZES)
def test_maintenance_looks_as_it_did(snap_compare: Callable[..., bool], tmp_path: Path, size: tuple[int, int]) -> None:
    pane = StillMaintenance(context(tmp_path, tmp_path, START_MS))
    assert snap_compare(Stage(pane, "light"), terminal_size=size, run_before=once_shown(pane))


@pytest.mark.parametrize("size", SIZES)
def test_improvement_looks_as_it_did(snap_compare: Callable[..., bool], tmp_path: Path, size: tuple[int, int]) -> None:
    outcomes = (Outcome.FIXED, Outcome.FIXED, Outcome.UNFIXED, Outcome.AWAITING_APPROVAL)
    home = written(
        tmp_path,
        *(
            run(n, outcomes[n % 4], day=n * 0.7, seconds={"verify": 2.0 + n % 9}, model_tokens=100 * (n % 3))
            for n in range(40)
        ),
    )
    pane = ImprovementPane(context(home, tmp_path, START_MS + 28 * DAY_MS))
    assert ImprovementReader(home, tmp_path).read(30, START_MS + 28 * DAY_MS).total.attempts == 40
    assert snap_compare(Stage(pane), terminal_size=size, run_before=once_shown(pane))
