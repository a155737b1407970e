"""Health tells what is wrong and what to do; cleaning removes only what is old; the overview says it all."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from pathlib import Path

import pytest

from automation.codebase.workspaces import keep_clone, open_workspace, work_folder
from automation.pipeline.health import Check
from automation.pipeline.requests import FixRequest
from automation.pipeline.runs import Run, RunStore
from automation.pipeline.state import Status
from automation.tasks.clean.commands import clean
from automation.tasks.clean.requests import CleanRequest
from automation.tasks.health.commands import health
from automation.tasks.health.requests import HealthRequest
from automation.tasks.health.results import HealthResult
from automation.tasks.report.commands import report
from automation.tasks.report.requests import ReportRequest
from tests.trading.sessions.session_books import new_books
from trading.commands import result_of
from trading.errors import ExitCode
from trading.sessions.catalog import SessionCatalog
from trading.sessions.session_lock import SessionLock

_DAY_S = 86_400


def _session(home: Path, name: str) -> Path:
    path = SessionCatalog(home).files_of(name).journal
    path.parent.mkdir(parents=True)
    with new_books(path):
        return path


def _aged(path: Path, days: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_text("something")
    for each in (*path.rglob("*"), path) if path.is_dir() else (path,):
        then = each.stat().st_mtime - days * _DAY_S
        os.utime(each, (then, then))
    return path


def _run(home: Path, folder: Path, status: Status) -> Run:
    store = RunStore(home)
    run = store.create(FixRequest(path=folder))
    if status is not Status.RUNNING:
        state = {"run_id": run.run_id, "started_ms": run.started_ms, "target": str(folder), "status": status}
        store.settle(run, {**state, "incident": {"title": "ValueError: no tick", "kind": "value"}, "reason": "why"})
    return run


def _checks(result: HealthResult) -> dict[str, Check]:
    return {check.name: check for check in result.checks}


class TestHealth:
    def test_a_sound_home_is_healthy_and_every_part_is_looked_at(self, own_home: Path) -> None:
        _session(own_home, "paper-btc")
        result = result_of(health(HealthRequest(offline=True)))
        checks = _checks(result)
        wanted = {
            "python",
            "packages",
            "configuration",
            "repository",
            "git",
            "disk",
            "data home",
            "sandbox",
            "journals",
        }
        assert wanted | {"databases", "candle store", "keys", "sentence vectors"} <= checks.keys()
        assert "1 session, 0 running" in checks["journals"].detail
        assert result.exit_code is ExitCode.DONE
        assert result.as_json()["ok"] is True
        assert not {"exchange", "clock"} & checks.keys()

    def test_an_exchange_that_cannot_be_reached_is_a_note_with_a_hint(self, own_home: Path) -> None:
        result = result_of(health(HealthRequest(rest_url="http://127.0.0.1:9", timeout=1)))
        exchange = _checks(result)["exchange"]
        assert (exchange.ok, exchange.needed) == (False, False)
        assert "--offline" in exchange.hint
        assert result.exit_code is ExitCode.DONE

    def test_a_damaged_journal_fails_and_names_the_session(self, own_home: Path) -> None:
        path = _session(own_home, "broken")
        content = bytearray(path.read_bytes())
        content[4096:12_288] = b"\xff" * 8192
        path.write_bytes(bytes(content))
        result = result_of(health(HealthRequest(offline=True)))
        assert "broken" in _checks(result)["journals"].detail
        assert result.exit_code is ExitCode.FAILED

    def test_a_damaged_database_is_told_and_a_sound_one_is_not(self, own_home: Path) -> None:
        own_home.mkdir(parents=True)
        sqlite3.connect(own_home / "sound.db").execute("CREATE TABLE t (x)").connection.close()
        (own_home / "improvement.db").write_bytes(b"SQLite format 3\0" + b"nonsense" * 200)
        found = _checks(result_of(health(HealthRequest(offline=True))))["databases"]
        assert not found.ok
        assert "improvement.db" in found.detail
        assert "sound.db" not in found.detail

    def test_a_wrong_configuration_fails_and_the_rest_is_looked_at_all_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "wrong.json").write_text('{"repair": {"samples": "many"}}')
        monkeypatch.setenv("GRIDBOT_AUTOMATION_CONFIG", str(tmp_path / "wrong.json"))
        result = result_of(health(HealthRequest(offline=True)))
        configuration = _checks(result)["configuration"]
        assert not configuration.ok
        assert "repair.samples" in configuration.detail
        assert "disk" in _checks(result)
        assert result.exit_code is ExitCode.FAILED


class TestClean:
    def test_it_lists_first_and_removes_only_when_told(self, own_home: Path) -> None:
        old = _aged(own_home / "baselines" / "a.json", 400)
        young = _aged(own_home / "baselines" / "b.json", 1)
        listed = result_of(clean(CleanRequest()))
        assert [each.path for each in listed.found] == [old]
        assert old.exists()
        removed = result_of(clean(CleanRequest(yes=True)))
        assert removed.as_json()["bytes"] == len("something")
        assert (old.exists(), young.exists()) == (False, True)
        assert result_of(clean(CleanRequest(yes=True))).exit_code is ExitCode.NOTHING_TO_DO

    def test_what_trades_and_what_can_be_resumed_stays_whatever_its_age(self, own_home: Path, tmp_path: Path) -> None:
        journal = _session(own_home, "running")
        current = _aged(journal.parent / "log" / "session.jsonl", 400)
        aside = _aged(journal.parent / "log" / "session.jsonl.1", 400)
        candles = _aged(own_home / "store" / "BTC-USDT" / "1m" / "a.parquet", 400)
        interrupted = _aged(_run(own_home, tmp_path, Status.RUNNING).folder, 400)
        waiting = _aged(_run(own_home, tmp_path, Status.AWAITING_APPROVAL).folder, 400)
        settled = _aged(_run(own_home, tmp_path, Status.UNFIXED).folder, 400)
        with SessionLock(own_home, "running", "account", "BTC/USDT"):
            result = result_of(clean(CleanRequest(yes=True, older_than=0)))
        assert {each.path for each in result.found} == {aside, settled}
        for path in (journal, current, candles, interrupted, waiting):
            assert path.exists(), path

    def test_newest_backups_of_a_session_stay(self, own_home: Path) -> None:
        journal = _session(own_home, "paper")
        aside = [_aged(journal.with_name(f"journal.sqlite.damaged-{n}"), 400 - n) for n in range(1, 6)]
        result = result_of(clean(CleanRequest(yes=True)))
        assert [each.path for each in result.found] == [aside[1], aside[0]]
        assert journal.exists()

    def test_a_workspace_whose_run_died_goes_and_a_landed_clone_waits_for_its_age(
        self, own_home: Path, tmp_path: Path
    ) -> None:
        target = tmp_path / "shop"
        target.mkdir()
        (target / "shop.py").write_text("x = 1\n")
        landed = open_workspace(target, work_folder(own_home, "landed"))
        keep_clone(landed)
        died = work_folder(own_home, "died")
        (died / "tree").mkdir(parents=True)
        (landed.folder / "owner.json").unlink()
        assert [each.kind for each in result_of(clean(CleanRequest(yes=True))).found] == ["worktree"]
        assert (died.exists(), landed.folder.exists()) == (False, True)
        assert [each.kind for each in result_of(clean(CleanRequest(yes=True, older_than=0))).found] == ["clone"]
        assert not landed.folder.exists()


class TestOverview:
    def test_it_names_sessions_approvals_and_runs_and_writes_a_page(self, own_home: Path, tmp_path: Path) -> None:
        _session(own_home, "paper-btc")
        waiting = _run(own_home, tmp_path, Status.AWAITING_APPROVAL)
        unfixed = _run(own_home, tmp_path, Status.UNFIXED)
        result = result_of(report(ReportRequest(out=tmp_path / "out", path=tmp_path)))
        data = result.as_json()
        assert [each["session"] for each in data["sessions"]] == ["paper-btc"]
        assert data["awaiting_approval"] == [waiting.run_id]
        assert {each["run_id"] for each in data["runs"]} == {waiting.run_id, unfixed.run_id}
        page = (tmp_path / "out" / "overview.html").read_text()
        assert "paper-btc" in page
        assert waiting.run_id in page
        assert not re.search(r"(src|href)=.http", page)
        assert json.loads((tmp_path / "out" / "overview.json").read_text()) == data

    def test_a_session_with_a_damaged_journal_is_told_and_the_rest_is_there(
        self, own_home: Path, tmp_path: Path
    ) -> None:
        _session(own_home, "sound")
        _session(own_home, "torn").write_bytes(b"nothing that SQLite knows")
        data = result_of(report(ReportRequest(out=tmp_path / "out", path=tmp_path))).as_json()
        states = {each["session"]: each["state"] for each in data["sessions"]}
        assert "torn" in states["torn"]
        assert states["sound"] == "stopped"
