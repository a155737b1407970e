"""The runs on disk: found by id, listed newest first, read back as they were written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.errors import RunNotFound
from automation.pipeline.requests import FixRequest
from automation.pipeline.result import FixResult, result_of_state
from automation.pipeline.runs import Run, RunStore
from automation.pipeline.state import RunState, Status
from trading.errors import Refused


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "home")


def new_run(store: RunStore, **request: object) -> Run:
    return store.create(FixRequest.model_validate({"path": store.home.parent, **request}))


def state_of(run: Run, status: Status, **more: object) -> RunState:
    state = {"run_id": run.run_id, "started_ms": run.started_ms, "target": "t", "status": status, "reason": "r"}
    return {**state, **more}  # type: ignore[return-value, typeddict-item]


def test_runs_are_listed_newest_first_also_those_of_one_second(store: RunStore) -> None:
    made = [new_run(store) for _ in range(12)]
    for at, run in enumerate(made):
        kept = json.loads((run.folder / "run.json").read_text())
        (run.folder / "run.json").write_text(json.dumps({**kept, "started_ms": 1_000 + at}))
    assert [run.run_id for run in store] == [run.run_id for run in reversed(made)]


def test_a_run_is_found_by_the_beginning_of_its_id_when_no_other_begins_so(store: RunStore) -> None:
    run = new_run(store)
    assert store.find(run.run_id).folder == run.folder
    assert store.find(run.run_id[:10]).run_id == run.run_id
    with pytest.raises(RunNotFound, match="no run of the id 'x'"):
        store.find("x")
    other = new_run(store)
    with pytest.raises(RunNotFound, match="2 runs"):
        store.find("20")
    assert store.find(other.run_id).run_id == other.run_id


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"run_id": "x", "request": 3}', '"x"', "\x00"])
def test_a_broken_folder_is_skipped(text: str, store: RunStore) -> None:
    run = new_run(store)
    broken = store.folder / "99999999-000000-aaaa"
    broken.mkdir()
    (broken / "run.json").write_text(text)
    (store.folder / "empty").mkdir()
    assert [each.run_id for each in store] == [run.run_id]


def test_a_run_means_the_same_files_from_any_folder(
    store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "real").touch()
    (tmp_path / "python").symlink_to("real")
    run = store.create(FixRequest(path=Path(), log=Path("service.log"), python=Path("python")))
    monkeypatch.chdir("/")
    kept = store.find(run.run_id).request
    assert kept.path == tmp_path
    assert kept.log == tmp_path / "service.log"
    # A virtual environment's interpreter is a link, and works by its own name only.
    assert kept.python == tmp_path / "python"


def test_a_run_without_a_result_is_at_work_or_was_stopped(store: RunStore) -> None:
    run = new_run(store)
    assert store.result(run).reason == "stopped or at work in its beginning"
    (run.folder / "stage").write_text("verify")
    result = store.result(run)
    assert (result.status, result.reason) == (Status.RUNNING, "stopped or at work in verify")
    assert store.resumable() == {run.run_id}


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", "{}", '{"status": "perhaps"}', '{"status": "fixed"}'])
def test_a_damaged_result_is_said_and_keeps_no_other_run_from_being_listed(text: str, store: RunStore) -> None:
    run, other = new_run(store), new_run(store)
    (run.folder / "result.json").write_text(text)
    result = store.result(run)
    assert result.status is Status.RUNNING
    assert result.reason == f"{run.folder / 'result.json'} is damaged; resume the run to have it anew"
    assert [store.result(each).reason for each in store if each.run_id == other.run_id] == [
        "stopped or at work in its beginning"
    ]


def test_a_result_is_read_back_as_it_was_written(store: RunStore) -> None:
    run = new_run(store)
    settled = store.settle(run, state_of(run, Status.UNFIXED, patch="--- a\n+++ b\r\n", tried={"memory": 2}))
    assert store.result(run) == settled
    assert (run.folder / "patch.diff").read_bytes() == b"--- a\n+++ b\r\n"
    assert (run.folder / "report.html").is_file()
    assert store.resumable() == frozenset()
    store.reopen(run)
    assert store.result(run).status is Status.RUNNING


@pytest.mark.parametrize("status", [Status.FIXED, Status.NOTHING_TO_FIX, Status.REFUSED, Status.REJECTED])
def test_what_has_ended_cannot_be_abandoned(status: Status, store: RunStore) -> None:
    run = new_run(store)
    store.settle(run, state_of(run, status))
    with pytest.raises(Refused, match=status.value):
        store.abandon(run)


def test_what_was_abandoned_stays_so(store: RunStore) -> None:
    run = new_run(store)
    assert store.abandon(run).status is Status.ABANDONED
    assert store.result(run).status is Status.ABANDONED
    with pytest.raises(Refused):
        store.abandon(run)


names = st.text(max_size=20)
tables = st.dictionaries(names, st.integers(0, 10**6), max_size=3)


@given(
    status=st.sampled_from(Status),
    reason=names,
    patch=names,
    tried=tables,
    landed=st.none() | st.fixed_dictionaries({"how": names, "branch": names, "commit": names, "path": st.none()}),
    chosen=st.lists(st.fixed_dictionaries({"proposer": names, "description": names, "place": names}), max_size=2),
    seconds=st.dictionaries(names, st.floats(0, 1e4), max_size=3),
)
def test_any_result_survives_json(
    status: Status,
    reason: str,
    patch: str,
    tried: dict[str, int],
    landed: dict[str, object] | None,
    chosen: list[dict[str, object]],
    seconds: dict[str, float],
) -> None:
    state = {
        "run_id": "r",
        "started_ms": 1,
        "target": "t",
        "status": status,
        "reason": reason,
        "patch": patch,
        "tried": tried,
        "landed": landed,
        "chosen": chosen,
        "seconds": seconds,
    }
    result = result_of_state(state, Path("/runs/r"))  # type: ignore[arg-type]
    text = json.dumps(result.as_json())
    assert FixResult.from_json(json.loads(text)) == result
    assert json.loads(text)["candidates_tried"] == sum(tried.values())
