"""From a session that failed to a branch with the patch and its regression test: real sessions, real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from automation.incidents.session_records import FailedSession, failed_session
from automation.incidents.session_replay import PLAIN
from automation.incidents.session_reproduction import SessionFinding, reproduce_session
from automation.incidents.suites import run_suite, suite_settings
from tests.automation.pipeline.failed_sessions import FAULTS, Fault, candle_file, copy_of_core, plant_fault, run_paper
from tests.automation.pipeline.targets import Gridbot, branches, git_run
from trading.sessions.inputs import NewCandle

DECIDER = "tests/trading/sessions/test_decider.py"
NAMES = {fault.name: fault for fault in FAULTS}


@pytest.fixture(scope="module")
def candles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a market's candles as a file."""
    return candle_file(tmp_path_factory.mktemp("market") / "candles.csv", count=300)


@dataclass(frozen=True)
class Failed:
    """A copy of the core with a fault, the session that it broke, and what that was reduced to."""

    copy: Path
    fault: Fault
    session: FailedSession
    finding: SessionFinding
    told: list[str]

    def passed(self, files: Mapping[str, bytes]) -> frozenset[str]:
        """Return which tests of the incident pass in plain Python with other contents of some files."""
        made = self.finding.reproduction
        assert made is not None, self.finding
        plain = replace(suite_settings(self.copy, self.copy, DECIDER), arguments=(), environment=PLAIN)
        test = made.node_id.partition("::")[0]
        return run_suite(self.copy, plain, tests=[test], files={**made.files, **files}).passed


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory, candles: Path) -> Failed:
    """Give a session that really broke its books."""
    folder, fault = tmp_path_factory.mktemp("failed"), NAMES["count-of-working-orders"]
    copy, home = copy_of_core(folder / "core", [DECIDER]), folder / "home"
    plant_fault(copy, fault)
    done = run_paper(copy, home, candles)
    assert done.returncode == 4, (done.returncode, done.stderr)
    session, told = failed_session("broken", home), []
    settings = suite_settings(copy, copy, DECIDER)
    finding = reproduce_session(session, copy, settings, 60, lambda label, done, total: told.append(label))
    return Failed(copy, fault, session, finding, told)


def test_a_session_that_broke_its_books_becomes_a_test_of_a_few_inputs(failed: Failed) -> None:
    assert isinstance(failed.session.recording.inputs[-1], NewCandle)
    made, incident = failed.finding.reproduction, failed.finding.incident
    assert made is not None
    assert incident is not None
    assert "the count of working orders is off" in incident.title
    assert incident.source == "session"
    assert "leaving out what the failure does not need" in failed.told
    assert made.minimal
    assert made.inputs_before > 50
    assert made.inputs_after <= 3
    assert made.node_id not in failed.passed({})


def test_the_test_passes_when_the_core_is_mended(failed: Failed) -> None:
    text = (failed.copy / failed.fault.path).read_text(encoding="utf-8")
    mended = text.replace(failed.fault.wrong, failed.fault.right)
    assert len(failed.passed({failed.fault.path: mended.encode()})) == 2


def test_a_core_that_no_longer_trades_does_not_pass_for_a_mended_one(failed: Failed) -> None:
    path, asks = "trading/sessions/decider.py", "if self.exchange is Exchange.CANDLES:"
    text = (failed.copy / path).read_text(encoding="utf-8")
    assert asks in text
    idle = text.replace(asks, asks.replace(" is ", " is not "))
    made = failed.finding.reproduction
    assert made is not None
    assert made.node_id not in failed.passed({path: idle.encode()})


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["name-of-a-field", "count-of-working-orders", "sold-twice", "money-not-released"])
def test_a_fault_in_the_core_is_repaired_from_the_session_that_it_broke(
    name: str, tmp_path: Path, home: Path, candles: Path, gridbot: Gridbot
) -> None:
    copy = copy_of_core(tmp_path / "core", [DECIDER])
    plant_fault(copy, NAMES[name])
    assert run_paper(copy, home, candles).returncode != 0
    words = ("fix", str(copy), "--session", "broken", "--model", "none", "--max-minutes", "10", "--tests", DECIDER)
    code, answer, errors = gridbot(home, *words)
    assert (code, answer["status"]) == (5, "awaiting_approval"), (answer["reason"], errors)
    code, answer, errors = gridbot(home, "runs", "approve", str(answer["run_id"]))
    assert (code, answer["status"]) == (0, "fixed"), (answer["reason"], errors)
    assert branches(copy) == [answer["branch"]]
    files = git_run(copy, "diff", "--name-only", f"HEAD..{answer['branch']}").split()
    made = answer["reproduction"]
    assert {made["recording"], made["test"].partition("::")[0], "tests/trading/incidents/told_again.py"} < set(files)
    git_run(copy, "checkout", "-q", str(answer["branch"]))
    test = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/trading/incidents"]
    assert subprocess.run(test, cwd=copy, capture_output=True).returncode == 0


@pytest.mark.slow
def test_a_session_that_did_not_fail_leaves_nothing_to_fix(
    tmp_path: Path, home: Path, candles: Path, gridbot: Gridbot
) -> None:
    copy = copy_of_core(tmp_path / "core", [DECIDER])
    done = run_paper(copy, home, candles)
    assert done.returncode == 0, done.stderr
    code, answer, errors = gridbot(home, "fix", str(copy), "--session", "broken", "--model", "none")
    assert (code, answer["status"]) == (6, "nothing_to_fix"), (answer, errors)
    assert "did not fail" in answer["reason"]
