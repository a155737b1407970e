"""Reads are repeated while that may help; what changes something is sent once, unless nothing can have happened."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from traceback import format_exception

import pytest

from tests.trading.exchange.venue_server import Reply, SteppingClock, VenueServer
from trading.errors import ConnectionLost, GridBotError, RateLimited
from trading.exchange.account import AccountOptions, open_account
from trading.exchange.calls import AnswerUnusable, Reason, VenueCalls, VenueRefusal
from trading.exchange.circuit import CircuitBreaker
from trading.exchange.credentials import Credentials
from trading.exchange.venue_client import VenueClient

KEYS = Credentials("public-half-of-the-key", "the-secret-of-this-test")
READ, SENT = "GET /api/v3/openOrders", "POST /api/v3/order"


def refusal(code: int, words: str, status: int = 400) -> Reply:
    return Reply({"code": code, "msg": words}, status)


class Venue:
    """A server that answers two calls, and the calls."""

    def __init__(self, *replies: Reply, always: Reply | None = None, failures: int = 100) -> None:
        good = always or Reply([])
        self.server = VenueServer({READ: good, SENT: always or Reply({"orderId": 1})})
        self.server.next_replies = {READ: list(replies), SENT: list(replies)}
        self.clock = SteppingClock()
        self.breaker = CircuitBreaker(self.clock, failures=failures)
        self.resyncs = 0

    def run(self, use: Callable[[VenueCalls, VenueClient], Awaitable[object]]) -> object:
        async def main() -> object:
            async with self.server:
                options = AccountOptions(timeout_ms=400)
                client = open_account("binance", KEYS, rest_url=self.server.url, clock=self.clock, options=options)
                calls = VenueCalls("binance", self.clock, self.breaker, self._resync, jitter=lambda: 0.5)
                try:
                    return await use(calls, client)
                finally:
                    await client.close()

        return asyncio.run(main())

    def read(self) -> object:
        return self.run(lambda calls, client: calls.read("the open orders", lambda: _read(client)))

    def send(self) -> object:
        return self.run(lambda calls, client: calls.send("order gb-day-1", lambda: _send(client)))

    async def _resync(self) -> None:
        self.resyncs += 1


async def _read(client: VenueClient) -> object:
    return await client.privateGetOpenOrders({"symbol": "BTCUSDT"})  # type: ignore[attr-defined]


async def _send(client: VenueClient) -> object:
    return await client.privatePostOrder({"symbol": "BTCUSDT"})  # type: ignore[attr-defined]


PASSING = [
    Reply(status=500),
    Reply(status=502),
    Reply(status=503),
    Reply(status=504),
    Reply(hang_up=True),
    Reply(raw="{"),
]
IDS = ["500", "502", "503", "504", "cut", "truncated"]


@pytest.mark.parametrize("reply", PASSING, ids=IDS)
def test_a_read_is_asked_again(reply: Reply) -> None:
    venue = Venue(reply)
    assert venue.read() == []
    assert venue.server.count(READ) == 2


@pytest.mark.parametrize("reply", PASSING, ids=IDS)
def test_lesson_04_a_send_without_an_answer_is_not_sent_again(reply: Reply) -> None:
    venue = Venue(reply)
    with pytest.raises(ConnectionLost, match="nothing is known of it"):
        venue.send()
    assert venue.server.count(SENT) == 1


@pytest.mark.parametrize(
    "reply",
    [
        refusal(-1006, "An unexpected response was received. Execution status unknown."),
        refusal(-1007, "Timeout waiting for response from backend server."),
        refusal(-1000, "An unknown error occurred while processing the request."),
    ],
)
def test_lesson_01_an_answer_that_leaves_it_open_is_no_refusal(reply: Reply) -> None:
    with pytest.raises(ConnectionLost):
        Venue(reply).send()


def test_what_the_exchange_did_not_take_up_is_sent_again() -> None:
    venue = Venue(Reply(status=429, body={"code": -1003, "msg": "Too many"}, headers={"Retry-After": "1"}))
    assert venue.send() == {"orderId": 1}
    assert venue.clock.sleeps == [1.0]


def test_a_send_does_not_wait_for_a_long_pause() -> None:
    venue = Venue(Reply(status=429, body={"code": -1003, "msg": "Too many"}, headers={"Retry-After": "60"}))
    with pytest.raises(RateLimited, match="nothing was sent"):
        venue.send()
    assert (venue.server.count(SENT), venue.clock.sleeps) == (1, [])


@pytest.mark.parametrize("way", [Venue.read, Venue.send])
def test_a_refused_time_is_measured_anew_and_sent_again(way: Callable[[Venue], object]) -> None:
    venue = Venue(refusal(-1021, "Timestamp for this request is outside of the recvWindow."))
    assert way(venue) is not None
    assert venue.resyncs == 1


def test_a_time_that_stays_refused_is_given_up_as_not_carried_out() -> None:
    venue = Venue(always=refusal(-1021, "Timestamp for this request is outside of the recvWindow."))
    with pytest.raises(RateLimited, match="nothing happened there"):
        venue.send()
    assert venue.server.count(SENT) == 3


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (refusal(-2010, "Account has insufficient balance for requested action."), Reason.FUNDS),
        (refusal(-2010, "Duplicate order sent."), Reason.DUPLICATE_ID),
        (refusal(-2013, "Order does not exist."), Reason.UNKNOWN_ORDER),
        (refusal(-2011, "Unknown order sent."), Reason.UNKNOWN_ORDER),
        (refusal(-2015, "Invalid API-key, IP, or permissions for action.", 401), Reason.KEYS),
        (refusal(-1013, "Filter failure: LOT_SIZE"), Reason.OTHER),
        (refusal(-1121, "Invalid symbol."), Reason.OTHER),
    ],
    ids=lambda value: str(value) if isinstance(value, Reason) else "",
)
@pytest.mark.parametrize("way", [Venue.read, Venue.send])
def test_a_refusal_is_final_and_says_why(way: Callable[[Venue], object], reply: Reply, reason: Reason) -> None:
    venue = Venue(reply)
    with pytest.raises(VenueRefusal) as failure:
        way(venue)
    assert failure.value.reason is reason
    assert len(venue.server.asked) == 1


def test_a_read_is_given_up_after_its_tries() -> None:
    venue = Venue(always=Reply(status=503))
    with pytest.raises(ConnectionLost):
        venue.read()
    assert (venue.server.count(READ), venue.clock.sleeps) == (4, [0.375, 0.75, 1.5])


def test_lesson_16_a_ban_is_told_at_once_and_nothing_more_is_sent() -> None:
    venue = Venue(always=Reply(status=418, body={"code": -1003, "msg": "banned"}, headers={"Retry-After": "600"}))

    async def both(calls: VenueCalls, client: VenueClient) -> None:
        for ask in (calls.read, calls.send, calls.read):
            with pytest.raises(RateLimited):
                await ask("it", lambda: _read(client))

    venue.run(both)
    assert (len(venue.server.asked), venue.clock.sleeps) == (1, [])


def test_a_silent_exchange_is_left_alone_and_tried_again() -> None:
    venue = Venue(*[Reply(status=503)] * 4, failures=4)

    async def use(calls: VenueCalls, client: VenueClient) -> object:
        with pytest.raises(ConnectionLost):
            await calls.read("it", lambda: _read(client))
        with pytest.raises(ConnectionLost, match="was not sent"):
            await calls.read("it", lambda: _read(client))
        with pytest.raises(RateLimited, match="was not sent"):
            await calls.send("it", lambda: _send(client))
        asked = len(venue.server.asked)
        venue.clock.pass_time(5)
        return asked, await calls.read("it", lambda: _read(client))

    assert venue.run(use) == (4, [])


def test_an_answer_of_another_form_is_unusable_not_a_crash() -> None:
    async def broken() -> None:
        raise KeyError("orderId")

    venue = Venue()
    with pytest.raises(AnswerUnusable, match="cannot be used"):
        venue.run(lambda calls, _: calls.send("it", broken))


def test_no_signature_is_in_any_error() -> None:
    for reply in (Reply(status=503), Reply(hang_up=True), refusal(-1013, "Filter failure"), Reply(raw="<html>")):
        with pytest.raises(GridBotError) as failure:
            Venue(reply).send()
        told = "".join(format_exception(failure.value))
        assert "signature=" not in told
        assert KEYS.api_key not in told
        assert failure.value.__cause__ is None
        assert failure.value.__context__ is None


def test_a_cancelled_call_leaves_the_breaker_free() -> None:
    venue = Venue(failures=1)

    async def use(calls: VenueCalls, client: VenueClient) -> object:
        with pytest.raises(ConnectionLost):
            await calls.send("it", _fail)
        venue.clock.pass_time(5)
        waiting = asyncio.create_task(calls.read("it", asyncio.Event().wait))
        while venue.breaker.admit():
            venue.breaker.abandoned()
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return await calls.read("it", lambda: _read(client))

    async def _fail() -> None:
        raise AnswerUnusable("broken")

    assert venue.run(use) == []
