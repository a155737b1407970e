"""Bytes for Arrow's threads."""

from __future__ import annotations

import numpy as np
import pyarrow as pa


def arrow_owned(content: bytes) -> pa.BufferReader:
    """Return a reader over a copy of bytes that Arrow owns.

    A worker thread of Arrow may let go of its input a moment after the read has returned. Bytes that Python owns need
    the interpreter then, and in a process that is just ending that aborts it.
    """
    buffer = pa.allocate_buffer(len(content))
    np.frombuffer(buffer, np.uint8)[:] = np.frombuffer(content, np.uint8)
    return pa.BufferReader(buffer)
