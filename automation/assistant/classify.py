"""From a reading to commands with a probability each: nearness to examples and what is named, weighed together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from automation.assistant.examples import UNKNOWN, Example, load_examples
from automation.assistant.nearest import Nearness, Neighbours
from automation.assistant.reading import Reading
from automation.assistant.rules import evidence
from automation.codebase.search.embedding import SentenceEmbedder
from trading.commands import Command


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each kind of evidence counts: the least surprise when each outside author is left out in turn.

    Parameters
    ----------
    regression, likeness, named : float
        Factors of the three.
    """

    regression: float
    likeness: float
    named: float


WITH_MEANING = Weights(18.0, 5.5, 0.4)
WORDS_ALONE = Weights(15.0, 5.5, 0.4)


@dataclass(frozen=True, slots=True)
class Likely:
    """A command that a sentence may mean.

    Parameters
    ----------
    command : str
        Its name; empty for what no command does.
    probability : float
        0 to 1.
    why : str
        The example that it is nearest to.
    likeness : float
        To that example.
    """

    command: str
    probability: float
    why: str
    likeness: float


class Classifier:
    """Says which commands a reading may mean.

    Parameters
    ----------
    commands : sequence of Command
        What there is.
    embedder : SentenceEmbedder, optional
        Gives meaning; None compares words alone.
    cache : Path, optional
        Folder for what need not be computed twice.
    examples : sequence of Example, optional
        None takes those that come along.
    """

    def __init__(
        self,
        commands: Sequence[Command],
        embedder: SentenceEmbedder | None,
        cache: Path | None,
        examples: Sequence[Example] | None = None,
    ) -> None:
        self.examples = load_examples(commands) if examples is None else tuple(examples)
        self._names = command_names(commands)
        self._weights = WORDS_ALONE if embedder is None else WITH_MEANING
        self._neighbours = Neighbours(self.examples, self._names, embedder, cache)

    def likely(self, readings: Sequence[Reading]) -> list[tuple[Likely, ...]]:
        """Return for each reading every command, the likeliest first."""
        near = self._neighbours.of([reading.words for reading in readings])
        return [self._weighed(*pair) for pair in zip(readings, near, strict=True)]

    def _weighed(self, reading: Reading, near: Nearness) -> tuple[Likely, ...]:
        told = evidence(((each.kind, each.label) for each in reading.mentions), self._names)
        named = np.array([told[name] for name in self._names])
        weights = self._weights
        scores = weights.regression * near.regression + weights.likeness * near.likeness + weights.named * named
        shares = np.exp(scores - scores.max())
        shares /= shares.sum()
        order = np.argsort(-shares)
        return tuple(
            Likely(self._names[place], float(shares[place]), near.example[place], float(near.likeness[place]))
            for place in order
        )


def command_names(commands: Iterable[Command]) -> tuple[str, ...]:
    """Return the names in the order of what is fitted; the empty one, of what no command does, is the last."""
    return (*(command.name for command in commands), UNKNOWN)
