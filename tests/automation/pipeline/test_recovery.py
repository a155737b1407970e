"""Runs that are killed, interrupted or started twice: nothing is lost, doubled or left behind."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from automation.improvement.ledger import FILE_NAME
from tests.automation.pipeline.sittings import Halt
from tests.automation.pipeline.targets import (
    CONTRADICTION,
    FLAT,
    SHOP,
    Gridbot,
    branches,
    contents,
    files_beside_git,
    git_run,
    plant,
)

STAGES = ("observe", "triage", "reproduce", "localise", "propose", "verify", "approve", "land", "record")
BROKEN = {**FLAT, "dates.py": FLAT["dates.py"].replace("29 if", "30 if")}
MENDED = dedent(FLAT["dates.py"]).lstrip("\n")
FIX = ("--model", "none", "--max-minutes", "2")


@pytest.fixture(scope="module")
def straight(gridbot: Gridbot, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Return what a run comes to that nobody disturbs."""
    folder = tmp_path_factory.mktemp("straight")
    code, answer, errors = gridbot(folder / "home", "fix", str(plant(folder / "flat", BROKEN)), *FIX)
    assert code == 0, errors
    return answer


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    return plant(tmp_path / "flat", BROKEN)


def run_of(home: Path) -> str:
    """Return the id of the only run of a data home."""
    (run,) = [path.name for path in (home / "runs").iterdir() if path.is_dir()]
    return run


def ledger_rows(home: Path) -> list[tuple[str, str]]:
    if not (home / FILE_NAME).is_file():
        return []
    with sqlite3.connect(home / FILE_NAME) as connection:
        return connection.execute("SELECT run_id, status FROM runs").fetchall()


def assert_untouched_or_branch_complete(flat: Path, before: dict[str, bytes]) -> None:
    after = contents(flat)
    assert {name: after[name] for name in before} == before
    for branch in branches(flat):
        git_run(flat, "fsck", "--strict")
        assert git_run(flat, "diff", "--name-only", "HEAD", branch).split() == ["dates.py"]
        assert git_run(flat, "show", f"{branch}:dates.py") == MENDED
    if not branches(flat):
        assert after == before


@pytest.mark.slow
def test_a_run_that_is_killed_before_and_after_every_stage_ends_as_if_it_never_was(
    flat: Path, home: Path, gridbot: Gridbot, straight: dict[str, object]
) -> None:
    before = contents(flat)
    words: tuple[str, ...] = ("fix", str(flat), *FIX)
    for stage in STAGES:
        for when in ("before", "after"):
            code, errors = gridbot.halted(home, *words, halt=Halt(stage, when))
            assert code == -9, (stage, when, errors)
            assert (home / "runs" / run_of(home) / "stage").read_text() == stage
            assert_untouched_or_branch_complete(flat, before)
            assert bool(branches(flat)) == ((stage, when) == ("land", "after") or stage == "record"), (stage, when)
            words = ("runs", "resume", run_of(home))
    code, shown, _ = gridbot(home, "runs", "show", run_of(home))
    assert (code, shown["status"], shown["reason"]) == (1, "running", "stopped or at work in record")
    code, answer, errors = gridbot(home, *words)
    assert (code, answer["status"]) == (0, "fixed"), errors
    assert answer["patch"] == straight["patch"]
    assert branches(flat) == [answer["branch"]]
    assert_untouched_or_branch_complete(flat, before)
    assert ledger_rows(home) == [(answer["run_id"], "fixed")]
    assert list((home / "work").glob("*/")) == []
    code, again, _ = gridbot(home, *words)
    assert (code, again["error"]["exit_code"]) == (3, 3)


@pytest.mark.slow
def test_a_run_that_is_killed_in_the_middle_of_a_search_goes_on(
    flat: Path, home: Path, gridbot: Gridbot, straight: dict[str, object]
) -> None:
    before = contents(flat)
    code, errors = gridbot.halted(home, "fix", str(flat), *FIX, halt=Halt("screened", "after", at=2))
    assert code == -9, errors
    assert contents(flat) == before
    code, answer, errors = gridbot(home, "runs", "resume", run_of(home)[:12])
    assert (code, answer["status"], answer["patch"]) == (0, "fixed", straight["patch"]), errors
    assert ledger_rows(home) == [(answer["run_id"], "fixed")]


@pytest.mark.slow
def test_a_killed_run_that_is_abandoned_leaves_no_private_copy(flat: Path, home: Path, gridbot: Gridbot) -> None:
    before = contents(flat)
    assert gridbot.halted(home, "fix", str(flat), *FIX, halt=Halt("localise"))[0] == -9
    run = run_of(home)
    assert (home / "work" / run / "clone").is_dir()
    # A later run sweeps what is of no use to anybody, and this copy still is.
    assert gridbot(home, "fix", str(plant(flat.with_name("sound"), FLAT)), *FIX)[0] == 6
    assert (home / "work" / run / "clone").is_dir()
    code, answer, errors = gridbot(home, "runs", "abandon", run)
    assert (code, answer["status"]) == (1, "abandoned"), errors
    assert not (home / "work" / run).exists()
    assert contents(flat) == before
    assert gridbot(home, "runs", "resume", run)[0] == 3


def test_ctrl_c_says_how_to_go_on_and_that_works(flat: Path, home: Path, gridbot: Gridbot) -> None:
    before = contents(flat)
    code, errors = gridbot.halted(home, "fix", str(flat), *FIX, halt=Halt("screened", "after", "SIGINT", at=2))
    run = run_of(home)
    assert code == 130, errors
    assert f"gridbot runs resume {run}" in errors
    assert "Traceback" not in errors
    assert contents(flat) == before
    code, answer, errors = gridbot(home, "runs", "resume", run)
    assert (code, answer["status"]) == (0, "fixed"), errors


@pytest.fixture
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gridbot]:
    runner = Gridbot(tmp_path_factory.mktemp("second"))
    yield runner
    runner.close()


@pytest.mark.slow
def test_a_run_that_is_at_work_can_be_neither_resumed_nor_abandoned_beside_it(
    flat: Path, home: Path, gridbot: Gridbot, second: Gridbot, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    gridbot.start(home, "fix", str(flat), *FIX, halt=Halt("localise", by="wait", gate=str(gate)))
    assert gate.read_text() == "here"
    run = run_of(home)
    try:
        for verb in ("resume", "abandon"):
            code, answer, _ = second(home, "runs", verb, run)
            assert code == 3, (verb, answer)
            assert "another process" in answer["error"]["message"]
        assert (home / "work" / run / "clone").is_dir()
    finally:
        gate.write_text("go")
        code, answer, errors = gridbot.ended()
    assert (code, answer["status"]) == (0, "fixed"), errors
    assert branches(flat) == [answer["branch"]]
    assert ledger_rows(home) == [(run, "fixed")]


def test_lesson_25_a_failure_reaches_the_proposers_and_the_repair_comes_back(
    straight: dict[str, object],
) -> None:
    assert straight["incident"]["tests"] == ["test_dates.py::test_leap"]
    assert straight["diagnosis"][0]["path"] == "dates.py"
    assert straight["chosen"][0]["place"].startswith("dates.py:")
    assert straight["tests_after"]["failed"] == 0
    assert "+        return 29 if leap else 28" in straight["patch"]


def test_lesson_29_what_is_done_before_an_interrupt_is_done_once(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    flat = plant(tmp_path / "flat", BROKEN)
    before = contents(flat)
    code, waiting, errors = gridbot(home, "fix", str(flat), *FIX, "--land", "apply")
    assert (code, waiting["status"]) == (5, "awaiting_approval"), errors
    kept = contents(home / "runs" / waiting["run_id"])
    assert ledger_rows(home) == []
    # The node of the interrupt runs from its first line each time, and nothing is done twice by that.
    assert gridbot.halted(home, "runs", "approve", waiting["run_id"], halt=Halt("approve"))[0] == -9
    assert contents(flat) == before
    assert ledger_rows(home) == []
    after = contents(home / "runs" / waiting["run_id"])
    assert {name for name in kept if kept[name] != after.get(name)} <= {"stage", "result.json"}
    # Whether the word was kept before the kill or is asked for again: no other one has taken its place.
    assert gridbot(home, "runs", "reject", waiting["run_id"])[0] == 3
    assert gridbot.halted(home, "runs", "resume", waiting["run_id"], halt=Halt("land"))[0] in (-9, 5)
    if gridbot(home, "runs", "show", waiting["run_id"])[0] == 5:
        assert gridbot.halted(home, "runs", "approve", waiting["run_id"], halt=Halt("land"))[0] == -9
    assert contents(flat) == before
    assert ledger_rows(home) == []
    # A word that was kept needs no second one, and no other can take its place.
    assert gridbot(home, "runs", "reject", waiting["run_id"])[0] == 3
    code, landed, errors = gridbot(home, "runs", "resume", waiting["run_id"])
    assert (code, landed["status"], landed["approval"]) == (0, "fixed", "by a person"), errors
    assert "29 if leap" in (flat / "dates.py").read_text()
    assert ledger_rows(home) == [(waiting["run_id"], "fixed")]


def test_lesson_30_what_a_test_leaves_running_cannot_change_the_verdict(
    tmp_path: Path, home: Path, gridbot: Gridbot
) -> None:
    lingering = """
        import subprocess
        import sys

        from dates import days_in

        _LATER = "import time, pathlib\\nwhile True:\\n    pathlib.Path('dates.py').write_text('days_in = len')\\n"

        def test_leap_while_something_writes():
            subprocess.Popen([sys.executable, "-c", _LATER], start_new_session=True)
            assert days_in(2, leap=True) == 29
        """
    flat = plant(tmp_path / "flat", {**BROKEN, "test_lingering.py": lingering})
    before = files_beside_git(flat)
    code, answer, errors = gridbot(home, "fix", str(flat), *FIX)
    assert (code, answer["status"]) == (0, "fixed"), (answer["reason"], errors)
    assert files_beside_git(flat) == before
    assert git_run(flat, "show", f"{answer['branch']}:dates.py") == MENDED


def test_lesson_31_tests_that_rewrite_tests_do_not_flip_a_verdict(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    meddling = """
        from pathlib import Path

        def test_that_meddles():
            here = Path(__file__).parent
            for path in here.glob("test_*.py"):
                path.write_text("def test_nothing(): pass")
            (here / "conftest.py").write_text("collect_ignore_glob = ['*']")
        """
    flat = plant(tmp_path / "flat", {**CONTRADICTION, "test_meddling.py": meddling})
    before = contents(flat)
    code, answer, errors = gridbot(home, "fix", str(flat), "--model", "none", "--max-minutes", "0.1")
    assert (code, answer["status"]) == (1, "unfixed"), errors
    assert answer["tests_before"]["passed"] == 2
    assert contents(flat) == before


def test_lesson_32_a_search_that_gets_nowhere_gives_up_cleanly(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    files = {
        "words.py": "def word():\n    return 1\n",
        "test_words.py": "from words import word\n\n\ndef test_word():\n    assert word() == word() + 1\n",
    }
    target = plant(tmp_path / "words", files)
    code, answer, errors = gridbot(home, "fix", str(target), *FIX)
    assert (code, answer["status"]) == (1, "unfixed"), errors
    assert answer["reason"] == "no candidate passed all tests"
    assert sum(answer["seconds"].values()) < 60
    assert ledger_rows(home) == [(answer["run_id"], "unfixed")]
    assert not (home / "work" / answer["run_id"]).exists()


@pytest.mark.slow
def test_lesson_34_other_changes_that_passed_are_shown(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    shop = plant(tmp_path / "shop", SHOP)
    code, answer, errors = gridbot(home, "fix", str(shop), *FIX)
    assert code == 0, errors
    assert answer["alternatives"], "several edits mend an off-by-one"
    assert all({"proposer", "description", "place"} <= set(each) for each in answer["alternatives"])
    page = (Path(answer["folder"]) / "report.html").read_text()
    assert answer["alternatives"][0]["place"] in page
    kept = json.loads((Path(answer["folder"]) / "result.json").read_text())
    assert kept == answer
