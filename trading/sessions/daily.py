"""The summary of a session's day, made at midnight UTC from plain figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trading.errors import DataError, ExitCode

DAY_MS = 86_400_000

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What happened to a session in one day; money is quote currency.

    Parameters
    ----------
    session, symbol, mode : str
        Whose day: its name, ``BASE/QUOTE``, ``paper`` or ``live``.
    day : date
        UTC.
    placed, confirmed, cancelled, rejected, unresolved : int
        Orders sent, taken by the venue, cancelled, refused by it, and without an answer at the day's end.
    buys, sells : int
        Fills by side.
    volume : Decimal
        Value of all fills.
    fees : Decimal
        Fees of all fills, in quote currency.
    realised : Decimal
        Profit of the pairs that closed, after fees.
    equity : sequence of Decimal
        Equity in time order, the day's first and last included; at least one value.
    position : Decimal
        Base currency at the day's end.
    refusals : mapping of str to int
        Orders denied here, by the rule that denied them.
    alerts : mapping of str to int
        Alerts by kind.
    up_ms : int
        How long the session ran, milliseconds.
    restarts : int
        How often it began anew.
    """

    session: str
    symbol: str
    mode: str
    day: date
    placed: int
    confirmed: int
    cancelled: int
    rejected: int
    unresolved: int
    buys: int
    sells: int
    volume: Decimal
    fees: Decimal
    realised: Decimal
    equity: Sequence[Decimal]
    position: Decimal
    refusals: Mapping[str, int] = field(default_factory=dict)
    alerts: Mapping[str, int] = field(default_factory=dict)
    up_ms: int = DAY_MS
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class DailySummary:
    """A day, summed up."""

    figures: DayFigures
    equity_start: Decimal
    equity_end: Decimal
    drawdown: Decimal
    exit_code: ExitCode = ExitCode.DONE

    @property
    def change(self) -> Decimal:
        """Equity at the end less equity at the start; quote currency."""
        return self.equity_end - self.equity_start

    @property
    def file_name(self) -> str:
        """Name of its page: session and day."""
        return f"{self.figures.session}-{self.figures.day.isoformat()}.md"

    def as_json(self) -> dict[str, object]:
        """Return the figures; money as decimal text, ``drawdown`` as a share of the day's peak."""
        figures = self.figures
        return {
            "session": figures.session,
            "symbol": figures.symbol,
            "mode": figures.mode,
            "day": figures.day.isoformat(),
            "currency": _quote(figures.symbol),
            "orders": {
                "placed": figures.placed,
                "confirmed": figures.confirmed,
                "cancelled": figures.cancelled,
                "rejected": figures.rejected,
                "unresolved": figures.unresolved,
            },
            "fills": {"buys": figures.buys, "sells": figures.sells, "volume": _plain(figures.volume)},
            "fees": _plain(figures.fees),
            "realised": _plain(figures.realised),
            "equity": {
                "start": _plain(self.equity_start),
                "end": _plain(self.equity_end),
                "change": _plain(self.change),
            },
            "drawdown": float(self.drawdown),
            "position": _plain(figures.position),
            "refusals": dict(sorted(figures.refusals.items())),
            "alerts": dict(sorted(figures.alerts.items())),
            "up_s": figures.up_ms / 1000,
            "restarts": figures.restarts,
        }

    def as_text(self) -> RenderableType:
        """Return a heading and a table."""
        table = Table(show_header=False, box=None, pad_edge=False)
        for name, value in self._rows():
            table.add_row(name, value)
        return Group(Text(self._heading(), style="bold"), table)

    def as_markdown(self) -> str:
        """Return the page."""
        rows = "\n".join(f"| {name} | {_cell(value)} |" for name, value in self._rows())
        return f"# {_cell(self._heading())}\n\n| | |\n|---|---|\n{rows}\n"

    def write(self, folder: Path) -> Path:
        """Write the page into a folder and return the file; the same day's earlier page is replaced."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / self.file_name
        file.write_text(self.as_markdown(), encoding="utf-8")
        return file

    def _heading(self) -> str:
        return f"{self.figures.session} on {self.figures.day.isoformat()}: {self.figures.mode}, {self.figures.symbol}"

    def _rows(self) -> list[tuple[str, str]]:
        figures, quote = self.figures, _quote(self.figures.symbol)
        return [
            (
                "orders",
                (
                    f"{figures.placed:,} placed, {figures.confirmed:,} confirmed, {figures.cancelled:,} cancelled, "
                    f"{figures.rejected:,} rejected, {figures.unresolved:,} unresolved"
                ),
            ),
            ("fills", f"{figures.buys:,} buys, {figures.sells:,} sells, {_money(figures.volume)} {quote}"),
            ("fees", f"{_money(figures.fees)} {quote}"),
            ("realised after fees", f"{_money(figures.realised, signed=True)} {quote}"),
            (
                "equity",
                (
                    f"{_money(self.equity_start)} to {_money(self.equity_end)} {quote} "
                    f"({_money(self.change, signed=True)})"
                ),
            ),
            ("largest drawdown", f"{self.drawdown:.2%}"),
            ("position", f"{_plain(figures.position)} {figures.symbol.partition('/')[0]}"),
            ("refused here", _counts(figures.refusals)),
            ("alerts", _counts(figures.alerts)),
            ("up", f"{figures.up_ms / DAY_MS:.1%} of the day, {figures.restarts:,} restarts"),
        ]


def summarise(figures: DayFigures) -> DailySummary:
    """Sum up a day.

    Parameters
    ----------
    figures : DayFigures
        What happened.

    Returns
    -------
    DailySummary
        With equity at both ends and the largest fall from a peak of the day, as a share of that peak.

    Raises
    ------
    DataError
        When there is no equity.
    """
    if not figures.equity:
        raise DataError(
            f"the day {figures.day} of session {figures.session} has no equity; hand in at least its first value"
        )
    peak, drawdown = figures.equity[0], Decimal(0)
    for value in figures.equity:
        peak = max(peak, value)
        if peak > 0:
            drawdown = max(drawdown, (peak - value) / peak)
    return DailySummary(figures, figures.equity[0], figures.equity[-1], drawdown)


def day_of(time_ms: int) -> date:
    """Return the UTC day of a time in milliseconds."""
    return _EPOCH + timedelta(days=time_ms // DAY_MS)


def next_midnight_ms(time_ms: int) -> int:
    """Return the first midnight UTC after a time; both in milliseconds."""
    return (time_ms // DAY_MS + 1) * DAY_MS


def days_ended(last_ms: int, now_ms: int) -> list[date]:
    """Return the UTC days that ended after one time and up to another, oldest first; one summary is due for each.

    Parameters
    ----------
    last_ms : int
        When it was last asked, milliseconds.
    now_ms : int
        Now, milliseconds; an earlier time than the last gives none.
    """
    return [_EPOCH + timedelta(days=day) for day in range(last_ms // DAY_MS, now_ms // DAY_MS)]


def day_bounds_ms(day: date) -> tuple[int, int]:
    """Return where a UTC day begins and where the next one does, milliseconds."""
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
    return start, start + DAY_MS


def _quote(symbol: str) -> str:
    return symbol.partition("/")[2]


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _money(value: Decimal, *, signed: bool = False) -> str:
    return f"{value:+,.2f}" if signed else f"{value:,.2f}"


def _counts(counts: Mapping[str, int]) -> str:
    listed = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {name}" for name, count in listed if count) or "none"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
