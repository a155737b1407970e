"""Every rule explains the error that it is for, as this Python really words it."""

from __future__ import annotations

import traceback
import warnings
from pathlib import Path

import pytest

from automation.tasks.explain.advice import UNKNOWN, Category, first_advice
from automation.tasks.explain.advice_gridbot import CODES, EXIT_CODES, exit_advice
from automation.tasks.explain.evidence import read_text
from automation.tasks.explain.explaining import RULES, Explanation, explained
from tests.automation.tasks.explained_errors import ENDED, RAISED
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
    found = first_advice(read_text(_told(RAISED[name]), tmp_path).chain, RULES)
    assert found is not None
    assert found[0].rule == name


@pytest.mark.parametrize("name", sorted(ENDED))
def test_an_error_is_explained_by_its_last_lines(name: str, tmp_path: Path) -> None:
    text = f'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\n{ENDED[name]}\n'
    found = first_advice(read_text(text, tmp_path).chain, RULES)
    assert found is not None
    assert found[0].rule == name


def test_every_rule_has_an_error_that_it_explains() -> None:
    assert {rule.name for rule in RULES} == RAISED.keys() | ENDED.keys()
    assert len({rule.name for rule in RULES}) == len(RULES) >= 60


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
