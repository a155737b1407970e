"""Masks what must not be read: known keys in every form they may take, and whatever looks like one."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from math import isfinite
from urllib.parse import quote, quote_plus

MASK = "***"

# Shorter than this nothing can be told from an ordinary word; exchanges give out far longer ones.
_SHORTEST = 4
_SHORTEST_LINE = 16
_DEEPEST = 12

_SECRET_NAMES = (
    "secret", "apikey", "accesskey", "privatekey", "password", "passwd", "passphrase", "token", "signature", "apisign",
    "accesssign", "authorization", "cookie", "listenkey", "credential",
)  # fmt: skip
# No quantifier without a bound at a place where a match may begin: the texts come from outside, and may be large.
_NAME = r"(?:secret|api[_-]?key|access[_-]?key|private[_-]?key|password|passwd|passphrase|token|signature|"
_NAME += r"api[_-]?sign|access[_-]?sign|listen[_-]?key)[\w.-]{0,40}"
_PATTERNS = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MASK),
    (re.compile(r"(?i)((?:authorization|(?:set-)?cookie)[\"']?\s*[=:]\s*[\"']?)[^\r\n\"']+"), rf"\g<1>{MASK}"),
    (re.compile(rf"(?i)({_NAME}[\"']?\s*[=:]\s*b?[\"']?)[^\s&\"',;)}}\]]+"), rf"\g<1>{MASK}"),
    (re.compile(r"(?i)(\b[a-z][a-z0-9+.-]{0,20}://)[^\s/@:]+:[^\s/@]+@"), rf"\g<1>{MASK}@"),
)


class Redactor:
    """Masks secrets in texts and in whole structures.

    Parameters
    ----------
    secrets : iterable of str
        Known secrets; each is also looked for quoted, escaped, in base64, and by the lines of a PEM.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: list[str] = []
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Mask one more secret from now on."""
        forms = {form for form in _forms(secret) if len(form) >= _SHORTEST}
        # the longest first, so that no part of one is left standing
        self._known = sorted({*self._known, *forms}, key=lambda form: (-len(form), form))

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        clean = text
        for secret in self._known:
            if secret in clean:
                clean = clean.replace(secret, MASK)
        # every pattern has one of these in it, most texts have none
        if "=" in clean or ":" in clean or "-----" in clean:
            for pattern, replacement in _PATTERNS:
                clean = pattern.sub(replacement, clean)
        # what was cut out may have brought the halves of another together
        if clean is not text and any(secret in clean for secret in self._known):
            return MASK
        return clean

    def value(self, value: object, depth: int = 0) -> object:
        """Return any object as plain JSON data without secrets.

        Parameters
        ----------
        value : object
            Whatever an event holds: unknown objects are told by their `repr`.
        depth : int
            How deep it lies; what lies too deep is told by its `repr`.

        Returns
        -------
        object
            None, bool, number, str, list or dict.
        """
        if isinstance(value, Enum):
            value = value.value
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return self._number(value)
        if isinstance(value, str | Decimal):
            return self.text(str(value))
        inside = self._inside(value, depth + 1) if depth < _DEEPEST else None
        return self.text(_repr(value)) if inside is None else inside

    def _inside(self, value: object, depth: int) -> dict[str, object] | list[object] | None:
        # a record that hides its fields from its repr hides them here too
        if is_dataclass(value) and not isinstance(value, type) and value.__dataclass_params__.repr:  # type: ignore[attr-defined]
            return self._mapping({field.name: getattr(value, field.name) for field in fields(value)}, depth)
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, list | tuple | AbstractSet):
            return [self.value(item, depth) for item in value]
        return None

    def _number(self, value: float) -> object:
        text = str(value)
        if any(secret in text for secret in self._known):
            return MASK
        # JSON has no infinities
        return value if isinstance(value, int) or isfinite(value) else text

    def _mapping(self, value: Mapping[object, object], depth: int) -> dict[str, object]:
        shown: dict[str, object] = {}
        for name, item in value.items():
            text = self.text(str(name))
            shown[text] = MASK if _names_a_secret(str(name)) and item is not None else self.value(item, depth)
        return shown


@lru_cache(maxsize=1024)
def _names_a_secret(name: str) -> bool:
    plain = re.sub(r"[^a-z]", "", name.lower())
    return any(word in plain for word in _SECRET_NAMES)


def _forms(secret: str) -> Iterable[str]:
    raw = secret.strip()
    encoded = raw.encode("utf-8", "surrogatepass")
    yield from (secret, raw, repr(raw)[1:-1], json.dumps(raw)[1:-1], json.dumps(raw, ensure_ascii=False)[1:-1])
    yield from (quote(encoded), quote(encoded, safe=""), quote_plus(encoded), b64encode(encoded).decode())
    yield from (line.strip() for line in raw.splitlines()[1:-1] if len(line.strip()) >= _SHORTEST_LINE)


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - a broken repr of something foreign must not stop what logs it
        return f"<{type(value).__name__} without repr: {type(error).__name__}>"
