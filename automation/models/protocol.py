"""What every model backend can do, and what it is asked with and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat; ``role`` is ``system``, ``user`` or ``assistant``."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Generation:
    """How to generate.

    Parameters
    ----------
    temperature : float
        0 is greedy.
    max_tokens : int
        Most tokens of the answer.
    context : int
        Tokens of prompt and answer together; set on every call.
    seed : int
        Same seed, same answer.
    stop : tuple of str
        Texts that end the answer.
    timeout_s : float
        Of the whole call.
    """

    temperature: float = 0.0
    max_tokens: int = 512
    context: int = 4096
    seed: int = 0
    stop: tuple[str, ...] = ()
    timeout_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote.

    Parameters
    ----------
    text : str
        Never empty because the answer was hidden in the model's thinking: that is looked into.
    prompt_tokens, tokens : int
        Read and written.
    seconds : float
        Of the call; 0 when it came from the cache.
    model, backend : str
        Who wrote it.
    cached : bool
        Whether it came from the response cache.
    """

    text: str
    prompt_tokens: int
    tokens: int
    seconds: float
    model: str
    backend: str
    cached: bool = False


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model that a backend has; ``fim`` says whether it fills in the middle."""

    name: str
    bytes: int
    context: int
    fim: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a backend can be used, and one sentence on why not and what to do."""

    ok: bool
    detail: str


Token = Callable[[str], None]


class Backend(Protocol):
    """A way to run models. Every call raises AnswerCut, PromptTooLong, ModelUnavailable or ModelFailed."""

    name: str

    def chat(self, model: str, messages: Sequence[Message], how: Generation, on_token: Token | None = None) -> Answer:
        """Answer a chat, streaming to ``on_token``."""
        ...

    def structured(
        self, model: str, messages: Sequence[Message], schema: Mapping[str, object], how: Generation
    ) -> Answer:
        """Answer with JSON text that fits a JSON schema; validated before it is handed back."""
        ...

    def complete(self, model: str, prefix: str, suffix: str, how: Generation) -> Answer:
        """Fill in the middle between a prefix and a suffix."""
        ...

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector a text."""
        ...

    def models(self) -> tuple[ModelInfo, ...]:
        """List the models that can be used now."""
        ...

    def health(self) -> Health:
        """Say whether the backend can be used."""
        ...


class Model(Protocol):
    """One model of one backend, bound to a role's settings, behind cache, budget and transcript."""

    name: str
    backend: str
    fim: bool

    def chat(self, messages: Sequence[Message], **how: object) -> Answer:
        """Answer a chat; keywords override the role's `Generation` fields."""
        ...

    def structured(self, messages: Sequence[Message], schema: Mapping[str, object], **how: object) -> Answer:
        """Answer with JSON text that fits a schema."""
        ...

    def complete(self, prefix: str, suffix: str, **how: object) -> Answer:
        """Fill in the middle."""
        ...

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector a text."""
        ...

    def close(self) -> None:
        """Free what the model holds."""
        ...
