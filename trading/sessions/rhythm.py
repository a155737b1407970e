"""How often a session looks around, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass

from trading.errors import ExitCode


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a session does what no event asks for, in seconds of its clock.

    Parameters
    ----------
    look_s : float
        Longest wait of the loop, real seconds; 0 waits for events only, where the venue's time stands still meanwhile.
    trades_s : float
        Between questions for the account's trades.
    reconcile_s : float
        Between comparisons of books and venue.
    watch_s : float
        Between looks at memory, disk, clock and feed.
    settle_s : float
        What an orderly end waits for answers.
    flatten_s : float
        What an end that sells everything waits for the sales.
    """

    look_s: float = 0.5
    trades_s: float = 5.0
    reconcile_s: float = 60.0
    watch_s: float = 5.0
    settle_s: float = 15.0
    flatten_s: float = 60.0


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """How a session ended.

    Parameters
    ----------
    reason : str
        Why, in words.
    exit_code : ExitCode
        DONE; HALTED when a risk rule or a mismatch stopped it; FAILED when it could not do what a stop asked for.
    unsettled : tuple of str
        Client ids of orders that still had no answer; the next start asks for them.
    """

    reason: str
    exit_code: ExitCode = ExitCode.DONE
    unsettled: tuple[str, ...] = ()
