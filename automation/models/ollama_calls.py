"""Calls to an Ollama server: streamed, within a deadline, with its errors in our words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from time import monotonic

import httpx
import ollama

from automation.errors import ModelFailed, ModelUnavailable, PromptTooLong

CONNECT_S = 3.0
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "0.0.0.0")  # noqa: S104 - compared with, not bound to
_LEAST_S = 0.05
_MOST_CLIENTS = 8
_HTTP_MISSING = 404
_LONGEST_ERROR = 300


@dataclass(slots=True)
class Heard:
    """What came back of one streamed call; ``done`` is set by its last piece."""

    text: str = ""
    thinking: str = ""
    done: bool = False
    finish: str | None = None
    prompt_tokens: int = 0
    tokens: int = 0


class OllamaServer:
    """One server, reached through the official client.

    Parameters
    ----------
    url : str
        Where it listens; as in ``OLLAMA_HOST``.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        # A proxy of the environment is not meant for this machine itself.
        self._trust_env = not any(host in url for host in _LOOPBACK)
        self._clients: dict[float, ollama.Client] = {}

    def client(self, timeout_s: float) -> ollama.Client:
        """Return a client that waits so long for each piece of an answer."""
        timeout_s = max(round(timeout_s, 1), _LEAST_S)
        if timeout_s not in self._clients:
            if len(self._clients) >= _MOST_CLIENTS:
                self.close()
            timeout = httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s))
            # A connection for each call: none is left open by a backend that nobody closed.
            limits = httpx.Limits(max_keepalive_connections=0)
            self._clients[timeout_s] = ollama.Client(
                self.url, timeout=timeout, limits=limits, trust_env=self._trust_env
            )
        return self._clients[timeout_s]

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()  # type: ignore[no-untyped-call]
        self._clients.clear()

    @contextmanager
    def errors(self, model: str) -> Iterator[None]:
        """Say the errors of the client, the network and the server in our words."""
        try:
            yield
        except (ConnectionError, httpx.ConnectError, httpx.ConnectTimeout):
            raise ModelUnavailable(f"no Ollama answers at {self.url}; start it with `ollama serve`") from None
        except httpx.TimeoutException:
            raise ModelFailed(f"Ollama did not answer for {model} in time; raise timeout_s or ask for less") from None
        except (httpx.TransportError, json.JSONDecodeError) as error:
            raise ModelFailed(f"the connection to Ollama broke while {model} answered: {_short(error)}") from None
        except ollama.ResponseError as error:
            raise self._refusal(model, error) from None
        except ValueError as error:
            raise ModelFailed(f"Ollama answered for {model} with something else: {_short(error)}") from None

    def _refusal(self, model: str, error: ollama.ResponseError) -> ModelFailed | ModelUnavailable:
        reason = _short(error.error)
        words = reason.lower()
        if error.status_code == _HTTP_MISSING:
            return ModelUnavailable(f"Ollama has no model {model}; get it with `gridbot models pull {model}`")
        if "does not support insert" in words:
            return ModelUnavailable(f"{model} cannot fill in the middle; take a model such as qwen2.5-coder:1.5b-base")
        if "context length" in words or "context size" in words:
            return PromptTooLong(f"the prompt does not fit the context of {model} ({reason}); shorten it")
        return ModelFailed(f"Ollama failed for {model}: {reason}")


def hear(
    pieces: Iterator[ollama.ChatResponse] | Iterator[ollama.GenerateResponse],
    deadline: float,
    on_token: Callable[[str], None] | None,
) -> Heard:
    """Collect a streamed answer.

    Parameters
    ----------
    pieces : iterator
        What the client yields.
    deadline : float
        On the monotonic clock.
    on_token : callable, optional
        Gets each piece of text.

    Raises
    ------
    ModelFailed
        When the deadline passes, or the stream ends before its last piece.
    """
    heard = Heard()
    with closing(pieces):  # type: ignore[type-var]
        for piece in pieces:
            _hear_piece(heard, piece, on_token)
            if monotonic() > deadline and not heard.done:
                raise ModelFailed("the model took longer than its timeout; raise timeout_s or ask for less")
    if not heard.done:
        raise ModelFailed("the connection to Ollama closed before the answer's end; ask again")
    return heard


def _hear_piece(
    heard: Heard, piece: ollama.ChatResponse | ollama.GenerateResponse, on_token: Callable[[str], None] | None
) -> None:
    if isinstance(piece, ollama.ChatResponse):
        text, thinking = piece.message.content or "", piece.message.thinking or ""
    else:
        text, thinking = piece.response or "", piece.thinking or ""
    heard.text += text
    heard.thinking += thinking
    if text and on_token is not None:
        on_token(text)
    if piece.done:
        heard.done = True
        heard.finish = piece.done_reason
        heard.prompt_tokens = piece.prompt_eval_count or 0
        heard.tokens = piece.eval_count or 0


def _short(error: object) -> str:
    return " ".join(str(error).split())[:_LONGEST_ERROR] or type(error).__name__
