"""How orders are placed at a venue: by spread, improved, cut short, aged and held back, as parameters say."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from trading.engine.codes import BUY, SELL, FillReason, IntentKind, Rule, SlotState
from trading.market.candles import Candles
from trading.market.rules import Market
from trading.sessions.decider import Decider, Exchange, Intent, Outcome
from trading.sessions.inputs import NewCandle, OrderEnded, OrderFilled, OrderRefused, OrderRests, Price
from trading.settings import Settings

BTC = Market("BTC/USDT", Decimal("0.01"), Decimal("0.00001"), Decimal(5), Decimal("0.001"), Decimal("0.001"))
# midnight UTC
START_MS = 1_735_689_600_000
MINUTE = 60_000
HISTORY = 60
LEVEL = 49_504.96


class AtVenue:
    """A core that a venue fills, one second after another; its grid stands around 50,000."""

    def __init__(self, **sections: dict[str, object]) -> None:
        given: dict[str, dict[str, object]] = {
            "grid": {"entry_drop": 0.0, "spacing": 0.01, "entry_levels": 0},
            "signals": {"warmup_candles": 50},
        }
        merged = {name: given.get(name, {}) | sections.get(name, {}) for name in given | sections}
        settings = Settings.model_validate({"capital": 10_000, **merged})
        self.decider = Decider(settings, BTC, "1m", Exchange.VENUE)
        times = START_MS + MINUTE * np.arange(HISTORY, dtype=np.int64)
        price = 50_000 + 10 * np.sin(np.arange(HISTORY))
        volume = np.full(HISTORY, 10.0)
        self.decider.see_history(Candles("BTC/USDT", "1m", times, price, price + 5, price - 5, price, volume))
        self.now_ms = int(times[-1]) + MINUTE
        self.close(50_000.0)

    def tick(self, price: float, *, narrow: bool = True) -> tuple[Intent, ...]:
        self.now_ms += 1_000
        return self.decider.apply(Price(self.now_ms, round(price * 100), narrow)).intents

    def close(self, price: float) -> tuple[Intent, ...]:
        """Close the minute at a price."""
        open_ms = self.now_ms // MINUTE * MINUTE
        self.now_ms = open_ms + MINUTE
        return self.decider.apply(NewCandle(open_ms, price, price, price, price, 10.0, False)).intents

    def buy(self, *, narrow: bool) -> Intent:
        """Let the price fall under the first level and turn, so that its buy is triggered."""
        self.tick(49_300.0, narrow=narrow)
        (order,) = self.tick(LEVEL - 0.1, narrow=narrow)
        return order

    def fill(self, order: Intent, lots: int) -> Outcome:
        value = lots * order.limit
        return self.decider.apply(
            OrderFilled(order.order_id, order.slot, order.side, lots, order.limit, value // 1_000, 0, order.why)
        )

    def rests(self, order: Intent) -> None:
        self.decider.apply(OrderRests(order.order_id))


def kinds(intents: tuple[Intent, ...]) -> list[IntentKind]:
    return [IntentKind(intent.kind) for intent in intents]


def test_under_the_spread_limit_a_triggered_order_takes_what_is_there_up_to_its_cap() -> None:
    order = AtVenue().buy(narrow=True)
    assert (order.side, order.taker, order.why) == (BUY, 1, FillReason.TRAIL)
    assert order.limit == round(LEVEL * 100)


def test_over_the_spread_limit_a_triggered_order_waits_at_the_price() -> None:
    order = AtVenue().buy(narrow=False)
    assert (order.side, order.taker) == (BUY, 0)
    assert order.limit == round((LEVEL - 0.1) * 100)


def test_a_waiting_order_follows_a_price_that_moves_a_thousandth_in_its_favour() -> None:
    venue = AtVenue()
    order = venue.buy(narrow=False)
    venue.rests(order)
    assert venue.close(LEVEL * 0.9992) == ()
    better = venue.close(LEVEL * 0.9985)
    assert kinds(better) == [IntentKind.CANCEL, IntentKind.PLACE]
    assert better[0].order_id == order.order_id
    assert better[1].limit == round(LEVEL * 0.9985 * 100) < order.limit
    assert better[1].lots == order.lots
    # never over the level's cap, however far the price runs away
    (_, worse) = venue.close(LEVEL * 1.002)
    assert worse.limit == round(LEVEL * 100)


def test_an_order_that_took_and_rests_is_not_improved_while_the_spread_is_narrow() -> None:
    venue = AtVenue()
    order = venue.buy(narrow=True)
    venue.rests(order)
    assert venue.close(LEVEL * 0.995) == ()


@pytest.mark.parametrize(("share", "cancelled"), [(0.8, True), (0.0, False)])
def test_the_rest_of_an_order_filled_to_four_fifths_is_cancelled_or_kept(share: float, cancelled: bool) -> None:
    venue = AtVenue(orders={"cancel_rest_at": share})
    order = venue.buy(narrow=True)
    assert venue.fill(order, order.lots * 7 // 10).intents == ()
    after = venue.fill(order, order.lots // 10 + 1).intents
    assert kinds(after) == ([IntentKind.CANCEL] if cancelled else [])
    slot = venue.decider.state.slots[order.slot]
    assert slot.held == order.lots * 7 // 10 + order.lots // 10 + 1
    assert slot.state in ({SlotState.HELD, SlotState.ARMED_SELL} if cancelled else {SlotState.PARTIAL})


def test_an_order_that_waits_longer_than_its_lifetime_is_cancelled() -> None:
    venue = AtVenue(orders={"lifetime_candles": 3})
    order = venue.buy(narrow=False)
    venue.rests(order)
    closes = [venue.close(LEVEL) for _ in range(4)]
    assert [kinds(intents) for intents in closes] == [[], [], [], [IntentKind.CANCEL]]
    assert closes[3][0].order_id == order.order_id


def test_in_a_blackout_nothing_is_placed_and_what_rests_stays() -> None:
    venue = AtVenue(orders={"blackouts": ["01:03-01:10"]})
    assert venue.now_ms == START_MS + 61 * MINUTE
    first = venue.buy(narrow=False)
    venue.rests(first)
    while venue.now_ms < START_MS + 63 * MINUTE:
        venue.close(LEVEL)
    for price in (48_700.0, 48_900.0, 49_014.0, 49_014.5):
        assert not [intent for intent in venue.tick(price) if intent.why != first.why or intent.slot != first.slot]
    assert int(venue.decider.state.slots[first.slot].order_id) == first.order_id
    while venue.now_ms < START_MS + 70 * MINUTE:
        venue.close(49_000.0)
    placed = [intent for price in (48_700.0, 49_014.0) for intent in venue.tick(price)]
    assert [intent.side for intent in placed if intent.kind == IntentKind.PLACE and intent.slot != first.slot] == [BUY]


def test_a_sell_never_goes_out_under_what_its_level_must_earn() -> None:
    venue = AtVenue()
    bought = venue.buy(narrow=True)
    venue.fill(bought, bought.lots)
    venue.close(LEVEL)
    for price in (49_900.0, 50_600.0, 51_000.0):
        assert venue.tick(price) == ()
    (sold,) = venue.tick(50_450.0)
    assert (sold.side, sold.lots, sold.taker) == (SELL, bought.lots, 1)
    assert sold.limit >= bought.limit * 1.002


def test_an_order_that_the_account_cannot_pay_for_blocks_its_level_and_is_tried_again() -> None:
    venue = AtVenue(orders={"retry_candles": 3})
    order = venue.buy(narrow=True)
    venue.decider.apply(OrderRefused(order.order_id, Rule.VENUE_FUNDS))
    slot = venue.decider.state.slots[order.slot]
    assert (slot.state, slot.reason) == (SlotState.BLOCKED, Rule.VENUE_FUNDS)
    for _ in range(4):
        venue.close(49_700.0)
    assert slot.state != SlotState.BLOCKED
    again = venue.buy(narrow=True)
    assert (again.slot, again.side) == (order.slot, BUY)


def test_an_order_that_ended_at_the_venue_by_itself_frees_its_level() -> None:
    venue = AtVenue()
    order = venue.buy(narrow=True)
    venue.decider.apply(OrderEnded(order.order_id))
    slot = venue.decider.state.slots[order.slot]
    assert slot.order_id == 0
    assert slot.state in {SlotState.FLAT, SlotState.ARMED_BUY}
