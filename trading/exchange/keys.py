"""Where the keys of exchange accounts are: the environment, the system's keyring, else an encrypted file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

from trading.errors import GridBotError, Refused, UsageError
from trading.exchange.credentials import Credentials
from trading.setting_sources import data_home

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

API_KEY_VARIABLE = "GRIDBOT_EXCHANGE__API_KEY"
SECRET_VARIABLE = "GRIDBOT_EXCHANGE__SECRET"  # noqa: S105 - the name of the variable
PASSWORD_VARIABLE = "GRIDBOT_EXCHANGE__PASSWORD"  # noqa: S105 - the name of the variable
PASSPHRASE_VARIABLE = "GRIDBOT_KEYS_PASSPHRASE"  # noqa: S105 - the name of the variable
SECRET_VARIABLES = (API_KEY_VARIABLE, SECRET_VARIABLE, PASSWORD_VARIABLE, PASSPHRASE_VARIABLE)

KEYS_FILE = "keys.json"
_SERVICE = "gridbot"
# A keyring cannot be asked for its entries: one of them lists the others; no exchange is called that.
_INDEX = "(exchanges)"
# Backends that keep passwords in plain files rank themselves below this.
_SAFE_PRIORITY = 1

AskPassphrase = Callable[[bool], str]


class KeySource(StrEnum):
    """Where keys were found."""

    ENVIRONMENT = "environment"
    KEYRING = "keyring"
    FILE = "file"

    @property
    def place(self) -> str:
        """How a sentence calls it."""
        return "encrypted key file" if self is KeySource.FILE else self.value


class KeyStore(Protocol):
    """A place that keeps keys by exchange."""

    @property
    def source(self) -> KeySource:
        """What kind of place it is."""
        ...

    def exchanges(self) -> list[str]:
        """Return the exchanges that it has keys of, in order."""
        ...

    def get(self, exchange_id: str) -> Credentials | None:
        """Return an exchange's keys; None when it has none."""
        ...

    def set(self, exchange_id: str, credentials: Credentials) -> None:
        """Keep an exchange's keys in place of older ones."""
        ...

    def remove(self, exchange_id: str) -> bool:
        """Forget an exchange's keys; False when there were none."""
        ...


@dataclass(frozen=True, slots=True)
class FoundKeys:
    """Keys and where they were found."""

    exchange_id: str
    credentials: Credentials
    source: KeySource


def find_keys(exchange_id: str, home: Path | None = None, ask: AskPassphrase | None = None) -> FoundKeys:
    """Return the keys of an exchange: the environment's, else those in the keyring or the encrypted file.

    Parameters
    ----------
    exchange_id : str
        ccxt's name of the exchange.
    home : Path, optional
        Data home; None is the user's own.
    ask : callable, optional
        Asks a person for the passphrase of the encrypted file (twice when told True); None asks nobody.

    Returns
    -------
    FoundKeys
        The keys and their source.

    Raises
    ------
    Refused
        When there are none, or the place that may have them cannot be opened.
    UsageError
        When the environment has a half of them.
    """
    found = keys_in_environment()
    if found is not None:
        return FoundKeys(exchange_id, found, KeySource.ENVIRONMENT)
    store = key_store(home, ask)
    found = store.get(exchange_id)
    if found is None:
        raise Refused(
            f"there are no keys of {exchange_id} in the environment ({API_KEY_VARIABLE}, {SECRET_VARIABLE}) or in the "
            f"{store.source.place}; `gridbot keys set {exchange_id}` keeps them"
        )
    return FoundKeys(exchange_id, found, store.source)


def keys_in_environment() -> Credentials | None:
    """Return the keys that the environment has; None without any.

    Raises
    ------
    UsageError
        When it has one half of them.
    """
    api_key, secret = os.environ.get(API_KEY_VARIABLE, ""), os.environ.get(SECRET_VARIABLE, "")
    if not api_key and not secret:
        return None
    if not api_key or not secret:
        there, missing = (SECRET_VARIABLE, API_KEY_VARIABLE) if secret else (API_KEY_VARIABLE, SECRET_VARIABLE)
        raise UsageError(f"{there} is set and {missing} is not; set both or neither")
    return Credentials(api_key.strip(), unfolded(secret), os.environ.get(PASSWORD_VARIABLE) or None)


def unfolded(secret: str) -> str:
    r"""Return a secret as it is meant: a PEM in one line with ``\n`` in it gets its lines back."""
    text = secret.strip()
    return text.replace("\\n", "\n") if text.startswith("-----BEGIN") else text


def key_store(home: Path | None = None, ask: AskPassphrase | None = None) -> KeyStore:
    """Return the place that keeps keys on this machine.

    Parameters
    ----------
    home, ask
        As for `find_keys`.

    Returns
    -------
    KeyStore
        The system's keyring where it has one, else the encrypted file of the data home.
    """
    backend = _keyring()
    if backend is not None:
        return KeyringStore(backend)
    from trading.exchange.keys_file import EncryptedKeyFile

    return EncryptedKeyFile(data_home(home) / KEYS_FILE, lambda new: _passphrase(new, ask))


def _passphrase(new: bool, ask: AskPassphrase | None) -> str:
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given:
        return given
    if ask is None:
        raise Refused(
            "this machine has no keyring and the key file needs its passphrase, which nobody is here to type; "
            f"set {PASSPHRASE_VARIABLE}"
        )
    return ask(new)


def _keyring() -> KeyringBackend | None:
    import keyring
    from keyring.backends import fail, null

    backend = keyring.get_keyring()
    if isinstance(backend, fail.Keyring | null.Keyring) or backend.priority < _SAFE_PRIORITY:
        return None
    return backend


class KeyringStore:
    """Keys in the system's keyring, one entry for each exchange.

    Parameters
    ----------
    backend : KeyringBackend
        The keyring.
    """

    def __init__(self, backend: KeyringBackend) -> None:
        self._backend = backend

    @property
    def source(self) -> KeySource:
        """Always the keyring."""
        return KeySource.KEYRING

    def exchanges(self) -> list[str]:
        """Return the exchanges that it has keys of, in order."""
        text = self._read(_INDEX)
        return sorted(name for name in json.loads(text) if isinstance(name, str)) if text else []

    def get(self, exchange_id: str) -> Credentials | None:
        """Return an exchange's keys; None when it has none."""
        text = self._read(exchange_id)
        return None if text is None else from_text(text, f"the keyring's entry {_SERVICE}/{exchange_id}")

    def set(self, exchange_id: str, credentials: Credentials) -> None:
        """Keep an exchange's keys in place of older ones."""
        # listed first: a name without keys is harmless, keys that nobody lists are forgotten
        self._write(_INDEX, json.dumps(sorted({*self.exchanges(), exchange_id})))
        self._write(exchange_id, as_text(credentials))

    def remove(self, exchange_id: str) -> bool:
        """Forget an exchange's keys; False when there were none."""
        from keyring.errors import KeyringError

        there = self._read(exchange_id) is not None
        if there:
            try:
                self._backend.delete_password(_SERVICE, exchange_id)
            except KeyringError as error:
                _keyring_refuses("to forget an entry", error)
        self._write(_INDEX, json.dumps([name for name in self.exchanges() if name != exchange_id]))
        return there

    def _read(self, name: str) -> str | None:
        from keyring.errors import KeyringError

        try:
            return self._backend.get_password(_SERVICE, name)
        except KeyringError as error:
            _keyring_refuses("to be read", error)

    def _write(self, name: str, text: str) -> None:
        from keyring.errors import KeyringError

        try:
            self._backend.set_password(_SERVICE, name, text)
        except KeyringError as error:
            _keyring_refuses("to be written", error)


def _keyring_refuses(what: str, error: Exception) -> NoReturn:
    # the error's own words are left out: some backends quote what they were given
    raise GridBotError(
        f"the system's keyring refuses {what} ({type(error).__name__}); unlock it, or set "
        "PYTHON_KEYRING_BACKEND=keyring.backends.fail.Keyring to use the encrypted key file"
    ) from None


def as_text(credentials: Credentials) -> str:
    """Return keys as the JSON text that a store keeps."""
    return json.dumps({"api_key": credentials.api_key, "secret": credentials.secret, "password": credentials.password})


def from_text(text: str, where: str) -> Credentials:
    """Return the keys of a JSON text.

    Parameters
    ----------
    text : str
        An object with ``api_key``, ``secret`` and perhaps ``password``.
    where : str
        Named in the error.

    Raises
    ------
    Refused
        When it is something else.
    """
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if isinstance(data, dict):
        api_key, secret, password = data.get("api_key"), data.get("secret"), data.get("password")
        parts = isinstance(api_key, str) and isinstance(secret, str) and isinstance(password, str | None)
        if parts and api_key and secret:
            return Credentials(api_key.strip(), unfolded(secret), password or None)
    raise Refused(f'{where} holds no keys; they are JSON such as {{"api_key": "…", "secret": "…"}}')
