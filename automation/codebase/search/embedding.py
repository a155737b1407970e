"""What turns a text into a vector; who does so stands above this folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class SentenceEmbedder(Protocol):
    """A model that gives texts of like meaning vectors of like direction."""

    @property
    def name(self) -> str:
        """Which model; vectors of different names cannot be compared."""
        ...

    @property
    def size(self) -> int:
        """How many numbers one vector has."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector of length 1 a text, as rows of shape ``(len(texts), size)``."""
        ...
