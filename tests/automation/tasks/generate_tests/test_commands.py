"""The command ``test``: from a request to tests that landed, by the one road."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from automation.codebase.landing import Land
from automation.errors import RepositoryUnusable, TargetUnknown
from automation.pipeline.result import FixResult
from automation.pipeline.state import Status
from automation.registry import gridbot_registry
from automation.requests import build_request
from automation.tasks.generate_tests.commands import generate_tests, patch_of, proposal_of
from automation.tasks.generate_tests.records import FileOutcome, Score, SubjectOutcome
from automation.tasks.generate_tests.requests import TestRequest
from automation.tasks.generate_tests.results import TestsResult
from tests.automation.tasks.generate_tests.scenes import PARCEL, planted
from trading.commands import result_of
from trading.errors import ExitCode

OUTCOME = FileOutcome(
    path="shop.py",
    test_path="tests/test_shop_generated.py",
    text="def test_a():\n    assert True\n",
    before=Score(10, 4, 4, 1, 20, 5),
    after=Score(10, 10, 4, 4, 20, 18),
    subjects=(
        SubjectOutcome("fee", 3, Score(10, 4, 4, 1, 20, 5), Score(10, 10, 4, 4, 20, 18), 3),
        SubjectOutcome("save", 9, Score(), Score(), 0, "it opens a file"),
    ),
    kept={"characterisation": 1, "property": 1, "documented": 0},
    rows=3,
    dropped={"gains nothing more": 40},
    survivors=("19 fee: 10 became 9 (constant)",),
)


def printed(result: TestsResult) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(result.as_text())
    return console.file.getvalue()


def test_the_result_tells_gains_reasons_and_what_is_left():
    text = printed(TestsResult("shop.py", (OUTCOME,)))
    assert "2 tests with 3 cases for shop.py (1 characterisation, 1 property" in text
    assert "40% -> 100%" in text
    assert "25% -> 90%" in text
    assert "40 gains nothing more" in text
    assert "shop.py::save: it opens a file" in text
    assert "shop.py:19 fee: 10 became 9 (constant)" in text


def test_the_json_holds_scores_before_and_after():
    data = json.loads(json.dumps(TestsResult("shop.py", (OUTCOME,)).as_json()))
    assert (data["before"]["mutation_score"], data["after"]["mutation_score"]) == (0.25, 0.9)
    assert data["files"][0]["subjects"][1]["skipped"] == "it opens a file"


def test_nothing_gained_is_nothing_to_do():
    assert TestsResult("shop.py", ()).exit_code is ExitCode.NOTHING_TO_DO
    assert "nothing gained" in printed(TestsResult("shop.py", ()))


def test_the_exit_code_is_that_of_the_run():
    run = FixResult("r1", 0, "/x", "/y", Status.AWAITING_APPROVAL, "a person decides")
    result = TestsResult("shop.py", (OUTCOME,), run=run)
    assert result.exit_code is ExitCode.AWAITING_APPROVAL
    assert "gridbot runs approve r1" in printed(result)


def test_the_proposal_adds_tests_and_says_that_observed_ones_justify_nothing(tmp_path: Path):
    result = TestsResult("shop.py", (OUTCOME,))
    patch = patch_of(tmp_path, result)
    proposal = proposal_of(result, patch)
    assert (proposal.kind, patch.paths) == ("tests", ("tests/test_shop_generated.py",))
    assert proposal.title == "Add 2 generated tests for shop.py"
    assert "justify no change" in str(proposal.evidence["characterisation"])


def test_a_file_of_tests_that_is_there_already_is_changed_and_not_replaced_blindly(tmp_path: Path):
    planted(tmp_path, {"tests/test_shop_generated.py": "def test_old():\n    pass\n"})
    change = patch_of(tmp_path, TestsResult("shop.py", (OUTCOME,))).changes[0]
    assert change.before == b"def test_old():\n    pass\n"


def test_the_registered_examples_are_requests():
    command = gridbot_registry()["test"]
    request = build_request(command.load_request(), {"target": "shop.py", "land": "apply"}, "test")
    assert isinstance(request, TestRequest)
    assert command.load_function() is generate_tests


def test_what_is_not_there_is_refused(tmp_path: Path):
    planted(tmp_path, {"shop.py": PARCEL})
    with pytest.raises(TargetUnknown):
        result_of(generate_tests(TestRequest(path=tmp_path, target="nowhere", model="none")))


def test_a_file_that_cannot_be_imported_is_refused_with_its_reason(tmp_path: Path):
    planted(tmp_path / "repo", {"shop.py": f"raise RuntimeError('no settings')\n{PARCEL}"})
    with pytest.raises(RepositoryUnusable, match="importing shop raises RuntimeError: no settings"):
        result_of(generate_tests(TestRequest(path=tmp_path / "repo", target="shop.py", model="none")))


@pytest.mark.slow
def test_generated_tests_land_and_a_second_run_has_nothing_to_do(tmp_path: Path):
    folder = planted(tmp_path / "repo", {"shop.py": PARCEL, "tests/conftest.py": ""})
    request = TestRequest(path=folder, model="none", approve=True, land=Land.APPLY, most_mutants=16)
    result = result_of(generate_tests(request))
    assert result.exit_code is ExitCode.DONE
    assert result.run is not None
    assert result.run.status is Status.LANDED
    written = folder / "tests" / "test_shop_generated.py"
    assert "def test_fee_" in written.read_text()
    assert result_of(generate_tests(request)).exit_code is ExitCode.NOTHING_TO_DO
