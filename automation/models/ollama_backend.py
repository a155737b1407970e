"""The Ollama backend: models of a server that the user runs."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from time import monotonic, perf_counter

import ollama

from automation.errors import AnswerCut, AutomationError, ModelFailed, ModelUnavailable, PromptTooLong
from automation.models.json_answers import fitting_json
from automation.models.ollama_calls import Heard, OllamaServer, hear
from automation.models.prompt_sizes import PromptSizes
from automation.models.protocol import Answer, Generation, Health, Message, ModelInfo, Token
from automation.models.texts import answer_text, refuse_cut
from trading.commands import Progress

_LIST_TIMEOUT_S = 10.0
_PULL_TIMEOUT_S = 600.0


class OllamaBackend:
    """Talks to an Ollama server.

    Parameters
    ----------
    url : str
        Where it listens.
    keep_alive : str
        How long it keeps a model in memory after a call.
    timeout_s : float
        Patience with one embedding call.
    """

    name = "ollama"

    def __init__(self, url: str, keep_alive: str = "10m", timeout_s: float = 120.0) -> None:
        self._server = OllamaServer(url)
        self._keep_alive = keep_alive
        self._timeout_s = timeout_s
        self._sizes = PromptSizes()
        # Models whose server refused to be told not to think.
        self._no_think: set[str] = set()

    def chat(self, model: str, messages: Sequence[Message], how: Generation, on_token: Token | None = None) -> Answer:
        """Answer a chat, streaming to ``on_token``."""
        return self._chat(model, messages, how, None, on_token)

    def structured(
        self, model: str, messages: Sequence[Message], schema: Mapping[str, object], how: Generation
    ) -> Answer:
        """Answer with JSON text that fits a schema; a model whose grammar fails is asked once more without it."""
        first: Answer | None = None
        deadline = monotonic() + how.timeout_s
        try:
            first = self._chat(model, messages, how, schema, None)
            return replace(first, text=fitting_json(first.text, schema))
        except (ModelUnavailable, PromptTooLong):
            raise
        except (ModelFailed, AnswerCut):
            # Some models write blanks for ever, or think instead, when they are held to a grammar.
            left = replace(how, timeout_s=deadline - monotonic())
            if left.timeout_s <= 0:
                raise
            second = self._chat(model, [*messages, _in_words(schema)], left, None, None)
        spent = second if first is None else _sum(first, second)
        return replace(spent, text=fitting_json(second.text, schema))

    def complete(self, model: str, prefix: str, suffix: str, how: Generation) -> Answer:
        """Fill in the middle between a prefix and a suffix; what it writes may be nothing."""
        room = self._room(how, f"{prefix}\n{suffix}", model)
        began, deadline = perf_counter(), monotonic() + how.timeout_s
        with self._server.errors(model):
            pieces = self._server.client(how.timeout_s).generate(
                model, prefix, suffix, stream=True, options=_options(how), keep_alive=self._keep_alive
            )
            heard = hear(pieces, deadline, None)
        self._check(model, f"{prefix}\n{suffix}", heard, room, how)
        return self._answer(model, heard, heard.text, began)

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector a text; a text that is too long is refused and not cut."""
        if not texts:
            return []
        with self._server.errors(model):
            answer = self._server.client(self._timeout_s).embed(
                model, list(texts), truncate=False, keep_alive=self._keep_alive
            )
        vectors = [[float(number) for number in vector] for vector in answer.embeddings]
        if len(vectors) != len(texts):
            raise ModelFailed(f"{model} made {len(vectors)} vectors of {len(texts)} texts; ask again")
        return vectors

    def models(self) -> tuple[ModelInfo, ...]:
        """List the models that the server has; none when it does not answer."""
        try:
            return tuple(self._info(name, size) for name, size in self._tags())
        except ModelUnavailable:
            return ()

    def find(self, model: str) -> ModelInfo | None:
        """Return what is known of one model, or None when the server or the model is missing."""
        try:
            sizes = dict(self._tags())
        except ModelUnavailable:
            return None
        name = next((name for name in (model, f"{model}:latest") if name in sizes), None)
        return None if name is None else self._info(name, sizes[name])

    def health(self) -> Health:
        """Say whether the server answers."""
        try:
            names = [name for name, _ in self._tags()]
        except AutomationError as error:
            return Health(False, str(error))
        if not names:
            return Health(False, f"Ollama at {self._server.url} has no models; get one with `gridbot models pull NAME`")
        return Health(True, f"Ollama at {self._server.url} with {', '.join(names)}")

    def answers(self) -> bool:
        """Return whether a server is there, with models or without."""
        try:
            self._tags()
        except AutomationError:
            return False
        return True

    def pull(self, model: str) -> Generator[Progress, None, None]:
        """Let the server fetch a model, with progress by bytes."""
        with self._server.errors(model):
            for step in self._server.client(_PULL_TIMEOUT_S).pull(model, stream=True):
                yield Progress(step.status or f"pulling {model}", step.completed or 0, step.total or 0, "B")

    def close(self, model: str) -> None:
        """Close the connections; the server lets go of the model by itself."""
        self._server.close()

    def _chat(
        self,
        model: str,
        messages: Sequence[Message],
        how: Generation,
        schema: Mapping[str, object] | None,
        on_token: Token | None,
    ) -> Answer:
        text = "\n".join(message.content for message in messages)
        room = self._room(how, text, model)
        began, deadline = perf_counter(), monotonic() + how.timeout_s
        heard = self._heard(model, messages, how, schema, on_token, deadline)
        self._check(model, text, heard, room, how)
        return self._answer(model, heard, answer_text(heard.text, heard.thinking, model), began)

    def _heard(
        self,
        model: str,
        messages: Sequence[Message],
        how: Generation,
        schema: Mapping[str, object] | None,
        on_token: Token | None,
        deadline: float,
    ) -> Heard:
        quiet = model not in self._no_think
        with self._server.errors(model):
            try:
                pieces = self._server.client(how.timeout_s).chat(
                    model,
                    [{"role": message.role, "content": message.content} for message in messages],
                    stream=True,
                    think=False if quiet else None,
                    format=None if schema is None else dict(schema),
                    options=_options(how),
                    keep_alive=self._keep_alive,
                )
                return hear(pieces, deadline, on_token)
            except ollama.ResponseError as error:
                if not quiet or "think" not in error.error.lower():
                    raise
        self._no_think.add(model)
        return self._heard(model, messages, how, schema, on_token, deadline)

    def _room(self, how: Generation, text: str, model: str) -> int:
        room = how.context - how.max_tokens
        self._sizes.refuse_too_long(text, room, model)
        return room

    def _check(self, model: str, text: str, heard: Heard, room: int, how: Generation) -> None:
        self._sizes.check_whole(model, text, heard.prompt_tokens, room)
        refuse_cut(heard.finish, model, how.max_tokens)

    def _answer(self, model: str, heard: Heard, text: str, began: float) -> Answer:
        return Answer(text, heard.prompt_tokens, heard.tokens, perf_counter() - began, model, self.name)

    def _tags(self) -> list[tuple[str, int]]:
        with self._server.errors("its list of models"):
            tags = self._server.client(_LIST_TIMEOUT_S).list()
        return [(tag.model, int(tag.size or 0)) for tag in tags.models if tag.model]

    def _info(self, name: str, size: int) -> ModelInfo:
        with self._server.errors(name):
            shown = self._server.client(_LIST_TIMEOUT_S).show(name)
        lengths = [value for key, value in (shown.modelinfo or {}).items() if key.endswith(".context_length")]
        context = int(lengths[0]) if lengths else 0
        return ModelInfo(name, size, context, "insert" in (shown.capabilities or []))


def _options(how: Generation) -> dict[str, object]:
    # Without num_ctx a server takes a small context of its own and cuts the prompt in silence.
    return {
        "num_ctx": how.context,
        "num_predict": how.max_tokens,
        "temperature": how.temperature,
        "seed": how.seed,
        "stop": list(how.stop),
    }


def _in_words(schema: Mapping[str, object]) -> Message:
    return Message("user", f"Answer with one JSON value only, which fits this JSON schema: {json.dumps(schema)}")


def _sum(first: Answer, second: Answer) -> Answer:
    return replace(
        second,
        prompt_tokens=first.prompt_tokens + second.prompt_tokens,
        tokens=first.tokens + second.tokens,
        seconds=first.seconds + second.seconds,
    )
