"""`gridbot fix` as other programs call it: real repositories, real processes, real git."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.automation.pipeline.targets import CONTRADICTION, FLAT, SHOP, contents, git_run, gridbot, plant

KEYS = {
    "status",
    "incident",
    "diagnosis",
    "patch",
    "branch",
    "commit",
    "proposer",
    "candidates_tried",
    "candidates_per_second",
    "model_calls",
    "model_tokens",
    "seconds",
    "tests_before",
    "tests_after",
    "guard_findings",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_a_planted_fault_becomes_a_commit_on_a_branch_and_nothing_else_changes(tmp_path: Path, home: Path) -> None:
    shop = plant(tmp_path / "shop", SHOP)
    before = {name: content for name, content in contents(shop).items() if not name.startswith(".git/")}
    index = (shop / ".git" / "index").read_bytes()
    code, answer, errors = gridbot(home, "fix", str(shop), "--model", "none")
    assert (code, answer["status"]) == (0, "fixed"), errors
    assert set(answer) >= KEYS
    assert {name: content for name, content in contents(shop).items() if not name.startswith(".git/")} == before
    assert (shop / ".git" / "index").read_bytes() == index
    assert answer["branch"] in git_run(shop, "branch", "--list", answer["branch"])
    assert git_run(shop, "rev-parse", answer["branch"]).strip() == answer["commit"]
    assert git_run(shop, "rev-parse", f"{answer['branch']}~1") == git_run(shop, "rev-parse", "HEAD")
    assert answer["patch"] == git_run(shop, "diff", "--no-ext-diff", f"HEAD..{answer['branch']}").partition("--- ")[1] + (
        git_run(shop, "diff", f"HEAD..{answer['branch']}").partition("--- ")[2]
    )
    assert "-    return sorted(prices)[:count + 1]" in answer["patch"]
    assert answer["tests_before"]["failed"] == 1
    assert answer["tests_after"] == {**answer["tests_before"], "failed": 0, "passed": 4}
    assert answer["diagnosis"][0]["path"] == "shop/basket.py"
    assert answer["candidates_tried"] > 0


def test_apply_changes_the_files_at_hand_only_with_approval(tmp_path: Path, home: Path) -> None:
    flat = plant(tmp_path / "flat", {**FLAT, "dates.py": FLAT["dates.py"].replace("== 2", "== 3")})
    before = contents(flat)
    code, answer, _ = gridbot(home, "fix", str(flat), "--model", "none", "--land", "apply")
    assert (code, answer["status"]) == (5, "awaiting_approval")
    assert contents(flat) == before
    code, landed, errors = gridbot(home, "runs", "approve", answer["run_id"])
    assert (code, landed["status"]) == (0, "fixed"), errors
    assert "month == 2" in (flat / "dates.py").read_text()
    assert landed["approval"] == "by a person"


def test_a_rejected_change_lands_nowhere(tmp_path: Path, home: Path) -> None:
    flat = plant(tmp_path / "flat", {**FLAT, "dates.py": FLAT["dates.py"].replace("== 2", "== 3")})
    before = contents(flat)
    _, answer, _ = gridbot(home, "fix", str(flat), "--model", "none", "--land", "apply")
    code, rejected, _ = gridbot(home, "runs", "reject", answer["run_id"])
    assert (code, rejected["status"]) == (1, "rejected")
    assert contents(flat) == before
    assert gridbot(home, "runs", "approve", answer["run_id"])[0] == 3


def test_a_plain_folder_gets_a_patch_file_and_stays_as_it_was(tmp_path: Path, home: Path) -> None:
    flat = plant(tmp_path / "flat", {**FLAT, "dates.py": FLAT["dates.py"].replace("29 if", "30 if")}, git=False)
    before = contents(flat)
    code, answer, errors = gridbot(home, "fix", str(flat), "--model", "none")
    assert (code, answer["status"], answer["landed"]["how"]) == (0, "fixed", "patch"), errors
    assert contents(flat) == before
    git_run(flat, "apply", answer["landed"]["path"])
    assert "29 if leap" in (flat / "dates.py").read_text()


def test_a_suite_that_passes_leaves_nothing_to_fix(tmp_path: Path, home: Path) -> None:
    flat = plant(tmp_path / "flat", FLAT)
    code, answer, _ = gridbot(home, "fix", str(flat), "--model", "none")
    assert (code, answer["status"]) == (6, "nothing_to_fix")


def test_a_contradiction_between_tests_ends_unfixed(tmp_path: Path, home: Path) -> None:
    scale = plant(tmp_path / "scale", CONTRADICTION)
    code, answer, errors = gridbot(home, "fix", str(scale), "--model", "none", "--max-minutes", "0.5")
    assert (code, answer["status"]) == (1, "unfixed"), errors
    assert answer["branch"] is None
    assert git_run(scale, "branch", "--list").split() == ["*", "main"]


def test_two_faults_are_taken_one_after_the_other(tmp_path: Path, home: Path) -> None:
    broken = SHOP["shop/basket.py"].replace("amount += price", "amount -= price")
    shop = plant(tmp_path / "shop", {**SHOP, "shop/basket.py": broken})
    code, answer, errors = gridbot(home, "fix", str(shop), "--model", "none")
    assert (code, answer["status"]) == (0, "fixed"), (answer["reason"], errors)
    assert len(answer["chosen"]) == 2
    assert "+            amount += price" in answer["patch"].replace("\t", " ") or "+=" in answer["patch"]
    assert answer["tests_after"]["passed"] == 4


def test_code_that_does_not_compile_is_mended(tmp_path: Path, home: Path) -> None:
    broken = SHOP["shop/basket.py"].replace("[:count + 1]", "[:count]").replace("in prices:", "in prices")
    shop = plant(tmp_path / "shop", {**SHOP, "shop/basket.py": broken})
    code, answer, errors = gridbot(home, "fix", str(shop), "--model", "none")
    assert (code, answer["status"]) == (0, "fixed"), (answer["reason"], errors)
    assert answer["incident"]["kind"] == "syntax"
    assert answer["tests_after"]["passed"] == 4


def test_bad_input_is_refused_in_one_sentence(tmp_path: Path, home: Path) -> None:
    code, answer, errors = gridbot(home, "fix", str(tmp_path / "nowhere"))
    assert code == 3
    assert "is no folder" in errors
    assert answer["error"]["exit_code"] == 3
    empty = tmp_path / "empty"
    empty.mkdir()
    assert gridbot(home, "fix", str(empty))[0] == 3
