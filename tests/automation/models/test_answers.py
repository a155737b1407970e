"""JSON found in answers, and prompts measured."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.errors import ModelFailed, PromptTooLong
from automation.models.json_answers import fitting_json
from automation.models.prompt_sizes import PromptSizes, fewest_tokens

SCHEMA = {"type": "object", "properties": {"line": {"type": "integer"}}, "required": ["line"]}


@pytest.mark.parametrize(
    "text",
    [
        '{"line": 3}',
        '  {"line": 3}\n',
        'Sure!\n```json\n{"line": 3}\n```\nDone.',
        '```\n{"line": 3}\n```',
        'The answer {"line": 3} is final.',
        'first {"column": 1}, then {"line": 3}',
        '{not json} {"line": 3}',
    ],
)
def test_json_is_found_in_an_answer(text: str) -> None:
    assert json.loads(fitting_json(text, SCHEMA)) == {"line": 3}


@pytest.mark.parametrize(
    ("text", "words"),
    [("no json", "no JSON"), ('{"line": "x"}', "line: 'x' is not of type"), ('{"a": 1}', "'line' is a required")],
)
def test_answer_without_fitting_json_says_why(text: str, words: str) -> None:
    with pytest.raises(ModelFailed, match=words):
        fitting_json(text, SCHEMA)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_any_value_between_words_is_found(value: object) -> None:
    wrapped = {"line": 1, "value": value}
    assert json.loads(fitting_json(f"I say {json.dumps(wrapped)} and that is all", SCHEMA)) == wrapped


@given(st.lists(st.sampled_from(["price", "x1", "grid_level", "+", "=="]), max_size=60))
def test_bound_counts_every_word_once(words: list[str]) -> None:
    assert fewest_tokens(" ".join(words)) == len(words)


def test_prompt_that_cannot_fit_is_refused_before_the_call() -> None:
    sizes = PromptSizes()
    sizes.refuse_too_long("a b c", 3, "m")
    with pytest.raises(PromptTooLong, match="at least 4 tokens"):
        sizes.refuse_too_long("a b c d", 3, "m")
    with pytest.raises(PromptTooLong):
        sizes.refuse_too_long("a", -5, "m")


def test_whole_prompt_passes_and_server_without_counts_is_believed() -> None:
    sizes = PromptSizes()
    text = "the quick brown fox " * 50
    sizes.check_whole("m", text, 210, 4000)
    sizes.check_whole("m", text, 0, 4000)


def test_count_under_the_lower_bound_means_that_it_was_cut() -> None:
    with pytest.raises(PromptTooLong, match="part of it was lost"):
        PromptSizes().check_whole("m", "the quick brown fox " * 50, 150, 4000)


def test_rate_learned_from_short_prompts_finds_smaller_cuts() -> None:
    words = "unquestionably " * 40
    long = "unquestionably " * 400
    sizes = PromptSizes()
    # Each word is three tokens of this model; of a long prompt it then read two thirds.
    sizes.check_whole("m", words, 120, 2000)
    sizes.check_whole("m", long, 1200, 2000)
    with pytest.raises(PromptTooLong):
        sizes.check_whole("m", long, 800, 2000)
