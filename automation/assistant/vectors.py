"""The examples' vectors, made beforehand: the sentence model would need seconds for all of them at first use.

``python -m automation.assistant.vectors`` writes them anew after examples or phrases changed; a sentence without one is
embedded when it is needed, so that an old file costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from automation.codebase.search.embedding import SentenceEmbedder

KEPT = Path(__file__).with_name("vectors.npz")
_STEPS = 127.0

Vectors = NDArray[np.float32]


def embedded(sentences: Sequence[str], embedder: SentenceEmbedder, kept: Path = KEPT) -> Vectors:
    """Return the vectors of sentences, those kept from the file, the others from the model.

    Parameters
    ----------
    sentences : sequence of str
        In normal form.
    embedder : SentenceEmbedder
        Whose vectors they are.
    kept : Path
        The file.

    Returns
    -------
    ndarray of float32, shape (len(sentences), size)
        Of length 1.
    """
    known = _read(kept, embedder.name)
    missing = [sentence for sentence in dict.fromkeys(sentences) if _key(sentence) not in known]
    made = dict(zip(missing, embedder.embed(missing), strict=True)) if missing else {}
    rows = [made[sentence] if sentence in made else known[_key(sentence)] for sentence in sentences]
    vectors: Vectors = np.asarray(rows, dtype=np.float32)
    return vectors


def write_vectors(sentences: Sequence[str], embedder: SentenceEmbedder, kept: Path = KEPT) -> None:
    """Embed sentences and keep their vectors, one byte a number."""
    unique = sorted(dict.fromkeys(sentences))
    vectors = embedder.embed(unique)
    scale = np.abs(vectors).max(axis=1, keepdims=True)
    numbers = np.rint(vectors / scale * _STEPS).astype(np.int8)
    keys = np.array([_key(sentence) for sentence in unique], dtype=np.uint64)
    np.savez_compressed(kept, model=np.array(embedder.name), keys=keys, numbers=numbers)


def _read(kept: Path, model: str) -> dict[int, Vectors]:
    try:
        with np.load(kept) as file:
            if str(file["model"]) != model:
                return {}
            numbers = file["numbers"].astype(np.float32)
            keys = file["keys"].tolist()
    except (OSError, ValueError, KeyError):
        return {}
    numbers /= np.linalg.norm(numbers, axis=1, keepdims=True)
    return dict(zip(keys, numbers, strict=True))


def _key(sentence: str) -> int:
    return int.from_bytes(hashlib.blake2b(sentence.encode(), digest_size=8).digest(), "big")


def main() -> int:
    """Write the file anew and return the exit code."""
    from automation.assistant.examples import load_examples
    from automation.models.sentences import MiniLm
    from automation.registry import gridbot_registry

    write_vectors([example.sentence for example in load_examples(gridbot_registry())], MiniLm())
    return 0


if __name__ == "__main__":
    sys.exit(main())
