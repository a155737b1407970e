"""The newest candles of a session's recording, read on from where the last look ended."""

from __future__ import annotations

from automation.interfaces.console.data.trading_records import Bar
from trading.orders.journal_reader import JournalReader
from trading.sessions.inputs import NewCandle, PastCandle, decoded

_FIRST_LOOK = 2_000
_FURTHER = 4


class CandleTail:
    """The newest candles that a session has recorded.

    Parameters
    ----------
    most : int
        How many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._bars: list[Bar] = []
        self._done = 0

    def read(self, journal: JournalReader) -> tuple[Bar, ...]:
        """Return the newest candles, oldest first; only what came since the last call is read.

        Parameters
        ----------
        journal : JournalReader
            Of the same session every time.

        Raises
        ------
        StateCorrupt
            When the recording is damaged.
        """
        recorded = journal.inputs_recorded()
        if recorded < self._done:
            # another recording under the same name: the session was begun anew
            self._bars, self._done = [], 0
        if self._done == 0:
            self._bars = self._looked_back(journal, recorded)
        else:
            self._bars += _bars(journal, self._done)
        self._done = recorded
        self._bars = _in_order(self._bars)[-self._most :]
        return tuple(self._bars)

    def _looked_back(self, journal: JournalReader, recorded: int) -> list[Bar]:
        # between two candles of a busy market lie thousands of prices: how far back to look is found by looking
        span = _FIRST_LOOK
        while True:
            bars = _bars(journal, max(0, recorded - span))
            if len(bars) >= self._most or span >= recorded:
                return bars
            span *= _FURTHER


def _bars(journal: JournalReader, first: int) -> list[Bar]:
    return [
        Bar(item.timestamp, item.open, item.high, item.low, item.close, item.filled)
        for batch in journal.inputs(first)
        for item in decoded(batch.frames)
        if isinstance(item, NewCandle | PastCandle)
    ]


def _in_order(bars: list[Bar]) -> list[Bar]:
    """Return them without those that were told a second time, after a recovery."""
    kept: list[Bar] = []
    for bar in bars:
        if not kept or bar.time_ms > kept[-1].time_ms:
            kept.append(bar)
    return kept
