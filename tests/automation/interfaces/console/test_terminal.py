"""The console in a real terminal, where secrets are typed and real money is agreed to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.automation.interfaces.console.terminal import Terminal
from tests.automation.interfaces.session_programs import KEYS, LIVELY, SYMBOL, Venue, set_words, venue
from trading.brokers.exchange_server.config import TEST_KEY, TEST_SECRET
from trading.orders.journal_reader import JournalReader
from trading.sessions.catalog import SessionCatalog

pytestmark = pytest.mark.slow

PASSPHRASE = "only for this test, and long"
NO_KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venue]:
    with venue(tmp_path_factory.mktemp("venue")) as there:
        yield there


def test_keys_are_typed_unseen_and_the_console_is_there_again_behind_them(tmp_path: Path) -> None:
    with Terminal(tmp_path, "--screen", "commands", variables=NO_KEYRING) as terminal:
        terminal.until("Nothing was run here yet")
        # what follows the sign is for the prompt, however fast it comes
        terminal.types("/keys set binance\r")
        terminal.until("This needs your word", "gridbot keys set binance")
        terminal.types("keys\r")
        terminal.until("nothing has run")
        terminal.types("keys set\r")
        for asked, typed in (("API key", TEST_KEY), ("Secret", TEST_SECRET), ("New passphrase", PASSPHRASE)):
            terminal.until(asked)
            assert not terminal.echoes
            terminal.types(f"{typed}\r")
        terminal.until("again")
        terminal.types(f"{PASSPHRASE}\r")
        terminal.until("are kept in the encrypted key file", "Enter returns")
        terminal.types("\r")
        terminal.until("Nothing was run here yet")
        terminal.types("q")
        assert terminal.ends() == 0
        assert terminal.echoes
        told = terminal.everything()
    assert not [secret for secret in (TEST_KEY, TEST_SECRET, PASSPHRASE) if secret in told]
    kept = (tmp_path / "keys.json").read_bytes()
    assert TEST_SECRET.encode() not in kept


def test_live_trades_once_its_name_was_typed_and_is_stopped_the_same_way(tmp_path: Path, exchange: Venue) -> None:
    place = f"--exchange binance --rest-url {exchange.url} --symbol {SYMBOL} --session real --history 120"
    line = f"live {place} {' '.join(set_words(*LIVELY, 'limits.daily_loss=1'))}"
    with Terminal(tmp_path, "--screen", "commands", variables=KEYS) as terminal:
        terminal.until("Nothing was run here yet")
        terminal.types(f"/{line}\r")
        terminal.until("This needs your word", "real money", "--live")
        terminal.types("yes\r")
        terminal.until("nothing has run")
        assert exchange.open_orders("real") == []
        terminal.types("live\r")
        terminal.until("started", "live BTC/USDT")
        terminal.types("1")
        terminal.until("live BTC/USDT", "running")
        terminal.types("/stop real --cancel-orders\r")
        terminal.until("This needs your word", "gridbot stop --cancel-orders real")
        terminal.types("stop\r")
        terminal.until("stop done")
        terminal.types("q")
        assert terminal.ends() == 0
        assert not [secret for secret in KEYS.values() if secret in terminal.everything()]
    assert not SessionCatalog(tmp_path).is_running("real")
    with JournalReader.read(SessionCatalog(tmp_path).files_of("real").journal) as journal:
        assert journal.facts.mode == "live"
        assert journal.order_count() > 0
    assert exchange.open_orders("real") == []
