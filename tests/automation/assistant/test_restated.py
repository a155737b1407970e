"""What is taken back, and what is said again in short."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from automation.assistant.answers import Plan
from automation.assistant.names import Names
from automation.assistant.normalise import Speller
from automation.assistant.reading import Reading, read
from automation.assistant.restated import spoken_out
from automation.assistant.router import Router

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Names:
    return Names(tmp_path_factory.mktemp("home"))


def told(sentence: str, names: Names) -> str:
    speller = Speller(())

    def reader(text: str) -> Reading:
        return read(text, names, speller, NOW)

    return spoken_out(sentence, reader)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("backtest ether, sorry, bitcoin since June", "backtest bitcoin since June"),
        ("the exchange on port 9400, actually 9401", "the exchange on port 9401"),
        ("backtest bitcoin, then the same for ether", "backtest bitcoin, then backtest ether"),
        ("paper trade bitcoin and again with aggressive risk",
         "paper trade bitcoin, then paper trade bitcoin with aggressive risk"),
    ],
)  # fmt: skip
def test_what_is_meant_is_spoken_out(said: str, meant: str, names: Names) -> None:
    assert told(said, names) == meant


@pytest.mark.parametrize(
    "sentence",
    ["backtest bitcoin and ether", "actually stop night-grid", "run the tests again", "sorry, where is the grid laid"],
)
def test_what_takes_nothing_back_stays(sentence: str, names: Names) -> None:
    assert told(sentence, names) == sentence


@pytest.mark.parametrize(
    ("sentence", "lines"),
    [
        (
            "Before you stop night-grid, show me what it's holding.",
            ("gridbot sessions show night-grid", "gridbot stop night-grid"),
        ),
        ("stop both paper sessions", ("gridbot stop paper-btc-usdt", "gridbot stop paper-eth-usdt")),
        ("store my Kraken key and then test it", ("gridbot keys set kraken", "gridbot keys test kraken")),
        (
            "Explain what sandbox.memory_mb does and then bump it to 4096",
            ("gridbot config explain sandbox.memory_mb", "gridbot config set sandbox.memory_mb 4096"),
        ),
        (
            "run the strategy against btc_2024.csv and give me an html page in out/bt",
            ("gridbot backtest --candles btc_2024.csv --report out/bt",),
        ),
        (
            "download bitcoin minute and hourly candles",
            ("gridbot data download --timeframe 1m --timeframe 1h BTC/USDT",),
        ),
        ("write tests for the grid calculation function", ("gridbot test trading/engine/grid.py",)),
    ],
)  # fmt: skip
def test_a_later_wish_is_about_what_an_earlier_one_names(sentence: str, lines: tuple[str, ...], router: Router) -> None:
    routed = router.route(sentence)
    assert isinstance(routed, Plan)
    assert tuple(step.text for step in routed.steps) == lines
