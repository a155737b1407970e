"""What an error means and what helps, as data: patterns of exceptions, in the order in which they are tried."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from automation.incidents.records import Kind, Raised

# Groups of a pattern whose word the source line may show.
_TOKENS = ("name", "key", "attribute", "module")


class Category(StrEnum):
    """What sort of trouble an error is."""

    SYNTAX = "syntax"
    IMPORT = "import"
    NAME = "name"
    TYPE = "type"
    VALUE = "value"
    LOGIC = "logic"
    ASSERTION = "assertion"
    RESOURCE = "resource"
    TIMEOUT = "timeout"
    CRASH = "crash"
    EXTERNAL = "external"
    FILES = "files"
    DATABASE = "database"
    COMPILATION = "compilation"
    CONCURRENCY = "concurrency"
    NETWORK = "network"
    EXCHANGE = "exchange"
    KEYS = "keys"
    FUNDS = "funds"
    ORDER = "order"
    RISK = "risk"
    DATA = "data"
    STATE = "state"
    CONFIGURATION = "configuration"
    USAGE = "usage"
    MODEL = "model"
    REPOSITORY = "repository"
    INTERRUPTED = "interrupted"
    NOTHING = "nothing wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Advice:
    """What an error means.

    Parameters
    ----------
    category : Category
        What sort of trouble.
    cause : str
        One or two sentences in plain words.
    fixes : tuple of str
        What to do, the likeliest help first.
    rule : str
        Name of the rule that said so; empty for the general answer of a category.
    token : str
        The word of the message that the source line is searched for; empty without one.
    """

    category: Category
    cause: str
    fixes: tuple[str, ...]
    rule: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One shape of an exception.

    Parameters
    ----------
    name : str
        Unique, in small letters with dashes.
    types : frozenset of str
        Last parts of exception types; empty for any.
    pattern : re.Pattern
        Searched for in the message; its named groups fill the texts.
    category : Category
        What sort of trouble.
    cause : str
        Text with ``{group}`` in it; ``{type}`` is the exception's.
    fixes : tuple of str
        The same.
    prefix : str
        What the whole type must begin with, such as ``ccxt.``, where it was told with its module.
    through : re.Pattern, optional
        What the path of one of the exception's frames must show.
    """

    name: str
    types: frozenset[str]
    pattern: re.Pattern[str]
    category: Category
    cause: str
    fixes: tuple[str, ...]
    prefix: str = ""
    through: re.Pattern[str] | None = None

    def advice(self, raised: Raised) -> Advice | None:
        """Return what the rule says about an exception, None when it has another shape."""
        own = raised.type.rpartition(".")[2]
        found = self.pattern.search(raised.message) if self._is_of(raised, own) else None
        if found is None:
            return None
        words = {name: value or "" for name, value in found.groupdict().items()} | {"type": own}
        return Advice(
            self.category,
            _filled(self.cause, words),
            tuple(_filled(fix, words) for fix in self.fixes),
            self.name,
            next((words[name] for name in _TOKENS if words.get(name)), ""),
        )

    def _is_of(self, raised: Raised, own: str) -> bool:
        if self.types and own not in self.types:
            return False
        # a log may name the type without its module
        is_bare = bool(self.types) and "." not in raised.type
        if not raised.type.startswith(self.prefix) and not is_bare:
            return False
        return self.through is None or any(self.through.search(frame.path) for frame in raised.frames)


def rule(
    name: str,
    types: str,
    pattern: str,
    category: Category,
    cause: str,
    *fixes: str,
    prefix: str = "",
    through: str = "",
) -> Rule:
    """Return a rule; ``types`` are words with blanks between, ``pattern`` is searched for across lines."""
    flags = re.DOTALL | re.MULTILINE
    path = re.compile(through) if through else None
    return Rule(name, frozenset(types.split()), re.compile(pattern, flags), category, cause, fixes, prefix, path)


def first_advice(chain: Iterable[Raised], rules: Iterable[Rule]) -> tuple[Advice, Raised] | None:
    """Return what the first fitting rule says, and of which exception; causes are looked at before what they led to.

    Parameters
    ----------
    chain : iterable of Raised
        The exception first, then its causes.
    rules : iterable of Rule
        In the order in which they are tried.
    """
    known = tuple(rules)
    for raised in reversed(tuple(chain)):
        for each in known:
            found = each.advice(raised)
            if found is not None:
                return found, raised
    return None


def _filled(text: str, words: Mapping[str, str]) -> str:
    """Fill a text; the article fits what follows it, and a group that said nothing leaves no gap."""

    def article(found: re.Match[str]) -> str:
        return f"{found[1]}n {{" if words.get(found[2], "")[:1].lower() in {"a", "e", "i", "o"} else f"{found[1]} {{"

    told = re.sub(r"\b([Aa]) \{(?=(\w+)\})", article, text)
    told = re.sub(r"\{(\w+)\}", lambda found: words.get(found[1], found[0]), told)
    return re.sub(r" ([.,:;])(?=\s|$)", r"\1", re.sub(r"(?<=\S) {2,}", " ", told))


GENERAL: Mapping[Kind, Advice] = {
    Kind.SYNTAX: Advice(
        Category.SYNTAX,
        "Python cannot read the file, so nothing in it runs.",
        ("Look at the line that is named and at the one before it: a bracket or a quote may still be open.",),
    ),
    Kind.IMPORT: Advice(
        Category.IMPORT,
        "A module, or a name in one, was not there when it was imported.",
        ("Check the spelling, and that the package is installed in the interpreter that runs.",),
    ),
    Kind.NAME: Advice(Category.NAME, "A name is used that nothing defines at that place.", ("Define or import it.",)),
    Kind.TYPE: Advice(
        Category.TYPE,
        "A value is of another type than the code that uses it takes it for.",
        ("Look at where the value was made, one frame up: what comes in is wrong, or the code must handle it.",),
    ),
    Kind.VALUE: Advice(
        Category.VALUE,
        "A value has the right type and a content that the code does not take.",
        ("Check the value at the frame above; validate it where it comes in.",),
    ),
    Kind.LOGIC: Advice(
        Category.LOGIC,
        "The program found itself in a state that it does not allow.",
        ("Read the condition at the place that raised, and follow its values back.",),
    ),
    Kind.RESOURCE: Advice(
        Category.RESOURCE,
        "The machine, or a limit on the process, gave no more memory, disk space or open files.",
        ("Free what is short (`gridbot clean`, `gridbot health`), or raise the limit.",),
    ),
    Kind.TIMEOUT: Advice(
        Category.TIMEOUT,
        "Something took longer than it was allowed to.",
        ("Look for a loop or a wait that never ends at the innermost frame; else raise the time limit.",),
    ),
    Kind.CRASH: Advice(
        Category.CRASH,
        "The process ended without an exception, so a compiled library or the system ended it.",
        ("Run it with `python -X faulthandler` to see where it was.",),
    ),
    Kind.EXTERNAL: Advice(
        Category.EXTERNAL,
        "It arose outside the repository: in a network, a service or a program that is not there.",
        ("Check that the other side is reachable; the code is probably right.",),
    ),
}
UNKNOWN = Advice(
    Category.UNKNOWN,
    "Nothing in this text has a shape that is known here.",
    (
        "Give the whole traceback or log line, or let the place speak: `gridbot explain --test TESTS`.",
        "Search the code for its words: `gridbot search 'WORDS'`.",
    ),
)
