"""Client order ids: one form of our own, and for every exchange a form that it takes and that can be read back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import RFC_4122, UUID
from zlib import crc32

from trading.errors import UsageError

LARGEST_SEQUENCE: Final = 10**9
"""Greatest number of an order in a session."""

_SESSION = re.compile(r"[a-z0-9_-]{1,20}")
_OURS = re.compile(r"gb-([a-z0-9_-]{1,20})-(0|[1-9a-z][0-9a-z]{0,5})")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_-"
_SEQUENCE_BITS = 30
_UUID_SESSION_LENGTH = 12
_UUID_SESSION_BITS = 64
_CHECK_BITS = 122 - _UUID_SESSION_BITS - _SEQUENCE_BITS


def client_id(session: str, sequence: int) -> str:
    """Return our id of a session's order.

    Parameters
    ----------
    session : str
        1 to 20 of the characters a-z, 0-9, _ and -.
    sequence : int
        Number of the order in its session, 0 to 1e9.

    Returns
    -------
    str
        ``gb-SESSION-NUMBER``, the number in base 36.

    Raises
    ------
    UsageError
        When the session's name or the number is none of these.
    """
    check_session(session)
    if not 0 <= sequence <= LARGEST_SEQUENCE:
        raise UsageError(f"order number {sequence} is not in 0 to {LARGEST_SEQUENCE}; start a new session")
    return f"gb-{session}-{_in_base(sequence, _DIGITS)}"


def split_client_id(text: str) -> tuple[str, int] | None:
    """Return session and number of one of our ids; None when it is not ours."""
    match = _OURS.fullmatch(text)
    if match is None:
        return None
    sequence = int(match[2], 36)
    return (match[1], sequence) if sequence <= LARGEST_SEQUENCE else None


def check_session(session: str) -> None:
    """Refuse a session name that no client id can carry.

    Raises
    ------
    UsageError
        With what a name may be.
    """
    if _SESSION.fullmatch(session) is None:
        raise UsageError(f"{session!r} is no session name; use 1 to 20 of the characters a-z, 0-9, _ and -")


class ClientIdCodec(Protocol):
    """Writes our ids in the form of one exchange, and reads them back."""

    def encode(self, text: str) -> str:
        """Return the exchange's form of one of our ids."""
        ...

    def decode(self, text: str | None) -> str | None:
        """Return our id; None when the text is not one that we have written."""
        ...


@dataclass(frozen=True, slots=True)
class PlainCodec:
    """For exchanges that take our ids as they are."""

    def encode(self, text: str) -> str:
        """Return the id itself.

        Raises
        ------
        UsageError
            When it is none of ours.
        """
        _parts(text)
        return text

    def decode(self, text: str | None) -> str | None:
        """Return the id itself; None when it is not ours."""
        return text if text is not None and split_client_id(text) is not None else None


@dataclass(frozen=True, slots=True)
class AlphanumericCodec:
    """For exchanges that take up to 32 letters and digits: ``gb``, then session and number as one number in base 36."""

    def encode(self, text: str) -> str:
        """Return at most 29 letters and digits.

        Raises
        ------
        UsageError
            When it is none of our ids.
        """
        session, sequence = _parts(text)
        return "gb" + _in_base(_session_number(session) << _SEQUENCE_BITS | sequence, _DIGITS)

    def decode(self, text: str | None) -> str | None:
        """Return our id; None when the text is not one that we have written."""
        if text is None or not re.fullmatch(r"gb[1-9a-z][0-9a-z]{0,26}", text):
            return None
        whole = int(text[2:], 36)
        return _joined(whole >> _SEQUENCE_BITS, whole & (1 << _SEQUENCE_BITS) - 1)


@dataclass(frozen=True, slots=True)
class UuidCodec:
    """For exchanges that take UUIDs only: 64 bits of session, 30 of number, 28 of checksum; names of up to 12."""

    def encode(self, text: str) -> str:
        """Return a UUID of version 4's form.

        Raises
        ------
        UsageError
            When it is none of our ids, or its session's name is longer than 12 characters.
        """
        session, sequence = _parts(text)
        if len(session) > _UUID_SESSION_LENGTH:
            raise UsageError(
                f"session {session!r} has {len(session)} characters, and this exchange's order ids have room for "
                f"{_UUID_SESSION_LENGTH}; choose a shorter name"
            )
        body = _session_number(session) << _SEQUENCE_BITS | sequence
        return str(_uuid(body << _CHECK_BITS | _checksum(body)))

    def decode(self, text: str | None) -> str | None:
        """Return our id; None when the text is not one that we have written."""
        if text is None or re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is None:
            return None
        value = UUID(text)
        if value.version != 4 or value.variant != RFC_4122:
            return None
        whole = _payload(value)
        body, check = whole >> _CHECK_BITS, whole & (1 << _CHECK_BITS) - 1
        if check != _checksum(body):
            return None
        return _joined(body >> _SEQUENCE_BITS, body & (1 << _SEQUENCE_BITS) - 1)


# binance: ^[\.A-Z\:/a-z0-9_-]{1,36}$; coinbase: any text; kraken: a UUID, or 18 characters, which are too few;
# bybit and kucoin: letters, digits, _ and -, 36 and 40 of them; everywhere else the narrowest form.
_CODECS: Final[dict[str, ClientIdCodec]] = {
    "binance": PlainCodec(),
    "binanceus": PlainCodec(),
    "bybit": PlainCodec(),
    "coinbase": PlainCodec(),
    "kraken": UuidCodec(),
    "kucoin": PlainCodec(),
}


def codec_for(exchange_id: str) -> ClientIdCodec:
    """Return the codec of an exchange; one that is not known gets letters and digits, which all take."""
    return _CODECS.get(exchange_id, AlphanumericCodec())


def _parts(text: str) -> tuple[str, int]:
    parts = split_client_id(text)
    if parts is None:
        raise UsageError(f"{text!r} is no client order id of this program; make it by client_id(session, number)")
    return parts


def _joined(session_number: int, sequence: int) -> str | None:
    session = _session_of(session_number)
    if session is None or sequence > LARGEST_SEQUENCE:
        return None
    return client_id(session, sequence)


def _in_base(number: int, digits: str) -> str:
    text = ""
    while True:
        number, digit = divmod(number, len(digits))
        text = digits[digit] + text
        if not number:
            return text


# Bijective numeration: every name has one number, and every number one name.
def _session_number(session: str) -> int:
    number = 0
    for letter in session:
        number = number * len(_LETTERS) + _LETTERS.index(letter) + 1
    return number


def _session_of(number: int) -> str | None:
    letters = ""
    while number > 0:
        number, digit = divmod(number - 1, len(_LETTERS))
        letters = _LETTERS[digit] + letters
    return letters if _SESSION.fullmatch(letters) else None


def _checksum(body: int) -> int:
    return crc32(b"gridbot" + body.to_bytes(16, "big")) & (1 << _CHECK_BITS) - 1


# 122 free bits around the four of the version and the two of the variant.
def _uuid(payload: int) -> UUID:
    high, middle, low = payload >> 74, payload >> 62 & 0xFFF, payload & (1 << 62) - 1
    return UUID(int=high << 80 | 0x4 << 76 | middle << 64 | 0b10 << 62 | low)


def _payload(value: UUID) -> int:
    return value.int >> 80 << 74 | (value.int >> 64 & 0xFFF) << 62 | value.int & (1 << 62) - 1
