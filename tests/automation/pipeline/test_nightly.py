"""A night's maintenance: never on a dirty tree, one at a time, and what it leaves behind."""

from __future__ import annotations

import json
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from filelock import FileLock

from tests.automation.pipeline.targets import FLAT, Gridbot, branches, contents, files_beside_git, git_run, plant

NIGHT = ("--model", "none", "--max-minutes", "10")
BROKEN = {**FLAT, "dates.py": FLAT["dates.py"].replace("29 if", "30 if")}


class Tags(HTMLParser):
    """Collects what a page holds; unbalanced tags are noted."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "path", "br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("meta", "link", "path", "br", "img"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_night_leaves_a_branch_and_a_report_and_compares_the_speed(
    tmp_path: Path, home: Path, gridbot: Gridbot
) -> None:
    flat = plant(tmp_path / "flat", BROKEN)
    before = files_beside_git(flat)
    command = f"{sys.executable} -c 'import dates'"
    words = ("nightly", str(flat), *NIGHT, "--benchmark", command)
    code, answer, errors = gridbot(home, *words, cwd=flat)
    assert code == 0, (answer, errors)
    assert set(answer) == {"session_info", "debug_results", "optimization_results"}
    repair = answer["debug_results"]
    assert repair["status"] == "fixed"
    assert branches(flat) == [repair["branch"]]
    measured = answer["optimization_results"]["benchmark"]
    assert measured["command"] == command
    assert "problem" not in measured, measured
    assert measured["low"] <= measured["improvement"] <= measured["high"]
    assert {check["name"] for check in answer["session_info"]["health"]} >= {"git", "disk", "data home", "sandbox"}
    page = Path(answer["session_info"]["report"])
    assert json.loads(page.with_name("report.json").read_text()) == answer
    shown = Tags(page.read_text())
    assert shown.open == []
    assert repair["branch"] in shown.text
    after = files_beside_git(flat)
    assert {name: after[name] for name in before} == before
    assert {name.split("/")[0] for name in after if name not in before} == {"reports"}
    # Its own report must not make the tree dirty for the next night.
    assert git_run(flat, "status", "--porcelain") == ""


@pytest.mark.slow
def test_a_benchmark_that_fails_is_told_and_costs_nothing_else(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    flat = plant(tmp_path / "flat", BROKEN)
    words = ("nightly", str(flat), *NIGHT, "--out", str(tmp_path / "out"), "--benchmark", "false")
    code, answer, errors = gridbot(home, *words)
    assert (code, answer["debug_results"]["status"]) == (0, "fixed"), errors
    assert "failed" in answer["optimization_results"]["benchmark"]["problem"]


def test_a_night_with_nothing_to_repair_is_a_good_night(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    flat = plant(tmp_path / "flat", FLAT)
    before = contents(flat)
    code, answer, errors = gridbot(home, "nightly", str(flat), *NIGHT, "--out", str(tmp_path / "out"))
    assert (code, answer["debug_results"]["status"]) == (0, "nothing_to_fix"), errors
    assert answer["optimization_results"] == {"benchmark": None}
    assert contents(flat) == before


@pytest.mark.parametrize("how", ["changed", "untracked", "staged"])
def test_a_dirty_tree_is_left_alone(how: str, tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    flat = plant(tmp_path / "flat", BROKEN)
    (flat / ("new.py" if how != "changed" else "dates.py")).write_text("mine = 1\n")
    if how == "staged":
        git_run(flat, "add", "new.py")
    before = contents(flat)
    code, answer, _ = gridbot(home, "nightly", str(flat), *NIGHT, "--out", str(tmp_path / "out"))
    assert code == 3
    assert "uncommitted changes" in answer["error"]["message"]
    assert contents(flat) == before
    assert not (tmp_path / "out").exists()


def test_what_is_no_repository_is_refused(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    plain = plant(tmp_path / "plain", FLAT, git=False)
    for place in (plain, tmp_path / "nowhere"):
        code, answer, _ = gridbot(home, "nightly", str(place), *NIGHT, "--out", str(tmp_path / "out"))
        assert code == 3
        assert str(place) in answer["error"]["message"]


def test_a_second_night_at_the_same_time_is_refused(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    flat = plant(tmp_path / "flat", FLAT)
    home.mkdir()
    words = ("nightly", str(flat), *NIGHT, "--out", str(tmp_path / "out"))
    with FileLock(home / "nightly.lock"):
        code, answer, _ = gridbot(home, *words)
    assert code == 3
    assert "another nightly run" in answer["error"]["message"]
    assert gridbot(home, *words)[0] == 0
