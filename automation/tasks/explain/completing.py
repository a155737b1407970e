"""What the source code adds to an advice: the check that failed, who raised, and what is the repository's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from automation.codebase.sources import read_source
from automation.errors import EditRefused
from automation.incidents.log_frames import LogPlaces
from automation.incidents.records import Frame, Kind, Raised
from automation.tasks.explain.advice import GENERAL, Advice, Category
from automation.tasks.explain.nearby import install_command, is_own_module
from automation.tasks.explain.places import Place

_COMPILED_LINE = re.compile(r"\bat (?P<path>[^\s(]+\.py) \((?P<line>\d+)\)")
_MARKS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")


def with_marks_named(chain: Sequence[Raised], root: Path) -> tuple[Raised, ...]:
    """Return the chain with the message of a syntax error that a merge left behind, which Python does not know."""
    return tuple(
        replace(raised, message=f"merge conflict: {raised.message}") if _is_at_mark(raised, root) else raised
        for raised in chain
    )


def _is_at_mark(raised: Raised, root: Path) -> bool:
    is_unread = raised.type.endswith("SyntaxError") and bool(raised.frames)
    return is_unread and _line_at(root, raised.frames[-1]).startswith(_MARKS)


def with_compiled_lines(chain: Sequence[Raised], places: LogPlaces) -> tuple[Raised, ...]:
    """Return the chain with the line that numba's message names, since its traceback ends at the call."""
    return tuple(
        replace(raised, frames=(*raised.frames, *_compiled_lines(raised, places)))
        if raised.type.startswith("numba.")
        else raised
        for raised in chain
    )


def _compiled_lines(raised: Raised, places: LogPlaces) -> Iterator[Frame]:
    for found in list(_COMPILED_LINE.finditer(raised.message))[-1:]:
        frame = places.frame(found["path"], int(found["line"]), "")
        if frame.own:
            yield frame


def completed(advice: Advice, raised: Raised, places: Sequence[Place], root: Path) -> Advice:
    """Return the advice with what the repository's own code says about it.

    Parameters
    ----------
    advice : Advice
        What the exception's shape says.
    raised : Raised
        The exception that it is about.
    places : sequence of Place
        Where it was, the first first.
    root : Path
        The repository.
    """
    place = places[0] if places and places[0].own else None
    if advice.rule in {"module-missing", "module-not-there"}:
        return _about_module(advice, root)
    if advice.rule == "assertion" and place is not None and place.source.startswith("assert "):
        return _about_check(advice, place)
    if not advice.rule and advice.category is not Category.UNKNOWN:
        return _about_raising(advice, raised, place)
    return advice


def unknown_type_advice(kind: Kind, raised: Raised) -> Advice:
    """Return what is said of an exception that no rule knows: a library's own type tells of the library's refusal."""
    library = raised.type.partition(".")[0].lstrip("_")
    is_own = any(frame.own and frame is raised.frames[-1] for frame in raised.frames)
    if kind is not Kind.LOGIC or "." not in raised.type or is_own:
        return GENERAL[kind]
    words = " ".join(raised.message.split())
    said = f": {words}" if words else ""
    return Advice(
        Category.EXTERNAL,
        f"The library {library} refuses what it was asked{said}{'' if said.endswith(('.', '!', '?')) else '.'}",
        ("Read its words first; then look at what your own line hands to it.",),
        "library",
    )


def _about_module(advice: Advice, root: Path) -> Advice:
    top = advice.token.partition(".")[0]
    if is_own_module(top, root):
        return replace(
            advice,
            cause=f"{top} is this repository's own, and Python finds no {advice.token} where it looks.",
            fixes=(
                "Correct the name, or make the file; a folder needs no `__init__.py`, a misspelt one is not found.",
                f"If {top} itself is not found: `pip install -e .`, or put the folder that holds it on PYTHONPATH.",
            ),
        )
    command = install_command(advice.token)
    return replace(advice, fixes=tuple(fix.replace("{install}", command) for fix in advice.fixes))


def _about_check(advice: Advice, place: Place) -> Advice:
    check = place.source.removeprefix("assert ").partition(", ")[0]
    shows = '`pytest --assert=rewrite` shows the values; outside of tests add them: `assert …, f"{value=}"`.'
    return replace(advice, cause=f"The check `{check}` did not hold.", fixes=(*advice.fixes, shows))


def _about_raising(advice: Advice, raised: Raised, place: Place | None) -> Advice:
    if place is None or not raised.frames:
        return advice
    inside = place.function or "the module"
    if place.source.startswith("raise"):
        cause = f"{inside} itself refuses this, with a `raise`."
        return replace(
            advice, cause=cause, fixes=("Read the condition above the `raise`, and follow its values back.",)
        )
    last = raised.frames[-1]
    if last.own or last.path.startswith("<"):
        return advice
    where = f"{last.function or 'code'} of {_library_of(last)}"
    return replace(advice, cause=f"{advice.cause.rstrip('.')}: {where} refuses what {inside} gives it.")


def _library_of(frame: Frame) -> str:
    parts = Path(frame.path).parts
    for folder in ("site-packages", "dist-packages"):
        if folder in parts[:-1]:
            return parts[parts.index(folder) + 1].removesuffix(".py")
    return Path(frame.path).stem


def _line_at(root: Path, frame: Frame) -> str:
    try:
        lines = read_source(root, frame.path).text.splitlines() if frame.own else []
    except (OSError, EditRefused):
        return ""
    return lines[frame.line - 1] if 0 < frame.line <= len(lines) else ""
