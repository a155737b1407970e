"""The error hierarchy of the trading wing: one sentence each, with a code, an action and an exit code."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class ExitCode(IntEnum):
    """What a finished command tells the shell."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    HALTED = 4
    AWAITING_APPROVAL = 5
    NOTHING_TO_DO = 6
    INTERRUPTED = 130


class Action(StrEnum):
    """What a session does when a coded error meets it."""

    RECONNECT = "reconnect"
    REDUCE_SIZE = "reduce_size"
    QUEUE_AND_RETRY = "queue_and_retry"
    FALL_BACK = "fall_back"
    SKIP_AGENT = "skip_agent"
    REJECT = "reject"
    RESTORE_CHECKPOINT = "restore_checkpoint"


class GridBotError(Exception):
    """Anything GridBot refuses or fails to do, said in one sentence: what is wrong, where, what to do."""

    exit_code = ExitCode.FAILED
    code: str | None = None
    action: Action | None = None


class UsageError(GridBotError):
    """The caller's words are off: an unknown option, a value out of range."""

    exit_code = ExitCode.USAGE


class DataError(GridBotError):
    """A file or a candle series that cannot be used as it is."""

    exit_code = ExitCode.REFUSED


class Refused(GridBotError):
    """A request that is well formed and that GridBot will not carry out, with the numbers that say why."""

    exit_code = ExitCode.REFUSED


class ConnectionLost(GridBotError):
    """E001: the exchange did not answer."""

    code, action = "E001", Action.RECONNECT


class InsufficientFunds(GridBotError):
    """E002: the account cannot pay for the order."""

    code, action = "E002", Action.REDUCE_SIZE


class RateLimited(GridBotError):
    """E003: the exchange asks for a pause."""

    code, action = "E003", Action.QUEUE_AND_RETRY


class FeedFailed(GridBotError):
    """E004: a market data source is silent or answers nonsense."""

    code, action = "E004", Action.FALL_BACK


class AgentFailed(GridBotError):
    """E005: a signal agent raised or overran its time budget; the others decide."""

    code, action = "E005", Action.SKIP_AGENT


class RiskRefused(GridBotError):
    """E006: a risk rule forbids the order."""

    code, action = "E006", Action.REJECT


class StateCorrupt(GridBotError):
    """E007: saved state fails its own checks."""

    code, action = "E007", Action.RESTORE_CHECKPOINT
