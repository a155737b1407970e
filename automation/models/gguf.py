"""The head of a GGUF file: which model it is, how much it reads, and whether it fills in the middle.

Source: the GGUF specification, version 3 (ggml-org/ggml, docs/gguf.md).
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from automation.errors import ModelUnavailable

_MAGIC = b"GGUF"
_HEAD = struct.Struct("<4sIQQ")
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_LEAST_VERSION = 2


@dataclass(frozen=True, slots=True)
class FimTokens:
    """The words of a model's vocabulary that mark prefix, suffix and the place to fill."""

    prefix: str
    suffix: str
    middle: str

    def prompt(self, prefix: str, suffix: str) -> str:
        """Return the prompt that asks for the middle."""
        return f"{self.prefix}{prefix}{self.suffix}{suffix}{self.middle}"


# Qwen2.5-Coder, StarCoder, DeepSeek-Coder. The last one writes the hole between prefix and suffix, which comes to the
# same order: begin, prefix, hole, suffix, end.
_KNOWN_FIM = (
    FimTokens("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
    FimTokens("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
    FimTokens("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),
)


@dataclass(frozen=True, slots=True)
class GgufHead:
    """What a model file says of itself.

    Parameters
    ----------
    name : str
        As its maker calls it.
    architecture : str
        Such as ``qwen2`` or ``bert``.
    context : int
        Tokens that it was trained for.
    fim : FimTokens or None
        How to ask it to fill in the middle.
    embeds : bool
        Whether it was made to turn texts into vectors.
    """

    name: str
    architecture: str
    context: int
    fim: FimTokens | None
    embeds: bool


def read_gguf_head(path: Path) -> GgufHead:
    """Read the head of a model file.

    Raises
    ------
    ModelUnavailable
        When the file cannot be read or is no GGUF file.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _head(data, path)
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"cannot read the model file {path}: {error}") from None
    except (struct.error, KeyError, IndexError, UnicodeDecodeError):
        raise ModelUnavailable(f"the model file {path} is damaged; pull it again") from None


def _head(data: mmap.mmap, path: Path) -> GgufHead:
    magic, version, _, count = _HEAD.unpack_from(data, 0) if len(data) >= _HEAD.size else (b"", 0, 0, 0)
    if magic != _MAGIC or version < _LEAST_VERSION:
        raise ModelUnavailable(f"{path} is no GGUF model file of version {_LEAST_VERSION} or later")
    values = dict(_values(data, count))
    architecture = str(values.get("general.architecture", ""))
    words = values.get("tokenizer.ggml.tokens")
    vocabulary = words if isinstance(words, frozenset) else frozenset()
    context = values.get(f"{architecture}.context_length", 0)
    return GgufHead(
        str(values.get("general.name", path.stem)),
        architecture,
        context if isinstance(context, int) else 0,
        next((fim for fim in _KNOWN_FIM if {fim.prefix, fim.suffix, fim.middle} <= vocabulary), None),
        f"{architecture}.pooling_type" in values or "bert" in architecture,
    )


def _values(data: mmap.mmap, count: int) -> Iterator[tuple[str, object]]:
    place = _HEAD.size
    for _ in range(count):
        key, place = _text(data, place)
        (kind,) = struct.unpack_from("<I", data, place)
        value, place = _value(data, place + 4, kind, keep=key == b"tokenizer.ggml.tokens")
        yield key.decode(), value


def _value(data: mmap.mmap, place: int, kind: int, *, keep: bool) -> tuple[object, int]:
    if kind == _STRING:
        text, place = _text(data, place)
        return text.decode("utf-8", "replace"), place
    if kind == _ARRAY:
        return _array(data, place, keep=keep)
    number = struct.Struct("<" + _NUMBERS[kind])
    return number.unpack_from(data, place)[0], place + number.size


def _array(data: mmap.mmap, place: int, *, keep: bool) -> tuple[object, int]:
    kind, count = struct.unpack_from("<IQ", data, place)
    place += 12
    if kind != _STRING:
        return None, place + count * struct.calcsize("<" + _NUMBERS[kind])
    marks = set()
    for _ in range(count):
        text, place = _text(data, place)
        # Of a vocabulary of 150,000 words only the marks matter.
        if keep and b"fim" in text:
            marks.add(text.decode("utf-8", "replace"))
    return frozenset(marks), place


def _text(data: mmap.mmap, place: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from("<Q", data, place)
    end = place + 8 + length
    if end > len(data):
        raise IndexError(end)
    return data[place + 8 : end], end
