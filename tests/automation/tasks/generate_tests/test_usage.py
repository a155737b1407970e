"""What code says of its own parameters, and instances that have lived through calls of their methods."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from automation.tasks.generate_tests.inside import drawing, expressions, histories, pools, usage, values


@dataclass
class Shelf:
    """Things on a shelf."""

    things: list[str] = field(default_factory=list)
    _dust: int = 0

    def put(self, thing: str) -> None:
        """Put a thing on it."""
        self.things.append(thing)

    def wipe(self) -> None:
        """Take the dust away."""
        self._dust += 1

    def count(self) -> int:
        """Count the things."""
        return len(self.things)

    def clear(self) -> list[str]:
        """Take all things away."""
        taken, self.things = self.things, []
        return taken

    def save(self) -> None:
        """Write them down."""
        with open("shelf.txt", "w") as handle:  # noqa: PTH123 - as such code does
            handle.write(",".join(self.things))
        self._dust += 1


@pytest.fixture(autouse=True)
def importable() -> Iterator[None]:
    module = types.ModuleType("shelves_of_test")
    module.Shelf = Shelf  # type: ignore[attr-defined]
    before, Shelf.__module__ = Shelf.__module__, "shelves_of_test"
    sys.modules[module.__name__] = module
    yield
    Shelf.__module__ = before
    del sys.modules[module.__name__]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return a.strip()", "<class 'str'>"),
        ("for k, v in a.items(): print(k, v)", "Dict[str, int]"),
        ("return a['x']", "Dict[str, int]"),
        ("a.append(1)", "List[int]"),
        ("return [x for x in a]", "List[str]"),
        ("for line in a: print(a.upper())", "<class 'str'>"),
    ],
)
def test_the_use_of_a_parameter_tells_its_type(body: str, expected: str):
    found = usage.used_as(f"def f(a):\n    {body}\n")
    assert {name: repr(kind).replace("typing.", "") for name, kind in found.items()} == {"a": expected}


def test_what_nothing_tells_has_no_type():
    assert usage.used_as("def f(a): return a + 1\n") == {}
    assert usage.used_as("def f(:\n") == {}


def test_isinstance_tells_several_types():
    source = "def f(a):\n    if isinstance(a, bool): return 1\n    return 2 if isinstance(a, (str, int)) else 3\n"
    assert usage.asked_for(source) == {"a": (bool, str, int)}
    pool = [each.text for each in pools.Pools([], [], source).of(pools.inspect.Parameter.empty, "a")]
    assert {"True", "False", '"a"', "1"} <= set(pool)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(a): a.append(1)", True),
        ("def f(a):\n    if a: return\n    a.append(1)", True),
        ("def f(a): return a", False),
        ("def f(a): yield a", False),
        ("", False),
    ],
)
def test_a_procedure_returns_nothing(source: str, expected: bool):
    assert usage.is_procedure(source) is expected


def test_python_is_passed_only_to_modules_that_work_on_python():
    assert usage.treats_code("automation.tasks.generate_tests.inside.usage")
    assert not usage.treats_code("automation.tasks.generate_tests.inside.values")
    plain = [each.text for each in pools.Pools([], []).of(str, "text")]
    code = [each.text for each in pools.Pools([], [], code=True).of(str, "text")]
    assert not any("def f" in text for text in plain)
    assert any("def f" in text for text in code)


def test_a_word_of_the_code_is_tried_with_its_numbers_behind_it():
    pool = {each.text for each in pools.Pools([50], ["SAVE"]).of(str, "code")}
    assert {'"SAVE50"', '"SAVE51"', '"50"'} <= pool


def test_a_pattern_of_the_code_is_matched():
    found = [eval(each.text) for each in drawing.matching([r"^\w+=\d$"])]
    assert found
    assert all(text[-2] == "=" for text in found)


def test_an_instance_gets_a_history_of_public_calls_that_change_it_and_touch_nothing():
    found = pools.Pools([], []).lived(Shelf)
    texts = [each.text for each in found]
    assert "Shelf()" in texts
    assert 'Shelf()\n.put("a")' in texts
    assert not any("_dust" in text or "save" in text or "count" in text for text in texts)
    lived = expressions.evaluated(next(each for each in found if each.text == 'Shelf()\n.put("a")'))
    assert lived.things == ["a"]


def test_what_an_object_shows_is_asked_without_changing_it():
    shelf = Shelf(["a", "b"])
    shown = histories.observed(shelf)
    assert shown == {".things": values.Written('["a", "b"]'), ".count()": values.Written("2")}
    assert shelf.things == ["a", "b"]


def test_private_things_count_as_a_change_of_state():
    shelf = Shelf()
    before = histories.state_of(shelf)
    shelf.wipe()
    assert histories.state_of(shelf) != before
