"""How maintenance did, as charts and rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.text import Text

from automation.improvement.records import RepairRecord
from automation.interfaces.console.data.improvement_records import RANGES, ImprovementFacts, Verdict
from automation.interfaces.console.theme import Palette
from automation.interfaces.console.widgets.day_chart import DayBars, Part, day_values
from automation.interfaces.console.widgets.pipeline_graph import duration
from automation.interfaces.console.widgets.row_table import Cell, Column
from automation.interfaces.console.widgets.run_texts import status_colour
from automation.interfaces.console.widgets.wording import clock, percent, shortened

RECORD_COLUMNS = (
    Column("started"),
    Column("status"),
    Column("kind"),
    Column("took", right=True),
    Column("tried", right=True),
    Column("tokens", right=True),
    Column("by", width=20),
    Column("about"),
)
VERDICT_COLUMNS = (
    Column("measured"),
    Column("saved", right=True),
    Column("interval", right=True),
    Column("verdict"),
    Column("what"),
)
_LONGEST_TITLE = 100
Rows = list[tuple[str, Sequence[Cell]]]


def charts_of(facts: ImprovementFacts, palette: Palette) -> dict[str, DayBars]:
    """Return the charts by name: repairs, seconds, speed, tokens and verdicts.

    Parameters
    ----------
    facts : ImprovementFacts
        The figures by day.
    palette : Palette
        Colours.
    """
    days = facts.days
    labels = tuple(f"{datetime.fromtimestamp(day.start_ms / 1_000, UTC):%m-%d}" for day in days)

    def one(title: str, values: Sequence[float | None], colour: str) -> DayBars:
        return DayBars(title, labels, (Part(title, day_values(values), colour),))

    return {
        "repairs": DayBars(
            "repairs a day: fixed, to approve, unfixed",
            labels,
            (
                Part("fixed", day_values([day.success.fixed for day in days]), palette.good),
                Part("to approve", day_values([day.success.awaiting for day in days]), palette.warn),
                Part("unfixed", day_values([day.success.unfixed for day in days]), palette.bad),
            ),
            counts=True,
        ),
        "seconds": one("median seconds of a repair", [day.median_s for day in days], palette.accent),
        "speed": one("candidates a second", [day.candidates_per_second for day in days], palette.price),
        "tokens": one("model tokens a day", [day.model_tokens for day in days], palette.warn),
        "verdicts": _verdict_bars(facts.verdicts, palette),
    }


def summary_text(facts: ImprovementFacts, palette: Palette) -> Text:
    """Return the range and what it came to, in one line."""
    text = Text(no_wrap=True, overflow="ellipsis")
    for days in RANGES:
        chosen = days == facts.range_days
        text.append(f" {days} ", f"bold {palette.ink} on {palette.lifted}" if chosen else palette.quiet)
    text.append(" days  ", palette.quiet)
    total = facts.total
    if total.rate is not None:
        text.append(f"{total.rate:.0%}", f"bold {palette.good if total.rate >= 0.5 else palette.bad}")
        text.append(f" repaired, {total.repaired:,} of {total.attempts:,}", palette.ink)
        if facts.median_s is not None:
            text.append(f", median {duration(facts.median_s)}", palette.ink)
    else:
        text.append("no repairs", palette.quiet)
    landed = sum(day.landed for day in facts.days)
    if landed:
        text.append(f", {landed:,} other changes landed", palette.ink)
    if facts.earlier:
        text.append(f"  {facts.earlier:,} runs before that", palette.quiet)
    return text


def record_rows(facts: ImprovementFacts, now_ms: int, palette: Palette) -> Rows:
    """Return the runs, newest first."""
    return [(record.run_id, _record_cells(record, now_ms, palette)) for record in facts.records]


def verdict_rows(facts: ImprovementFacts, now_ms: int, palette: Palette) -> Rows:
    """Return what was timed, newest first."""
    rows: Rows = []
    for number, verdict in enumerate(facts.verdicts):
        cells: tuple[Cell, ...] = (
            Text(clock(verdict.time_ms, now_ms), palette.quiet),
            percent(verdict.improvement),
            f"{percent(verdict.low)} to {percent(verdict.high)}",
            Text(*verdict_word(verdict, palette)),
            shortened(verdict.what, _LONGEST_TITLE),
        )
        rows.append((f"{verdict.source} {number}", cells))
    return rows


def verdict_word(verdict: Verdict, palette: Palette) -> tuple[str, str]:
    """Return what a measurement says, and its colour."""
    if verdict.is_faster:
        return "faster", palette.good
    return ("slower", palette.bad) if verdict.high < 0 else ("no difference", palette.quiet)


def _verdict_bars(verdicts: Sequence[Verdict], palette: Palette) -> DayBars:
    told = sorted(verdicts, key=lambda verdict: verdict.time_ms)
    labels = tuple(f"{datetime.fromtimestamp(verdict.time_ms / 1_000, UTC):%m-%d}" for verdict in told)
    saved = [max(0.0, 100 * verdict.improvement) for verdict in told]
    faster = [value if verdict.is_faster else 0.0 for verdict, value in zip(told, saved, strict=True)]
    unsure = [0.0 if verdict.is_faster else value for verdict, value in zip(told, saved, strict=True)]
    parts = (Part("proven", day_values(faster), palette.good), Part("not proven", day_values(unsure), palette.quiet))
    return DayBars("% saved: proven, not proven", labels, parts, "nothing was timed in these days")


def _record_cells(record: RepairRecord, now_ms: int, palette: Palette) -> Sequence[Cell]:
    status = record.status.value.replace("_", " ")
    return (
        Text(clock(record.started_ms, now_ms), palette.quiet),
        Text(status, status_colour(status, palette)),
        record.kind,
        duration(record.total_seconds),
        f"{sum(record.candidates.values()):,}" if record.candidates else "",
        f"{record.model_tokens:,}" if record.model_tokens else "",
        Text(shortened(record.proposer, 20), palette.quiet),
        shortened(" ".join(record.title.split()), _LONGEST_TITLE),
    )
