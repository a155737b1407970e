"""The Ollama backend against a server that speaks its protocol, with every fault that a network and a model have."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from automation.errors import AnswerCut, ModelFailed, ModelUnavailable, PromptTooLong
from automation.models.ollama_backend import OllamaBackend
from automation.models.protocol import Generation, Message
from tests.automation.models.conformance import HELLO, HOW, SCHEMA, BackendConformance
from tests.automation.models.ollama_server import DEFAULT_CONTEXT, OllamaServer, Script


@pytest.fixture
def backend(ollama: OllamaServer) -> Iterator[OllamaBackend]:
    backend = OllamaBackend(ollama.url, keep_alive="5m")
    yield backend
    backend.close("chatter:1b")


class TestConformance(BackendConformance):
    @pytest.fixture
    def model(self) -> str:
        return "chatter:1b"

    @pytest.fixture
    def filling_model(self) -> str:
        return "filler:1b"


def test_every_call_states_context_limit_seed_and_keep_alive(backend: OllamaBackend, ollama: OllamaServer) -> None:
    backend.chat("chatter:1b", HELLO, HOW)
    backend.complete("filler:1b", "a = ", "\n", HOW)
    for path in ("/api/chat", "/api/generate"):
        (body,) = ollama.state.bodies(path)
        expected = {"num_ctx": 2048, "num_predict": 64, "temperature": 0.0, "seed": 7, "stop": []}
        assert body["options"] == expected
        assert body["keep_alive"] == "5m"


def test_thinking_is_switched_off(backend: OllamaBackend, ollama: OllamaServer) -> None:
    backend.chat("chatter:1b", HELLO, HOW)
    assert ollama.state.bodies("/api/chat")[0]["think"] is False


def test_server_that_rejects_think_is_asked_without_it_from_then_on(
    backend: OllamaBackend, ollama: OllamaServer
) -> None:
    ollama.state.rejects_think = True
    assert backend.chat("chatter:1b", HELLO, HOW).text
    assert backend.chat("chatter:1b", HELLO, HOW).text
    assert ["think" in body for body in ollama.state.bodies("/api/chat")] == [True, False, False]


def test_answer_hidden_in_thinking_is_found(backend: OllamaBackend, ollama: OllamaServer) -> None:
    ollama.state.scripts.append(Script(text="", thinking="the answer is 42"))
    assert backend.chat("chatter:1b", HELLO, HOW).text == "the answer is 42"


def test_json_hidden_in_thinking_is_found(backend: OllamaBackend, ollama: OllamaServer) -> None:
    value = {"kind": "type", "line": 3, "words": ["a", "b"]}
    ollama.state.scripts.append(Script(text="", thinking=f"so I answer {json.dumps(value)} and am done"))
    assert json.loads(backend.structured("chatter:1b", HELLO, SCHEMA, HOW).text) == value


def test_thinking_inside_the_content_is_left_out(backend: OllamaBackend, ollama: OllamaServer) -> None:
    ollama.state.scripts.append(Script(text="<think>\nhm, hm\n</think>\n\nfour"))
    assert backend.chat("chatter:1b", HELLO, HOW).text.strip() == "four"


def test_model_that_says_nothing_fails(backend: OllamaBackend, ollama: OllamaServer) -> None:
    ollama.state.scripts.append(Script(text=""))
    with pytest.raises(ModelFailed, match="answered with nothing"):
        backend.chat("chatter:1b", HELLO, HOW)


def test_broken_format_is_asked_again_without_it_and_both_calls_are_counted(
    backend: OllamaBackend, ollama: OllamaServer
) -> None:
    value = {"kind": "logic", "line": 9, "words": ["x", "y"]}
    ollama.state.scripts += [Script(text="{broken"), Script(text=f"Here it is:\n```json\n{json.dumps(value)}\n```")]
    answer = backend.structured("chatter:1b", HELLO, SCHEMA, HOW)
    assert json.loads(answer.text) == value
    first, second = ollama.state.bodies("/api/chat")
    assert first["format"] == SCHEMA
    assert "format" not in second
    assert answer.prompt_tokens > 40
    assert answer.tokens > 10


def test_format_that_writes_blanks_for_ever_is_asked_again_without_it(
    backend: OllamaBackend, ollama: OllamaServer
) -> None:
    value = {"kind": "logic", "line": 9, "words": ["x", "y"]}
    ollama.state.scripts += [Script(text="a " * 500), Script(text=json.dumps(value))]
    assert json.loads(backend.structured("chatter:1b", HELLO, SCHEMA, HOW).text) == value


def test_broken_format_without_time_left_is_not_asked_again(backend: OllamaBackend, ollama: OllamaServer) -> None:
    with pytest.raises(ModelFailed):
        backend.structured("chatter:1b", HELLO, SCHEMA, replace(HOW, timeout_s=1e-9))
    assert len(ollama.state.bodies("/api/chat")) <= 1


def test_json_that_never_fits_fails_after_one_retry(backend: OllamaBackend, ollama: OllamaServer) -> None:
    ollama.state.scripts += [Script(text='{"kind": "other"}'), Script(text='{"kind": "other"}')]
    with pytest.raises(ModelFailed, match="does not fit the JSON schema"):
        backend.structured("chatter:1b", HELLO, SCHEMA, HOW)
    assert len(ollama.state.bodies("/api/chat")) == 2


def test_nobody_listening_is_unavailable_and_says_how_to_start() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        backend = OllamaBackend(f"http://127.0.0.1:{taken.getsockname()[1]}")
        for call in (
            lambda: backend.chat("chatter:1b", HELLO, HOW),
            lambda: backend.complete("chatter:1b", "a", "b", HOW),
            lambda: backend.embed("chatter:1b", ["a"]),
        ):
            with pytest.raises(ModelUnavailable, match="ollama serve"):
                call()
        assert backend.models() == ()
        assert backend.find("chatter:1b") is None
        assert not backend.answers()
        assert not backend.health().ok


def test_connection_cut_in_mid_answer_fails(backend: OllamaBackend, ollama: OllamaServer) -> None:
    ollama.state.scripts.append(Script(cut_after=3))
    with pytest.raises(ModelFailed, match="connection to Ollama broke"):
        backend.chat("chatter:1b", HELLO, HOW)


def test_stream_that_ends_without_its_last_piece_fails(backend: OllamaBackend, ollama: OllamaServer) -> None:
    ollama.state.scripts.append(Script(silent_end=True))
    with pytest.raises(ModelFailed, match="before the answer's end"):
        backend.chat("chatter:1b", HELLO, HOW)


def test_something_other_than_json_fails(backend: OllamaBackend, ollama: OllamaServer) -> None:
    ollama.state.scripts.append(Script(garbage=True))
    with pytest.raises(ModelFailed, match="broke"):
        backend.chat("chatter:1b", HELLO, HOW)


def test_slow_first_token_ends_at_the_timeout(backend: OllamaBackend, ollama: OllamaServer) -> None:
    hold = threading.Event()
    ollama.state.scripts.append(Script(hold=hold))
    with pytest.raises(ModelFailed, match="in time"):
        backend.chat("chatter:1b", HELLO, replace(HOW, timeout_s=0.1))
    hold.set()


def test_stream_past_its_deadline_ends(backend: OllamaBackend, ollama: OllamaServer) -> None:
    # The clock of the deadline has run out before the first piece comes.
    with pytest.raises(ModelFailed, match="time"):
        backend.chat("chatter:1b", HELLO, replace(HOW, timeout_s=1e-9))


@pytest.mark.parametrize(
    "script", [Script(status=500, error="llama runner has died"), Script(error_in_stream="llama runner has died")]
)
def test_error_of_the_server_fails_with_its_words(backend: OllamaBackend, ollama: OllamaServer, script: Script) -> None:
    ollama.state.scripts.append(script)
    with pytest.raises(ModelFailed, match="llama runner has died"):
        backend.chat("chatter:1b", HELLO, HOW)


def test_cut_completion_is_refused(backend: OllamaBackend, ollama: OllamaServer) -> None:
    ollama.state.scripts.append(Script(text="one two three four"))
    with pytest.raises(AnswerCut):
        backend.complete("filler:1b", "a = ", "\n", replace(HOW, max_tokens=2))


def test_completion_may_be_empty(backend: OllamaBackend, ollama: OllamaServer) -> None:
    ollama.state.scripts.append(Script(text=""))
    assert backend.complete("filler:1b", "a = 1", "\n", HOW).text == ""


def test_lesson_27_prompt_cut_in_silence_by_the_server_is_found_out(
    backend: OllamaBackend, ollama: OllamaServer
) -> None:
    long = [Message("user", "def f(x): return x\n" * 400)]
    ollama.state.scripts.append(Script(text="fine", prompt_tokens=DEFAULT_CONTEXT // 2))
    with pytest.raises(PromptTooLong, match="part of it was lost"):
        backend.chat("chatter:1b", long, replace(HOW, context=8192))


def test_lesson_27_prompt_that_filled_the_context_is_refused(backend: OllamaBackend, ollama: OllamaServer) -> None:
    # Fewer words than fit, but of a vocabulary in which they are more tokens.
    text = [Message("user", "supercalifragilistic " * 300)]
    ollama.state.scripts.append(Script(text="fine", prompt_tokens=600))
    with pytest.raises(PromptTooLong, match="600 tokens"):
        backend.chat("chatter:1b", text, replace(HOW, context=600, max_tokens=64))


def test_lesson_27_older_messages_dropped_by_the_server_are_missed(
    backend: OllamaBackend, ollama: OllamaServer
) -> None:
    turns = [Message("user", "first, " * 300), Message("assistant", "yes"), Message("user", "and now? " * 150)]
    ollama.state.scripts.append(Script(text="fine", prompt_tokens=310))
    with pytest.raises(PromptTooLong):
        backend.chat("chatter:1b", turns, replace(HOW, context=1024))


def test_embedding_refuses_a_text_that_the_server_would_cut(backend: OllamaBackend, ollama: OllamaServer) -> None:
    assert backend.embed("chatter:1b", ["banana", "kiwi"]) == [[6.0, 3.0, 1.0], [4.0, 0.0, 1.0]]
    assert ollama.state.bodies("/api/embed")[0]["truncate"] is False
    with pytest.raises(PromptTooLong):
        backend.embed("chatter:1b", ["word " * 1000])
    assert backend.embed("chatter:1b", []) == []


def test_latest_is_found_without_its_tag(backend: OllamaBackend, ollama: OllamaServer) -> None:
    ollama.state.add("deepseek-coder:latest")
    info = backend.find("deepseek-coder")
    assert info is not None
    assert info.name == "deepseek-coder:latest"


def test_pull_shows_progress_by_bytes(backend: OllamaBackend, ollama: OllamaServer) -> None:
    ollama.state.pullable = ("qwen3:1.7b",)
    steps = list(backend.pull("qwen3:1.7b"))
    assert [(step.done, step.total) for step in steps][1:3] == [(50, 100), (100, 100)]
    assert backend.find("qwen3:1.7b") is not None
    with pytest.raises(ModelFailed, match="does not exist"):
        list(backend.pull("nowhere:1b"))


def test_no_call_reaches_a_proxy(ollama: OllamaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert OllamaBackend(ollama.url).chat("chatter:1b", HELLO, Generation()).text
