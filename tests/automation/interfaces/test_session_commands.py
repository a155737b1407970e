"""Commands of sessions as a user types them: processes, an exchange on this machine, exit codes, no secrets."""

from __future__ import annotations

import json
import os
import pty
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM

import numpy as np
import pandas as pd
import pytest

from tests.automation.interfaces.session_programs import (
    KEYS,
    LIVELY,
    SYMBOL,
    Here,
    Running,
    Venue,
    session_words,
    set_words,
    venue,
)
from tests.trading.sessions.crash_rig import write_candles
from trading.brokers.exchange_server.config import TEST_SECRET
from trading.errors import ExitCode

DONE, FAILED, USAGE, REFUSED, HALTED = (
    ExitCode.DONE,
    ExitCode.FAILED,
    ExitCode.USAGE,
    ExitCode.REFUSED,
    ExitCode.HALTED,
)
# Nobody listens on it: the exchange in a test listens on a port that the system chose, which is never this one.
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Here:
    return Here(capsys, tmp_path / "home")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sessions")


@pytest.fixture(scope="module")
def replayed(folder: Path) -> Running:
    """A session over a candle file, at its end."""
    candles = write_candles(folder / "BTCUSDT-1m.csv", 300, 3)
    words = ("paper", "--candles", str(candles), "--session", "twin", "--home", str(folder / "replay"))
    with Running(*words, *set_words(*LIVELY)) as running:
        code, told = running.end()
    assert code == DONE, told
    return running


@pytest.fixture(scope="module")
def exchange(folder: Path) -> Iterator[Venue]:
    place = folder / "exchange"
    place.mkdir()
    with venue(place) as running:
        yield running


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []


def assert_no_secret(folder: Path, *texts: str) -> None:
    for path in files_under(folder):
        assert TEST_SECRET.encode() not in path.read_bytes(), path
    assert all(TEST_SECRET not in text for text in texts)


class TestReplay:
    """A paper session over a candle file, and all that can be asked of it afterwards; one session for the class."""

    @pytest.fixture
    def here(self, capsys: pytest.CaptureFixture[str], folder: Path, replayed: Running) -> Here:
        return Here(capsys, folder / "replay")

    def test_each_line_is_an_event_from_started_to_stopped(self, replayed: Running) -> None:
        events = replayed.events
        assert [events[0]["event"], events[-1]["event"]] == ["started", "stopped"]
        assert {event["session"] for event in events} == {"twin"}
        assert all({"event", "time", "time_ms"} <= event.keys() for event in events)
        assert {"order", "fill"} <= {event["event"] for event in events}
        assert not [event for event in events if event["event"] in ("alert", "crashed", "halted")]
        assert (events[0]["recovered"], events[-1]["exit_code"]) == (False, 0)

    def test_its_fills_are_those_of_the_backtest(self, here: Here, folder: Path, replayed: Running) -> None:
        candles, written = folder / "BTCUSDT-1m.csv", folder / "fills.parquet"
        here("backtest", "--candles", str(candles), "--fills", str(written), *set_words(*LIVELY))
        wanted = pd.read_parquet(written)
        fills = [event for event in replayed.events if event["event"] == "fill"]
        assert len(fills) == len(wanted) >= 20
        assert [event["side"] for event in fills] == wanted["side"].tolist()
        for name in ("price", "quantity", "fee"):
            assert np.allclose([float(str(event[name])) for event in fills], wanted[name].astype(float), rtol=1e-12)

    def test_show_gives_orders_fills_position_balances_and_profit(self, here: Here, replayed: Running) -> None:
        shown = here.json("sessions", "show", "twin")
        fills = [event for event in replayed.events if event["event"] == "fill"]
        assert shown["state"] == "stopped"
        assert all(order["client_id"] and order["exchange_id"] and order["state"] for order in shown["orders"])
        assert [fill["trade_id"] for fill in shown["fills"]] == [event["trade_id"] for event in fills]
        bought = [Decimal(str(one["quantity"])) * (1 if one["side"] == "buy" else -1) for one in fills]
        assert Decimal(shown["position"]) == sum(bought)
        assert Decimal(shown["balances"]["BTC"]) == Decimal(shown["position"])
        paid = [
            Decimal(str(one["quantity"])) * Decimal(str(one["price"])) * (-1 if one["side"] == "buy" else 1)
            - Decimal(str(one["fee"]))
            for one in fills
        ]
        assert Decimal(shown["balances"]["USDT"]) == Decimal(10_000) + sum(paid)
        assert Decimal(shown["profit"]) == Decimal(shown["equity"]) - Decimal(10_000)

    def test_in_words_it_shows_the_newest_and_what_happened(self, here: Here) -> None:
        shown = here("sessions", "show", "twin")
        assert "fills, the newest 15" in shown
        assert "capital    10000 USDT" in shown
        assert "stopped  the market data ended" in shown
        assert "paper BTC/USDT 1m on replay, capital 10000, 49 candles seen before" in shown
        listed = here("sessions")
        assert "twin" in listed
        assert "BTC/USDT" in listed
        assert here("status") == "no session is running; 1 is stopped\n"

    def test_the_list_names_it_with_its_market(self, here: Here) -> None:
        (entry,) = here.json("sessions")["sessions"]
        assert (entry["session"], entry["running"], entry["problem"]) == ("twin", False, None)
        assert (entry["mode"], entry["symbol"], entry["timeframe"]) == ("paper", SYMBOL, "1m")
        assert here.json("status") == {"running": {}, "stopped": ["twin"]}

    def test_report_writes_a_page_with_the_figures_of_the_session(self, here: Here, folder: Path) -> None:
        told = here.json("sessions", "report", "twin", "--report", str(folder / "page"))
        page = Path(str(told["report"]))
        assert page.is_file()
        assert "twin" in page.read_text()
        assert f"{told['final_equity']:.6f}" == f"{float(here.json('sessions', 'show', 'twin')['equity']):.6f}"

    def test_replay_leads_to_the_same_bit_for_bit(self, here: Here, folder: Path) -> None:
        told = here.json("sessions", "replay", "twin", "--export", str(folder / "twin.recording"))
        assert (told["same"], told["differs_at"], told["error"]) == (True, None, None)
        assert told["inputs"] >= 250
        assert (folder / "twin.recording").stat().st_size > 1_000

    def test_the_same_name_again_recovers_and_finds_nothing_new(self, here: Here, folder: Path) -> None:
        before = here.json("sessions", "show", "twin")
        words = ("paper", "--candles", str(folder / "BTCUSDT-1m.csv"), "--session", "twin")
        ended = here.json(*words)
        after = here.json("sessions", "show", "twin")
        assert ended["event"] == "stopped"
        assert [after[name] for name in ("orders", "fills", "equity")] == [
            before[name] for name in ("orders", "fills", "equity")
        ]

    def test_it_is_no_session_of_another_market_or_other_settings(self, here: Here, folder: Path) -> None:
        words = ("paper", "--candles", str(folder / "BTCUSDT-1m.csv"), "--session", "twin")
        assert "trades paper replay BTC/USDT 1m" in here(*words, "--symbol", "ETH/USDT", code=USAGE)
        assert "grid.spacing" in here(*words, "--set", "grid.spacing=0.02", code=USAGE)

    def test_stop_of_what_does_not_run_says_so(self, here: Here) -> None:
        assert here("stop", "twin") == "session twin: it was not running\n"
        assert here.json("sessions", "stop", "twin")["stopped"] is True


class TestOnTheExchange:
    """One account at one exchange: killed, recovered, stopped in every way."""

    @pytest.fixture
    def here(self, capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
        for name, value in KEYS.items():
            monkeypatch.setenv(name, value)
        return Here(capsys, folder / "home")

    # kills at every instant are the crash rig's affair, and `make demo` kills a session on the command line
    @pytest.mark.slow
    def test_killed_in_the_middle_it_recovers_and_ends_in_order(self, exchange: Venue, here: Here) -> None:
        words = ["paper", *session_words(exchange.url, here.home, "story")]
        with Running(*words) as first:
            assert first.until("started")["recovered"] is False
            first.until("fill")
            first.send(SIGKILL)
            assert first.end()[0] == -SIGKILL
        resting = exchange.open_orders("story")
        assert resting
        assert here.json("sessions", "show", "story")["state"] == "stopped"
        with Running(*words, "--cancel-orders") as second:
            started = second.until("started")
            assert second.events == [started]
            assert (started["recovered"], started["open_orders"] >= len(resting)) == (True, True)
            second.until("fill", 2)
            self._is_seen_while_it_runs(here, exchange, second)
            second.send(SIGINT)
            code, told = second.end()
        assert (code, second.events[-1]["event"]) == (DONE, "stopped"), told
        assert not [event for event in second.events if event["event"] in ("crashed", "halted")]
        assert exchange.open_orders("story") == []
        self._agrees_with_the_exchange(here, exchange)
        assert_no_secret(here.home, told, json.dumps([*first.events, *second.events]))

    def _is_seen_while_it_runs(self, here: Here, exchange: Venue, running: Running) -> None:
        answer = here.json("status")["running"]["story"]
        assert (answer["symbol"], answer["feed"], answer["halted"]) == (SYMBOL, "live", None)
        assert Decimal(answer["equity"]) > 9_000
        assert "story" in here("status")
        assert here.json("sessions", "show", "story")["state"] == "running"
        other = here("paper", *session_words(exchange.url, here.home, "other")[2:], code=REFUSED)
        assert f"by session story (process {running.process.pid})" in other
        again = here("paper", *session_words(exchange.url, here.home, "story")[2:], code=REFUSED)
        assert "session story is running already" in again

    def _agrees_with_the_exchange(self, here: Here, exchange: Venue) -> None:
        shown = here.json("sessions", "show", "story")
        told = exchange.ask("/sim/audit")
        ids = {one["client_id"]: str(one["order_id"]) for one in told["orders"]}
        assert {one["client_id"]: one["exchange_id"] for one in shown["orders"] if one["exchange_id"]} == ids
        assert told["repeated_client_ids"] == []
        free, locked = told["balances"]["main"]["BTC"]
        assert Decimal(free) + Decimal(locked) == Decimal("0.5") + Decimal(shown["balances"]["BTC"])
        assert here.json("sessions", "replay", "story")["same"] is True

    def test_stop_with_cancel_orders_and_flatten_leaves_nothing(self, exchange: Venue, here: Here) -> None:
        with Running("paper", *session_words(exchange.url, here.home, "story")) as running:
            running.until("started")
            running.until("order", 4)
            done = here.json("stop", "story", "--cancel-orders", "--flatten")
            code, told = running.end()
        assert done == {"session": "story", "stopped": True, "how": "it ended in order"}
        assert (code, running.events[-1]["event"]) == (DONE, "stopped"), told
        self._has_nothing_left(exchange, here, "story")

    def _has_nothing_left(self, exchange: Venue, here: Here, name: str) -> None:
        assert exchange.open_orders(name) == []
        shown = here.json("sessions", "show", name)
        free, locked = exchange.ask("/sim/audit")["balances"]["main"]["BTC"]
        dust = Decimal(free) + Decimal(locked) - Decimal("0.5")
        assert dust == Decimal(shown["balances"]["BTC"])
        # what fees in base leave is less than one lot a sale, and cannot be sold
        assert 0 <= dust < Decimal("0.0005")

    @pytest.mark.slow
    def test_kill_file_ends_it_too_and_keeps_it_from_starting(self, exchange: Venue, here: Here) -> None:
        words = ["paper", *session_words(exchange.url, here.home, "story")]
        kill_file = here.home / "sessions" / "story" / "STOP"
        with Running(*words) as running:
            running.until("started")
            running.until("order", 4)
            kill_file.write_text("flatten\n")
            code, told = running.end()
        assert (code, running.events[-1]["event"]) == (DONE, "stopped"), told
        self._has_nothing_left(exchange, here, "story")
        assert str(kill_file) in here(*words[:1], *words[3:], code=REFUSED)
        kill_file.unlink()

    @pytest.mark.slow
    def test_second_signal_ends_it_at_once(self, here: Here, tmp_path: Path) -> None:
        with venue(tmp_path) as own, Running("paper", *session_words(own.url, here.home, "hasty")) as running:
            running.until("started")
            running.send(SIGTERM, SIGINT)
            code, told = running.end()
        assert code == ExitCode.INTERRUPTED, told
        assert here.json("sessions", "show", "hasty")["state"] == "stopped"

    @pytest.mark.slow
    def test_live_trades_for_five_minutes_with_consent_for_this_machine(self, exchange: Venue, here: Here) -> None:
        words = session_words(exchange.url, here.home, "real", "--live", "--yes", "--max-minutes", "5")
        with Running("live", *words) as running:
            code, told = running.end()
        first, last = running.events[0], running.events[-1]
        assert (code, last["event"], last["reason"]) == (DONE, "stopped", "its time is over"), told
        assert (first["event"], first["mode"]) == ("started", "live")
        assert last["time_ms"] - first["time_ms"] >= 5 * 60_000
        assert {"order", "reconciled"} <= {event["event"] for event in running.events}
        assert here.json("sessions", "show", "real")["mode"] == "live"
        assert_no_secret(here.home, told, json.dumps(running.events))


class TestConsent:
    """A person at a terminal, who is asked before real money moves."""

    @pytest.fixture
    def terminal(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
        """Give this process a terminal to read from, and return the person's end of it."""
        ours, theirs = pty.openpty()
        with os.fdopen(theirs) as keyboard:
            monkeypatch.setattr(sys, "stdin", keyboard)
            for name, value in KEYS.items():
                monkeypatch.setenv(name, value)
            yield ours
        os.close(ours)

    def test_nothing_is_sent_when_the_wrong_word_is_typed(self, here: Here, exchange: Venue, terminal: int) -> None:
        before = exchange.ask("/sim/status")
        os.write(terminal, b"yes\n")
        said = here("live", "--live", *session_words(exchange.url, here.home, "asked"), code=REFUSED)
        assert "Session asked will trade 10000 of real money in BTC/USDT on binance, risk moderate" in said
        assert "not confirmed; nothing was sent" in said
        assert exchange.ask("/sim/status") == before
        assert here.json("sessions") == {"sessions": []}

    def test_the_typed_symbol_lets_it_go_on(self, here: Here, terminal: int) -> None:
        os.write(terminal, b"btc/usdt\n")
        said = here("live", "--live", *session_words(NOBODY, here.home, "asked"), code=FAILED)
        # it got as far as the exchange, which is not there
        assert "127.0.0.1:9" in said


class TestRisk:
    def test_halted_by_drawdown_it_exits_with_4_and_goes_on_when_a_person_says_so(
        self, here: Here, tmp_path: Path
    ) -> None:
        candles = write_candles(tmp_path / "BTCUSDT-1m.csv", 300, 3)
        words = ("paper", "--candles", str(candles), "--session", "risky")
        told = here(*words, *set_words(*LIVELY, "limits.daily_loss=1", "limits.max_drawdown=0.001"), code=HALTED)
        assert "maximum drawdown reached" in told
        assert told.splitlines()[-1].startswith("session risky ended: halted by a risk rule")
        before = len(here.json("sessions", "show", "risky")["fills"])
        assert here.json(*words, code=HALTED)["exit_code"] == HALTED
        assert len(here.json("sessions", "show", "risky")["fills"]) == before
        here.json(*words, "--resume", code=HALTED)
        shown = here.json("sessions", "show", "risky")
        assert "resumed" in [event["event"] for event in shown["events"]]
        assert len(shown["fills"]) > before


class TestRefusals:
    @pytest.mark.parametrize(
        ("words", "code", "part"),
        [
            (["paper"], USAGE, "--symbol BASE/QUOTE"),
            (["paper", "--symbol", "BTC"], USAGE, "'BTC' is not a symbol"),
            (["paper", "--symbol", SYMBOL, "--set", "grid.spacin=1"], USAGE, "grid.spacin"),
            (["paper", "--symbol", SYMBOL, "--set", "grid.spacing=wide"], USAGE, "grid.spacing"),
            (["paper", "--symbol", SYMBOL, "--rest-url", "example"], USAGE, "http://host:port"),
            (["paper", "--symbol", SYMBOL, "--rest-url", "http://127.0.0.1:http"], USAGE, "http://host:port"),
            (["paper", "--symbol", SYMBOL, "--rest-url", NOBODY, "--ws-url", NOBODY], USAGE, "ws://host:port"),
            (["paper", "--symbol", SYMBOL, "--rest-url", "http://example.org"], REFUSED, "not on this machine"),
            (["paper", "--symbol", SYMBOL, "--rest-url", NOBODY], REFUSED, "no keys of binance"),
            (["paper", "--symbol", SYMBOL, "--exchange", "nowhere"], USAGE, "no exchange 'nowhere'"),
            (["paper", "--symbol", SYMBOL, "--timeframe", "7x"], USAGE, "'7x' is not a timeframe"),
            (["paper", "--symbol", SYMBOL, "--session", "A B"], USAGE, "cannot be called 'A B'"),
            (["paper", "--symbol", SYMBOL, "--max-minutes", "0"], USAGE, "--max-minutes"),
            (["paper", "--symbol", SYMBOL, "--live"], USAGE, "gridbot live"),
            (["paper", "--candles", "missing.csv"], REFUSED, "missing.csv"),
            (["live", "--symbol", SYMBOL], USAGE, "add --live"),
            (["live", "--symbol", SYMBOL, "--live"], REFUSED, "no keys of binance"),
            (["live", "--symbol", SYMBOL, "--live", "--yes", "--exchange", "kraken"], REFUSED, "no keys of kraken"),
            (["stop", "unknown"], USAGE, "there is no session unknown"),
            (["sessions", "show", "unknown"], USAGE, "there is no session unknown"),
            (["sessions", "report", "unknown"], USAGE, "there is no session unknown"),
            (["sessions", "replay", "unknown"], USAGE, "there is no session unknown"),
            (["sessions", "show", "../up"], USAGE, "cannot be called '../up'"),
        ],
    )
    def test_one_clear_sentence_and_no_session(self, here: Here, words: list[str], code: int, part: str) -> None:
        said = here(*words, code=code)
        assert part in said
        assert said.startswith("gridbot: ")
        assert said.count("\n") == 1
        assert here.json("sessions") == {"sessions": []}

    def test_with_keys_live_still_asks_a_person(self, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in KEYS.items():
            monkeypatch.setenv(name, value)
        words = ("live", "--symbol", SYMBOL, "--live")
        assert "asks a person" in here(*words, "--rest-url", NOBODY, code=REFUSED)
        for more in (
            [],
            ["--rest-url", "https://example.org"],
            ["--rest-url", NOBODY, "--ws-url", "wss://example.org"],
        ):
            assert "only for servers on this machine" in here(*words, "--yes", *more, code=REFUSED)
        monkeypatch.setenv("GRIDBOT_LIVE", "no")
        assert "asks a person" in here(*words, "--rest-url", NOBODY, code=REFUSED)
        assert here.json("sessions") == {"sessions": []}

    def test_an_exchange_out_of_reach_is_one_sentence(self, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in KEYS.items():
            monkeypatch.setenv(name, value)
        said = here("paper", "--symbol", SYMBOL, "--rest-url", NOBODY, code=FAILED)
        assert "127.0.0.1:9" in said
        assert here.json("sessions") == {"sessions": []}
        assert_no_secret(here.home, said)


class TestExchangeCommand:
    def test_it_tells_its_address_answers_and_ends_well_on_ctrl_c(self, tmp_path: Path) -> None:
        with Running("exchange", "--symbol", "ETH/USDT", "--home", str(tmp_path), keys={}) as running:
            started = running.until("started")
            at = Venue(str(started["url"]))
            assert at.ask("/api/v3/exchangeInfo")["symbols"][0]["symbol"] == "ETHUSDT"
            running.send(SIGINT)
            code, told = running.end()
        assert (code, told) == (DONE, "")
        assert (started["symbols"], running.events[-1]["event"]) == (["ETH/USDT"], "stopped")

    def test_in_words_it_says_where_it_is_and_with_which_keys(self, here: Here) -> None:
        said = here("exchange", "--minutes", "0.001")
        first, last = said.splitlines()
        assert "http://127.0.0.1:" in first
        assert "Ctrl-C ends it" in first
        assert "0 of 0 order requests" in last
