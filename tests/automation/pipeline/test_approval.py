"""Who must be asked before a change lands, and what their word does."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from automation.codebase.landing import Land
from automation.codebase.patches import FileChange, Patch
from automation.config_sections import ApprovalConfig
from automation.pipeline.approval import needs_person, throw_away
from automation.pipeline.requests import FixRequest
from tests.automation.pipeline.sittings import Halt
from tests.automation.pipeline.targets import FLAT, Gridbot, branches, contents, git_run, plant

CORE = {
    "trading/__init__.py": "",
    "trading/engine/__init__.py": "",
    "trading/engine/dates.py": FLAT["dates.py"].replace("29 if", "30 if"),
    "tests/test_dates.py": FLAT["test_dates.py"].replace("from dates", "from trading.engine.dates"),
    # Whoever is repaired has no say in what may be done to it.
    "automation_config.json": '{"approval": {"always_ask": [], "max_changed_lines": 10000}}',
}
FIX = ("--model", "none")


@pytest.fixture(scope="module")
def waiting(gridbot: Gridbot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a repository, and a data home in which a run of it waits for approval."""
    folder = tmp_path_factory.mktemp("waiting")
    core = plant(folder / "core", CORE)
    before = contents(core)
    code, answer, errors = gridbot(folder / "home", "fix", str(core), *FIX, "--approve")
    assert (code, answer["status"]) == (5, "awaiting_approval"), (answer, errors)
    assert answer["reason"] == "trading/engine/dates.py always asks for a person's approval"
    assert "29 if leap" in answer["patch"]
    assert answer["branch"] is None
    assert contents(core) == before
    assert remembered(folder / "home") == []
    return folder


def remembered(home: Path) -> list[str]:
    """Return the paths of the repairs that will be tried first when the same fault comes back."""
    memory = home / "repair_memory.db"
    if not memory.is_file():
        return []
    with closing(sqlite3.connect(memory)) as connection:
        return [path for (path,) in connection.execute("SELECT path FROM repairs")]


def test_a_run_waits_until_somebody_rejects_it(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    flat = plant(tmp_path / "flat", {**FLAT, "dates.py": CORE["trading/engine/dates.py"]})
    before = contents(flat)
    code, answer, errors = gridbot(home, "fix", str(flat), *FIX, "--land", "apply")
    assert (code, answer["status"]) == (5, "awaiting_approval"), errors
    run = str(answer["run_id"])
    # A new run sweeps what nobody needs any more; the copy of a run that waits is needed.
    assert gridbot(home, "fix", str(plant(tmp_path / "sound", FLAT)), *FIX)[0] == 6
    assert gridbot(home, "runs", "resume", run)[0] == 3
    code, shown, _ = gridbot(home, "runs", "show", run)
    assert (code, shown["status"]) == (5, "awaiting_approval")
    # Killed after the word was given: it stands.
    assert gridbot.halted(home, "runs", "reject", run, halt=Halt("record"))[0] == -9
    assert gridbot(home, "runs", "approve", run)[0] == 3
    code, rejected, errors = gridbot(home, "runs", "resume", run)
    assert (code, rejected["status"]) == (1, "rejected"), errors
    assert contents(flat) == before
    for verb in ("approve", "reject", "abandon", "resume"):
        assert gridbot(home, "runs", verb, run)[0] == 3, verb
    assert not (home / "work" / run).exists()
    assert remembered(home) == []


def test_a_guarded_path_waits_even_when_it_was_approved_beforehand_and_lands_when_a_person_says_so(
    waiting: Path, gridbot: Gridbot
) -> None:
    core, home = waiting / "core", waiting / "home"
    (run,) = [path.name for path in (home / "runs").iterdir() if path.is_dir()]
    code, landed, errors = gridbot(home, "runs", "approve", run)
    assert (code, landed["status"], landed["approval"]) == (0, "fixed", "by a person"), errors
    assert branches(core) == [landed["branch"]]
    shown = git_run(core, "show", f"{landed['branch']}:trading/engine/dates.py")
    assert "29 if leap" in shown
    assert remembered(home) == ["trading/engine/dates.py"]
    code, again, _ = gridbot(home, "runs", "approve", run)
    assert code == 3
    assert "is fixed" in again["error"]["message"]
    assert branches(core) == [landed["branch"]]


@pytest.mark.slow
def test_a_guarded_path_lands_in_a_throw_away_copy_that_was_approved(
    waiting: Path, home: Path, gridbot: Gridbot
) -> None:
    copy = gridbot.temporary / "core"
    shutil.rmtree(copy, ignore_errors=True)
    plant(copy, CORE)
    code, answer, errors = gridbot(home, "fix", str(copy), *FIX, "--approve")
    assert (code, answer["status"], answer["approval"]) == (0, "fixed", "by policy"), (answer["reason"], errors)
    assert branches(copy) == [answer["branch"]]


@pytest.mark.slow
def test_a_run_that_waits_can_be_abandoned(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    core = plant(tmp_path / "core", CORE)
    before = contents(core)
    _, answer, _ = gridbot(home, "fix", str(core), *FIX)
    run = str(answer["run_id"])
    code, given_up, errors = gridbot(home, "runs", "abandon", run)
    assert (code, given_up["status"]) == (1, "abandoned"), errors
    assert given_up["patch"] == answer["patch"]
    assert not (home / "work" / run).exists()
    assert gridbot(home, "runs", "approve", run)[0] == 3
    assert contents(core) == before


@pytest.mark.slow
def test_a_change_that_no_longer_fits_is_refused(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    flat = plant(tmp_path / "flat", {**FLAT, "dates.py": CORE["trading/engine/dates.py"]})
    _, answer, _ = gridbot(home, "fix", str(flat), *FIX, "--land", "apply")
    (flat / "dates.py").write_text("def days_in(month, leap=False):\n    return 31\n")
    before = contents(flat)
    code, refused, errors = gridbot(home, "runs", "approve", str(answer["run_id"]))
    assert (code, refused["status"]) == (3, "refused"), (refused, errors)
    assert "dates.py" in refused["reason"]
    assert contents(flat) == before


def patch_of(path: str, lines: int = 1) -> Patch:
    return Patch((FileChange(path, b"a\n" * lines, b"b\n" * lines),))


@pytest.mark.parametrize(
    ("path", "lines", "land", "approve", "place", "asks"),
    [
        ("shop/basket.py", 1, Land.BRANCH, False, "work/shop", False),
        ("shop/basket.py", 1, Land.PATCH, False, "work/shop", False),
        ("shop/basket.py", 1, Land.APPLY, False, "work/shop", True),
        ("shop/basket.py", 1, Land.APPLY, True, "work/shop", False),
        ("shop/basket.py", 31, Land.BRANCH, False, "work/shop", True),
        ("shop/basket.py", 30, Land.BRANCH, False, "work/shop", False),
        ("shop/basket.py", 31, Land.BRANCH, True, "work/shop", False),
        ("trading/engine/core.py", 1, Land.BRANCH, True, "work/shop", True),
        ("trading/engine.py", 1, Land.BRANCH, False, "work/shop", False),
        ("trading/engines/core.py", 1, Land.BRANCH, False, "work/shop", False),
        ("trading/orders/journal.py", 1, Land.WORKTREE, True, "work/shop", True),
        ("trading/engine/core.py", 1, Land.BRANCH, True, "home/copy", False),
        ("trading/engine/core.py", 1, Land.BRANCH, False, "home/copy", True),
        ("trading/engine/core.py", 1, Land.BRANCH, True, "home", True),
    ],
)
def test_the_policy_asks_for_a_person(
    path: str,
    lines: int,
    land: Land,
    approve: bool,
    place: str,
    asks: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    request = FixRequest(path=tmp_path / place, land=land, approve=approve)
    why = needs_person(patch_of(path, lines), request, ApprovalConfig(), tmp_path / "home")
    assert (why is not None) == asks, why


def test_a_folder_is_no_throw_away_copy_for_a_link_in_a_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    real = tmp_path / "mine"
    for folder in (temporary, real):
        folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    (temporary / "link").symlink_to(real)
    assert not throw_away(temporary / "link", tmp_path / "home")
    assert throw_away(temporary / "copy", tmp_path / "home")


@pytest.mark.slow
def test_gridbot_s_own_policy_may_guard_any_path(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    flat = plant(tmp_path / "flat", {**FLAT, "dates.py": CORE["trading/engine/dates.py"]})
    config = tmp_path / "own.json"
    config.write_text(json.dumps({"approval": {"always_ask": ["dates.py"]}, "repair": {"plausible_extra_s": 0.2}}))
    named = {"GRIDBOT_AUTOMATION_CONFIG": str(config)}
    code, answer, errors = gridbot(home, "fix", str(flat), *FIX, variables=named)
    assert (code, answer["reason"]) == (5, "dates.py always asks for a person's approval"), errors
