"""From a sentence to commands: read, compared, weighed, filled; asked about when unsure, refused when nothing fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from automation.assistant.answers import Context, Plan, Question, Refusal, Routed, Step
from automation.assistant.arguments import fill
from automation.assistant.classify import Classifier, Likely
from automation.assistant.examples import UNKNOWN, Example
from automation.assistant.filling import Filling
from automation.assistant.foreign import Domain
from automation.assistant.names import COINS, EXCHANGES, Names
from automation.assistant.normalise import Speller, plain_quotes, words_of
from automation.assistant.places import CALLED, Places
from automation.assistant.planning import Part, are_several, handed_on, may_be_several, with_meant
from automation.assistant.reading import Reading, read
from automation.assistant.splitting import Cut, cuts
from automation.codebase.search.embedding import SentenceEmbedder
from automation.codebase.search.words import split_name
from trading.commands import Registry
from trading.setting_sources import data_home

_SURE = 0.5
_SURE_STEP = 0.45
_UNKNOWN_AT = 0.45
_LEAST_LIKENESS = 0.33
_CHOICES = 3
_LONGEST = 2_000
_WELL_KNOWN = 3
# Both stop a session; the shorter one is taken.
_SAME = {"sessions stop": "stop"}
# Share of words that are about something else: from here on refused; from there on unless an example is very like it.
_FOREIGN, _HALF_FOREIGN, _ALIKE = 0.45, 0.3, 0.5
_ON_CODE = frozenset({"search", "review", "test", "document", "optimize", "fix", "explain", "incidents"})
_MORE_WORDS = (
    "true false none null testnet pypi hub cancelled canceled utc ollama parquet csv json html pytest python git"
    " sentences ui ruff mypy bandit vulture disable enable autofix timeout abort profiler traceback stacktrace"
    " regression refactor lint typing"
)
# Whoever names one of these speaks of GridBot's work.
_NAMED_THINGS = frozenset(
    {
        "python",
        "identifier",
        "setting",
        "assignment",
        "session",
        "run",
        "log",
        "error",
        "candle file",
        "gguf",
        "model",
        "here",
        "diff",
    }
)
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
        known = [example.sentence for example in self._classifier.examples if example.command != UNKNOWN]
        told = [command.summary.lower() for command in registry]
        settings = [split_name(name) for name in self._names.settings]
        self._domain = Domain(
            word for text in (*known, *told, *settings, *CALLED, _MORE_WORDS) for word in words_of(text)
        )
        counts = Counter(word for example in self._classifier.examples for word in set(example.sentence.split()))
        # what only one or two say may be a slip itself
        words = {word for word, count in counts.items() if count >= _WELL_KNOWN}
        words |= {word for command in registry for text in command.phrases for word in words_of(text)}
        self._speller = Speller(words | set(COINS) | set(EXCHANGES))

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
        whole = self._read(text, known)
        for cut in cuts(text):
            if not may_be_several(cut, whole[1]):
                continue
            plan = self._plan(cut, whole, known)
            if plan is not None:
                return plan
        if any(cut.is_certain for cut in cuts(text)):
            return self._half_understood(text, known)
        return self._single(whole, known)

    def normal_form(self, sentence: str) -> str:
        """Return a sentence as examples are compared with it: names masked, slips put right."""
        return read(sentence, self._names, self._speller, self._context.clock()).words

    def _plan(self, cut: Cut, whole: tuple[Reading, tuple[Likely, ...]], context: Context) -> Plan | None:
        parts: list[Part] = []
        steps: list[Step] = []
        before: dict[str, object] = {}
        for text in cut.parts:
            reading, likely = self._read(text, context, before)
            best = likely[0]
            if best.probability < _SURE_STEP or self._is_foreign(best, reading):
                return None
            parts.append(Part(text, best))
            steps.append(self._step(best, reading, context, before))
            before = {**before, **handed_on(steps[-1])}
        if not cut.is_certain and not are_several(parts, whole[1]):
            return None
        return Plan(tuple(steps), wants_json=_wants_json(whole[0]))

    def _half_understood(self, text: str, context: Context) -> Routed:
        """Ask rather than run a part of several wishes, of which one is not understood."""
        parts = next(cut.parts for cut in cuts(text) if cut.is_certain)
        routed = [self._single(self._read(part, context), context) for part in parts]
        steps = [step for each in routed if isinstance(each, Plan) for step in each.steps]
        if not steps:
            return Refusal(f"GridBot has no command for that; {_SUGGEST}")
        unclear = [part for part, each in zip(parts, routed, strict=True) if not isinstance(each, Plan)]
        told = f"{unclear[0]!r} is not understood" if unclear else "not all of that is understood together"
        return Question(f"{told}; which of these alone?", tuple(steps[:_CHOICES]))

    def _single(self, whole: tuple[Reading, tuple[Likely, ...]], context: Context) -> Routed:
        reading, likely = whole
        best = likely[0]
        unknown = next(one for one in likely if one.command == UNKNOWN)
        likely = tuple(one for one in likely if one.command != UNKNOWN)
        if unknown.probability > _UNKNOWN_AT or best.likeness < _LEAST_LIKENESS or self._is_foreign(best, reading):
            return Refusal(f"GridBot has no command for that; {_SUGGEST}")
        if best.probability >= _SURE:
            return Plan((self._step(best, reading, context, {}),), wants_json=_wants_json(reading))
        choices = tuple(self._step(one, reading, context, {}) for one in likely[:_CHOICES])
        return Question("which of these do you mean?", choices)

    def _is_foreign(self, best: Likely, reading: Reading) -> bool:
        """Say whether a sentence with words of a command is about something else: "clean my kitchen"."""
        if best.command == UNKNOWN:
            return True
        local = self._places.speaks_of if best.command in _ON_CODE else _nothing
        named = sum(each.kind in _NAMED_THINGS for each in reading.mentions)
        share = self._domain.foreign_share(reading.words, local, named)
        return share >= _FOREIGN or (share >= _HALF_FOREIGN and best.likeness < _ALIKE)

    def _read(
        self, text: str, context: Context, before: Mapping[str, object] = MappingProxyType({})
    ) -> tuple[Reading, tuple[Likely, ...]]:
        reading = read(text, self._names, self._speller, context.clock())
        if before:
            reading = replace(reading, words=with_meant(reading, before))
        return reading, self._merged(self._classifier.likely([reading])[0])

    def _merged(self, likely: tuple[Likely, ...]) -> tuple[Likely, ...]:
        """Join commands that are the same under two names."""
        extra = {_SAME[one.command]: one for one in likely if one.command in _SAME}
        joined = [
            replace(one, probability=one.probability + extra[one.command].probability) if one.command in extra else one
            for one in likely
            if one.command not in _SAME
        ]
        return tuple(sorted(joined, key=lambda one: -one.probability))

    def _step(self, one: Likely, reading: Reading, context: Context, before: dict[str, object]) -> Step:
        command = self._registry[one.command]
        filling = Filling(command.name, command.load_request(), reading, context, self._names, self._places, before)
        fill(filling)
        values = {name: value for name, value in filling.values.items() if value is not None}
        return Step(command, values, round(one.probability, 3), f"like {one.why!r}", filling.missing)


def _nothing(_: str) -> bool:
    return False


def _wants_json(reading: Reading) -> bool:
    return reading.mentions.first("json") is not None
