"""A journal keeps what was committed, all of it and exactly once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.orders.journal_samples import FACTS, book, is_done, new_journal, order, rests, step, trade
from trading.errors import Refused, UsageError
from trading.orders.journal import Journal, JournalFailed
from trading.orders.journal_rows import ORDER_COLUMNS, EquityPoint, InputBatch, order_of_row, order_row
from trading.orders.records import OrderRecord
from trading.orders.states import CommandState, OrderState


@pytest.fixture
def journal(tmp_path: Path):
    with new_journal(tmp_path / "s" / "journal.sqlite") as journal:
        yield journal


def _write(journal: Journal, *writes: Callable[[], object]) -> None:
    with journal.transaction():
        for write in writes:
            write()


def test_facts_survive_a_restart_to_the_last_digit(tmp_path: Path) -> None:
    path = tmp_path / "j"
    new_journal(path).close()
    with Journal.open(path) as journal:
        assert journal.facts == FACTS
        assert str(journal.facts.capital) == "1000.50"


def test_a_session_is_created_once(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with new_journal(path) as journal:
        step(journal, 0)
    with pytest.raises(Refused, match="holds a session already"):
        new_journal(path)
    with Journal.open(path) as journal:
        assert journal.order_count() == 1


def test_a_missing_journal_is_not_made_by_opening_it(tmp_path: Path) -> None:
    for opened in (Journal.open, Journal.read):
        with pytest.raises(UsageError, match="there is no journal"):
            opened(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


@given(
    st.builds(
        OrderRecord,
        client_id=st.text(min_size=1, max_size=36),
        core_id=st.integers(0, 2**62),
        slot=st.integers(-1, 500),
        side=st.sampled_from([1, -1]),
        lots=st.integers(1, 2**62),
        limit_ticks=st.integers(0, 2**62),
        taker=st.booleans(),
        why=st.integers(0, 50),
        created_ms=st.integers(0, 2**53),
        state=st.sampled_from(OrderState),
        command=st.none() | st.sampled_from(CommandState),
        cancel_wanted=st.booleans(),
        exchange_id=st.none() | st.text(min_size=1),
        filled_lots=st.integers(0, 2**62),
        sends=st.integers(0, 9),
        sent_ms=st.integers(0, 2**53),
        checks=st.integers(0, 9),
        note=st.text(),
    )
)
def test_every_field_of_an_order_comes_back_as_it_was(record: OrderRecord) -> None:
    *values, is_open, crc = order_row(record)
    assert len(values) == len(fields(OrderRecord)) == len(ORDER_COLUMNS)
    assert order_of_row([*values, crc], "here") == record
    assert is_open == (not record.is_final)


def test_numbers_of_the_core_are_kept_as_plain_numbers(journal: Journal) -> None:
    core_id, lots = np.array([5, 12], dtype=np.int64)
    with journal.transaction():
        journal.add_order(order(1, core_id=core_id, lots=lots))
        journal.add_equity(*np.arange(5))
    assert journal.orders() == [order(1, core_id=5, lots=12)]
    assert type(journal.orders()[0].lots) is int
    assert journal.equity() == [EquityPoint(0, 1, 2, 3, 4)]
    with pytest.raises(TypeError), journal.transaction():
        journal.add_order(order(2, lots=1.5))


def test_an_order_is_found_by_each_of_its_ids(journal: Journal) -> None:
    with journal.transaction():
        journal.add_order(rests(1))
        journal.add_order(order(2))
    assert journal.order("s-1") == rests(1)
    assert journal.order_of("x1") == rests(1)
    assert journal.order_of_core(2) == order(2)
    assert journal.order("s-3") is None
    assert journal.order_of("x2") is None
    assert journal.order_of_core(-1) is None


def test_a_venue_that_gives_an_id_again_means_the_newer_order(journal: Journal) -> None:
    with journal.transaction():
        journal.add_order(is_done(1, exchange_id="same"))
        journal.add_order(rests(2, exchange_id="same"))
    assert journal.order_of("same") == rests(2, exchange_id="same")


def test_an_order_is_replaced_whole(journal: Journal) -> None:
    with journal.transaction():
        journal.add_order(order(1))
    changed = replace(
        rests(1),
        cancel_wanted=True,
        command=CommandState.CANCEL_PENDING,
        filled_lots=4,
        sends=2,
        sent_ms=9,
        note="late",
    )
    with journal.transaction():
        journal.update_order(changed)
    assert journal.orders() == [changed]


def test_an_order_that_was_never_added_cannot_change(journal: Journal) -> None:
    with pytest.raises(UsageError, match="has no order s-1"), journal.transaction():
        journal.update_order(order(1))


@pytest.mark.parametrize("second", [order(2, client_id="s-1"), order(2, core_id=1)])
def test_no_two_orders_share_an_id(journal: Journal, second: OrderRecord) -> None:
    with journal.transaction():
        journal.add_order(order(1))
    with pytest.raises(JournalFailed, match="each order once"):
        _write(journal, lambda: journal.set_meta("x", "y"), lambda: journal.add_order(second))
    assert journal.orders() == [order(1)]
    assert journal.meta("x") is None


def test_orders_outside_the_core_may_lack_its_number(journal: Journal) -> None:
    with journal.transaction():
        journal.add_order(order(1, core_id=-1))
        journal.add_order(order(2, core_id=-1))
    assert journal.order_count() == 2


def test_only_orders_that_are_not_final_need_work(journal: Journal) -> None:
    unsent, unsure = order(1), order(2, command=CommandState.UNRESOLVED, sends=1)
    working = [unsent, unsure, rests(3), rests(4, state=OrderState.PARTIAL, filled_lots=2)]
    done = [
        is_done(5),
        rests(6, state=OrderState.CANCELLED, command=CommandState.CANCEL_PENDING, cancel_wanted=True),
        order(7, command=CommandState.DENIED),
        order(8, command=CommandState.REJECTED),
        rests(9, state=OrderState.EXPIRED),
    ]
    with journal.transaction():
        for record in (*done, *working):
            journal.add_order(record)
    assert journal.open_records() == working
    with journal.transaction():
        journal.update_order(is_done(3))
    assert journal.open_records() == [unsent, unsure, working[3]]


def test_open_orders_are_found_without_a_look_at_the_others(journal: Journal) -> None:
    plan = journal._rows(
        "EXPLAIN QUERY PLAN SELECT * FROM orders INDEXED BY open_orders WHERE is_open = 1 ORDER BY seq"
    )
    assert [row[3] for row in plan] == ["SCAN orders USING INDEX open_orders"]
    for question, name in (
        ("SELECT sum(lots) FROM fills WHERE client_id = 'a'", "fills_of_an_order"),
        ("SELECT max(time_ms) FROM fills", "fills_by_time"),
        ("SELECT * FROM orders WHERE exchange_id = 'a' ORDER BY seq DESC LIMIT 1", "venue_orders"),
    ):
        assert name in str(journal._rows(f"EXPLAIN QUERY PLAN {question}")[0][3])


def test_orders_come_in_pages(journal: Journal) -> None:
    with journal.transaction():
        for number in range(1, 8):
            journal.add_order(order(number))
    assert [record.core_id for record in journal.orders(3, 2)] == [3, 4, 5]
    assert [record.core_id for record in journal.orders(2, newest_first=True)] == [7, 6]
    assert [record.core_id for record in journal.orders(offset=5)] == [6, 7]


def test_a_trade_is_booked_once_however_often_it_is_told(journal: Journal) -> None:
    with journal.transaction():
        journal.add_order(rests(1))
        assert book(journal, trade(1))
        assert not book(journal, trade(1))
    with journal.transaction():
        assert not book(journal, replace(trade(1), fee=Decimal(0), time_ms=99))
        assert book(journal, trade(2, time_ms=4), lots=4)
    assert journal.filled_lots("s-1") == 7
    assert journal.filled_lots("s-2") == 0
    assert journal.fill_count() == 2
    assert journal.last_fill_ms() == 5


def test_the_same_trade_id_on_another_market_is_another_trade(journal: Journal) -> None:
    with journal.transaction():
        journal.add_order(rests(1))
        assert book(journal, trade(1))
        assert book(journal, replace(trade(1), symbol="ETH/USDT"))
    assert journal.fill_count() == 2


def test_both_sides_of_a_trade_with_ourselves_are_booked(journal: Journal) -> None:
    with journal.transaction():
        journal.add_order(rests(1))
        journal.add_order(rests(2))
        assert book(journal, trade(1), "s-1")
        assert book(journal, trade(1, "s-2", side=-1), "s-2")
        assert not book(journal, trade(1, "s-2", side=-1), "s-2")
    assert [booked.side for booked in journal.fills()] == [1, -1]


def test_a_fill_comes_back_as_it_was_told_and_as_it_was_booked(journal: Journal) -> None:
    with journal.transaction():
        journal.add_order(rests(1))
        book(journal, trade(1))
    (booked,) = journal.fills("s-1")
    assert booked.fill == trade(1)
    assert str(booked.fill.quantity) == "0.0030"
    assert (booked.side, booked.price_ticks, booked.lots, booked.fee_microlots, booked.candle) == (1, 1001, 3, 3000, 2)
    assert journal.fills("s-2") == []


def test_a_fill_of_an_unknown_order_is_refused(journal: Journal) -> None:
    with pytest.raises(JournalFailed, match="FOREIGN KEY"), journal.transaction():
        book(journal, trade(1))
    assert journal.fill_count() == 0


def test_nothing_is_written_outside_a_transaction(journal: Journal) -> None:
    for write in (
        journal.next_client_seq,
        lambda: journal.add_order(order(1)),
        lambda: journal.update_order(order(1)),
        lambda: book(journal, trade(1)),
        lambda: journal.save_core(b"", 0),
        lambda: journal.add_inputs(0, 1, b"", b""),
        lambda: journal.checkpoint(0, 0),
        lambda: journal.note(0, "x", {}),
        lambda: journal.set_meta("a", "b"),
        lambda: journal.add_equity(0, 0, 0, 0, 0),
    ):
        with pytest.raises(UsageError, match="outside a transaction"):
            write()


def test_a_transaction_within_another_is_refused_and_undoes_both(journal: Journal) -> None:
    with pytest.raises(UsageError, match="open already"):
        _write(journal, lambda: journal.add_order(order(1)), lambda: _write(journal, lambda: book(journal, trade(1))))
    assert journal.order_count() == 0
    step(journal, 0)
    assert journal.order_count() == 1


def test_a_block_that_raises_leaves_nothing(journal: Journal) -> None:
    step(journal, 0)
    with pytest.raises(ZeroDivisionError):
        _write(
            journal,
            journal.next_client_seq,
            lambda: journal.add_order(order(9)),
            lambda: journal.save_core(b"other", 9),
            lambda: journal.note(1, "x", {"y": 1 / 0}),
        )
    assert journal.order_count() == 1
    assert journal.core()[1] == 1
    with journal.transaction():
        assert journal.next_client_seq() == 2


def test_client_sequence_rises_over_restarts(tmp_path: Path) -> None:
    given: list[int] = []
    new_journal(tmp_path / "j").close()
    for _ in range(3):
        with Journal.open(tmp_path / "j") as journal, journal.transaction():
            given += [journal.next_client_seq(), journal.next_client_seq()]
    assert given == [1, 2, 3, 4, 5, 6]


def test_the_core_is_replaced_in_place(journal: Journal) -> None:
    assert journal.core() is None
    assert not journal.has_core()
    for number in range(3):
        with journal.transaction():
            journal.save_core(b"state %d" % number, number)
    assert journal.core() == (b"state 2", 2)
    assert journal.has_core()


def test_twenty_checkpoints_are_kept_the_newest(journal: Journal) -> None:
    with pytest.raises(UsageError, match="no state of the core"), journal.transaction():
        journal.checkpoint(0, 0)
    for number in range(25):
        with journal.transaction():
            journal.save_core(b"state %d" % number, number)
            journal.checkpoint(1000 + number, number)
    kept = journal.checkpoints()
    assert [info.candle for info in kept] == list(range(24, 4, -1))
    assert journal.checkpoint_state(kept[-1]) == (b"state 5", 5)


def test_the_recording_has_no_gap_and_no_repetition(journal: Journal) -> None:
    with journal.transaction():
        journal.add_inputs(0, 3, b"abc", b"1")
        journal.add_inputs(3, 2, b"de", b"2")
    for first in (0, 4, 6):
        with pytest.raises(UsageError, match="goes on at 5"), journal.transaction():
            journal.add_inputs(first, 1, b"x", b"3")
    with pytest.raises(UsageError), journal.transaction():
        journal.add_inputs(5, 0, b"", b"3")
    assert journal.inputs_recorded() == 5


def test_the_recording_is_read_from_the_stretch_that_holds_an_input(journal: Journal) -> None:
    batches = [InputBatch(2 * number, 2, b"%d" % number, b"h") for number in range(1201)]
    assert list(journal.inputs()) == []
    with journal.transaction():
        for batch in batches:
            journal.add_inputs(batch.first, batch.count, batch.frames, batch.outputs)
    assert list(journal.inputs()) == batches
    assert list(journal.inputs(3)) == batches[1:]
    assert list(journal.inputs(2400)) == batches[1200:]
    assert list(journal.inputs(2402)) == []


def test_events_are_read_after_the_last_one_seen(journal: Journal) -> None:
    with journal.transaction():
        journal.note(1, "halted", {"reason": "limit", "loss": Decimal("1.5")})
        journal.note(2, "reconciled", {})
    first, second = journal.events()
    assert (first.time_ms, first.kind, first.data) == (1, "halted", {"reason": "limit", "loss": "1.5"})
    assert journal.events(first.id) == [second]
    assert journal.events(limit=1) == [first]
    assert journal.events(second.id) == []


def test_equity_has_one_point_a_candle(journal: Journal) -> None:
    with journal.transaction():
        journal.add_equity(60, 100, 90, 5, 7)
        journal.add_equity(120, 101, 90, 5, 8)
        journal.add_equity(120, 102, 90, 5, 9)
    assert [point.equity_units for point in journal.equity()] == [100, 102]
    assert [point.time_ms for point in journal.equity(61)] == [120]
    assert journal.last_equity().price_ticks == 9


def test_a_number_beyond_64_bits_is_refused_in_words(journal: Journal) -> None:
    with pytest.raises(UsageError, match="64 bits"), journal.transaction():
        journal.add_equity(0, 2**63, 0, 0, 0)
    assert journal.equity() == []


def test_the_hook_sees_each_statement_and_both_sides_of_a_commit(tmp_path: Path) -> None:
    points: list[str] = []
    with Journal.create(tmp_path / "j", FACTS, on_commit=points.append) as journal:
        points.clear()
        with journal.transaction():
            journal.note(0, "a", {})
            journal.set_meta("b", "c")
        assert points == ["begin", "write", "write", "before", "after"]
        points.clear()
        with suppress(UsageError), journal.transaction():
            journal.update_order(order(1))
        assert points == ["begin", "write"]


def test_closing_twice_does_nothing(tmp_path: Path) -> None:
    journal = new_journal(tmp_path / "j")
    journal.close()
    journal.close()
    assert not (tmp_path / "j-wal").exists()


def test_commits_wait_for_the_disk(journal: Journal) -> None:
    settings = {name: journal._row(f"PRAGMA {name}")[0] for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_the_file_is_plain_sqlite_for_whoever_looks_in(tmp_path: Path) -> None:
    with new_journal(tmp_path / "j") as journal:
        step(journal, 0)
    connection = sqlite3.connect(tmp_path / "j")
    assert connection.execute("SELECT client_id FROM orders").fetchall() == [("s-1",)]
    connection.close()
