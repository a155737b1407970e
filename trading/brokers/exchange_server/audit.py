"""What a test asks afterwards: every request with its client id, every order that was accepted, in order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Received:
    """One request that reached the exchange.

    Parameters
    ----------
    kind : str
        ``"place"``, ``"cancel"`` or ``"cancel_all"``; a cancel-replace is two.
    account, symbol : str
        Whose and where.
    client_id : str or None
        Of the new order, or of the one to cancel.
    outcome : str
        ``"accepted"``, or the code of the refusal.
    time_ms : int
        Market time.
    """

    kind: str
    account: str
    symbol: str
    client_id: str | None
    outcome: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """One order that was accepted.

    Parameters
    ----------
    order_id : int
        The exchange's.
    account, symbol, client_id : str
        As sent, or as the exchange made it.
    time_ms : int
        Market time.
    """

    order_id: int
    account: str
    symbol: str
    client_id: str
    time_ms: int


@dataclass(slots=True)
class AuditLog:
    """All requests and all accepted orders."""

    received: list[Received] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)

    def repeated_client_ids(self) -> list[str]:
        """Return the client ids that were accepted more than once on one account, open or not."""
        counts = Counter((one.account, one.client_id) for one in self.accepted)
        return sorted(client_id for (_, client_id), count in counts.items() if count > 1)
