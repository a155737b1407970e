"""Fill-in-the-middle: what the model sees, what becomes of its answers, and when asking ends."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from automation.codebase.sources import SourceFile
from automation.config_sections import AutomationConfig
from automation.errors import AnswerCut, BudgetSpent, ModelFailed, ModelUnavailable, PromptTooLong
from automation.models.catalog import catalog_model
from automation.models.files import models_folder
from automation.models.selection import open_model
from automation.repair.asking import Samples
from automation.repair.fill_in import fill_in_candidates
from automation.repair.records import Candidate, Evidence, Place
from tests.automation.repair.scenes import ScriptedModel

TEXT = """\
import math


def mean(values):
    total = 0
    for value in values:
        total = value  # add
    return total / len(values)


def other():
    return math.pi
"""
PLACES = (Place("means.py", 7, "mean", 1.0), Place("means.py", 8, "mean", 0.8), Place("means.py", 6, "mean", 0.6))
EVIDENCE = Evidence(("t",), "assert 1 == 2", test_source="def test():\n    assert mean([1, 3]) == 2\n")
SOURCE = SourceFile("means.py", TEXT)


def _all(model: ScriptedModel, made: Samples | None = None, **options: object) -> list[Candidate]:
    settings = {"samples": 1, "seed": 5, "deadline": lambda: 60.0, "made": made, **options}
    return list(fill_in_candidates(model, SOURCE, PLACES, EVIDENCE, **settings))  # type: ignore[arg-type]


def test_masked_line_is_written_again_and_its_comment_stays() -> None:
    model = ScriptedModel(
        lambda prefix, suffix: "total += value" if suffix.startswith("\n    return total /") else "pass"
    )
    found = next(candidate for candidate in _all(model) if "+=" in candidate.text())
    assert found.text() == TEXT.replace("total = value  # add", "total += value  # add")
    assert (found.proposer, found.place.line, found.place.score) == ("fim:scripted", 7, 1.0)
    assert found.description == "line becomes: total += value"


def test_prompt_holds_the_function_its_example_and_not_the_masked_line() -> None:
    model = ScriptedModel(lambda prefix, suffix: "pass")
    _all(model, samples=0)
    prefix, suffix = next(asked for asked in model.asked if asked[0].endswith("in values:\n        "))
    assert "# mean([1, 3]) == 2\n" in prefix
    assert "total = value" not in prefix + suffix
    assert "other" not in prefix + suffix
    assert suffix == "\n    return total / len(values)\n"
    told = next(prefix for prefix, _ in model.asked if "# not: total = value\n" in prefix)
    assert told.endswith("# not: total = value\n        ")
    assert [len(how["stop"]) for how in model.options] == [1] * len(model.options)
    assert {how["max_tokens"] for how in model.options} == {40, 48}


def test_gap_takes_a_guard_of_two_lines() -> None:
    def answer(prefix: str, suffix: str) -> str:
        opened = prefix.endswith("    ") and suffix.startswith("\n    return total")
        return "if not values:\n        return 0\n" if opened else "total = value"

    texts = [candidate.text() for candidate in _all(ScriptedModel(answer))]
    assert TEXT.replace("    return total", "    if not values:\n        return 0\n    return total") in texts


def test_equal_repeated_and_unparsable_answers_are_dropped() -> None:
    made = Samples()
    answers = iter(["total = value", "total +=+= value", "return total", "return total"])
    found = _all(ScriptedModel(lambda prefix, suffix: next(answers, ")")), made)
    assert made.unusable == made.asked - len(found)
    assert len({candidate.text() for candidate in found}) == len(found)
    for candidate in found:
        ast.parse(candidate.text())


def test_greedy_answers_come_before_samples_and_repeat_themselves() -> None:
    first, second = (ScriptedModel(lambda prefix, suffix: "pass") for _ in range(2))
    assert [c.text() for c in _all(first, samples=2)] == [c.text() for c in _all(second, samples=2)]
    assert first.options == second.options
    temperatures = [how["temperature"] for how in first.options]
    warm = [at for at, value in enumerate(temperatures) if value]
    assert warm
    assert not any(temperatures[: warm[0]])
    assert {temperatures[at] for at in warm} == {0.6, 0.75}


@pytest.mark.parametrize("failure", [AnswerCut("cut"), PromptTooLong("long")])
def test_cut_answer_costs_one_sample_only(failure: Exception) -> None:
    made = Samples()
    replies = iter([failure, "total += value"])
    found = _all(ScriptedModel(lambda prefix, suffix: next(replies, "pass")), made)
    assert made.cut == 1
    assert made.asked > 2
    assert found


@pytest.mark.parametrize("failure", [BudgetSpent("spent"), ModelUnavailable("gone")])
def test_spent_budget_or_missing_model_ends_the_asking(failure: Exception) -> None:
    made = Samples()
    assert _all(ScriptedModel(lambda prefix, suffix: failure), made) == []
    assert (made.asked, bool(made.ended)) == (1, True)


def test_third_failure_in_a_row_ends_the_asking() -> None:
    made = Samples()
    replies = iter([ModelFailed("one"), "pass", *[ModelFailed("more")] * 9])
    _all(ScriptedModel(lambda prefix, suffix: next(replies)), made)
    assert (made.asked, made.failed) == (5, 4)


def test_nothing_is_asked_without_time_or_without_fim() -> None:
    late, plain = ScriptedModel(["pass"]), ScriptedModel(["pass"], fim=False)
    assert _all(late, deadline=lambda: 0.2) == []
    assert _all(plain) == []
    assert late.asked == plain.asked == []


def test_file_that_does_not_parse_is_filled_in_by_line() -> None:
    source = SourceFile("broken.py", "def one()\n    return 1\n")
    model = ScriptedModel(lambda prefix, suffix: "def one():" if "return 1" in suffix else "x")
    place = Place("broken.py", 1, "", 1.0)
    found = fill_in_candidates(model, source, [place], EVIDENCE, samples=0, seed=1, deadline=lambda: 60.0)
    assert next(found).text() == "def one():\n    return 1\n"


def test_windows_line_ends_and_missing_last_newline_stay() -> None:
    source = SourceFile("w.py", "def f(x):\r\n    y = x\r\n    return x")
    model = ScriptedModel(lambda prefix, suffix: "z = 1")
    place = Place("w.py", 3, "f", 1.0)
    texts = [
        candidate.text()
        for candidate in fill_in_candidates(model, source, [place], EVIDENCE, samples=0, seed=1, deadline=lambda: 60.0)
    ]
    assert "def f(x):\r\n    y = x\r\n    z = 1" in texts
    assert "def f(x):\r\n    y = x\r\n    z = 1\r\n    return x" in texts
    assert "def f(x):\r\n    y = x\r\n    return x\r\n    z = 1" in texts


@pytest.mark.slow
def test_real_model_mends_a_line_that_its_test_contradicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = catalog_model("qwen2.5-coder:0.5b")
    assert known is not None
    file = models_folder() / known.filename
    if not file.is_file():
        pytest.skip("qwen2.5-coder:0.5b is not here; get it with `gridbot models pull qwen2.5-coder:0.5b`")
    (tmp_path / known.filename).symlink_to(file)
    monkeypatch.setenv("GRIDBOT_MODELS", str(tmp_path))
    model = open_model(AutomationConfig(), "qwen2.5-coder:0.5b")
    assert model is not None
    assert model.fim
    try:
        found = fill_in_candidates(model, SOURCE, PLACES, EVIDENCE, samples=1, seed=1, deadline=lambda: 60.0)
        assert any(_mean(candidate)([1, 3]) == 2 for candidate in found)
    finally:
        model.close()


def _mean(candidate: Candidate) -> Callable[[list[int]], float]:
    scope: dict[str, Callable[[list[int]], float]] = {}
    exec(candidate.text(), scope)
    return lambda values: _value(scope["mean"], values)


def _value(function: Callable[[list[int]], float], values: list[int]) -> float:
    try:
        return function(values)
    except (NameError, TypeError, ZeroDivisionError):
        return float("nan")
