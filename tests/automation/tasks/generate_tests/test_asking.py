"""Inputs from a model: expressions only, and a model that fails costs nothing but its answer."""

from __future__ import annotations

from automation.errors import BudgetSpent, ModelFailed
from automation.tasks.generate_tests.asking import asked_inputs, calls_in
from automation.tasks.generate_tests.records import Subject
from tests.automation.repair.scenes import ScriptedModel

SUBJECT = Subject("m.py", "m", "", "fee", "function", 1, 2)
OTHER = Subject("m.py", "m", "", "tax", "function", 4, 5)
TEXT = "def fee(weight):\n    return weight\n\ndef tax(x):\n    return x\n"


def test_argument_lists_are_read_and_anything_else_is_left_out():
    answer = '{"calls": [{"weight": "3"}, {"weight": "import os"}, 7, {"weight": "[1, 2]"}]}'
    calls = calls_in(answer, SUBJECT)
    assert [call["arguments"] for call in calls] == [[["weight", "3", []]], [["weight", "[1, 2]", []]]]
    assert calls_in("no json", SUBJECT) == []


def test_each_function_is_asked_for_once():
    model = ScriptedModel(['{"calls": [{"weight": "3"}]}', ModelFailed("it stumbled")])
    assert list(asked_inputs(model, [SUBJECT, OTHER], TEXT, 5.0)) == ["fee"]
    assert len(model.asked) == 2
    assert "def fee" in model.asked[0][0]


def test_a_spent_budget_ends_the_asking():
    model = ScriptedModel([BudgetSpent("all tokens are used")])
    assert asked_inputs(model, [SUBJECT, OTHER], TEXT, 5.0) == {}
    assert len(model.asked) == 1
