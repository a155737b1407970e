"""Which lines each test ran, and what the variables held."""

from __future__ import annotations

import importlib.util
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

from automation.incidents.inside import describe, tracing
from tests.automation.incidents.trees import result, run_tree, write_tree

MODULE = """\
LIMIT = 3


def add(a, b):
    if a > LIMIT:
        return a - b
    return a + b


def total(values):
    result = 0
    for value in values:
        result = add(result, value)
    return result
"""

TESTS = """\
import threading

import pytest

from shop.price import add, total


def test_low():
    assert add(1, 2) == 3


def test_high():
    assert add(5, 2) == 7


def test_thread():
    thread = threading.Thread(target=add, args=(9, 1))
    thread.start()
    thread.join()


def test_many():
    assert total(range(100)) == 4950


def test_none():
    assert LATE == 1


def test_late():
    from shop import late
    assert late.VALUE == 2


LATE = 1
"""

FILES = {"shop/__init__.py": "", "shop/price.py": MODULE, "shop/late.py": "VALUE = 2\n", "tests/test_price.py": TESTS}
IMPORTED = {1, 4, 10}
LINES = {"lines": True, "values": False, "only": None}


@pytest.mark.skipif(sys.platform == "win32", reason="the sandbox needs POSIX")
def test_each_test_has_exactly_its_own_lines_and_those_of_the_import(tmp_path: Path) -> None:
    report = run_tree(write_tree(tmp_path, FILES), trace=LINES)
    lines = {test.node_id.split("::")[1]: test.lines for test in report.tests}
    assert set(lines["test_low"]["shop/price.py"]) == IMPORTED | {5, 7}
    assert set(lines["test_high"]["shop/price.py"]) == IMPORTED | {5, 6}
    assert set(lines["test_thread"]["shop/price.py"]) == IMPORTED | {5, 6}
    assert set(lines["test_many"]["shop/price.py"]) == IMPORTED | {5, 6, 7, 11, 12, 13, 14}
    assert set(lines["test_none"]["shop/price.py"]) == IMPORTED
    assert lines["test_late"]["shop/late.py"] == (1,)
    assert "tests/test_price.py" not in lines["test_low"]
    assert not any(test.values for test in report.tests)


@pytest.mark.skipif(sys.platform == "win32", reason="the sandbox needs POSIX")
def test_only_the_named_files_are_traced_and_nothing_without_being_asked(tmp_path: Path) -> None:
    root = write_tree(tmp_path, FILES)
    assert not any(test.lines for test in run_tree(root).tests)
    report = run_tree(root, trace={"lines": True, "values": False, "only": ["shop/late.py"]})
    assert {path for test in report.tests for path in test.lines} == {"shop/late.py"}


@pytest.mark.skipif(sys.platform == "win32", reason="the sandbox needs POSIX")
def test_values_hold_the_first_and_last_visits_and_what_was_returned(tmp_path: Path) -> None:
    report = run_tree(write_tree(tmp_path, FILES), trace={"lines": True, "values": True, "only": None})
    values = result(report, "tests/test_price.py::test_many").values
    assert values["shop/price.py:5"][:2] == ("a=0", "b=0")
    assert "b=99" in values["shop/price.py:5"]
    assert "b=50" not in values["shop/price.py:5"]
    high = result(report, "tests/test_price.py::test_high").values
    assert high["shop/price.py:6"] == ("a=5", "b=2", "return=3")


@pytest.mark.skipif(sys.platform == "win32", reason="the sandbox needs POSIX")
def test_lines_are_still_seen_after_a_test_that_hung_in_traced_code(tmp_path: Path) -> None:
    files = {
        "spin.py": "def spin():\n    while True:\n        pass\n\n\ndef fine():\n    return 1\n",
        "test_it.py": "from spin import *\ndef test_hang(): spin()\ndef test_fine(): assert fine()\n",
    }
    report = run_tree(write_tree(tmp_path, files), trace=LINES, test_timeout_s=0.3)
    assert 3 in result(report, "test_it.py::test_hang").lines["spin.py"]
    assert 7 in result(report, "test_it.py::test_fine").lines["spin.py"]


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _tracers() -> list[type]:
    # sys.monitoring came with Python 3.12
    return [tracing.SettraceTracer, *([tracing.MonitoringTracer] if sys.version_info >= (3, 12) else [])]


@pytest.mark.parametrize("kind", _tracers())
def test_tracer_tells_lines_of_each_turn_apart(tmp_path: Path, kind: type) -> None:
    path = tmp_path / "price.py"
    path.write_text(MODULE, encoding="utf-8")
    before = sys.gettrace(), threading.gettrace()
    tracer = kind(lambda name: "price.py" if name == str(path) else None)
    tracer.start()
    module = _module(path)
    imported = tracer.take()
    module.add(1, 2)
    low = tracer.take()
    tracer.start()
    module.add(5, 2)
    high = tracer.take()
    tracer.stop()
    module.total([1])
    after = tracer.take()
    sys.settrace(before[0])
    threading.settrace(before[1])
    assert imported == {"price.py": [1, 4, 10]}
    assert low == {"price.py": [5, 7]}
    assert high == {"price.py": [5, 6]}
    assert after == {}


def test_value_log_is_bounded_however_often_a_line_runs() -> None:
    log = tracing.ValueLog(describe.shown_locals)
    for number in range(2000):
        log.visit("a.py", 1, {"number": number})
    for line in range(5000):
        log.visit("a.py", line, {"secret_token": "abcdef123456"})
    seen = log.take()
    assert seen["a.py:1"] == ["number=0", "number=1", "number=2", "number=498", "number=499"]
    assert len(seen) <= tracing.LINES_LIMIT
    assert seen["a.py:2"] == ["secret_token=***"]
    assert log.take() == {}
