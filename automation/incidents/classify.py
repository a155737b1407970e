"""Failures grouped by fingerprint, each with the sort of fault that it shows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

from automation.incidents.records import Frame, Incident, Kind, Outcome, Raised, TestReport, TestResult

TITLE_LIMIT = 160
_CERTAIN, _LIKELY, _POSSIBLE = 0.95, 0.8, 0.6

_SYNTAX = {"SyntaxError", "IndentationError", "TabError"}
_IMPORT = {"ImportError", "ModuleNotFoundError"}
_NAME = {"NameError", "UnboundLocalError"}
_TYPE = {"TypeError", "AttributeError"}
_VALUE = {
    "ValueError",
    "KeyError",
    "IndexError",
    "LookupError",
    "ZeroDivisionError",
    "ArithmeticError",
    "OverflowError",
    "FloatingPointError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "StopIteration",
    "RecursionError",
    "FileNotFoundError",
    "FileExistsError",
    "NotADirectoryError",
    "IsADirectoryError",
    "PermissionError",
}
_LOGIC = {"AssertionError", "Failed", "ExceptionGroup", "Exception", "RuntimeError", "NotImplementedError"}
_NETWORK = {
    "ConnectionError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "ConnectionAbortedError",
    "BrokenPipeError",
    "TimeoutError",
    "socket.gaierror",
    "socket.herror",
    "socket.timeout",
    "ssl.SSLError",
    "ssl.SSLCertVerificationError",
    "urllib.error.URLError",
    "http.client.RemoteDisconnected",
}
_NETWORK_LIBRARIES = ("requests.", "urllib3.", "httpx.", "httpcore.", "aiohttp.", "websockets.", "botocore.", "grpc.")
_NETWORK_WORDS = re.compile(
    r"Connect|Timeout|Network|Proxy|SSL|DNS|Unavailable|Disconnect|MaxRetry|RemoteProtocol|Closed"
)
_NETWORK_FILES = re.compile(
    r"/(?:socket|ssl|selectors|ftplib|smtplib|base_events|selector_events|sslproto|streams)\.py$"
    r"|/(?:http|urllib|urllib3|requests|httpx|httpcore|aiohttp|websockets|anyio|ccxt)/"
)
_LOOPBACK = re.compile(r"\b127\.0\.0\.1\b|\blocalhost\b|\[?::1\]?")
_EXCHANGE = {
    "NetworkError",
    "ExchangeNotAvailable",
    "RateLimitExceeded",
    "DDoSProtection",
    "RequestTimeout",
    "OnMaintenance",
    "AuthenticationError",
    "PermissionDenied",
    "AccountNotEnabled",
    "AccountSuspended",
    "ExchangeClosedByUser",
}
_HTTP_STATUS = re.compile(
    r"(?:HTTP(?:/\d(?:\.\d)?)?|HTTP Error|status(?: code)?[ :=]*)\s*(5\d\d|429|418)\b|^(5\d\d|429|418) ", re.IGNORECASE
)
_KEYS = re.compile(
    r"\bapi[_ -]?(?:key|secret|token)\b.*\b(?:missing|not set|required|unset|invalid)|missing.*\bapi[_ -]?key",
    re.IGNORECASE,
)
_DNS = re.compile(
    r"name or service not known|temporary failure in name resolution|getaddrinfo failed|nodename nor servname",
    re.IGNORECASE,
)
_NO_SPACE = re.compile(
    r"\[Errno (?:28|24|23|12|122)\]|no space left|too many open files|cannot allocate memory|disk quota", re.IGNORECASE
)
_NO_PROGRAM = re.compile(r"\[Errno 2\] No such file or directory: '[^/']+'$")
_VALUE_WORDS = re.compile(r"Value|Invalid|DecodeError|ValidationError")
_WRAPPERS = {"ExceptionGroup", "BaseExceptionGroup"}


def incidents_of(report: TestReport) -> tuple[Incident, ...]:
    """Group a run's failures by what went wrong and where.

    Parameters
    ----------
    report : TestReport
        A run of a suite.

    Returns
    -------
    tuple of Incident
        In the order first seen; each names every test that shows it.
    """
    groups: dict[str, list[TestResult]] = {}
    for test in report.failures:
        groups.setdefault(_test_fingerprint(test), []).append(test)
    return tuple(_incident(mark, tests) for mark, tests in groups.items())


def _incident(mark: str, tests: Sequence[TestResult]) -> Incident:
    first = tests[0]
    kind, confidence = _kind_of_test(first)
    names = tuple(test.node_id for test in tests)
    return Incident(mark, kind, confidence, title_of(first.chain), "test", names, first.chain, len(tests))


def _test_fingerprint(test: TestResult) -> str:
    # without a frame of the code itself, only the test tells two failures apart
    own = any(frame.own and not frame.test for raised in test.chain for frame in raised.frames)
    return fingerprint(test.chain, "" if own else test.node_id)


def fingerprint(chain: Sequence[Raised], extra: str = "") -> str:
    """Return a stable hash of an exception's type and its own frames, whatever their line numbers.

    Parameters
    ----------
    chain : sequence of Raised
        The exception first, then its causes.
    extra : str
        What else tells it apart.
    """
    parts = [extra]
    for raised in chain:
        parts.append(raised.type)
        calls = [(frame.path, frame.function) for frame in raised.frames if frame.own and not frame.test]
        parts += [f"{path}:{function}" for path, function in _unrolled(calls)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _unrolled(calls: Sequence[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    # a recursion is one fault however deep it went
    return dict.fromkeys(calls)


def title_of(chain: Sequence[Raised]) -> str:
    """Return one line for people: type, message, and the innermost own place."""
    if not chain:
        return "failed without an exception"
    raised = chain[0]
    words = raised.message.strip().split("\n", 1)[0]
    place = innermost_own(chain)
    where = f" in {place.function or 'the module'} ({place.path}:{place.line})" if place else ""
    text = f"{raised.type}: {words}" if words else raised.type
    room = max(20, TITLE_LIMIT - len(where))
    return (text if len(text) <= room else f"{text[: room - 1]}…") + where


def innermost_own(chain: Sequence[Raised]) -> Frame | None:
    """Return the innermost frame of the repository's own code, of a test only when there is no other."""
    frames = [frame for raised in chain for frame in reversed(raised.frames) if frame.own]
    return next((frame for frame in frames if not frame.test), frames[0] if frames else None)


def _kind_of_test(test: TestResult) -> tuple[Kind, float]:
    if test.outcome is Outcome.TIMEOUT:
        return Kind.TIMEOUT, _CERTAIN
    if test.outcome is Outcome.CRASHED:
        memory = bool(test.chain) and test.chain[0].type == "MemoryError"
        return (Kind.RESOURCE, _LIKELY) if memory else (Kind.CRASH, _CERTAIN)
    return kind_of(test.chain)


def kind_of(chain: Sequence[Raised]) -> tuple[Kind, float]:
    """Say what sort of fault an exception shows.

    Parameters
    ----------
    chain : sequence of Raised
        The exception first, then its causes.

    Returns
    -------
    tuple of (Kind, float)
        With a confidence between 0 and 1. What a network or an exchange did is EXTERNAL only when it arose outside
        the repository: a ``ConnectionError`` that its own code raises may well be its own fault.
    """
    if not chain:
        return Kind.LOGIC, _POSSIBLE
    external = max((_external(raised) for raised in chain), default=0.0)
    if external:
        return Kind.EXTERNAL, external
    if any(_is_resource(raised) for raised in chain):
        return Kind.RESOURCE, _CERTAIN
    raised = next((each for each in chain if _plain(each) not in _WRAPPERS), chain[0])
    return _kind_by_type(raised)


def _kind_by_type(raised: Raised) -> tuple[Kind, float]:
    name = _plain(raised)
    tables = (
        (Kind.SYNTAX, _SYNTAX),
        (Kind.IMPORT, _IMPORT),
        (Kind.NAME, _NAME),
        (Kind.TYPE, _TYPE),
        (Kind.VALUE, _VALUE),
        (Kind.TIMEOUT, {"TestTimeout"}),
        (Kind.LOGIC, {"AssertionError", "Failed"}),
    )
    for kind, names in tables:
        if name in names:
            return kind, _CERTAIN if kind is not Kind.VALUE else _LIKELY
    if name in _LOGIC:
        return Kind.LOGIC, _POSSIBLE
    return (Kind.VALUE if _VALUE_WORDS.search(name) else Kind.LOGIC), _POSSIBLE


def _plain(raised: Raised) -> str:
    return raised.type.rsplit(".", 1)[-1]


def _is_resource(raised: Raised) -> bool:
    if _plain(raised) == "MemoryError":
        return True
    return _plain(raised) in ("OSError", "BlockingIOError") and bool(_NO_SPACE.search(raised.message))


def _external(raised: Raised) -> float:
    if not raised.frames:
        # a log may hold no frames: the type has to do
        return _LIKELY if _is_exchange(raised) or _is_library_network(raised) or raised.type in _NETWORK else 0.0
    if raised.frames[-1].own:
        return _POSSIBLE if _KEYS.search(raised.message) and not raised.frames[-1].test else 0.0
    if _is_exchange(raised):
        return _CERTAIN
    if _is_network(raised) or _is_library_network(raised):
        # a server on this machine is the repository's own
        return 0.0 if _LOOPBACK.search(raised.message) else _LIKELY
    if _DNS.search(raised.message) or (_plain(raised).startswith("HTTP") and _HTTP_STATUS.search(raised.message)):
        return _CERTAIN
    program = raised.frames[-1].path.endswith("subprocess.py") and _plain(raised) in (
        "FileNotFoundError",
        "PermissionError",
    )
    return _LIKELY if program and _NO_PROGRAM.search(raised.message) else 0.0


def _is_network(raised: Raised) -> bool:
    outside = [frame for frame in raised.frames[-6:] if not frame.own]
    return raised.type in _NETWORK and any(_NETWORK_FILES.search(frame.path) for frame in outside)


def _is_library_network(raised: Raised) -> bool:
    return raised.type.startswith(_NETWORK_LIBRARIES) and bool(_NETWORK_WORDS.search(_plain(raised)))


def _is_exchange(raised: Raised) -> bool:
    return raised.type.startswith("ccxt.") and _plain(raised) in _EXCHANGE
