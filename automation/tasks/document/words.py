"""What a model writes: the first sentence and the parameters' meanings, each checked against the code."""

from __future__ import annotations

import ast
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from automation.codebase.masking import masked
from automation.models.protocol import Message, Model
from automation.repair.asking import Samples, ask
from automation.tasks.document.sentences import says_more
from automation.tasks.document.signatures import parameters_of, raises_of
from automation.tasks.review.docstrings import Documentable

_log = logging.getLogger(__name__)

_MOST_CHARACTERS = 3_000
_LONGEST_SENTENCE = 160
_LONGEST_MEANING = 120
_MOST_TOKENS = 300
_PATIENCE_S = 60.0
_EXCEPTION = re.compile(r"\b\w+(?:Error|Exception)\b|\braises?\b", re.IGNORECASE)
_SYSTEM = (
    "You document Python code. Say what it does for its caller in one plain sentence in the imperative (a noun phrase "
    "for a class or property), and what each parameter means in a few words. No markup, no exceptions, no inventions."
)


@dataclass(frozen=True, slots=True)
class Words:
    """What a model said of one definition: its first sentence, and what parameters mean by name."""

    sentence: str
    meanings: Mapping[str, str]


@dataclass(slots=True)
class Writer:
    """A model at work on docstrings, within a time limit.

    Parameters
    ----------
    model : Model
        Which one.
    deadline : callable
        Returns the seconds that are left.
    refused : list of str
        Why answers were not taken.
    """

    model: Model
    deadline: Callable[[], float]
    refused: list[str] = field(default_factory=list)
    samples: Samples = field(default_factory=Samples)

    def words(self, subject: Documentable, code: str) -> Words | None:
        """Return what the model says of a definition, or None when it says nothing that holds.

        Parameters
        ----------
        subject : Documentable
            A class or function without a docstring.
        code : str
            Its source.
        """
        if self.samples.ended or isinstance(subject.node, ast.Module):
            return None
        names = [one.bare for one in parameters_of(subject.node, is_method=subject.owner is not None)]
        question = (
            f"{masked(code)[:_MOST_CHARACTERS]}\n\nDocument `{subject.name}`. Parameters: {', '.join(names) or 'none'}."
        )
        messages = [Message("system", _SYSTEM), Message("user", question)]
        schema = _schema(names)
        text = ask(
            lambda left: self.model.structured(
                messages, schema, max_tokens=_MOST_TOKENS, timeout_s=min(left, _PATIENCE_S)
            ),
            self.samples,
            self.deadline,
        )
        if text is None:
            return None
        answer = json.loads(text)
        words = Words(
            _sentence(_in_the_imperative(str(answer["summary"]), subject.node)),
            {name: _sentence(str(said)) for name, said in answer["parameters"].items()},
        )
        reason = problem_of(words, subject)
        if reason:
            self.refused.append(f"{subject.path}::{subject.name}: {reason}")
            _log.debug("event=words_refused subject=%s reason=%s", subject.name, reason)
            return None
        return words


def problem_of(words: Words, subject: Documentable) -> str:
    """Say why a model's words cannot be taken; empty when they can.

    Parameters
    ----------
    words : Words
        What it said.
    subject : Documentable
        Of what.
    """
    node = subject.node
    if isinstance(node, ast.Module):
        return "it is no definition"
    names = {one.bare for one in parameters_of(node, is_method=subject.owner is not None)}
    wrong = sorted(set(words.meanings) - names)
    if wrong:
        return f"it names {', '.join(wrong)}, which the signature does not have"
    if not 10 <= len(words.sentence) <= _LONGEST_SENTENCE:
        return f"its sentence has {len(words.sentence)} characters"
    if any(len(said) > _LONGEST_MEANING for said in words.meanings.values()):
        return "it says too much of a parameter"
    if not says_more(words.sentence, subject.name):
        return "its sentence says no more than the name"
    raised = set() if isinstance(node, ast.ClassDef) else {each.name for each in raises_of(node)}
    told = {found for said in (words.sentence, *words.meanings.values()) for found in _EXCEPTION.findall(said)}
    invented = sorted(told - raised)
    return f"it speaks of exceptions ({', '.join(invented)}), which the code alone says" if invented else ""


def deadline_in(seconds: float) -> Callable[[], float]:
    """Return a function that tells how much of a time is left."""
    end = time.monotonic() + seconds
    return lambda: end - time.monotonic()


def _in_the_imperative(text: str, node: ast.AST) -> str:
    """Turn ``Returns the sum`` into ``Return the sum`` for a function."""
    first, blank, rest = text.strip().partition(" ")
    if isinstance(node, ast.ClassDef) or not re.fullmatch(r"[A-Z][a-z]+[^s]s", first):
        return text
    verb = re.sub(r"ie$", "y", first[:-1]) if first.endswith("ies") else re.sub(r"(ss|sh|ch|x)e$", r"\1", first[:-1])
    return f"{verb}{blank}{rest}"


def _sentence(text: str) -> str:
    words = " ".join(text.replace("`", "").split())
    words = words[:1].upper() + words[1:]
    return words if words.endswith((".", "!", "?")) or not words else f"{words}."


def _schema(names: list[str]) -> Mapping[str, object]:
    return {
        "type": "object",
        "properties": {
            "summary": {"type": "string"},
            "parameters": {"type": "object", "properties": {name: {"type": "string"} for name in names}},
        },
        "required": ["summary", "parameters"],
    }
