"""What a session that failed has left: its recording up to the input that broke it, as plain JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from trading.errors import DataError
from trading.orders.journal_reader import JournalReader
from trading.sessions.books import market_json
from trading.sessions.catalog import SessionCatalog
from trading.sessions.inputs import decoded
from trading.sessions.recording import Recording, read_recording, recording_of


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a recording is told to the core.

    Parameters
    ----------
    kept : tuple of int or None
        The inputs, by number; None for all.
    signals : tuple or None
        For each input of the recording the signal that the core saw with it, to be told and not computed again; None
        computes them.
    warmup : int or None
        With told signals: candles before the core may begin; None for those of the settings.
    orders, fills : int
        How many orders the core had placed when it failed, and how many fills there were.
    """

    kept: tuple[int, ...] | None = None
    signals: tuple[list[object] | None, ...] | None = None
    warmup: int | None = None
    orders: int = 0
    fills: int = 0

    def signal(self, number: int) -> list[list[object]]:
        """Return the signal that is told with an input, if one is."""
        if self.signals is None or number >= len(self.signals):
            return []
        signal = self.signals[number]
        return [] if signal is None else [signal]


@dataclass(frozen=True, slots=True)
class FailedSession:
    """A session's recording and how it failed.

    Parameters
    ----------
    name : str
        The session's name.
    recording : Recording
        All inputs up to the one that broke it, or all there are.
    version : str
        Of GridBot when the session began; empty where it is not known.
    crashed_ms : int
        When it failed; 0 where it is not known.
    """

    name: str
    recording: Recording
    version: str = ""
    crashed_ms: int = 0

    @property
    def error(self) -> str | None:
        """What the core raised; None for a session that did not fail."""
        return self.recording.error

    def told(self, recipe: Recipe = Recipe()) -> dict[str, object]:
        """Return the recording as `told_again.Told` takes it, whole or as a recipe has it."""
        recording = self.recording
        told: dict[str, object] = {
            "session": recording.session,
            "timeframe": recording.timeframe,
            "exchange": recording.exchange.value,
            "settings": recording.settings.model_dump(mode="json", exclude={"home"}),
            "market": json.loads(market_json(recording.market)),
        }
        if recipe.warmup is not None:
            told["warmup"] = recipe.warmup
        told |= {name: count for name, count in (("orders", recipe.orders), ("fills", recipe.fills)) if count}
        numbers = range(len(recording.inputs)) if recipe.kept is None else recipe.kept
        told["inputs"] = [
            [type(recording.inputs[number]).__name__, *astuple(recording.inputs[number]), *recipe.signal(number)]
            for number in numbers
        ]
        return told


def failed_session(name: str, home: Path) -> FailedSession:
    """Read what a session left, by its name in a data home, or from a file that its recording was exported to.

    Raises
    ------
    UsageError
        When there is no such session.
    DataError
        When nothing was recorded, or the file is no recording.
    StateCorrupt
        When the journal or the file is damaged.
    """
    path = Path(name)
    if path.is_file():
        recording = read_recording(path)
        return FailedSession(recording.session, recording)
    if len(path.parts) > 1:
        raise DataError(f"{name} is no file; name a session, or a file that `gridbot sessions replay --export` wrote")
    with SessionCatalog(home).read(name) as journal:
        return _of_journal(journal)


def _of_journal(journal: JournalReader) -> FailedSession:
    crashes = [event for event in journal.events() if event.kind == "crashed" and "frames" in event.data]
    if not crashes:
        return FailedSession(journal.facts.name, recording_of(journal), journal.facts.version)
    # A session that started again may have gone on behind its crash; what led to the last one ends there.
    crash = crashes[-1]
    done = int(str(crash.data["inputs_done"]))
    batches = [batch for batch in journal.inputs() if batch.first + batch.count <= done]
    frames = b"".join(batch.frames for batch in batches) + bytes.fromhex(str(crash.data["frames"]))
    recording = replace(
        recording_of(journal),
        inputs=tuple(decoded(frames)),
        digests=tuple((batch.first + batch.count, batch.outputs) for batch in batches),
        error=str(crash.data["error"]),
    )
    return FailedSession(journal.facts.name, recording, journal.facts.version, crash.time_ms)


def told_text(told: Mapping[str, object]) -> str:
    """Return a recording as the text of a file: one input a line, so that people and diffs can read it."""
    head = {name: value for name, value in told.items() if name != "inputs"}
    lines = [f" {json.dumps(name)}: {json.dumps(value)}," for name, value in head.items()]
    inputs = told["inputs"]
    rows = [f"  {json.dumps(row)}" for row in inputs] if isinstance(inputs, list) else []
    return "\n".join(["{", *lines, ' "inputs": [', ",\n".join(rows), " ]", "}", ""])
