"""What is read out of text, logs and the data home."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.tasks.explain.evidence import read_text
from automation.tasks.explain.explaining import explained
from automation.tasks.explain.last import newest_in_log
from automation.tasks.explain.results import ExplainResult

_TRACE = """Traceback (most recent call last):
  File "/srv/app/shop/prices.py", line 4, in total
    return cents[name]
KeyError: 'apple'
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/prices.py").write_text("# one\n# two\ndef total(cents, name):\n    return cents[name]\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_prices.py").write_text("def test_total():\n    assert total({}, 'apple') == 3\n")
    return tmp_path


def test_a_traceback_of_another_machine_leads_into_this_repository(root: Path) -> None:
    (raised,) = read_text(f"some words before\n{_TRACE}\nand after", root).chain
    assert (raised.type, raised.message) == ("KeyError", "'apple'")
    assert [(frame.path, frame.line, frame.own) for frame in raised.frames] == [("shop/prices.py", 4, True)]


def test_long_output_of_pytest_is_read(root: Path) -> None:
    text = """
    def test_total():
>       assert total({}, 'apple') == 3

tests/test_prices.py:2:
_ _ _ _ _ _ _ _ _ _
    def total(cents, name):
>       return cents[name]
E       KeyError: 'apple'

shop/prices.py:4: KeyError
=========== short test summary info ===========
FAILED tests/test_prices.py::test_total - KeyError: 'apple'
"""
    (raised,) = read_text(text, root).chain
    assert (raised.type, raised.message) == ("KeyError", "'apple'")
    assert [(frame.path, frame.line) for frame in raised.frames] == [("tests/test_prices.py", 2), ("shop/prices.py", 4)]


def test_a_failed_assertion_of_pytest_is_read_with_what_led_to_it(root: Path) -> None:
    text = "E       assert 3 == 4\nE        +  where 3 = total(1)\n\ntests/test_prices.py:2: AssertionError\n"
    (raised,) = read_text(text, root).chain
    assert raised.type == "AssertionError"
    assert raised.message.splitlines()[0] == "assert 3 == 4"
    assert raised.message.endswith("where 3 = total(1)")


def test_short_output_of_pytest_is_read(root: Path) -> None:
    text = """
E                                                        [100%]
________________ test_total ________________
tests/test_prices.py:2: in test_total
    assert total({}, 'apple') == 3
shop/prices.py:4: in total
    return cents[name]
E   KeyError: 'apple'
________________ test_other ________________
E   AssertionError: later
=========== short test summary info ===========
FAILED tests/test_prices.py::test_total - KeyError: 'apple'
"""
    (raised,) = read_text(text, root).chain
    assert (raised.type, raised.message) == ("KeyError", "'apple'")
    places = [(frame.path, frame.line, frame.function) for frame in raised.frames]
    assert places == [("tests/test_prices.py", 2, "test_total"), ("shop/prices.py", 4, "total")]


def test_pytests_one_line_style_and_a_missing_fixture_have_places(root: Path) -> None:
    (line,) = read_text("E   assert 3 == 4\n/app/tests/test_prices.py:2: assert 3 == 4\n", root).chain
    assert [(frame.path, frame.line) for frame in line.frames] == [("tests/test_prices.py", 2)]
    text = "file /app/tests/test_prices.py, line 1\n  def test_total(shp):\nE       fixture 'shp' not found\n"
    (fixture,) = read_text(text, root).chain
    assert [(frame.path, frame.line) for frame in fixture.frames] == [("tests/test_prices.py", 1)]


def test_what_led_to_an_exception_in_pytests_output_is_its_cause(root: Path) -> None:
    text = """E       KeyError: 'apple'

shop/prices.py:4: KeyError

The above exception was the direct cause of the following exception:

E       ValueError: bad row

tests/test_prices.py:2: ValueError
"""
    assert [raised.type for raised in read_text(text, root).chain] == ["ValueError", "KeyError"]


def test_the_summary_line_of_pytest_alone_is_enough(root: Path) -> None:
    (raised,) = read_text("FAILED tests/test_prices.py::test_total - KeyError: 'apple'", root).chain
    assert raised.type == "KeyError"
    assert (raised.frames[0].path, raised.frames[0].line) == ("tests/test_prices.py", 1)


def test_lines_after_an_exception_belong_to_its_message(root: Path) -> None:
    (raised,) = read_text(
        "pydantic_core.ValidationError: 1 validation error for Row\nprice\n  Field required", root
    ).chain
    assert raised.message.splitlines()[1:] == ["price", "  Field required"]


def test_a_checkers_line_gives_its_place_and_column(root: Path) -> None:
    found = read_text("shop/prices.py:4:12: error: Name 'cents' is not defined  [name-defined]", root)
    assert (found.chain[0].frames[0].path, found.chain[0].frames[0].line, found.column) == ("shop/prices.py", 4, 12)
    assert found.chain[0].message.startswith("Name 'cents'")


def test_what_gridbot_prints_as_json_is_read(root: Path) -> None:
    told = {"error": {"type": "RateLimited", "code": "E003", "message": "the exchange asks for a pause"}}
    found = read_text(json.dumps(told), root)
    assert (found.code, found.chain[0].type) == ("E003", "RateLimited")


def test_a_plain_log_line_is_read(root: Path) -> None:
    found = read_text("2026-01-02 03:04:05 ERROR shop ValueError: price is negative", root)
    assert (found.chain[0].type, found.chain[0].message) == ("ValueError", "price is negative")


def test_secrets_are_masked(root: Path) -> None:
    secret = "sk-" + "abcdefghij0123456789"
    assert secret not in str(read_text(f"ValueError: key {secret} refused", root))


def test_the_newest_error_of_a_log_counts(root: Path) -> None:
    log = root / "service.log"
    lines = ["2026-01-01 00:00:00 ERROR shop first", _TRACE, "2026-01-03 00:00:00 ERROR shop OSError: last one"]
    log.write_text("\n".join([*lines, "2026-01-04 00:00:00 INFO shop all is well", ""]))
    found = newest_in_log(log, root)
    assert found is not None
    assert (found.chain[0].type, found.chain[0].message) == ("OSError", "last one")
    log.write_text(f"2026-01-02 00:00:00 ERROR shop it fell\n{_TRACE}")
    found = newest_in_log(log, root)
    assert found is not None
    assert (found.chain[0].type, found.said.endswith("it fell")) == ("KeyError", True)


def test_an_error_record_of_a_session_without_a_traceback_counts(root: Path) -> None:
    log = root / "session.jsonl"
    records = [
        {"time": "2026-01-01T00:00:00.000Z", "level": "info", "event": "started", "code": None},
        {"time": "2026-01-01T00:01:00.000Z", "level": "error", "event": "call_failed", "code": "E001",
         "error": "ConnectionLost", "reason": "no answer in 10 s"},
        {"time": "2026-01-01T00:02:00.000Z", "level": "warning", "event": "alert", "code": "E004"},
    ]  # fmt: skip
    log.write_text("".join(json.dumps(record) + "\n" for record in records))
    found = newest_in_log(log, root)
    assert found is not None
    assert (found.code, found.chain[0].type, found.chain[0].message) == ("E001", "ConnectionLost", "no answer in 10 s")


def test_a_log_without_an_error_shows_none(root: Path) -> None:
    log = root / "quiet.log"
    log.write_text("2026-01-01 00:00:00 INFO all is well\n")
    assert newest_in_log(log, root) is None


def test_a_log_may_hold_bytes_that_are_no_text(root: Path) -> None:
    log = root / "odd.log"
    log.write_bytes(os.urandom(200) + b"\n2026-01-01 00:00:00 ERROR shop ValueError: odd\n")
    found = newest_in_log(log, root)
    assert found is not None
    assert found.chain[0].message == "odd"


_PIECES = (
    "Traceback (most recent call last):",
    '  File "shop/prices.py", line 4, in total',
    "KeyError: 'a'",
    "E   assert 1",
    "{",
)


@given(st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=30)), min_size=1, max_size=8))
def test_any_text_is_read_and_explained(lines: list[str]) -> None:
    root = Path(__file__).parent
    found = explained(read_text("\n".join([*lines, "x"]), root), root, root / "no-home")
    assert found.advice.cause
    json.dumps(ExplainResult(root, "the text", found).as_json())
