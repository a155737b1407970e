"""The page's content: whole, escaped, self-contained, and the same numbers as the result."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from tests.trading.orders.account import START_MS, market
from tests.trading.report.example import example_result, random_candles
from trading.errors import Refused
from trading.market.candles import Candles
from trading.orders import empty_fills, pair_trades
from trading.report import BacktestResult, GridLevels, render_report, write_report
from trading.report.chart import MAX_BARS, MAX_LEVEL_PRICES, group_bars, pack, shown_grids
from trading.report.figures import level_heatmap, monthly_heatmap, signed_bars, trade_histogram

EVIL = "<script>alert('x')</script>&\"'/USDT"
DTYPES = {"u1": np.uint8, "i2": "<i2", "i4": "<i4", "f4": "<f4", "f8": "<f8"}


class Outline(HTMLParser):
    """Collects the tags, the attributes that could load something, and the scripts' data."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = dict(attrs)
        self.ids += [named["id"]] if named.get("id") else []
        self.loads += [
            value for name, value in attrs if name in ("src", "srcset", "data", "poster", "action") and value
        ]
        self.loads += [named["href"]] if tag in ("link", "base") and named.get("href") else []


def data_of(page: str) -> dict:
    return json.loads(re.search(r'id="report-data">(.*?)</script>', page, re.DOTALL)[1])


def column(packed: dict[str, str]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(packed["data"]), DTYPES[packed["type"]])


@pytest.fixture(scope="module")
def result() -> BacktestResult:
    return example_result(3_000)


@pytest.fixture(scope="module")
def page(result: BacktestResult) -> str:
    return render_report(result)


def test_page_has_every_section_and_loads_nothing(page: str) -> None:
    outline = Outline(page)
    sections = {"overview", "equity", "price", "months", "levels", "trades", "agents", "risk", "parameters", "data"}
    assert sections <= set(outline.ids)
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.loads == ["data:,"]
    assert "default-src 'none'" in page
    assert not re.search(r"@import|url\(", page.partition("</style>")[0])


def test_page_shows_the_numbers_of_the_result(result: BacktestResult, page: str) -> None:
    for text in (f"{result.final_equity:,.2f}", f"{result.metrics.trades:,}", result.fills.trade_hash(),
                 "grid", "max_position", "the sign of the return depends", "2025-01-01 00:00"):  # fmt: skip
        assert text in page


def test_chart_data_is_the_result(result: BacktestResult, page: str) -> None:
    data = data_of(page)
    np.testing.assert_allclose(column(data["close"]) * data["tick"], result.candles.close, atol=1e-6)
    np.testing.assert_allclose(column(data["equity"]), result.equity, rtol=1e-6)
    np.testing.assert_array_equal(column(data["fills"]["price"]), result.fills.price_ticks)
    np.testing.assert_array_equal(column(data["fills"]["bar"]), result.fills.candle)
    np.testing.assert_array_equal(column(data["grids"]["bar"]), [grid.candle for grid in result.grids])
    assert column(data["grids"]["count"]).sum() == len(column(data["grids"]["price"]))


def test_text_from_file_names_and_packages_cannot_inject(result: BacktestResult) -> None:
    candles = replace(result.candles, symbol=EVIL)
    evil = replace(
        result, candles=candles, market=replace(result.market, symbol=EVIL), warnings=(EVIL,), notes=(EVIL,),
        halted=EVIL, params={EVIL: EVIL}, agents=[{"name": EVIL}], data_quality={EVIL: [EVIL]}, refusals={EVIL: 1},
    )  # fmt: skip
    page = render_report(evil)
    assert "<script>alert" not in page
    assert Outline(page).tags.count("script") == Outline(render_report(result)).tags.count("script") == 3
    assert data_of(page)["base"] == EVIL.partition("/")[0]


def test_same_result_gives_the_same_page(result: BacktestResult, page: str) -> None:
    assert render_report(replace(result, timing={"total_s": 5.0})) == page


def test_long_run_is_thinned_and_says_so_and_keeps_every_fill() -> None:
    result = example_result(60_000, "1m")
    bars = group_bars(result)
    assert bars.timeframe == "3m"
    assert len(bars.start) == 20_000 <= MAX_BARS
    page = render_report(result)
    assert "60,000 candles of 1m are drawn as 20,000 bars of 3m" in page
    data = data_of(page)
    assert len(column(data["fills"]["bar"])) == len(result.fills)
    assert column(data["high"]).max() == result.market.ticks(result.candles.high).max()
    assert column(data["low"]).min() == result.market.ticks(result.candles.low).min()
    assert column(data["drawdown"]).min() == pytest.approx(result.metrics.max_drawdown, rel=1e-6)
    assert len(page) < 3_000_000


def test_fill_is_drawn_in_the_bar_that_holds_its_candle() -> None:
    candles = random_candles(50)
    gap = np.append(candles.timestamp[:20], candles.timestamp[20:] + 7 * 300_000)
    result = replace(example_result(50), candles=replace(candles, timestamp=gap))
    bars = group_bars(result, limit=10)
    of_rows = bars.of_candles(np.arange(50))
    for bar, (start, end) in enumerate(zip(bars.start, bars.end, strict=True)):
        assert (of_rows[start:end] == bar).all()
    assert bars.end[-1] == 50


def test_too_many_grids_keep_the_newest_and_say_so(result: BacktestResult) -> None:
    many = tuple(GridLevels(row, 50_000.0, tuple(50_000.0 + step for step in range(40))) for row in range(2_000))
    crowded = replace(result, grids=many)
    assert shown_grids(crowded) == MAX_LEVEL_PRICES // 40
    page = render_report(crowded)
    assert "Levels of the newest 1,000 grids are drawn; 1,000 older ones are left out." in page
    assert column(data_of(page)["grids"]["bar"])[0] == 1_000


def test_run_without_trades_has_a_page() -> None:
    quiet = example_result(400)
    fills = empty_fills(market())
    quiet = replace(quiet, fills=fills, trades=pair_trades(fills), grids=(), agents=(), params={}, data_quality={})
    page = render_report(quiet)
    assert "No trade was closed." in page
    assert len(column(data_of(page)["fills"]["bar"])) == 0


def test_one_candle_has_a_page() -> None:
    assert "overview" in Outline(render_report(example_result(1))).ids


def test_report_replaces_an_older_one_and_leaves_nothing_else(result: BacktestResult, tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "btc"
    first = write_report(result, folder)
    assert write_report(result, folder) == first == folder / "report.html"
    assert [path.name for path in folder.iterdir()] == ["report.html"]


def test_folder_that_cannot_be_written_is_refused(result: BacktestResult, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Refused, match="--report"):
        write_report(result, tmp_path / "file" / "report")


@pytest.mark.parametrize(
    ("values", "kind"),
    [([0, 255], "u1"), ([-1, 5], "i2"), ([0, 40_000], "i4"), ([0, 2**40], "f8"), ([], "u1"), ([0.5], "f4")],
)
def test_columns_are_packed_small_and_come_back(values: list[float], kind: str) -> None:
    packed = pack(np.array(values, np.float64 if kind == "f4" else np.int64))
    assert packed["type"] == kind
    assert column(packed).tolist() == values


def test_month_cells_compound_to_the_year() -> None:
    (row,) = monthly_heatmap({"2025-01": 0.1, "2025-03": -0.5})
    assert [cell.text if cell else None for cell in row.cells[:3]] == ["+10.0%", None, "−50.0%"]
    assert (row.total.text, row.total.sign) == ("−45.0%", "down")


def test_level_heatmap_adds_up_to_the_profit(result: BacktestResult) -> None:
    rows = level_heatmap(result.trades, result.start_ms, result.end_ms)
    total = sum(float(row.total.text.replace("−", "-").replace(",", "")) for row in rows)
    assert total == pytest.approx(float(result.trades.pnl.sum()), abs=0.01 * len(rows))
    labels = [int(row.label) for row in rows]
    assert labels == sorted(labels, reverse=True)


def test_histogram_counts_every_trade_and_splits_at_zero(result: BacktestResult) -> None:
    bars = trade_histogram(result.trades)
    assert sum(int(bar.text) for bar in bars) == len(result.trades)
    losing = int((result.trades.returns < 0).sum())
    assert sum(int(bar.text) for bar in bars if bar.sign == "down") == losing


def test_bars_share_one_zero_line() -> None:
    gain, loss = signed_bars([("a", 3.0, "A"), ("b", -1.0, "B")])
    assert (gain.start, gain.size) == (0.0, 0.75)
    assert (loss.start, loss.size) == (0.75, 0.25)


def test_candles_of_weeks_are_grouped_evenly() -> None:
    count = 30_000
    flat = np.ones(count)
    candles = Candles("A/B", "1m", START_MS + np.arange(count) * 60_000, flat, flat, flat, flat, flat)
    result = replace(example_result(10), candles=candles, equity=flat, cash=flat, position=flat)
    assert np.diff(candles.timestamp[group_bars(result).start]).tolist() == [120_000] * (count // 2 - 1)
