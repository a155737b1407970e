"""What every backend must do: inherited by the tests of each, with a backend and a model as fixtures."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from automation.errors import AnswerCut, ModelFailed, ModelUnavailable, PromptTooLong
from automation.models.protocol import Backend, Generation, Message

HOW = Generation(max_tokens=64, context=2048, seed=7)
HELLO = (Message("system", "You answer briefly."), Message("user", "Say hello to a friend."))
SCHEMA = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["logic", "type"]},
        "line": {"type": "integer"},
        "words": {"type": "array", "items": {"type": "string", "maxLength": 8}, "minItems": 2, "maxItems": 2},
    },
    "required": ["kind", "line", "words"],
    "additionalProperties": False,
}


class BackendConformance:
    """Tests of the protocol; a subclass gives the fixtures ``backend``, ``model`` and ``filling_model``."""

    def test_chat_answers_and_counts(self, backend: Backend, model: str) -> None:
        answer = backend.chat(model, HELLO, HOW)
        assert answer.text.strip()
        assert answer.prompt_tokens >= 6
        assert 0 < answer.tokens <= HOW.max_tokens
        assert answer.seconds > 0
        assert (answer.model, answer.backend, answer.cached) == (model, backend.name, False)

    def test_stream_brings_the_answer_in_pieces(self, backend: Backend, model: str) -> None:
        pieces: list[str] = []
        answer = backend.chat(model, HELLO, HOW, pieces.append)
        assert len(pieces) > 1
        assert "".join(pieces).strip() == answer.text.strip()

    def test_same_seed_gives_same_answer(self, backend: Backend, model: str) -> None:
        how = replace(HOW, temperature=0.8)
        backend.chat(model, HELLO, how)
        assert backend.chat(model, HELLO, how).text == backend.chat(model, HELLO, how).text

    def test_stop_text_ends_the_answer_and_is_not_part_of_it(self, backend: Backend, model: str) -> None:
        whole = backend.chat(model, HELLO, HOW).text
        stop = whole.split()[1]
        answer = backend.chat(model, HELLO, replace(HOW, stop=(stop,)))
        assert stop not in answer.text
        assert whole.startswith(answer.text)

    def test_structured_answer_fits_its_schema(self, backend: Backend, model: str) -> None:
        question = [Message("user", "Which kind of fault is it, in which line, and in which two words?")]
        value = json.loads(backend.structured(model, question, SCHEMA, replace(HOW, max_tokens=200)).text)
        assert set(value) == {"kind", "line", "words"}
        assert value["kind"] in {"logic", "type"}
        assert len(value["words"]) == 2

    def test_answer_at_its_token_limit_is_refused(self, backend: Backend, model: str) -> None:
        with pytest.raises(AnswerCut, match="3 tokens"):
            backend.chat(model, HELLO, replace(HOW, max_tokens=3))

    def test_prompt_over_the_context_is_refused(self, backend: Backend, model: str) -> None:
        prompt = [Message("user", "price " * 1000)]
        with pytest.raises(PromptTooLong, match="context"):
            backend.chat(model, prompt, replace(HOW, context=600))

    def test_prompt_that_leaves_no_room_for_the_answer_is_refused(self, backend: Backend, model: str) -> None:
        prompt = [Message("user", "price " * 500)]
        with pytest.raises(PromptTooLong):
            backend.chat(model, prompt, replace(HOW, context=600, max_tokens=300))

    def test_missing_model_names_the_command_that_gets_it(self, backend: Backend) -> None:
        for call in (
            lambda: backend.chat("missing:1b", HELLO, HOW),
            lambda: backend.structured("missing:1b", HELLO, SCHEMA, HOW),
            lambda: backend.complete("missing:1b", "a", "b", HOW),
            lambda: backend.embed("missing:1b", ["a"]),
        ):
            with pytest.raises(ModelUnavailable, match="gridbot models pull missing:1b"):
                call()

    def test_wrong_schema_is_refused(self, backend: Backend, model: str) -> None:
        with pytest.raises(ModelFailed):
            backend.structured(model, HELLO, {"type": "nonsense"}, HOW)

    def test_middle_is_filled_between_prefix_and_suffix(self, backend: Backend, filling_model: str) -> None:
        how = replace(HOW, max_tokens=24, stop=("\n",))
        answer = backend.complete(filling_model, "def add(a, b):\n    return ", "\n\nprint(add(1, 2))\n", how)
        assert answer.text.strip()
        assert "\n" not in answer.text
        assert answer.prompt_tokens > 5

    def test_model_without_filling_says_so(self, backend: Backend, model: str) -> None:
        with pytest.raises(ModelUnavailable, match="fill in the middle"):
            backend.complete(model, "a = ", "\n", HOW)

    def test_models_are_listed_with_size_context_and_filling(
        self, backend: Backend, model: str, filling_model: str
    ) -> None:
        infos = {info.name: info for info in backend.models()}
        assert infos[model].bytes > 0
        assert infos[model].context >= 2048
        assert (infos[model].fim, infos[filling_model].fim) == (False, True)

    def test_health_is_good_and_names_the_models(self, backend: Backend, model: str) -> None:
        health = backend.health()
        assert health.ok
        assert model in health.detail
