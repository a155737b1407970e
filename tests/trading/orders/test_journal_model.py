"""Whatever is written, rolled back, crashed and opened again, a journal equals a plain model of it."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.trading.orders.journal_samples import book, crash, new_journal, order, trade
from trading.orders.journal import Journal
from trading.orders.journal_rows import InputBatch
from trading.orders.journal_writer import CHECKPOINTS_KEPT
from trading.orders.records import OrderRecord
from trading.orders.states import CommandState, OrderState


class _Undo(Exception):
    pass


class JournalMachine(RuleBasedStateMachine):
    """Random operations of a session, crashes among them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.orders: dict[str, OrderRecord] = {}
        self.fills: dict[tuple[str, int], tuple[str, int]] = {}
        self.sequence = 0
        self.core: tuple[bytes, int] | None = None
        self.checkpoints: list[tuple[bytes, int]] = []
        self.batches: list[InputBatch] = []
        self.events: list[dict[str, object]] = []

    @initialize()
    def begin(self) -> None:
        self.journal = new_journal(self.folder / "j")

    @rule(state=st.sampled_from(OrderState), command=st.none() | st.sampled_from(CommandState))
    def add_order(self, state: OrderState, command: CommandState | None) -> None:
        with self.journal.transaction():
            self.sequence += 1
            assert self.journal.next_client_seq() == self.sequence
            record = order(self.sequence, state=state, command=command)
            self.journal.add_order(record)
        self.orders[record.client_id] = record

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), state=st.sampled_from(OrderState), note=st.text(max_size=5))
    def update_order(self, data: st.DataObject, state: OrderState, note: str) -> None:
        chosen = data.draw(st.sampled_from(sorted(self.orders)))
        record = replace(self.orders[chosen], state=state, note=note, exchange_id=f"x-{chosen}")
        with self.journal.transaction():
            self.journal.update_order(record)
        self.orders[chosen] = record

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), number=st.integers(0, 9), side=st.sampled_from([1, -1]), lots=st.integers(1, 9))
    def tell_of_a_trade(self, data: st.DataObject, number: int, side: int, lots: int) -> None:
        chosen = data.draw(st.sampled_from(sorted(self.orders)))
        with self.journal.transaction():
            is_new = book(self.journal, trade(number, chosen, side), chosen, lots)
        assert is_new == ((f"t{number}", side) not in self.fills)
        self.fills.setdefault((f"t{number}", side), (chosen, lots))

    @rule(state=st.binary(max_size=300), count=st.integers(1, 4), keep=st.booleans())
    def end_a_candle(self, state: bytes, count: int, keep: bool) -> None:
        first = sum(batch.count for batch in self.batches)
        batch = InputBatch(first, count, state[:50], state[-32:])
        with self.journal.transaction():
            self.journal.add_inputs(batch.first, batch.count, batch.frames, batch.outputs)
            self.journal.save_core(state, first + count)
            if keep:
                self.journal.checkpoint(1, 1)
            self.journal.note(1, "candle", {"first": first})
        self.core = (state, first + count)
        self.batches.append(batch)
        self.events.append({"first": first})
        if keep:
            self.checkpoints.insert(0, self.core)
            del self.checkpoints[CHECKPOINTS_KEPT:]

    @rule()
    def write_and_think_better_of_it(self) -> None:
        with suppress(_Undo), self.journal.transaction():
            self.journal.add_order(order(self.journal.next_client_seq()))
            self.journal.save_core(b"never", 99)
            self.journal.note(1, "never", {})
            raise _Undo

    @rule()
    def crash_between_transactions(self) -> None:
        crash(self.journal)
        self.journal = Journal.open(self.folder / "j")

    @rule()
    def crash_within_a_transaction(self) -> None:
        with suppress(sqlite3.ProgrammingError), self.journal.transaction():
            self.journal.add_order(order(self.journal.next_client_seq()))
            crash(self.journal)
        self.journal = Journal.open(self.folder / "j")

    @rule()
    def close_and_open(self) -> None:
        self.journal.close()
        self.journal = Journal.open(self.folder / "j")

    @invariant()
    def equals_the_model(self) -> None:
        journal = self.journal
        known = list(self.orders.values())
        assert journal.orders() == known
        assert journal.open_records() == [record for record in known if not record.is_final]
        told = {(booked.fill.trade_id, booked.side): (booked.client_id, booked.lots) for booked in journal.fills()}
        assert told == self.fills
        for client_id in self.orders:
            assert journal.filled_lots(client_id) == sum(n for owner, n in self.fills.values() if owner == client_id)
        assert journal.core() == self.core
        assert [journal.checkpoint_state(info) for info in journal.checkpoints()] == self.checkpoints
        assert list(journal.inputs()) == self.batches
        assert [event.data for event in journal.events()] == self.events
        if self.core:
            assert journal.restore() == self.core

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.journal.close()
        shutil.rmtree(self.folder)


TestJournalModel = JournalMachine.TestCase
TestJournalModel.settings = settings(stateful_step_count=25)
