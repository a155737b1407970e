"""``Keeper``: the one who keeps a session's orders, as the desk and the reconciler see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from trading.market.rules import Market
from trading.orders.records import Fact, OrderRecord


class Keeper(Protocol):
    """The session's books: the only one that changes records, always by a fact and always written down first."""

    symbol: str
    market: Market

    def records(self) -> Sequence[OrderRecord]:
        """Return all records that need work: not final, or awaiting trades; fresh in each call."""
        ...

    def record(self, client_id: str) -> OrderRecord | None:
        """Return any record of the session, final ones too."""
        ...

    def by_exchange_id(self, exchange_id: str) -> OrderRecord | None:
        """Return the record that the venue knows by this id."""
        ...

    def apply(self, fact: Fact) -> None:
        """Journal a fact and tell the core, in one transaction, before returning; it may plan orders and cancels."""
        ...

    def last_fill_ms(self) -> int:
        """Return when the newest booked trade happened, the venue's clock; 0 when there is none."""
        ...

    def fill_count(self) -> int:
        """Return how many trades are booked."""
        ...

    def expected(self) -> Mapping[str, Decimal]:
        """Return what the account must hold by our books, free and locked, of each asset that can be compared."""
        ...

    def funded(self, asset: str, delta: Decimal) -> None:
        """Book a deposit, or a withdrawal (negative), that the venue told of."""
        ...

    def halt(self, reason: str) -> None:
        """Open nothing more, alert, and end with exit code 4."""
        ...

    def alert(self, kind: str, reason: str) -> None:
        """Tell a person."""
        ...
