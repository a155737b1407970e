"""Localisation on small repositories whose tests really fail."""

from __future__ import annotations

from pathlib import Path

from automation.incidents.records import Outcome, TestReport, TestResult
from automation.repair.localise import MOST_PLACES, functions, localise
from tests.automation.repair.scenes import scene

CLAMP = """\
LOWEST = 0


def clamp(value, low=LOWEST, high=10):
    \"\"\"Keep a value between two bounds.\"\"\"
    if value < low:
        return low
    if value > high:
        return low
    return value


def unrelated(text):
    return text.strip()
"""


def test_line_that_only_the_failing_test_runs_comes_first(tmp_path: Path) -> None:
    tests = (
        "from bounds import clamp, unrelated\n"
        "def test_inside(): assert clamp(5) == 5\n"
        "def test_below(): assert clamp(-5) == 0\n"
        "def test_above(): assert clamp(50) == 10\n"
        "def test_text(): assert unrelated(' a ') == 'a'\n"
    )
    places = scene(tmp_path, {"bounds.py": CLAMP, "test_bounds.py": tests}).places()
    assert (places[0].path, places[0].line, places[0].function) == ("bounds.py", 9, "clamp")
    assert places[0].score == 1.0
    assert places[0].reasons[0] == "ran in 1 of 1 failing tests, 0 of 3 passing"
    assert all(place.function != "unrelated" for place in places)
    assert [place.line for place in places].index(8) < [place.line for place in places].index(6)


def test_default_and_constant_of_a_suspicious_function_are_places(tmp_path: Path) -> None:
    tests = "from bounds import clamp\ndef test_above(): assert clamp(50) == 10\n"
    places = {place.line: place for place in scene(tmp_path, {"bounds.py": CLAMP, "test_bounds.py": tests}).places()}
    assert 0 < places[4].score < places[9].score
    assert "default" in places[4].reasons[-1]


def test_one_failing_test_alone_ranks_the_return_before_trivial_lines(tmp_path: Path) -> None:
    code = "def area(width, height):\n    unit = 1\n    size = width + height\n    return size * unit\n"
    tests = "from shapes import area\ndef test_area(): assert area(3, 4) == 12\n"
    lines = [place.line for place in scene(tmp_path, {"shapes.py": code, "test_shapes.py": tests}).places()]
    assert set(lines) == {2, 3, 4}
    assert lines[-1] == 2


def test_innermost_own_frame_outranks_its_callers(tmp_path: Path) -> None:
    code = "def first(items):\n    return items[0]\n\n\ndef total(items):\n    return first(items) + sum(items)\n"
    tests = "from lists import total\ndef test_total(): assert total([]) == 0\ndef test_one(): assert total([1]) == 2\n"
    places = scene(tmp_path, {"lists.py": code, "test_lists.py": tests}).places()
    assert (places[0].line, places[0].function) == (2, "first")
    assert "traceback" in places[0].reasons
    ranks = functions(places)
    assert [rank.function for rank in ranks] == ["first", "total"]
    assert ranks[0].score >= ranks[1].score


def test_branch_that_was_not_taken_gets_a_low_score(tmp_path: Path) -> None:
    code = "def sign(x):\n    if x > 100:\n        return -1\n    return 1\n"
    tests = "from signs import sign\ndef test_negative(): assert sign(-3) == -1\n"
    places = {place.line: place for place in scene(tmp_path, {"signs.py": code, "test_signs.py": tests}).places()}
    assert 0 < places[3].score < places[2].score
    assert places[3].reasons == ("not taken from line 2",)


def test_recent_change_breaks_a_tie(tmp_path: Path) -> None:
    code = "def work(x):\n    a = x + 1\n    b = a + 2\n    c = b + 3\n    return c\n"
    found = scene(
        tmp_path, {"steps.py": code, "test_steps.py": "from steps import work\ndef test(): assert work(1) == 9\n"}
    )
    places = found.places({"steps.py": {2: 1.0}})
    assert places[0].line == 2
    assert "changed recently" in places[0].reasons


def test_syntax_error_points_at_the_line_that_does_not_parse(tmp_path: Path) -> None:
    code = "def fine():\n    return 1\n\n\ndef broken(x)\n    return x\n"
    tests = "from broken import fine\ndef test(): assert fine() == 1\n"
    places = scene(tmp_path, {"broken.py": code, "test_broken.py": tests}).places()
    assert (places[0].path, places[0].line) == ("broken.py", 5)
    assert places[0].reasons == ("does not parse",)


def test_name_error_at_import_points_at_module_level(tmp_path: Path) -> None:
    code = "LIMIT = 3\nTOP = LIMT * 2\n\n\ndef top():\n    return TOP\n"
    places = scene(
        tmp_path, {"consts.py": code, "test_consts.py": "from consts import top\ndef test(): assert top() == 6\n"}
    )
    best = places.places()[0]
    assert (best.path, best.line, best.function) == ("consts.py", 2, "")


def test_missing_name_points_at_what_is_named_almost_so(tmp_path: Path) -> None:
    code = "def compute_totl(x):\n    value = x\n    return value\n\n\ndef other():\n    return 2\n"
    tests = "from names import compute_total\ndef test(): assert compute_total(1) == 1\n"
    places = scene(tmp_path, {"names.py": code, "test_names.py": tests}).places()
    assert {place.function for place in places if place.score == places[0].score} == {"compute_totl"}


def test_hanging_loop_is_found(tmp_path: Path) -> None:
    code = "def count(n):\n    total = 0\n    while n > 0:\n        total += 1\n    return total\n"
    tests = "from loops import count\ndef test_count(): assert count(3) == 3\ndef test_zero(): assert count(0) == 0\n"
    found = scene(tmp_path, {"loops.py": code, "test_loops.py": tests}, test_timeout_s=0.5)
    assert found.report.failures[0].outcome is Outcome.TIMEOUT
    assert {place.line for place in found.places()[:2]} == {3, 4}


def test_statement_over_several_lines_shares_its_score(tmp_path: Path) -> None:
    code = "def build(a, b):\n    return [\n        a,\n        a + b,\n    ]\n"
    tests = "from built import build\ndef test(): assert build(1, 2) == [1, 2]\n"
    places = scene(tmp_path, {"built.py": code, "test_built.py": tests}).places()
    assert {place.line: place.score for place in places} == {2: 1.0, 3: 1.0, 4: 1.0, 5: 1.0}


def test_untraced_report_falls_back_to_what_the_test_calls(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("def double(x):\n    return x\n\n\ndef other(x):\n    return x\n")
    (tmp_path / "test_plain.py").write_text("from plain import double\ndef test_it(): assert double(2) == 4\n")
    failed = TestResult("test_plain.py::test_it", Outcome.FAILED)
    places = localise(TestReport((failed,), (failed.node_id,), True, 0.1), tmp_path, {}, [failed.node_id])
    assert [place.function for place in places] == ["double", "other"]


def test_ranking_is_bounded_sorted_and_repeats_itself(tmp_path: Path) -> None:
    body = "".join(f"    x = x + {number}\n" for number in range(600))
    found = scene(
        tmp_path,
        {
            "long.py": f"def long(x):\n{body}    return x\n",
            "test_long.py": "from long import long\ndef test(): assert long(0) == 1\n",
        },
    )
    places = found.places()
    assert len(places) == MOST_PLACES
    assert list(places) == sorted(places, key=lambda place: (-place.score, place.path, place.line))
    assert places == found.places()


def test_nothing_is_said_when_no_target_failed(tmp_path: Path) -> None:
    found = scene(
        tmp_path,
        {
            "fine.py": "def one():\n    return 1\n",
            "test_fine.py": "from fine import one\ndef test(): assert one() == 1\n",
        },
    )
    assert localise(found.report, tmp_path, {}, ["test_fine.py::test"]) == ()
