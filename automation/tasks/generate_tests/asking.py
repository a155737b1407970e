"""Argument lists that a model proposes: expressions only, each tried in the sandbox like any other."""

from __future__ import annotations

import ast
import json
import logging
from collections.abc import Mapping, Sequence

from automation.codebase.masking import masked
from automation.errors import BudgetSpent, ModelFailed, ModelUnavailable
from automation.models.protocol import Message, Model
from automation.tasks.generate_tests.records import Subject

_log = logging.getLogger(__name__)

_MOST_CHARACTERS = 3_000
_MOST_TOKENS = 400
_MOST_CALLS = 8
_LONGEST = 300
_SYSTEM = (
    "You choose inputs for tests of a Python function. Give calls that reach different branches: usual values, edges, "
    "and what must be refused. Each argument is one Python expression of literals or of names from the function's own "
    "module. Answer with JSON."
)
_SCHEMA: Mapping[str, object] = {
    "type": "object",
    "properties": {
        "calls": {
            "type": "array",
            "items": {"type": "object", "additionalProperties": {"type": "string"}},
        }
    },
    "required": ["calls"],
}


def asked_inputs(
    model: Model, subjects: Sequence[Subject], text: str, seconds: float
) -> dict[str, list[Mapping[str, object]]]:
    """Ask a model for calls of each function.

    Parameters
    ----------
    model : Model
        Is asked once a function.
    subjects : sequence of Subject
        Functions and static methods; others are left out.
    text : str
        Their file.
    seconds : float
        For each answer.

    Returns
    -------
    dict of str to list
        Argument lists by qualified name, as a survey takes them; empty where the model failed.
    """
    found: dict[str, list[Mapping[str, object]]] = {}
    for subject in subjects:
        if subject.kind not in {"function", "static"}:
            continue
        try:
            answer = model.structured(_prompt(subject, text), _SCHEMA, timeout_s=seconds, max_tokens=_MOST_TOKENS)
        except (BudgetSpent, ModelUnavailable) as error:
            _log.info("event=model_gave_up reason=%s", error)
            break
        except ModelFailed as error:
            _log.info("event=model_failed function=%s reason=%s", subject.qualified, error)
            continue
        found[subject.qualified] = calls_in(answer.text, subject)
    return found


def calls_in(answer: str, subject: Subject) -> list[Mapping[str, object]]:
    """Read argument lists from a model's answer; what is no single expression is left out.

    Parameters
    ----------
    answer : str
        JSON that fits the schema.
    subject : Subject
        Whose names the expressions may use.
    """
    try:
        calls = json.loads(answer)["calls"]
    except (ValueError, KeyError, TypeError):
        return []
    found: list[Mapping[str, object]] = []
    for call in calls[:_MOST_CALLS] if isinstance(calls, list) else []:
        if isinstance(call, dict) and call and all(_is_expression(str(source)) for source in call.values()):
            arguments = [[str(name), str(source), []] for name, source in call.items()]
            found.append({"arguments": arguments, "origin": "model"})
    return found


def _prompt(subject: Subject, text: str) -> list[Message]:
    lines = text.splitlines()[subject.line - 1 : subject.end_line]
    code = masked("\n".join(lines))[:_MOST_CHARACTERS]
    question = (
        f"Function `{subject.qualified}` of `{subject.module}`:\n\n```python\n{code}\n```\n\n"
        f'At most {_MOST_CALLS} calls, as {{"calls": [{{"parameter": "expression"}}]}}.'
    )
    return [Message("system", _SYSTEM), Message("user", question)]


def _is_expression(source: str) -> bool:
    if len(source) > _LONGEST:
        return False
    try:
        ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True
