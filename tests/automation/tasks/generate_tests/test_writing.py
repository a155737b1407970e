"""Test files: what belongs together shares a test, names say the scenario, what was there is kept."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from automation.codebase.characterisation import MARK
from automation.tasks.generate_tests.drafting import case_drafts, example_drafts
from automation.tasks.generate_tests.records import Case, Ground, Subject
from automation.tasks.generate_tests.writing import defined_names, import_block, written_file, written_tests

SUBJECT = Subject("shop.py", "shop", "", "fee", "function", 3, 9, ("ValueError",), (("fee(3)", "5"),))


def case(argument: str, outcome: Mapping[str, object]) -> Case:
    imports = ("from shop import fee",)
    return Case("fee(\0000\000)", (("weight", argument),), imports, outcome, frozenset(), (), "type")


def value(text: str, *, same: bool = False) -> dict[str, object]:
    return {"kind": "value", "text": text, "imports": (), "same": same}


def refused(message: str, *, documented: bool = False) -> dict[str, object]:
    return {"kind": "raises", "text": "ValueError", "imports": (), "message": message, "documented": documented}


def written(*cases: Case) -> list[str]:
    return [test.text for test in written_tests(case_drafts(SUBJECT, cases))]


def test_calls_that_differ_in_values_share_a_test():
    tests = written(case("12", value("9")), case("3", value("5")))
    assert "".join(tests) == (
        f"{MARK}\n"
        '@pytest.mark.parametrize(("weight", "expected"), [(3, 5), (12, 9)])\n'
        "def test_fee_values(weight, expected):\n"
        "    assert fee(weight) == expected\n"
    )


def test_one_call_is_named_by_its_argument():
    assert written(case("3", value("5"))) == [f"{MARK}\ndef test_fee_of_3():\n    assert fee(3) == 5\n"]


def test_true_and_false_are_two_tests():
    tests = written(case('"a"', value("True", same=True)), case('""', value("False", same=True)))
    assert [text.splitlines()[1] for text in tests] == [
        "def test_fee_is_true_of_a():",
        "def test_fee_is_false_of_blank_text():",
    ]
    assert 'assert fee("a") is True' in tests[0]


def test_a_refusal_is_matched_by_what_no_argument_put_into_the_message():
    tests = written(case('"x y z"', refused("'x y z' is no weight")), case('"abc"', refused("'abc' is no weight")))
    assert "".join(tests) == (
        f"{MARK}\n"
        '@pytest.mark.parametrize("weight", ["abc", "x y z"])\n'
        "def test_fee_refuses_is_no_weight(weight):\n"
        '    with pytest.raises(ValueError, match="is no weight"):\n'
        "        fee(weight)\n"
    )


def test_a_documented_refusal_is_no_characterisation():
    drafts = list(case_drafts(SUBJECT, [case("0", refused("nothing to ship", documented=True))]))
    assert [draft.ground for draft in drafts] == [Ground.DOCUMENTED]
    assert MARK not in written_tests(drafts)[0].text


def test_long_values_get_names_inside_the_test():
    long = "[" + ", ".join(map(str, range(40))) + "]"
    text = written(case(long, value("780")))[0]
    assert text == f"{MARK}\ndef test_fee_returns_780():\n    weight = {long}\n    assert fee(weight) == 780\n"


def test_examples_of_a_docstring_become_tests():
    drafts = list(example_drafts(SUBJECT, {"fee": "from shop import fee", "other": "from shop import other"}))
    assert [(draft.body, draft.imports) for draft in drafts] == [("assert fee(3) == 5", ("from shop import fee",))]


def test_a_file_says_what_characterisation_means_and_runs():
    tests = written_tests(case_drafts(SUBJECT, [case("3", value("5"))]))
    text = written_file("shop", tests)
    assert "characterisation" in ast.get_docstring(ast.parse(text))
    scope: dict[str, object] = {}
    exec(text.replace("from shop import fee", "fee = {3: 5}.get"), scope)
    scope["test_fee_of_3"]()


def test_an_earlier_file_is_added_to_and_keeps_what_it_has():
    earlier = written_file("shop", written_tests(case_drafts(SUBJECT, [case("3", value("5"))])))
    more = written_tests(case_drafts(SUBJECT, [case("3", value("6"))]), defined_names(earlier))
    text = written_file("shop", more, earlier)
    names = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert names == ["test_fee_of_3", "test_fee_of_3_2"]
    assert text.count("from shop import fee") == 1


def test_imports_stand_in_three_blocks():
    lines = {"from shop import fee", "import pytest", "import math", "from shop import Basket", "import numpy as np"}
    assert import_block(lines, "shop") == (
        "import math\n\nimport numpy as np\nimport pytest\n\nfrom shop import Basket, fee"
    )


BASKET = Subject("shop.py", "shop", "Basket", "take", "method", 12, 15)
LIVED = 'Basket()\n.add("tea")'


def on_basket(instance: str, argument: str, outcome: Mapping[str, object]) -> Case:
    arguments = (("instance", instance), ("name", argument))
    return Case("\0000\0.take(\0001\0)", arguments, ("from shop import Basket",), outcome, frozenset(), (), "type")


def test_an_instance_is_brought_into_its_state_line_by_line():
    taken = {"kind": "does", "text": "1", "imports": (), "same": False, "facts": [[".count()", "0"]]}
    drafts = case_drafts(BASKET, [on_basket(LIVED, '"tea"', taken)])
    assert written_tests(drafts)[0].text == (
        f"{MARK}\n"
        "def test_basket_take_changes_count():\n"
        "    basket = Basket()\n"
        '    basket.add("tea")\n'
        '    assert basket.take("tea") == 1\n'
        "    assert basket.count() == 0\n"
    )


def test_rows_share_the_instance_that_is_made_above_them():
    cases = [on_basket(LIVED, name, value(text)) for name, text in (('"tea"', "1"), ('"milk"', "0"))]
    cases.append(on_basket("Basket()", '"tea"', value("0")))
    first, second = (test.text for test in written_tests(case_drafts(BASKET, cases)))
    assert '    basket = Basket()\n    basket.add("tea")\n    assert basket.take(name) == expected\n' in first
    assert '    assert Basket().take("tea") == 0\n' in second


def test_a_refusing_instance_is_made_outside_of_what_is_refused():
    text = written_tests(case_drafts(BASKET, [on_basket(LIVED, '"milk"', refused("no milk is there"))]))[0].text
    assert text.index("basket.add") < text.index("with pytest.raises") < text.index("basket.take")
