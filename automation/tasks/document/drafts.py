"""What a docstring is to say: the model's or the rules' words, and the facts of the code."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from automation.tasks.document.knowledge import Knowledge
from automation.tasks.document.meanings import meanings_of
from automation.tasks.document.sentences import first_sentence
from automation.tasks.document.signatures import (
    Function,
    is_generator,
    parameters_of,
    raises_of,
    returned_names,
)
from automation.tasks.document.words import Words, Writer
from automation.tasks.document.writing import Draft, Item
from automation.tasks.review.docstrings import Documentable
from automation.tasks.review.ground import ParsedFile

RULES = "rules"


@dataclass(frozen=True, slots=True)
class Sourced:
    """A draft and who worded its sentence: the rules, or a model."""

    draft: Draft
    proposer: str


@dataclass(frozen=True, slots=True)
class Drafter:
    """Drafts docstrings.

    Parameters
    ----------
    knowledge : Knowledge
        Of the repository.
    writer : Writer or None
        A model that words it; None leaves it to the rules.
    """

    knowledge: Knowledge
    writer: Writer | None = None

    def draft(self, subject: Documentable, file: ParsedFile) -> Sourced | None:
        """Return what is to be said; None when neither the model nor a rule knows more than the name."""
        node = subject.node
        words = None
        if self.writer is not None and not isinstance(node, ast.Module):
            words = self.writer.words(subject, ast.get_source_segment(file.text, node) or "")
        raised_by = self.knowledge.raised_by if isinstance(node, ast.ClassDef) and words is None else {}
        sentence = words.sentence if words is not None else first_sentence(subject, raised_by)
        if sentence is None:
            return None
        proposer = RULES if words is None or self.writer is None else f"model:{self.writer.model.name}"
        if isinstance(node, ast.Module):
            return Sourced(Draft(sentence), proposer)
        parameters = _parameters(subject, meanings_of(subject, self.knowledge.vocabulary), words)
        if isinstance(node, ast.ClassDef):
            return Sourced(Draft(sentence, parameters), proposer)
        return Sourced(Draft(sentence, parameters, _results(node), _raises(node), is_generator(node)), proposer)


def _parameters(subject: Documentable, meanings: Mapping[str, str], words: Words | None) -> tuple[Item, ...]:
    if isinstance(subject.node, ast.Module):
        return ()
    given = parameters_of(subject.node, is_method=subject.owner is not None)
    said = words.meanings if words is not None else {}
    items = [
        Item(one.name, one.annotation, meanings.get(one.name) or said.get(one.bare, ""), one.default) for one in given
    ]
    if isinstance(subject.node, ast.ClassDef):
        # a class may leave out what the names of its fields say
        return tuple(item for item in items if item.text)
    # types alone stand in the signature already
    return tuple(items) if any(item.text for item in items) else ()


def _results(node: Function) -> tuple[Item, ...]:
    names = returned_names(node)
    if not names:
        return ()
    returns = node.returns
    inner = returns.slice if isinstance(returns, ast.Subscript) else None
    types = [ast.unparse(one) for one in inner.elts] if isinstance(inner, ast.Tuple) else []
    return tuple(Item(name, types[place] if len(types) == len(names) else "") for place, name in enumerate(names))


def _raises(node: Function) -> tuple[Item, ...]:
    conditions: dict[str, list[str]] = {}
    for each in raises_of(node):
        conditions.setdefault(each.name, []).append(each.condition)
    return tuple(
        Item(name, "", f"When {' or '.join(f'``{one}``' for one in dict.fromkeys(when))}.")
        for name, when in conditions.items()
        if all(when) and len(" ".join(when)) <= 160
    )
