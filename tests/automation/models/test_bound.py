"""A model behind cache, budget and transcript; a real backend on a loopback server answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from automation.config_sections import BudgetConfig
from automation.errors import AnswerCut, BudgetSpent, ModelFailed
from automation.models.bound import UNSEEDED, BoundModel
from automation.models.budget import Budget
from automation.models.cache import ResponseCache, question_key
from automation.models.ollama_backend import OllamaBackend
from automation.models.protocol import Answer, Generation, Message, ModelInfo
from automation.models.transcript import Transcript
from tests.automation.models.ollama_server import OllamaServer, Script

HELLO = (Message("user", "Say hello."),)
ROLE = Generation(temperature=0.3, max_tokens=50, context=2048, seed=1)
Opener = Callable[..., BoundModel]


@pytest.fixture
def opened(ollama: OllamaServer, tmp_path: Path) -> Opener:
    def opener(limits: BudgetConfig | None = None, run: str = "r", name: str = "chatter:1b") -> BoundModel:
        return BoundModel(
            OllamaBackend(ollama.url),
            ModelInfo(name, 1, 8192, fim=name == "filler:1b"),
            ROLE,
            budget=Budget(tmp_path / "budget.sqlite", limits or BudgetConfig(), run, lambda: date(2026, 1, 2)),
            cache=ResponseCache(tmp_path / "answers.sqlite"),
            transcript=Transcript(tmp_path / "calls.jsonl", lambda: datetime(2026, 1, 2, tzinfo=UTC)),
        )

    return opener


def entries(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "calls.jsonl").read_text().splitlines()]


def test_role_settings_hold_unless_a_call_says_otherwise(opened: Opener, ollama: OllamaServer) -> None:
    model = opened()
    model.chat(HELLO)
    model.chat(HELLO, temperature=0.9, seed=5, stop=["x"])
    first, second = (body["options"] for body in ollama.state.bodies("/api/chat"))
    assert first == {"num_ctx": 2048, "num_predict": 50, "temperature": 0.3, "seed": 1, "stop": []}
    assert second == {"num_ctx": 2048, "num_predict": 50, "temperature": 0.9, "seed": 5, "stop": ["x"]}


def test_unknown_setting_is_refused(opened: Opener) -> None:
    with pytest.raises(ModelFailed, match="temprature"):
        opened().chat(HELLO, temprature=1)


def test_repeated_question_is_asked_once(opened: Opener, ollama: OllamaServer) -> None:
    model = opened()
    first = model.chat(HELLO)
    again = opened(run="another").chat(HELLO)
    assert again.text == first.text
    assert (first.cached, again.cached, again.seconds) == (False, True, 0.0)
    assert len(ollama.state.bodies("/api/chat")) == 1


def test_other_seed_temperature_or_words_are_other_questions(opened: Opener, ollama: OllamaServer) -> None:
    model = opened()
    model.chat(HELLO)
    model.chat(HELLO, seed=2)
    model.chat(HELLO, temperature=0.0)
    model.chat([Message("user", "Say goodbye.")])
    model.structured(HELLO, {"type": "object"})
    assert len(ollama.state.bodies("/api/chat")) == 5
    assert model.usage.cached == 0


def test_unseeded_answers_are_never_kept(opened: Opener, ollama: OllamaServer) -> None:
    model = opened()
    model.chat(HELLO, seed=UNSEEDED)
    model.chat(HELLO, seed=UNSEEDED)
    assert len(ollama.state.bodies("/api/chat")) == 2


def test_kept_answer_is_streamed_too(opened: Opener) -> None:
    model = opened()
    model.chat(HELLO)
    pieces: list[str] = []
    assert model.chat(HELLO, on_token=pieces.append).text == "".join(pieces)


def test_failed_answer_is_not_kept_and_its_call_is_counted(
    opened: Opener, ollama: OllamaServer, tmp_path: Path
) -> None:
    model = opened()
    ollama.state.scripts.append(Script(error="out of memory", status=500))
    with pytest.raises(ModelFailed):
        model.chat(HELLO)
    with pytest.raises(AnswerCut):
        model.chat(HELLO, max_tokens=1)
    assert model.chat(HELLO).cached is False
    assert model.usage.calls == 3
    assert model.usage.seconds > 0
    assert [entry.get("error", {}).get("type") for entry in entries(tmp_path)] == [  # type: ignore[attr-defined]
        "ModelFailed",
        "AnswerCut",
        None,
    ]


def test_usage_counts_calls_tokens_seconds_and_cached(opened: Opener) -> None:
    model = opened(name="filler:1b")
    one = model.chat(HELLO)
    model.chat(HELLO)
    two = model.complete("a = ", "\n")
    model.embed(["x"])
    usage = model.usage
    assert (usage.calls, usage.cached) == (3, 1)
    assert usage.tokens == one.tokens + two.tokens
    assert usage.prompt_tokens == one.prompt_tokens + two.prompt_tokens


def test_budget_of_a_run_ends_its_calls_and_not_those_of_others(opened: Opener) -> None:
    limits = BudgetConfig(tokens_per_run=10)
    model = opened(limits)
    model.chat(HELLO)
    with pytest.raises(BudgetSpent, match="of this run"):
        model.chat(HELLO, seed=2)
    assert model.chat(HELLO).cached
    assert opened(limits, run="other").chat(HELLO, seed=3).text
    with pytest.raises(BudgetSpent):
        opened(limits).chat(HELLO, seed=4)
    with pytest.raises(BudgetSpent):
        opened(limits).embed(["x"])


def test_budget_of_a_day_counts_all_runs_and_ends_with_the_day(tmp_path: Path) -> None:
    limits = BudgetConfig(tokens_per_day=100)
    day = [date(2026, 1, 2)]
    one = Budget(tmp_path / "b.sqlite", limits, "one", lambda: day[0])
    two = Budget(tmp_path / "b.sqlite", limits, "two", lambda: day[0])
    one.spend(60, 1.0)
    two.spend(60, 1.0)
    for budget in (one, two):
        with pytest.raises(BudgetSpent, match="120 of 100 tokens of this day"):
            budget.remaining_s()
    day[0] = date(2026, 1, 3)
    assert one.remaining_s() == 30 * 60 - 1.0


def test_budget_of_minutes_bounds_the_patience_of_a_call(tmp_path: Path) -> None:
    budget = Budget(tmp_path / "b.sqlite", BudgetConfig(minutes_per_run=1, minutes_per_day=2), "r")
    budget.spend(1, 45.0)
    assert budget.remaining_s() == 15.0
    budget.spend(1, 15.0)
    with pytest.raises(BudgetSpent, match=r"1\.0 of 1 minutes of this run"):
        budget.remaining_s()


def test_budget_is_counted_right_when_many_spend_at_once(tmp_path: Path) -> None:
    def work(run: str) -> None:
        budget = Budget(tmp_path / "new" / "b.sqlite", BudgetConfig(), run)
        for _ in range(10):
            budget.spend(1, 0.5)

    threads = [threading.Thread(target=work, args=(f"run-{number % 2}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with pytest.raises(BudgetSpent, match="80 of 80 tokens"):
        Budget(tmp_path / "new" / "b.sqlite", BudgetConfig(tokens_per_day=80), "x").remaining_s()


def test_transcript_holds_every_call_whole_and_without_secrets(
    opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENUE_API_SECRET", "swordfish-7")
    model = opened()
    answer = model.chat([Message("user", 'it is "swordfish-7", api_key = "abcdef12"')])
    model.chat([Message("user", 'it is "swordfish-7", api_key = "abcdef12"')])
    asked, kept = entries(tmp_path)
    assert asked["question"] == {
        "kind": "chat",
        "messages": [{"role": "user", "content": 'it is "***", api_key = "***"'}],
    }
    assert asked["time"] == "2026-01-02T00:00:00.000+00:00"
    assert asked["answer"]["text"] == answer.text  # type: ignore[index]
    assert kept["answer"]["cached"] is True  # type: ignore[index]
    for name in ("calls.jsonl", "answers.sqlite"):
        assert b"swordfish-7" not in (tmp_path / name).read_bytes()


def test_secret_values_never_reach_the_model(
    opened: Opener, ollama: OllamaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENUE_API_SECRET", "swordfish-7")
    model = opened(name="filler:1b")
    model.chat([Message("user", "swordfish-7")])
    model.structured([Message("user", "swordfish-7")], {"type": "object"})
    model.complete("swordfish-7", "swordfish-7")
    model.embed(["swordfish-7"])
    assert len(ollama.state.calls) >= 4
    assert "swordfish-7" not in json.dumps([call.body for call in ollama.state.calls])


def test_cache_forgets_what_was_unused_for_longest(tmp_path: Path) -> None:
    cache = ResponseCache(tmp_path / "a.sqlite", most=2)
    for key in ("one", "two"):
        cache.put(key, Answer(key, 1, 1, 1.0, "m", "b"))
    assert cache.get("one") is not None
    cache.put("three", Answer("three", 1, 1, 1.0, "m", "b"))
    assert cache.get("two") is None
    kept = cache.get("one")
    assert kept == Answer("one", 1, 1, 0.0, "m", "b", cached=True)


def test_timeout_is_no_part_of_a_question() -> None:
    quick, patient = Generation(timeout_s=1.0), Generation(timeout_s=9.0)
    assert question_key("b", "m", {}, quick) == question_key("b", "m", {}, patient)
    assert question_key("b", "m", {}, quick) != question_key("b", "m", {}, Generation(seed=1))
    assert question_key("b", "m", {}, quick) != question_key("c", "m", {}, quick)
