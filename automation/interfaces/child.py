"""The process in which the console and MCP run one command: it reads the order on stdin and tells events on stdout."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Mapping
from typing import Literal, TextIO

from automation.interfaces.terminal import Manner, drive, error_data, plain, set_logging
from automation.registry import gridbot_registry
from automation.requests import request_of
from trading.commands import News, Result, Step


class Teller:
    """Writes events as JSON lines, and goes on in silence when whoever listened has gone.

    Parameters
    ----------
    stream : text file
        Where they go.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream

    def tell(self, event: Mapping[str, object]) -> None:
        """Write one event."""
        if self._stream is None:
            return
        try:
            self._stream.write(json.dumps(plain(event), allow_nan=False, ensure_ascii=False) + "\n")
            self._stream.flush()
        except (BrokenPipeError, ValueError):
            # a session goes on trading when the console that started it is closed
            self._stream = None


def main() -> int:
    """Run the one command that stdin names; an end of stdin before it means that none is wanted."""
    line = sys.stdin.readline()
    if not line.strip():
        return 0
    order = json.loads(line)
    teller = Teller(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    # what a command prints must not be taken for an event
    os.dup2(2, 1)
    set_logging(Manner())
    os.environ.update(order["environment"])
    try:
        command = gridbot_registry()[order["command"]]
        request = request_of(command, order["values"])
        result = drive(command.load_function()(request), lambda step: teller.tell(_told(step)))
    except Exception as error:  # noqa: BLE001 - the outermost frame: whatever is left is told to whoever asked
        told = error_data(error)
        teller.tell({"event": "ended", "error": told, "text": told["message"], "exit_code": told["exit_code"]})
        return int(str(told["exit_code"]))
    code = int(result.exit_code)
    text = rendered(result, order["width"], colour=order["colour"])
    teller.tell({"event": "ended", "result": result.as_json(), "text": text, "exit_code": code})
    return code


def rendered(result: Result, width: int, *, colour: bool) -> str:
    """Return a result as text of a width, with ANSI colours when they are wanted."""
    from rich.console import Console

    target = io.StringIO()
    kind: Literal["truecolor"] | None = "truecolor" if colour else None
    console = Console(file=target, width=width, force_terminal=colour, color_system=kind, highlight=False, emoji=False)
    text = result.as_text()
    console.print(text, markup=False, soft_wrap=isinstance(text, str))
    return target.getvalue().rstrip("\n")


def _told(step: Step) -> dict[str, object]:
    if isinstance(step, News):
        return {"event": "news", "data": step.data, "text": step.text}
    return {"event": "progress", "label": step.label, "done": step.done, "total": step.total, "unit": step.unit}


if __name__ == "__main__":
    sys.exit(main())
