"""Messages over pipes: a JSON header and byte strings, each with its length in front."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping, Sequence

_LENGTH = struct.Struct(">Q")
LENGTH_BYTES = _LENGTH.size
_CHUNK = 1 << 20


def frame(payload: bytes) -> bytes:
    """Return a byte string with its length in front."""
    return _LENGTH.pack(len(payload)) + payload


def write_message(descriptor: int, header: Mapping[str, object], blobs: Sequence[bytes] = ()) -> None:
    """Write a header and its byte strings to a blocking pipe."""
    text = json.dumps({"blobs": len(blobs), **header}).encode()
    write_all(descriptor, b"".join([frame(text), *map(frame, blobs)]))


def write_all(descriptor: int, payload: bytes) -> None:
    """Write every byte to a blocking descriptor."""
    view = memoryview(payload)
    while view:
        view = view[os.write(descriptor, view[:_CHUNK]) :]


def read_message(descriptor: int) -> tuple[dict[str, object], list[bytes]] | None:
    """Read a header and its byte strings from a blocking pipe; None when the other end is gone."""
    text = _read_frame(descriptor)
    if text is None:
        return None
    header = json.loads(text)
    blobs = []
    for _ in range(int(header["blobs"])):
        blob = _read_frame(descriptor)
        if blob is None:
            return None
        blobs.append(blob)
    return header, blobs


def _read_frame(descriptor: int) -> bytes | None:
    head = _read_exactly(descriptor, LENGTH_BYTES)
    return None if head is None else _read_exactly(descriptor, _LENGTH.unpack(head)[0])


def _read_exactly(descriptor: int, size: int) -> bytes | None:
    parts = []
    while size:
        part = os.read(descriptor, min(size, _CHUNK))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def split_frames(payload: bytes) -> list[bytes]:
    """Return the whole byte strings of a stream; one that was cut at its end is left out."""
    found, at = [], 0
    while at + LENGTH_BYTES <= len(payload):
        (size,) = _LENGTH.unpack_from(payload, at)
        at += LENGTH_BYTES
        if at + size > len(payload):
            break
        found.append(payload[at : at + size])
        at += size
    return found
