"""From a sentence to commands: read, compared, weighed, filled; asked about when unsure, refused when nothing fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from automation.assistant.answers import Context, Plan, Question, Refusal, Routed, Step
from automation.assistant.arguments import fill
from automation.assistant.classify import Classifier, Likely
from automation.assistant.examples import UNKNOWN, Example
from automation.assistant.filling import Filling
from automation.assistant.names import COINS, EXCHANGES, Names
from automation.assistant.normalise import Speller, plain_quotes, words_of
from automation.assistant.options import option_words
from automation.assistant.places import Places
from automation.assistant.planning import Part, asks_of_another, handed_on, one_each, spans, wishes, with_meant
from automation.assistant.reading import Reading, read
from automation.assistant.restated import spoken_out
from automation.assistant.splitting import Piece, Splitter
from automation.codebase.search.embedding import SentenceEmbedder
from trading.commands import Registry
from trading.setting_sources import data_home

# What is likelier than this is done without a question, or refused: by leaving each outside author out in turn.
_SURE = 0.4
_UNKNOWN_AT = 0.3
_STRANGE = 0.7
_CHOICES = 3
_LONGEST = 2_000
_WELL_KNOWN, _BEGINNING = 3, 2
# Both stop a session; the shorter one is taken.
_SAME = {"sessions stop": "stop"}
_SUGGEST = "`gridbot ask` alone lists what can be said"


class Router:
    """Understands sentences; keeps nothing of them, so that one router serves many callers, one at a time each.

    Parameters
    ----------
    registry : Registry
        The commands that there are.
    root : Path
        The repository that files and symbols are looked for in.
    embedder : SentenceEmbedder, optional
        Gives sentences their meaning; without one, words alone are compared.
    context : Context, optional
        What the caller knows; each call of `route` may bring its own.
    examples : sequence of Example, optional
        Sentences whose command is known; None takes those that come along.
    """

    def __init__(
        self,
        registry: Registry,
        root: Path,
        *,
        embedder: SentenceEmbedder | None = None,
        context: Context | None = None,
        examples: Sequence[Example] | None = None,
    ) -> None:
        self._registry = registry
        self._context = context or Context()
        self._names = Names(self._context.home)
        self._places = Places(root)
        self._classifier = Classifier(list(registry), embedder, data_home(self._context.home) / "assistant", examples)
        counts = Counter(word for example in self._classifier.examples for word in set(example.sentence.split()))
        firsts = Counter(one.sentence.split()[0] for one in self._classifier.examples if one.command and one.sentence)
        self._splitter = Splitter(word for word, count in firsts.items() if count >= _BEGINNING)
        # what only one or two say may be a slip itself
        words = {word for word, count in counts.items() if count >= _WELL_KNOWN}
        words |= {word for command in registry for text in command.phrases for word in words_of(text)}
        self._speller = Speller(words | set(COINS) | set(EXCHANGES) | option_words())

    def route(self, sentence: str, context: Context | None = None) -> Routed:
        """Return what a sentence means.

        Parameters
        ----------
        sentence : str
            As a person typed it; at most 2,000 characters.
        context : Context, optional
            In place of the router's own.

        Returns
        -------
        Plan, Question or Refusal
            A plan when sure; a question with the likeliest commands when not; a refusal when nothing fits.
        """
        text = plain_quotes(sentence)
        if not any(character.isalnum() for character in text):
            return Refusal(f"there is nothing to do in an empty sentence; {_SUGGEST}")
        if len(text) > _LONGEST:
            return Refusal(f"a sentence of {len(text):,} characters is too long; say it in at most {_LONGEST:,}")
        known = context or self._context
        text = spoken_out(text, lambda part: self._reading(part, known))
        pieces = self._splitter.pieces(text)
        parts = self._parts(text, pieces, known)
        chosen = wishes(parts, len(pieces))
        if len(chosen) > 1:
            return self._plan(chosen, known)
        alone = [parts[place, place + 1] for place in range(len(pieces))]
        if chosen[0].best.command != UNKNOWN and _holds_a_strange_wish(alone):
            return self._half_understood(alone, known)
        return self._single(chosen[0], known)

    def warm(self) -> None:
        """Read the repository, so that the first sentence about code waits no half second for it."""
        self._places.warm()

    def normal_forms(self, sentence: str) -> tuple[str, ...]:
        """Return the wishes that a sentence may be cut into, as examples are compared with them."""
        pieces = self._splitter.pieces(plain_quotes(sentence))
        readings = [self._reading(piece.text, self._context) for piece in pieces]
        return tuple(with_meant(each, readings[:place]).words for place, each in enumerate(readings))

    def normal_form(self, sentence: str) -> str:
        """Return a sentence as examples are compared with it: names masked, slips put right."""
        return self._reading(sentence, self._context).words

    def _parts(self, text: str, pieces: Sequence[Piece], context: Context) -> dict[tuple[int, int], Part]:
        single = [self._reading(piece.text, context) for piece in pieces]
        # where a correction or a "before" turned the words around, the whole is still what was said
        readings = {(0, len(pieces)): self._reading(text, context)}
        for start, end in spans(len(pieces))[1:]:
            joined = ", ".join(piece.text for piece in pieces[start:end])
            alone = single[start] if end == start + 1 else self._reading(joined, context)
            # what comes first may have been said last: "before you stop night-grid, show me what it holds"
            readings[start, end] = with_meant(alone, single[:start] if start or end > 1 else single[1:])
        likely = self._classifier.likely(list(readings.values()))
        return {
            run: Part(reading, self._merged(each), is_certain=pieces[run[0]].is_certain)
            for (run, reading), each in zip(readings.items(), likely, strict=True)
        }

    def _reading(self, text: str, context: Context) -> Reading:
        return read(text, self._names, self._speller, context.clock())

    def _plan(self, parts: Sequence[Part], context: Context) -> Plan:
        steps: list[Step] = []
        before: dict[str, object] = {}
        for part in parts:
            own = self._steps(part.best, part.reading, context, before)
            if not steps and (own[-1].missing or asks_of_another(part.reading)):
                # "before you stop night-grid, show me what it holds": the name is in the part that comes later
                later = self._steps(parts[1].best, parts[1].reading, context, {})
                own = self._steps(part.best, part.reading, context, handed_on(later[-1]))
            steps += own
            before = {**before, **handed_on(steps[-1])}
        return Plan(tuple(steps), wants_json=any(_wants_json(part.reading) for part in parts))

    def _half_understood(self, parts: Sequence[Part], context: Context) -> Routed:
        """Ask rather than run a part of several wishes, of which one is not understood."""
        routed = [self._single(part, context) for part in parts]
        steps = [step for each in routed if isinstance(each, Plan) for step in each.steps]
        if not steps:
            return Refusal(f"GridBot has no command for that; {_SUGGEST}")
        unclear = [part for part, each in zip(parts, routed, strict=True) if not isinstance(each, Plan)]
        told = f"{unclear[0].reading.text!r} is not understood" if unclear else "not all of that is understood together"
        return Question(f"{told}; which of these alone?", tuple(steps[:_CHOICES]))

    def _single(self, part: Part, context: Context) -> Routed:
        unknown = next(one for one in part.likely if one.command == UNKNOWN)
        likely = tuple(one for one in part.likely if one.command != UNKNOWN)
        if unknown.probability > _UNKNOWN_AT:
            return Refusal(f"GridBot has no command for that; {_SUGGEST}")
        if likely[0].probability >= _SURE:
            steps = self._steps(likely[0], part.reading, context, {})
            return Plan(tuple(steps), wants_json=_wants_json(part.reading))
        choices = tuple(self._step(one, part.reading, context, {}) for one in likely[:_CHOICES])
        return Question("which of these do you mean?", choices)

    def _merged(self, likely: tuple[Likely, ...]) -> tuple[Likely, ...]:
        """Join commands that are the same under two names."""
        extra = {_SAME[one.command]: one for one in likely if one.command in _SAME}
        joined = [
            replace(one, probability=one.probability + extra[one.command].probability) if one.command in extra else one
            for one in likely
            if one.command not in _SAME
        ]
        return tuple(sorted(joined, key=lambda one: -one.probability))

    def _steps(self, one: Likely, reading: Reading, context: Context, before: dict[str, object]) -> list[Step]:
        texts = one_each(reading, one.command, self._names.sessions)
        readings = [reading] if len(texts) == 1 else [self._reading(text, context) for text in texts]
        return [self._step(one, each, context, before) for each in readings]

    def _step(self, one: Likely, reading: Reading, context: Context, before: dict[str, object]) -> Step:
        command = self._registry[one.command]
        filling = Filling(command.name, command.load_request(), reading, context, self._names, self._places, before)
        fill(filling)
        values = {name: value for name, value in filling.values.items() if value is not None}
        return Step(command, values, round(one.probability, 3), f"like {one.why!r}", filling.missing)


def _holds_a_strange_wish(parts: Sequence[Part]) -> bool:
    """Say whether a part before or after a word such as "then" is surely none of the commands."""
    certain = [one.is_certain or other.is_certain for one, other in zip_longest(parts, parts[1:], fillvalue=parts[0])]
    strange = (part.best.command == UNKNOWN and part.best.probability > _STRANGE for part in parts)
    return any(one and other for one, other in zip(certain, strange, strict=True))


def _wants_json(reading: Reading) -> bool:
    return reading.mentions.first("json") is not None
