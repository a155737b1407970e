"""What an exchange says that a key may do; a key that can withdraw has no place in a trading program."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from trading.errors import FeedFailed, Refused
from trading.exchange.retry import Retry


@dataclass(frozen=True, slots=True)
class KeyPermissions:
    """What a key may do, as far as the exchange tells; None is not told.

    Parameters
    ----------
    trade : bool or None
        Place and cancel orders.
    withdraw : bool or None
        Move money out of the account.
    """

    trade: bool | None = None
    withdraw: bool | None = None


@dataclass(frozen=True, slots=True)
class _Question:
    method: str
    read: Callable[[Mapping[str, object]], KeyPermissions]


async def key_permissions(client: object, exchange_id: str, retry: Retry) -> KeyPermissions:
    """Ask an exchange what the client's key may do.

    Parameters
    ----------
    client : object
        A ccxt client that carries the keys.
    exchange_id : str
        ccxt's name of the exchange.
    retry : Retry
        Repeats the question while that is of use.

    Returns
    -------
    KeyPermissions
        All unknown where the exchange has no such question, or gives it no answer of use.

    Raises
    ------
    ConnectionLost, RateLimited
        When no answer came.
    """
    question = _QUESTIONS.get(exchange_id)
    ask: Callable[[], Awaitable[object]] | None = getattr(client, question.method, None) if question else None
    if question is None or ask is None:
        return KeyPermissions()
    try:
        answer = await retry("the key's permissions", ask)
    except (Refused, FeedFailed):
        return KeyPermissions()
    return question.read(answer) if isinstance(answer, Mapping) else KeyPermissions()


def refuse_withdrawal(permissions: KeyPermissions, exchange_id: str) -> None:
    """Refuse keys that can move money out of the account.

    Raises
    ------
    Refused
        When the exchange says that they can.
    """
    if permissions.withdraw:
        raise Refused(
            f"these keys of {exchange_id} may withdraw money, which trading never needs; make a key at the exchange "
            "that may read and trade, and nothing else"
        )


# https://developers.binance.com/docs/wallet/account/api-key-permission
def _binance(answer: Mapping[str, object]) -> KeyPermissions:
    return KeyPermissions(_flag(answer.get("enableSpotAndMarginTrading")), _flag(answer.get("enableWithdrawals")))


# https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/data-api/get-api-key-permissions
def _coinbase(answer: Mapping[str, object]) -> KeyPermissions:
    return KeyPermissions(_flag(answer.get("can_trade")), _flag(answer.get("can_transfer")))


# https://docs.kraken.com/api-reference/account-data/get-api-key-info
def _kraken(answer: Mapping[str, object]) -> KeyPermissions:
    result = answer.get("result")
    names = _names(result.get("permissions")) if isinstance(result, Mapping) else None
    return KeyPermissions() if names is None else KeyPermissions("modify-trades" in names, "withdraw-funds" in names)


# https://bybit-exchange.github.io/docs/v5/user/apikey-info
def _bybit(answer: Mapping[str, object]) -> KeyPermissions:
    result = answer.get("result")
    permissions = result.get("permissions") if isinstance(result, Mapping) else None
    if not isinstance(permissions, Mapping):
        return KeyPermissions()
    spot, wallet = _names(permissions.get("Spot")), _names(permissions.get("Wallet"))
    return KeyPermissions(
        None if spot is None else "SpotTrade" in spot, None if wallet is None else "Withdraw" in wallet
    )


# https://www.okx.com/docs-v5/en/#trading-account-rest-api-get-account-configuration
def _okx(answer: Mapping[str, object]) -> KeyPermissions:
    data = answer.get("data")
    first = data[0] if isinstance(data, list) and data else None
    text = first.get("perm") if isinstance(first, Mapping) else None
    if not isinstance(text, str):
        return KeyPermissions()
    names = {part.strip() for part in text.split(",")}
    return KeyPermissions("trade" in names, "withdraw" in names)


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _names(value: object) -> set[str] | None:
    return {str(item) for item in value} if isinstance(value, list) else None


_QUESTIONS = {
    "binance": _Question("sapiGetAccountApiRestrictions", _binance),
    "bybit": _Question("privateGetV5UserQueryApi", _bybit),
    "coinbase": _Question("v3PrivateGetBrokerageKeyPermissions", _coinbase),
    "kraken": _Question("privatePostGetApiKeyInfo", _kraken),
    "okx": _Question("privateGetAccountConfig", _okx),
}
