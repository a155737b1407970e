"""Keys of accounts: where they are looked for, and that none is ever shown."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.errors import KeyringLocked, PasswordDeleteError

from trading.errors import GridBotError, Refused, UsageError
from trading.exchange.credentials import Credentials
from trading.exchange.keys import (
    API_KEY_VARIABLE,
    PASSPHRASE_VARIABLE,
    PASSWORD_VARIABLE,
    SECRET_VARIABLE,
    SECRET_VARIABLES,
    KeySource,
    find_keys,
    key_store,
    keys_in_environment,
)
from trading.exchange.keys_file import EncryptedKeyFile
from trading.setting_sources import load_settings

KEYS = Credentials("AKIA-0123456789-abcdef", "s3cr3t-of-the-account", None)
PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIBvXq3n5kTg1Zm5vY0o7\nAwEHoUQDQgAE\n-----END EC PRIVATE KEY-----"


class MemoryKeyring(KeyringBackend):
    """A system keyring at the edge of the machine: the real client in front, a dictionary behind."""

    priority = 5  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self._look()
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._look()
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._look()
        if self.entries.pop((service, username), None) is None:
            raise PasswordDeleteError("none")

    def _look(self) -> None:
        if self.locked:
            raise KeyringLocked("locked; the entry was s3cr3t-of-the-account")


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in SECRET_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def system_keyring() -> MemoryKeyring:
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    return backend


def test_printing_credentials_shows_their_fingerprint_only() -> None:
    keys = Credentials("AKIA-0123456789-abcdef", "s3cr3t", "pass-word")
    shown = f"{keys} {keys!r} {keys!s} {keys:>40} {[keys]} {{}} {'%s'}" % (keys,)
    for hidden in keys.hidden_values:
        assert hidden not in shown
    assert keys.fingerprint in shown
    assert len(keys.fingerprint) == 12


def test_the_fingerprint_names_the_account_and_not_the_secret() -> None:
    same = Credentials(KEYS.api_key, "another secret")
    other = Credentials("another key", KEYS.secret)
    assert same.fingerprint == KEYS.fingerprint != other.fingerprint


def test_a_short_api_key_is_masked_whole() -> None:
    assert Credentials("short", "s").masked == "…"
    assert KEYS.masked == "AKIA…cdef"


def test_credentials_survive_a_trip_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(KEYS)) == KEYS


def test_the_environment_comes_before_the_keyring(
    system_keyring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_store().set("binance", Credentials("kept-key", "kept-secret"))
    monkeypatch.setenv(API_KEY_VARIABLE, " given-key ")
    monkeypatch.setenv(SECRET_VARIABLE, "given-secret\n")
    monkeypatch.setenv(PASSWORD_VARIABLE, "third")
    found = find_keys("binance")
    assert found.source is KeySource.ENVIRONMENT
    assert found.credentials == Credentials("given-key", "given-secret", "third")


@pytest.mark.parametrize("there", [API_KEY_VARIABLE, SECRET_VARIABLE])
def test_half_of_the_keys_in_the_environment_is_an_error_that_names_the_other_half(
    there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(there, "half")
    missing = {API_KEY_VARIABLE, SECRET_VARIABLE} - {there}
    with pytest.raises(UsageError, match=f"{there} is set and {missing.pop()} is not") as error:
        keys_in_environment()
    assert "half" not in str(error.value)


def test_a_pem_in_one_line_gets_its_lines_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(API_KEY_VARIABLE, "organizations/1/apiKeys/2")
    monkeypatch.setenv(SECRET_VARIABLE, PEM.replace("\n", "\\n"))
    found = keys_in_environment()
    assert found is not None
    assert found.secret == PEM


def test_keys_in_the_environment_do_not_disturb_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(API_KEY_VARIABLE, "k")
    monkeypatch.setenv(SECRET_VARIABLE, "s")
    assert "exchange" not in load_settings().model_dump()


def test_a_keyring_keeps_lists_and_forgets(system_keyring: MemoryKeyring) -> None:
    store = key_store()
    assert store.source is KeySource.KEYRING
    assert store.exchanges() == []
    store.set("kraken", KEYS)
    store.set("binance", KEYS)
    store.set("binance", Credentials("newer", "newer-secret", "third"))
    assert store.exchanges() == ["binance", "kraken"]
    assert key_store().get("binance") == Credentials("newer", "newer-secret", "third")
    assert find_keys("kraken").source is KeySource.KEYRING
    assert store.remove("binance")
    assert not store.remove("binance")
    assert store.exchanges() == ["kraken"]
    assert {name for _, name in system_keyring.entries} == {"kraken", "(exchanges)"}


def test_a_locked_keyring_is_told_without_what_it_says(system_keyring: MemoryKeyring) -> None:
    system_keyring.locked = True
    store = key_store()
    for call in (lambda: store.get("binance"), lambda: store.set("binance", KEYS), lambda: store.remove("binance")):
        with pytest.raises(GridBotError, match="unlock it") as error:
            call()
        assert KEYS.secret not in str(error.value)


def test_a_damaged_entry_is_refused(system_keyring: MemoryKeyring) -> None:
    system_keyring.entries["gridbot", "binance"] = '{"api_key": "x"}'
    with pytest.raises(Refused, match="gridbot/binance holds no keys"):
        key_store().get("binance")


def test_a_keyring_that_writes_plain_files_is_not_used(system_keyring: MemoryKeyring) -> None:
    type(system_keyring).priority = 0.5  # type: ignore[assignment]
    try:
        assert key_store().source is KeySource.FILE
    finally:
        type(system_keyring).priority = 5  # type: ignore[assignment]


def test_without_a_keyring_keys_go_into_an_encrypted_file_of_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    EncryptedKeyFile(tmp_path / "keys.json", lambda _: "correct horse", cost=2**12).set("binance", KEYS)
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "correct horse")
    found = find_keys("binance", tmp_path)
    assert found.source is KeySource.FILE
    assert found.credentials == KEYS


def test_nobody_to_ask_for_the_passphrase_is_said(tmp_path: Path) -> None:
    EncryptedKeyFile(tmp_path / "keys.json", lambda _: "correct horse", cost=2**12).set("binance", KEYS)
    with pytest.raises(Refused, match=PASSPHRASE_VARIABLE):
        find_keys("binance", tmp_path)


def test_a_person_is_asked_for_the_passphrase(tmp_path: Path) -> None:
    EncryptedKeyFile(tmp_path / "keys.json", lambda _: "correct horse", cost=2**12).set("binance", KEYS)
    asked: list[bool] = []

    def ask(new: bool) -> str:
        asked.append(new)
        return "correct horse"

    assert find_keys("binance", tmp_path, ask).credentials == KEYS
    assert asked == [False]


def test_no_keys_anywhere_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="gridbot keys set kraken"):
        find_keys("kraken", tmp_path)
