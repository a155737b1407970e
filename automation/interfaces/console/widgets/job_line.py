"""The line that says what is at work, on every screen."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.widgets import Static

from automation.interfaces.console.jobs import Job
from automation.interfaces.console.theme import Palette, palette_of
from automation.interfaces.progress import progress_line
from trading.commands import Progress

_BAR = 12


def bar_text(step: Progress, palette: Palette, width: int = _BAR) -> Text:
    """Return a bar of one step, or a dotted line where its total is not known.

    Parameters
    ----------
    step : Progress
        What has been done.
    palette : Palette
        The colours.
    width : int
        Columns.
    """
    share = min(max(step.done / step.total, 0.0), 1.0) if step.total else 0.0
    filled = round(share * width)
    text = Text("━" * filled, palette.accent)
    text.append(("━" if step.total else "╌") * (width - filled), palette.frame)
    return text


def end_text(job: Job, palette: Palette) -> Text:
    """Return how a job ended or stands, in one word or two."""
    ended = job.ended
    if ended is None:
        return Text("stopping" if job.cancelled else "at work", palette.warn if job.cancelled else palette.accent)
    words = {0: "done", 4: "halted", 5: "awaits approval", 6: "nothing to do", 130: "interrupted"}
    word = words.get(ended.exit_code, "failed" if ended.error is None else "refused")
    colour = {0: palette.good, 4: palette.warn, 5: palette.warn, 6: palette.quiet, 130: palette.warn}
    return Text(word, colour.get(ended.exit_code, palette.bad))


class JobLine(Static):
    """The newest command at work with its bar, or how the last one ended."""

    DEFAULT_CSS = """
    JobLine { height: 1; padding: 0 1; background: $ground; display: none;
        text-wrap: nowrap; text-overflow: ellipsis; }
    JobLine.said { display: block; }
    """

    def tell(self, jobs: Sequence[Job]) -> None:
        """Show how the commands stand.

        Parameters
        ----------
        jobs : sequence of Job
            All of them, oldest first.
        """
        self.set_class(bool(jobs), "said")
        if not jobs:
            return
        palette = palette_of(self.app.theme)
        working = [job for job in jobs if job.ended is None]
        job = (working or jobs)[-1]
        line = Text(no_wrap=True, overflow="ellipsis")
        if len(working) > 1:
            line.append(f"{len(working)} at work  ", palette.accent)
        line.append(f"{job.command.name} ", f"bold {palette.ink}")
        line.append_text(end_text(job, palette))
        view = job.view()
        if view.ended is None and view.progress:
            step = view.progress[-1]
            line.append("  ").append_text(bar_text(step, palette))
            line.append("  " + progress_line(step, 0.0), palette.quiet)
        elif view.ended is not None:
            line.append("  " + _only_line(view.ended.text), palette.quiet)
        self.update(line)


def _only_line(text: str) -> str:
    lines = [line.strip() for line in Text.from_ansi(text).plain.splitlines() if line.strip()]
    return lines[0] if len(lines) == 1 else ""
