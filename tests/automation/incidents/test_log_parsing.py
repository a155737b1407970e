"""Exceptions found in logs as real programs write them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.incidents.log_frames import LogPlaces
from automation.incidents.log_parsing import LoggedError, LogParser
from tests.automation.incidents.trees import write_tree

SHOP = """\
    def price(order):
        return order["unit"] * order["count"]


    def total(orders):
        try:
            return sum(price(order) for order in orders)
        except KeyError as error:
            raise ValueError("an order is broken") from error
    """


def _read(lines: Iterable[str], root: Path) -> list[LoggedError]:
    parser = LogParser(LogPlaces(root))
    return [error for line in lines for error in parser.feed(line)] + list(parser.finish())


def _output(root: Path, program: str) -> list[str]:
    (root / "program.py").write_text(program, encoding="utf-8")
    done = subprocess.run([sys.executable, "program.py"], cwd=root, capture_output=True, text=True, timeout=60)
    return (done.stdout + done.stderr).splitlines()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_tree(tmp_path, {"shop.py": SHOP})


LOGGING = """
import logging, shop
logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
log = logging.getLogger("shop")
for number in range(2):
    log.warning("a line before")
    try:
        shop.total([{"unit": number}])
    except ValueError:
        log.critical("order failed", exc_info=True)
    log.error("a line after")
"""


def test_standard_logging_gives_both_exceptions_with_cause_time_and_severity(root: Path) -> None:
    errors = _read(_output(root, LOGGING), root)
    assert len(errors) == 2
    raised, cause = errors[0].chain
    assert (raised.type, raised.message, cause.type, cause.message) == (
        "ValueError",
        "an order is broken",
        "KeyError",
        "'count'",
    )
    assert [(frame.path, frame.line, frame.function, frame.own) for frame in cause.frames] == [
        ("shop.py", 7, "total", True),
        ("shop.py", 7, "<genexpr>", True),
        ("shop.py", 2, "price", True),
    ]
    assert raised.frames[0].path == "program.py"
    assert errors[0].severity == "critical"
    assert errors[0].time_ms > 1_700_000_000_000


def test_plain_traceback_at_the_end_of_a_log_is_found(root: Path) -> None:
    errors = _read(_output(root, "import shop\nprint('starting')\nshop.total([{}])\n"), root)
    assert [raised.type for raised in errors[0].chain] == ["ValueError", "KeyError"]


def test_context_and_recursion_are_read(root: Path) -> None:
    program = """
def down(n):
    return down(n + 1)
try:
    {}["x"]
except KeyError:
    down(0)
"""
    (error,) = _read(_output(root, program), root)
    assert [raised.type for raised in error.chain] == ["RecursionError", "KeyError"]
    assert 2 <= len(error.chain[0].frames) <= 10


def test_exception_group_gives_its_members_with_their_frames(root: Path) -> None:
    program = """
import shop
found = []
for orders in ([{}], [{"unit": None, "count": 2}]):
    try:
        shop.total(orders)
    except Exception as error:
        found.append(error)
raise ExceptionGroup("two orders", [*found, LookupError("never raised")])
"""
    (error,) = _read(_output(root, program), root)
    types = [raised.type for raised in error.chain]
    assert types[0] == "ExceptionGroup"
    assert set(types[1:]) == {"KeyError", "ValueError", "TypeError", "LookupError"}
    by_type = {raised.type: raised for raised in error.chain}
    assert by_type["TypeError"].frames[-1].function == "price"
    assert by_type["LookupError"].frames == ()


def test_syntax_error_names_the_broken_file_with_and_without_a_header(root: Path) -> None:
    (root / "broken.py").write_text("def f(x)\n    return x\n", encoding="utf-8")
    (error,) = _read(_output(root, "import broken\n"), root)
    assert error.chain[0].type == "SyntaxError"
    assert (error.chain[0].frames[-1].path, error.chain[0].frames[-1].line) == ("broken.py", 1)
    (bare,) = _read(_output(root, "def f(:\n"), root)
    assert (bare.chain[0].type, bare.chain[0].frames[-1].path) == ("SyntaxError", "program.py")


STRUCTLOG = """
import shop, structlog
from structlog.processors import JSONRenderer, TimeStamper, add_log_level, dict_tracebacks, format_exc_info
for kind in (format_exc_info, dict_tracebacks):
    structlog.configure(processors=[add_log_level, TimeStamper(fmt="iso", utc=True), kind, JSONRenderer()])
    try:
        shop.total([{"unit": 3}])
    except ValueError:
        structlog.get_logger().exception("order failed", order=7)
"""


def test_structured_lines_are_read_as_text_and_as_data_with_locals(root: Path) -> None:
    text, data = _read(_output(root, STRUCTLOG), root)
    for error in (text, data):
        assert [raised.type for raised in error.chain] == ["ValueError", "KeyError"]
        assert error.chain[1].frames[-1].function == "price"
        assert error.time_ms > 1_700_000_000_000
    assert data.chain[1].frames[-1].values["order"] == "{'unit': 3}"


TRACE = [
    "Traceback (most recent call last):",
    '  File "/srv/app/shop.py", line 2, in price',
    '    return order["unit"] * order["count"]',
    "                           ~~~~~^^^^^^^^^",
    "KeyError: 'count'",
]


def test_file_of_another_machine_is_known_by_the_end_of_its_path(root: Path) -> None:
    (error,) = _read(TRACE, root)
    assert (error.chain[0].frames[0].path, error.chain[0].frames[0].own) == ("shop.py", True)
    library = [line.replace("/srv/app/", "/usr/lib/python3.11/site-packages/") for line in TRACE]
    assert not _read(library, root)[0].chain[0].frames[0].own


@pytest.mark.parametrize("prefix", ["web-1  | ", "2026-11-21 10:00:00,123 ERROR 17 ", "[pid 12] "])
def test_prefix_of_every_line_is_taken_off(root: Path, prefix: str) -> None:
    (error,) = _read([prefix + line for line in TRACE], root)
    assert (error.chain[0].type, error.chain[0].message) == ("KeyError", "'count'")
    assert [frame.function for frame in error.chain[0].frames] == ["price"]


def test_two_programs_that_write_in_turns_are_told_apart(root: Path) -> None:
    other = [line.replace("KeyError", "IndexError") for line in TRACE]
    lines = [line for pair in zip(TRACE, other, strict=True) for line in ("web | " + pair[0], "job | " + pair[1])]
    assert sorted(error.chain[0].type for error in _read(lines, root)) == ["IndexError", "KeyError"]


def test_record_between_the_lines_of_a_traceback_is_passed_over(root: Path) -> None:
    lines = [*TRACE[:2], "2026-11-21 10:00:00,123 INFO pool: job done", *TRACE[2:], "2026-11-21 10:00:01 INFO x"]
    (error,) = _read(lines, root)
    assert error.chain[0].type == "KeyError"


def test_message_of_several_lines_is_kept_and_bounded(root: Path) -> None:
    lines = [*TRACE[:-1], "ValueError: 2 errors for Order", "unit", "  missing", *["more"] * 500, "", "other"]
    (error,) = _read(lines, root)
    assert error.chain[0].message.startswith("2 errors for Order\nunit\n  missing\nmore")
    assert len(error.chain[0].message.splitlines()) <= 12


def test_secrets_in_messages_and_locals_are_masked(root: Path) -> None:
    frame = {"filename": "shop.py", "lineno": 2, "name": "price", "locals": {"api_key": "'abc123def456'", "n": "3"}}
    part = {"exc_type": "ValueError", "exc_value": "bad", "frames": [frame]}
    (error,) = _read([json.dumps({"level": "error", "exception": [part]})], root)
    assert error.chain[0].frames[0].values == {"api_key": "***", "n": "3"}
    plain = [*TRACE[:-1], "ValueError: password='hunter2hunter2'"]
    assert "hunter2" not in _read(plain, root)[0].chain[0].message


@given(lines=st.lists(st.text(max_size=60) | st.sampled_from(TRACE), max_size=40))
def test_whatever_a_log_holds_it_is_read_to_its_end(lines: list[str]) -> None:
    for error in _read(lines, Path(__file__).parent):
        assert error.chain
        assert all(raised.type for raised in error.chain)
