"""One model bound to a role's settings, behind response cache, budget and transcript."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from time import perf_counter
from typing import Protocol

from automation.codebase.masking import masked_values
from automation.errors import ModelFailed
from automation.models.budget import Budget
from automation.models.cache import ResponseCache, question_key
from automation.models.protocol import Answer, Backend, Generation, Message, ModelInfo, Token
from automation.models.transcript import Transcript

_FIELDS = {field.name for field in fields(Generation)}
UNSEEDED = -1


class ClosingBackend(Backend, Protocol):
    """A backend that can let go of one model."""

    def close(self, model: str) -> None:
        """Free what a model takes."""
        ...


@dataclass(frozen=True, slots=True)
class Usage:
    """What a model has cost so far.

    Parameters
    ----------
    calls : int
        Questions that it answered, or failed to, itself.
    cached : int
        Questions that the response cache answered.
    prompt_tokens, tokens : int
        Read and written.
    seconds : float
        Of its work.
    """

    calls: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    tokens: int = 0
    seconds: float = 0.0


class BoundModel:
    """A model as the rest of the wing uses it.

    Parameters
    ----------
    backend : ClosingBackend
        Runs it.
    info : ModelInfo
        Which model.
    how : Generation
        The role's settings; each call may override fields by keyword.
    budget : Budget
        Counts what calls cost and ends them when it is spent.
    cache : ResponseCache, optional
        Answers repeated questions; a seed of -1 is never answered from it.
    transcript : Transcript, optional
        Writes every call down.
    """

    def __init__(
        self,
        backend: ClosingBackend,
        info: ModelInfo,
        how: Generation,
        *,
        budget: Budget,
        cache: ResponseCache | None = None,
        transcript: Transcript | None = None,
    ) -> None:
        self.name = info.name
        self.backend = backend.name
        self.fim = info.fim
        self.context = min(how.context, info.context) if info.context else how.context
        self._runner = backend
        # A file of the same name may be another one tomorrow.
        self._identity = f"{info.name} {info.bytes}"
        self._how = replace(how, context=self.context)
        self._budget = budget
        self._cache = cache
        self._transcript = transcript
        self._usage = Usage()

    @property
    def usage(self) -> Usage:
        """What it has cost so far."""
        return self._usage

    def chat(self, messages: Sequence[Message], **how: object) -> Answer:
        """Answer a chat.

        Parameters
        ----------
        messages : sequence of Message
            The turns so far.
        **how
            `Generation` fields that differ from the role's; ``on_token``, a callable, gets each piece of text.
        """
        on_token = _token_callback(how.pop("on_token", None))
        messages = _unsecret(messages)
        question = {"kind": "chat", "messages": _plain(messages)}
        return self._ask(
            question, how, lambda settings: self._runner.chat(self.name, messages, settings, on_token), on_token
        )

    def structured(self, messages: Sequence[Message], schema: Mapping[str, object], **how: object) -> Answer:
        """Answer with JSON text that fits a schema."""
        messages = _unsecret(messages)
        question = {"kind": "structured", "messages": _plain(messages), "schema": schema}
        return self._ask(question, how, lambda settings: self._runner.structured(self.name, messages, schema, settings))

    def complete(self, prefix: str, suffix: str, **how: object) -> Answer:
        """Fill in the middle."""
        prefix, suffix = masked_values(prefix), masked_values(suffix)
        question = {"kind": "complete", "prefix": prefix, "suffix": suffix}
        return self._ask(question, how, lambda settings: self._runner.complete(self.name, prefix, suffix, settings))

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector a text."""
        self._budget.remaining_s()
        began = perf_counter()
        try:
            return self._runner.embed(self.name, [masked_values(text) for text in texts])
        finally:
            self._count(0, 0, perf_counter() - began)

    def close(self) -> None:
        """Free what the model holds."""
        self._runner.close(self.name)

    def _ask(
        self,
        question: Mapping[str, object],
        overrides: Mapping[str, object],
        run: Callable[[Generation], Answer],
        on_token: Token | None = None,
    ) -> Answer:
        how = self._settings(overrides)
        key = question_key(self.backend, self._identity, question, how)
        kept = self._cache.get(key) if self._cache is not None and how.seed != UNSEEDED else None
        if kept is not None:
            self._usage = replace(self._usage, cached=self._usage.cached + 1)
            self._write_down(question, how, kept)
            if on_token is not None:
                on_token(kept.text)
            return kept
        answer = self._run(question, replace(how, timeout_s=min(how.timeout_s, self._budget.remaining_s())), run)
        if self._cache is not None and how.seed != UNSEEDED:
            self._cache.put(key, answer)
        return answer

    def _run(self, question: Mapping[str, object], how: Generation, run: Callable[[Generation], Answer]) -> Answer:
        began = perf_counter()
        try:
            answer = run(how)
        except BaseException as error:
            # What it wrote is lost and not counted; the time is.
            self._count(0, 0, perf_counter() - began)
            self._write_down(question, how, error)
            raise
        self._count(answer.prompt_tokens, answer.tokens, answer.seconds)
        self._write_down(question, how, answer)
        return answer

    def _count(self, prompt_tokens: int, tokens: int, seconds: float) -> None:
        usage = self._usage
        self._usage = Usage(
            usage.calls + 1,
            usage.cached,
            usage.prompt_tokens + prompt_tokens,
            usage.tokens + tokens,
            usage.seconds + seconds,
        )
        self._budget.spend(prompt_tokens + tokens, seconds)

    def _write_down(self, question: Mapping[str, object], how: Generation, outcome: Answer | BaseException) -> None:
        if self._transcript is not None:
            self._transcript.write(self.name, self.backend, question, how, outcome)

    def _settings(self, overrides: Mapping[str, object]) -> Generation:
        unknown = set(overrides) - _FIELDS
        if unknown:
            raise ModelFailed(f"a model's answer has no setting {min(unknown)}; there are {', '.join(sorted(_FIELDS))}")
        how = replace(self._how, **overrides)  # type: ignore[arg-type]
        return replace(how, stop=tuple(how.stop), context=min(how.context, self.context))


def _token_callback(value: object) -> Token | None:
    if value is None or callable(value):
        return value
    raise ModelFailed("on_token takes a function of one text")


def _unsecret(messages: Sequence[Message]) -> tuple[Message, ...]:
    return tuple(replace(message, content=masked_values(message.content)) for message in messages)


def _plain(messages: Sequence[Message]) -> list[dict[str, object]]:
    return [{"role": message.role, "content": message.content} for message in messages]
