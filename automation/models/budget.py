"""What models may still cost: tokens and seconds, of this run and of this day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from automation.config_sections import BudgetConfig
from automation.databases import database
from automation.errors import BudgetSpent

_SCHEMA = """
CREATE TABLE IF NOT EXISTS spent (
    day TEXT NOT NULL, run TEXT NOT NULL, tokens INTEGER NOT NULL, seconds REAL NOT NULL, PRIMARY KEY (day, run)
) STRICT
"""


def today_utc() -> date:
    """Return the day that a budget counts."""
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens read and written, and seconds of models' work."""

    tokens: int
    seconds: float


class Budget:
    """The budget of one run, counted in a SQLite file that all runs share.

    Parameters
    ----------
    path : Path
        The file.
    limits : BudgetConfig
        What a run and a day may cost.
    run : str
        Which run; a run that goes on tomorrow keeps its count.
    today : callable
        Returns the day.
    """

    def __init__(self, path: Path, limits: BudgetConfig, run: str, today: Callable[[], date] = today_utc) -> None:
        self._path = path
        self._limits = limits
        self._run = run
        self._today = today

    def remaining_s(self) -> float:
        """Return the seconds that models may still work.

        Raises
        ------
        BudgetSpent
            When tokens or seconds of the run or the day are used up.
        """
        limits = self._limits
        with database(self._path, _SCHEMA) as connection:
            run = _spent(connection.execute(_SUM + "WHERE run = ?", (self._run,)).fetchone())
            day = _spent(connection.execute(_SUM + "WHERE day = ?", (self._today().isoformat(),)).fetchone())
        for what, spent, tokens, minutes in (
            ("run", run, limits.tokens_per_run, limits.minutes_per_run),
            ("day", day, limits.tokens_per_day, limits.minutes_per_day),
        ):
            if spent.tokens >= tokens:
                raise BudgetSpent(
                    f"models have used {spent.tokens:,} of {tokens:,} tokens of this {what};"
                    f" raise budget.tokens_per_{what} or go on without a model"
                )
            if spent.seconds >= minutes * 60:
                raise BudgetSpent(
                    f"models have worked {spent.seconds / 60:.1f} of {minutes:g} minutes of this {what};"
                    f" raise budget.minutes_per_{what} or go on without a model"
                )
        return min(limits.minutes_per_run * 60 - run.seconds, limits.minutes_per_day * 60 - day.seconds)

    def spend(self, tokens: int, seconds: float) -> None:
        """Count a call."""
        with database(self._path, _SCHEMA) as connection:
            connection.execute(
                "INSERT INTO spent VALUES (?, ?, ?, ?) ON CONFLICT (day, run)"
                " DO UPDATE SET tokens = tokens + excluded.tokens, seconds = seconds + excluded.seconds",
                (self._today().isoformat(), self._run, tokens, seconds),
            )


_SUM = "SELECT coalesce(sum(tokens), 0), coalesce(sum(seconds), 0.0) FROM spent "


def _spent(row: tuple[int, float]) -> Spent:
    return Spent(int(row[0]), float(row[1]))
