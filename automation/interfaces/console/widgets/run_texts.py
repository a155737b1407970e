"""A run in words: its line, its figures, its evidence, the rows of the lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from automation.interfaces.console.data.run_records import IncidentRow, MaintenanceFacts, RunRow, RunView
from automation.interfaces.console.theme import Palette
from automation.interfaces.console.widgets.pipeline_graph import duration
from automation.interfaces.console.widgets.row_table import Cell, Column
from automation.interfaces.console.widgets.wording import clock, shortened
from automation.pipeline.evidence import evidence_lines
from automation.pipeline.result import FixResult

RUN_COLUMNS = (
    Column("started"),
    Column("status"),
    Column("kind"),
    Column("took", right=True),
    Column("about"),
)
INCIDENT_COLUMNS = (
    Column("last seen"),
    Column("kind"),
    Column("runs", right=True),
    Column("status"),
    Column("what"),
)
_SHOWN_PLACES, _SHOWN_PROPOSERS = 8, 6
_LONGEST_TITLE = 120
Rows = list[tuple[str, Sequence[Cell]]]


def status_colour(status: str, palette: Palette) -> str:
    """Return the colour of a status in words."""
    if status in ("fixed", "landed", "nothing to fix"):
        return palette.good
    if status in ("awaiting approval", "interrupted"):
        return palette.warn
    return palette.accent if status == "at work" else palette.bad


def run_rows(facts: MaintenanceFacts, palette: Palette) -> Rows:
    """Return the runs, newest first."""
    return [(row.run_id, _run_cells(row, facts.clock_ms, palette)) for row in facts.runs]


def incident_rows_of(facts: MaintenanceFacts, palette: Palette) -> Rows:
    """Return the incidents, newest first."""
    return [(row.key, _incident_cells(row, facts.clock_ms, palette)) for row in facts.incidents]


def run_line(view: RunView, palette: Palette) -> Text:
    """Return which run this is, how it stands and what it is about."""
    row = view.row
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(row.status, f"bold {status_colour(row.status, palette)}")
    text.append(f"  {row.title or 'looking for what fails'}", palette.ink)
    text.append(f"\n{row.kind} {row.run_id}  {row.target}", palette.quiet)
    return text


def work_text(view: RunView, palette: Palette) -> Text:
    """Return what the run does now, and its figures: candidates, their speed, the model."""
    work, text = view.work, Text(no_wrap=True, overflow="ellipsis")
    if view.row.is_at_work:
        minutes = f"{duration(view.row.seconds)} so far"
        done = f" {work.done:,.0f}" if work.done else ""
        total = f" of {work.total:,.0f}" if work.total else ""
        text.append(
            f"{work.label or 'starting'}{done}{total}{f' {work.unit}' if done else ''}, {minutes}", palette.accent
        )
    else:
        text.append(f"took {duration(view.row.seconds) or '–'}", palette.quiet)
    text.append("\n")
    text.append(f"{work.candidates:,} {'candidate' if work.candidates == 1 else 'candidates'}", palette.ink)
    if work.candidates:
        text.append(f", {work.candidates_per_second:,.1f} a second", f"bold {palette.price}")
    if work.model_calls:
        model = f"{work.model}: " if work.model else ""
        text.append(f"  {model}{work.model_calls:,} model calls, {work.model_tokens:,} tokens", palette.ink)
    elif view.result.kind == "fix":
        text.append("  no model call", palette.quiet)
    most = sorted(work.tried.items(), key=lambda one: (-one[1], one[0]))[:_SHOWN_PROPOSERS]
    text.append("\n" + "  ".join(f"{name} {count:,}" for name, count in most), palette.quiet)
    return text


def evidence_text(view: RunView, palette: Palette) -> Text:
    """Return what speaks for and against the change: reason, tests, change, places, rivals, findings."""
    text = Text()
    for name, lines in _sections(view, palette):
        if lines:
            text.append(f"{name}\n" if not text else f"\n{name}\n", f"bold {palette.accent}")
            text.append_text(Text("\n").join(lines))
            text.append("\n")
    if not text:
        text.append("nothing yet: the run is at its beginning" if view.row.is_at_work else "nothing was kept")
    return text


def _sections(view: RunView, palette: Palette) -> Iterator[tuple[str, list[Text]]]:
    result = view.result
    yield "why it waits" if view.row.awaits_approval else "why", [Text(result.reason)] if result.reason else []
    yield "tests", _tests_lines(result, palette)
    yield "change", [_change_line(each, palette) for each in result.chosen]
    yield "evidence", [_named(name, told, palette) for name, told in evidence_lines(result.evidence)]
    yield "landing", _landed_lines(result, palette)
    yield (
        "guard",
        [
            Text(f"{each.get('path')}:{each.get('line')}  {each.get('message')}", palette.warn)
            for each in result.guard_findings
        ],
    )
    yield "recording", _recording_lines(result)
    yield "diagnosis, most suspicious first", [_place_line(each, palette) for each in result.diagnosis[:_SHOWN_PLACES]]
    yield "passed the tests too", [_change_line(each, palette) for each in result.alternatives]


def _named(name: str, told: str, palette: Palette) -> Text:
    return Text.assemble((f"{name}  ", palette.quiet), told)


def _change_line(each: Mapping[str, object], palette: Palette) -> Text:
    told = f"{each.get('place')}  {each.get('description')}  "
    return Text.assemble(told, (f"by {each.get('proposer')}", palette.quiet))


def _tests_lines(result: FixResult, palette: Palette) -> list[Text]:
    lines = []
    for name, counts in (("before", result.tests_before), ("after", result.tests_after)):
        if counts:
            line = Text(f"{name:<8}", palette.quiet)
            for outcome, number in counts.items():
                if number:
                    line.append(f"{number:,} {outcome}  ", _outcome_colour(outcome, palette))
            lines.append(line)
    return lines


def _outcome_colour(outcome: str, palette: Palette) -> str:
    return {"passed": palette.good, "skipped": palette.quiet}.get(outcome, palette.bad)


def _landed_lines(result: FixResult, palette: Palette) -> list[Text]:
    landed = result.landed or {}
    where = landed.get("branch") or landed.get("path")
    lines = [Text(f"{landed.get('how')}: {where}", palette.good)] if where else []
    return [*lines, Text(f"approval: {result.approval}")] if result.approval else lines


def _recording_lines(result: FixResult) -> list[Text]:
    made = result.reproduction
    if not made:
        return []
    return [Text(f"{made.get('inputs_before')} inputs, {made.get('inputs_after')} of them needed: {made.get('test')}")]


def _place_line(place: Mapping[str, object], palette: Palette) -> Text:
    reasons = place.get("reasons")
    why = "; ".join(map(str, reasons)) if isinstance(reasons, list | tuple) else ""
    score = place.get("score")
    shown = f"{score:.2f}" if isinstance(score, int | float) else "–"
    where = f"{place.get('path')}:{place.get('line')} {place.get('function') or ''}  "
    return Text.assemble((f"{shown}  ", palette.price), where, (why, palette.quiet))


def _run_cells(row: RunRow, now_ms: int, palette: Palette) -> Sequence[Cell]:
    return (
        Text(clock(row.started_ms, now_ms), palette.quiet),
        Text(row.status, status_colour(row.status, palette)),
        row.kind,
        duration(row.seconds),
        shortened(" ".join(row.title.split()), _LONGEST_TITLE),
    )


def _incident_cells(row: IncidentRow, now_ms: int, palette: Palette) -> Sequence[Cell]:
    return (
        Text(clock(row.last_ms, now_ms), palette.quiet),
        row.kind,
        str(row.runs),
        Text(row.status, palette.bad if row.status == "open" else status_colour(row.status, palette)),
        shortened(" ".join(row.title.split()), _LONGEST_TITLE),
    )
