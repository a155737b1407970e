"""A backtest's figures as rich text for the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from trading.metrics import Metrics
from trading.report.formats import duration, money, number, percent

_SHOWN_REFUSALS = 4


def headline(metrics: Metrics, capital: float, final_equity: float, currency: str) -> Text:
    """Return the return, the money before and after (quote currency), and the market's own return."""
    return Text.assemble(
        (percent(metrics.total_return), f"bold {_colour(metrics.total_return)}"),
        f"  {money(capital)} → {money(final_equity)} {currency}",
        ("   buy & hold ", "dim"),
        (percent(metrics.buy_and_hold_return), _colour(metrics.buy_and_hold_return)),
        "\n",
    )


def figures_table(
    metrics: Metrics, fill_rules: Mapping[str, float | None], refusals: Mapping[str, int], currency: str
) -> Table:
    """Return the figures that matter, two to a row, and the rules that refused most orders.

    Parameters
    ----------
    metrics : Metrics
        What the run was worth.
    fill_rules : mapping of str to float
        Total return under ``touch`` and under ``penetration``; None or missing where it is not known.
    refusals : mapping of str to int
        Refused orders by rule.
    currency : str
        Of the fees.
    """
    most_refused = sorted(refusals.items(), key=lambda rule: (-rule[1], rule[0]))[:_SHOWN_REFUSALS]
    touch, penetration = (percent(fill_rules.get(rule)) for rule in ("touch", "penetration"))
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
        ("sharpe", number(metrics.sharpe), "fees", f"{money(metrics.fees)} {currency}"),
        ("sortino", number(metrics.sortino), "turnover", f"{number(metrics.turnover, 1)} x capital"),
        ("calmar", number(metrics.calmar), "exposure", percent(metrics.exposure, 1, signed=False)),
        ("return, touch", touch, "return, penetration", penetration),
    )
    table = Table.grid(padding=(0, 3))
    for style, justify in (("dim", "left"), ("", "right"), ("dim", "left"), ("", "right")):
        table.add_column(style=style, justify=justify)  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*row)
    if most_refused:
        table.add_row("refused orders", ", ".join(f"{rule} {count:,}" for rule, count in most_refused))
    return table


def _colour(value: float | None) -> str:
    return "default" if not value else "blue" if value > 0 else "dark_orange3"
