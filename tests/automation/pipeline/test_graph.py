"""The graph and its stages: what leads where, and a state that is plain JSON at every checkpoint."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from automation.codebase.characterisation import MARK
from automation.config_sections import AutomationConfig
from automation.incidents.records import Frame, Outcome, Raised, TestReport, TestResult
from automation.pipeline.desk import Desk
from automation.pipeline.requests import FixRequest
from automation.pipeline.stages.propose import propose
from automation.pipeline.stages.triage import triage
from automation.pipeline.state import RunState, Status
from tests.automation.pipeline.targets import FLAT, Gridbot, plant

MakeDesk = Callable[..., Desk]


@pytest.fixture
def desk(tmp_path: Path) -> MakeDesk:
    def make(spent_s: float = 0.0) -> Desk:
        target = tmp_path / "target"
        target.mkdir(exist_ok=True)
        (target / "shop.py").touch()
        request = FixRequest(path=target, model="none", max_minutes=1)
        return Desk(tmp_path / "run", tmp_path / "home", request, AutomationConfig(), spent_s)

    return make


def failed(node_id: str, kind: str, message: str, *frames: Frame) -> TestResult:
    return TestResult(node_id, Outcome.FAILED, chain=(Raised(kind, message, frames),))


def report_of(*tests: TestResult) -> TestReport:
    return TestReport(tests, tuple(test.node_id for test in tests), True, 1.0)


IN_SHOP = Frame("shop.py", 3, "total", True)
IN_TEST = Frame("test_shop.py", 9, "test_total", True, True)
IN_SOCKET = Frame("/usr/lib/python3/socket.py", 800, "create_connection", False)
OUTSIDE = failed("test_feed.py::test_feed", "socket.gaierror", "Name or service not known", IN_SHOP, IN_SOCKET)


def test_failures_are_grouped_by_fault_and_the_one_that_hides_others_comes_first(desk: MakeDesk) -> None:
    here = desk()
    here.save(
        "baseline",
        report_of(
            failed("test_shop.py::test_a", "AssertionError", "1 != 2", IN_TEST),
            failed("test_shop.py::test_b", "TypeError", "no", IN_TEST, IN_SHOP),
            failed("test_shop.py::test_c", "TypeError", "no", IN_TEST, IN_SHOP),
            failed("test_other.py", "NameError", "name 'x'", Frame("other.py", 1, "", True)),
            OUTSIDE,
            TestResult("test_shop.py::test_d", Outcome.PASSED),
        ),
    )
    changes = triage(here, {})
    assert changes["groups"] == [
        ["test_other.py"],
        ["test_shop.py::test_b", "test_shop.py::test_c"],
        ["test_shop.py::test_a"],
    ]
    assert changes["targets"] == [test for group in changes["groups"] for test in group]
    assert changes["group"] == -1
    assert changes["incident"]["kind"] == "name"
    assert len(changes["others"]) == 3
    assert "status" not in changes
    assert json.loads(json.dumps(changes["targets"])) == changes["targets"]


def test_a_person_decides_when_only_tests_fail_that_record_what_the_code_once_did(desk: MakeDesk) -> None:
    here = desk()
    tests = here.workspace.tree / "test_shop.py"
    tests.write_text(f"{MARK}\ndef test_a():\n    assert 1 == 2\n\n\ndef test_b():\n    assert 1 == 2\n")
    recorded = failed("test_shop.py::test_a", "AssertionError", "1 != 2", IN_TEST)
    meant = failed("test_shop.py::test_b", "AssertionError", "1 != 2", IN_TEST)
    here.save("baseline", report_of(recorded))
    assert triage(here, {})["ask"].startswith("the tests that fail only record what the code once did")
    here.save("baseline", report_of(recorded, meant))
    assert triage(here, {})["ask"] == ""


def test_what_comes_from_outside_settles_the_run(desk: MakeDesk) -> None:
    here = desk()
    here.save("baseline", report_of(OUTSIDE))
    changes = triage(here, {})
    assert changes["status"] == Status.UNFIXED
    assert "outside" in changes["reason"]
    assert changes["others"] == [changes["incident"]["title"]]


ALL = [["a"], ["b"]]


@pytest.mark.parametrize(
    ("spent_s", "state", "changes"),
    [
        (0, {"tiers": ["syntax", "pairs"]}, {"tier": "syntax", "tiers": ["pairs"]}),
        (0, {"tiers": [], "group": -1, "groups": ALL}, {"tier": "", "group": 0, "targets": ["a"]}),
        (0, {"tiers": [], "group": -1, "groups": ALL[:1]}, {"status": "unfixed", "tier": ""}),
        (0, {"tiers": [], "group": 1, "groups": ALL}, {"status": "unfixed", "tier": ""}),
        (59.5, {"tiers": ["pairs"], "group": -1, "groups": ALL}, {"status": "unfixed", "tier": ""}),
    ],
)
def test_proposers_are_asked_in_turn_until_none_is_left_or_the_time_is_spent(
    spent_s: float, state: RunState, changes: RunState, desk: MakeDesk
) -> None:
    given = propose(desk(spent_s), state)
    assert {name: given[name] for name in changes} == changes  # type: ignore[literal-required]
    assert bool(given.get("reason")) == ("status" in changes)


def test_changes_between_which_nothing_decides_are_said_and_shown(desk: MakeDesk) -> None:
    rivals: list[dict[str, object]] = [{"place": "shop.py:3"}, {"place": "shop.py:4"}]
    given = propose(desk(0), {"tiers": [], "group": -1, "groups": ALL[:1], "rivals": rivals})
    assert given["status"] == "unfixed"
    assert given["reason"].startswith("2 changes pass the tests and do different things")
    assert given["alternatives"] == rivals


def test_the_routes_lead_where_the_state_says(monkeypatch: pytest.MonkeyPatch) -> None:
    from automation.pipeline import graph as module

    def path_of(*ends: RunState) -> list[str]:
        script = iter(ends)
        visited: list[str] = []

        def stage(name: str) -> Callable[[object, RunState], RunState]:
            def body(_: object, state: RunState) -> RunState:
                visited.append(name)
                return dict(next(script, {}))  # type: ignore[return-value]

            return body

        for name in list(module.STAGES):
            monkeypatch.setitem(module.STAGES, name, stage(name))
        start = {"status": "running", "tier": "", "targets": ["t"], "group": -1, "groups": [["t"]], "seconds": {}}
        module.build_graph().invoke(start, context=module.Context(Quiet()))  # type: ignore[arg-type]
        return visited

    class Quiet:
        def listen(self, listener: object) -> None:
            """Nobody is told."""

        def enter(self, name: str, state: RunState) -> None:
            """Nothing is kept."""

    ended: RunState = {"status": "unfixed"}
    before = ["observe", "triage", "reproduce", "localise"]
    for at in range(4):
        assert path_of(*[{}] * at, ended) == [*before[: at + 1], "record"]
    assert path_of({}, {}, {}, {}, ended) == [*before, "propose", "record"]
    mended: RunState = {"tier": "templates"}
    assert path_of({}, {}, {}, {}, mended, {"targets": []}) == [
        *before,
        "propose",
        "verify",
        "approve",
        "land",
        "record",
    ]
    assert path_of({}, {}, {}, {}, mended, {}, ended) == [*before, "propose", "verify", "propose", "record"]
    next_group: RunState = {"tier": "", "targets": ["u"]}
    assert path_of({}, {}, {}, {}, mended, next_group, {}, ended) == [
        *before,
        "propose",
        "verify",
        "localise",
        "propose",
        "record",
    ]
    assert path_of({}, {}, {}, {}, next_group, ended) == [*before, "propose", "localise", "record"]
    rejected: RunState = {"status": "rejected"}
    assert path_of({}, {}, {}, {}, mended, {"targets": []}, rejected)[-2:] == ["approve", "record"]


def test_the_picture_of_the_graph_names_every_stage_and_the_way_back() -> None:
    from automation.pipeline.graph import STAGES, build_graph

    picture = build_graph().get_graph().draw_mermaid()
    assert all(f"{name}(" in picture for name in STAGES)
    for way in ("observe -.-> record", "verify -.-> propose", "verify -.-> localise", "land --> record"):
        assert way in picture.replace("&nbsp;", "").replace(";", ""), picture


@pytest.mark.slow
def test_every_checkpoint_of_a_run_is_plain_json_and_is_read_without_a_warning(
    tmp_path: Path, home: Path, gridbot: Gridbot, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGGRAPH_STRICT_MSGPACK", "true")
    from langgraph.checkpoint.sqlite import SqliteSaver

    broken = {**FLAT, "dates.py": FLAT["dates.py"].replace("29 if", "30 if")}
    shop = plant(tmp_path / "shop", broken)
    code, answer, errors = gridbot(home, "fix", str(shop), "--model", "none")
    assert (code, answer["status"]) == (0, "fixed"), (answer["reason"], errors)
    assert errors == ""
    again = plant(tmp_path / "again", broken)
    code, waiting, errors = gridbot(home, "fix", str(again), "--model", "none", "--land", "apply")
    assert (code, errors) == (5, "")
    connection = sqlite3.connect(home / "runs" / "checkpoints.db", check_same_thread=False)
    try:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        for run, least in ((answer["run_id"], 10), (waiting["run_id"], 7)):
            thread = {"configurable": {"thread_id": run}}
            kept = list(SqliteSaver(connection).list(thread))  # type: ignore[arg-type]
            assert len(kept) >= least
            for checkpoint in kept:
                values = checkpoint.checkpoint["channel_values"]
                assert json.loads(json.dumps(values)) == values
                assert all(json.loads(json.dumps(value)) == value for _, name, value in _plain_writes(checkpoint))
    finally:
        connection.close()
    assert not caplog.records


def _plain_writes(checkpoint: object) -> list[tuple[str, str, object]]:
    writes = getattr(checkpoint, "pending_writes", None) or []
    return [write for write in writes if not write[1].startswith("__")]
