"""The newest decision of a session: each agent's vote and its reasons, worked out from the session's recording.

The journal keeps what the agents were told and not what they answered, because the same candles lead to the same votes,
bit for bit; so the votes are those that the session itself made.
"""

from __future__ import annotations

from automation.interfaces.console.data.trading_records import Decision, Vote
from trading.orders.journal_reader import JournalReader
from trading.sessions.books import candles_of
from trading.sessions.inputs import NewCandle, PastCandle, decoded
from trading.settings import Settings
from trading.signals.records import Regime, VolatilityClass
from trading.signals.streaming import SignalStream


class DecisionReader:
    """Follows the decisions of one session; the first look takes in all its candles, each later one only the new.

    Parameters
    ----------
    journal : JournalReader
        Of the session; used while the reader is made only.
    """

    def __init__(self, journal: JournalReader) -> None:
        facts = journal.facts
        self._created_ms = facts.created_ms
        self._settings = Settings.model_validate_json(facts.settings_json)
        self._symbol, self._timeframe = facts.symbol, facts.timeframe
        self._stream = SignalStream(self._settings, facts.symbol, facts.timeframe)
        self._done = 0
        self._newest_ms = 0
        self._decision: Decision | None = None

    def fits(self, journal: JournalReader) -> bool:
        """Return whether a journal goes on from what was read, and is not another session of the same name."""
        return journal.facts.created_ms == self._created_ms and journal.inputs_recorded() >= self._done

    def read(self, journal: JournalReader) -> Decision | None:
        """Return the newest decision; None before the first candle.

        Raises
        ------
        StateCorrupt
            When the recording is damaged.
        """
        candles = self._new_candles(journal)
        if not candles:
            return self._decision
        # the last one with the agents that overran their time at it, as the session had it
        *earlier, newest = candles
        self._stream.extend(candles_of(earlier, self._symbol, self._timeframe))
        self._stream.append(
            newest.timestamp,
            newest.open,
            newest.high,
            newest.low,
            newest.close,
            newest.volume,
            newest.filled,
            forced_skips=self._skipped(newest),
        )
        self._newest_ms = newest.timestamp
        self._decision = self._decided()
        return self._decision

    def _new_candles(self, journal: JournalReader) -> list[PastCandle | NewCandle]:
        found: list[PastCandle | NewCandle] = []
        newest_ms = self._newest_ms
        done = self._done
        for batch in journal.inputs(self._done):
            for item in decoded(batch.frames):
                if isinstance(item, PastCandle | NewCandle) and item.timestamp > newest_ms:
                    newest_ms = item.timestamp
                    found.append(item)
            done = batch.first + batch.count
        self._done = done
        return found

    def _skipped(self, candle: PastCandle | NewCandle) -> frozenset[str]:
        skips = candle.skips if isinstance(candle, NewCandle) else 0
        return frozenset(name for bit, name in enumerate(self._settings.signals.agents) if skips >> bit & 1)

    def _decided(self) -> Decision:
        row, reasons = self._stream.last, self._stream.reasons()
        votes = tuple(
            Vote(
                agent=vote.name,
                action=vote.action,
                confidence=vote.confidence,
                trail=vote.trail,
                weight=vote.weight,
                skipped=vote.skipped or "",
                reasons=tuple(reasons.get(vote.name, ())),
            )
            for vote in self._stream.votes()
        )
        return Decision(
            candle_ms=self._newest_ms,
            action=row.action,
            confidence=row.confidence,
            trail=row.trail,
            disagreement=row.disagreement,
            regime=Regime(row.regime).name.lower(),
            volatility=VolatilityClass(row.volatility).name.lower(),
            votes=votes,
        )
