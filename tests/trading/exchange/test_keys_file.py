"""The encrypted key file: only its passphrase opens it, nothing in it is readable, no write leaves half a file."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import Refused, UsageError
from trading.exchange.credentials import Credentials
from trading.exchange.keys_file import STRONG_COST, EncryptedKeyFile
from trading.exchange.private_files import write_private

KEYS = Credentials("AKIA-0123456789-abcdef", "s3cr3t-of-the-account", "third")
QUICK = 2**10
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(str.strip)


def opened(path: Path, passphrase: str = "correct horse") -> EncryptedKeyFile:
    return EncryptedKeyFile(path, lambda _: passphrase, cost=QUICK)


def test_keys_come_back_under_the_same_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "new" / "keys.json"
    opened(path).set("binance", KEYS)
    opened(path).set("kraken", Credentials("k", "s"))
    again = opened(path)
    assert again.exchanges() == ["binance", "kraken"]
    assert again.get("binance") == KEYS
    assert again.get("coinbase") is None


@given(api_key=TEXT, secret=TEXT, password=st.none() | TEXT)
def test_any_keys_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, api_key: str, secret: str, password: str | None
) -> None:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    keys = Credentials(api_key.strip(), secret.strip(), password)
    opened(path).set("x", keys)
    assert opened(path).get("x") == keys


def test_nothing_of_the_keys_is_readable_and_nobody_else_may_read(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    opened(path).set("binance", KEYS)
    text = path.read_text()
    for hidden in (*KEYS.hidden_values, "binance", "correct horse"):
        assert hidden not in text
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_write_has_a_salt_and_a_nonce_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    seen = set()
    for _ in range(3):
        opened(path).set("binance", KEYS)
        sealed = json.loads(path.read_text())
        seen |= {sealed["salt"], sealed["nonce"], sealed["sealed"]}
    assert len(seen) == 9


def test_a_wrong_passphrase_opens_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    opened(path).set("binance", KEYS)
    before = path.read_bytes()
    with pytest.raises(Refused, match="the passphrase is wrong"):
        opened(path, "wrong horse").get("binance")
    with pytest.raises(Refused, match="the passphrase is wrong"):
        opened(path, "wrong horse").set("kraken", KEYS)
    assert path.read_bytes() == before


@pytest.mark.parametrize("field", ["cost", "salt", "nonce", "sealed"])
def test_a_changed_file_does_not_open(tmp_path: Path, field: str) -> None:
    path = tmp_path / "keys.json"
    opened(path).set("binance", KEYS)
    sealed = json.loads(path.read_text())
    old = sealed[field]
    sealed[field] = old * 2 if field == "cost" else ("B" if old[0] != "B" else "C") + old[1:]
    path.write_text(json.dumps(sealed))
    with pytest.raises(Refused):
        opened(path).get("binance")


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "not json", '{"format":"gridbot-keys-1","cost":1073741824,"salt":"","nonce":"","sealed":""}'],
)
def test_what_is_no_key_file_is_refused_before_any_work(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    write_private(path, text)
    with pytest.raises(Refused, match="no key file"):
        EncryptedKeyFile(path, lambda _: pytest.fail("the passphrase was asked for")).get("binance")


@pytest.mark.skipif(os.name != "posix", reason="Windows has other permissions")
def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    opened(path).set("binance", KEYS)
    path.chmod(0o640)
    with pytest.raises(Refused, match="chmod 600"):
        opened(path).get("binance")


def test_a_short_passphrase_is_refused_for_a_new_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 8"):
        opened(tmp_path / "keys.json", "short").set("binance", KEYS)
    assert not (tmp_path / "keys.json").exists()


def test_the_default_cost_is_the_recommended_one(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    EncryptedKeyFile(path, lambda _: "correct horse").set("binance", KEYS)
    assert json.loads(path.read_text())["cost"] == STRONG_COST == 131_072
    assert opened(path).get("binance") == KEYS


def test_removed_keys_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    assert not opened(path).remove("binance")
    opened(path).set("binance", KEYS)
    opened(path).set("kraken", KEYS)
    assert opened(path).remove("binance")
    assert not opened(path).remove("binance")
    assert opened(path).exchanges() == ["kraken"]


def test_writers_at_once_lose_no_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    names = [f"exchange{number}" for number in range(6)]
    writers = [threading.Thread(target=opened(path).set, args=(name, KEYS)) for name in names]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert opened(path).exchanges() == names


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    write_private(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_private(path, "new \ud800")
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["keys.json"]
