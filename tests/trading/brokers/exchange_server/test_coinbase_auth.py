"""Tokens of the Coinbase dialect, signed by unmodified ccxt and bent in every way that must be refused."""

from __future__ import annotations

import base64
import json

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.brokers.exchange_server.coinbase_auth import CoinbaseKey, TokenRefused, verify_token

NOW_S = 1_700_000_000
KEY = CoinbaseKey.derived("key", "secret")
URL = "https://127.0.0.1:8080/api/v3/brokerage/orders"
URI = "POST 127.0.0.1:8080/api/v3/brokerage/orders"


def signer(key: CoinbaseKey = KEY) -> ccxt.coinbase:
    return ccxt.coinbase({"apiKey": key.name, "secret": key.private_pem})


def token(now_s: int = NOW_S, url: str | None = URL, key: CoinbaseKey = KEY) -> str:
    return str(signer(key).create_auth_token(now_s, "POST", url))


def rewritten(original: str, part: int, **changes: object) -> str:
    """Return a token with other claims and a signature by the same key over what it now says."""
    parts = original.split(".")[:2]
    content = json.loads(base64.urlsafe_b64decode(parts[part] + "=="))
    parts[part] = ccxt.Exchange.urlencode_base64(json.dumps(content | changes).encode())
    signature = ccxt.Exchange.ecdsa(".".join(parts), KEY.private_pem.encode(), "p256", "sha256")
    raw = bytes.fromhex(signature["r"].rjust(64, "0") + signature["s"].rjust(64, "0"))
    return ".".join([*parts, ccxt.Exchange.urlencode_base64(raw)])


def test_token_signed_by_ccxt_is_accepted() -> None:
    verify_token(token(), KEY, NOW_S, URI)


def test_token_of_a_plain_http_url_is_accepted() -> None:
    verify_token(token(url=URL.replace("https", "http")), KEY, NOW_S, URI)


def test_query_is_no_part_of_the_uri() -> None:
    verify_token(token(url=URL + "?limit=3"), KEY, NOW_S, URI)


def test_stream_token_names_no_uri() -> None:
    verify_token(token(url=None), KEY, NOW_S, None)


def test_rewriting_without_a_change_keeps_the_token_good() -> None:
    verify_token(rewritten(token(), 1), KEY, NOW_S, URI)


@pytest.mark.parametrize("late_s", [126, 500])
def test_token_is_refused_when_it_has_ended(late_s: int) -> None:
    with pytest.raises(TokenRefused, match="ended"):
        verify_token(token(), KEY, NOW_S + late_s, URI)


def test_token_of_the_future_is_refused() -> None:
    with pytest.raises(TokenRefused, match="begins"):
        verify_token(token(NOW_S + 60), KEY, NOW_S, URI)


def test_token_for_another_request_is_refused() -> None:
    with pytest.raises(TokenRefused, match="sign each request"):
        verify_token(token(), KEY, NOW_S, URI.replace("orders", "accounts"))


def test_token_of_another_key_is_refused() -> None:
    other = CoinbaseKey(KEY.name, KEY.private_value + 1)
    with pytest.raises(TokenRefused, match="signature"):
        verify_token(token(key=other), KEY, NOW_S, URI)


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        (0, {"alg": "none"}),
        (0, {"alg": "HS256"}),
        (0, {"kid": "organizations/other/apiKeys/other"}),
        (0, {"nonce": ""}),
        (1, {"sub": "organizations/other/apiKeys/other"}),
        (1, {"exp": NOW_S + 86_400}),
        (1, {"exp": "soon"}),
        (1, {"nbf": None}),
        (1, {"uri": 7}),
    ],
)
def test_token_with_a_wrong_claim_is_refused_though_signed(part: int, changes: dict[str, object]) -> None:
    with pytest.raises(TokenRefused):
        verify_token(rewritten(token(), part, **changes), KEY, NOW_S, URI)


@given(st.text() | st.lists(st.text(alphabet="ab=-_.", max_size=8), min_size=3, max_size=3).map(".".join))
def test_nonsense_is_refused_and_nothing_worse(nonsense: str) -> None:
    with pytest.raises(TokenRefused):
        verify_token(nonsense, KEY, NOW_S, URI)


@given(st.data())
def test_any_changed_character_of_claims_or_signature_is_refused(data: st.DataObject) -> None:
    good = token()
    # The last character of a base64url part may carry bits that no byte has; all others count.
    place = data.draw(st.integers(good.index(".") + 1, len(good) - 2).filter(lambda at: good[at] != "."))
    other = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
    changed = good[:place] + other + good[place + 1 :]
    if changed == good:
        verify_token(changed, KEY, NOW_S, URI)
    else:
        with pytest.raises(TokenRefused):
            verify_token(changed, KEY, NOW_S, URI)


def test_same_name_and_secret_give_the_same_key_and_others_another() -> None:
    assert CoinbaseKey.derived("key", "secret") == KEY
    assert CoinbaseKey.derived("key", "secret2").private_value != KEY.private_value
    assert KEY.name == "organizations/gridbot/apiKeys/key"
