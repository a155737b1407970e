"""Every template finds its slow form, and what it writes does the same on generated inputs."""

from __future__ import annotations

import copy
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automation.codebase.sources import SourceFile
from automation.tasks.optimize.drafts import Draft, LineEdit, applied, edits_between, fit
from automation.tasks.optimize.inside.shapes import same, shape_of
from automation.tasks.optimize.templates.catalogue import template_drafts
from tests.automation.tasks.optimize.functions import ARRAYS, SLOW, Slow


def file_of(slow: Slow) -> SourceFile:
    return SourceFile("slow.py", f"{slow.top}\n\n{slow.text}".lstrip("\n"))


def drafts_of(source: SourceFile, name: str = "f", root: Path = Path("nowhere")) -> list[Draft]:
    return list(template_drafts(source, name, root))


def outcome(text: str, arguments: tuple[object, ...]) -> tuple[object, ...]:
    scope: dict[str, object] = {}
    exec(compile(text, "slow.py", "exec"), scope)
    given_to = copy.deepcopy(arguments)
    try:
        told: tuple[object, ...] = ("returns", scope["f"](*given_to))  # type: ignore[operator]
    except Exception as error:  # noqa: BLE001 - what it raises is its behaviour
        told = ("raises", type(error).__name__)
    return shape_of((told, given_to))


@pytest.mark.parametrize("slow", [pytest.param(each, id=name) for name, each in {**SLOW, **ARRAYS}.items()])
def test_a_template_finds_its_slow_form(slow: Slow) -> None:
    source = file_of(slow)
    found = [draft for draft in drafts_of(source) if draft.proposer == f"template:{slow.template}"]
    texts = [applied(source.text, draft.edits) for draft in found]
    assert any(slow.writes in text for text in texts), texts
    assert all(draft.function == "f" and draft.path == "slow.py" for draft in found)


@pytest.mark.slow
@pytest.mark.parametrize("slow", [pytest.param(each, id=name) for name, each in SLOW.items()])
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(data=st.data())
def test_what_a_template_writes_does_the_same_on_many_inputs(slow: Slow, data: st.DataObject) -> None:
    check_same(slow, data)


@pytest.mark.parametrize("slow", [pytest.param(each, id=name) for name, each in SLOW.items()])
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(data=st.data())
def test_what_a_template_writes_does_the_same(slow: Slow, data: st.DataObject) -> None:
    check_same(slow, data)


def check_same(slow: Slow, data: st.DataObject) -> None:
    source = file_of(slow)
    arguments = data.draw(slow.inputs)
    expected = outcome(source.text, arguments)
    for draft in drafts_of(source):
        text = applied(source.text, draft.edits)
        assert outcome(text, arguments) == expected, (draft.description, text)


@pytest.mark.parametrize("slow", [pytest.param(each, id=name) for name, each in ARRAYS.items()])
@settings(max_examples=20, deadline=None, derandomize=True, database=None)
@given(numbers=st.lists(st.floats(-1e6, 1e6), max_size=12))
def test_whole_arrays_give_the_same_bits(slow: Slow, numbers: list[float]) -> None:
    source = file_of(slow)
    arguments = (np.array(numbers), np.array(numbers[::-1]))
    for draft in drafts_of(source):
        if draft.proposer == "template:vector":
            expected = outcome(source.text, arguments)
            assert same(outcome(applied(source.text, draft.edits), arguments), expected, 0.0)  # type: ignore[arg-type]


def test_a_comment_in_a_loop_outlives_the_loop() -> None:
    slow = SLOW["list"]
    source = file_of(slow)
    draft = next(each for each in drafts_of(source) if each.proposer == "template:comprehension")
    assert "    # small ones only\n    found = [x * 2" in applied(source.text, draft.edits)


LEFT_ALONE = {
    "the loop's variable is used later": """comprehension
        def f(xs):
            r = []
            for x in xs:
                r.append(x)
            return r, x
        """,
    "what is built is read while it grows": """comprehension
        def f(xs):
            r = []
            for x in xs:
                if x not in r:
                    r.append(x)
            return r
        """,
    "a sum of fractions": """sum
        def f(xs):
            t = 0
            for x in xs:
                t += x
            return t
        """,
    "a length that changes": """hoist
        def f(xs):
            while len(xs) > 3:
                del xs[-1]
            return xs
        """,
    "an argument that cannot be a key": """cache
        def f(xs: list[int]) -> int:
            return sum(xs)
        """,
    "a number with a fraction as a key": """cache
        def f(x: float) -> float:
            return 1 / x
        """,
    "an answer that can be changed": """cache
        def f(x: int) -> list[int]:
            return [x]
        """,
    "a function that reads what changes": """cache
        state = {}


        def f(x: int) -> int:
            return state.get(x, 0)
        """,
    "a function that prints": """cache
        def f(x: int) -> int:
            print(x)
            return x
        """,
    "a list that is changed while it is walked": """copy
        def f(xs):
            for x in list(xs):
                xs.remove(x)
            return xs
        """,
    "a list that is rebuilt": """membership
        def f(xs):
            seen = []
            for x in xs:
                if x in seen:
                    seen = []
                seen.append(x)
            return seen
        """,
    "a text that is read while it grows": """join
        def f(xs):
            t = ""
            for x in xs:
                t += x
                print(t)
            return t
        """,
    "numba where nobody uses it": """numba
        def f(n):
            t = 0
            for i in range(n):
                t += i
            return t
        """,
}


@pytest.mark.parametrize("case", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_a_template_leaves_alone(case: str, tmp_path: Path) -> None:
    template, _, text = case.partition("\n")
    found = drafts_of(SourceFile("slow.py", dedent(text)), root=tmp_path)
    assert [draft.description for draft in found if draft.proposer == f"template:{template}"] == []


def test_numba_compiles_numeric_functions_where_the_repository_uses_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["numba>=0.60"]\n', encoding="utf-8")
    text = "def f(a, n):\n    t = 0.0\n    for i in range(n):\n        t += a[i]\n    return t\n"
    source = SourceFile("slow.py", text)
    (draft,) = [each for each in drafts_of(source, root=tmp_path) if each.proposer == "template:numba"]
    assert applied(text, draft.edits).lstrip().startswith("import numba\n")
    assert "@numba.njit(cache=True)\ndef f" in applied(text, draft.edits)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(before=st.lists(st.sampled_from("abcd"), max_size=8), after=st.lists(st.sampled_from("abcd"), max_size=8))
def test_edits_lead_from_one_text_to_the_other(before: list[str], after: list[str]) -> None:
    one, other = ("".join(f"{line}\n" for line in lines) for lines in (before, after))
    assert applied(one, edits_between(one, other)) == other


def test_rewrites_go_together_when_they_touch_different_lines() -> None:
    first, second = LineEdit(2, 3, "x\n"), LineEdit(5, 5, "y\n")
    imported = LineEdit(1, 0, "import functools\n")
    assert fit([first, imported], [second, imported])
    assert not fit([first], [LineEdit(3, 4, "z\n")])
    assert not fit([first], [LineEdit(3, 2, "inserted in the middle\n")])
    assert not fit([LineEdit(2, 1, "a\n")], [LineEdit(2, 1, "b\n")])
    text = "1\n2\n3\n4\n5\n"
    assert applied(text, [first, imported, second, imported]) == "import functools\n1\nx\n4\ny\n"
