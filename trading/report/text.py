"""A backtest's result as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from trading.report.formats import duration, money, number, percent, short_time

if TYPE_CHECKING:
    from trading.report.result import BacktestResult

_SHOWN_REFUSALS = 4


def result_text(result: BacktestResult) -> RenderableType:
    """Return the headline, the figures that matter and every warning."""
    parts: list[RenderableType] = [_headline(result), _figures(result)]
    if result.halted:
        parts.append(Text(f"halted: {result.halted}", style="bold yellow"))
    parts.extend(Text(f"! {warning}", style="yellow") for warning in result.warnings)
    parts.extend(Text(f"· {note}", style="dim") for note in result.notes)
    if result.report_path is not None:
        parts.append(Text.assemble(("report ", "dim"), (str(result.report_path), "cyan")))
    title = Text.assemble((result.candles.symbol, "bold"), f" {result.candles.timeframe}  ", (_period(result), "dim"))
    return Panel(Group(*parts), title=title, title_align="left", border_style="dim", padding=(1, 2), expand=False)


def _period(result: BacktestResult) -> str:
    return f"{short_time(result.start_ms)} to {short_time(result.end_ms)} UTC, {len(result.candles):,} candles"


def _headline(result: BacktestResult) -> Text:
    metrics, unit = result.metrics, result.currency
    return Text.assemble(
        (percent(metrics.total_return), f"bold {_colour(metrics.total_return)}"),
        f"  {money(float(result.capital))} → {money(result.final_equity)} {unit}",
        ("   buy & hold ", "dim"),
        (percent(metrics.buy_and_hold_return), _colour(metrics.buy_and_hold_return)),
        "\n",
    )


def _figures(result: BacktestResult) -> Table:
    metrics, rules = result.metrics, result.fill_rules
    refusals = sorted(result.refusals.items(), key=lambda rule: (-rule[1], rule[0]))[:_SHOWN_REFUSALS]
    rows = (
        ("annualised", percent(metrics.annualized_return), "trades", f"{metrics.trades:,} ({metrics.fills:,} fills)"),
        ("max drawdown", percent(metrics.max_drawdown), "win rate", percent(metrics.win_rate, 1, signed=False)),
        (
            "longest drawdown",
            duration(metrics.max_drawdown_duration_ms),
            "profit factor",
            number(metrics.profit_factor),
        ),
        ("volatility", percent(metrics.volatility, signed=False), "expectancy", money(metrics.expectancy, signed=True)),
        ("sharpe", number(metrics.sharpe), "fees", f"{money(metrics.fees)} {result.currency}"),
        ("sortino", number(metrics.sortino), "turnover", f"{number(metrics.turnover, 1)} x capital"),
        ("calmar", number(metrics.calmar), "exposure", percent(metrics.exposure, 1, signed=False)),
        ("return, touch", percent(rules.get("touch")), "return, penetration", percent(rules.get("penetration"))),
    )
    table = Table.grid(padding=(0, 3))
    for style, justify in (("dim", "left"), ("", "right"), ("dim", "left"), ("", "right")):
        table.add_column(style=style, justify=justify)  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*row)
    if refusals:
        table.add_row("refused orders", ", ".join(f"{rule} {count:,}" for rule, count in refusals))
    return table


def _colour(value: float | None) -> str:
    return "default" if not value else "blue" if value > 0 else "dark_orange3"
