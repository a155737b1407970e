"""The sentence set: how it is made, and floors under what is understood of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import pytest

from automation.assistant.examples import load_examples, own_examples
from automation.assistant.normalise import normal
from automation.assistant.router import Router
from automation.registry import gridbot_registry
from benchmarks.assistant import OUTSIDE, SENTENCES, SPLITS, Sentence, Verdict, judge, load_sentences

REGISTRY = gridbot_registry()


def command_of(line: str) -> str:
    names = sorted((command.name for command in REGISTRY), key=len, reverse=True)
    return next(name for name in names if f"{line} ".startswith(f"{name} "))


def judged(router: Router, sentences: Sequence[Sentence]) -> list[Verdict]:
    return [judge(router, sentence, REGISTRY) for sentence in sentences]


def share(verdicts: Sequence[Verdict], what: str, *, known: bool) -> float:
    chosen = [getattr(one, what) for one in verdicts if bool(one.sentence.run) is known]
    return sum(chosen) / len(chosen)


def test_the_set_covers_every_command_and_holds_a_third_back() -> None:
    written, held = load_sentences("written"), load_sentences("held")
    seen = Counter(command_of(line) for sentence in (*written, *held) for line in sentence.run)
    assert len([one for one in (*written, *held) if one.run]) >= 330
    assert len([one for one in (*written, *held) if not one.run]) >= 60
    assert 0.32 <= len(held) / (len(written) + len(held)) <= 0.45
    without = {"sessions stop", "symbols find", "symbols show", "symbols replace", "symbols insert", "symbols rename"}
    assert {command.name for command in REGISTRY if not command.name.startswith("symbols")} - set(seen) <= without


def test_no_held_or_fresh_sentence_is_an_example_of_the_same_author() -> None:
    known = {example.sentence for example in own_examples(REGISTRY)}
    assert not {one.say for split in ("held", "fresh") for one in load_sentences(split) if normal(one.say) in known}


def test_every_example_belongs_to_a_command_and_every_command_has_phrases() -> None:
    assert all(len(command.phrases) >= 3 for command in REGISTRY)
    examples = load_examples(REGISTRY)
    assert min(Counter(example.command for example in examples).values()) >= 4


def test_a_sample_of_all_splits_stays_over_the_goals(router: Router) -> None:
    sample = [one for split in SPLITS for one in load_sentences(split)[::16]]
    verdicts = judged(router, sample)
    assert share(verdicts, "command", known=True) >= 0.95
    assert share(verdicts, "arguments", known=True) >= 0.90
    assert share(verdicts, "refused", known=False) >= 0.90


@pytest.mark.slow
def test_words_alone_understand_most_of_it(words_router: Router) -> None:
    verdicts = judged(words_router, [one for split in SPLITS for one in load_sentences(split)])
    assert share(verdicts, "command", known=True) >= 0.80
    assert share(verdicts, "command", known=False) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
def test_each_split_in_full(split: str, router: Router) -> None:
    verdicts = judged(router, load_sentences(split))
    assert share(verdicts, "command", known=True) >= 0.92
    assert share(verdicts, "arguments", known=True) >= 0.88
    assert share(verdicts, "refused", known=False) >= 0.93


@pytest.mark.slow
def test_people_who_never_saw_the_router_are_understood(router: Router) -> None:
    if not (SENTENCES / f"{OUTSIDE}.json").is_file():
        pytest.skip("no outside sentences are held back here")
    verdicts = judged(router, load_sentences(OUTSIDE))
    assert share(verdicts, "command", known=True) >= 0.88
    assert share(verdicts, "refused", known=False) >= 0.85


def test_no_outside_sentence_that_is_held_back_was_seen() -> None:
    seen = {row["say"] for row in json.loads((SENTENCES / "outside_seen.json").read_text(encoding="utf-8"))}
    assert len(seen) > 1_800
    if (SENTENCES / f"{OUTSIDE}.json").is_file():
        assert not seen & {one.say for one in load_sentences(OUTSIDE)}


@pytest.mark.slow
def test_every_phrase_of_the_registry_leads_to_its_command(router: Router) -> None:
    sentences = [Sentence(phrase, (command.name,)) for command in REGISTRY for phrase in command.phrases]
    assert [one.sentence.say for one in judged(router, sentences) if not one.command] == []
