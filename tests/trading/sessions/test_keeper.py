"""A session's books: each fact about an order, money that comes and goes, halts; the same after every restart."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.sessions.session_books import (
    HISTORY,
    MARKET,
    OTHER_BASE,
    OTHER_QUOTE,
    SETTINGS,
    Books,
    new_books,
    same_books_again,
)
from trading.engine.codes import Halt
from trading.errors import StateCorrupt
from trading.orders.records import (
    Accepted,
    CancelFailed,
    CancelSent,
    Closed,
    Filled,
    OrderRecord,
    Refused,
    Sent,
    Silent,
)
from trading.orders.states import CommandState, OrderState
from trading.sessions.decider import InvariantBroken
from trading.sessions.inputs import Funded, Ordered, decoded


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    """Books with a grid of planned buys."""
    with new_books(tmp_path / "journal.sqlite") as found:
        yield found


def told(record: OrderRecord) -> tuple[OrderState, CommandState | None]:
    return record.state, record.command


def test_planned_orders_are_written_down_before_anything_is_sent(books: Books) -> None:
    assert len(books.buys) > 3
    assert all(one.is_planned and one.sends == 0 for one in books.buys)
    assert books.journal.open_records() == sorted(books.buys, key=lambda one: one.core_id)
    assert [one.client_id for one in books.journal.orders()] == [f"gb-k-{n + 1}" for n in range(len(books.buys))]


def test_sent_and_accepted(books: Books) -> None:
    first = books.buys[0]
    books.keeper.apply(Sent(first.client_id, 1_234))
    sent = books.now(first.client_id)
    assert told(sent) == (OrderState.PENDING, CommandState.SENT)
    assert (sent.sends, sent.sent_ms, sent.is_unresolved) == (1, 1_234, True)
    books.keeper.apply(Accepted(first.client_id, "x1", resting=True))
    rests = books.now(first.client_id)
    assert told(rests) == (OrderState.SUBMITTED, CommandState.CONFIRMED)
    assert books.keeper.by_exchange_id("x1") == rests


def test_silence_is_counted_only_for_questions_and_starts_anew_with_each_send(books: Books) -> None:
    name = books.buys[0].client_id
    books.keeper.apply(Sent(name, 1))
    books.keeper.apply(Silent(name, "the connection was lost"))
    assert told(books.now(name)) == (OrderState.PENDING, CommandState.UNRESOLVED)
    assert books.now(name).checks == 0
    books.keeper.apply(Silent(name, "no answer", asked=True))
    books.keeper.apply(Silent(name, "no answer", asked=True))
    assert books.now(name).checks == 2
    books.keeper.apply(Sent(name, 2))
    again = books.now(name)
    assert (again.checks, again.sends, again.command) == (0, 2, CommandState.UNRESOLVED)


def test_an_answer_forgets_the_questions_in_vain(books: Books) -> None:
    name = books.buys[0].client_id
    books.keeper.apply(Sent(name, 1))
    books.keeper.apply(Silent(name, "no answer", asked=True))
    books.keeper.apply(Accepted(name, "x1", resting=True))
    assert books.now(name).checks == 0


@pytest.mark.parametrize(("denied", "command"), [(True, CommandState.DENIED), (False, CommandState.REJECTED)])
def test_a_refused_order_is_final_and_its_slot_waits(books: Books, denied: bool, command: CommandState) -> None:
    first = books.buys[0]
    books.keeper.apply(Sent(first.client_id, 1))
    books.keeper.apply(Refused(first.client_id, "too small", denied=denied))
    after = books.now(first.client_id)
    assert told(after) == (OrderState.REJECTED, command)
    assert (after.is_final, after.note) == (True, "too small")
    assert first.client_id not in {one.client_id for one in books.keeper.records()}
    assert int(books.keeper.decider.state.slots[first.slot].order_id) == 0
    assert all(one.slot != first.slot for one in books.keeper.records())


def test_a_cancel_that_fails_leaves_the_order_as_it_was(books: Books) -> None:
    first = books.rest(books.buys[0])
    books.keeper.apply(CancelSent(first.client_id))
    pending = books.now(first.client_id)
    assert told(pending) == (OrderState.SUBMITTED, CommandState.CANCEL_PENDING)
    assert pending.cancel_wanted
    books.keeper.apply(CancelFailed(first.client_id, "no answer"))
    assert told(books.now(first.client_id)) == (OrderState.SUBMITTED, CommandState.CONFIRMED)


@pytest.mark.parametrize("state", [OrderState.CANCELLED, OrderState.EXPIRED])
def test_an_order_that_the_venue_ended_frees_its_slot(books: Books, state: OrderState) -> None:
    first = books.rest(books.buys[0])
    books.keeper.apply(Closed(first.client_id, state, "the venue says so"))
    after = books.now(first.client_id)
    assert (after.state, after.is_final, after.note) == (state, True, "the venue says so")
    # the core may plan anew for the slot, but never under the same numbers
    for other in books.keeper.records():
        assert (other.client_id, other.core_id) != (first.client_id, first.core_id)


def test_a_fill_is_booked_with_its_base_fee_and_answered_by_a_sale(books: Books) -> None:
    first = books.rest(books.buys[0])
    cash = books.keeper.cash
    trade = books.fill(first)
    assert books.now(first.client_id).state is OrderState.FILLED
    assert books.keeper.cash == cash - trade.price * trade.quantity
    assert books.keeper.expected()[MARKET.base] == OTHER_BASE + trade.quantity - trade.fee
    sales = [one for one in books.keeper.records() if one.slot == first.slot]
    assert [one.side for one in sales] == [-1]
    assert sales[0].lots <= first.lots
    assert sales[0].limit_ticks > first.limit_ticks


def test_a_fee_in_quote_reduces_cash_and_one_in_a_third_asset_neither(books: Books) -> None:
    first, second = (books.rest(one) for one in books.buys[:2])
    cash = books.keeper.cash
    for record, asset in ((first, MARKET.quote), (second, "BNB")):
        trade = books.trade(record, 100, fee=Decimal("0.07"), fee_asset=asset)
        books.keeper.apply(Filled(record.client_id, trade))
        cash -= trade.price * trade.quantity + (trade.fee if asset == MARKET.quote else 0)
        assert books.keeper.cash == cash
    assert books.keeper.expected()[MARKET.base] == OTHER_BASE + MARKET.quantity(200)


def test_partial_fills_add_up(books: Books) -> None:
    first = books.rest(books.buys[0])
    books.fill(first, first.lots - 40)
    half = books.now(first.client_id)
    assert (half.state, half.filled_lots) == (OrderState.PARTIAL, first.lots - 40)
    books.fill(half, 40)
    assert told(books.now(first.client_id)) == (OrderState.FILLED, CommandState.CONFIRMED)
    assert books.journal.filled_lots(first.client_id) == first.lots


def test_lesson_05_a_trade_told_again_changes_nothing(books: Books) -> None:
    first = books.rest(books.buys[0])
    trade = books.fill(first)
    before = books.snapshot()
    books.keeper.apply(Filled(first.client_id, trade))
    assert books.snapshot() == before
    with same_books_again(books) as restarted:
        restarted.keeper.apply(Filled(first.client_id, trade))
        assert restarted.snapshot() == before


def test_lesson_24_a_fill_after_the_cancel_counts(books: Books) -> None:
    first = books.rest(books.buys[0])
    books.keeper.apply(CancelSent(first.client_id))
    books.keeper.apply(Closed(first.client_id, OrderState.CANCELLED))
    late = books.trade(first, 300)
    books.keeper.apply(Filled(first.client_id, late))
    after = books.now(first.client_id)
    assert (after.state, after.filled_lots, after.is_final) == (OrderState.CANCELLED, 300, True)
    assert books.keeper.expected()[MARKET.base] == OTHER_BASE + late.quantity - late.fee
    # what came late is not bought again
    working = sum(one.lots for one in books.keeper.records() if one.slot == first.slot and one.side > 0)
    assert working + 300 <= first.lots


def test_a_fill_of_an_order_that_was_given_up_counts(books: Books) -> None:
    first = books.buys[0]
    books.keeper.apply(Sent(first.client_id, 1))
    books.keeper.apply(Refused(first.client_id, "it never arrived", code="E001"))
    books.fill(first, 200)
    after = books.now(first.client_id)
    assert (after.state, after.filled_lots) == (OrderState.CANCELLED, 200)
    assert books.journal.filled_lots(first.client_id) == 200


def test_more_than_an_order_has_left_is_refused_and_changes_nothing(books: Books) -> None:
    first = books.rest(books.buys[0])
    books.fill(first, first.lots - 10)
    before = books.snapshot()
    with pytest.raises(StateCorrupt, match=rf"more than the 0\.00010 that order {first.client_id} has left") as caught:
        books.keeper.apply(Filled(first.client_id, books.trade(first, 11)))
    assert str(caught.value).count(". ") == 0
    assert books.snapshot() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": Decimal("0.000015")},
        {"price": Decimal("30000.05")},
        {"side": -1},
    ],
)
def test_a_trade_that_does_not_fit_the_order_is_refused(books: Books, changes: dict[str, object]) -> None:
    first = books.rest(books.buys[0])
    before = books.snapshot()
    with pytest.raises(StateCorrupt, match="does not fit"):
        books.keeper.apply(Filled(first.client_id, books.trade(first, 10, **changes)))
    assert books.snapshot() == before


def test_one_trade_is_not_booked_for_two_orders(books: Books) -> None:
    first, second = (books.rest(one) for one in books.buys[:2])
    trade = books.fill(first, 10)
    before = books.snapshot()
    with pytest.raises(StateCorrupt, match=f"is told as one of order {second.client_id} and is booked for"):
        books.keeper.apply(Filled(second.client_id, books.trade(second, 10, trade_id=trade.trade_id)))
    assert books.snapshot() == before


def test_a_fact_about_an_order_that_is_not_in_the_books_is_refused(books: Books) -> None:
    with pytest.raises(StateCorrupt, match="the books have no order gb-k-999"):
        books.keeper.apply(Sent("gb-k-999", 1))


def test_lesson_07_the_fill_and_the_order_are_one_transaction(tmp_path: Path) -> None:
    with new_books(tmp_path / "journal.sqlite") as books:
        first = books.rest(books.buys[0])
        books.fill(first, 500)
        with same_books_again(books) as restarted:
            assert restarted.now(first.client_id).filled_lots == restarted.journal.filled_lots(first.client_id) == 500
            assert restarted.keeper.decider.position_microlots == 500 * 999_000


def test_money_that_comes_in_is_traded_with(books: Books) -> None:
    cash, quote = books.keeper.cash, books.keeper.expected()[MARKET.quote]
    books.keeper.funded(MARKET.quote, Decimal(5_000))
    assert books.keeper.cash == cash + 5_000
    assert books.keeper.expected()[MARKET.quote] == quote + 5_000
    assert "funded" in books.kinds()


def test_money_that_goes_out_is_taken_from_what_is_not_traded_with_first(books: Books) -> None:
    cash = books.keeper.cash
    books.keeper.funded(MARKET.quote, -OTHER_QUOTE + 1)
    assert books.keeper.cash == cash
    books.keeper.funded(MARKET.quote, Decimal(-11))
    assert books.keeper.cash == cash - 10
    assert books.keeper.expected()[MARKET.quote] == cash - 10
    assert books.keeper.halt_reason is None


def test_more_money_gone_than_the_session_has_halts_it(books: Books) -> None:
    gone = -(books.keeper.cash + OTHER_QUOTE + 1)
    books.keeper.funded(MARKET.quote, gone)
    assert books.keeper.halt_reason is not None
    assert "withdrawn" in books.keeper.halt_reason
    assert books.keeper.cash == SETTINGS.capital


def test_other_assets_are_noted_only(books: Books) -> None:
    cash, base = books.keeper.cash, books.keeper.expected()[MARKET.base]
    books.keeper.funded(MARKET.base, Decimal("0.5"))
    assert (books.keeper.cash, books.keeper.expected()[MARKET.base]) == (cash, base + Decimal("0.5"))


def test_the_quote_balance_is_not_compared_while_others_trade_on_the_account(books: Books) -> None:
    assert MARKET.quote in books.keeper.expected()
    books.alone = False
    assert set(books.keeper.expected()) == {MARKET.base}
    books.alone = True
    assert set(books.keeper.expected()) == {MARKET.base}
    assert books.keeper.may_learn_other_quote
    books.keeper.set_other_money(Decimal(7), OTHER_BASE)
    assert books.keeper.expected()[MARKET.quote] == books.keeper.cash + 7


def test_a_halt_stays_through_a_restart_until_a_person_resumes(books: Books) -> None:
    books.keeper.halt("the account holds too little")
    books.keeper.halt("another reason")
    assert books.keeper.halt_reason == "the account holds too little"
    assert books.kinds().count("halted") == 1
    with same_books_again(books) as restarted:
        assert restarted.keeper.halt_reason == "the account holds too little"
        before = {one.client_id for one in restarted.keeper.records()}
        restarted.candle(HISTORY + 1)
        assert {one.client_id for one in restarted.keeper.records()} <= before
        restarted.keeper.resume()
        with same_books_again(restarted) as resumed:
            assert resumed.keeper.halt_reason is None
            resumed.candle(HISTORY + 2)
            assert resumed.keeper.decider.halted is Halt.NONE


def test_an_exit_after_a_restart_is_bounded_when_the_spread_was_wide(books: Books) -> None:
    first = books.rest(books.buys[0])
    books.fill(first)
    price = first.limit_ticks + 5
    books.price(price, narrow=False)
    books.keeper.flush()
    with same_books_again(books) as restarted:
        restarted.keeper.tell(Ordered(flatten=True))
        sale = next(one for one in restarted.keeper.records() if one.side < 0 and not one.cancel_wanted)
        give = round(price * SETTINGS.orders.market_spread)
        assert sale.limit_ticks == price - give


def test_an_input_that_breaks_the_core_is_kept_and_the_core_is_not_saved(books: Books) -> None:
    books.keeper.flush()
    before = books.snapshot()["core"]
    with pytest.raises(InvariantBroken):
        books.keeper.tell(Funded(-(10**14)))
    crash = next(event for event in books.journal.events() if event.kind == "crashed")
    assert crash.data["kind"] == "InvariantBroken"
    assert list(decoded(bytes.fromhex(str(crash.data["frames"])))) == [Funded(-(10**14))]
    with same_books_again(books) as restarted:
        assert restarted.snapshot()["core"] == before


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["send", "accept", "silent", "refuse", "fill", "cancel", "cancel_failed", "close", "price"]),
        st.integers(0, 7),
        st.integers(1, 2_000),
    ),
    min_size=1,
    max_size=40,
)


def act(books: Books, action: str, record: OrderRecord, number: int) -> None:
    keeper, name = books.keeper, record.client_id
    is_there = record.command in (CommandState.CONFIRMED, CommandState.CANCEL_PENDING)
    match action:
        case "send" if record.is_planned or record.is_unresolved:
            keeper.apply(Sent(name, number))
        case "accept" if record.is_unresolved:
            keeper.apply(Accepted(name, f"x-{name}", resting=bool(number % 2)))
        case "silent" if record.is_unresolved:
            keeper.apply(Silent(name, "no answer", asked=bool(number % 2)))
        case "refuse" if record.is_unresolved:
            keeper.apply(Refused(name, "no"))
        case "fill" if is_there and record.filled_lots < record.lots:
            lots = min(number, record.lots - record.filled_lots)
            price = MARKET.price(record.limit_ticks or 288_000)
            keeper.apply(Filled(name, books.trade(record, lots, price=price)))
        case "cancel" if record.command is CommandState.CONFIRMED and not record.is_final:
            keeper.apply(CancelSent(name))
        case "cancel_failed" if record.command is CommandState.CANCEL_PENDING and not record.is_final:
            keeper.apply(CancelFailed(name, "no answer"))
        case "close" if is_there and not record.is_final:
            keeper.apply(Closed(name, OrderState.CANCELLED))
        case "price":
            books.price(280_000 + 10 * number, narrow=bool(number % 2))
        case _:
            pass


@given(ACTIONS)
def test_whatever_the_venue_tells_the_books_add_up_and_a_restart_has_the_same(
    actions: list[tuple[str, int, int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder, new_books(Path(folder) / "journal.sqlite") as books:
        for action, which, number in actions:
            # final orders too: their fills may come late
            records = books.journal.orders()
            act(books, action, records[which % len(records)], number)
            quote, base = SETTINGS.capital + OTHER_QUOTE, OTHER_BASE
            for booked in books.journal.fills():
                quote -= booked.fill.side * booked.fill.price * booked.fill.quantity
                base += booked.fill.side * booked.fill.quantity - booked.fill.fee
            assert books.keeper.expected() == {MARKET.quote: quote, MARKET.base: base}
            for record in books.journal.orders():
                assert record.filled_lots == books.journal.filled_lots(record.client_id) <= record.lots
        books.keeper.flush()
        before = books.snapshot()
        with same_books_again(books) as restarted:
            assert restarted.snapshot() == before
