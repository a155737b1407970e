"""What a command line prints: results on stdout, everything else on stderr, and an exit code."""

from __future__ import annotations

import json
import logging
import math
import sys
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from automation.interfaces.progress import display_for
from trading.errors import ExitCode, GridBotError

if TYPE_CHECKING:
    from trading.commands import News, Result, Step

_PIPE_WIDTH = 160


@dataclass(frozen=True, slots=True)
class Manner:
    """How a command line answers.

    Parameters
    ----------
    json : bool
        Exactly one JSON object on stdout, and no progress.
    debug : bool
        Tracebacks of errors and debug logging on stderr.
    quiet : bool
        No progress.
    """

    json: bool = False
    debug: bool = False
    quiet: bool = False


class Interrupted(GridBotError):
    """A person pressed Ctrl-C; the message says what was kept."""

    exit_code = ExitCode.INTERRUPTED


class StdoutClosed(Exception):
    """Whoever read stdout has gone."""


def run_to_end(work: Generator[Step, None, Result], manner: Manner) -> int:
    """Drive a command's generator, show its progress and print its result.

    Parameters
    ----------
    work : generator of Progress and News
        News are printed as they come; returns the result. On Ctrl-C it meets a KeyboardInterrupt, also while it is
        suspended.
    manner : Manner
        How to answer.

    Returns
    -------
    int
        The result's exit code, also after Ctrl-C: for some commands that is the ordinary end.

    Raises
    ------
    Interrupted
        When the work ended without a result because of Ctrl-C.
    """
    with display_for(manner.quiet or manner.json) as display:

        def show(step: Step) -> None:
            from trading.commands import News

            if isinstance(step, News):
                _print_news(step, manner)
            else:
                display.show(step)

        result = drive(work, show)
    print_result(result, manner)
    return result.exit_code


def drive(work: Generator[Step, None, Result], show: Callable[[Step], None]) -> Result:
    """Run a command's generator to its end.

    Parameters
    ----------
    work : generator of Progress and News
        On Ctrl-C it meets a KeyboardInterrupt, also while it is suspended.
    show : callable
        Is given each step.

    Returns
    -------
    Result
        What it hands back.

    Raises
    ------
    Interrupted
        When the work ended without a result because of Ctrl-C.
    """
    try:
        with closing(work):
            return _driven(work, show)
    except KeyboardInterrupt as stop:
        kept = " ".join(str(stop).split())
        raise Interrupted(f"interrupted; {kept}" if kept else "interrupted") from stop


def print_result(result: Result, manner: Manner) -> None:
    """Print a result on stdout: one JSON object, or text that fits the terminal."""
    if manner.json:
        _write_json(result.as_json())
        return
    from rich.console import Console

    text = result.as_text()
    console = Console(file=sys.stdout, highlight=False, emoji=False)
    if not console.is_terminal:
        # A pipe has no width of its own: wide enough that tables and paths stay whole.
        console.width = max(console.width, _PIPE_WIDTH)
    try:
        console.print(text, markup=False, soft_wrap=isinstance(text, str))
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise StdoutClosed from error


def print_error(error: BaseException, manner: Manner) -> int:
    """Print an error as one sentence on stderr, and as an object on stdout when JSON is wanted.

    Parameters
    ----------
    error : BaseException
        What ended the command.
    manner : Manner
        How to answer.

    Returns
    -------
    int
        The exit code that fits.
    """
    told = error_data(error, debug=manner.debug)
    if manner.debug:
        traceback.print_exception(error, file=sys.stderr)
    code, sentence = told["code"], told["message"]
    sys.stderr.write(f"gridbot: [{code}] {sentence}\n" if code else f"gridbot: {sentence}\n")
    sys.stderr.flush()
    if manner.json:
        _write_json({"error": told})
    return error.exit_code if isinstance(error, GridBotError) else ExitCode.FAILED


def error_data(error: BaseException, *, debug: bool = False) -> dict[str, object]:
    """Return an error as plain JSON data: ``type``, ``code``, ``message`` (one sentence) and ``exit_code``."""
    own = isinstance(error, GridBotError)
    sentence = " ".join(str(error).split()) or type(error).__name__
    if not own:
        hint = "" if debug else "; run it again with --debug for the traceback, and please report it"
        sentence = f"unexpected {type(error).__name__}: {sentence}{hint}"
    return {
        "type": type(error).__name__,
        "code": getattr(error, "code", None) if own else None,
        "message": sentence,
        "exit_code": int(error.exit_code if isinstance(error, GridBotError) else ExitCode.FAILED),
    }


def set_logging(manner: Manner) -> None:
    """Send log records to stderr: warnings, or everything with ``--debug``, or errors only with ``--quiet``."""
    level = logging.DEBUG if manner.debug else logging.ERROR if manner.quiet else logging.WARNING
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for handler in logging.getLogger().handlers:
        # a session lets its loggers tell more than that to its own file
        handler.setLevel(level)


def plain(value: object) -> object:
    """Return JSON data with NaN and infinities as None, as the JSON standard has no word for them."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _driven(work: Generator[Step, None, Result], show: Callable[[Step], None]) -> Result:
    pending = False
    while True:
        try:
            step = work.throw(KeyboardInterrupt()) if pending else next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
        pending = False
        try:
            show(step)
        except KeyboardInterrupt:
            # It hit us, not the work: the work must hear of it, so that it can save what it has.
            pending = True


def _print_news(news: News, manner: Manner) -> None:
    if manner.json:
        _write_json(news.data)
        return
    if not news.text:
        return
    try:
        sys.stdout.write(news.text + "\n")
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise StdoutClosed from error


def _write_json(value: object) -> None:
    try:
        sys.stdout.write(json.dumps(plain(value), allow_nan=False, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise StdoutClosed from error
