"""The last night and the newest run, whatever lies in their folders."""

from __future__ import annotations

from pathlib import Path

from automation.interfaces.console.data.night import last_night, newest_run
from automation.pipeline.requests import FixRequest
from automation.pipeline.runs import RunStore
from tests.automation.interfaces.console.console_home import write_night


def test_the_newest_night_is_told_and_a_torn_report_is_told_as_such(tmp_path: Path) -> None:
    assert last_night(tmp_path, tmp_path / "home") is None
    write_night(tmp_path)
    night = last_night(tmp_path, tmp_path / "home")
    assert night is not None
    assert (night.status, night.reason) == ("could not begin", "git: the git program is not on PATH")
    assert (night.started[:10], night.minutes) == ("2023-11-14", 1.5)
    torn = tmp_path / "reports" / "nightly-20991231-000000" / "report.json"
    torn.parent.mkdir()
    torn.write_text('{"session_info": ')
    night = last_night(tmp_path, tmp_path / "home")
    assert night is not None
    assert night.status == "unreadable"


def test_the_newest_run_is_told_with_where_it_is_at_work(tmp_path: Path) -> None:
    assert newest_run(tmp_path) is None
    store = RunStore(tmp_path)
    run = store.create(FixRequest(path=tmp_path))
    (run.folder / "stage").write_text("verify")
    found = newest_run(tmp_path)
    assert found is not None
    assert (found.run_id, found.status, found.waiting) == (run.run_id, "running", 0)
    assert "verify" in found.reason
