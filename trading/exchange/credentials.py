"""The keys of an exchange account, in a form that never shows them by accident."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

_FINGERPRINT_DIGITS = 12
_SHOWN_ENDS = 4
_LONG_ENOUGH_TO_SHOW = 16


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What an exchange knows an account by; printing one shows its fingerprint and nothing else.

    Parameters
    ----------
    api_key : str
        The key's public half.
    secret : str
        What requests are signed with: text, or a private key in PEM.
    password : str, optional
        The third part that some exchanges ask for.
    """

    api_key: str
    secret: str
    password: str | None = None

    @property
    def fingerprint(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the API key: names the account in locks and logs."""
        return sha256(self.api_key.encode()).hexdigest()[:_FINGERPRINT_DIGITS]

    @property
    def masked(self) -> str:
        """The API key's ends for a person to recognise it by; a short key is hidden whole."""
        if len(self.api_key) < _LONG_ENOUGH_TO_SHOW:
            return "…"
        return f"{self.api_key[:_SHOWN_ENDS]}…{self.api_key[-_SHOWN_ENDS:]}"

    @property
    def hidden_values(self) -> tuple[str, ...]:
        """All that must never be written anywhere: what a log masks."""
        return tuple(value for value in (self.api_key, self.secret, self.password) if value)

    def __repr__(self) -> str:
        return f"Credentials({self.fingerprint})"

    def __str__(self) -> str:
        return repr(self)

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)
