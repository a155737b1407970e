"""The embedded backend: llama.cpp inside this process, with model files of the user's cache."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, perf_counter

from automation.errors import ModelUnavailable, PromptTooLong
from automation.models.catalog import catalog_model
from automation.models.files import ModelFiles
from automation.models.gguf import GgufHead, read_gguf_head
from automation.models.json_answers import fitting_json
from automation.models.llama_engine import SHARED_ENGINE, Json, LlamaEngine, Load, Written
from automation.models.prompt_sizes import fewest_tokens
from automation.models.protocol import Answer, Generation, Health, Message, ModelInfo, Token
from automation.models.texts import answer_text, refuse_cut

_EMBEDDING_CONTEXT = 512
# Of Qwen2.5-Coder: it begins another file where the middle ends.
_FIM_STOPS = ("<|fim_pad|>", "<|file_sep|>", "<|repo_name|>", "<|endoftext|>", "<|fim_prefix|>", "<|cursor|>")


class EmbeddedBackend:
    """Runs GGUF files by llama.cpp.

    Parameters
    ----------
    files : ModelFiles, optional
        Where model files are; None is the user's cache.
    threads : int, optional
        Of computation; None is one fewer than the machine has cores, because llama.cpp waits busily.
    engine : LlamaEngine, optional
        Holds the loaded model; None shares the one of this process.
    """

    name = "embedded"

    def __init__(
        self, files: ModelFiles | None = None, threads: int | None = None, engine: LlamaEngine | None = None
    ) -> None:
        self._files = files or ModelFiles()
        self.threads = threads or max(1, (os.cpu_count() or 2) - 1)
        self._engine = engine or SHARED_ENGINE
        self._heads: dict[Path, GgufHead] = {}

    def chat(self, model: str, messages: Sequence[Message], how: Generation, on_token: Token | None = None) -> Answer:
        """Answer a chat, streaming to ``on_token``."""
        return self._chat(model, messages, how, {}, on_token)

    def structured(
        self, model: str, messages: Sequence[Message], schema: Mapping[str, object], how: Generation
    ) -> Answer:
        """Answer with JSON text that a grammar holds to the schema, and that is validated all the same."""
        held: Json = {"response_format": {"type": "json_schema", "json_schema": {"schema": dict(schema)}}}
        answer = self._chat(model, messages, how, held, None)
        return _with_text(answer, fitting_json(answer.text, schema))

    def complete(self, model: str, prefix: str, suffix: str, how: Generation) -> Answer:
        """Fill in the middle between a prefix and a suffix; what it writes may be nothing."""
        path = self._path(model)
        fim = self._head(path).fim
        if fim is None:
            raise ModelUnavailable(f"{model} cannot fill in the middle; qwen2.5-coder:0.5b and :1.5b can")
        request: Json = {"prompt": fim.prompt(prefix, suffix), "stop": [*how.stop, *_FIM_STOPS]}
        began = perf_counter()
        written = self._write(path, request, how, chat=False, on_token=None)
        refuse_cut(written.finish, model, how.max_tokens)
        return self._answer(model, written, written.text, began)

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector a text; needs a GGUF file of an embedding model, or any that ``models use`` named."""
        if catalog_model(model) is not None:
            raise ModelUnavailable(f"{model} was not made to turn texts into vectors; pull all-minilm with Ollama")
        path = self._path(model)
        head = self._head(path)
        context = min(_EMBEDDING_CONTEXT, head.context or _EMBEDDING_CONTEXT)
        longest = max((fewest_tokens(text) for text in texts), default=0)
        if longest > context:
            raise PromptTooLong(f"a text for {model} has at least {longest} tokens and {context} fit; cut it in pieces")
        load = Load(path, context, self.threads, embeds=True, pooled=head.embeds)
        return self._engine.embed(load, list(texts)) if texts else []

    def models(self) -> tuple[ModelInfo, ...]:
        """List the model files that can be used now."""
        if not _installed():
            return ()
        return tuple(self._info(file.name, file.path) for file in self._files.installed())

    def find(self, model: str) -> ModelInfo | None:
        """Return what is known of one model, by name or by the path of its file, or None."""
        path = self._files.path(model) if _installed() else None
        return None if path is None else self._info(model, path)

    def health(self) -> Health:
        """Say whether the backend can be used."""
        if not _installed():
            return Health(False, "embedded llama.cpp is not installed; `pip install 'gridbot[models]'` has it")
        names = [info.name for info in self.models()]
        if not names:
            hint = "get one with `gridbot models pull qwen2.5-coder:1.5b`"
            return Health(False, f"embedded llama.cpp has no model file in {self._files.folder}; {hint}")
        return Health(True, f"embedded llama.cpp with {', '.join(names)}")

    def close(self, model: str) -> None:
        """Free the memory that a model takes."""
        path = self._files.path(model)
        if path is not None:
            self._engine.free(path)

    def _chat(
        self, model: str, messages: Sequence[Message], how: Generation, more: Json, on_token: Token | None
    ) -> Answer:
        path = self._path(model)
        request: Json = {
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "chat_template_kwargs": {"enable_thinking": False},
            "stop": list(how.stop),
        }
        began = perf_counter()
        written = self._write(path, request | more, how, chat=True, on_token=on_token)
        refuse_cut(written.finish, model, how.max_tokens)
        return self._answer(model, written, answer_text(written.text, written.thinking, model), began)

    def _write(self, path: Path, request: Json, how: Generation, *, chat: bool, on_token: Token | None) -> Written:
        head = self._head(path)
        context = min(how.context, head.context) if head.context else how.context
        if how.max_tokens >= context:
            raise PromptTooLong(f"an answer of {how.max_tokens} tokens leaves no room for a prompt in {context} tokens")
        settings = {
            "temperature": how.temperature,
            "max_tokens": how.max_tokens,
            "seed": how.seed,
            "cache_prompt": True,
        }
        return self._engine.write(
            Load(path, context, self.threads),
            request | settings,
            chat=chat,
            deadline=monotonic() + how.timeout_s,
            room=context - how.max_tokens,
            on_token=on_token or _unheard,
        )

    def _answer(self, model: str, written: Written, text: str, began: float) -> Answer:
        seconds = perf_counter() - began
        return Answer(text, written.prompt_tokens, written.tokens, seconds, model, self.name)

    def _path(self, model: str) -> Path:
        path = self._files.path(model)
        if path is None:
            raise ModelUnavailable(f"there is no model file of {model}; get it with `gridbot models pull {model}`")
        return path

    def _head(self, path: Path) -> GgufHead:
        if path not in self._heads:
            self._heads[path] = read_gguf_head(path)
        return self._heads[path]

    def _info(self, name: str, path: Path) -> ModelInfo:
        known = catalog_model(name)
        size = path.stat().st_size
        if known is not None:
            return ModelInfo(name, size, known.context, known.fim)
        head = self._head(path)
        return ModelInfo(name, size, head.context, head.fim is not None)


def _installed() -> bool:
    return find_spec("xllamacpp") is not None


def _unheard(_: str) -> None:
    return None


def _with_text(answer: Answer, text: str) -> Answer:
    return Answer(text, answer.prompt_tokens, answer.tokens, answer.seconds, answer.model, answer.backend)
