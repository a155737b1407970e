"""What sentences give to a command that is known."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest

from automation.assistant.answers import Context
from automation.assistant.arguments import fill
from automation.assistant.filling import Filling
from automation.assistant.names import COINS, EXCHANGES, Names
from automation.assistant.normalise import Speller
from automation.assistant.options import option_words
from automation.assistant.places import Places
from automation.assistant.reading import read
from automation.registry import gridbot_registry
from automation.requests import command_words

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]
OPEN_FILE = "trading/market/timeframes.py"
REGISTRY = gridbot_registry()
SPELLER = Speller({*COINS, *EXCHANGES, *option_words()})


@pytest.fixture(scope="module")
def places() -> Places:
    """The places of this repository."""
    return Places(ROOT)


def filled(command: str, sentence: str, home: Path, places: Places) -> list[str]:
    """Return the words of a command line behind the command's name, in their order."""
    names = Names(home)
    reading = read(sentence, names, SPELLER, NOW)
    context = Context(file=OPEN_FILE, home=home, clock=lambda: NOW)
    entry = REGISTRY[command]
    filling = Filling(command, entry.load_request(), reading, context, names, places)
    fill(filling)
    values = {name: value for name, value in filling.values.items() if value is not None}
    return command_words(entry, values)[len(command.split()) :]


def wanted(line: str) -> list[list[str]]:
    """Return the options of a line with their values, sorted, as their order means nothing."""
    return grouped(shlex.split(line))


def grouped(words: list[str]) -> list[list[str]]:
    """Return words with each option beside its value, sorted."""
    groups: list[list[str]] = []
    for word in words:
        if groups and groups[-1][0].startswith("--") and len(groups[-1]) == 1 and not word.startswith("--"):
            groups[-1].append(word)
        else:
            groups.append([word])
    return sorted(groups)


@pytest.mark.parametrize(
    ("command", "sentence", "line"),
    [
        # amounts in words, and what is written where
        (
            "backtest",
            "both ether and bitcoin out of one pot of half a million, save every fill to f.parquet",
            "--candles ETH/USDT --candles BTC/USDT --capital 500000 --fills f.parquet",
        ),
        (
            "backtest",
            "five grand in doge, quarter of an hour candles, even if some candles are missing",
            "--candles DOGE/USDT --timeframe 15m --capital 5000 --allow-gaps",
        ),
        (
            "backtest",
            "sol with the lines of the grid 2 percent apart, first quarter of 2026",
            "--candles SOL/USDT --set grid.spacing=0.02 --start 2026-01-01 --end 2026-04-01",
        ),
        ("paper", "as if it were today, over the candles in eth.parquet", "--candles eth.parquet"),
        (
            "paper",
            "trade ltc for an hour and a half, then pull whatever orders are still open",
            "--symbol LTC/USDT --max-minutes 90 --cancel-orders",
        ),
        ("data export", "bitcoin since the first of September, please", "--start 2026-09-01 BTC/USDT"),
        # options by their names and by other words
        ("exchange", "the clock goes sixty times as quick as the real one, one answer in ten a 500",
         "--speed 60 --fault error_500=0.1"),
        ("exchange", "50000 USDT and 2 BTC on the account", "--balance USDT=50000 --balance BTC=2"),
        ("review", "the folder trading/orders, not more than five remarks", "--limit 5 trading/orders"),
        ("review", "my uncommitted changes, bail if score < 7", "--diff --fail-under 7"),
        ("document", "this file in google style, just leave me a patch", f"--style google --land patch {OPEN_FILE}"),
        ("stop", "sell what night-grid holds, but do not cancel the orders", "--flatten night-grid"),
        ("clean", "all that is older than two weeks, without asking", "--older-than 14 --yes"),
        ("runs reject", "20261121-0912, it hides the bug", "--reason 'it hides the bug' 20261121-0912"),
        ("vscode install", "keys for cursor, please", "--editor cursor"),
        ("mcp", "over http on 9100", "--http --port 9100"),
        ("demo", "on a throw-away copy, seed 12, its report in show-me", "--seed 12 --report show-me"),
        # settings by what they mean, in their own unit
        ("config set", "let a nightly take 3 hours", "nightly.minutes 180"),
        ("config set", "sandbox procs should get 4096 mb", "sandbox.memory_mb 4096"),
        ("config set", "cap tokens at half a million per day", "budget.tokens_per_day 500000"),
        ("config set", "switch the repair memory off", "repair.memory false"),
        # code
        ("test", "kelly_share, no llm", "--model none trading/engine/sizing.py::kelly_share"),
        ("optimize", "the resample function is slow", "trading/market/resampling.py::resample"),
        ("fix", "self heal this repo, 15 mins", "--max-minutes 15"),
        ("fix", "the night session fell on its nose", "--session night-grid"),
        ("search", "Kindly locate for me, only in the folder trading/exchange, where is the rate limit handled",
         "--inside trading/exchange 'rate limit'"),
        ("search", "which fn pairs buys with sells", "--kind function 'pairs buys with sells'"),
        ("explain", "what is KeyError: 'close', please", '"KeyError: \'close\'"'),
        # runs
        ("runs show", "the very oldest run", "20261119-1745"),
        ("runs approve", "the change that waits for my blessing", "20261121-0912"),
        ("runs abandon", "the run of the 19th", "20261119-1745"),
    ],
)  # fmt: skip
def test_a_sentence_gives_its_command(command: str, sentence: str, line: str, bench_home: Path, places: Places) -> None:
    assert grouped(filled(command, sentence, bench_home, places)) == wanted(line)


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("fix", "ci is red again, make it green"),
        ("review", "review everything"),
        ("document", "undocumented functions everywhere, fill them in"),
        ("demo", "show how you repair yourself, on a throw-away copy"),
        ("stop", "never sell anything"),
        ("report", "I have a standup in ten minutes, one page please"),
    ],
)
def test_what_is_not_said_is_not_guessed(command: str, sentence: str, bench_home: Path, places: Places) -> None:
    assert filled(command, sentence, bench_home, places) == []
