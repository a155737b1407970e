"""Sentences with several wishes: where they may be cut, in which order, and where never."""

from __future__ import annotations

import pytest

from automation.assistant.examples import load_said
from automation.assistant.router import Router
from automation.assistant.splitting import Splitter
from tests.automation.assistant.test_router import lines


@pytest.fixture(scope="module")
def splitter() -> Splitter:
    return Splitter(example.sentence.split()[0] for example in load_said() if example.command)


@pytest.mark.parametrize(
    ("sentence", "pieces"),
    [
        ("stop night-grid; then show the report", ["stop night-grid", "show the report"]),
        ("fix the tests, once that's done check the health", ["fix the tests", "check the health"]),
        ("before you stop night-grid, show me its orders", ["show me its orders", "stop night-grid"]),
        ("after you've reviewed grid.py, write tests for it", ["reviewed grid.py", "write tests for it"]),
        ("turn it down, no, hang on, show it to me first", ["show it to me first"]),
        ('explain "a, then b"', ['explain "a, then b"']),
        ("review my changes, bail if score < 7", ["review my changes, bail if score < 7"]),
        ("stop the session and cancel all orders", ["stop the session and cancel all orders"]),
        ("backtest bitcoin and ether from may to june", ["backtest bitcoin and ether from may to june"]),
    ],
)
def test_pieces_stand_in_the_order_in_which_they_are_to_be_done(
    sentence: str, pieces: list[str], splitter: Splitter
) -> None:
    assert [piece.text for piece in splitter.pieces(sentence)] == pieces


def test_one_verb_with_two_things_that_need_a_line_each(router: Router) -> None:
    assert lines(router, "stop both the btc and the eth sessions") == ["stop paper-btc-usdt", "stop paper-eth-usdt"]
    assert lines(router, "are the kraken and binance keys still valid?") == ["keys test kraken", "keys test binance"]


def test_its_means_what_a_piece_before_names(router: Router) -> None:
    assert lines(router, "stop night-grid and write me its report") == ["stop night-grid", "sessions report night-grid"]
