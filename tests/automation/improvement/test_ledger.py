"""The ledger: what is written is read again, once a run, after crashes and beside readers."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.improvement.ledger import Ledger, ledger_path
from automation.improvement.records import DAY_MS, ProposerShare, Status, Success
from tests.automation.improvement.runs import START_MS, records, run
from trading.errors import Refused, StateCorrupt

_KILLED_AFTER_RECORD = """
import os, signal, sys
from pathlib import Path
from automation.improvement.ledger import Ledger
from tests.automation.improvement.runs import run
Ledger(Path(sys.argv[1])).record(run(1))
os.kill(os.getpid(), signal.SIGKILL)
"""


@given(st.lists(records, max_size=8))
def test_records_come_back_as_written_and_the_last_of_a_run_counts(tmp_path_factory, written):
    with Ledger(tmp_path_factory.mktemp("ledger") / "improvement.db") as ledger:
        for record in written:
            ledger.record(record)
        last = {record.run_id: record for record in written}
        assert {r.run_id for r in ledger.records()} == set(last)
        assert {record.run_id: record for record in ledger.records()} == last
        assert [r.started_ms for r in ledger.records()] == sorted(r.started_ms for r in last.values())


def test_a_resumed_run_replaces_its_counts_and_stages(tmp_path):
    with Ledger(tmp_path / "improvement.db") as ledger:
        ledger.record(run(1, Status.UNFIXED, candidates={"template:comparison": 3}, seconds={"localise": 1.0}))
        ledger.record(run(1, Status.FIXED, candidates={"fim:small": 5}, seconds={"propose": 2.0}))
        (found,) = ledger.records()
        assert (dict(found.candidates), dict(found.seconds)) == ({"fim:small": 5}, {"propose": 2.0})
        assert ledger.success_by_kind() == {"logic": Success(fixed=1)}


def test_a_record_survives_a_killed_process(tmp_path):
    path = tmp_path / "improvement.db"
    killed = subprocess.run([sys.executable, "-c", _KILLED_AFTER_RECORD, str(path)])
    assert killed.returncode == -9
    with Ledger(path) as ledger:
        assert ledger.records() == (run(1),)


def test_records_are_filtered_by_time_and_kind(tmp_path):
    with Ledger(tmp_path / "improvement.db") as ledger:
        for number, kind in enumerate(["logic", "type", "logic"]):
            ledger.record(run(number, day=number, kind=kind))
        assert [r.run_id for r in ledger.records(START_MS + DAY_MS)] == ["run-001", "run-002"]
        assert [r.run_id for r in ledger.records(kind="logic")] == ["run-000", "run-002"]
        assert [r.run_id for r in ledger.records(START_MS + 1, "logic")] == ["run-002"]


def test_success_counts_verified_patches_as_repaired_and_leaves_refusals_out(tmp_path):
    statuses = [
        Status.FIXED,
        Status.AWAITING_APPROVAL,
        Status.UNFIXED,
        Status.UNFIXED,
        Status.REFUSED,
        Status.NOTHING_TO_FIX,
    ]
    with Ledger(tmp_path / "improvement.db") as ledger:
        for number, status in enumerate(statuses):
            ledger.record(run(number, status, day=number // 3))
        (success,) = ledger.success_by_kind().values()
        assert success == Success(fixed=1, awaiting=1, unfixed=2, other=2)
        assert (success.attempts, success.rate) == (4, 0.5)
        days = ledger.success_over_time()
        assert {start - START_MS: s.rate for start, s in days.items()} == {0: 2 / 3, DAY_MS: 0.0}


def test_proposers_are_credited_with_repairs_and_with_every_candidate(tmp_path):
    with Ledger(tmp_path / "improvement.db") as ledger:
        ledger.record(run(1, candidates={"template:constant": 7, "template:comparison": 2}))
        ledger.record(run(2, Status.UNFIXED, candidates={"template:constant": 5}))
        assert ledger.proposers() == {
            "template:comparison": ProposerShare(candidates=2, repairs=1),
            "template:constant": ProposerShare(candidates=12, repairs=0),
        }


def test_several_writers_and_a_reader_share_the_file(tmp_path):
    path = tmp_path / "improvement.db"

    def write(first: int) -> int:
        with Ledger(path) as ledger:
            for number in range(first, first + 10):
                ledger.record(run(number))
            return len(ledger.records())

    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(write, range(0, 40, 10)))
    assert all(count >= 10 for count in seen)
    with Ledger(path) as ledger:
        assert len(ledger.records()) == 40


def test_a_ledger_is_opened_and_read_while_somebody_writes(tmp_path):
    file = tmp_path / "improvement.db"
    with Ledger(file) as ledger:
        ledger.record(run(1))
    writer = sqlite3.connect(file, isolation_level=None)
    try:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM runs")
        with Ledger(file) as reader:
            assert reader.records() == (run(1),)
    finally:
        writer.close()


def test_a_commit_reaches_the_disk_before_record_returns(tmp_path):
    with Ledger(tmp_path / "improvement.db") as ledger:
        pragma = lambda name: ledger._connection.execute(f"PRAGMA {name}").fetchone()[0]  # noqa: E731
        assert (pragma("journal_mode"), pragma("synchronous"), pragma("busy_timeout")) == ("wal", 2, 10_000)


def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "improvement.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Refused, match=r"schema version 99.*update GridBot"):
        Ledger(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "improvement.db"
    path.write_bytes(b"not a database, " * 100)
    with pytest.raises(StateCorrupt, match="move it away"):
        Ledger(path)
    assert path.read_bytes() == b"not a database, " * 100


def test_the_ledger_lives_in_the_data_home(own_home):
    assert ledger_path() == own_home / "improvement.db"
