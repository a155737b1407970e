"""What was fitted to the examples, made beforehand: the sentence model would need seconds for all at first use.

``python -m automation.assistant.vectors`` writes it anew after examples or phrases changed; until then sentences
without a vector are embedded when they are needed, so that an old file costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from automation.assistant.word_vectors import WordIndex
from automation.codebase.search.embedding import SentenceEmbedder

KEPT = Path(__file__).with_name("vectors.npz")
_STEPS = 127.0

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What sentences are compared with.

    Parameters
    ----------
    words : WordIndex
        The examples by their words.
    meanings : ndarray of float32, shape (examples, size)
        Vectors of length 1; of size 0 without a sentence model.
    dual : ndarray of float32, shape (examples, commands)
        How much likeness to an example speaks for each command.
    """

    words: WordIndex
    meanings: Vectors
    dual: Vectors


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
    known = _known(kept, embedder.name)
    missing = [sentence for sentence in dict.fromkeys(sentences) if _key(sentence) not in known]
    made = dict(zip(missing, embedder.embed(missing), strict=True)) if missing else {}
    rows = [made[sentence] if sentence in made else known[_key(sentence)] for sentence in sentences]
    vectors: Vectors = np.asarray(rows, dtype=np.float32)
    return vectors


def read_fitted(file: Path, digest: str) -> Fitted | None:
    """Return what was fitted, if the file holds it for this digest of examples."""
    try:
        with file.open("rb") as raw, np.load(raw) as kept:
            if str(kept["digest"]) != digest:
                return None
            meanings = kept["numbers"].astype(np.float32)
            dual, rarity = kept["dual"].astype(np.float32), kept["rarity"].astype(np.float32)
            counts, places = kept["counts"].astype(np.int64), kept["places"].astype(np.int64)
            values = kept["values"].astype(np.float32) / _STEPS
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        # none, or half a file of a process that was killed; it is made anew
        return None
    meanings /= np.maximum(np.linalg.norm(meanings, axis=1, keepdims=True), 1e-9)
    return Fitted(WordIndex(rarity, np.cumsum([0, *counts]), places, values, len(dual)), meanings, dual)


def write_fitted(file: Path, digest: str, fitted: Fitted, sentences: Sequence[str], model: str) -> None:
    """Keep what was fitted, one byte a number where that is enough.

    Parameters
    ----------
    file : Path
        Where to; written whole or not at all.
    digest : str
        Of the examples.
    fitted : Fitted
        Fitted to them.
    sentences : sequence of str
        The examples, by which single vectors are found again.
    model : str
        Name of the sentence model; empty for none.
    """
    scale = np.abs(fitted.meanings).max(axis=1, keepdims=True, initial=1e-9)
    words = fitted.words
    arrays = {
        "digest": np.array(digest), "model": np.array(model),
        "keys": np.array([_key(sentence) for sentence in sentences], dtype=np.uint64),
        "numbers": np.rint(fitted.meanings / scale * _STEPS).astype(np.int8),
        "dual": fitted.dual.astype(np.float16), "rarity": words.rarity.astype(np.float16),
        "counts": np.diff(words.starts).astype(np.uint16), "places": words.places.astype(np.uint16),
        "values": np.rint(words.values * _STEPS).astype(np.uint8),
    }  # fmt: skip
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as part:
        np.savez_compressed(part, **arrays)
    made = Path(part.name)
    # a temporary file is for its owner alone; what comes along with the package is for all
    made.chmod(0o644)
    made.replace(file)


def _known(kept: Path, model: str) -> dict[int, Vectors]:
    try:
        with kept.open("rb") as raw, np.load(raw) as file:
            if str(file["model"]) != model:
                return {}
            numbers = file["numbers"].astype(np.float32)
            keys = file["keys"].tolist()
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return {}
    numbers /= np.linalg.norm(numbers, axis=1, keepdims=True)
    return dict(zip(keys, numbers, strict=True))


def _key(sentence: str) -> int:
    return int.from_bytes(hashlib.blake2b(sentence.encode(), digest_size=8).digest(), "big")


def main() -> int:
    """Write the file anew and return the exit code."""
    from automation.assistant.classify import command_names
    from automation.assistant.examples import load_examples
    from automation.assistant.nearest import Neighbours
    from automation.models.sentences import MiniLm
    from automation.registry import gridbot_registry

    commands = list(gridbot_registry())
    # elsewhere than beside the package, where what is fitted on the way would stay
    with tempfile.TemporaryDirectory() as folder:
        Neighbours(load_examples(commands), command_names(commands), MiniLm(), Path(folder)).write(KEPT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
