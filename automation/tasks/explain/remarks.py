"""What a model adds to an explanation: shown as its own words, and never needed."""

from __future__ import annotations

import logging
from pathlib import Path

from automation.codebase.masking import masked
from automation.config import load_automation_config
from automation.errors import AutomationError
from automation.models.protocol import Message
from automation.models.selection import open_model
from automation.tasks.explain.explaining import Explanation
from automation.tasks.explain.results import ModelWords

_log = logging.getLogger(__name__)

_MOST_TOKENS = 220
_PATIENCE_S = 60.0
_LINES_AROUND = 8
_MOST_CHARACTERS = 3_000
_SYSTEM = (
    "You explain one Python error to the developer who met it. In at most four sentences: why it happens at this "
    "place, and the smallest change that mends it. Name only what you see in the text. No greeting, no headings."
)


def ask_for_words(explanation: Explanation, root: Path, choice: str, home: Path | None) -> ModelWords:
    """Let a model explain an error in its own words.

    Parameters
    ----------
    explanation : Explanation
        What is known without it.
    root : Path
        The repository.
    choice : str
        Which model, as `open_model` takes it.
    home : Path, optional
        The data home.
    """
    notes: list[str] = []
    model = open_model(load_automation_config(), choice, home=home, notify=notes.append)
    if model is None:
        return ModelWords(note=notes[-1] if notes else "no model")
    try:
        messages = [Message("system", _SYSTEM), Message("user", _question(explanation, root))]
        answer = model.chat(messages, max_tokens=_MOST_TOKENS, timeout_s=_PATIENCE_S)
    except AutomationError as error:
        _log.info("event=explanation_failed reason=%s", error)
        return ModelWords(model=model.name, note=f"the model gave no explanation: {error}")
    finally:
        model.close()
    return ModelWords(" ".join(answer.text.split()), model.name)


def _question(explanation: Explanation, root: Path) -> str:
    evidence = explanation.evidence
    parts = [f"{raised.type}: {raised.message}" for raised in evidence.chain] or [evidence.said]
    if evidence.test is not None and evidence.test.assertion:
        parts.append(evidence.test.assertion)
    parts.append(f"Known about it: {explanation.advice.cause}")
    parts += [_code(root, place.path, place.line) for place in explanation.places[:2] if place.own]
    return masked("\n\n".join(filter(None, parts)))[:_MOST_CHARACTERS]


def _code(root: Path, path: str, line: int) -> str:
    try:
        lines = (root / path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    first = max(1, line - _LINES_AROUND)
    shown = enumerate(lines[first - 1 : line + _LINES_AROUND], first)
    marked = (f"{number:>5}{' >' if number == line else '  '} {text}" for number, text in shown)
    return f"{path}\n" + "\n".join(marked)
