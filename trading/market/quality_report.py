"""What a quality check found, in numbers and in sentences."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from trading.market.times import iso


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """What counts as an anomaly, and how much may be missing.

    Parameters
    ----------
    outlier_move : float
        Move between two closes, share of the earlier one, beyond which a candle is an outlier.
    outlier_range : float
        Ratio of high to low beyond which a candle is an outlier.
    stuck_run : int
        Identical closes in a row from which a price counts as stuck.
    missing_share : float
        Missing share beyond which a run asks for ``--allow-gaps``.
    gap_candles : int
        Longest gap, in candles, that a run takes without ``--allow-gaps``; gaps up to it may be filled.
    filled_share : float
        Made-up share beyond which a series is refused, whatever is allowed.
    """

    outlier_move: float = 0.5
    outlier_range: float = 2.0
    stuck_run: int = 10
    missing_share: float = 0.005
    gap_candles: int = 5
    filled_share: float = 0.1


@dataclass(frozen=True, slots=True)
class Gap:
    """Candles that are missing in a row.

    Parameters
    ----------
    start_ms, end_ms : int
        Open times of the first missing candle and of the next one that is there, ms UTC.
    missing : int
        Number of candles between.
    """

    start_ms: int
    end_ms: int
    missing: int


@dataclass(frozen=True, slots=True)
class QualityReport:
    """The state of one candle series.

    Parameters
    ----------
    source, timeframe : str
        Whose report it is.
    candles : int
        Rows looked at.
    start_ms, end_ms : int
        First and last open time, ms UTC.
    expected, missing : int
        Candles from first to last, and how many of them are not there.
    gaps : tuple of Gap
        Oldest first.
    duplicates, disorder, off_grid : int
        Rows whose time stood before, rows earlier than the row before, candles that are not a whole number of
        timeframes after the one before.
    non_finite, non_positive, bad_bracket : int
        Rows with values that no candle may have.
    outliers, stuck, zero_volume, filled : int
        Rows that look odd, rows within runs of identical closes, rows without trade, rows that were made up.
    fault : str
        The first thing that makes the series unusable, as a sentence; empty when it is usable.
    limits : QualityLimits
        What was counted against.
    """

    source: str
    timeframe: str
    candles: int
    start_ms: int
    end_ms: int
    expected: int
    missing: int
    gaps: tuple[Gap, ...]
    duplicates: int
    disorder: int
    off_grid: int
    non_finite: int
    non_positive: int
    bad_bracket: int
    outliers: int
    stuck: int
    zero_volume: int
    filled: int
    fault: str
    limits: QualityLimits

    @property
    def coverage(self) -> float:
        """Share of the expected candles that are there."""
        return 1 - self.missing / self.expected

    @property
    def missing_share(self) -> float:
        """Share of the expected candles that are missing."""
        return self.missing / self.expected

    @property
    def longest_gap(self) -> Gap | None:
        """The gap with the most missing candles; the first of equals."""
        return max(self.gaps, key=lambda gap: gap.missing, default=None)

    @property
    def usable(self) -> bool:
        """Whether every value and every time is one that a candle may have."""
        return not self.fault

    @property
    def needs_allow_gaps(self) -> bool:
        """Whether more is missing than a run takes without being told to."""
        longest = self.longest_gap
        too_long = longest is not None and longest.missing > self.limits.gap_candles
        return too_long or self.missing_share > self.limits.missing_share

    def gap_sentence(self) -> str:
        """Return what is missing, with the longest gap, as a clause; empty when nothing is."""
        longest = self.longest_gap
        if longest is None:
            return ""
        return (
            f"{self.missing} of {self.expected} candles ({self.missing_share:.2%}) are missing in {len(self.gaps)} "
            f"gap{'s' if len(self.gaps) > 1 else ''}, the longest from {iso(longest.start_ms)} to "
            f"{iso(longest.end_ms)} ({longest.missing} candles)"
        )

    def warnings(self) -> tuple[str, ...]:
        """Return what a reader of a result must know about its data, one sentence each."""
        counts = (
            (self.outliers, "look like outliers"),
            (self.stuck, f"stand in runs of {self.limits.stuck_run} or more identical closes"),
            (self.zero_volume, "have no volume"),
            (self.off_grid, f"are not a whole number of {self.timeframe} after the one before"),
            (self.filled, "were made up to bridge short gaps"),
        )
        said = [f"{count} of {self.candles} candles {what}" for count, what in counts if count]
        return tuple(([self.gap_sentence()] if self.gaps else []) + said)

    def as_json(self) -> dict[str, object]:
        """Return the report as plain JSON data, times in ISO."""
        plain = asdict(self)
        del plain["start_ms"], plain["end_ms"]
        gaps = [{"start": iso(gap.start_ms), "end": iso(gap.end_ms), "missing": gap.missing} for gap in self.gaps]
        return plain | {
            "start": iso(self.start_ms),
            "end": iso(self.end_ms),
            "coverage": self.coverage,
            "gaps": gaps,
            "usable": self.usable,
            "needs_allow_gaps": self.needs_allow_gaps,
            "warnings": list(self.warnings()),
        }
