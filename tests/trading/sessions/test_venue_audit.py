"""The audit of the crash tests finds each disagreement between the exchange and the journal that it is there for."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.trading.sessions.session_books import MARKET, OTHER_BASE, Books, new_books
from trading.orders.records import CancelSent, Closed
from trading.orders.states import OrderState
from trading.sessions.venue_audit import audit

Told = dict[str, Any]


def _order(record: Any, status: str, filled: int) -> Told:
    return {
        "client_id": record.client_id,
        "order_id": record.exchange_id,
        "side": "BUY" if record.side > 0 else "SELL",
        "status": status,
        "quantity": str(MARKET.quantity(record.lots)),
        "price": str(MARKET.price(record.limit_ticks)),
        "filled": str(MARKET.quantity(filled)),
    }


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Books, Told]]:
    """One order that filled, one that rests, one that was cancelled; and what the exchange says of them."""
    with new_books(tmp_path_factory.mktemp("audit") / "journal.sqlite") as books:
        bought, resting, gone = (books.rest(one) for one in books.buys[:3])
        trade = books.fill(bought)
        books.keeper.apply(CancelSent(gone.client_id))
        books.keeper.apply(Closed(gone.client_id, OrderState.CANCELLED))
        expected = books.keeper.expected()
        execution = {
            "trade_id": trade.trade_id,
            "client_id": bought.client_id,
            "side": "BUY",
            "price": str(trade.price),
            "quantity": str(trade.quantity),
            "fee": str(trade.fee),
            "fee_asset": trade.fee_asset,
        }
        told = {
            "orders": [
                _order(bought, "FILLED", bought.lots),
                _order(resting, "NEW", 0),
                _order(gone, "CANCELED", 0),
            ],
            "received": [{"kind": "place", "client_id": one.client_id} for one in (bought, resting, gone)],
            "executions": [execution],
            "repeated_client_ids": [],
            "balances": {"main": {asset: [str(amount), "0"] for asset, amount in expected.items()}},
        }
        yield books, told


def _findings(scene: tuple[Books, Told], change: Callable[[Told], object], *, at_rest: bool = True) -> list[str]:
    books, told = scene
    changed = copy.deepcopy(told)
    change(changed)
    return audit(changed, Path(books.path), at_rest=at_rest)


def test_what_agrees_is_no_finding(scene: tuple[Books, Told]) -> None:
    for at_rest in (False, True):
        assert _findings(scene, lambda told: None, at_rest=at_rest) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda told: told["repeated_client_ids"].append("gb-k-1"), "was accepted twice"),
        (lambda told: told["orders"].append({**told["orders"][1], "client_id": "gb-k-99"}), "does not know it"),
        (lambda told: told["orders"].pop(1), "the venue does not know it"),
        (lambda told: told["received"].append(told["received"][0]), "reached the venue 2 times"),
        (lambda told: told["orders"][1].update(side="SELL"), "side is 1 in the journal"),
        (lambda told: told["orders"][1].update(price="1.0"), "price is"),
        (lambda told: told["orders"][1].update(quantity="7"), "quantity is"),
        (lambda told: told["orders"][1].update(order_id="other"), "exchange id is"),
        (lambda told: told["orders"][2].update(status="NEW"), "is cancelled in the journal"),
        (lambda told: told["orders"][0].update(filled="0.1"), "filled is"),
        (lambda told: told["executions"].clear(), "was booked twice, or never happened"),
        (lambda told: told["executions"][0].update(fee="0"), "fee is"),
        (lambda told: told["executions"][0].update(client_id="gb-k-other"), "order is gb-k-"),
    ],
)
def test_what_no_instant_allows_is_found(
    scene: tuple[Books, Told], change: Callable[[Told], object], words: str
) -> None:
    for at_rest in (False, True):
        assert any(words in finding for finding in _findings(scene, change, at_rest=at_rest))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda told: told["orders"][1].update(status="FILLED"), "is FILLED at the venue and submitted"),
        (lambda told: told["orders"][1].update(filled="0.00001"), "filled is 0"),
        (lambda told: told["executions"].append({**told["executions"][0], "trade_id": "new"}), "is not in the journal"),
        (lambda told: told["balances"]["main"].update(USDT=["1", "0"]), "USDT: balance by the journal's fills"),
        (lambda told: told["balances"]["main"].update(SIM=[str(OTHER_BASE), "0"]), "SIM: balance by the core's books"),
    ],
)
def test_what_only_a_session_at_rest_must_know_is_found_then(
    scene: tuple[Books, Told], change: Callable[[Told], object], words: str
) -> None:
    assert any(words in finding for finding in _findings(scene, change))
    assert _findings(scene, change, at_rest=False) == []
