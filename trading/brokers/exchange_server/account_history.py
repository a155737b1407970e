"""How an account looked a little while ago: what a lagging replica of the exchange would still answer."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from trading.brokers.exchange_server.records import (
    AssetBalance,
    BalancesChanged,
    Event,
    OrderSnapshot,
)
from trading.brokers.exchange_server.venue import SimulatedExchange

_VERSIONS = 500


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account at one time.

    Parameters
    ----------
    time_ms : int
        Since when it looks like this, market time.
    open_orders : tuple of OrderSnapshot
        Of all symbols.
    balances : tuple of AssetBalance
        Of all assets.
    """

    time_ms: int
    open_orders: tuple[OrderSnapshot, ...]
    balances: tuple[AssetBalance, ...]


class AccountHistory:
    """Recent views of all accounts, kept from the first time that somebody may ask for old ones.

    Parameters
    ----------
    exchange : SimulatedExchange
        Whose accounts.
    """

    def __init__(self, exchange: SimulatedExchange) -> None:
        self._exchange = exchange
        self._views: dict[str, deque[AccountView]] = {}

    def start(self) -> None:
        """Begin to keep views, once."""
        if self._views:
            return
        for account in self._exchange.accounts:
            self._views[account] = deque([self._view(account, 0)], maxlen=_VERSIONS)
        self._exchange.on_event(self._on_change, (BalancesChanged,))

    def before(self, account: str, time_ms: int) -> AccountView:
        """Return how an account looked at a time; the oldest view that is kept when that is later."""
        views = self._views[account]
        return next((view for view in reversed(views) if view.time_ms <= time_ms), views[0])

    def _on_change(self, event: Event) -> None:
        if isinstance(event, BalancesChanged):
            self._views[event.account].append(self._view(event.account, event.time_ms))

    def _view(self, account: str, time_ms: int) -> AccountView:
        return AccountView(time_ms, self._exchange.open_orders(account), self._exchange.balances(account))
