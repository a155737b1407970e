"""What an exchange tells of a key, in the form each one answers; what it does not tell stays unknown."""

from __future__ import annotations

import asyncio

import ccxt.async_support as ccxt
import pytest

from tests.klines_server import RecordingClock
from trading.errors import ConnectionLost, Refused
from trading.exchange.permissions import KeyPermissions, key_permissions, refuse_withdrawal
from trading.exchange.retry import Retry, RetryPolicy

BINANCE = {"ipRestrict": False, "enableReading": True, "enableSpotAndMarginTrading": True, "enableWithdrawals": True}
KRAKEN = {"error": [], "result": {"apiKeyName": "a", "permissions": ["query-funds", "modify-trades", "withdraw-funds"]}}
BYBIT = {"retCode": 0, "result": {"readOnly": 0, "permissions": {"Spot": ["SpotTrade"], "Wallet": ["AccountTransfer"]}}}
OKX = {"code": "0", "data": [{"perm": "read_only,withdraw", "uid": "1"}]}
COINBASE = {"can_view": True, "can_trade": True, "can_transfer": False, "portfolio_type": "DEFAULT"}


class Answering:
    """The one method of a client that the question goes through; counts the calls."""

    def __init__(self, method: str, answer: object) -> None:
        self.calls = 0
        self._answer = answer
        setattr(self, method, self._ask)

    async def _ask(self) -> object:
        self.calls += 1
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


METHODS = {
    "binance": "sapiGetAccountApiRestrictions",
    "bybit": "privateGetV5UserQueryApi",
    "coinbase": "v3PrivateGetBrokerageKeyPermissions",
    "kraken": "privatePostGetApiKeyInfo",
    "okx": "privateGetAccountConfig",
}


def permissions(exchange_id: str, answer: object) -> KeyPermissions:
    client = Answering(METHODS[exchange_id], answer)
    retry = Retry(exchange_id, RecordingClock(0), RetryPolicy(attempts=2))
    return asyncio.run(key_permissions(client, exchange_id, retry))


@pytest.mark.parametrize(
    ("exchange_id", "answer", "expected"),
    [
        ("binance", BINANCE, KeyPermissions(trade=True, withdraw=True)),
        ("binance", BINANCE | {"enableWithdrawals": False}, KeyPermissions(trade=True, withdraw=False)),
        ("kraken", KRAKEN, KeyPermissions(trade=True, withdraw=True)),
        ("bybit", BYBIT, KeyPermissions(trade=True, withdraw=False)),
        ("okx", OKX, KeyPermissions(trade=False, withdraw=True)),
        ("coinbase", COINBASE, KeyPermissions(trade=True, withdraw=False)),
        ("coinbase", COINBASE | {"can_transfer": True}, KeyPermissions(trade=True, withdraw=True)),
    ],
)
def test_each_exchange_is_read_in_its_own_form(exchange_id: str, answer: object, expected: KeyPermissions) -> None:
    assert permissions(exchange_id, answer) == expected


@pytest.mark.parametrize("exchange_id", sorted(METHODS))
@pytest.mark.parametrize("answer", [{}, [], None, {"result": []}, {"data": []}, {"data": [3]}, {"result": {}}, "text"])
def test_an_answer_of_another_form_tells_nothing(exchange_id: str, answer: object) -> None:
    assert permissions(exchange_id, answer) == KeyPermissions()


@pytest.mark.parametrize("exchange_id", sorted(METHODS))
def test_the_question_exists_in_the_real_client(exchange_id: str) -> None:
    assert hasattr(getattr(ccxt, exchange_id)(), METHODS[exchange_id])


@pytest.mark.parametrize(
    "error", [ccxt.NotSupported("no sapi here"), ccxt.PermissionDenied("no"), ccxt.BadResponse("?")]
)
def test_an_exchange_that_will_not_say_leaves_it_unknown(error: Exception) -> None:
    assert permissions("binance", error) == KeyPermissions()


def test_silence_is_no_answer() -> None:
    with pytest.raises(ConnectionLost):
        permissions("binance", ccxt.RequestTimeout("nothing"))


def test_an_exchange_without_such_a_question_is_not_asked() -> None:
    retry = Retry("bitstamp", RecordingClock(0))
    assert asyncio.run(key_permissions(object(), "bitstamp", retry)) == KeyPermissions()


def test_lesson_20_keys_that_may_withdraw_are_refused() -> None:
    with pytest.raises(Refused, match="may withdraw money"):
        refuse_withdrawal(KeyPermissions(trade=True, withdraw=True), "binance")
    refuse_withdrawal(KeyPermissions(trade=True, withdraw=False), "binance")
    refuse_withdrawal(KeyPermissions(), "bitstamp")
