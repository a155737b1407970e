"""What changed in a book since it was last told, numbered, so that a snapshot and the changes after it fit together."""

from __future__ import annotations

from trading.brokers.exchange_server.book import BUYS, SELLS
from trading.brokers.exchange_server.records import Depth, Level
from trading.brokers.exchange_server.symbol_market import SymbolMarket

_ALL = 5_000
Sides = dict[int, dict[int, int]]


class BookNews:
    """The book of one symbol as the world was told of it.

    Parameters
    ----------
    market : SymbolMarket
        Whose book.
    """

    def __init__(self, market: SymbolMarket) -> None:
        self._market = market
        self._told: Sides = {BUYS: {}, SELLS: {}}
        self.update_id = 1

    def refresh(self) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Take in the book as it is, and return the changed levels, bids and asks; each change has an id of its own."""
        self._market.make_quotes()
        changed = []
        for side in (BUYS, SELLS):
            now, before = dict(self._market.book.levels(side, _ALL)), self._told[side]
            prices = [price for price in now if before.get(price) != now[price]]
            prices += [price for price in before if price not in now]
            changed.append(tuple(self._level(price, now.get(price, 0)) for price in prices))
            self._told[side] = now
        self.update_id += len(changed[0]) + len(changed[1])
        return changed[0], changed[1]

    def depth(self, limit: int) -> Depth:
        """Return the best levels as they were at the last `refresh`."""
        bids, asks = (
            tuple(self._level(*level) for level in list(self._told[side].items())[:limit]) for side in (BUYS, SELLS)
        )
        return Depth(self._market.rules.symbol, self.update_id, bids, asks)

    def _level(self, price: int, lots: int) -> Level:
        rules = self._market.rules
        return Level(rules.price(price), rules.quantity(lots))
