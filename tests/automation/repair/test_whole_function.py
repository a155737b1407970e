"""Whole functions: how answers are read, spliced, and answered when they fail for a name, a type or a bracket."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from automation.codebase.sources import SourceFile
from automation.errors import AnswerCut
from automation.repair.asking import Samples
from automation.repair.records import Candidate, Evidence, Place, TextEdit
from automation.repair.whole_function import extract_code, function_candidates
from tests.automation.repair.scenes import ScriptedModel

TEXT = '''\
from functools import cache


class Price:
    """A price."""

    tick = 5

    @cache
    def rounded(self, value: int) -> int:
        """Round down to a tick."""
        # whole ticks only
        ticks = value / self.tick
        return ticks * self.tick


def untouched( a,b ):
    return a  # odd   layout
'''
SOURCE = SourceFile("prices.py", TEXT)
PLACES = (Place("prices.py", 13, "Price.rounded", 1.0),)
EVIDENCE = Evidence(
    ("test_prices.py::test",),
    "assert 7.0 == 5",
    values={"prices.py:13": ("value=7",)},
    test_source="def test():\n    assert Price().rounded(7) == 5\n",
)
RIGHT = (
    "def rounded(self, value):\n    # whole ticks only\n    ticks = value // self.tick\n    return ticks * self.tick\n"
)
MENDED = TEXT.replace("value / self", "value // self")


@dataclass(frozen=True)
class Said:
    exception: str
    reason: str = ""


def _candidates(model: ScriptedModel, samples: int = 0, made: Samples | None = None) -> list[Candidate]:
    return list(
        function_candidates(model, SOURCE, PLACES, EVIDENCE, samples=samples, seed=3, deadline=lambda: 60.0, made=made)
    )


@pytest.mark.parametrize(
    "answer",
    [
        f"Sure.\n```python\n{RIGHT}```\nDone.",
        f"```\n{RIGHT}```",
        f"```python\n{RIGHT}",
        RIGHT,
        f"Here it is:\n\n{RIGHT}\nThis floors the quotient.",
        "```python\nclass Price:\n" + "".join(f"    {line}\n" for line in RIGHT.splitlines()) + "```",
        "```python\ndef other():\n    pass\n\n\n" + RIGHT + "```",
        "```python\ndef other():\n    pass\n```\n```python\n" + RIGHT + "```",
        "```python\n" + RIGHT.replace("\n    ", "\n        ") + "```",
        '```python\n@property\ndef rounded(self, value: float):\n    """Rounds."""\n    '
        + RIGHT.split("\n    ", 1)[1]
        + "```",
    ],
)
def test_answer_is_read_however_it_is_wrapped(answer: str) -> None:
    (candidate,) = _candidates(ScriptedModel([answer]))
    assert candidate.text() == MENDED
    assert (candidate.proposer, candidate.place) == ("function:scripted", PLACES[0])


def test_only_changed_characters_become_edits() -> None:
    (candidate,) = _candidates(ScriptedModel([RIGHT]))
    at = TEXT.index("value / self") + len("value /")
    assert candidate.edits == (TextEdit(at, at, "/"),)


@pytest.mark.parametrize(
    "answer",
    [
        "I cannot help.",
        "```python\nprint(1)\n```",
        "```python\ndef rounded(self, value):\n    return (\n```",
        f"```python\n{TEXT}```",
    ],
)
def test_answer_without_a_usable_change_is_counted_and_dropped(answer: str) -> None:
    made = Samples()
    assert _candidates(ScriptedModel([answer]), made=made) == []
    assert made.unusable >= 1


def test_prompt_holds_function_class_test_failure_and_values() -> None:
    model = ScriptedModel([RIGHT])
    _candidates(model)
    prompt = model.asked[0][0]
    for part in ("class Price:", "tick = 5", "def rounded(self, value: int) -> int:", "assert Price().rounded(7) == 5",
                 "assert 7.0 == 5", "line 13: value=7"):  # fmt: skip
        assert part in prompt
    assert "untouched" not in prompt


def test_name_error_goes_on_with_the_talk_for_two_rounds() -> None:
    wrong = [RIGHT.replace("ticks *", f"tick{number} *") for number in range(9)]
    model = ScriptedModel([f"```python\n{text}```" for text in wrong])
    talk = function_candidates(model, SOURCE, PLACES, EVIDENCE, samples=1, seed=3, deadline=lambda: 60.0)
    next(talk)
    for number in range(2):
        talk.send(Said("NameError", f"name 'tick{number}' is not defined"))
        assert model.asked[-1][0].endswith(f"That fails: name 'tick{number}' is not defined\nWrite it again.")
        assert wrong[number].strip() in model.asked[-1][0]
    talk.send(Said("NameError", "name 'tick2' is not defined"))
    assert "That fails" not in model.asked[-1][0]
    assert model.options[-1]["temperature"] == 0.6


def test_wrong_result_is_drawn_anew_and_never_told() -> None:
    texts = [RIGHT.replace("// self", f"{sign} self") for sign in ("*", "+", "-")]
    model = ScriptedModel(texts)
    talk = function_candidates(model, SOURCE, PLACES, EVIDENCE, samples=2, seed=3, deadline=lambda: 60.0)
    next(talk)
    talk.send(Said("AssertionError", "assert 35 == 5"))
    talk.send(Said("AssertionError", "assert 12 == 5"))
    assert len({prompt for prompt, _ in model.asked}) == 1
    assert [how["temperature"] for how in model.options] == [0.0, 0.6, 0.7]
    assert len({how["seed"] for how in model.options}) == 3


def test_broken_bracket_is_told_without_a_verdict() -> None:
    model = ScriptedModel(["```python\ndef rounded(self, value):\n    return (value\n```", RIGHT])
    (candidate,) = _candidates(model)
    assert candidate.text() == MENDED
    assert "That fails: " in model.asked[1][0]


def test_cut_answer_is_counted_and_the_next_sample_used() -> None:
    made = Samples()
    (candidate,) = _candidates(ScriptedModel([AnswerCut("cut"), RIGHT]), 1, made)
    assert candidate.prior < 0.35
    assert (made.asked, made.cut) == (2, 1)


def test_most_suspicious_function_is_drawn_most_often() -> None:
    source = SourceFile("two.py", "def a(x):\n    return x\n\n\ndef b(x):\n    return x\n")
    places = (Place("two.py", 2, "a", 1.0), Place("two.py", 6, "b", 0.5))
    model = ScriptedModel(lambda prefix, suffix: "none")
    assert list(function_candidates(model, source, places, EVIDENCE, samples=4, seed=1, deadline=lambda: 9.0)) == []
    drawn = ["a" if "function `a`" in prompt else "b" for prompt, _ in model.asked]
    assert drawn[:5] == ["a", "a", "a", "b", "b"]
    assert (drawn.count("a"), drawn.count("b")) == (5, 5)


def test_async_function_is_found_in_an_answer() -> None:
    assert extract_code("```py\nasync def go():\n    pass\n```", "go") == "async def go():\n    pass"
    assert extract_code("```py\ndef gone():\n    pass\n```", "go") is None
