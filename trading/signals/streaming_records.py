"""What a signal stream answers: one row of the consensus, and each agent's vote on it."""

from __future__ import annotations

from dataclasses import dataclass

from trading.signals.records import AgentReport, Signals


@dataclass(frozen=True, slots=True)
class SignalRow:
    """The consensus at one candle: one row of `Signals`, in numbers that are equal to it bit for bit.

    Parameters
    ----------
    action : int
        `Action` value; HOLD where the confidence is under the minimum.
    confidence : float
        0 to 1; a float32 value.
    trail : float
        Trail distance, fraction of the price; a float32 value.
    regime, volatility : int
        `Regime` and `VolatilityClass` values.
    swing_high, swing_low : float
        Latest confirmed swing levels, quote currency; NaN while there is none.
    swing_size : float
        Average swing on candles of 1h or 4h, fraction of the price, NaN while unknown; a float32 value.
    disagreement : float
        0 when all agents vote alike, 1 when half of the weight votes against the other half; a float32 value.
    """

    action: int
    confidence: float
    trail: float
    regime: int
    volatility: int
    swing_high: float
    swing_low: float
    swing_size: float
    disagreement: float

    @classmethod
    def of(cls, signals: Signals, row: int) -> SignalRow:
        """Return one row of a batch.

        Parameters
        ----------
        signals : Signals
            Shape (n,).
        row : int
            0 to n - 1, or negative from the end.
        """
        return cls(
            int(signals.action[row]),
            float(signals.confidence[row]),
            float(signals.trail[row]),
            int(signals.regime[row]),
            int(signals.volatility[row]),
            float(signals.swing_high[row]),
            float(signals.swing_low[row]),
            float(signals.swing_size[row]),
            float(signals.disagreement[row]),
        )


@dataclass(frozen=True, slots=True)
class AgentVote:
    """What one agent said about one candle.

    Parameters
    ----------
    name : str
        The agent's name.
    action : int
        `Action` value; HOLD when it was skipped.
    confidence : float
        0 to 1.
    trail : float
        Trail distance, fraction of the price; 0 where it has no opinion.
    weight : float
        Its weight in this vote; 0 when it was skipped.
    skipped : str or None
        Why it did not take part; None when it did.
    """

    name: str
    action: int
    confidence: float
    trail: float
    weight: float
    skipped: str | None

    @classmethod
    def of(cls, report: AgentReport) -> AgentVote:
        """Return the vote on the last candle of a batch.

        Parameters
        ----------
        report : AgentReport
            Of one agent over that batch.
        """
        if report.view is None:
            return cls(report.name, 0, 0.0, 0.0, 0.0, report.skipped)
        view = report.view
        action, confidence, trail = int(view.action[-1]), float(view.confidence[-1]), float(view.trail[-1])
        return cls(report.name, action, confidence, trail, report.weight, None)
