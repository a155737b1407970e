"""``SignalStream``: the consensus one closed candle at a time, bit for bit what the batch over all candles gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import perf_counter

from trading.errors import DataError, UsageError
from trading.market.candles import PRICE_COLUMNS, Candles
from trading.settings import Settings
from trading.signals.consensus import compute_signals
from trading.signals.indicators import IndicatorSet
from trading.signals.records import AgentReport
from trading.signals.registry import find_agents
from trading.signals.streaming_compiling import must_compile
from trading.signals.streaming_history import CandleHistory
from trading.signals.streaming_incremental import IncrementalSignals, can_carry
from trading.signals.streaming_kernel import advance
from trading.signals.streaming_records import AgentVote, SignalRow

FORCED = "skipped at this candle in the recording"
"""Why an agent was skipped that a replay had to skip."""
_NOBODY: frozenset[str] = frozenset()


class SignalStream:
    """Signals of a growing series; each row equals the last row of `compute_signals` over the candles so far.

    The built-in agents are carried on from candle to candle in one compiled call of some microseconds. With any other
    agent, or candles closer to each other than their length, each row is computed from all candles instead.

    Parameters
    ----------
    settings : Settings
        Agents, starting weights, adaptation, minimum confidence, base trail, risk profile.
    symbol : str
        ``BASE/QUOTE``.
    timeframe : str
        Candle length.
    time_budget_s : float, optional
        An agent that takes longer at a candle is skipped there. Agents that are carried on have one call together,
        which is over before it could be skipped; they never are.
    clock : callable
        Answers seconds; read only when there is a budget.

    Raises
    ------
    UsageError
        When an agent is unknown, or a weight names an agent that does not vote.
    """

    def __init__(
        self,
        settings: Settings,
        symbol: str,
        timeframe: str,
        *,
        time_budget_s: float | None = None,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._settings = settings
        self._budget_s = time_budget_s
        self._clock = clock
        self._agents = find_agents(settings.signals.agents)
        _require_weights_of_voters(settings)
        self._history = CandleHistory(symbol, timeframe)
        self._carried = IncrementalSignals(settings, timeframe) if can_carry(self._agents) else None
        self._last: SignalRow | None = None
        self._reports: dict[str, AgentReport] = {}
        self._forced = _NOBODY

    @staticmethod
    def must_compile() -> bool:
        """Return whether making the first stream will compile, once for each version, which takes seconds."""
        return must_compile(advance)

    @property
    def incremental(self) -> bool:
        """Whether rows are carried on; else each is computed from all candles."""
        return self._carried is not None

    @property
    def signals_seen(self) -> int:
        """Candles that went in."""
        return self._history.count

    @property
    def origin_ms(self) -> int:
        """Open time of the first candle that went in; a later stream must begin there to give the same rows."""
        self._require_candles()
        return int(self._history.timestamp[0])

    @property
    def last(self) -> SignalRow:
        """The row of the last candle."""
        return self._require_candles()

    def extend(self, candles: Candles) -> None:
        """Take the history at the start, all in one go.

        Parameters
        ----------
        candles : Candles
            Of the same symbol and timeframe, later than those seen; any number, none too.

        Raises
        ------
        DataError
            When they are of another series, not later, or a price or volume is no usable number; nothing is taken then.
        """
        # Refuses what is no usable number.
        IndicatorSet(candles)
        self._history.extend(candles)
        if len(candles):
            self._take(len(candles), _NOBODY)

    def append(
        self,
        timestamp: int,
        open: float,  # noqa: A002 - the column's name
        high: float,
        low: float,
        close: float,
        volume: float,
        filled: bool = False,
        *,
        forced_skips: frozenset[str] = _NOBODY,
    ) -> SignalRow:
        """Take one closed candle and return its signal.

        Parameters
        ----------
        timestamp : int
            Open time, ms UTC, later than the last.
        open, high, low, close : float
            Prices, quote currency.
        volume : float
            Base currency.
        filled : bool
            True when it was made up to bridge a short gap.
        forced_skips : frozenset of str
            Agents that a recording says were skipped at this candle.

        Returns
        -------
        SignalRow
            The consensus at this candle.

        Raises
        ------
        DataError
            When it is not later, or a price or volume is no usable number; nothing is taken then.
        UsageError
            When a forced skip names an agent that does not vote.
        """
        values = (open, high, low, close, volume)
        self._require_sound(values)
        if not forced_skips.issubset(self._settings.signals.agents):
            strangers = ", ".join(sorted(forced_skips.difference(self._settings.signals.agents)))
            raise UsageError(f"forced_skips names {strangers}, which does not vote; replay with the recorded settings")
        self._history.append(timestamp, values, filled)
        return self._take(1, forced_skips)

    def votes(self) -> tuple[AgentVote, ...]:
        """Return each agent's vote on the last candle, in the order of the settings; none before the first candle."""
        if self._last is None:
            return ()
        return tuple(self._vote(found.name) for found in self._agents)

    def skipped(self) -> frozenset[str]:
        """Return the agents that were skipped at the last candle, by their own time or by force."""
        if self._carried is not None:
            return self._forced
        return self._forced.union(name for name, report in self._reports.items() if report.skipped is not None)

    def reasons(self) -> dict[str, list[str]]:
        """Return, for a person, the numbers behind each agent's vote on the last candle; computed when asked for."""
        self._require_candles()
        indicators, row = IndicatorSet(self._history.candles()), self._history.count - 1
        lines = {}
        for found, vote in zip(self._agents, self.votes(), strict=True):
            if vote.skipped is not None or found.agent is None:
                lines[found.name] = [vote.skipped or "could not be loaded"]
            else:
                lines[found.name] = found.agent.reasons(indicators, row)
        return lines

    def _take(self, count: int, forced_skips: frozenset[str]) -> SignalRow:
        try:
            if self._carried is not None and not self._history.regular:
                self._carried = None
            if self._carried is not None:
                row = self._carried.advance(self._history, count, forced_skips)
            else:
                row = self._batch(forced_skips)
        except BaseException:
            self._history.forget_last(count)
            raise
        self._last, self._forced = row, forced_skips
        return row

    def _batch(self, forced_skips: frozenset[str]) -> SignalRow:
        settings = _without(self._settings, forced_skips) if forced_skips else self._settings
        signals = compute_signals(self._history.candles(), settings, time_budget_s=self._budget_s, clock=self._clock)
        self._reports = {report.name: report for report in signals.agents}
        return SignalRow.of(signals, -1)

    def _vote(self, name: str) -> AgentVote:
        if name in self._forced:
            return AgentVote(name, 0, 0.0, 0.0, 0.0, FORCED)
        return self._carried.vote(name) if self._carried is not None else AgentVote.of(self._reports[name])

    def _require_candles(self) -> SignalRow:
        if self._last is None:
            raise UsageError("the signal stream has seen no candle yet; extend it or append one first")
        return self._last

    def _require_sound(self, values: tuple[float, float, float, float, float]) -> None:
        for name, value in zip((*PRICE_COLUMNS, "volume"), values, strict=True):
            if not math.isfinite(value) or value < 0 or (value == 0 and name != "volume"):
                raise DataError(
                    f"candle {self._history.count}: {name} is {value}; signals need positive, finite prices and "
                    "finite volumes"
                )


def _require_weights_of_voters(settings: Settings) -> None:
    strangers = [name for name in settings.signals.weights if name not in settings.signals.agents]
    if strangers:
        raise UsageError(f"signals.weights names {strangers[0]!r}, which does not vote; name one of signals.agents")


def _without(settings: Settings, skipped: frozenset[str]) -> Settings:
    signals = settings.signals
    kept = signals.model_copy(
        update={
            "agents": tuple(name for name in signals.agents if name not in skipped),
            "weights": {name: weight for name, weight in signals.weights.items() if name not in skipped},
        }
    )
    return settings.model_copy(update={"signals": kept})
