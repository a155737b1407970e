"""The stages of a run as boxes in a row: which are done and how long they took, which is at work, which wait."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events

from automation.interfaces.console.data.run_records import RunStage, StageState
from automation.interfaces.console.theme import DARK, Palette
from automation.interfaces.console.widgets.canvas import Canvas, CanvasView

_SIGNS = {
    StageState.WAITING: "·",
    StageState.AT_WORK: "▶",
    StageState.DONE: "✓",
    StageState.ASKS: "?",
    StageState.STOPPED: "■",
    StageState.SKIPPED: "–",
}
_ARROW = "─▶"
HEIGHT = 4
_WIDEST_TIME = len("▶ 10.5h")


def duration(seconds: float | None) -> str:
    """Return a time as people say it; nothing for None.

    Parameters
    ----------
    seconds : float or None
        How long.
    """
    number, unit = _scaled(seconds)
    return f"{number} {unit}" if unit else ""


def _scaled(seconds: float | None) -> tuple[str, str]:
    if seconds is None:
        return "", ""
    if seconds < 99.5:
        return (f"{seconds:.1f}" if seconds < 9.95 else f"{seconds:.0f}"), "s"
    if seconds < 5_970:
        return f"{seconds / 60:.0f}", "min"
    return f"{seconds / 3_600:.1f}", "h"


def _in_box(stage: RunStage) -> str:
    number, unit = _scaled(stage.seconds)
    return f"{_SIGNS[stage.state]} {number}{unit[:1]}".rstrip()


def stage_colour(state: StageState, palette: Palette) -> str:
    """Return the colour of a stage by how it stands."""
    return {
        StageState.WAITING: palette.quiet,
        StageState.AT_WORK: palette.accent,
        StageState.DONE: palette.good,
        StageState.ASKS: palette.warn,
        StageState.STOPPED: palette.bad,
        StageState.SKIPPED: palette.frame,
    }[state]


def draw_stages(stages: Sequence[RunStage], width: int, palette: Palette) -> Canvas:
    """Return the boxes, joined by arrows where there is room, wall to wall where there is little.

    Parameters
    ----------
    stages : sequence of RunStage
        In their order.
    width : int
        Cells.
    palette : Palette
        Colours.
    """
    canvas = Canvas(width, HEIGHT)
    texts = [_in_box(stage) for stage in stages]
    # no wider for a longer time, so that nothing moves while it runs
    inner = [max(len(stage.name), _WIDEST_TIME) for stage in stages]
    tight = sum(inner) + len(stages) + 1
    spare = width - sum(inner) - 2 * len(stages) - len(_ARROW) * (len(stages) - 1)
    if spare >= 0 and len(stages):
        inner = [size + min(4, spare // len(stages)) for size in inner]
    elif tight > width:
        inner = [max(3, size - -(-(tight - width) // max(1, len(stages)))) for size in inner]
    x = 0
    for number, (stage, text, size) in enumerate(zip(stages, texts, inner, strict=True)):
        if spare >= 0:
            _box(canvas, x, stage, text, size, palette)
            if number < len(stages) - 1:
                canvas.put(x + size + 2, 1, _ARROW, palette.frame)
            x += size + 2 + len(_ARROW)
        else:
            _cell(canvas, x, stage, text, size, palette, first=number == 0, last=number == len(stages) - 1)
            x += size + 1
    return canvas


def _inside(canvas: Canvas, x: int, stage: RunStage, text: str, size: int, palette: Palette) -> None:
    colour = stage_colour(stage.state, palette)
    ink = palette.ink if stage.state not in (StageState.WAITING, StageState.SKIPPED) else palette.quiet
    busy = stage.state in (StageState.AT_WORK, StageState.ASKS)
    canvas.put(x, 1, stage.name[:size].center(size), f"bold {palette.ground} on {colour}" if busy else ink)
    canvas.put(x, 2, text[:size].center(size), colour)


def _box(canvas: Canvas, x: int, stage: RunStage, text: str, size: int, palette: Palette) -> None:
    busy = stage.state in (StageState.AT_WORK, StageState.ASKS, StageState.STOPPED)
    frame = stage_colour(stage.state, palette) if busy else palette.frame
    canvas.put(x, 0, f"╭{'─' * size}╮", frame)
    canvas.put(x, 3, f"╰{'─' * size}╯", frame)
    for row in (1, 2):
        canvas.put(x, row, "│", frame)
        canvas.put(x + size + 1, row, "│", frame)
    _inside(canvas, x + 1, stage, text, size, palette)


def _cell(
    canvas: Canvas, x: int, stage: RunStage, text: str, size: int, palette: Palette, *, first: bool, last: bool
) -> None:
    rule = "─" * size
    canvas.put(x, 0, f"{'╭' if first else '┬'}{rule}{'╮' if last else ''}", palette.frame)
    canvas.put(x, 3, f"{'╰' if first else '┴'}{rule}{'╯' if last else ''}", palette.frame)
    for row in (1, 2):
        canvas.put(x, row, "│", palette.frame)
        if last:
            canvas.put(x + size + 1, row, "│", palette.frame)
    _inside(canvas, x + 1, stage, text, size, palette)


class PipelineGraph(CanvasView):
    """The stages of the run that is looked at."""

    DEFAULT_CSS = "PipelineGraph { height: 4; background: $ground; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._stages: tuple[RunStage, ...] = ()
        self._palette = DARK

    def show(self, stages: Sequence[RunStage], palette: Palette) -> None:
        """Draw.

        Parameters
        ----------
        stages : sequence of RunStage
            In their order.
        palette : Palette
            Colours.
        """
        self._stages, self._palette = tuple(stages), palette
        self._draw()

    def on_resize(self, _: events.Resize) -> None:
        """Draw in the new size."""
        self._draw()

    def _draw(self) -> None:
        if self.size.width:
            self.draw(draw_stages(self._stages, self.size.width, self._palette))
