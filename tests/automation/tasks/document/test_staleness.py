"""Stale docstrings are mended entry by entry, and a person's words stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from automation.tasks.document.layout import style_of
from automation.tasks.document.requests import Style
from tests.automation.tasks.document.scenes import docs, documented, planned, planner_of

_NUMPY = '''def clamp(value, low, high_s: int):
    """Keep a value inside.

    Parameters
    ----------
    value : float
        The human's own words
        on two lines.
    minimum, low : float
        Not under this.

    Returns
    -------
    float
        Inside.

    Raises
    ------
    GoneError
        Never now.
    """
    return max(low, min(value, high_s))
'''
_GOOGLE = '''def clamp(value, low: int):
    """Keep a value inside.

    Args:
        value (float): The human's own words
            on two lines.
        gone: Not any more.
        low (str): Not under this.

    Returns:
        float: Inside.
    """
    return max(low, value)
'''


def test_entries_come_and_go_with_the_signature_and_words_stay(tmp_path: Path) -> None:
    assert docs(documented(tmp_path, _NUMPY))["clamp"] == (
        "Keep a value inside.\n\nParameters\n----------\nvalue : float\n    The human's own words\n    on two lines.\n"
        "low : float\n    Not under this.\nhigh_s : int\n    In seconds.\n\nReturns\n-------\nfloat\n    Inside."
    )


def test_google_entries_and_a_wrong_type_are_mended(tmp_path: Path) -> None:
    assert docs(documented(tmp_path, _GOOGLE))["clamp"] == (
        "Keep a value inside.\n\nArgs:\n    value (float): The human's own words\n        on two lines.\n"
        "    low (int): Not under this.\n\nReturns:\n    float: Inside."
    )


def test_a_second_look_finds_nothing(tmp_path: Path) -> None:
    for text in (_NUMPY, _GOOGLE):
        plan = planned(tmp_path, documented(tmp_path, text))
        assert not plan.mends


def test_a_parameter_that_was_renamed_keeps_its_words(tmp_path: Path) -> None:
    parameters = "    Parameters\n    ----------\n    price : int\n        Of it.\n"
    code = f'def show(price_ticks):\n    """Show.\n\n{parameters}    """\n'
    doc = docs(documented(tmp_path, code + "    return price_ticks\n"))["show"]
    assert "price_ticks : int\n    Of it." in doc


def test_words_that_may_be_about_a_new_parameter_are_left_to_a_person(tmp_path: Path) -> None:
    parameters = "    Parameters\n    ----------\n    price : int\n        Of it.\n"
    plan = planned(tmp_path, f'def show(lots):\n    """Show.\n\n{parameters}    """\n    return lots\n')
    assert not plan.mends
    assert "whether the words on price (gone) are about lots (new)" in [each.why for each in plan.open]


def test_words_move_with_a_parameter_that_takes_many_now(tmp_path: Path) -> None:
    parameters = "    Parameters\n    ----------\n    price_list : list\n        Of them.\n"
    code = f'def show(*prices):\n    """Show.\n\n{parameters}    """\n    return prices\n'
    plan = planned(tmp_path, code.replace("*prices", "*list_of"))
    assert [each.what for each in plan.written if each.name == "show"] == [
        "docstring mended: parameter price_list is now list_of"
    ]
    assert not planned(tmp_path, code).mends


def test_what_a_new_parameter_means_is_asked_of_a_person(tmp_path: Path) -> None:
    code = 'def show(a, b):\n    """Show.\n\n    Parameters\n    ----------\n    a : int\n        Of it.\n    """\n'
    plan = planned(tmp_path, code + "    return a\n")
    assert [each.why for each in plan.open if each.name == "show"] == ["what the parameter b means"]


def test_an_exception_that_is_raised_anew_is_listed_with_its_condition(tmp_path: Path) -> None:
    code = (
        'def show(a):\n    """Show.\n\n    Raises\n    ------\n    ValueError\n        When it is odd.\n    """\n'
        "    if a > 3:\n        raise KeyError(a)\n    return int(a)\n"
    )
    doc = docs(documented(tmp_path, code))["show"]
    assert doc.endswith("ValueError\n    When it is odd.\nKeyError\n    When ``a > 3``.")


@pytest.mark.parametrize(
    "code",
    [
        # what is called may raise it
        "def f(a):\n    {doc}\n    return g(a)\n",
        # a promise of others
        "class P(Protocol):\n    def f(self, a):\n        {doc}\n        ...\n",
        # a base class stands for it
        "class Own(ValueError):\n    '''Own.'''\n\n\ndef f(a):\n    {doc}\n    if a > 3:\n        raise Own\n",
    ],
)
def test_an_exception_stays_where_it_may_be_raised(tmp_path: Path, code: str) -> None:
    doc = '"""Do it.\n\n        Raises\n        ------\n        ValueError\n            When odd.\n        """'
    assert not planned(tmp_path, '"""Module."""\n\n' + code.format(doc=doc)).mends


@pytest.mark.parametrize(
    "signature",
    ["a, **keywords", "a, *rest"],
)
def test_stars_and_free_keywords_are_understood(tmp_path: Path, signature: str) -> None:
    star = signature.split(", ")[1]
    code = (
        f'def f({signature}):\n    """Do it.\n\n    Parameters\n    ----------\n    a : int\n        One.\n    {star}\n'
        '        Others.\n    """\n    return a\n'
    )
    assert not planned(tmp_path, code).mends


def test_fields_of_a_base_class_are_no_mistake(tmp_path: Path) -> None:
    parameters = "    Parameters\n    ----------\n    of_base : int\n        One.\n"
    code = f'@dataclass\nclass Child(Base):\n    """It.\n\n{parameters}    """\n\n    own: int\n'
    assert not planned(tmp_path, code).mends


def test_the_layout_is_the_repositorys_own() -> None:
    numpy, google = "Do.\n\nParameters\n----------\na : int\n    One.", "Do.\n\nArgs:\n    a: One."
    assert style_of([google, google, numpy]) is Style.GOOGLE
    assert style_of([google, numpy]) is Style.NUMPY


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"# -*- coding: latin-1 -*-\n# \xe4\n"])
def test_line_ends_tabs_and_encodings_stay(tmp_path: Path, start: bytes) -> None:
    new = b"def twice(count_s: int):\n\treturn count_s * 2\n\n\n"
    listed = b"\tParameters\n\t----------\n\ta : int\n\t\tOf it.\n\tb : int\n\t\tGone.\n"
    stale = b'def show(a):\n\t"""Show.\n\n' + listed + b'\t"""\n\treturn a\n'
    before = (start + new + stale).replace(b"\n", b"\r\n")
    (tmp_path / "code.py").write_bytes(before)
    planner = planner_of(tmp_path)
    after = planner.text(planner.plan(planner.ground.files["code.py"])).content
    assert after.startswith(start.replace(b"\n", b"\r\n"))
    assert after.count(b"\n") == after.count(b"\r\n") > before.count(b"\n")
    assert b'def twice(count_s: int):\r\n\t"""Return ``count_s * 2``.\r\n\r\n\tParameters\r\n' in after
    assert b'a : int\r\n\t\tOf it.\r\n\t"""\r\n' in after
