"""Deposits and withdrawals as venues list them: what explains a balance that trades do not explain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Final

from trading.brokers.parsing import Raw, decimal, mapping, sequence, text, time_ms
from trading.brokers.protocol import Funding
from trading.exchange.calls import AnswerUnusable
from trading.exchange.venue_client import VenueClient

FundingTeller = Callable[[VenueClient, int], Awaitable[list[Funding]]]
"""Asks a venue for completed deposits and withdrawals from a time of its clock on, milliseconds UTC."""

_BINANCE_PAGE = 1_000
_KRAKEN_PAGE = 50
_MOST_PAGES = 1_000
# 1 success, 6 credited but cannot withdraw yet: both are in the balance
_ARRIVED = {"1", "6"}
# 2 awaiting approval, 4 processing, 6 completed: all have left the balance
_LEFT = {"2", "4", "6"}


def funding_teller(exchange_id: str) -> FundingTeller:
    """Return how a venue is asked for deposits and withdrawals; one that lists none tells none.

    Parameters
    ----------
    exchange_id : str
        ccxt's name of the exchange.
    """
    return _TELLERS.get(exchange_id, _by_ccxt)


async def _of_binance(client: VenueClient, since_ms: int) -> list[Funding]:
    """Read https://developers.binance.com/docs/wallet/capital: an amount is what arrives, without the fee."""
    came = await _binance_pages(client, "sapiGetCapitalDepositHisrec", since_ms)
    went = await _binance_pages(client, "sapiGetCapitalWithdrawHistory", since_ms)
    arrived = [
        Funding(f"deposit-{text(raw, 'id')}", _asset(client, raw, "coin"), _size(raw), time_ms(raw, "insertTime"))
        for raw in came
        if text(raw, "status") in _ARRIVED
    ]
    left = [
        Funding(
            f"withdrawal-{text(raw, 'id')}",
            _asset(client, raw, "coin"),
            -_size(raw) - _fee(raw, "transactionFee"),
            _utc_ms(client, raw.get("applyTime")),
        )
        for raw in went
        if text(raw, "status") in _LEFT
    ]
    return arrived + left


def _utc_ms(client: VenueClient, told: object) -> int:
    return time_ms({"timestamp": client.parse8601(told) if isinstance(told, str) else None})


async def _binance_pages(client: VenueClient, endpoint: str, since_ms: int) -> list[Raw]:
    found: dict[str, Raw] = {}
    for page in range(_MOST_PAGES):
        asked = {"startTime": since_ms, "limit": _BINANCE_PAGE, "offset": page * _BINANCE_PAGE}
        answer = sequence(await getattr(client, endpoint)(asked), "transfers")
        rows = [mapping(raw, "a transfer") for raw in answer]
        found |= {text(raw, "id"): raw for raw in rows}
        if len(rows) < _BINANCE_PAGE:
            return list(found.values())
    raise _endless()


async def _of_kraken(client: VenueClient, since_ms: int) -> list[Funding]:
    """Read https://docs.kraken.com/api-reference (Ledgers): an amount has its sign, its fee is taken as well."""
    found: dict[str, Funding] = {}
    for kind in ("deposit", "withdrawal", "transfer"):
        for page in range(_MOST_PAGES):
            asked = {"type": kind, "start": since_ms // 1000 - 1, "ofs": page * _KRAKEN_PAGE}
            answer = mapping(await getattr(client, "privatePostLedgers")(asked), "the answer")  # noqa: B009
            ledger = mapping(mapping(answer.get("result"), "the result").get("ledger"), "the ledger")
            found |= {name: _entry(client, name, mapping(raw, "an entry")) for name, raw in ledger.items()}
            if len(ledger) < _KRAKEN_PAGE:
                break
        else:
            raise _endless()
    return list(found.values())


def _entry(client: VenueClient, name: str, raw: Raw) -> Funding:
    amount = decimal(raw, "amount") - _fee(raw, "fee")
    return Funding(name, _asset(client, raw, "asset"), amount, int(decimal(raw, "time") * 1000))


async def _by_ccxt(client: VenueClient, since_ms: int) -> list[Funding]:
    found: list[Funding] = []
    for name, ask, sign in (
        ("fetchDeposits", client.fetch_deposits, 1),
        ("fetchWithdrawals", client.fetch_withdrawals, -1),
    ):
        if client.has.get(name) is True:
            rows = [mapping(raw, "a transfer") for raw in sequence(await ask(None, since_ms, None, {}), "transfers")]
            found += [_unified(raw, name, sign) for raw in rows if raw.get("status") == "ok"]
    return found


def _unified(raw: Raw, name: str, sign: int) -> Funding:
    fee = raw.get("fee")
    cost = _fee(fee, "cost") if isinstance(fee, Mapping) else Decimal(0)
    amount = _size(raw) if sign > 0 else -_size(raw) - cost
    return Funding(f"{name}-{text(raw, 'id')}", text(raw, "currency"), amount, time_ms(raw))


async def _untold(client: VenueClient, since_ms: int) -> list[Funding]:
    del client, since_ms
    return []


# Coinbase Advanced lists none; its older interface does, by wallets that these keys need not see.
_TELLERS: Final[Mapping[str, FundingTeller]] = {
    "binance": _of_binance,
    "binanceus": _of_binance,
    "coinbase": _untold,
    "kraken": _of_kraken,
}


def _asset(client: VenueClient, raw: Raw, name: str) -> str:
    return client.safe_currency_code(text(raw, name))


def _size(raw: Raw) -> Decimal:
    amount = decimal(raw, "amount")
    if amount < 0:
        raise AnswerUnusable(f"a transfer of {amount} cannot be; the list of transfers is not used")
    return amount


def _fee(raw: Raw, name: str) -> Decimal:
    return decimal(raw, name) if raw.get(name) is not None else Decimal(0)


def _endless() -> AnswerUnusable:
    return AnswerUnusable(f"the list of transfers has no end after {_MOST_PAGES} pages; it is not used")
