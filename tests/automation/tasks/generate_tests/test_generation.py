"""From a file to its tests: they hold, they notice faults, they are the fewest, and they add to what is there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from automation.incidents.suites import report_of
from automation.tasks.generate_tests.answers import tried
from automation.tasks.generate_tests.generation import Effort, FileTests
from automation.tasks.generate_tests.mutants import OPERATORS, mutants_of
from automation.tasks.generate_tests.records import FileOutcome
from automation.tasks.generate_tests.writing import MARK
from tests.automation.tasks.generate_tests.scenes import PARCEL, SHOP, laboratory, planted
from trading.commands import result_of

TESTS = "from shop import fee\n\n\ndef test_small():\n    assert fee(3) == 5\n"
LEARNED = ("comparison", "constant", "arithmetic")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted(tmp_path_factory.mktemp("shop"), {"shop.py": PARCEL, "tests/test_shop.py": TESTS})


@pytest.fixture(scope="module")
def outcome(tree: Path) -> FileOutcome:
    with laboratory(tree) as lab:
        lab.has_hypothesis = False
        return result_of(FileTests(lab, "shop.py", effort=Effort(600.0, most_mutants=16)).work())


def test_every_function_gains_and_nothing_is_lost(outcome: FileOutcome):
    assert [row.name for row in outcome.subjects] == ["fee"]
    assert 0 < outcome.before.killed < outcome.after.killed
    assert outcome.before.branches_run < outcome.after.branches_run
    assert outcome.after.branches_run == outcome.after.branches
    assert outcome.after.killed >= 0.8 * outcome.after.mutants
    assert outcome.unjudged == 0


def test_the_file_lies_beside_the_others_and_is_readable(outcome: FileOutcome):
    assert outcome.test_path == "tests/test_shop_generated.py"
    functions = [node for node in ast.parse(outcome.text).body if isinstance(node, ast.FunctionDef)]
    assert all(node.name.startswith("test_fee_") for node in functions)
    assert sum(outcome.kept.values()) == len(functions)
    assert outcome.rows >= len(functions)


def test_what_was_only_observed_is_marked(outcome: FileOutcome):
    assert outcome.text.count(MARK) == outcome.kept["characterisation"] > 0
    assert "as_documented" not in outcome.text  # the example of the docstring is what the test there says
    assert "test_fee_refuses_nothing_to_ship" in outcome.text


def test_reasons_are_given_for_what_is_not_kept(outcome: FileOutcome):
    assert outcome.dropped["gains nothing more"] > 10


def test_lesson_25_the_written_file_passes_and_fails_on_a_fault(tree: Path, outcome: FileOutcome):
    with laboratory(tree) as lab:
        files = {outcome.test_path: outcome.text.encode()}
        right = report_of(lab.suite([outcome.test_path], files).result())
        assert (len(right.failures), len(right.passed)) == (0, outcome.rows)
        fault = {"shop.py": PARCEL.replace("weight < 10", "weight < 11").encode()}
        wrong = report_of(lab.suite([outcome.test_path], {**files, **fault}).result())
    assert [test.node_id for test in wrong.failures]


@pytest.mark.slow
def test_lesson_34_tests_notice_faults_of_kinds_they_were_not_chosen_by(tmp_path: Path):
    tree = planted(tmp_path, {"shop.py": SHOP})
    with laboratory(tree) as lab:
        found = result_of(FileTests(lab, "shop.py", effort=Effort(600.0, operators=LEARNED)).work())
        others = mutants_of(SHOP, set(OPERATORS) - set(LEARNED))
        names = [node.name for node in ast.parse(found.text).body if isinstance(node, ast.FunctionDef)]
        trials = [lab.trial(found.text, names, files={"shop.py": each.text.encode()}) for each in others]
        noticed = sum(bool(tried(trial.result()).failed) for trial in trials)
    assert noticed >= 0.6 * len(others) > 0


@pytest.mark.slow
def test_a_second_run_gains_nothing(tree: Path, outcome: FileOutcome, tmp_path: Path):
    again = planted(tmp_path, {"shop.py": PARCEL, "tests/test_shop.py": TESTS, outcome.test_path: outcome.text})
    with laboratory(again) as lab:
        lab.has_hypothesis = False
        found = result_of(FileTests(lab, "shop.py", effort=Effort(600.0, most_mutants=16)).work())
    assert (found.test_path, found.text, found.rows) == ("", "", 0)
    assert (found.after.killed, found.after.mutants) == (outcome.after.killed, outcome.after.mutants)


@pytest.mark.slow
def test_methods_and_laws_are_written_too(tmp_path: Path):
    tree = planted(tmp_path, {"shop.py": SHOP})
    with laboratory(tree) as lab:
        found = result_of(FileTests(lab, "shop.py", effort=Effort(600.0)).work())
    assert {row.name: row.after.killed > 0 for row in found.subjects} == {"fee": True, "Basket.add": True}
    assert "test_basket_add_changes_items" in found.text
    assert found.kept["documented"] >= 1
