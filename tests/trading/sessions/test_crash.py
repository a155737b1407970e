"""A session that dies by SIGKILL anywhere: afterwards the exchange and the journal agree, to the unit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL"),
    # half a minute of work, more where others want the machine too; the slow ones take some minutes
    pytest.mark.timeout(1_800),
]

_ROOT = Path(__file__).resolve().parents[3]
_FACTS = ("Sent", "Accepted", "Filled", "CancelSent", "Closed")
_STEPS = ("write", "before", "after")
_WRITES = ("add_order", "update_order", "add_fill", "add_inputs", "save_core", "next_client_seq", "set_meta", "note")
_CALLS = ("place", "cancel", "order", "open_orders", "fills_since", "balances")


def _run(what: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.trading.sessions.crash_children", what, str(folder)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4_000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one session came to that was killed at each kind of instant, and then once more for each lesson."""
    return _run("suite", tmp_path_factory.mktemp("crash"))


@pytest.fixture(scope="module")
def lessons(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What each scene came to."""
    found: dict[str, dict[str, Any]] = told["lessons"]
    return found


def test_killed_at_each_kind_of_instant_the_exchange_and_the_journal_agree(told: dict[str, Any]) -> None:
    assert told["findings"] == []
    assert told["kills"] == len(told["kinds"])
    assert told["audits_passed"] == told["audits"] > 70
    assert told["fills"] > 20


def test_killed_around_each_commit_and_at_each_kind_of_write(told: dict[str, Any]) -> None:
    kinds: list[str] = told["kinds"]
    missing = [
        (step, fact)
        for fact in _FACTS
        for step in _STEPS
        if not any(kind.startswith(f"{step}: SessionKeeper.apply({fact})") for kind in kinds)
    ]
    assert missing == []
    written = {kind.rpartition("JournalWriter.")[2] for kind in kinds if kind.startswith("write: ")}
    assert set(_WRITES) <= written


def test_killed_while_each_kind_of_answer_is_awaited(told: dict[str, Any]) -> None:
    kinds: list[str] = told["kinds"]
    waits = [kind for kind in kinds if kind.startswith(("waits: ", "woken: ", "asks: "))]
    assert [call for call in _CALLS if not any(f"CcxtBroker.{call} " in f"{kind} " for kind in waits)] == []
    for moment in ("waits", "woken"):
        assert any(kind.startswith(f"{moment}: CcxtBroker.place") and "ClientResponse" in kind for kind in waits)
        assert any(kind.startswith(f"{moment}: CcxtBroker.cancel") and "ClientResponse" in kind for kind in waits)


def test_lesson_02_a_killed_grid_goes_on_with_its_position(told: dict[str, Any]) -> None:
    # every restart of every kill went on trading from its books: none was refused, halted or begun anew
    assert told["restarts"] >= told["kills"]
    assert told["findings"] == []
    assert told["accepted"] > 20


def test_lesson_03_a_cancel_lost_in_a_crash_is_sent_again(lessons: dict[str, dict[str, Any]]) -> None:
    scene = lessons["lost_cancel"]
    assert scene["lost"]
    assert set(scene["at_venue"]) <= {"CANCELED", "FILLED"}


def test_lesson_04_an_order_that_landed_before_the_crash_is_not_sent_again(lessons: dict[str, dict[str, Any]]) -> None:
    scene = lessons["lost_answer"]
    assert scene["lost"]
    assert set(scene["sends"]) == set(scene["written_sends"]) == {1}
    assert scene["still_unresolved"] == []


def test_lesson_05_a_trade_told_again_after_the_crash_is_booked_once(lessons: dict[str, dict[str, Any]]) -> None:
    scene = lessons["trade_half_booked"]
    assert [killed.partition(":")[0] for killed in scene["killed_at"]] == ["write", "before"]
    assert scene["behind"] >= 1
    assert scene["ended"] == [0, 0]
    assert scene["booked"] == scene["executed"]


def test_lesson_08_an_order_filled_while_dead_is_answered_by_the_other_side(lessons: dict[str, dict[str, Any]]) -> None:
    scene = lessons["filled_while_dead"]
    assert scene["filled"]
    assert set(scene["states"]) == {"filled"}
    assert scene["same_side_again"] == []
    assert scene["not_booked"] == 0


def test_lesson_21_killed_while_stopping_it_leaves_no_orphan_order(lessons: dict[str, dict[str, Any]]) -> None:
    scene = lessons["killed_while_stopping"]
    assert scene["killed_at"]
    assert scene["left"]
    assert scene["open_after"] == []


@pytest.mark.slow
def test_killed_at_each_kind_of_instant_told_apart_by_all_callers(tmp_path: Path) -> None:
    told = _run("all_kinds", tmp_path)
    assert told["findings"] == []
    assert told["kills"] > 150


@pytest.mark.slow
def test_killed_at_random_instants_with_streams(tmp_path: Path) -> None:
    told = _run("at_random", tmp_path)
    assert told["findings"] == []
    assert told["kills"] == 100
    assert told["fills"] > 20


@pytest.mark.slow
def test_killed_at_random_instants_while_the_exchange_fails(tmp_path: Path) -> None:
    told = _run("in_a_storm", tmp_path)
    assert told["findings"] == []
    assert told["kills"] == 100
    assert told["fills"] > 20
