"""A session's recording as one compact file: what it was told, what it decided, and what broke it."""

from __future__ import annotations

import json
import lzma
from dataclasses import dataclass
from pathlib import Path

from trading.errors import DataError, Refused, StateCorrupt
from trading.market.rules import Market
from trading.orders.journal_reader import JournalReader
from trading.sessions.books import market_json, market_of_json
from trading.sessions.decider import Decider, Exchange
from trading.sessions.inputs import Input, decoded, encoded_all
from trading.settings import Settings

_MAGIC = b"gridbot recording 1\n"


@dataclass(frozen=True, slots=True)
class Recording:
    """What a session's core was told from its first candle on.

    Parameters
    ----------
    session, timeframe : str
        Name, and candles such as ``1m``.
    exchange : Exchange
        Who filled the orders.
    settings : Settings
        What the user had set.
    market : Market
        The market's rules.
    inputs : tuple of Input
        All inputs in order.
    digests : tuple of (int, bytes)
        After how many inputs the running SHA-256 of all outputs was which.
    error : str or None
        What the core raised at the last input; None for a session that did not fail.
    """

    session: str
    timeframe: str
    exchange: Exchange
    settings: Settings
    market: Market
    inputs: tuple[Input, ...]
    digests: tuple[tuple[int, bytes], ...] = ()
    error: str | None = None

    def decider(self) -> Decider:
        """Return a core that has been told nothing yet."""
        return Decider(self.settings, self.market, self.timeframe, self.exchange)

    def write(self, path: Path) -> Path:
        """Write the recording to a file, whole or not at all.

        Raises
        ------
        Refused
            When the file cannot be written.
        """
        head = {
            "session": self.session,
            "timeframe": self.timeframe,
            "exchange": self.exchange.value,
            "settings": self.settings.model_dump_json(exclude={"home"}),
            "market": market_json(self.market),
            "digests": [[count, digest.hex()] for count, digest in self.digests],
            "error": self.error,
        }
        line = json.dumps(head, separators=(",", ":")).encode() + b"\n"
        part = path.with_name(path.name + ".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(_MAGIC + lzma.compress(line + encoded_all(self.inputs), preset=6))
            part.replace(path)
        except OSError as error:
            raise Refused(f"{path} cannot be written ({error.strerror or error}); choose another place") from error
        return path


def read_recording(path: Path) -> Recording:
    """Read a recording from its file.

    Raises
    ------
    DataError
        When there is no such file, or it is no recording.
    StateCorrupt
        When it is damaged.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error})") from error
    if not data.startswith(_MAGIC):
        raise DataError(f"{path} is no recording of a session of this version")
    try:
        line, _, frames = lzma.decompress(data[len(_MAGIC) :]).partition(b"\n")
        head = json.loads(line)
    except (lzma.LZMAError, ValueError) as error:
        raise StateCorrupt(f"the recording {path} is damaged; write it anew from the session") from error
    return Recording(
        session=head["session"],
        timeframe=head["timeframe"],
        exchange=Exchange(head["exchange"]),
        settings=Settings.model_validate_json(head["settings"]),
        market=market_of_json(head["market"]),
        inputs=tuple(decoded(frames)),
        digests=tuple((count, bytes.fromhex(digest)) for count, digest in head["digests"]),
        error=head["error"],
    )


def recording_of(journal: JournalReader) -> Recording:
    """Return a session's recording; the input that broke it, if one did, comes last.

    Raises
    ------
    DataError
        When nothing was recorded.
    """
    facts = journal.facts
    frames: list[bytes] = []
    digests: list[tuple[int, bytes]] = []
    for batch in journal.inputs():
        frames.append(batch.frames)
        digests.append((batch.first + batch.count, batch.outputs))
    done = digests[-1][0] if digests else 0
    error = None
    crash = next((event for event in reversed(journal.events()) if event.kind == "crashed"), None)
    if crash is not None and crash.data.get("inputs_done") == done:
        frames.append(bytes.fromhex(str(crash.data["frames"])))
        error = str(crash.data["error"])
    if not frames:
        raise DataError(f"session {facts.name} has recorded nothing yet; let it run for a candle")
    return Recording(
        session=facts.name,
        timeframe=facts.timeframe,
        exchange=exchange_of(facts.exchange, facts.account),
        settings=Settings.model_validate_json(facts.settings_json),
        market=market_of_json(facts.market_json),
        inputs=tuple(decoded(b"".join(frames))),
        digests=tuple(digests),
        error=error,
    )


def exchange_of(exchange: str, account: str) -> Exchange:
    """Return who fills a session's orders, from what its journal says."""
    if exchange == "replay":
        return Exchange.CANDLES
    return Exchange.TICKS if account.startswith("paper-") else Exchange.VENUE
