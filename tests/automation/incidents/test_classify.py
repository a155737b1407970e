"""What sort of fault a failure shows, and which failures are one fault."""

from __future__ import annotations

from dataclasses import replace

import pytest

from automation.incidents.classify import fingerprint, incidents_of, kind_of
from automation.incidents.records import Frame, Kind, Outcome, Raised, TestReport, TestResult

OWN = Frame("shop.py", 3, "price", own=True)
TEST = Frame("tests/test_shop.py", 9, "test_price", own=True, test=True)
SOCKET = Frame("/usr/lib/python3.11/socket.py", 800, "create_connection", own=False)
REQUESTS = Frame("/x/site-packages/requests/models.py", 1021, "raise_for_status", own=False)
SUBPROCESS = Frame("/usr/lib/python3.11/subprocess.py", 1955, "_execute_child", own=False)
TASKS = Frame("/usr/lib/python3.11/asyncio/tasks.py", 490, "wait_for", own=False)
CCXT = Frame("/x/site-packages/ccxt/base/exchange.py", 500, "fetch", own=False)


def _kind(kind: str, message: str = "", *frames: Frame) -> Kind:
    return kind_of((Raised(kind, message, frames or (TEST, OWN)),))[0]


@pytest.mark.parametrize(
    ("exception", "kind"),
    [
        ("SyntaxError", Kind.SYNTAX),
        ("IndentationError", Kind.SYNTAX),
        ("ModuleNotFoundError", Kind.IMPORT),
        ("UnboundLocalError", Kind.NAME),
        ("TypeError", Kind.TYPE),
        ("AttributeError", Kind.TYPE),
        ("KeyError", Kind.VALUE),
        ("ZeroDivisionError", Kind.VALUE),
        ("json.decoder.JSONDecodeError", Kind.VALUE),
        ("RuntimeError", Kind.LOGIC),
        ("AssertionError", Kind.LOGIC),
        ("Failed", Kind.LOGIC),
        ("MemoryError", Kind.RESOURCE),
        ("TestTimeout", Kind.TIMEOUT),
        ("shop.errors.InvalidOrder", Kind.VALUE),
    ],
)
def test_kind_follows_the_exceptions_type(exception: str, kind: Kind) -> None:
    assert _kind(exception) is kind


@pytest.mark.parametrize(
    ("exception", "message", "frame"),
    [
        ("ConnectionRefusedError", "[Errno 111] Connection refused", SOCKET),
        ("socket.gaierror", "[Errno -2] Name or service not known", SOCKET),
        ("TimeoutError", "timed out", SOCKET),
        ("requests.exceptions.ConnectionError", "HTTPSConnectionPool(host='api.x.com')", REQUESTS),
        ("requests.exceptions.HTTPError", "503 Server Error: Service Unavailable for url: https://x", REQUESTS),
        ("urllib.error.HTTPError", "HTTP Error 429: Too Many Requests", SOCKET),
        ("ccxt.base.errors.RateLimitExceeded", "binance 429", CCXT),
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'ffmpeg'", SUBPROCESS),
    ],
)
def test_what_a_network_or_a_missing_program_did_is_external(exception: str, message: str, frame: Frame) -> None:
    assert _kind(exception, message, TEST, OWN, frame) is Kind.EXTERNAL


@pytest.mark.parametrize(
    ("exception", "message", "frames"),
    [
        ("ConnectionError", "no session", (TEST, OWN)),
        ("TimeoutError", "", (TEST, OWN, TASKS)),
        ("requests.exceptions.HTTPError", "404 Client Error: Not Found", (TEST, OWN, REQUESTS)),
        ("requests.exceptions.MissingSchema", "Invalid URL 'x'", (TEST, OWN, REQUESTS)),
        ("requests.exceptions.ConnectionError", "HTTPConnectionPool(host='127.0.0.1')", (TEST, OWN, REQUESTS)),
        ("ccxt.base.errors.InvalidOrder", "amount too small", (TEST, OWN, CCXT)),
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'rates.csv'", (TEST, OWN)),
    ],
)
def test_what_the_code_itself_may_be_to_blame_for_is_not_external(
    exception: str, message: str, frames: tuple[Frame, ...]
) -> None:
    assert _kind(exception, message, *frames) is not Kind.EXTERNAL


def test_full_disk_and_too_many_files_are_resources() -> None:
    assert _kind("OSError", "[Errno 28] No space left on device") is Kind.RESOURCE
    assert _kind("OSError", "[Errno 24] Too many open files: 'x'") is Kind.RESOURCE
    assert _kind("OSError", "[Errno 22] Invalid argument") is not Kind.RESOURCE


def test_cause_that_is_external_makes_the_whole_external() -> None:
    chain = (Raised("RuntimeError", "no price", (TEST, OWN)), Raised("ConnectionResetError", "", (OWN, SOCKET)))
    assert kind_of(chain)[0] is Kind.EXTERNAL


def test_missing_api_key_is_external_with_little_confidence() -> None:
    kind, confidence = kind_of((Raised("ValueError", "API key is not set", (TEST, OWN)),))
    assert kind is Kind.EXTERNAL
    assert confidence < 0.7


def test_fingerprint_ignores_lines_tests_and_depth_of_recursion() -> None:
    one = (Raised("KeyError", "'a'", (TEST, OWN)),)
    moved = (Raised("KeyError", "'b'", (OWN, replace(OWN, line=90), replace(OWN, line=91))),)
    assert fingerprint(one) == fingerprint(moved)
    assert fingerprint(one) != fingerprint((Raised("IndexError", "", (TEST, OWN)),))
    assert fingerprint(one) != fingerprint((Raised("KeyError", "", (TEST, replace(OWN, function="total"))),))


def _failed(name: str, *frames: Frame, outcome: Outcome = Outcome.FAILED) -> TestResult:
    return TestResult(name, outcome, chain=(Raised("KeyError", "'count'\nmore", frames),))


def test_tests_that_fail_for_one_reason_are_one_incident() -> None:
    report = TestReport(
        (
            _failed("t.py::a", TEST, OWN),
            TestResult("t.py::fine", Outcome.PASSED),
            _failed("t.py::b", TEST, replace(OWN, line=8)),
            _failed("t.py::c", TEST),
            _failed("t.py::d", TEST),
            TestResult("t.py::e", Outcome.TIMEOUT, chain=(Raised("TestTimeout", "", (OWN,)),)),
            TestResult("t.py::f", Outcome.CRASHED, chain=(Raised("Crash", "", ()),)),
        ),
        (),
        complete=True,
        seconds=1,
    )
    found = incidents_of(report)
    assert [(incident.tests, incident.kind) for incident in found] == [
        (("t.py::a", "t.py::b"), Kind.VALUE),
        (("t.py::c",), Kind.VALUE),
        (("t.py::d",), Kind.VALUE),
        (("t.py::e",), Kind.TIMEOUT),
        (("t.py::f",), Kind.CRASH),
    ]
    assert found[0].title == "KeyError: 'count' in price (shop.py:3)"
    assert found[0].count == 2
