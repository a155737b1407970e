"""The last night and the newest run, whatever lies in their folders."""

from __future__ import annotations

import json
from pathlib import Path

from automation.interfaces.console.data.night import NewestRun, last_night
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


def test_the_newest_run_is_told_with_what_it_is_about_and_whether_anybody_works_on_it(tmp_path: Path) -> None:
    runs = NewestRun(tmp_path)
    assert runs.read(0) is None
    store = RunStore(tmp_path)
    run = store.create(FixRequest(path=tmp_path))
    (run.folder / "progress.json").write_text(json.dumps({"stage": "verify", "title": "30 is not 28"}))
    found = runs.read(run.started_ms)
    assert found is not None
    assert (found.run_id, found.status, found.waiting) == (run.run_id, "at work", 0)
    assert found.reason == "verify: 30 is not 28"
    busy = runs.read(run.started_ms + 20_000)
    assert busy is not None
    # on a busy machine a run takes its time until it has a private copy
    assert busy.status == "at work"
    later = runs.read(run.started_ms + 3_600_000)
    assert later is not None
    assert later.status == "interrupted"
    (run.folder / "progress.json").unlink()
    (run.folder / "result.json").write_text("{")
    torn = runs.read(run.started_ms + 3_600_000)
    assert torn is not None
    assert "damaged" in torn.reason
