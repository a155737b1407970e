"""Every rule explains the error that it is for, as this Python really words it."""

from __future__ import annotations

import traceback
import warnings
from pathlib import Path

import pytest

from automation.tasks.explain.advice import UNKNOWN, Category, first_advice
from automation.tasks.explain.advice_gridbot import CODES, EXIT_CODES, exit_advice
from automation.tasks.explain.advice_words import CHECKER_RULES, WORD_RULES
from automation.tasks.explain.evidence import read_text
from automation.tasks.explain.explaining import RULES, Explanation, explained
from tests.automation.tasks.explained_errors import CHECKED, ENDED, RAISED, SAID, THROUGH_PANDAS
from trading import errors
from trading.errors import ExitCode, GridBotError


def _explained(text: str, root: Path) -> Explanation:
    return explained(read_text(text, root), root, root / "home", root / "home")


def _told(code: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(code, {"__name__": "__main__"})
    except BaseException:  # noqa: BLE001 - all of them are meant
        return traceback.format_exc()
    raise AssertionError(f"nothing was raised by {code}")


@pytest.mark.parametrize("name", sorted(RAISED))
def test_an_error_that_is_raised_here_is_explained_by_its_rule(name: str, tmp_path: Path) -> None:
    assert _explained(_told(RAISED[name]), tmp_path).advice.rule == name


@pytest.mark.parametrize("name", sorted(ENDED))
def test_an_error_is_explained_by_its_last_lines(name: str, tmp_path: Path) -> None:
    text = f'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\n{ENDED[name]}\n'
    found = first_advice(read_text(text, tmp_path).chain, RULES)
    assert found is not None
    assert found[0].rule == name


def test_every_rule_has_an_error_that_it_explains() -> None:
    assert {rule.name for rule in RULES} == RAISED.keys() | ENDED.keys() | {"table-label"}
    assert {rule.name for rule in WORD_RULES} == SAID.keys()
    assert {rule.name for rule in CHECKER_RULES} == CHECKED.keys()
    names = [rule.name for rule in (*RULES, *WORD_RULES, *CHECKER_RULES)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", sorted(SAID))
def test_what_a_program_says_without_an_exception_is_explained(name: str, tmp_path: Path) -> None:
    advice = _explained(SAID[name], tmp_path).advice
    assert advice.rule == name
    assert not any("{" in sentence or "  " in sentence for sentence in (advice.cause, *advice.fixes))


@pytest.mark.parametrize("name", sorted(CHECKED))
def test_a_checkers_line_is_explained_at_its_place(name: str, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("total = 1\n")
    found = _explained(f"shop.py:1:3: {CHECKED[name]}", tmp_path)
    assert found.advice.rule == name
    assert (found.places[0].path, found.places[0].line, found.places[0].column) == ("shop.py", 1, 3)


def test_a_key_that_a_table_lacks_is_no_key_of_a_mapping(tmp_path: Path) -> None:
    assert _explained(THROUGH_PANDAS, tmp_path).advice.rule == "table-label"


def test_a_code_beside_an_exception_is_told_too(tmp_path: Path) -> None:
    found = _explained("WARNING E005 agent macd raised ZeroDivisionError: division by zero", tmp_path)
    assert found.advice.rule == "division-zero"
    assert any(note.startswith("E005") for note in found.evidence.notes)


def test_the_article_fits_the_word(tmp_path: Path) -> None:
    cause = _explained("AttributeError: 'Item' object has no attribute 'prize'", tmp_path).advice.cause
    assert cause == "An Item has no attribute prize."


def test_words_of_the_programs_own_lead_to_the_line_that_says_them(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        'import logging\nlogging.error("could not load candles from %s, %d tries", 1, 2)\n'
    )
    found = _explained("2026-01-02 03:04:05 ERROR shop could not load candles from x.csv, 3 tries", tmp_path)
    assert (found.advice.rule, found.places[0].path, found.places[0].line) == ("own-words", "shop.py", 2)


def test_a_refusal_of_the_code_itself_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("def total(rows):\n    if not rows:\n        raise ValueError('no rows here')\n")
    trace = (
        'Traceback (most recent call last):\n  File "shop.py", line 3, in total\n    raise\nValueError: no rows here\n'
    )
    assert _explained(trace, tmp_path).advice.cause == "total itself refuses this, with a `raise`."


def test_a_librarys_own_exception_is_the_librarys_refusal(tmp_path: Path) -> None:
    advice = _explained("locale.Error: unsupported locale setting", tmp_path).advice
    assert (advice.rule, advice.category) == ("library", Category.EXTERNAL)
    assert "locale" in advice.cause


def test_a_merge_that_was_left_behind_is_seen_in_the_source(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("x = 1\n<<<<<<< HEAD\ny = 2\n=======\ny = 3\n>>>>>>> b\n")
    trace = (
        'Traceback (most recent call last):\n  File "shop.py", line 2\n    <<<<<<< HEAD\nSyntaxError: invalid syntax\n'
    )
    assert _explained(trace, tmp_path).advice.rule == "conflict-marks"


def test_a_plain_assert_shows_its_check(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("total = 3\nassert total == 4, 'wrong'\n")
    trace = 'Traceback (most recent call last):\n  File "shop.py", line 2, in <module>\n    x\nAssertionError: wrong\n'
    assert _explained(trace, tmp_path).advice.cause == "The check `total == 4` did not hold."


def test_a_compiled_functions_own_line_is_found_in_numbas_words(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("def f(x):\n    y = 'a'\n    return y\nf(1)\n")
    trace = (
        'Traceback (most recent call last):\n  File "shop.py", line 4, in <module>\n    f(1)\n'
        "numba.core.errors.TypingError: Failed in nopython mode pipeline\n"
        f"Cannot unify int64 and unicode_type for 'y', defined at {tmp_path}/shop.py (2)\n"
    )
    assert _explained(trace, tmp_path).places[0].line == 2


def test_a_missing_module_of_ones_own_is_not_to_be_installed(tmp_path: Path) -> None:
    (tmp_path / "src/shop").mkdir(parents=True)
    (tmp_path / "src/shop/prices.py").write_text("def candles(): ...\n")
    found = _explained("ModuleNotFoundError: No module named 'shop.prizes'", tmp_path)
    assert found.meant == ("shop.prices",)
    assert "this repository's own" in found.advice.cause
    named = _explained("ImportError: cannot import name 'candels' from 'shop.prices' (x.py)", tmp_path)
    assert named.meant == ("candles",)


@pytest.mark.parametrize("name", sorted(ENDED))
def test_no_sentence_is_left_with_a_gap(name: str, tmp_path: Path) -> None:
    advice = _explained(ENDED[name].partition("\n")[0], tmp_path).advice
    for sentence in (advice.cause, *advice.fixes):
        assert "{" not in sentence.replace('{"', "")
        assert "  " not in sentence
        assert sentence.endswith((".", "`", ")", ENDED[name][-10:]))


def test_the_cause_is_explained_and_not_what_it_led_to(tmp_path: Path) -> None:
    code = "try:\n    {}['price']\nexcept KeyError as error:\n    raise RuntimeError('no row') from error"
    assert _explained(_told(code), tmp_path).advice.rule == "key-missing"


def test_words_of_the_message_stand_in_the_cause(tmp_path: Path) -> None:
    advice = _explained("TypeError: total() got an unexpected keyword argument 'fees'", tmp_path).advice
    assert advice.cause == "total takes no argument called fees."


@pytest.mark.parametrize(
    ("module", "package"), [("yaml", "pyyaml"), ("sklearn.svm", "scikit-learn"), ("some_thing", "some-thing")]
)
def test_a_missing_module_names_the_package_that_brings_it(module: str, package: str, tmp_path: Path) -> None:
    advice = _explained(f"ModuleNotFoundError: No module named '{module}'", tmp_path).advice
    assert f"`pip install {package}`" in advice.fixes[0]


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_of_the_trading_wing_is_explained(code: str, tmp_path: Path) -> None:
    found = _explained(f"gridbot: [{code}] something went wrong at the exchange", tmp_path)
    assert found.advice.rule == code
    assert found.evidence.code == code


def test_the_codes_are_those_that_the_trading_wing_has() -> None:
    known = {each.code for each in vars(errors).values() if isinstance(each, type) and issubclass(each, GridBotError)}
    assert known - {None} == set(CODES)


def test_the_exit_codes_of_gridbot_are_explained() -> None:
    assert {int(code) for code in ExitCode} <= EXIT_CODES.keys()


@pytest.mark.parametrize(
    ("text", "code", "category"),
    [
        ("137", 137, Category.RESOURCE),
        ("-11", -11, Category.CRASH),
        ("Process finished with exit code 130", 130, Category.INTERRUPTED),
        ("make: *** [Makefile:12: test] Killed", 137, Category.RESOURCE),
        ("Segmentation fault (core dumped)", 139, Category.CRASH),
        ("bash: gridbott: command not found", 127, Category.FILES),
        ("exited with code 4", 4, Category.RISK),
        ("killed by signal 15", 143, Category.INTERRUPTED),
        ("exit status 77", 77, Category.UNKNOWN),
    ],
)
def test_exit_messages_are_explained(text: str, code: int, category: Category, tmp_path: Path) -> None:
    found = _explained(text, tmp_path)
    assert found.evidence.exit_code == code
    assert found.advice.category is category


def test_a_signal_is_the_same_whoever_counts() -> None:
    assert exit_advice(-9) == exit_advice(137)
    assert "signal 12" in exit_advice(140).cause


def test_an_error_of_gridbots_own_speaks_for_itself(tmp_path: Path) -> None:
    found = _explained("trading.errors.DataError: x.csv holds no candles; name another file", tmp_path)
    assert found.advice.category is Category.DATA
    assert "x.csv holds no candles; name another file" in found.advice.cause


def test_what_has_no_known_shape_is_said_to_be_unknown(tmp_path: Path) -> None:
    assert _explained("the moon is full tonight", tmp_path).advice is UNKNOWN
