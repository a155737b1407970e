"""What one run of a real pytest suite tells: exceptions, operands, output, kinds of tests, layouts and options."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from automation.incidents.records import Outcome, TestReport
from tests.automation.incidents.trees import result, run_tree, write_tree

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the sandbox needs POSIX")

CALC = """\
    LIMIT = 3


    def add(a, b):
        if a > LIMIT:
            return a - b
        return a + b


    def deep(x):
        try:
            return add(x, None)
        except TypeError as error:
            raise ValueError("bad input") from error


    def hidden(x):
        try:
            {}["k"]
        except KeyError:
            add(x, None)
"""

TESTS = """\
    import unittest

    import pytest

    from calc import add, deep, hidden


    class Odd:
        def __repr__(self):
            raise RuntimeError("no repr")


    class dict:
        pass


    def test_passes():
        assert add(1, 2) == 3


    def test_operands():
        print("seen on stdout")
        assert add(5, 2) == 7


    def test_later_comparison_is_the_one_told():
        with pytest.raises(AssertionError):
            assert 1 == 2
        assert add(1, 1) == 2 and add(9, 1) == 10


    def test_cause():
        deep(9)


    def test_context():
        hidden(9)


    def test_locals():
        api_key = "Zq8wLm2xVb7n"
        odd, unlike = Odd(), dict()
        long = "x" * 5000
        settings = {"password": "hunter2hunter2", "depth": 3}
        many = list(range(10_000))
        assert add(7, len(many)) == 0, api_key[:0]


    class TestCase(unittest.TestCase):
        def test_equal(self):
            self.assertEqual(add(9, 1), 10)

        def test_fine(self):
            self.assertTrue(add(1, 1))


    @pytest.mark.parametrize("text", ["a/b", "x::y [z]", "é\\n"])
    def test_text(text):
        assert text.startswith("a")


    @pytest.fixture
    def broken():
        raise KeyError("fixture")


    def test_setup(broken):
        pass


    @pytest.fixture
    def closing():
        yield 1
        raise OSError("closing")


    def test_teardown(closing):
        assert closing


    def test_skipped():
        pytest.skip("not here")


    @pytest.mark.xfail(strict=True)
    def test_strict_xfail_that_passes():
        assert add(1, 1) == 2


    def test_nothing_raised():
        with pytest.raises(ValueError):
            add(1, 1)


    def test_exits():
        raise SystemExit(3)


    def test_group():
        raise ExceptionGroup("two", [ValueError("first"), KeyError("second")])
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> TestReport:
    root = write_tree(tmp_path_factory.mktemp("probe"), {"calc.py": CALC, "tests/test_calc.py": TESTS})
    return run_tree(root)


def _of(report: TestReport, name: str) -> object:
    return result(report, f"tests/test_calc.py::{name}")


def test_lesson_25_every_collected_test_comes_back_with_a_result(report: TestReport) -> None:
    assert report.complete
    assert report.problem == ""
    assert [test.node_id for test in report.tests] == list(report.collected)
    assert report.counts() == {"passed": 3, "failed": 12, "error": 2, "skipped": 1, "timeout": 0, "crashed": 0}
    assert report.seconds > 0
    assert {"pytest", "unittest"} <= set(report.third_party)
    assert "calc" not in report.third_party


def test_failed_comparison_is_told_with_both_sides(report: TestReport) -> None:
    test = _of(report, "test_operands")
    assert test.operands == (("3", "7"),)
    assert "where 3 = add(5, 2)" in test.assertion
    assert test.captured == "seen on stdout\n"
    assert (test.chain[0].type, test.phase) == ("AssertionError", "call")


def test_comparison_that_was_expected_to_fail_is_not_taken_for_the_failing_one(report: TestReport) -> None:
    assert _of(report, "test_later_comparison_is_the_one_told").operands == (("8", "10"),)


def test_explicit_cause_follows_the_exception_with_its_own_frames(report: TestReport) -> None:
    raised, cause = _of(report, "test_cause").chain
    assert (raised.type, raised.message, cause.type) == ("ValueError", "bad input", "TypeError")
    assert [(frame.path, frame.function, frame.test) for frame in raised.frames] == [
        ("tests/test_calc.py", "test_cause", True),
        ("calc.py", "deep", False),
    ]
    assert cause.frames[-1].function == "add"
    assert cause.frames[-1].line == 6
    assert cause.frames[-1].values == {"a": "9", "b": "None"}


def test_implicit_context_follows_too(report: TestReport) -> None:
    assert [raised.type for raised in _of(report, "test_context").chain] == ["TypeError", "KeyError"]


def test_locals_are_bounded_masked_and_survive_a_broken_repr(report: TestReport) -> None:
    values = _of(report, "test_locals").chain[0].frames[0].values
    assert values["api_key"] == "***"
    assert values["odd"] == "<Odd instance>"
    assert values["unlike"] == "<dict whose repr raises TypeError>"
    assert len(values["long"]) <= 200
    assert len(values["many"]) <= 200
    assert values["settings"] == "{'password': '***', 'depth': 3}"


def test_unittest_case_gives_operands_and_passes_like_any_other(report: TestReport) -> None:
    assert _of(report, "TestCase::test_equal").operands == (("8", "10"),)
    assert _of(report, "TestCase::test_fine").outcome is Outcome.PASSED


def test_parameter_ids_with_odd_characters_keep_their_results(report: TestReport) -> None:
    outcomes = {test.node_id: test.outcome for test in report.tests if "::test_text[" in test.node_id}
    assert list(outcomes.values()) == [Outcome.PASSED, Outcome.FAILED, Outcome.FAILED]


@pytest.mark.parametrize(
    ("name", "outcome", "phase"),
    [
        ("test_setup", Outcome.ERROR, "setup"),
        ("test_teardown", Outcome.ERROR, "teardown"),
        ("test_skipped", Outcome.SKIPPED, "call"),
        ("test_strict_xfail_that_passes", Outcome.FAILED, "call"),
        ("test_nothing_raised", Outcome.FAILED, "call"),
        ("test_exits", Outcome.FAILED, "call"),
    ],
)
def test_each_way_to_end_has_its_outcome_and_phase(report: TestReport, name: str, outcome: Outcome, phase: str) -> None:
    test = _of(report, name)
    assert (test.outcome, test.phase) == (outcome, phase)


def test_exception_group_is_told_with_its_members(report: TestReport) -> None:
    assert [raised.type for raised in _of(report, "test_group").chain] == ["ExceptionGroup", "ValueError", "KeyError"]


def test_chosen_tests_alone_run_whatever_their_ids_hold(tmp_path: Path) -> None:
    root = write_tree(tmp_path, {"calc.py": CALC, "tests/test_calc.py": TESTS})
    names = ["tests/test_calc.py::test_text[x::y [z]]", "tests/test_calc.py::TestCase::test_fine"]
    chosen = run_tree(root, tests=[*names, "tests/test_calc.py::test_of_another_version"])
    assert sorted(chosen.collected) == sorted(names)
    assert {test.node_id for test in chosen.failures} == {names[0]}
    assert chosen.complete


def test_files_are_chosen_whole_and_tests_can_be_left_out(tmp_path: Path) -> None:
    files = {"test_one.py": "def test_a(): pass\ndef test_b(): assert 0\n", "test_two.py": "def test_c(): assert 0\n"}
    report = run_tree(write_tree(tmp_path, files), tests=["test_one.py"], deselect=("test_one.py::test_b",))
    assert report.collected == ("test_one.py::test_a",)


def test_run_stops_after_as_many_failures_as_asked_and_says_so(tmp_path: Path) -> None:
    text = "".join(f"def test_{number}(): assert {number} == 9\n" for number in range(4))
    report = run_tree(write_tree(tmp_path, {"test_it.py": text}), stop_after=2)
    assert len(report.failures) == 2
    assert not report.complete


def test_errors_at_collection_are_results_and_the_rest_still_runs(tmp_path: Path) -> None:
    files = {
        "pack/__init__.py": "",
        "pack/broken.py": "def area(w, h)\n    return w * h\n",
        "tests/test_missing.py": "import not_there\n",
        "tests/test_syntax.py": "def test_x(:\n    pass\n",
        "tests/test_uses_broken.py": "from pack import broken\n",
        "tests/test_raises.py": "import json\nVALUE = json.loads('{')\n",
        "tests/test_fine.py": "def test_ok(): pass\n",
    }
    report = run_tree(write_tree(tmp_path, files))
    errors = {test.node_id: test for test in report.failures}
    kinds = {name: test.chain[0].type for name, test in errors.items()}
    assert kinds["tests/test_missing.py"] == "ModuleNotFoundError"
    assert kinds["tests/test_syntax.py"] == "SyntaxError"
    assert kinds["tests/test_uses_broken.py"] == "SyntaxError"
    assert kinds["tests/test_raises.py"] == "json.decoder.JSONDecodeError"
    assert {test.phase for test in report.failures} == {"collect"}
    assert {test.outcome for test in report.failures} == {Outcome.ERROR}
    last = errors["tests/test_uses_broken.py"].chain[0].frames[-1]
    assert (last.path, last.line, last.own, last.test) == ("pack/broken.py", 1, True, False)


def test_module_that_exits_at_import_is_an_error_at_collection(tmp_path: Path) -> None:
    report = run_tree(write_tree(tmp_path, {"test_stops.py": "raise SystemExit(1)\n"}))
    assert [(test.node_id, test.phase, test.chain[0].type) for test in report.tests] == [
        ("test_stops.py", "collect", "SystemExit")
    ]
    assert not report.complete


@pytest.mark.parametrize("folder", ["", "tests/", "tests/deep/"])
def test_conftest_that_fails_is_named_and_runs_again_as_a_target(tmp_path: Path, folder: str) -> None:
    files = {
        "pack.py": "def area(w, h)\n    return w * h\n",
        f"{folder}conftest.py": "import pack\n",
        f"{folder}test_area.py": "def test_area():\n    import pack\n    assert pack.area(2, 3) == 6\n",
        "tests/test_other.py": "def test_other(): pass\n",
    }
    root = write_tree(tmp_path, files)
    broken = next(test for test in run_tree(root).tests if test.failed)
    assert (broken.node_id, broken.phase, broken.chain[0].type) == (f"{folder}conftest.py", "collect", "SyntaxError")
    assert broken.chain[0].frames[-1].path == "pack.py"
    write_tree(root, {"pack.py": "def area(w, h):\n    return w * h\n"})
    again = run_tree(root, tests=[broken.node_id])
    assert not again.failures
    assert result(again, f"{folder}conftest.py").outcome is Outcome.PASSED
    assert f"{folder}test_area.py::test_area" in again.passed


def test_source_layout_needs_no_install(tmp_path: Path) -> None:
    files = {
        "src/shop/__init__.py": "",
        "src/shop/price.py": "def total(a): return sum(a)\n",
        "tests/test_price.py": "from shop.price import total\ndef test_total(): assert total([1, 2]) == 3\n",
    }
    assert run_tree(write_tree(tmp_path, files)).passed == {"tests/test_price.py::test_total"}


def test_tests_beside_the_code_and_doctests_run(tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/price.py": 'def total(a):\n    """Sum.\n\n    >>> total([1, 2])\n    4\n    """\n    return sum(a)\n',
        "shop/test_price.py": "from shop.price import total\ndef test_total(): assert total([1, 2]) == 3\n",
    }
    report = run_tree(write_tree(tmp_path, files), arguments="pytest --doctest-modules")
    assert report.passed == {"shop/test_price.py::test_total"}
    assert [test.node_id for test in report.failures] == ["shop/price.py::shop.price.total"]


def test_files_of_one_name_run_under_the_import_mode_that_the_target_chose(tmp_path: Path) -> None:
    body = "def test_it(): pass\n"
    files = {"a/test_same.py": body, "b/test_same.py": body}
    files["pyproject.toml"] = '[tool.pytest.ini_options]\naddopts = "--import-mode=importlib"\n'
    assert len(run_tree(write_tree(tmp_path, files)).passed) == 2


def test_options_that_distribute_stop_or_measure_do_not_reach_the_run(tmp_path: Path) -> None:
    files = {
        "pytest.ini": """\
            [pytest]
            addopts = -n 4 --dist loadfile --cov=shop --cov-report=term -x -q --strict-config --strict-markers
            timeout = 300
            """,
        "test_it.py": """\
            import pytest


            @pytest.mark.timeout(5)
            def test_a():
                assert 0


            def test_b():
                assert 0
            """,
    }
    report = run_tree(write_tree(tmp_path, files), arguments="python -m pytest -x --maxfail=1 --lf")
    assert len(report.failures) == 2
    assert report.complete


def test_words_that_pytest_does_not_know_are_said_as_the_problem(tmp_path: Path) -> None:
    report = run_tree(write_tree(tmp_path, {"test_it.py": "def test_a(): pass\n"}), arguments="--no-such-option")
    assert report.tests == ()
    assert "--no-such-option" in report.problem


def test_property_tests_repeat_themselves(tmp_path: Path) -> None:
    files = {
        "conftest.py": """\
            from hypothesis import settings

            settings.register_profile("own", max_examples=20)
            settings.load_profile("own")
            """,
        "test_it.py": """\
            from hypothesis import given, strategies as st

            seen = []


            @given(st.integers(), st.text())
            def test_numbers(number, text):
                seen.append((number, text))


            def test_tell():
                assert seen == 0
            """,
    }
    root = write_tree(tmp_path, files)
    first, second = (result(run_tree(root), "test_it.py::test_tell") for _ in range(2))
    assert first.operands == second.operands
    assert len(first.operands[0][0]) > 20
    assert not (root / ".hypothesis").exists()
