"""What sentences name: files, sessions, coins, times, amounts."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.assistant.mentions import Mentions
from automation.assistant.moments import Span
from automation.assistant.names import Names
from automation.assistant.normalise import Speller, distance, normal
from automation.assistant.numbers import number_of
from automation.assistant.reading import read

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
SPELLER = Speller({"ethereum", "candles", "download", "quality", "session", "binance"})


def mentions(sentence: str, home: Path = Path("nowhere")) -> Mentions:
    return read(sentence, Names(home), SPELLER, NOW).mentions


@pytest.mark.parametrize(
    ("sentence", "kind", "value"),
    [
        ("backtest with 5 minute candles", "timeframe", "5m"),
        ("candles of 15 minutes please", "timeframe", "15m"),
        ("on 1h bars", "timeframe", "1h"),
        ("hourly bitcoin candles", "timeframe", "1h"),
        ("for two hours", "duration", 120.0),
        ("carefully, for half an hour", "duration", 30.0),
        ("in at most 90 minutes", "duration", 90.0),
        ("over the last week", "span", Span("2026-11-14", age="7d")),
        ("since yesterday", "span", Span("2026-11-20")),
        ("from 2025-01-01 to 2025-02-01", "span", Span("2025-01-01", "2025-02-01")),
        ("in march 2025", "span", Span("2025-03-01", "2025-04-01")),
        ("between january and march 2025", "span", Span("2025-01-01", "2025-04-01")),
        ("at 2025-04-05T12:00", "span", Span("2025-04-05T12:00", "2025-04-06")),
        ("on 5 April 2025 at noon", "span", Span("2025-04-05T12:00", "2025-04-06")),
        ("eth against euros", "symbol", "ETH/EUR"),
        ("BTCUSDT", "symbol", "BTC/USDT"),
        ("some Solana", "symbol", "SOL/USDT"),
        ("on Kraken's testnet", "exchange", "kraken"),
        ("be very careful", "risk", "conservative"),
        ("see trading/engine/grid.py::recentre", "python", "trading/engine/grid.py::recentre"),
        ("load prices/eth.csv.gz", "candle file", "prices/eth.csv.gz"),
        ("what is in service.log?", "log", "service.log"),
        ("use my-model.gguf", "gguf", "my-model.gguf"),
        ("pull qwen2.5-coder:1.5b", "model", "qwen2.5-coder:1.5b"),
        ("what is grid.spacing?", "setting", "grid.spacing"),
        ("with grid.spacing=0.02", "assignment", "grid.spacing=0.02"),
        ("resume 20261119-1745", "run", "20261119-1745"),
        ("why ZeroDivisionError: float division", "error", "ZeroDivisionError: float division"),
        ("repair ../shop", "folder", "../shop"),
        ("document parse_symbol", "identifier", "parse_symbol"),
        ("a session called night-owl", "session", "night-owl"),
    ],
)
def test_a_sentence_names(sentence: str, kind: str, value: object) -> None:
    assert mentions(sentence).first(kind) == value


def test_money_is_no_year_and_an_age_no_length_of_work() -> None:
    found = mentions("with 2000 dollars and what is older than 30 days")
    assert [str(each.value) for each in found.all("money")] == ["2000"]
    assert found.first("number", "older_than") == 30
    assert not found.all("span")
    assert not found.all("duration")


def test_what_is_quoted_keeps_its_slips() -> None:
    assert mentions('explain "donwload falied"').first("command") == "donwload falied"


def test_stored_sessions_are_known_by_name(bench_home: Path) -> None:
    assert mentions("how is night-grid doing", bench_home).first("session") == "night-grid"


def test_slips_are_put_right_and_real_words_stay() -> None:
    assert SPELLER.corrected("donwload etherium cnadles") == "download ethereum candles"
    assert SPELLER.corrected("half a quantity") == "half a quantity"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Could you please optimise the hot loop?", "optimize the hot loop"),
        ("what's the bot doing, please", "what is the bot doing"),
        ("I'd like to see the TUI", "see the tui"),
        ("would you mind reviewing my changes", "reviewing my changes"),
    ],
)
def test_frames_contractions_and_spelling_go(said: str, told: str) -> None:
    assert normal(said) == told


@pytest.mark.parametrize(
    ("text", "number"), [("2k", 2_000), ("two thousand", 2_000), ("1,500.5", 1_500.5), ("twenty five", 25)]
)
def test_numbers_in_digits_and_words(text: str, number: float) -> None:
    assert number_of(text) == number


@given(st.text(alphabet="abcde", max_size=6), st.text(alphabet="abcde", max_size=6))
def test_the_distance_of_words_is_symmetric_and_zero_for_equal_ones(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
    assert distance(one, other) <= max(len(one), len(other))


@given(st.text(max_size=120))
def test_any_text_can_be_read_and_its_mentions_do_not_overlap(text: str) -> None:
    found = list(mentions(text))
    assert all(one.end <= other.start for one, other in pairwise(found))
