"""The vectors that come with the examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automation.assistant.examples import load_examples
from automation.assistant.opening import sentence_model
from automation.assistant.vectors import Fitted, embedded, read_fitted, write_fitted
from automation.assistant.word_vectors import WordIndex
from automation.registry import gridbot_registry


class Counting:
    """An embedder that counts what it is asked."""

    size = 3

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[str] = []

    def embed(self, texts: list[str]) -> np.ndarray:
        self.asked += texts
        vectors = np.array([[len(text), 1.0, 0.5] for text in texts], dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def fitted_to(sentences: list[str], embedder: Counting) -> Fitted:
    return Fitted(WordIndex.of(sentences), embedder.embed(sentences), np.eye(len(sentences), 4, dtype=np.float32))


def keep(sentences: list[str], model: str, file: Path) -> Fitted:
    fitted = fitted_to(sentences, Counting(model))
    write_fitted(file, "digest", fitted, sentences, model)
    return fitted


def test_only_what_is_not_kept_is_embedded_and_kept_vectors_are_close(tmp_path: Path) -> None:
    file = tmp_path / "vectors.npz"
    keep(["a", "bb"], "one", file)
    counting = Counting("one")
    vectors = embedded(["a", "ccc", "bb"], counting, file)
    assert counting.asked == ["ccc"]
    assert np.allclose(vectors, Counting("one").embed(["a", "ccc", "bb"]), atol=0.01)


def test_vectors_of_another_model_are_not_used(tmp_path: Path) -> None:
    file = tmp_path / "vectors.npz"
    keep(["a"], "one", file)
    other = Counting("other")
    embedded(["a"], other, file)
    assert other.asked == ["a"]


def test_what_is_kept_says_the_same_of_a_sentence_and_only_for_its_own_examples(tmp_path: Path) -> None:
    file = tmp_path / "vectors.npz"
    fitted = keep(["stop the session", "list my sessions", "sell it"], "one", file)
    kept = read_fitted(file, "digest")
    assert kept is not None
    for sentence in ("stop", "my sessions", "something else entirely"):
        assert np.allclose(kept.words.likeness(sentence), fitted.words.likeness(sentence), atol=0.02)
    assert np.allclose(kept.dual, fitted.dual)
    assert kept.words.likeness("list my sessions").argmax() == 1
    assert read_fitted(file, "another") is None


def test_half_a_file_is_no_file(tmp_path: Path) -> None:
    file = tmp_path / "vectors.npz"
    keep(["a"], "one", file)
    file.write_bytes(file.read_bytes()[:200])
    assert read_fitted(file, "digest") is None
    assert embedded(["a"], Counting("one"), file).shape == (1, 3)


def test_the_file_that_comes_along_holds_the_examples_as_the_model_has_them() -> None:
    model = sentence_model()
    if model is None:
        pytest.skip("the sentence model's packages are not installed")
    sentences = [example.sentence for example in load_examples(gridbot_registry())]
    kept_few = sentences[::60]
    kept = embedded(kept_few, model)
    assert (np.sum(kept * model.embed(kept_few), axis=1) > 0.98).all()
