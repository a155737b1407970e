"""One model of embedded llama.cpp in memory, shared by everything in this process.

Two models at once would compete for the same cores, and llama.cpp waits busily: so loading one frees the other.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from automation.errors import ModelFailed, ModelUnavailable, PromptTooLong

if TYPE_CHECKING:
    import xllamacpp

# Between two batches a call hears of its timeout and of Ctrl-C.
_BATCH = 256
_CACHED_PROMPTS_MIB = 256
_TOO_LONG = "exceed_context_size_error"

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Load:
    """What is loaded and how.

    Parameters
    ----------
    path : Path
        GGUF file.
    context : int
        Tokens of prompt and answer together.
    threads : int
        Of computation.
    embeds : bool
        Whether it turns texts into vectors instead of writing.
    pooled : bool
        Whether the file says how to make one vector of many; else their mean is taken.
    """

    path: Path
    context: int
    threads: int
    embeds: bool = False
    pooled: bool = False

    def serves(self, wanted: Load) -> bool:
        """Return whether this load answers what another was wanted for."""
        same = (self.path, self.threads, self.embeds) == (wanted.path, wanted.threads, wanted.embeds)
        return same and self.context >= wanted.context


@dataclass(slots=True)
class Written:
    """What came back of one call."""

    text: str = ""
    thinking: str = ""
    finish: str | None = None
    prompt_tokens: int = 0
    tokens: int = 0


class LlamaEngine:
    """Holds at most one loaded model; calls wait for each other."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._load: Load | None = None
        self._server: xllamacpp.Server | None = None

    def write(
        self, load: Load, request: Json, *, chat: bool, deadline: float, room: int, on_token: Callable[[str], None]
    ) -> Written:
        """Run one streamed request.

        Parameters
        ----------
        load : Load
            Model that is wanted.
        request : dict
            As the llama.cpp server takes it.
        chat : bool
            Whether ``request`` has messages, not a raw prompt.
        deadline : float
            On the monotonic clock.
        room : int
            Most tokens of the prompt.
        on_token : callable
            Gets each piece of text.

        Raises
        ------
        PromptTooLong, ModelFailed, ModelUnavailable
            As every backend does.
        """
        asked = request | {"stream": True, "return_progress": True, "stream_options": {"include_usage": True}}
        with self._serving(load) as server:
            stream = _Stream(deadline, room, on_token)
            handle = server.handle_chat_completions if chat else server.handle_completions
            try:
                handle(asked, stream)
            except ValueError as error:
                raise ModelFailed(f"llama.cpp refused the question: {error}") from None
            return stream.result()

    def embed(self, load: Load, texts: list[str]) -> list[list[float]]:
        """Return one vector a text."""
        with self._serving(load) as server:
            answer = server.handle_embeddings({"input": texts})
        _raise_error(answer)
        return [[float(number) for number in item["embedding"]] for item in answer["data"]]

    def free(self, path: Path | None = None) -> None:
        """Give the memory back, if it holds that file, or whatever it holds."""
        with self._lock:
            if self._load is not None and path in {None, self._load.path}:
                self._server = None
                self._load = None

    @property
    def loaded(self) -> Path | None:
        """The file in memory."""
        return None if self._load is None else self._load.path

    @contextmanager
    def _serving(self, wanted: Load) -> Iterator[xllamacpp.Server]:
        with self._lock:
            if self._server is None or self._load is None or not self._load.serves(wanted):
                self.free()
                self._server = _server(wanted)
                self._load = wanted
            yield self._server


SHARED_ENGINE = LlamaEngine()


class _Stream:
    """Hears the pieces of an answer; to return True ends the call. llama.cpp swallows what is raised in here."""

    def __init__(self, deadline: float, room: int, on_token: Callable[[str], None]) -> None:
        self._written = Written()
        self._deadline = deadline
        self._room = room
        self._on_token = on_token
        self._error: BaseException | None = None

    def __call__(self, piece: Json) -> bool:
        try:
            self._hear(piece)
        except BaseException as error:  # noqa: BLE001 - it is raised again by `result`, outside llama.cpp
            self._error = error
        return self._error is not None

    def result(self) -> Written:
        if self._error is not None:
            raise self._error
        if self._written.finish is None:
            raise ModelFailed("llama.cpp ended the answer without saying why; ask again")
        return self._written

    def _hear(self, piece: Json) -> None:
        _raise_error(piece)
        if monotonic() > self._deadline:
            raise ModelFailed("the model took longer than its timeout; raise timeout_s or ask for less")
        progress, usage = piece.get("prompt_progress"), piece.get("usage")
        if isinstance(progress, dict) and progress["total"] > self._room:
            raise PromptTooLong(
                f"the prompt has {progress['total']} tokens, of which {self._room} fit beside the answer;"
                " shorten it or raise the role's context"
            )
        if isinstance(usage, dict):
            self._written.prompt_tokens = usage["prompt_tokens"]
            self._written.tokens = usage["completion_tokens"]
        choices = piece.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            self._hear_choice(choice)

    def _hear_choice(self, choice: Mapping[str, object]) -> None:
        delta = choice.get("delta")
        parts = delta if isinstance(delta, dict) else {"content": choice.get("text")}
        text, thinking = str(parts.get("content") or ""), str(parts.get("reasoning_content") or "")
        self._written.text += text
        self._written.thinking += thinking
        finish = choice.get("finish_reason")
        self._written.finish = finish if isinstance(finish, str) else self._written.finish
        if text:
            self._on_token(text)


def _server(load: Load) -> xllamacpp.Server:
    try:
        import xllamacpp
    except ImportError:
        raise ModelUnavailable("embedded llama.cpp is not installed; `pip install 'gridbot[models]'` has it") from None
    params = xllamacpp.CommonParams()
    params.model.path = str(load.path)
    params.n_ctx = load.context
    params.n_batch = params.n_ubatch = _BATCH
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = load.threads
    params.cache_ram_mib = _CACHED_PROMPTS_MIB
    # What it may use is said here: it must neither shrink the context to fit nor speak on our stderr.
    params.fit_params = False
    params.warmup = False
    params.verbosity = -1
    # It listens on loopback; nobody but us knows the key.
    params.api_keys = [secrets.token_hex(16)]
    params.endpoint_slots = False
    if load.embeds:
        params.embedding = True
        if not load.pooled:
            params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    try:
        return xllamacpp.Server(params)
    except (RuntimeError, ValueError) as error:
        raise ModelUnavailable(f"llama.cpp cannot load {load.path}: {error}; pull the model again") from None


def _raise_error(piece: Json) -> None:
    error = piece.get("error")
    if not isinstance(error, dict):
        return
    if error.get("type") == _TOO_LONG:
        raise PromptTooLong(
            f"the prompt has {error.get('n_prompt_tokens')} tokens and the model's context {error.get('n_ctx')};"
            " shorten it or raise the role's context"
        )
    raise ModelFailed(f"llama.cpp failed: {str(error.get('message'))[:300]}")
