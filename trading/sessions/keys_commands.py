"""The commands on keys: keep, list, test and forget them; a secret is typed or piped in, never an argument."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Generator, Mapping
from decimal import Decimal
from getpass import getpass

from pydantic import Field

from trading.commands import Progress, Step
from trading.errors import GridBotError, Refused, UsageError
from trading.exchange.account import open_account, open_public
from trading.exchange.background import in_background
from trading.exchange.clock import SystemClock
from trading.exchange.credentials import Credentials
from trading.exchange.keys import (
    AskPassphrase,
    FoundKeys,
    KeySource,
    find_keys,
    from_text,
    key_store,
    keys_in_environment,
    unfolded,
)
from trading.exchange.permissions import key_permissions, refuse_withdrawal
from trading.exchange.redaction import Redactor
from trading.exchange.retry import Retry, RetryPolicy
from trading.market.requests import HomeRequest
from trading.sessions.keys_results import KeysKept, KeysList, KeysRemoved, KeysTested, ListedKeys

_TRIES = RetryPolicy(attempts=3)
# More than any exchange's keys, and far less than a file piped in by mistake.
_MOST_PIPED = 16_384


class KeysListRequest(HomeRequest):
    """The keys on this machine."""


class KeysRequest(HomeRequest):
    """The keys of one exchange."""

    exchange: str = Field(
        description="ccxt's name, such as binance", json_schema_extra={"positional": True}, pattern=r"^[a-z0-9_]+$"
    )


class KeysTestRequest(KeysRequest):
    """Keys to try."""

    rest_url: str | None = Field(None, description="server that speaks the exchange's protocol, http://host:port")


def set_keys(request: KeysRequest) -> Generator[Progress, None, KeysKept]:
    """Keep the keys of an exchange, read from the terminal without echo or from standard input.

    Parameters
    ----------
    request : KeysRequest
        Which exchange.

    Yields
    ------
    Progress
        After writing.

    Returns
    -------
    KeysKept
        Where they are.

    Raises
    ------
    UsageError
        When there is no such exchange, or the input is incomplete.
    """
    required: Mapping[str, bool] = getattr(open_public(request.exchange), "requiredCredentials", {})
    needs_password = bool(required.get("password"))
    credentials = _typed(request.exchange, needs_password) if sys.stdin.isatty() else _piped(needs_password)
    store = key_store(request.home, _asking())
    store.set(request.exchange, credentials)
    # told behind all questions, because its display would write over them
    yield Progress("keeping the keys", 1, 1)
    return KeysKept(request.exchange, store.source, credentials.masked, credentials.fingerprint)


def list_keys(request: KeysListRequest) -> Generator[Progress, None, KeysList]:
    """List the keys on this machine, masked.

    Parameters
    ----------
    request : KeysListRequest
        Which data home.

    Yields
    ------
    Progress
        After looking.

    Returns
    -------
    KeysList
        A row for each set of keys.
    """
    listed = []
    given = keys_in_environment()
    if given is not None:
        listed.append(ListedKeys(None, KeySource.ENVIRONMENT, given.masked, given.fingerprint))
    store = key_store(request.home, _asking())
    for exchange in store.exchanges():
        kept = store.get(exchange)
        if kept is not None:
            listed.append(ListedKeys(exchange, store.source, kept.masked, kept.fingerprint))
    yield Progress("looking for keys", 1, 1)
    return KeysList(tuple(listed))


def test_keys(request: KeysTestRequest) -> Generator[Step, None, KeysTested]:
    """Ask an exchange for the account of the keys, and what the keys may do.

    Parameters
    ----------
    request : KeysTestRequest
        Which exchange, and where it is.

    Yields
    ------
    Progress
        Before each question.

    Returns
    -------
    KeysTested
        What the exchange said.

    Raises
    ------
    Refused
        When there are no keys, the exchange does not accept them, or says that they may withdraw.
    ConnectionLost
        When it does not answer.
    """
    found = find_keys(request.exchange, request.home, _asking())

    def work(report: Callable[[Step], None]) -> Coroutine[object, object, KeysTested]:
        return _test(request, found, report)

    try:
        return (yield from in_background(work))
    except GridBotError as error:
        # ccxt quotes whole addresses, and with them the signature
        raise type(error)(Redactor(found.credentials.hidden_values).text(str(error))) from None


def remove_keys(request: KeysRequest) -> Generator[Progress, None, KeysRemoved]:
    """Forget the keys of an exchange; those in the environment stay.

    Parameters
    ----------
    request : KeysRequest
        Which exchange.

    Yields
    ------
    Progress
        After removing.

    Returns
    -------
    KeysRemoved
        Whether there were any.
    """
    store = key_store(request.home, _asking())
    removed = store.remove(request.exchange)
    yield Progress("forgetting the keys", 1, 1)
    return KeysRemoved(request.exchange, store.source, removed)


async def _test(request: KeysTestRequest, found: FoundKeys, report: Callable[[Step], None]) -> KeysTested:
    client = open_account(request.exchange, found.credentials, rest_url=request.rest_url)
    retry = Retry(request.exchange, SystemClock(), _TRIES)
    try:
        report(Progress("asking what the keys may do", 0, 2))
        permissions = await key_permissions(client, request.exchange, retry)
        refuse_withdrawal(permissions, request.exchange)
        report(Progress("asking for the account", 1, 2))
        balance = await retry("the account", client.fetch_balance)
    finally:
        await client.close()
    total = balance.get("total")
    amounts = total.items() if isinstance(total, dict) else ()
    assets = sorted(name for name, amount in amounts if amount is not None and Decimal(str(amount)))
    return KeysTested(request.exchange, found.source, found.credentials.fingerprint, tuple(assets), permissions)


def _typed(exchange_id: str, needs_password: bool) -> Credentials:
    api_key = getpass(f"API key of {exchange_id}: ").strip()
    secret = getpass("Secret: ").strip()
    if secret.startswith("-----BEGIN") and "-----END" not in secret:
        raise UsageError(
            "a private key has several lines, which cannot be typed here; pipe them in: the API key in the first "
            "line, then the private key"
        )
    password = getpass("Password: ").strip() if needs_password else ""
    return _complete(api_key, secret, password, needs_password)


def _piped(needs_password: bool) -> Credentials:
    text = sys.stdin.read(_MOST_PIPED + 1).strip()
    if len(text) > _MOST_PIPED:
        raise UsageError(f"standard input holds more than {_MOST_PIPED:,} characters, which are no keys")
    if text.startswith("{"):
        given = from_text(text, "standard input")
        return _complete(given.api_key, given.secret, given.password or "", needs_password)
    api_key, _, rest = text.partition("\n")
    rest = rest.strip()
    if rest.startswith("-----BEGIN"):
        secret, end, tail = rest.partition("-----END")
        last, _, password = tail.partition("\n")
        return _complete(api_key, secret + end + last, password, needs_password)
    secret, _, password = rest.partition("\n")
    return _complete(api_key, secret, password, needs_password)


def _complete(api_key: str, secret: str, password: str, needs_password: bool) -> Credentials:
    if not api_key.strip() or not secret.strip():
        raise UsageError("the API key or the secret is empty; pipe in the key in one line and the secret in the next")
    if needs_password and not password.strip():
        raise UsageError("this exchange wants a password beside key and secret; pipe it in as a third line")
    return Credentials(api_key.strip(), unfolded(secret), password.strip() or None)


def _asking() -> AskPassphrase | None:
    return _ask_passphrase if sys.stdin.isatty() else None


def _ask_passphrase(new: bool) -> str:
    given = getpass("New passphrase of the key file: " if new else "Passphrase of the key file: ")
    if new and getpass("The same again: ") != given:
        raise Refused("the two passphrases differ; nothing was kept")
    return given
