"""``gridbot paper`` and ``gridbot live``: sessions in the foreground, one event after another."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType

from rich.console import RenderableType

from trading.commands import News, Progress, Step
from trading.engine.compiling import forget_old_versions, must_compile
from trading.engine.loop import step
from trading.errors import ExitCode, Refused, UsageError
from trading.exchange.background import in_background
from trading.exchange.clock import SystemClock
from trading.exchange.keys import find_keys
from trading.exchange.simulated import is_loopback
from trading.sessions.control import StopRequest
from trading.sessions.events import SessionEvent, plain_amount
from trading.sessions.launch import Plan, plan_of
from trading.sessions.live_requests import LiveRequest, PaperRequest
from trading.sessions.live_session import SessionEnd
from trading.sessions.supervisor import Supervision, run_session
from trading.signals.streaming import SignalStream
from trading.signals.streaming_compiling import forget_old_versions as forget_old_streams

_DEFAULT_EXCHANGE = "binance"
_FIGURES_S = 0.5


@dataclass(frozen=True, slots=True)
class SessionResult:
    """How a session ended.

    Parameters
    ----------
    name : str
        The session's name.
    end : SessionEnd
        Why and how.
    time_ms : int
        When, the session's clock.
    """

    name: str
    end: SessionEnd
    time_ms: int

    @property
    def exit_code(self) -> ExitCode:
        """DONE, or HALTED."""
        return self.end.exit_code

    def as_json(self) -> dict[str, object]:
        """Return the last event of the stream."""
        data = {
            "reason": self.end.reason,
            "exit_code": int(self.exit_code),
            "unsettled": list(self.end.unsettled),
        }
        return SessionEvent("stopped", self.name, self.time_ms, data).as_json()

    def as_text(self) -> RenderableType:
        """Return the last line."""
        left = f"; without an answer still: {', '.join(self.end.unsettled)}" if self.end.unsettled else ""
        reason = self.end.reason
        how = "halted" if self.exit_code is ExitCode.HALTED and not reason.startswith("halted") else "ended"
        return f"session {self.name} {how}: {reason}{left}; `gridbot sessions show {self.name}` shows it"


def paper(request: PaperRequest) -> Generator[Step, None, SessionResult]:
    """Trade without money, or at a simulated venue."""
    plan = plan_of(request)
    if plan.needs_account:
        _only_with_keys(plan)
        plan = _with_keys(plan)
    return (yield from _run(plan))


def live(request: LiveRequest) -> Generator[Step, None, SessionResult]:
    """Trade real money, when a person says so."""
    if not request.live:
        raise UsageError("`gridbot live` trades real money; add --live to say that it is meant, or use `gridbot paper`")
    plan = _with_keys(plan_of(replace_exchange(request)))
    _require_limits(plan)
    _require_consent(plan, request)
    return (yield from _run(plan))


def replace_exchange(request: LiveRequest) -> LiveRequest:
    """Return a request that names its exchange."""
    return request if request.exchange is not None else request.model_copy(update={"exchange": _DEFAULT_EXCHANGE})


def _with_keys(plan: Plan) -> Plan:
    found = find_keys(plan.exchange, plan.home)
    return replace(plan, credentials=found.credentials)


def _only_with_keys(plan: Plan) -> None:
    url = plan.request.rest_url
    if url is not None and not is_loopback(url) and not plan.request.testnet:
        raise Refused(
            f"a paper session at {url} would send orders to a server that is not on this machine; "
            "use `gridbot live` for that, or leave --rest-url out"
        )


def _require_limits(plan: Plan) -> None:
    limits = plan.settings.limits
    if limits.max_drawdown is not None and limits.max_drawdown >= 1:
        raise Refused("live trading needs a drawdown limit under 100%; set limits.max_drawdown")


def _require_consent(plan: Plan, request: LiveRequest) -> None:
    if os.environ.get("GRIDBOT_LIVE", "").lower() == "yes":
        return
    local = all(is_loopback(url) for url in (request.rest_url, request.ws_url) if url is not None)
    if request.yes and request.rest_url is not None and local:
        return
    if request.yes:
        raise Refused("--yes spares the question only for servers on this machine; set GRIDBOT_LIVE=yes for a service")
    if not sys.stdin.isatty():
        raise Refused("live trading asks a person; run it in a terminal, or set GRIDBOT_LIVE=yes for a service")
    sys.stderr.write(
        f"Session {plan.name} will trade {plan.settings.capital} of real money in {plan.symbol} on {plan.exchange}, "
        f"risk {plan.settings.risk.value}.\nType the symbol to go on: "
    )
    sys.stderr.flush()
    if sys.stdin.readline().strip().upper() != plan.symbol:
        raise Refused("live trading was not confirmed; nothing was sent")


def _run(plan: Plan) -> Generator[Step, None, SessionResult]:
    if must_compile(step):
        forget_old_versions()
        yield Progress("compiling the core, once for this version")
    if SignalStream.must_compile():
        forget_old_streams()
        yield Progress("compiling the signals, once for this version")
    last = SessionEvent("started", plan.name, 0)
    with _signals() as reach:

        async def work(report: Callable[[Step], None]) -> SessionEnd:
            def tell(event: SessionEvent) -> None:
                nonlocal last
                last = event
                report(News(event.as_json(), event.as_text()))

            supervisions: list[Supervision] = []

            def started(supervision: Supervision) -> None:
                supervisions.append(supervision)
                reach(supervision)

            figures = asyncio.create_task(_tell_figures(supervisions, report))
            try:
                return await run_session(plan, tell, started)
            finally:
                figures.cancel()

        end = yield from in_background(work)
    return SessionResult(plan.name, end, last.time_ms)


async def _tell_figures(supervisions: list[Supervision], report: Callable[[Step], None]) -> None:
    clock = SystemClock()
    while True:
        await clock.sleep(_FIGURES_S)
        for session in (one.session for one in supervisions if one.session is not None and one.session.has_begun):
            now = session.status()
            price, equity, position = (plain_amount(now[name]) for name in ("price", "equity", "position"))
            words = f"{now['symbol']} {price}  equity {equity}  position {position}"
            report(Progress(f"{words}  {now['open_orders']} orders  candle {now['candle']}"))


@contextmanager
def _signals() -> Iterator[Callable[[Supervision], None]]:
    """Turn the first Ctrl-C or SIGTERM into an orderly end, and the second into an end at once."""
    reached: list[tuple[Supervision, asyncio.AbstractEventLoop]] = []
    told: list[int] = []

    def started(supervision: Supervision) -> None:
        reached.append((supervision, asyncio.get_running_loop()))
        if told:
            supervision.request_stop(StopRequest(False, False, "a signal"))

    def on_signal(number: int, frame: FrameType | None) -> None:
        told.append(number)
        if len(told) > 1:
            # the books are safe at every instant; whoever asks twice does not want to wait
            os._exit(ExitCode.INTERRUPTED)
        sys.stderr.write("gridbot: ending in order; once more ends at once\n")
        if reached:
            supervision, loop = reached[-1]
            loop.call_soon_threadsafe(supervision.request_stop, StopRequest(False, False, "a signal"))

    if threading.current_thread() is not threading.main_thread():
        yield started
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, on_signal) for number in numbers]
    try:
        yield started
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
