"""The incident command on real tests and real logs."""

from __future__ import annotations

import json
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from automation.errors import RepositoryUnusable
from automation.incidents.registered import INCIDENT_COMMANDS
from automation.incidents.requests import IncidentsRequest
from automation.incidents.results import IncidentsResult
from tests.automation.incidents.trees import write_tree
from trading.commands import Progress, result_of
from trading.errors import ExitCode, UsageError

COMMAND = INCIDENT_COMMANDS[0]
LOG = """\
2026-11-21 10:00:00,000 CRITICAL shop: failed
Traceback (most recent call last):
  File "shop.py", line 2, in price
    return order["unit"]
KeyError: 'unit'
"""


def _run(**values: object) -> IncidentsResult:
    result = result_of(COMMAND.load_function()(COMMAND.load_request()(**values)))
    assert isinstance(result, IncidentsResult)
    return result


def _text(result: IncidentsResult) -> str:
    console = Console(file=StringIO(), width=120)
    console.print(result.as_text())
    return console.file.getvalue()


@pytest.mark.skipif(sys.platform == "win32", reason="the sandbox needs POSIX")
def test_failing_tests_are_listed_by_fault_and_the_tree_is_left_alone(tmp_path: Path) -> None:
    files = {
        "shop.py": "def price(order):\n    return order['unit']\n",
        "test_shop.py": "from shop import price\n"
        "def test_a(): price({})\ndef test_b(): price({})\ndef test_c(): pass\n",
    }
    root = write_tree(tmp_path, files)
    result = _run(path=root)
    shown = json.loads(json.dumps(result.as_json()))
    assert [incident["tests"] for incident in shown["incidents"]] == [["test_shop.py::test_a", "test_shop.py::test_b"]]
    assert shown["counts"]["passed"] == 1
    assert result.exit_code is ExitCode.DONE
    assert "KeyError: 'unit' in price (shop.py:2)" in _text(result)
    assert sorted(path.name for path in root.iterdir()) == ["shop.py", "test_shop.py"]


def test_log_is_read_without_running_anything(tmp_path: Path) -> None:
    root = write_tree(tmp_path, {"shop.py": "", "a.log": LOG})
    (incident,) = _run(path=root, log=[root / "a.log"]).incidents
    assert (incident.severity, incident.source, incident.kind.value) == ("critical", "log", "value")


def test_followed_log_tells_each_incident_and_keeps_them_when_interrupted(tmp_path: Path) -> None:
    root = write_tree(tmp_path, {"shop.py": "", "a.log": LOG + "2026-11-21 10:00:01,000 INFO shop: next\n"})
    steps = COMMAND.load_function()(IncidentsRequest(path=root, log=[root / "a.log"], follow=True))
    labels = [next(steps).label, next(steps).label]
    assert labels[1].startswith("1 x KeyError: 'unit' in price")
    with pytest.raises(StopIteration) as end:
        steps.throw(KeyboardInterrupt())
    assert end.value.value.exit_code is ExitCode.INTERRUPTED
    assert len(end.value.value.incidents) == 1


def test_nothing_found_is_said(tmp_path: Path) -> None:
    root = write_tree(tmp_path, {"a.log": "all is well\n"})
    assert "No incident" in _text(_run(path=root, log=[root / "a.log"]))


def test_words_that_cannot_be_meant_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one log"):
        _run(path=tmp_path, follow=True)
    with pytest.raises(RepositoryUnusable, match="no folder"):
        _run(path=tmp_path / "none")


def test_progress_comes_before_the_result(tmp_path: Path) -> None:
    root = write_tree(tmp_path, {"a.log": LOG})
    assert isinstance(next(COMMAND.load_function()(IncidentsRequest(path=root, log=[root / "a.log"]))), Progress)
