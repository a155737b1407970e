"""Keys in a file that only its passphrase opens, for machines without a keyring."""

from __future__ import annotations

import json
import secrets
import stat
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field

from trading.errors import Refused, UsageError
from trading.exchange.credentials import Credentials
from trading.exchange.keys import KeySource, as_text, from_text
from trading.exchange.private_files import write_private

# OWASP Password Storage Cheat Sheet (2024): scrypt with N = 2^17, r = 8, p = 1, which takes 128 MB.
STRONG_COST = 2**17
_BLOCK = 8
_KEY_BYTES = 32
_SALT_BYTES = 16
_NONCE_BYTES = 12
_SHORTEST_PASSPHRASE = 8


class _Header(BaseModel):
    # bounds, because the file is read before its passphrase proves it: a forged one could ask for all the memory
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str = Field(pattern="^gridbot-keys-1$")
    cost: int = Field(ge=2**10, le=2**20)
    salt: str = Field(max_length=64)
    nonce: str = Field(max_length=64)


class _Sealed(_Header):
    sealed: str


class EncryptedKeyFile:
    """Keys by exchange in one file: scrypt makes the passphrase a key, AES-256-GCM seals the contents.

    Parameters
    ----------
    path : Path
        The file; it need not exist yet. Only its owner can read it.
    passphrase : callable
        Returns the passphrase; is given True when the file is about to be made. Asked once.
    cost : int
        scrypt's N for a new file, a power of two.
    """

    def __init__(self, path: Path, passphrase: Callable[[bool], str], cost: int = STRONG_COST) -> None:
        self._path = path
        self._ask = passphrase
        self._cost = cost
        self._known: str | None = None

    @property
    def source(self) -> KeySource:
        """Always the file."""
        return KeySource.FILE

    def exchanges(self) -> list[str]:
        """Return the exchanges that it has keys of, in order."""
        return sorted(self._read())

    def get(self, exchange_id: str) -> Credentials | None:
        """Return an exchange's keys; None when it has none.

        Raises
        ------
        Refused
            When the file cannot be opened: a wrong passphrase, a changed file, or one that others may read.
        """
        text = self._read().get(exchange_id)
        return None if text is None else from_text(text, str(self._path))

    def set(self, exchange_id: str, credentials: Credentials) -> None:
        """Keep an exchange's keys in place of older ones."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock():
            self._write(self._read() | {exchange_id: as_text(credentials)})

    def remove(self, exchange_id: str) -> bool:
        """Forget an exchange's keys; False when there were none."""
        if not self._path.exists():
            return False
        with self._lock():
            entries = self._read()
            if entries.pop(exchange_id, None) is None:
                return False
            self._write(entries)
            return True

    def _lock(self) -> FileLock:
        return FileLock(f"{self._path}.lock", timeout=10)

    def _passphrase(self, new: bool) -> bytes:
        if self._known is None:
            self._known = self._ask(new)
        if new and len(self._known) < _SHORTEST_PASSPHRASE:
            raise UsageError(f"the passphrase of the key file is too short; take at least {_SHORTEST_PASSPHRASE} signs")
        return self._known.encode()

    def _read(self) -> dict[str, str]:
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise Refused(f"the key file {self._path} cannot be read ({type(error).__name__})") from None
        self._refuse_if_shared()
        try:
            sealed = _Sealed.model_validate_json(text)
            salt, nonce, body = (b64decode(part, validate=True) for part in (sealed.salt, sealed.nonce, sealed.sealed))
        except ValueError:
            raise Refused(f"{self._path} is no key file of GridBot; move it away and set the keys again") from None
        key = _key(self._passphrase(new=False), salt, sealed.cost)
        try:
            opened = AESGCM(key).decrypt(nonce, body, _header(sealed))
        except (InvalidTag, ValueError):
            raise Refused(
                f"{self._path} does not open: the passphrase is wrong or the file was changed; try again, or remove "
                "the file and set the keys again"
            ) from None
        entries: dict[str, str] = json.loads(opened)
        return entries

    def _write(self, entries: dict[str, str]) -> None:
        salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
        header = _Header(
            format="gridbot-keys-1", cost=self._cost, salt=b64encode(salt).decode(), nonce=b64encode(nonce).decode()
        )
        key = _key(self._passphrase(new=not self._path.exists()), salt, self._cost)
        body = AESGCM(key).encrypt(nonce, json.dumps(entries).encode(), _header(header))
        sealed = _Sealed(**header.model_dump(), sealed=b64encode(body).decode())
        write_private(self._path, sealed.model_dump_json(indent=1) + "\n")

    def _refuse_if_shared(self) -> None:
        if sys.platform != "win32" and self._path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise Refused(f"others may read the key file {self._path}; `chmod 600 {self._path}` first")


def _key(passphrase: bytes, salt: bytes, cost: int) -> bytes:
    try:
        return Scrypt(salt=salt, length=_KEY_BYTES, n=cost, r=_BLOCK, p=1).derive(passphrase)
    except (ValueError, MemoryError):
        raise Refused(f"the key file asks for a scrypt cost of {cost}, which this machine cannot do") from None


def _header(sealed: _Header) -> bytes:
    # sealed together with the contents, so that nobody can weaken the cost unnoticed
    return f"{sealed.format}|{sealed.cost}|{sealed.salt}|{sealed.nonce}".encode()
