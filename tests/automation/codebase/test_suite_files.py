"""What counts as a test, for guard, tracer and localiser alike."""

from __future__ import annotations

import pytest

from automation.codebase.guard_rules.paths import GuardPolicy
from automation.codebase.suite_files import is_test_path
from automation.incidents.inside import describe


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("test_sums.py", True),
        ("pkg/sums_test.py", True),
        ("pkg/sums_tests.py", True),
        ("shop/tests.py", True),
        ("pkg/conftest.py", True),
        ("tests/trees.py", True),
        ("pkg/Tests/data/trees.py", True),
        ("pkg/test/trees.py", True),
        ("pkg/testing/fixtures.py", False),
        ("pkg/contest.py", False),
        ("pkg/latest_sums.py", False),
        ("pkg/test_folder/sums.py", False),
        ("pkg/sums.py", False),
    ],
)
def test_one_rule_says_what_is_a_test(path: str, expected: bool) -> None:
    assert is_test_path(path) is expected
    assert describe.is_test_path(path) is expected
    assert GuardPolicy().is_test(path) is expected


def test_data_of_tests_is_guarded_too() -> None:
    assert all(GuardPolicy().is_test(path) for path in ("pkg/testdata/a.json", "ui/__snapshots__/a.svg", "ui/a.ambr"))
    assert not is_test_path("pkg/testdata/a.py")
