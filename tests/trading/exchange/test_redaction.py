"""Masking: no known secret passes in any form, what looks like one is masked too, and the rest stays readable."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.exchange.credentials import Credentials
from trading.exchange.redaction import MASK, Redactor

SECRET = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv"
LINES = "MHcCAQEEIBvXq3n5kTg1Zm5vY0o7AAAA\nAwEHoUQDQgAEzzzzzzzz"
PEM = f"-----BEGIN EC PRIVATE KEY-----\n{LINES}\n-----END EC PRIVATE KEY-----"
# as a generator of keys would make them: not made of JSON's own punctuation only
SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=30).filter(
    lambda text: len(text.strip()) >= 8 and MASK not in text and sum(sign.isalnum() for sign in text) >= 6
)


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/v3/account?timestamp=1&signature=c8db56825ae71d6d79447849e617115f HTTP 400",
        "signature=c8db56825ae71d6d79447849e617115f",
        "{'X-MBX-APIKEY': 'c8db56825ae71d6d79447849e617115f', 'Accept': '*/*'}",
        '{"CB-ACCESS-SIGN":"c8db56825ae71d6d79447849e617115f"}',
        "API-Sign: c8db56825ae71d6d79447849e617115f",
        "Authorization: Bearer c8db56825ae71d6d79447849e617115f",
        "Set-Cookie: session=c8db56825ae71d6d79447849e617115f; path=/",
        "https://user:c8db56825ae71d6d79447849e617115f@proxy.example:8080/",
        "GRIDBOT_EXCHANGE__SECRET=c8db56825ae71d6d79447849e617115f",
        "wss://stream/ws?listenKey=c8db56825ae71d6d79447849e617115f",
        "-----BEGIN PRIVATE KEY-----\nc8db56825ae71d6d79447849e617115f\n",
        "api_key = b'c8db56825ae71d6d79447849e617115f'",
    ],
)
def test_what_looks_like_a_secret_is_masked_though_nobody_knows_it(text: str) -> None:
    assert "c8db56825ae71d6d79447849e617115f" not in Redactor().text(text)
    assert MASK in Redactor().text(text)


@pytest.mark.parametrize(
    "text",
    [
        "order gb-s1-17 filled 0.5 at 100.25",
        "HTTP 429: retry after 30 s",
        "https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=5",
        "session alpha started with seed 7",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert Redactor([SECRET]).text(text) == text


def test_a_known_secret_is_masked_in_every_usual_form() -> None:
    secret = 'k/y+with="quotes" & spaces'
    redactor = Redactor([secret])
    forms = (
        secret, repr(secret), json.dumps(secret), quote(secret), quote(secret, safe=""), quote_plus(secret),
        urlencode({"x": secret}), b64encode(secret.encode()).decode(),
    )  # fmt: skip
    for form in forms:
        assert redactor.text(f"before {form} after").replace(MASK, "").count("quotes") == 0
        assert "k/y" not in redactor.text(form)


def test_a_pem_is_masked_whole_and_by_its_lines() -> None:
    redactor = Redactor([PEM])
    for text in (PEM, PEM.replace("\n", "\\n"), "line MHcCAQEEIBvXq3n5kTg1Zm5vY0o7AAAA alone"):
        assert "MHcCAQEE" not in redactor.text(text)


def test_values_under_telling_names_are_masked_at_any_depth() -> None:
    event = {"a": [{"apiKey": "abc", "Secret": 5, "keep": 1}], "headers": {"X-MBX-APIKEY": "k"}, "password": None}
    assert Redactor().value(event) == {
        "a": [{"apiKey": MASK, "Secret": MASK, "keep": 1}],
        "headers": {"X-MBX-APIKEY": MASK},
        "password": None,
    }


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Part:
    name: str
    secret: str
    amount: Decimal


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


def test_any_object_becomes_plain_json() -> None:
    value = {
        1: Part("x", "hidden-value", Decimal("1.50")),
        "colour": Colour.RED,
        "keys": Credentials("the-api-key-itself", "the-secret-itself"),
        "broken": Broken(),
        "set": {3},
        "nan": float("nan"),
        "bytes": b"raw",
    }
    plain = Redactor().value(value)
    text = json.dumps(plain, allow_nan=False)
    assert isinstance(plain, dict)
    assert plain["1"] == {"name": "x", "secret": MASK, "amount": "1.50"}
    assert plain["colour"] == "red"
    assert plain["broken"] == "<Broken without repr: RuntimeError>"
    assert plain["set"] == [3]
    for hidden in ("hidden-value", "the-api-key-itself", "the-secret-itself"):
        assert hidden not in text


def test_what_contains_itself_ends() -> None:
    loop: dict[str, object] = {}
    loop["self"] = loop
    assert "self" in json.dumps(Redactor().value(loop))


def test_a_number_that_spells_a_secret_is_masked() -> None:
    assert Redactor(["12345678"]).value({"order": 9123456780, "other": 5}) == {"order": MASK, "other": 5}


@pytest.mark.parametrize("piece", ["a-", "secret", "http://", "x://a:", "token ", "-----BEGIN PRIVATE KEY", "cookie: "])
def test_a_large_text_from_outside_is_masked_in_one_pass(piece: str) -> None:
    # a pattern that looks back over the text from every place would not come to an end here
    text = piece * (200_000 // len(piece))
    assert SECRET not in Redactor([SECRET]).text(f"{text} {SECRET}")


@given(secrets=st.lists(SECRETS, min_size=1, max_size=3), before=st.text(), after=st.text())
def test_no_known_secret_is_left_in_any_text(secrets: list[str], before: str, after: str) -> None:
    redactor = Redactor(secrets)
    clean = redactor.text(before + secrets[0] + after + "".join(secrets))
    assert not [secret for secret in secrets if secret in clean]


@given(st.text(max_size=2000))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    once = Redactor([SECRET]).text(text)
    assert Redactor([SECRET]).text(once) == once
