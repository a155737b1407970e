"""What every backend does alike with a model's text."""

from __future__ import annotations

import re

from automation.errors import AnswerCut, ModelFailed

_THINKING = re.compile(r"\A\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)


def answer_text(content: str, thinking: str, model: str) -> str:
    """Return the words of an answer: without its thinking, or the thinking itself when nothing else was said.

    Raises
    ------
    ModelFailed
        When the model said nothing at all.
    """
    said = _THINKING.sub("", content)
    if said.strip():
        return said
    hidden = thinking if thinking.strip() else re.sub(r"</?think(?:ing)?>", "", content)
    if hidden.strip():
        return hidden.strip()
    raise ModelFailed(f"{model} answered with nothing; ask again with another seed")


def refuse_cut(finish: str | None, model: str, max_tokens: int) -> None:
    """Raise AnswerCut when the answer ended because of its length."""
    if finish == "length":
        raise AnswerCut(f"the answer of {model} was cut at its limit of {max_tokens} tokens; raise max_tokens")
