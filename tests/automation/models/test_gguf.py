"""Heads of model files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.errors import ModelUnavailable
from automation.models.gguf import read_gguf_head
from tests.automation.models.gguf_files import write_gguf

QWEN = ["a", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "b"]


def test_head_says_name_context_and_how_to_fill(tmp_path: Path) -> None:
    path = write_gguf(
        tmp_path / "m.gguf",
        {
            "general.architecture": "qwen2",
            "general.name": "A coder",
            "qwen2.context_length": 4096,
            "qwen2.rope": 1.5,
            "tokenizer.ggml.types": [1, 2, 3],
            "tokenizer.ggml.tokens": QWEN,
            "tokenizer.ggml.add_bos_token": False,
        },
    )
    head = read_gguf_head(path)
    assert (head.name, head.architecture, head.context, head.embeds) == ("A coder", "qwen2", 4096, False)
    assert head.fim is not None
    assert head.fim.prompt("P", "S") == "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>"


@pytest.mark.parametrize(
    ("words", "prompt"),
    [
        (["<fim_prefix>", "<fim_suffix>", "<fim_middle>"], "<fim_prefix>P<fim_suffix>S<fim_middle>"),
        (["<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"], "<｜fim▁begin｜>P<｜fim▁hole｜>S<｜fim▁end｜>"),
    ],
)
def test_other_families_mark_the_hole_in_their_own_way(tmp_path: Path, words: list[str], prompt: str) -> None:
    head = read_gguf_head(write_gguf(tmp_path / "m.gguf", {"tokenizer.ggml.tokens": words}))
    assert head.fim is not None
    assert head.fim.prompt("P", "S") == prompt


def test_vocabulary_with_only_some_of_the_marks_cannot_fill(tmp_path: Path) -> None:
    assert read_gguf_head(write_gguf(tmp_path / "m.gguf", {"tokenizer.ggml.tokens": QWEN[:3]})).fim is None


def test_embedding_model_is_known_by_its_pooling(tmp_path: Path) -> None:
    values = {"general.architecture": "bert", "bert.pooling_type": 1, "bert.context_length": 512}
    head = read_gguf_head(write_gguf(tmp_path / "m.gguf", values))
    assert head.embeds
    assert head.context == 512


@pytest.mark.parametrize("content", [b"", b"GGUF", b"not a model at all, not even nearly", b"GGUF" + b"\xff" * 60])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelUnavailable):
        read_gguf_head(path)


def test_missing_file_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="cannot read"):
        read_gguf_head(tmp_path / "none.gguf")


@given(cut=st.integers(0, 200))
def test_cut_file_is_refused_and_never_misread(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("cut") / "m.gguf"
    write_gguf(path, {"general.architecture": "qwen2", "general.name": "x" * 50, "tokenizer.ggml.tokens": QWEN})
    whole = path.read_bytes()
    if cut >= len(whole):
        assert read_gguf_head(path).fim is not None
        return
    path.write_bytes(whole[:cut])
    with pytest.raises(ModelUnavailable):
        read_gguf_head(path)
