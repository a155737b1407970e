"""How many tokens a prompt must have: a backend that cuts in silence is found out by counting."""

from __future__ import annotations

import re

from automation.errors import PromptTooLong

_PIECE = re.compile(r"\w+|[^\w\s]+")
_BLANKS = re.compile(r"(\s)\1+")
# Source code and English of byte-pair vocabularies; what a model really does is learned from its answers.
_BYTES_PER_TOKEN = 3.5
_SURE_SHARE = 0.7
_FEWEST_TO_LEARN = 50
_TOLERANCE = 0.9


def fewest_tokens(text: str) -> int:
    """Return a lower bound of a text's tokens: no vocabulary in use joins a word with what stands around it."""
    return len(_PIECE.findall(text))


class PromptSizes:
    """What prompts ought to measure, model by model; the rate of each model is learned from prompts that surely fit."""

    def __init__(self) -> None:
        self._rates: dict[str, float] = {}

    def refuse_too_long(self, text: str, room: int, what: str) -> None:
        """Raise PromptTooLong when a text cannot fit in ``room`` tokens whatever the vocabulary."""
        fewest = fewest_tokens(text)
        if fewest > max(room, 0):
            raise PromptTooLong(
                f"the prompt for {what} has at least {fewest} tokens, of which only {max(room, 0)} fit beside the"
                " answer; shorten it or raise the role's context"
            )

    def check_whole(self, model: str, text: str, counted: int, room: int) -> None:
        """Raise PromptTooLong when the model cannot have read the whole text.

        Parameters
        ----------
        model : str
            Who read it.
        text : str
            The prompt without the model's own template.
        counted : int
            Tokens that the backend says it read; 0 when it does not say.
        room : int
            Tokens that fit beside the answer.
        """
        if counted <= 0:
            return
        estimate = _estimate(text)
        expected = estimate * self._rates.get(model, _SURE_SHARE)
        cut = counted < fewest_tokens(text) or (estimate > room * _SURE_SHARE and counted < expected * _TOLERANCE)
        if counted > room or cut:
            raise PromptTooLong(
                f"{model} read {counted} tokens of a prompt of about {round(max(estimate, counted))}, and {room} fit"
                " beside the answer: part of it was lost; shorten it or raise the role's context"
            )
        if _FEWEST_TO_LEARN < estimate <= room * _SURE_SHARE:
            rate = counted / estimate
            self._rates[model] = min(rate, self._rates.get(model, rate))


def _estimate(text: str) -> float:
    return len(_BLANKS.sub(r"\1", text).encode()) / _BYTES_PER_TOKEN
