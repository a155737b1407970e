"""``gridbot simulate``: a stretch of trading that is killed on the way must be proven right at its end."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from automation.tasks.simulate import Kill, SimulateResult
from tests.automation.interfaces.session_programs import Here, Running
from trading.brokers.exchange_server.config import TEST_SECRET
from trading.errors import ExitCode

PROVEN = SimulateResult(
    session="simulated-1",
    minutes=30.0,
    seconds=20.0,
    orders=14,
    fills=4,
    equity="9,999.93",
    profit="-0.07 USDT",
    kills=(Kill(1_700_000_000_000, 9, 1.5, ()),),
    findings=(),
    inputs=1_166,
    same=True,
    ended="its time is over",
    session_exit=0,
    report=Path("reports/simulated-1/report.html"),
)


def test_proven_needs_equal_books_after_each_kill_and_at_the_end() -> None:
    assert (PROVEN.is_proven, PROVEN.exit_code) == (True, ExitCode.DONE)
    lost = Kill(1_700_000_000_000, 9, 1.5, ("order gb-simulated-1-3 is at the exchange alone",))
    for broken in (
        replace(PROVEN, kills=(lost,)),
        replace(PROVEN, findings=("BTC: 0.5 is not 0.6",)),
        replace(PROVEN, same=False),
        replace(PROVEN, session_exit=4),
    ):
        assert (broken.is_proven, broken.exit_code) == (False, ExitCode.FAILED)
        assert broken.as_json()["proven"] is False


def test_what_cannot_be_simulated_is_a_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    here = Here(capsys, tmp_path)
    assert "--minutes" in here("simulate", "--minutes", "5", code=ExitCode.USAGE)
    assert "NONSENSE!" in here("simulate", "--symbol", "NONSENSE!", code=ExitCode.USAGE)
    assert here.json("sessions") == {"sessions": []}


@pytest.mark.slow
def test_killed_and_recovered_the_books_agree_to_the_unit(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page, home = tmp_path / "page", tmp_path / "home"
    words = ("simulate", "--minutes", "30", "--kills", "1", "--report", str(page), "--home", str(home))
    with Running(*words, keys={}) as running:
        running.until("killed")
        code, told = running.end()
    last = running.events[-1]
    assert (code, last["event"], last["proven"]) == (ExitCode.DONE, "simulated", True), told
    (kill,) = last["kills"]
    assert (kill["findings"], last["findings"], last["same"]) == ([], [], True)
    assert kill["recovery_s"] > 0
    assert last["minutes"] >= 30
    assert last["orders"] > 0
    assert Path(last["report"]).is_file()
    here = Here(capsys, home)
    shown = here.json("sessions", "show", str(last["session"]))
    assert (len(shown["orders"]), len(shown["fills"])) == (last["orders"], last["fills"])
    assert sum(event["event"] == "started" for event in shown["events"]) == 2
    assert TEST_SECRET not in json.dumps(running.events) + told
