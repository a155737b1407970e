"""Shapes of what tests raise, and of warnings that became errors."""

from __future__ import annotations

from automation.tasks.explain.advice import Category, rule

TEST_RULES = (
    rule(
        "did-not-raise",
        "Failed",
        r"DID NOT RAISE(?: any of)? (?:\(?<class ')?(?P<name>[\w.]+)",
        Category.ASSERTION,
        "The test expects {name} to be raised, and nothing was.",
        "The code no longer refuses this input, or refuses it later: look at its checks.",
    ),
    rule(
        "fixture-missing",
        "",
        r"fixture '(?P<name>\w+)' not found",
        Category.NAME,
        "The test asks for a fixture {name} that pytest cannot see from its file.",
        "Put it in a conftest.py of the same folder or above, or install the plugin that brings it.",
    ),
    rule(
        "numpy-assertion",
        "AssertionError",
        r"Mismatched elements|Not equal to tolerance|Arrays are not|Items are not equal",
        Category.ASSERTION,
        "Two arrays are not equal.",
        "See whether they differ by rounding (then say a tolerance), by an offset (then by one position) or in length.",
    ),
    rule(
        "floats-compared",
        "AssertionError",
        r"^assert [^\n]*\d\.\d{10,}[^\n]* == |^assert [^\n]* == [^\n]*\d\.\d{10,}",
        Category.ASSERTION,
        "Two decimal fractions are compared to the last digit, and computers round.",
        "Compare with a tolerance: `pytest.approx(expected)`, `math.isclose` or `numpy.testing.assert_allclose`.",
    ),
    rule(
        "raises-match",
        "AssertionError",
        r"Regex pattern did not match\.\s+(?:Expected regex|Regex): (?P<left>[^\n]+)\s+"
        r"(?:Actual message|Input): (?P<right>[^\n]+)",
        Category.ASSERTION,
        "The error that the test expects was raised, and its words {right} do not match {left}.",
        "Decide which of the two is right; `re.escape` a text that holds brackets, dots or stars.",
    ),
    rule(
        "unittest-compared",
        "AssertionError",
        r"\A(?:\w+ differ: )?(?P<left>[^\n]+?) (?P<operator>!=|not found in|is not|not greater than|not less than) "
        r"(?P<right>[^\n]+)",
        Category.ASSERTION,
        "The test compared {left} with {right}, and they are not as it expects.",
        "Decide which side is right: the expectation is out of date, or the code computes something else.",
    ),
    rule(
        "compared",
        "AssertionError",
        r"^assert (?P<left>[^\n]+?) (?P<operator>==|!=|<=|>=|<|>|not in|in|is not|is) (?P<right>[^\n]+)",
        Category.ASSERTION,
        "The check `{left} {operator} {right}` did not hold.",
        "Decide which side is right: the expectation is out of date, or the code computes something else.",
        "The lines that begin with `where` say how the left value came about.",
    ),
    rule(
        "assertion",
        "AssertionError",
        r"",
        Category.ASSERTION,
        "A check did not hold.",
        "Decide which side is right: the expectation is out of date, or the code computes something else.",
    ),
    rule(
        "test-timeout",
        "TestTimeout Timeout",
        r"",
        Category.TIMEOUT,
        "The test ran longer than it may.",
        "Look for a loop without progress or a wait for what never comes at the innermost frame; a test that is "
        "rightly "
        "slow is marked as such.",
    ),
    rule(
        "left-open",
        "ResourceWarning",
        r"unclosed (?P<what>[^\n]+)",
        Category.RESOURCE,
        "Something was opened and never closed: {what}",
        "Open it in a `with` block, or close it in a `finally`; `python -X tracemalloc=10` says where it was opened.",
    ),
    rule(
        "warning-as-error",
        "DeprecationWarning FutureWarning PytestUnraisableExceptionWarning UserWarning RuntimeWarning",
        r"(?P<what>[^\n]+)",
        Category.LOGIC,
        "A warning, or one that was turned into an error: {what}",
        "Do what the warning asks for; until then name it in `filterwarnings` with the reason.",
    ),
)
