"""Small GGUF files, written by the specification."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path


def write_gguf(path: Path, values: Mapping[str, object], *, magic: bytes = b"GGUF", version: int = 3) -> Path:
    body = b"".join(_text(key) + _value(value) for key, value in values.items())
    path.write_bytes(struct.pack("<4sIQQ", magic, version, 0, len(values)) + body)
    return path


def _text(text: str) -> bytes:
    content = text.encode()
    return struct.pack("<Q", len(content)) + content


def _value(value: object) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    assert isinstance(value, list)
    if value and isinstance(value[0], str):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_text, value))
    return struct.pack("<IIQ", 9, 5, len(value)) + b"".join(struct.pack("<i", item) for item in value)
