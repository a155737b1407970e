"""The vectors that come with the examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automation.assistant.examples import load_examples
from automation.assistant.opening import sentence_model
from automation.assistant.vectors import embedded, write_vectors
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


def test_only_what_is_not_kept_is_embedded_and_kept_vectors_are_close(tmp_path: Path) -> None:
    file = tmp_path / "vectors.npz"
    write_vectors(["a", "bb"], Counting("one"), file)
    counting = Counting("one")
    vectors = embedded(["a", "ccc", "bb"], counting, file)
    assert counting.asked == ["ccc"]
    assert np.allclose(vectors, Counting("one").embed(["a", "ccc", "bb"]), atol=0.01)


def test_vectors_of_another_model_are_not_used(tmp_path: Path) -> None:
    file = tmp_path / "vectors.npz"
    write_vectors(["a"], Counting("one"), file)
    other = Counting("other")
    embedded(["a"], other, file)
    assert other.asked == ["a"]


def test_the_file_that_comes_along_holds_the_examples_as_the_model_has_them() -> None:
    model = sentence_model()
    if model is None:
        pytest.skip("the sentence model's packages are not installed")
    sentences = [example.sentence for example in load_examples(gridbot_registry())]
    kept_few = sentences[::60]
    kept = embedded(kept_few, model)
    assert (np.sum(kept * model.embed(kept_few), axis=1) > 0.98).all()
