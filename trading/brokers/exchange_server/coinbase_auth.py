"""Keys and tokens of the Coinbase dialect: an ES256 JWT for every request, checked as the venue checks it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from functools import cached_property

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from trading.errors import Refused

# Coinbase tells clients to let tokens live two minutes and takes a few seconds of clock difference.
_LEEWAY_S = 5
_LONGEST_LIFE_S = 120 + _LEEWAY_S
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class TokenRefused(Refused):
    """A token that is malformed, expired, for another request, or not signed by the key."""


@dataclass(frozen=True)
class CoinbaseKey:
    """A cloud API key of the built-in exchange: its name and its P-256 key pair.

    Parameters
    ----------
    name : str
        ``organizations/.../apiKeys/...``, the ``sub`` and ``kid`` of every token.
    private_value : int
        The secret scalar of the key pair.
    """

    name: str
    private_value: int

    @classmethod
    def derived(cls, name: str, secret: str) -> CoinbaseKey:
        """Return the key pair that belongs to a name and a secret; the same ones always give the same pair.

        Parameters
        ----------
        name : str
            Short name of the key; it becomes ``organizations/gridbot/apiKeys/NAME`` unless it is whole already.
        secret : str
            Anything; the private key is its SHA-512, reduced to the curve's order.
        """
        digest = int.from_bytes(hashlib.sha512(secret.encode()).digest(), "big")
        whole = name if name.startswith("organizations/") else f"organizations/gridbot/apiKeys/{name}"
        return cls(whole, digest % (_P256_ORDER - 1) + 1)

    @cached_property
    def _pair(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(self.private_value, ec.SECP256R1())

    @property
    def public(self) -> ec.EllipticCurvePublicKey:
        """The half that checks signatures."""
        return self._pair.public_key()

    @property
    def private_pem(self) -> str:
        """What a client is given as its secret: the EC private key in PEM."""
        return self._pair.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def verify_token(token: str, key: CoinbaseKey, now_s: float, uri: str | None) -> None:
    """Check one token.

    Parameters
    ----------
    token : str
        ``header.claims.signature``, base64url.
    key : CoinbaseKey
        The only key that may have signed it.
    now_s : float
        Real time, seconds UTC.
    uri : str or None
        ``METHOD host/path`` that a REST token must name; None for a WebSocket token, which names none.

    Raises
    ------
    TokenRefused
        With the first thing that is wrong.
    """
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenRefused("The token has not three parts; send header.claims.signature.")
    header, claims = _decoded(parts[0]), _decoded(parts[1])
    if header.get("alg") != "ES256" or not _same(header.get("kid"), key.name) or not header.get("nonce"):
        raise TokenRefused("The token's header must say alg ES256, this key as kid, and a nonce.")
    _check_signature(f"{parts[0]}.{parts[1]}".encode(), _bytes(parts[2]), key)
    if not _same(claims.get("sub"), key.name):
        raise TokenRefused("The token's sub is not this key; use the key's whole name.")
    _check_times(claims, now_s)
    if uri is not None and _plain_uri(claims.get("uri")) != uri:
        raise TokenRefused(f"The token is for {claims.get('uri')!r}, the request is {uri!r}; sign each request.")


def named_key(token: str) -> str:
    """Return the name of the key that a token says it is signed by, unchecked.

    Raises
    ------
    TokenRefused
        When there is none to read.
    """
    name = _decoded(token.split(".", maxsplit=1)[0]).get("kid")
    if not isinstance(name, str):
        raise TokenRefused("The token's header has no kid; name the key.")
    return name


def _check_signature(signed: bytes, signature: bytes, key: CoinbaseKey) -> None:
    if len(signature) != 64:
        raise TokenRefused("The token's signature has not 64 bytes; sign with ES256.")
    der = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        key.public.verify(der, signed, ec.ECDSA(SHA256()))
    except InvalidSignature as fault:
        raise TokenRefused("The token's signature is not this key's; check the secret.") from fault


def _check_times(claims: dict[str, object], now_s: float) -> None:
    begins, ends = claims.get("nbf"), claims.get("exp")
    if not isinstance(begins, int | float) or not isinstance(ends, int | float):
        raise TokenRefused("The token lacks nbf or exp; give both in seconds.")
    if now_s < begins - _LEEWAY_S:
        raise TokenRefused(f"The token begins {begins - now_s:.0f} s from now; set the client's clock.")
    if now_s >= ends + _LEEWAY_S:
        raise TokenRefused(f"The token ended {now_s - ends:.0f} s ago; sign a new one.")
    if ends - begins > _LONGEST_LIFE_S:
        raise TokenRefused(f"The token lives {ends - begins:.0f} s; at most 120 s are allowed.")


def _plain_uri(value: object) -> str | None:
    """Return the claim as ``METHOD host/path``; clients of plain-HTTP servers leave the scheme in."""
    if not isinstance(value, str):
        return None
    return value.replace("https://", "").replace("http://", "")


def _same(value: object, expected: str) -> bool:
    return isinstance(value, str) and hmac.compare_digest(value.encode(), expected.encode())


def _bytes(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as fault:
        raise TokenRefused("A part of the token is not base64url.") from fault


def _decoded(part: str) -> dict[str, object]:
    try:
        value = json.loads(_bytes(part))
    except (ValueError, RecursionError) as fault:
        raise TokenRefused("A part of the token is not JSON.") from fault
    if not isinstance(value, dict):
        raise TokenRefused("A part of the token is not a JSON object.")
    return value
