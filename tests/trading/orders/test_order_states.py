"""The two machines: only legal states are reachable, final is final, and a late fill counts."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from trading.errors import UsageError
from trading.orders import (
    COMMAND_TRANSITIONS,
    FINAL_STATES,
    ORDER_TRANSITIONS,
    Command,
    CommandEvent,
    CommandState,
    IllegalTransition,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderState,
)

FILLS = (OrderEventKind.FILL, OrderEventKind.COMPLETE)


def order_in(state: OrderState) -> Order:
    filled = {OrderState.PARTIAL: 4, OrderState.FILLED: 10, OrderState.CANCELLED: 4}.get(state, 0)
    return Order("o-1", 1, 10, 500, state, filled)


class OrderLife(RuleBasedStateMachine):
    """Random messages of a venue, legal and not, against a count of our own."""

    @initialize(lots=st.integers(1, 50), side=st.sampled_from((1, -1)))
    def place(self, lots: int, side: int) -> None:
        self.order = Order("o-1", side, lots)
        self.counted = 0
        self.ended: OrderState | None = None

    @rule(kind=st.sampled_from(OrderEventKind), lots=st.integers(-1, 60))
    def venue_says(self, kind: OrderEventKind, lots: int) -> None:
        before = self.order
        event = OrderEvent(kind, lots if kind in FILLS else 0)
        try:
            self.order = before.apply(event)
        except IllegalTransition:
            assert self.order is before
            return
        self.counted += event.lots
        if before.state in FINAL_STATES:
            assert self.order.state is before.state
            assert not event.lots or before.state is OrderState.CANCELLED
        assert (before.state, self.order.state) in {(start, end) for (start, _), end in ORDER_TRANSITIONS.items()}

    @invariant()
    def filled_is_what_was_counted_and_never_over_ordered(self) -> None:
        assert self.order.filled_lots == self.counted
        assert 0 <= self.order.filled_lots <= self.order.lots
        assert self.order.state is not OrderState.FILLED or self.order.open_lots == 0
        assert self.order.state is not OrderState.PARTIAL or 0 < self.order.filled_lots < self.order.lots
        assert self.order.state not in (OrderState.SUBMITTED, OrderState.REJECTED) or self.order.filled_lots == 0


TestOrderLife = OrderLife.TestCase


@pytest.mark.parametrize(("state", "kind"), list(product(OrderState, OrderEventKind)))
def test_every_pair_is_either_in_the_table_or_refused(state: OrderState, kind: OrderEventKind) -> None:
    order = order_in(state)
    event = OrderEvent(kind, {OrderEventKind.FILL: 1, OrderEventKind.COMPLETE: order.open_lots}.get(kind, 0))
    if (state, kind) in ORDER_TRANSITIONS:
        assert order.apply(event).state is ORDER_TRANSITIONS[state, kind]
    else:
        with pytest.raises(IllegalTransition, match=r"o-1"):
            order.apply(event)


def test_lesson_24_fill_after_confirmed_cancel_counts() -> None:
    order = Order("o-1", 1, 10, 500).apply(OrderEvent(OrderEventKind.ACCEPT))
    cancelled = order.apply(OrderEvent(OrderEventKind.FILL, 3)).apply(OrderEvent(OrderEventKind.CANCEL))
    late = cancelled.apply(OrderEvent(OrderEventKind.FILL, 7))
    assert (late.state, late.filled_lots) == (OrderState.CANCELLED, 10)
    with pytest.raises(IllegalTransition, match="0 of 10 lots open"):
        late.apply(OrderEvent(OrderEventKind.FILL, 1))


def test_fill_before_the_acknowledgement_is_legal() -> None:
    filled = Order("o-1", -1, 2).apply(OrderEvent(OrderEventKind.FILL, 2))
    assert filled.apply(OrderEvent(OrderEventKind.ACCEPT)) == filled


def test_overfill_is_refused_with_its_numbers() -> None:
    with pytest.raises(IllegalTransition, match="has 4 of 4 lots open and cannot fill 5"):
        Order("o-9", 1, 4).apply(OrderEvent(OrderEventKind.FILL, 5))


@pytest.mark.parametrize("event", [OrderEvent(OrderEventKind.CANCEL, 2), OrderEvent(OrderEventKind.COMPLETE, 2)])
def test_event_with_wrong_lots_is_refused(event: OrderEvent) -> None:
    with pytest.raises(IllegalTransition):
        Order("o-1", 1, 4).apply(event)


@pytest.mark.parametrize(
    "fields",
    [{"side": 0, "lots": 1}, {"side": 1, "lots": 0}, {"side": 1, "lots": 2, "filled_lots": 3},
     {"side": 1, "lots": 1, "price_ticks": 0}],
)  # fmt: skip
def test_impossible_order_is_refused(fields: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="o-1"):
        Order("o-1", **fields)


@given(st.lists(st.sampled_from(CommandEvent), max_size=12))
def test_command_reaches_only_states_of_its_table(events: list[CommandEvent]) -> None:
    command = Command("o-1")
    for event in events:
        expected = COMMAND_TRANSITIONS.get((command.state, event))
        if expected is None:
            with pytest.raises(IllegalTransition, match="o-1"):
                command.apply(event)
        else:
            command = command.apply(event)
            assert command.state is expected


def test_every_command_state_is_reachable_and_denied_and_rejected_are_final() -> None:
    assert set(COMMAND_TRANSITIONS.values()) == set(CommandState)
    finals = {CommandState.DENIED, CommandState.REJECTED}
    assert not finals & {start for start, _ in COMMAND_TRANSITIONS}


def test_lesson_01_silence_does_not_end_a_command() -> None:
    command = Command("o-1").apply(CommandEvent.SEND)
    for _ in range(3):
        command = command.apply(CommandEvent.NO_ANSWER)
        assert command.state is CommandState.UNRESOLVED
        assert command.may_rest
    assert not command.apply(CommandEvent.REJECT).may_rest
    assert command.apply(CommandEvent.CONFIRM).state is CommandState.CONFIRMED


def test_refused_cancel_leaves_the_order_standing() -> None:
    command = Command("o-1", CommandState.CONFIRMED).apply(CommandEvent.CANCEL)
    assert command.apply(CommandEvent.NO_ANSWER).state is CommandState.CANCEL_PENDING
    assert command.apply(CommandEvent.REJECT).state is CommandState.CONFIRMED
