"""A session's log: complete records, rotation, a readable console, and never a secret."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import ConnectionLost, InsufficientFunds, StateCorrupt
from trading.exchange.credentials import Credentials
from trading.exchange.retry import Retry, RetryPolicy
from trading.sessions.logs import LogLimits, SessionLog, iso_ms

from tests.klines_server import RecordingClock  # isort: skip

NOW_MS = 1_772_323_200_250
KEYS = Credentials("AKIA0123456789abcdefAKIA", "s3cr3t/of+the=account-0001", "third-part-9")

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=10)
ANYTHING = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
        | inner.map(ValueError)
    ),
    max_leaves=12,
)
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=8, max_size=40).filter(
    lambda text: sum(sign.isalnum() for sign in text) >= 6
)


def records(folder: Path) -> list[dict[str, object]]:
    text = (folder / "log" / "session.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def raised(error: Exception) -> Exception:
    """Give an exception a traceback."""
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SessionLog]:
    with SessionLog(
        tmp_path, "alpha", RecordingClock(NOW_MS), secrets=KEYS.hidden_values, captured=["trading"]
    ) as opened:
        yield opened


def test_every_record_says_when_how_bad_whose_what_and_what_is_done(log: SessionLog, tmp_path: Path) -> None:
    log.info("order placed", order="gb-1", price=100)
    log.failure(
        "order", InsufficientFunds("the account has 1 USDT, the order needs 10; it is made smaller"), order="gb-2"
    )
    log.warning("feed", code="E004", action="fall_back")
    first, second, third = records(tmp_path)
    assert list(first)[:6] == ["time", "level", "session", "event", "code", "action"]
    assert first == {
        "time": "2026-03-01T00:00:00.250Z", "level": "info", "session": "alpha", "event": "order placed",
        "code": None, "action": None, "order": "gb-1", "price": 100,
    }  # fmt: skip
    assert (second["level"], second["code"], second["action"]) == ("error", "E002", "reduce_size")
    assert second["error"] == "InsufficientFunds"
    assert (third["level"], third["code"], third["action"]) == ("warning", "E004", "fall_back")


def test_a_field_named_like_a_part_of_the_record_stands_beside_it(log: SessionLog, tmp_path: Path) -> None:
    log.info("order", event="other", time=3, session="x", level="y")
    [record] = records(tmp_path)
    assert (record["event"], record["session"], record["level"]) == ("order", "alpha", "info")
    assert (record["event_"], record["time_"], record["session_"], record["level_"]) == ("other", 3, "x", "y")


def test_an_exception_that_is_none_of_ours_brings_its_traceback(log: SessionLog, tmp_path: Path) -> None:
    log.failure("deciding", raised(ZeroDivisionError(f"divided by {KEYS.secret}")))
    [record] = records(tmp_path)
    assert "Traceback" in str(record["exception"])
    assert KEYS.secret not in json.dumps(record)


def test_records_of_the_modules_own_loggers_are_written_too(log: SessionLog, tmp_path: Path) -> None:
    logging.getLogger("trading.brokers.desk").warning("order unresolved: id=%s key=%s", "gb-3", KEYS.api_key)
    log.close()
    logging.getLogger("trading.brokers.desk").warning("after the end")
    [record] = records(tmp_path)
    assert record["event"] == "order unresolved: id=gb-3 key=***"
    assert record["logger"] == "trading.brokers.desk"
    assert record["session"] == "alpha"


def test_debug_records_are_written_only_when_asked_for(tmp_path: Path) -> None:
    for debug in (False, True):
        with SessionLog(tmp_path / str(debug), "alpha", RecordingClock(NOW_MS), debug=debug) as log:
            log.debug("details")
            logging.getLogger("trading.x").debug("more")
        assert len(records(tmp_path / str(debug))) == 2 * debug


def test_two_sessions_in_one_process_keep_their_records_apart(tmp_path: Path) -> None:
    clock = RecordingClock(NOW_MS)
    with SessionLog(tmp_path / "a", "a", clock) as one, SessionLog(tmp_path / "b", "b", clock) as other:
        one.info("mine")
        other.info("yours")
    assert [record["event"] for record in records(tmp_path / "a")] == ["mine"]
    assert [record["event"] for record in records(tmp_path / "b")] == ["yours"]


def test_the_log_rotates_by_size_and_keeps_so_many_files(tmp_path: Path) -> None:
    with SessionLog(tmp_path, "alpha", RecordingClock(NOW_MS), limits=LogLimits(size_bytes=2_000, kept=2)) as log:
        for number in range(100):
            log.info("tick", number=number)
    files = sorted(file.name for file in (tmp_path / "log").iterdir())
    assert files == ["session.jsonl", "session.jsonl.1", "session.jsonl.2"]
    assert all((tmp_path / "log" / name).stat().st_size <= 2_000 for name in files)
    assert records(tmp_path)[-1]["number"] == 99


@pytest.mark.skipif(os.name != "posix", reason="Windows has other permissions")
def test_only_the_owner_may_look_into_the_log(log: SessionLog) -> None:
    assert stat.S_IMODE(log.path.parent.stat().st_mode) == 0o700


def test_the_console_is_readable_and_has_no_traceback_without_debug(tmp_path: Path) -> None:
    for debug in (False, True):
        console = io.StringIO()
        with SessionLog(tmp_path, "alpha", RecordingClock(NOW_MS), console=console, debug=debug) as log:
            log.failure("deciding", raised(ValueError("odd")))
            log.info("order placed", price=100, password="abc")
        assert "order placed" in console.getvalue()
        assert "price=100" in console.getvalue()
        assert "abc" not in console.getvalue()
        assert ("Traceback" in console.getvalue()) is debug


def test_a_console_that_is_gone_costs_records_and_not_the_session(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    console = io.StringIO()
    with SessionLog(tmp_path, "alpha", RecordingClock(NOW_MS), console=console, secrets=KEYS.hidden_values) as log:
        console.close()
        log.info("order placed", note=KEYS.secret)
        assert log.lost == 1
    assert len(records(tmp_path)) == 1
    captured = capfd.readouterr()
    assert KEYS.secret not in captured.out + captured.err


def test_a_huge_text_is_cut(log: SessionLog, tmp_path: Path) -> None:
    log.info("answer", body="<html>" * 10_000)
    assert len(json.dumps(records(tmp_path)[0])) < 11_000


@pytest.mark.parametrize("text", ["a\u2028b\x85c\nd", "half a pair \ud800", "\x1b[31mred\x00"])
def test_whatever_a_text_holds_a_record_is_one_line(log: SessionLog, tmp_path: Path, text: str) -> None:
    log.info("answer", body=text)
    assert log.lost == 0
    [record] = records(tmp_path)
    assert record["body"] == text


def test_threads_at_once_write_whole_lines(log: SessionLog, tmp_path: Path) -> None:
    def write(number: int) -> None:
        for count in range(50):
            log.info("tick", thread=number, count=count)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(records(tmp_path)) == 200


def test_a_failed_call_is_logged_without_its_signature(log: SessionLog, tmp_path: Path) -> None:
    import ccxt.async_support as ccxt

    async def call() -> None:
        raise ccxt.RequestTimeout(
            f"binance GET https://x/api/v3/account?apiKey={KEYS.api_key}&signature=0123456789abcdef"
        )

    retry = Retry("binance", RecordingClock(NOW_MS), RetryPolicy(attempts=1))
    with pytest.raises(ConnectionLost) as error:
        asyncio.run(retry("the account", call))
    log.failure("reading the account", error.value)
    text = log.path.read_text()
    assert "0123456789abcdef" not in text
    assert KEYS.api_key not in text
    assert records(tmp_path)[0]["code"] == "E001"


@given(secret=SECRETS, event=st.text(max_size=20), value=ANYTHING, where=st.integers(0, 6))
def test_lesson_20_a_secret_never_reaches_the_file_whatever_the_event_holds(
    tmp_path_factory: pytest.TempPathFactory, secret: str, event: str, value: object, where: int
) -> None:
    folder = tmp_path_factory.mktemp("log")
    holders: list[dict[str, object]] = [
        {"value": secret},
        {"value": [value, {"deep": (secret, value)}]},
        {"value": {secret: value}},
        {secret.replace("{", ""): value},
        {"value": ValueError(secret, value)},
        {"value": f"before{secret}after", "other": value},
        {"value": Credentials(secret, secret), "other": secret.encode()},
    ]
    with SessionLog(folder, "alpha", RecordingClock(NOW_MS), secrets=[secret]) as log:
        log.info(event + secret, **holders[where])
        log.failure(event, StateCorrupt(secret), more=value)
        logging.getLogger("trading.test").warning("%s %r", secret, value)
        assert log.lost == 0
    text = (folder / "log" / "session.jsonl").read_text(encoding="utf-8")
    assert len(text.splitlines()) == 3
    assert secret not in text
    assert secret not in "".join(str(json.loads(line)) for line in text.splitlines())


def test_times_are_told_to_the_millisecond() -> None:
    assert iso_ms(0) == "1970-01-01T00:00:00.000Z"
    assert iso_ms(1_772_323_200_007) == "2026-03-01T00:00:00.007Z"
