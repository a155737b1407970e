"""What the benchmark accepts as the same command line, and what it does not."""

from __future__ import annotations

import pytest

from automation.assistant.places import Places
from automation.registry import gridbot_registry
from benchmarks.assistant import ROOT
from benchmarks.assistant_lines import asks_the_same, parsed

REGISTRY = gridbot_registry()


@pytest.fixture(scope="module")
def places() -> Places:
    return Places(ROOT)


def agree(places: Places, wanted: str, found: str) -> bool:
    return asks_the_same(parsed(wanted, REGISTRY), parsed(found, REGISTRY), places)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("data download BTC/USDT --timeframe 1m", "data download BTC/USDT"),
        ('search "pairs buys with sells"', 'search "which code pairs buys with sells"'),
        ("review trading/engine/", "review trading/engine"),
        ("config set grid.levels 9.0", "config set grid.levels 9"),
        ("improvement report --since 4w", "improvement report --since 28d"),
        ("test kelly_share", "test trading/engine/sizing.py::kelly_share"),
    ],
)
def test_the_same_said_otherwise_is_accepted(places: Places, wanted: str, found: str) -> None:
    assert agree(places, wanted, found)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("data download BTC/USDT --timeframe 5m", "data download BTC/USDT"),
        ('search "pairs buys with sells"', 'search "sells"'),
        ("stop paper-btc-usdt", "stop paper-eth-usdt"),
        ("test kelly_share", "test trading/engine/sizing.py"),
        ("stop night-grid", "stop"),
    ],
)
def test_what_differs_is_not(places: Places, wanted: str, found: str) -> None:
    assert not agree(places, wanted, found)
