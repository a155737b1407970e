"""A chat model's choice between the likeliest commands, for sentences that words leave open."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from automation.assistant.answers import Step
from automation.config import load_automation_config
from automation.errors import ModelFailed
from automation.models.protocol import Message
from automation.models.selection import NONE, open_model

_NEITHER = "none of these"
_ROLE = "orchestrator"


def chosen_by_model(sentence: str, choices: Sequence[Step], model: str, home: Path | None = None) -> Step | None:
    """Return the choice that a chat model takes; None without a model, or when it takes none.

    Parameters
    ----------
    sentence : str
        What was said.
    choices : sequence of Step
        The likeliest commands; the model can name no other.
    model : str
        Role, name, file, ``auto`` or ``none``.
    home : Path, optional
        The data home.

    Raises
    ------
    ModelUnavailable
        When a model that was named is nowhere.
    """
    if model == NONE or not choices:
        return None
    bound = open_model(load_automation_config(), model, role=_ROLE, home=home)
    if bound is None:
        return None
    names = [step.command.name for step in choices]
    listed = "\n".join(f"- {step.command.name}: {step.command.summary}" for step in choices)
    schema = {
        "type": "object",
        "properties": {"command": {"type": "string", "enum": [*names, _NEITHER]}},
        "required": ["command"],
        "additionalProperties": False,
    }
    question = f"A person said: {sentence!r}\nWhich command is meant?\n{listed}\n- {_NEITHER}\nAnswer as JSON."
    try:
        answer = bound.structured([Message("user", question)], schema)
        taken = json.loads(answer.text)["command"]
    except (ModelFailed, ValueError, KeyError, TypeError):
        # an answer that cannot be used leaves the question to the person
        return None
    finally:
        bound.close()
    return next((step for step in choices if step.command.name == taken), None)
