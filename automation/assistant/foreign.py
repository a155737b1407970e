"""Words that are foreign to GridBot: how much of a sentence is about something else."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from automation.assistant.normalise import read_words, stem, word_set

_GENERIC_SET = read_words("generic_words.txt")
# They look like forms of words of no topic, or of commands.
_ELSEWHERE = word_set("car cars news house houses fly flies jobs shop movie weather")
_STEMS = frozenset(stem(word) for word in _GENERIC_SET)


class Domain:
    """The words that GridBot's own sentences are made of.

    Parameters
    ----------
    words : iterable of str
        Words of examples and names, in small letters.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._stems = frozenset(stem(word) for word in words)

    def foreign_share(self, sentence: str, is_local: Callable[[str], bool], named: int = 0) -> float:
        """Return the share of a sentence's telling words that are about something else, 0 to 1.

        Parameters
        ----------
        sentence : str
            In normal form.
        is_local : callable
            Whether a word is one of the repository.
        named : int
            Things of GridBot that the sentence names outright.
        """
        own, foreign = named, 0
        for word in sentence.split():
            if word in _ELSEWHERE:
                foreign += 1
            elif stem(word) in self._stems:
                own += word not in _GENERIC_SET
            elif word.isalpha() and len(word) > 1 and word not in _GENERIC_SET and stem(word) not in _STEMS:
                if is_local(word):
                    own += 1
                else:
                    foreign += 1
        return foreign / (own + foreign) if foreign else 0.0
