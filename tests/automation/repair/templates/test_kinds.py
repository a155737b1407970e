import ast

import pytest

from automation.repair.templates.kinds import compatible, kind_of, kind_of_repr, variable_kinds


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        ("[1, 2]", "list"),
        ("deque([1])", "list"),
        ("{'a': 1}", "dict"),
        ("{}", "dict"),
        ("{1, 2}", "set"),
        ("{'a'}", "set"),
        ("set()", "set"),
        ("(1,)", "tuple"),
        ("'a'", "text"),
        ("b'a'", "text"),
        ("-1.5", "number"),
        ("inf", "number"),
        ("True", "bool"),
        ("None", "none"),
        ("<function f at 0x1>", "function"),
        ("Order(1)", ""),
    ],
)
def test_repr_tells_the_kind(shown: str, kind: str):
    assert kind_of_repr(shown) == kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("[x for x in y]", "list"),
        ("len(y)", "number"),
        ("a < b", "bool"),
        ("'a' + b", "text"),
        ("b - a", "number"),
        ("sorted(y)[1:]", "list"),
        ("name.lower()", "text"),
        ("1 if a else b", "number"),
        ("unknown(y)", ""),
        ("not a", "bool"),
    ],
)
def test_expression_tells_the_kind(code: str, kind: str):
    assert kind_of(ast.parse(code, mode="eval").body, {}) == kind


def test_uses_tell_the_kinds_of_variables_and_values_seen_count_more():
    text = (
        "def f(rows, table, n: int, word):\n"
        "    found = []\n"
        "    for i in range(n):\n"
        "        found.append(table.get(i))\n"
        "    for row in rows: word.strip()\n"
    )
    nodes = list(ast.walk(ast.parse(text)))
    kinds = variable_kinds(nodes, {})
    expected = {"found": "list", "i": "number", "table": "dict", "n": "number", "word": "text", "rows": "container"}
    assert {name: kinds[name] for name in expected} == expected
    assert variable_kinds(nodes, {"rows": "text"})["rows"] == "text"


def test_likeness_of_kinds_is_symmetric_and_highest_for_the_same():
    kinds = ["", "number", "text", "list", "bool", "container", "dict"]
    for one in kinds:
        for other in kinds:
            assert compatible(one, other) == compatible(other, one)
            assert compatible(one, other) <= 1.0
    assert compatible("list", "list") > compatible("list", "container") > compatible("list", "number")
