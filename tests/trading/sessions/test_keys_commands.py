"""The key commands against a real server that checks signatures, a real pipe and a real terminal."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import keyring
import pytest
from keyring.backends import fail
from rich.console import Console

from trading.brokers.exchange_server.config import AccountConfig, ExchangeConfig
from trading.brokers.exchange_server.server import ExchangeServer
from trading.commands import Result, result_of
from trading.errors import ConnectionLost, ExitCode, Refused, UsageError
from trading.exchange.keys import API_KEY_VARIABLE, PASSPHRASE_VARIABLE, SECRET_VARIABLE, SECRET_VARIABLES, KeySource
from trading.exchange.permissions import KeyPermissions
from trading.sessions import keys_commands
from trading.sessions.keys_commands import KeysListRequest, KeysRequest, KeysTestRequest
from trading.sessions.keys_results import KeysTested

API_KEY = "AKIA0123456789abcdefAKIA"
SECRET = "s3cr3t/of+the=account-0001"
PASSPHRASE = "correct horse battery"
PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIBvXq3n5kTg1Zm5vY0o7\nAwEHoUQDQgAE\n-----END EC PRIVATE KEY-----"


class Venue:
    """A server in Binance's form that knows one key and checks every signature."""

    def __init__(self) -> None:
        self.restrictions: dict[str, object] | None = {"enableSpotAndMarginTrading": True, "enableWithdrawals": False}
        self.asked: list[str] = []
        venue = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = venue.answer(self.path, self.headers.get("X-MBX-APIKEY"))
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def answer(self, target: str, api_key: str | None) -> tuple[int, object]:
        parts = urlsplit(target)
        self.asked.append(parts.path)
        if parts.path == "/api/v3/exchangeInfo":
            return 200, {"timezone": "UTC", "serverTime": 0, "symbols": []}
        query, _, signature = parts.query.partition("&signature=")
        right = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
        if api_key != API_KEY or signature != right:
            return 401, {"code": -2014, "msg": "API-key format invalid."}
        if parts.path == "/sapi/v1/account/apiRestrictions" and self.restrictions is not None:
            return 200, self.restrictions
        if parts.path == "/api/v3/account":
            free = [{"asset": "BTC", "free": "0.5", "locked": "0.1"}, {"asset": "ETH", "free": "0", "locked": "0"}]
            return 200, {"balances": free, "permissions": ["SPOT"]}
        return 404, {"code": -1100, "msg": "no such path"}

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def venue() -> Iterator[Venue]:
    server = Venue()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in SECRET_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def given_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(API_KEY_VARIABLE, API_KEY)
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)


def piped(text: str, monkeypatch: pytest.MonkeyPatch, exchange: str = "binance") -> Result:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    return result_of(keys_commands.set_keys(KeysRequest(exchange=exchange)))


def shown(result: Result) -> str:
    screen = io.StringIO()
    Console(file=screen, width=200).print(result.as_text())
    return screen.getvalue() + json.dumps(result.as_json())


def test_piped_keys_are_kept_listed_and_removed_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    kept = piped(f"{API_KEY}\n{SECRET}\n", monkeypatch)
    listed = result_of(keys_commands.list_keys(KeysListRequest()))
    assert [(one.exchange, one.source) for one in listed.keys] == [("binance", KeySource.FILE)]
    assert (own_home / "keys.json").exists()
    removed = result_of(keys_commands.remove_keys(KeysRequest(exchange="binance")))
    assert removed.exit_code is ExitCode.DONE
    again = result_of(keys_commands.remove_keys(KeysRequest(exchange="binance")))
    assert again.exit_code is ExitCode.NOTHING_TO_DO
    for result in (kept, listed, removed, again):
        assert API_KEY not in shown(result)
        assert SECRET not in shown(result)


def test_the_environment_is_listed_first(monkeypatch: pytest.MonkeyPatch, given_keys: None) -> None:
    piped(f"{API_KEY}\n{SECRET}", monkeypatch, "kraken")
    listed = result_of(keys_commands.list_keys(KeysListRequest()))
    assert [(one.exchange, one.source.value) for one in listed.keys] == [(None, "environment"), ("kraken", "file")]


def test_no_keys_is_a_sentence() -> None:
    assert "gridbot keys set" in shown(result_of(keys_commands.list_keys(KeysListRequest())))


@pytest.mark.parametrize(
    ("text", "exchange", "secret", "password"),
    [
        (json.dumps({"api_key": "key-1", "secret": SECRET}), "binance", SECRET, None),
        (f"key-1\n{PEM}\n", "coinbase", PEM, None),
        (f"key-1\n{SECRET}\nthird", "okx", SECRET, "third"),
        (json.dumps({"api_key": "key-1", "secret": PEM.replace("\n", "\\n")}), "coinbase", PEM, None),
    ],
)
def test_keys_are_piped_in_as_lines_or_json(
    text: str, exchange: str, secret: str, password: str | None, monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    piped(text, monkeypatch, exchange)
    found = keys_commands.find_keys(exchange).credentials
    assert (found.api_key, found.secret, found.password) == ("key-1", secret, password)


@pytest.mark.parametrize(
    ("text", "exchange", "why"),
    [
        ("", "binance", "is empty"),
        ("only-a-key\n", "binance", "is empty"),
        ("key\nsecret\n", "okx", "wants a password"),
        ("x" * 20_000, "binance", "no keys"),
    ],
)
def test_incomplete_input_keeps_nothing(
    text: str, exchange: str, why: str, monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    with pytest.raises(UsageError, match=why):
        piped(text, monkeypatch, exchange)
    assert not (own_home / "keys.json").exists()


def test_an_unknown_exchange_is_told_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no exchange 'binanec'"):
        piped(f"{API_KEY}\n{SECRET}", monkeypatch, "binanec")


def rest_of(terminal: int) -> bytes:
    seen = b""
    while True:
        try:
            more = os.read(terminal, 1024)
        except OSError:  # how a terminal ends on Linux
            return seen
        if not more:
            return seen
        seen += more


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_a_secret_typed_at_a_terminal_is_not_echoed(own_home: Path) -> None:
    import pty

    program = (
        "from trading.commands import result_of; from trading.sessions.keys_commands import *; "
        "print(result_of(set_keys(KeysRequest(exchange='binance'))).as_json())"
    )
    environment = os.environ | {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    environment.pop(PASSPHRASE_VARIABLE)
    answers = [API_KEY, SECRET, PASSPHRASE, PASSPHRASE]
    prompts = [b"API key of binance: ", b"Secret: ", b"New passphrase of the key file: ", b"The same again: "]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, "-c", program], environment)
    seen = b""
    for prompt, answer in zip(prompts, answers, strict=True):
        while prompt not in seen:
            seen += os.read(terminal, 1024)
        os.write(terminal, answer.encode() + b"\n")
    seen += rest_of(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)
    assert b"fingerprint" in seen
    for hidden in answers:
        assert hidden.encode() not in seen
    assert (own_home / "keys.json").stat().st_mode & 0o077 == 0


def test_keys_that_the_venue_knows_pass(venue: Venue, given_keys: None) -> None:
    result = result_of(keys_commands.test_keys(KeysTestRequest(exchange="binance", rest_url=venue.url)))
    assert result.as_json()["assets"] == ["BTC"]
    assert result.as_json()["can_trade"] is True
    assert result.as_json()["can_withdraw"] is False
    assert SECRET not in shown(result)


def test_lesson_20_keys_with_withdrawal_permission_are_refused_before_the_account_is_read(
    venue: Venue, given_keys: None
) -> None:
    venue.restrictions = {"enableSpotAndMarginTrading": True, "enableWithdrawals": True}
    with pytest.raises(Refused, match="may withdraw money"):
        result_of(keys_commands.test_keys(KeysTestRequest(exchange="binance", rest_url=venue.url)))
    assert "/api/v3/account" not in venue.asked


@pytest.mark.parametrize("can_withdraw", [False, True])
def test_the_built_in_exchange_tells_what_its_keys_may_do(can_withdraw: bool, given_keys: None) -> None:
    account = AccountConfig(api_key=API_KEY, secret=SECRET, can_withdraw=can_withdraw)

    async def run() -> KeysTested:
        async with ExchangeServer(ExchangeConfig(accounts=(account,), history=5)) as server:
            request = KeysTestRequest(exchange="binance", rest_url=server.url)
            return await asyncio.to_thread(result_of, keys_commands.test_keys(request))

    if can_withdraw:
        with pytest.raises(Refused, match="may withdraw money"):
            asyncio.run(run())
    else:
        result = asyncio.run(run())
        assert (result.assets, result.permissions) == (("USDT",), KeyPermissions(trade=True, withdraw=False))


def test_a_venue_that_does_not_tell_permissions_is_said_so(venue: Venue, given_keys: None) -> None:
    venue.restrictions = None
    result = result_of(keys_commands.test_keys(KeysTestRequest(exchange="binance", rest_url=venue.url)))
    assert result.as_json()["can_withdraw"] is None
    assert "Look at the exchange's site" in shown(result)


def test_wrong_keys_are_refused_without_being_shown(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(API_KEY_VARIABLE, API_KEY)
    monkeypatch.setenv(SECRET_VARIABLE, "wrong-secret-0123456789")
    with pytest.raises(Refused, match="HTTP 401") as error:
        result_of(keys_commands.test_keys(KeysTestRequest(exchange="binance", rest_url=venue.url)))
    assert "wrong-secret" not in str(error.value)
    assert API_KEY not in str(error.value)


def test_a_dead_venue_is_told_without_the_signature(venue: Venue, given_keys: None) -> None:
    venue.close()
    with pytest.raises(ConnectionLost) as error:
        result_of(keys_commands.test_keys(KeysTestRequest(exchange="binance", rest_url=venue.url)))
    assert "signature=***" in str(error.value) or "signature" not in str(error.value)
    assert API_KEY not in str(error.value)


def test_no_secret_can_be_given_on_the_command_line() -> None:
    for model in (KeysRequest, KeysTestRequest, KeysListRequest):
        assert not {"secret", "api_key", "password", "passphrase"} & set(model.model_fields)


def test_the_commands_load_no_keyring_until_they_run() -> None:
    program = (
        "import sys, trading.sessions.keys_commands; "
        "sys.exit(int(any(name in sys.modules for name in ('keyring', 'trading.exchange.keys_file'))))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
