"""`gridbot fix` as other programs call it: real repositories, real processes, real git."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.automation.pipeline.sittings import Halt
from tests.automation.pipeline.targets import (
    FLAT,
    SHOP,
    Gridbot,
    branches,
    command_line,
    contents,
    files_beside_git,
    git_run,
    one_object,
    plant,
)

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
BROKEN_FLAT = {**FLAT, "dates.py": FLAT["dates.py"].replace("29 if", "30 if")}


def test_a_planted_fault_becomes_a_commit_on_a_branch_and_nothing_else_changes(tmp_path: Path, home: Path) -> None:
    shop = plant(tmp_path / "shop", SHOP)
    before = contents(shop)
    done = command_line(home, "fix", str(shop), "--model", "none", "--json")
    answer = one_object(done.stdout, done.stderr)
    assert (done.returncode, answer["status"]) == (0, "fixed"), (answer, done.stderr)
    assert set(answer) >= KEYS
    after = contents(shop)
    assert {name: after[name] for name in before} == before
    added = {name for name in after if name not in before}
    assert all(
        name.startswith((".git/objects/", ".git/refs/heads/gridbot/", ".git/logs/refs/heads/gridbot/"))
        for name in added
    ), added
    branch = str(answer["branch"])
    assert branches(shop) == [branch]
    assert git_run(shop, "rev-parse", branch).strip() == answer["commit"]
    assert git_run(shop, "rev-parse", f"{branch}~1") == git_run(shop, "rev-parse", "HEAD")
    assert git_run(shop, "diff", "--name-only", f"HEAD..{branch}").split() == ["shop/basket.py"]
    patch = str(answer["patch"])
    assert "-    return sorted(prices)[:count + 1]" in patch
    subprocess.run(["git", "apply", "-"], cwd=shop, input=patch, text=True, check=True)
    assert git_run(shop, "diff", branch) == ""
    assert answer["tests_before"]["failed"] == 1
    assert answer["tests_after"] == {**answer["tests_before"], "failed": 0, "passed": 4}
    assert answer["diagnosis"][0]["path"] == "shop/basket.py"
    assert answer["candidates_tried"] == sum(answer["tried"].values()) > 0
    assert answer["candidates_per_second"] > 0
    assert list(answer["seconds"]) == [
        "observe",
        "triage",
        "reproduce",
        "localise",
        "propose",
        "verify",
        "approve",
        "land",
        "record",
    ]
    assert not (home / "work" / str(answer["run_id"])).exists()


def test_apply_changes_the_files_at_hand_when_it_was_approved(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    flat = plant(tmp_path / "flat", BROKEN_FLAT)
    git_dir = contents(flat / ".git")
    code, answer, errors = gridbot(home, "fix", str(flat), "--model", "none", "--land", "apply", "--approve")
    assert (code, answer["status"], answer["branch"]) == (0, "fixed", None), errors
    assert "29 if leap" in (flat / "dates.py").read_text()
    assert contents(flat / ".git") == git_dir
    assert set(files_beside_git(flat)) == set(FLAT)


@pytest.mark.slow
def test_a_plain_folder_gets_a_patch_file_and_stays_as_it_was(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    flat = plant(tmp_path / "flat", BROKEN_FLAT, git=False)
    before = contents(flat)
    code, answer, errors = gridbot(home, "fix", str(flat), "--model", "none")
    assert (code, answer["status"], answer["landed"]["how"]) == (0, "fixed", "patch"), errors
    assert contents(flat) == before
    git_run(flat, "apply", answer["landed"]["path"])
    assert "29 if leap" in (flat / "dates.py").read_text()


@pytest.mark.slow
def test_a_worktree_holds_the_fix_and_the_target_gets_nothing(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    flat = plant(tmp_path / "flat", BROKEN_FLAT)
    before = contents(flat)
    code, answer, errors = gridbot(home, "fix", str(flat), "--model", "none", "--land", "worktree")
    assert (code, answer["status"], answer["landed"]["how"]) == (0, "fixed", "worktree"), errors
    assert contents(flat) == before
    tree = Path(answer["landed"]["path"])
    assert "29 if leap" in (tree / "dates.py").read_text()
    assert git_run(tree, "rev-parse", "HEAD").strip() == answer["commit"]
    assert git_run(tree, "status", "--porcelain") == ""
    # The next run sweeps what crashed runs left, and must leave a result alone.
    gridbot(home, "fix", str(plant(tmp_path / "sound", FLAT)), "--model", "none")
    assert (tree / "dates.py").is_file()


@pytest.mark.slow
def test_uncommitted_work_is_kept_as_a_commit_below_the_fix(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    flat = plant(tmp_path / "flat", FLAT)
    (flat / "dates.py").write_text((flat / "dates.py").read_text().replace("29 if", "30 if"))
    (flat / "new.txt").write_text("mine")
    before = files_beside_git(flat)
    index = (flat / ".git" / "index").read_bytes()
    code, answer, errors = gridbot(home, "fix", str(flat), "--model", "none")
    assert (code, answer["status"]) == (0, "fixed"), errors
    assert files_beside_git(flat) == before
    assert (flat / ".git" / "index").read_bytes() == index
    branch = str(answer["branch"])
    assert git_run(flat, "rev-parse", f"{branch}~2") == git_run(flat, "rev-parse", "HEAD")
    assert git_run(flat, "diff", "--name-only", f"HEAD..{branch}~1").split() == ["dates.py", "new.txt"]
    assert git_run(flat, "diff", "--name-only", f"{branch}~1..{branch}").split() == ["dates.py"]


@pytest.mark.slow
def test_a_folder_inside_a_repository_is_repaired_on_its_own(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    inner = {f"services/dates/{name}": text for name, text in BROKEN_FLAT.items()}
    outer = {"tests/test_outside.py": "def test_outside():\n    assert False\n", "README": "all"}
    top = plant(tmp_path / "top", {**inner, **outer})
    code, answer, errors = gridbot(home, "fix", str(top / "services" / "dates"), "--model", "none")
    assert (code, answer["status"]) == (0, "fixed"), (answer, errors)
    assert answer["tests_before"]["failed"] == 1
    changed = git_run(top, "diff", "--name-only", f"HEAD..{answer['branch']}").split()
    assert changed == ["services/dates/dates.py"]
    assert git_run(top, "status", "--porcelain") == ""


LAYOUTS = {
    "src": {
        "src/ledger/__init__.py": "from ledger.sums import balance\n",
        "src/ledger/sums.py": """
            def balance(credits, debits):
                return sum(credits) + sum(debits)
            """,
        "tests/test_sums.py": """
            from ledger import balance

            def test_balance():
                assert balance([5, 3], [2]) == 6

            def test_no_debits():
                assert balance([5], []) == 5
            """,
    },
    "beside the code, unittest": {
        "queue_of_jobs/__init__.py": "",
        "queue_of_jobs/jobs.py": """
            class Jobs:
                def __init__(self):
                    self.waiting = []

                def add(self, job):
                    self.waiting.append(job)

                def next(self):
                    return self.waiting.pop()
            """,
        "queue_of_jobs/test_jobs.py": """
            import unittest

            from .jobs import Jobs

            class JobsTest(unittest.TestCase):
                def setUp(self):
                    self.jobs = Jobs()

                def test_first_in_first_out(self):
                    for job in "abc":
                        self.jobs.add(job)
                    self.assertEqual(self.jobs.next(), "a")

                def test_one(self):
                    self.jobs.add("a")
                    self.assertEqual(self.jobs.next(), "a")
            """,
    },
    "an endless loop": {
        "halves.py": """
            def halvings(number):
                steps = 0
                while number > 1:
                    number = number // 1
                    steps += 1
                return steps
            """,
        "test_halves.py": """
            from halves import halvings

            def test_eight():
                assert halvings(8) == 3

            def test_one():
                assert halvings(1) == 0
            """,
    },
}


@pytest.mark.parametrize(
    "layout", [pytest.param(name, marks=[pytest.mark.slow] if "endless" in name else []) for name in LAYOUTS]
)
def test_any_layout_and_kind_of_failure_is_repaired(layout: str, tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    target = plant(tmp_path / "target", LAYOUTS[layout])
    before = files_beside_git(target)
    code, answer, errors = gridbot(home, "fix", str(target), "--model", "none")
    assert (code, answer["status"]) == (0, "fixed"), (answer["reason"], errors)
    assert files_beside_git(target) == before
    assert branches(target) == [answer["branch"]]


@pytest.mark.slow
def test_the_tests_that_were_named_are_all_that_counts(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    other = "def test_of_another_matter():\n    assert False\n"
    flat = plant(tmp_path / "flat", {**BROKEN_FLAT, "test_other.py": other})
    named = "python -m pytest -q 'test_dates.py::test_leap' test_dates.py::test_may"
    code, answer, errors = gridbot(home, "fix", str(flat), "--model", "none", "--tests", named)
    assert (code, answer["status"]) == (0, "fixed"), (answer["reason"], errors)
    assert (answer["tests_before"]["failed"], answer["tests_before"]["passed"]) == (1, 1)
    assert answer["tests_after"]["passed"] == 2


def test_a_suite_that_passes_leaves_nothing_to_fix(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    flat = plant(tmp_path / "flat", FLAT)
    before = contents(flat)
    code, answer, _ = gridbot(home, "fix", str(flat), "--model", "none")
    assert (code, answer["status"]) == (6, "nothing_to_fix")
    assert contents(flat) == before


@pytest.mark.slow
def test_two_faults_are_taken_one_after_the_other(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    broken = SHOP["shop/basket.py"].replace("amount += price", "amount -= price")
    shop = plant(tmp_path / "shop", {**SHOP, "shop/basket.py": broken})
    code, answer, errors = gridbot(home, "fix", str(shop), "--model", "none")
    assert (code, answer["status"]) == (0, "fixed"), (answer["reason"], errors)
    # The sum can be mended where it is taken or where it is returned; the slice in its own line only.
    removed = [line for line in answer["patch"].splitlines() if line.startswith("-") and not line.startswith("---")]
    assert len(removed) == 2
    assert "-    return sorted(prices)[:count + 1]" in removed
    assert answer["tests_after"]["passed"] == 4


@pytest.mark.slow
def test_code_that_does_not_compile_is_mended(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    broken = SHOP["shop/basket.py"].replace("[:count + 1]", "[:count]").replace("in prices:", "in prices")
    shop = plant(tmp_path / "shop", {**SHOP, "shop/basket.py": broken})
    code, answer, errors = gridbot(home, "fix", str(shop), "--model", "none")
    assert (code, answer["status"]) == (0, "fixed"), (answer["reason"], errors)
    assert answer["incident"]["kind"] == "syntax"
    assert answer["tests_after"]["passed"] == 4


def test_a_flaky_test_is_named_and_nothing_is_changed(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    moody = """
        from pathlib import Path

        def test_moody():
            assert Path("mood").read_text() == "good"
        """
    flat = plant(tmp_path / "flat", {**FLAT, "test_moody.py": moody, "mood": "bad"})
    before = contents(flat)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    words = ("fix", str(flat), "--model", "none")
    gridbot.start(home, *words, halt=Halt("reproduce", by="wait", gate=str(gate)))
    gate.read_text()
    # Whatever changes a test's mind between two runs of the same code.
    (copied,) = home.glob("work/*/clone/mood")
    copied.write_text("good")
    gate.write_text("go")
    code, answer, errors = gridbot.ended()
    assert (code, answer["status"]) == (1, "unfixed"), errors
    assert answer["reason"] == "test_moody.py::test_moody is flaky: it fails and passes with the same code"
    assert answer["candidates_tried"] == 0
    assert contents(flat) == before


@pytest.mark.parametrize(
    "call",
    [
        "socket.create_connection(('127.0.0.1', 9), timeout=1)",
        "urllib.request.urlopen('http://exchange.invalid/ticker', timeout=1)",
    ],
)
def test_a_failure_from_outside_is_reported_and_never_fixed(
    call: str, tmp_path: Path, home: Path, gridbot: Gridbot
) -> None:
    files = {
        "feed.py": f"import socket\nimport urllib.request\n\n\ndef ticker():\n    return {call}\n",
        "test_feed.py": "from feed import ticker\n\n\ndef test_ticker():\n    assert ticker() is not None\n",
    }
    feed = plant(tmp_path / "feed", files)
    before = contents(feed)
    code, answer, errors = gridbot(home, "fix", str(feed), "--model", "none")
    assert (code, answer["status"], answer["incident"]["kind"]) == (1, "unfixed", "external"), (answer, errors)
    assert "outside" in answer["reason"]
    assert answer["candidates_tried"] == 0
    assert contents(feed) == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["{tmp}/nowhere"], 3, "is no folder"),
        (["{tmp}/empty"], 3, "Python file"),
        (["{tmp}/flat", "--log", "{tmp}/no.log"], 3, "is no file"),
        (["{tmp}/flat", "--tests", "pytest 'unclosed"], 3, "close its quotes"),
        (["{tmp}/flat", "--land", "merge"], 2, "land"),
        (["{tmp}/flat", "--max-minutes", "0"], 2, "max"),
        (["{tmp}/flat", "--python", "/bin/false"], 3, "/bin/false"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(
    words: list[str], code: int, said: str, tmp_path: Path, home: Path, gridbot: Gridbot
) -> None:
    flat = plant(tmp_path / "flat", FLAT)
    (tmp_path / "empty").mkdir()
    before = contents(flat)
    given = [word.format(tmp=tmp_path) for word in words]
    exit_code, answer, errors = gridbot(home, "fix", *given, "--model", "none")
    assert exit_code == code, (answer, errors)
    sentence = answer["reason"] if "status" in answer else answer["error"]["message"]
    assert said in sentence
    assert "unexpected" not in json.dumps(answer)
    assert contents(flat) == before
