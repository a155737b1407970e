"""A command in a process of its own: what it tells, how it ends, and that it can be stopped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from automation.interfaces.execution import Ended, Event, Execution, Executor, Order
from trading.commands import News, Progress


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    executor = Executor(tmp_path_factory.mktemp("folder"))
    executor.warm()
    yield executor
    executor.close()


def _order(home: Path, command: str, **values: object) -> Order:
    return Order(command, values, width=80, colour=False, environment={"GRIDBOT_HOME": str(home)})


def _ran(execution: Execution) -> tuple[list[Event], Ended]:
    events = list(execution.events())
    end = events.pop()
    assert isinstance(end, Ended)
    return events, end


def test_progress_comes_first_and_the_result_as_data_and_text(executor: Executor, own_home: Path) -> None:
    events, end = _ran(executor.start(_order(own_home, "data synthetic", symbol="SIM/USDT", candles=2_000, seed=3)))
    assert any(isinstance(event, Progress) for event in events)
    assert (end.exit_code, end.error) == (0, None)
    assert end.result is not None
    _, listed = _ran(executor.start(_order(own_home, "data list")))
    assert "SIM/USDT" in listed.text
    assert "\x1b" not in listed.text


def test_each_kind_of_mistake_is_an_error_with_its_code(executor: Executor, own_home: Path) -> None:
    for command, values, code, words in (
        ("no such", {}, 2, "there is no command"),
        ("data list", {"colour": 1}, 2, "takes no 'colour'"),
        ("backtest", {"candles": ["nowhere.csv"]}, 3, "there is no file nowhere.csv"),
    ):
        _, end = _ran(executor.start(_order(own_home, command, **values)))
        assert end.error is not None, end
        assert (end.exit_code, end.error["exit_code"]) == (code, code)
        assert words in end.text


def test_cancelling_ends_it_like_ctrl_c_and_it_keeps_what_it_has(executor: Executor, own_home: Path) -> None:
    execution = executor.start(_order(own_home, "exchange", symbol=["SIM/USDT"], minutes=10))
    events: list[Event] = []
    for event in execution.events():
        events.append(event)
        if isinstance(event, News) and not execution.cancelled:
            execution.cancel()
    end = events[-1]
    assert execution.cancelled
    assert isinstance(end, Ended)
    assert end.exit_code in {0, 130}


def test_a_process_that_is_killed_is_told_and_not_waited_for(executor: Executor, own_home: Path) -> None:
    execution = executor.start(_order(own_home, "exchange", symbol=["SIM/USDT"], minutes=10))
    end: Event | None = None
    for event in execution.events():
        end = event
        if isinstance(event, News):
            execution.cancel()
            execution.cancel()
    assert isinstance(end, Ended)
    # killed before it could tell its end, or just after
    assert end.exit_code in {-9, 0, 130}


def test_a_waiting_process_goes_when_it_is_not_wanted(tmp_path: Path) -> None:
    executor = Executor(tmp_path)
    executor.warm()
    spare = executor._spare
    assert spare is not None
    executor.close()
    assert not spare.waits


def test_what_a_command_prints_is_no_event(executor: Executor, own_home: Path, tmp_path: Path) -> None:
    # numba, ccxt and others write to stdout as they like; a child whose stdout is our channel must not be hurt by it
    order = _order(own_home, "data list")
    noisy = tmp_path / "sitecustomize.py"
    noisy.write_text("import atexit, os\natexit.register(lambda: os.write(1, b'noise\\n'))\n")
    os.environ["PYTHONPATH"], before = str(tmp_path), os.environ.get("PYTHONPATH")
    try:
        _, end = _ran(Execution(order))
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before
    assert end.exit_code == 0
