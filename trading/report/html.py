"""The HTML report: one file that holds its charts, styles and data, and asks the network for nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from trading.errors import Refused
from trading.report import figures, formats
from trading.report.chart import Bars, chart_data, group_bars, shown_grids
from trading.report.pages import asset, filled, write_whole
from trading.report.result import BacktestResult, plain_json

FILE_NAME = "report.html"
_PACKAGE = "trading.report"
_SHOWN_TRADES = 5
_SHOWN_ITEMS = 20


def write_report(result: BacktestResult, folder: Path) -> Path:
    """Write the report of a backtest into a folder.

    Parameters
    ----------
    result : BacktestResult
        What to report.
    folder : Path
        Made when missing; an older ``report.html`` in it is replaced.

    Returns
    -------
    Path
        The file, to be opened in any browser.

    Raises
    ------
    Refused
        When the folder cannot be written.
    """
    page = render_report(result)
    path = folder / FILE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, page)
    except OSError as error:
        raise Refused(
            f"{path} cannot be written ({error.strerror or error}); choose another --report folder"
        ) from error
    return path


def render_report(result: BacktestResult) -> str:
    """Return the report of a backtest as one HTML page.

    Parameters
    ----------
    result : BacktestResult
        What to report; every text of it is escaped.
    """
    bars = group_bars(result)
    filters: dict[str, Callable[..., object]] = {
        "percent": formats.percent,
        "number": formats.number,
        "money": formats.money,
        "duration": formats.duration,
        "sign": figures.sign_of,
        "hour": _hour,
    }
    return filled(
        _PACKAGE,
        "report.html.j2",
        filters,
        result=result,
        metrics=result.metrics,
        unit=result.currency,
        period=(formats.short_time(result.start_ms), formats.short_time(result.end_ms)),
        months=figures.MONTHS,
        monthly=figures.monthly_heatmap(result.monthly_returns),
        levels=figures.level_heatmap(result.trades, result.start_ms, result.end_ms),
        histogram=figures.trade_histogram(result.trades),
        hours=figures.profit_by_hour(result.trades),
        agents=figures.agent_rows(result.agents, result.metrics.profit_by_agent),
        best=_trade_rows(result, bars, best=True),
        worst=_trade_rows(result, bars, best=False),
        parameters=_grouped(result.params),
        quality=_flat(result.data_quality),
        market=_market_rows(result),
        chart_notes=_chart_notes(result, bars),
        trade_hash=result.fills.trade_hash(),
        data=chart_data(result, bars),
        script=Markup(asset(_PACKAGE, "report.js")),  # noqa: S704  our own asset
        library=Markup(asset(_PACKAGE, "lightweight-charts.standalone.production.js")),  # noqa: S704
        notice=asset(_PACKAGE, "NOTICE-lightweight-charts.txt"),
    )


def _hour(hour: int | None) -> str:
    return formats.DASH if hour is None else f"{hour:02d}:00 UTC"


def _chart_notes(result: BacktestResult, bars: Bars) -> list[str]:
    notes = []
    candles = result.candles
    if len(bars.start) < len(candles):
        notes.append(
            f"{len(candles):,} candles of {candles.timeframe} are drawn as {len(bars.start):,} bars of "
            f"{bars.timeframe}; all {len(result.fills):,} fills are kept, and every figure is computed on all candles."
        )
    left_out = len(result.grids) - shown_grids(result)
    if left_out:
        notes.append(
            f"Levels of the newest {shown_grids(result):,} grids are drawn; {left_out:,} older ones are left out."
        )
    return notes


def _trade_rows(result: BacktestResult, bars: Bars, *, best: bool) -> list[dict[str, object]]:
    trades = result.trades
    order = trades.pnl_units.argsort(kind="stable")
    order = order[::-1][:_SHOWN_TRADES] if best else order[:_SHOWN_TRADES]
    rows = [int(row) for row in order if (trades.pnl_units[row] > 0) == best and trades.pnl_units[row] != 0]
    pnl, returns = trades.pnl, trades.returns
    return [
        {
            "opened": formats.short_time(int(trades.entry_timestamp[row])),
            "held": formats.duration(int(trades.holding_ms[row])),
            "level": int(trades.level[row]),
            "return": float(returns[row]),
            "pnl": float(pnl[row]),
            "from": int(bars.of_candles(trades.entry_candle[row : row + 1])[0]),
            "to": int(bars.of_candles(trades.exit_candle[row : row + 1])[0]),
        }
        for row in rows
    ]


def _market_rows(result: BacktestResult) -> list[tuple[str, str]]:
    market = result.market
    return [
        ("tick size", f"{market.tick_size} {market.quote}"),
        ("lot size", f"{market.lot_size} {market.base}"),
        ("least order value", f"{market.min_notional} {market.quote}"),
        ("maker fee", formats.percent(float(market.maker_fee), 3, signed=False)),
        ("taker fee", formats.percent(float(market.taker_fee), 3, signed=False)),
        ("fee of a buy in", market.base if market.fee_in_base else market.quote),
        ("assumed spread", formats.percent(float(market.spread), 3, signed=False)),
        ("rules from", market.source),
    ]


def _grouped(params: Mapping[str, object]) -> list[tuple[str, list[tuple[str, str]]]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, text in _flat(params):
        section, _, rest = name.partition(".")
        groups.setdefault(section if rest else "general", []).append((rest or name, text))
    return list(groups.items())


def _flat(content: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    rows = []
    for name, value in content.items():
        label = f"{prefix}{name}"
        if isinstance(value, Mapping):
            rows.extend(_flat(value, f"{label}."))
        else:
            rows.append((label, _text(plain_json(value))))
    return rows


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(item)}" for name, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        shown = ", ".join(_text(item) for item in value[:_SHOWN_ITEMS]) or formats.DASH
        return shown if len(value) <= _SHOWN_ITEMS else f"{shown} and {len(value) - _SHOWN_ITEMS:,} more"
    return _scalar_text(value)


def _scalar_text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, int):
        return f"{value:,}"
    return formats.DASH if value is None else str(value)
