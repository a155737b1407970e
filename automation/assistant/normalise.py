"""Sentences made alike: small letters, no polite frame, no contractions, American spelling, whole words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"})
_CONTRACTIONS = {
    "what's": "what is", "whats": "what is", "how's": "how is", "hows": "how is", "where's": "where is",
    "who's": "who is", "it's": "it is", "that's": "that is", "there's": "there is", "let's": "let us", "i'd": "i would",
    "i'm": "i am", "i've": "i have", "i'll": "i will", "we're": "we are", "we've": "we have", "you're": "you are",
    "don't": "do not", "dont": "do not", "doesn't": "does not", "doesnt": "does not", "didn't": "did not",
    "isn't": "is not", "isnt": "is not", "aren't": "are not", "can't": "can not", "cant": "can not",
    "couldn't": "could not", "won't": "will not", "wouldn't": "would not", "wanna": "want to", "gonna": "going to",
    "gimme": "give me", "lemme": "let me", "pls": "please", "plz": "please", "u": "you", "thx": "thanks",
    "keybinding": "key binding", "keybindings": "key bindings", "docstring": "doc string", "docstrings": "doc strings",
    "vscode": "vs code", "backtesting": "backtest", "llm": "language model", "llms": "language models",
    "websockets": "websocket", "unittest": "unit test", "unittests": "unit tests", "backtested": "backtest",
    "config": "configuration", "repo": "repository", "perf": "performance", "docs": "documentation",
    "creds": "credentials",
    "stats": "statistics", "info": "information", "pnl": "profit", "p&l": "profit",
}  # fmt: skip
_SPELLINGS = (
    (re.compile(r"\b(\w{3,})is(e|es|ed|ing|ation)\b"), r"\1iz\2"),
    (re.compile(r"\b(\w{3,})ys(e|es|ed|ing)\b"), r"\1yz\2"),
    (re.compile(r"\b(col|fav|behavi|hon|neighb|lab)our"), r"\1or"),
    (re.compile(r"\bcatalogue"), "catalog"),
)
# Words that end in -ise in both spellings.
_KEEP_ISE = word_set("otherwise exercise raise noise rise wise promise precise advise revise surprise praise")
_POLITE = re.compile(
    r"^(?:(?:hey|hi|hello|ok|okay|well|so|now|yes|sorry|excuse me|gridbot|dear gridbot)[ ,!]+)*"
    r"(?:(?:would you|do you) mind |(?:could|can|would|will) you (?:please |kindly |maybe |perhaps |also |just )*"
    r"|(?:i would|i) (?:like|love|want|need) (?:you )?to (?:please )?"
    r"|(?:please|kindly|just|quickly|now|maybe|perhaps|simply) "
    r"|(?:would it be possible|is it possible|is there a way) (?:for you )?to "
    r"|(?:may|might|could|can) (?:i|we) (?:please )?(?:ask you to |have you )?"
    r"|(?:let us|let me) (?:please )?"
    r"|(?:it would be (?:nice|great|good|cool|lovely)|i would be (?:glad|happy|grateful)) if you (?:could|would) "
    r"|(?:go ahead and|be so kind as to|be so kind and|make sure to|try to) "
    r"|i think (?:you should|we should) |(?:you|we) (?:should|must|have to|need to) (?:please )?)+"
)
_POLITE_END = re.compile(
    r"(?:[ ,]+(?:please|thanks|thank you|thank you very much|for me|if you can|if possible|if you do not mind"
    r"|would you|will you|could you|can you|right away|now|ok|okay|asap|as soon as possible|will ya|cheers|quickly))+$"
)
_WORD = re.compile(r"[a-z][a-z']*[a-z]|[a-z]")
# The file of words that look like slips and are none.
REAL_WORDS = "words.txt"
# Shorter words have too many neighbours; longer ones may hold two slips.
_SHORTEST = 4
_LONG = 8


def plain_quotes(sentence: str) -> str:
    """Return a sentence with straight quotes and single spaces."""
    return " ".join(sentence.translate(_APOSTROPHES).split())


def normal(sentence: str) -> str:
    """Return a sentence in the form in which sentences are compared.

    Parameters
    ----------
    sentence : str
        As it was typed; names of files and the like should be replaced before.

    Returns
    -------
    str
        Small letters and digits, one space between words, without what is only polite.
    """
    text = plain_quotes(sentence).lower()
    text = " ".join(_CONTRACTIONS.get(word.strip(",.!?;:"), word) for word in text.split())
    text = without_manners(re.sub(r"[!?.;:]+(?=\s|$)", "", text).strip(" ,"))
    text = re.sub(r"[^a-z0-9' &]+", " ", text)
    text = text.replace("'s ", " ").replace("s' ", "s ").replace("'", "")
    return " ".join(_american(word) for word in text.split())


def without_manners(text: str) -> str:
    """Return small-letter text without polite words around it; of nothing but those the text itself."""
    before = None
    stripped = text
    while before != stripped:
        before = stripped
        stripped = _POLITE_END.sub("", _POLITE.sub("", stripped)).strip(" ,")
    return stripped or text


def stem(word: str) -> str:
    """Return a word without the commonest endings, so that forms of one word agree."""
    for ending, least in (("ations", 6), ("ation", 6), ("izing", 3), ("ized", 3), ("ings", 3), ("ing", 3), ("ied", 3),
                          ("ies", 3), ("ed", 3), ("es", 4), ("s", 3), ("er", 5), ("e", 3), ("y", 3)):  # fmt: skip
        if word.endswith(ending) and len(word) - len(ending) >= least and not word.endswith("ss"):
            cut = word[: -len(ending)]
            return cut[:-1] if len(cut) > 3 and cut[-1] == cut[-2] and cut[-1] in "bdgmnprt" else cut
    return word


def words_of(text: str) -> list[str]:
    """Return the words of a text in small letters."""
    return _WORD.findall(text.lower())


def read_words(name: str) -> frozenset[str]:
    """Return the words of a file of this package; lines that begin with ``#`` are remarks."""
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


class Speller:
    """Puts slips of the keyboard right, with the words that GridBot knows.

    Parameters
    ----------
    words : iterable of str
        What slips are slips of, in small letters.
    real : collection of str, optional
        Words that are no slips; None takes those that come along.
    """

    def __init__(self, words: Iterable[str], real: Collection[str] | None = None) -> None:
        self._known = frozenset(words)
        self._real = read_words(REAL_WORDS) if real is None else real
        self._by_deletion: dict[str, set[str]] = {}
        for word in self._known:
            if len(word) >= _SHORTEST:
                for form in shortened(word):
                    self._by_deletion.setdefault(form, set()).add(word)

    def knows(self, word: str) -> bool:
        """Say whether a word is known as it stands, or in another form."""
        return word in self._known or any(word == known + end for end in ("s", "es", "ed", "d", "ing") for known in
                                          (word.removesuffix(end),) if known in self._known)  # fmt: skip

    def corrected(self, text: str) -> str:
        """Return a normal text with unknown words replaced by the one known word that they are a slip of."""
        return " ".join(self._word(word) for word in text.split())

    def _word(self, word: str) -> str:
        if len(word) < _SHORTEST or not word.isalpha() or word in self._real or self.knows(word):
            return word
        near = {known for form in shortened(word) for known in self._by_deletion.get(form, ())}
        allowed = 1 if len(word) < _LONG else 2
        scored = sorted((distance(word, known), known) for known in near if known[0] == word[0] or len(word) >= _LONG)
        fitting = [known for cost, known in scored if cost <= allowed and cost == scored[0][0]]
        # letters that changed places are the commonest slip
        swapped = [known for known in fitting if sorted(known) == sorted(word)]
        chosen = swapped if len(swapped) == 1 else fitting
        return chosen[0] if len({stem(known) for known in chosen}) == 1 else word


def distance(a: str, b: str) -> int:
    """Return how many letters must be added, dropped, changed or swapped with their neighbour to make one of the other.

    The restricted Damerau-Levenshtein distance.
    """
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        row = [i]
        for j, right in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (left != right))
            if i > 1 and j > 1 and left == b[j - 2] and a[i - 2] == right:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]


def _american(word: str) -> str:
    if word in _KEEP_ISE:
        return word
    for pattern, replacement in _SPELLINGS:
        word = pattern.sub(replacement, word)
    return word


def shortened(word: str) -> set[str]:
    """Return a word and what is left of it without one letter; of a long word, without two as well."""
    once = {word[:i] + word[i + 1 :] for i in range(len(word))}
    forms = {word, *once}
    if len(word) >= _LONG:
        forms |= {form[:i] + form[i + 1 :] for form in once for i in range(len(form))}
    return forms
