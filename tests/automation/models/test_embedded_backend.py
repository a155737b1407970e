"""The embedded backend with real models, where the user has pulled them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from automation.errors import ModelFailed, ModelUnavailable, PromptTooLong
from automation.models.embedded_backend import EmbeddedBackend
from automation.models.files import ModelFiles
from automation.models.llama_engine import LlamaEngine
from automation.models.protocol import Message
from tests.automation.models.conformance import HELLO, HOW, BackendConformance

pytest.importorskip("xllamacpp", reason="embedded llama.cpp is not installed")

SMALL = "smollm2:135m"
FILLING = "qwen2.5-coder:0.5b"


@pytest.fixture(scope="module")
def engine() -> Iterator[LlamaEngine]:
    engine = LlamaEngine()
    yield engine
    engine.free()


@pytest.fixture
def backend(linked_models: Path, engine: LlamaEngine) -> EmbeddedBackend:
    return EmbeddedBackend(ModelFiles(linked_models), threads=1, engine=engine)


@pytest.fixture
def model(linked_models: Path) -> str:
    return _at_hand(SMALL, linked_models)


@pytest.fixture
def filling_model(linked_models: Path) -> str:
    return _at_hand(FILLING, linked_models)


def _at_hand(name: str, folder: Path) -> str:
    if not (folder / (name.replace(":", "-") + ".gguf")).is_file():
        pytest.skip(f"{name} is not here; `gridbot models pull {name}` gets it")
    return name


class TestConformance(BackendConformance):
    pass


def test_timeout_ends_a_call_while_it_reads(backend: EmbeddedBackend, model: str) -> None:
    with pytest.raises(ModelFailed, match="timeout"):
        backend.chat(model, [Message("user", "price " * 400)], replace(HOW, timeout_s=1e-3))


def test_interrupt_in_a_callback_is_not_swallowed(backend: EmbeddedBackend, model: str) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backend.chat(model, HELLO, HOW, interrupt)
    assert backend.chat(model, HELLO, HOW).text


def test_nothing_is_printed_by_the_engine(
    backend: EmbeddedBackend, model: str, capfd: pytest.CaptureFixture[str]
) -> None:
    backend.close(model)
    backend.chat(model, HELLO, HOW)
    backend.close(model)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_one_model_at_a_time_is_in_memory(
    backend: EmbeddedBackend, model: str, filling_model: str, engine: LlamaEngine
) -> None:
    backend.chat(model, HELLO, HOW)
    assert engine.loaded is not None
    assert engine.loaded.name == "smollm2-135m.gguf"
    backend.complete(filling_model, "a = ", "\n", replace(HOW, stop=("\n",)))
    assert engine.loaded.name == "qwen2.5-coder-0.5b.gguf"
    backend.close(model)
    assert engine.loaded is not None
    backend.close(filling_model)
    assert engine.loaded is None


def test_calls_of_several_threads_wait_for_each_other(backend: EmbeddedBackend, model: str) -> None:
    alone = backend.chat(model, HELLO, HOW).text
    texts: list[str] = []
    threads = [threading.Thread(target=lambda: texts.append(backend.chat(model, HELLO, HOW).text)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == [alone] * 3


@pytest.mark.slow
def test_prompt_prefix_stays_in_the_cache_between_calls(backend: EmbeddedBackend, model: str) -> None:
    prefix = "The grid holds " + ", ".join(f"level {number}" for number in range(60)) + "."
    how = replace(HOW, max_tokens=200)
    backend.close(model)
    schema = {"const": "ok"}
    cold = backend.structured(model, [Message("user", prefix + " One?")], schema, how)
    warm = backend.structured(model, [Message("user", prefix + " Two?")], schema, how)
    assert warm.prompt_tokens == cold.prompt_tokens
    assert warm.text == cold.text == '"ok"'


def test_answer_that_cannot_leave_room_for_any_prompt_is_refused(backend: EmbeddedBackend, model: str) -> None:
    with pytest.raises(PromptTooLong, match="no room"):
        backend.chat(model, HELLO, replace(HOW, max_tokens=2048))


def test_file_is_asked_for_by_its_path(backend: EmbeddedBackend, model: str, linked_models: Path) -> None:
    path = str(linked_models / "smollm2-135m.gguf")
    info = backend.find(path)
    assert info is not None
    assert (info.context, info.fim) == (8192, False)
    assert backend.chat(path, HELLO, HOW).text == backend.chat(model, HELLO, HOW).text


def test_vectors_come_from_a_named_file_and_not_from_a_writing_model_of_the_catalogue(
    backend: EmbeddedBackend, model: str, linked_models: Path
) -> None:
    with pytest.raises(ModelUnavailable, match="all-minilm"):
        backend.embed(model, ["a"])
    path = str(linked_models / "smollm2-135m.gguf")
    cat, kitten, engine = backend.embed(path, ["the cat sleeps", "the kitten sleeps", "matrix multiplication"])
    assert len(cat) == 576
    assert _dot(cat, kitten) > _dot(cat, engine)
    with pytest.raises(PromptTooLong):
        backend.embed(path, ["word " * 1000])


def test_health_without_files_says_how_to_get_one(tmp_path: Path) -> None:
    health = EmbeddedBackend(ModelFiles(tmp_path)).health()
    assert not health.ok
    assert "gridbot models pull" in health.detail


def test_threads_leave_one_core_free(tmp_path: Path) -> None:
    assert EmbeddedBackend(ModelFiles(tmp_path)).threads == max(1, (os.cpu_count() or 2) - 1)


def test_damaged_file_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF\x03\x00\x00\x00" + bytes(16) + b"\xff" * 64)
    with pytest.raises(ModelUnavailable):
        EmbeddedBackend(ModelFiles(tmp_path), engine=LlamaEngine()).chat(str(path), HELLO, HOW)


def _dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
