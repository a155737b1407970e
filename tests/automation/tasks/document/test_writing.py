"""Docstrings for what has none: said when the code says more than the name, left to a person otherwise."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.codebase.sources import SourceFile
from automation.errors import EditRefused
from automation.tasks.document.insertion import keyed_places, require_same_code, with_docstrings
from automation.tasks.document.requests import Style
from automation.tasks.document.sentences import says_more
from automation.tasks.document.words import Writer, deadline_in
from automation.tasks.document.writing import Draft, Item, docstring_text
from tests.automation.tasks.document.scenes import ScriptedModel, docs, documented, planned

_FEE = """def fee(amount: float, rate: float, timeout_s: float = 3.0) -> float:
    # the rate comes first
    if rate < 0:
        raise ValueError("negative")
    return amount * rate
"""


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (_FEE, "Return ``amount * rate``."),
        ("def is_empty(rows):\n    return not rows\n", "Return whether ``not rows``."),
        (
            "def has_gap(rows):\n    return any(row > 3 for row in rows)\n",
            "Return whether ``row > 3`` holds for any ``row`` of ``rows``.",
        ),
        (
            "def positive(rows):\n    for row in rows:\n        if row > 0:\n            yield row\n",
            "Yield each of ``rows`` where ``row > 0``.",
        ),
        (
            "def extremes(rows):\n    low, high = min(rows), max(rows)\n    return low, high\n",
            "Return ``low`` and ``high``.",
        ),
        ("class Side(Enum):\n    BUY = 1\n    SELL = 2\n", "One of `BUY` or `SELL`."),
        ("@dataclass\nclass Order:\n    side: str\n    lots: int\n", "Holds side and lots."),
        (
            "class Late(ValueError):\n    pass\n\n\ndef check(age):\n    if age > 3:\n        raise Late\n",
            "Raised by `check` when ``age > 3``.",
        ),
        (
            (
                "@contextmanager\ndef opened(path):\n    handle = open(path)\n"
                "    try:\n        yield handle\n    finally:\n        handle.close()\n"
            ),
            "Run a block with ``handle``, and ``handle.close()`` at its end, whatever happens.",
        ),
    ],
)
def test_code_that_says_more_than_the_name_is_put_into_a_sentence(tmp_path: Path, code: str, sentence: str) -> None:
    name = next(node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef | ast.ClassDef))
    assert docs(documented(tmp_path, code))[name].partition("\n\n")[0].replace("\n", " ") == sentence


@pytest.mark.parametrize(
    "code",
    [
        "def handle(order):\n    order.lots = 3\n    order.send()\n",
        "def set_lots(order, lots):\n    order.lots = lots\n",
        "class Grid:\n    def __init__(self, lots):\n        self.lots = lots\n",
        "def price(order):\n    return order.price\n",
        "class Late(Exception):\n    pass\n",
        "def secret(rows):\n    return _weights[0] * 2\n",
    ],
)
def test_what_says_nothing_is_left_out_and_listed_for_a_person(tmp_path: Path, code: str) -> None:
    plan = planned(tmp_path, f'"""Module."""\n\n{code}')
    assert not plan.drafts
    assert [each.why for each in plan.open] == ["no docstring: neither its code nor its name says enough"]


def test_sections_hold_units_defaults_and_conditions(tmp_path: Path) -> None:
    assert docs(documented(tmp_path, _FEE))["fee"] == (
        "Return ``amount * rate``.\n\nParameters\n----------\namount : float\nrate : float\n"
        "timeout_s : float, default 3.0\n    In seconds.\n\nRaises\n------\nValueError\n    When ``rate < 0``."
    )


def test_google_layout_has_the_same_facts(tmp_path: Path) -> None:
    assert docs(documented(tmp_path, _FEE, Style.GOOGLE))["fee"] == (
        "Return ``amount * rate``.\n\nArgs:\n    amount (float):\n    rate (float):\n"
        "    timeout_s (float): In seconds.\n\nRaises:\n    ValueError: When ``rate < 0``."
    )


def test_shapes_and_the_meaning_of_none_come_from_the_code(tmp_path: Path) -> None:
    doc = docs(documented(tmp_path, (
        "def spread(prices, window_s: int | None = None):\n    rows, columns = prices.shape\n"
        "    if window_s is None:\n        window_s = 2 * rows\n    low, high = prices.min(), prices.max()\n"
        "    return low, high\n"
    )))["spread"]  # fmt: skip
    assert "prices\n    Shape (rows, columns)." in doc
    assert "window_s : int | None\n    In seconds. None takes ``2 * rows``." in doc


def test_words_of_the_repository_are_used_again(tmp_path: Path) -> None:
    told = '    """Tell.\n\n    Parameters\n    ----------\n    lots : int\n        How much to trade.\n    """\n'
    code = f"def first(lots: int):\n{told}\n\ndef second(lots: int):\n    return lots * 2 + 1\n"
    assert "lots : int\n    How much to trade." in docs(documented(tmp_path, code))["second"]


def test_comments_shebang_one_line_bodies_and_line_ends_stay(tmp_path: Path) -> None:
    code = (
        "#!/usr/bin/env python\n# Licence.\n\nimport os\n\n\ndef twice(n): return n * 2\n\n\n"
        "class Side(Enum):\n    # first\n    A = 1\n"
    )
    text = documented(tmp_path, code)
    assert text.startswith('#!/usr/bin/env python\n# Licence.\n\n"""Defines `twice` and `Side`."""\n\nimport os\n')
    assert 'def twice(n):\n    """Return ``n * 2``."""\n    return n * 2\n' in text
    assert 'class Side(Enum):\n    """One of `A`."""\n\n    # first\n    A = 1\n' in text


def test_model_words_it_and_the_code_gives_the_facts(tmp_path: Path) -> None:
    said = {"summary": "Calculates what the venue takes", "parameters": {"amount": "what is traded", "rate": "share"}}
    model = ScriptedModel({"fee": said})
    doc = docs(documented(tmp_path, _FEE, writer=Writer(model, deadline_in(60))))["fee"]
    assert doc.startswith("Calculate what the venue takes.\n")
    assert "amount : float\n    What is traded." in doc
    assert "When ``rate < 0``." in doc


@pytest.mark.parametrize(
    ("summary", "parameters", "reason"),
    [
        ("What the venue takes", {"price": "what is traded"}, "price, which the signature does not have"),
        ("What the venue takes, or a KeyError", {}, "exceptions"),
        ("Return the fee", {}, "no more than the name"),
        ("x" * 299, {}, "300 characters"),
        ("What the venue takes", {"rate": "r" * 200}, "too much of a parameter"),
    ],
)
def test_words_of_a_model_that_do_not_hold_are_refused(
    tmp_path: Path, summary: str, parameters: dict[str, str], reason: str
) -> None:
    writer = Writer(ScriptedModel({"fee": {"summary": summary, "parameters": parameters}}), deadline_in(60))
    doc = docs(documented(tmp_path, _FEE, writer=writer))["fee"]
    assert doc.startswith("Return ``amount * rate``.")
    assert reason in writer.refused[0]


def test_no_secret_reaches_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENUE_TOKEN", "tok-5551234")
    model = ScriptedModel({"sign": {"summary": "Sign a message for the venue", "parameters": {}}})
    code = 'def sign(message):\n    api_key = "abcdef123456"\n    return message + api_key + "tok-5551234"\n'
    documented(tmp_path, code, writer=Writer(model, deadline_in(60)))
    assert model.questions
    assert not any(secret in question for question in model.questions for secret in ("abcdef123456", "tok-5551234"))


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\x00\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), min_size=1)
)
def test_any_words_survive_in_a_literal(words: str) -> None:
    summary = " ".join(words.split()) or "x"
    text = docstring_text(Draft(summary, (Item("a", "int", summary),)), Style.NUMPY, "    ", 80)
    doc = ast.literal_eval(text)
    assert "".join(doc.partition("\n\n")[0].split()) == "".join(summary.split())


def test_an_edit_that_touches_code_is_refused() -> None:
    source = SourceFile("a.py", "def f():\n    return 1\n")
    with pytest.raises(EditRefused, match="change its code"):
        require_same_code(source, SourceFile("a.py", "def f():\n    '''Doc.'''\n    return 2\n"))
    with pytest.raises(EditRefused, match="defines no"):
        with_docstrings(source, keyed_places(source), {"g:1": '"""Doc."""'}, {})


@pytest.mark.parametrize(
    ("sentence", "name", "says"),
    [
        ("Return the orders.", "orders", False),
        ("Gets order values.", "Grid.get_order", False),
        ("Return the open orders.", "orders", True),
    ],
)
def test_a_sentence_has_to_say_more_than_the_name(sentence: str, name: str, says: bool) -> None:
    assert says_more(sentence, name) is says
