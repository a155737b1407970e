"""What the parts of the order desk share: its patience, what it remembers of each order, and the venue's pace."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from trading.brokers.desk_keeper import Keeper
from trading.brokers.error_tally import ErrorTally
from trading.brokers.protocol import Broker, OrderRejected
from trading.errors import GridBotError, RateLimited
from trading.exchange.clock import Clock
from trading.orders.records import Fact, OrderRecord
from trading.orders.venue import VenueOrder

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeskPolicy:
    """How patient the desk is.

    Parameters
    ----------
    at_once : int
        Orders worked on at the same time.
    quiet_s : float
        After a send without an answer, how long "unknown" proves nothing, seconds: the venue takes a request until its
        receive window ends.
    check_s : float
        Pause between two questions about the same order, seconds.
    checks : int
        Questions in vain, after which a person is told and only reconciliations ask.
    unknowns : int
        Answers "unknown" in a row that prove that an order never arrived.
    vanished : int
        Answers "unknown" in a row that end an order which the venue had confirmed.
    sends : int
        Sends of one order, refusals for want of a pause not counted.
    resend_s : float
        Age of the last send, seconds, from which an order that never arrived is given back to the core.
    first_pause_s, longest_pause_s : float
        Backoff after failures, seconds, doubled each time.
    failures : int
        Calls in a row without an answer from which the venue counts as away.
    trade_looks : int
        Questions for the missing trades of an order that ended, after which the session halts.
    overlap_s, start_overlap_s : float
        How far before the newest known trade the list of trades is asked for, seconds: always, and the first time.
    rounds : int
        Passes in one call of ``work`` while each brings something new.
    """

    at_once: int = 4
    quiet_s: float = 5.0
    check_s: float = 2.0
    checks: int = 5
    unknowns: int = 2
    vanished: int = 5
    sends: int = 3
    resend_s: float = 30.0
    first_pause_s: float = 1.0
    longest_pause_s: float = 30.0
    failures: int = 3
    trade_looks: int = 10
    overlap_s: float = 60.0
    start_overlap_s: float = 600.0
    rounds: int = 16

    def pause_ms(self, tries: int) -> int:
        """Return the backoff after a number of failures in a row, milliseconds."""
        return int(1000 * min(self.longest_pause_s, self.first_pause_s * 2.0 ** min(max(tries - 1, 0), 30)))


@dataclass(slots=True)
class Tracked:
    """What the desk remembers of one order; all of it may be lost, the journal and the venue know enough.

    Parameters
    ----------
    due_ms : int
        Nothing is asked before, the session's clock.
    quiet_until_ms : int
        "Unknown" proves nothing before.
    unknowns : int
        Answers "unknown" in a row.
    answered : bool
        Whether the last question was answered at all.
    absent : bool
        Proven: the last send did not arrive.
    spared : int
        Sends that the venue turned away for want of a pause.
    look : bool
        Ask for it when it is due.
    ended : VenueOrder or None
        The venue's final word, while trades are missing.
    tries : int
        Looks for those trades, or cancels, in vain.
    """

    due_ms: int = 0
    quiet_until_ms: int = 0
    unknowns: int = 0
    answered: bool = False
    absent: bool = False
    spared: int = 0
    look: bool = False
    ended: VenueOrder | None = None
    tries: int = 0


class VenuePace:
    """Keeps the desk from hammering a venue that is away or asks for a pause.

    Parameters
    ----------
    clock : Clock
        Tells the time.
    policy : DeskPolicy
        Failures and pauses.
    errors : ErrorTally
        Counts what goes wrong.
    """

    def __init__(self, clock: Clock, policy: DeskPolicy, errors: ErrorTally) -> None:
        self._clock = clock
        self._policy = policy
        self._errors = errors
        self._failures = 0
        self._is_busy = False
        self.open_at_ms = 0

    @property
    def is_open(self) -> bool:
        """Whether the venue may be asked now."""
        return self._clock.now_ms() >= self.open_at_ms

    @property
    def is_doubtful(self) -> bool:
        """Whether the venue was away, and has not answered since; one that asks for a pause is there."""
        return self._failures >= self._policy.failures and not self._is_busy

    async def ask(self, call: Awaitable[T]) -> T:
        """Return the answer of one call, counting silence; the errors are the call's."""
        try:
            answer = await call
        except GridBotError as error:
            self._errors.met(error)
            if isinstance(error, OrderRejected):
                self._failures = 0
            else:
                self._count(is_busy=isinstance(error, RateLimited))
            raise
        self._failures = 0
        return answer

    def _count(self, *, is_busy: bool) -> None:
        if not self.is_open:
            return  # one outage, several calls on their way
        self._is_busy = is_busy
        limit = self._policy.failures
        self._failures = max(self._failures + 1, limit if is_busy else 0)
        if self._failures >= limit:
            pause_ms = self._policy.pause_ms(self._failures - limit + 1)
            self.open_at_ms = self._clock.now_ms() + pause_ms
            _log.warning("venue_paused failures=%d pause_ms=%d", self._failures, pause_ms)


class DeskState:
    """The desk's broker, books and memory.

    Parameters
    ----------
    broker : Broker
        The venue.
    keeper : Keeper
        The session's books.
    clock : Clock
        The session's clock.
    policy : DeskPolicy
        Patience.
    errors : ErrorTally
        Counts what goes wrong.
    """

    def __init__(self, broker: Broker, keeper: Keeper, clock: Clock, policy: DeskPolicy, errors: ErrorTally) -> None:
        self.broker = broker
        self.keeper = keeper
        self.clock = clock
        self.policy = policy
        self.pace = VenuePace(clock, policy, errors)
        self.tracked: dict[str, Tracked] = {}
        self.busy: set[str] = set()
        self.applied = 0
        self._born_ms = clock.now_ms()

    @property
    def now_ms(self) -> int:
        """The session's clock."""
        return self.clock.now_ms()

    def apply(self, fact: Fact) -> None:
        """Give a fact to the keeper."""
        self.keeper.apply(fact)
        self.applied += 1
        _log.debug("fact kind=%s client_id=%s", type(fact).__name__, fact.client_id)

    def track(self, record: OrderRecord) -> Tracked:
        """Return what is remembered of an order; one sent by an earlier run may still be on its way."""
        tracked = self.tracked.get(record.client_id)
        if tracked is None:
            quiet_ms, patience_ms = int(self.policy.quiet_s * 1000), int(self.policy.resend_s * 1000)
            # An earlier run's request left at its send, or at the latest when that run died: before this one began.
            sent_by_ms = min(self._born_ms, record.sent_ms + patience_ms) if record.sends else 0
            tracked = self.tracked[record.client_id] = Tracked(quiet_until_ms=sent_by_ms + quiet_ms)
        return tracked

    def forget(self, client_id: str) -> None:
        """Drop what is remembered of an order."""
        self.tracked.pop(client_id, None)

    def booked(self, record: OrderRecord) -> Decimal:
        """Return the quantity booked from trades, base currency."""
        return self.keeper.market.quantity(record.filled_lots)

    @contextmanager
    def claim(self, client_id: str) -> Iterator[None]:
        """Keep everyone else from the order meanwhile; ask ``busy`` before."""
        self.busy.add(client_id)
        try:
            yield
        finally:
            self.busy.discard(client_id)
