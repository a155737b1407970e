"""Names in a sentence: quotations, errors, addresses, files, models, runs, settings, sessions, identifiers."""

from __future__ import annotations

import re

from automation.assistant.mentions import Mentions
from automation.assistant.names import COINS, Names

_QUOTED = re.compile(r'"([^"]+)"|`([^`]+)`|(?<![\w])\'([^\']+(?:\'\w[^\']*)*)\'(?!\w)')
_ERROR = re.compile(
    r"\b(?:[A-Z]\w*)?(?:Error|Exception|Warning|Interrupt|Exit)\b(?:\s*:\s*(?:'[^']*'|\S.*?)"
    r"(?=\s+(?:-+\s|(?:supposed to )?means?\b|about\b)|[,.;?!]*\s*(?:,\s*(?:what|why|how|help|from|where|wat|huh"
    r"|pls|please)\b.*)?$"
    r"|[?!](?:\s|$))|\s*\([^)]*\))?"
    r"|\bTraceback \(most recent call last\).*|\bE00[1-7]\b"
)
_ERROR_NAME = re.compile(r"[A-Z]\w*(?:Error|Exception|Warning)|E00[1-7]|Traceback")
_URL = re.compile(r"\b(?:https?|wss?)://[^\s,]+")
_ASSIGNMENT = re.compile(r"\b([a-z_]+(?:\.[a-z_]+)+)\s?=\s?([^\s,]+)")
_FILE = re.compile(
    r"(?<![\w@])(?:~|\.{1,2})?/?(?:[\w.+-]+/)*[\w+-][\w.+-]*\.[A-Za-z]{1,10}(?:\.gz)?(?:::?[\w.\[\]:]+)?(?!\w)"
)
_FOLDER = re.compile(r"(?<![\w/.:])(?:~/|\.{1,2}/|/)?[\w.+-]+(?:/[\w.+-]+)*/?(?![\w/])")
_KINDS = (
    ("candle file", re.compile(r"\.(parquet|csv|csv\.gz|feather|arrow|pq|tsv|zip|json\.gz)$", re.IGNORECASE)),
    ("log", re.compile(r"\.(log|out|err|jsonl)$", re.IGNORECASE)),
    ("gguf", re.compile(r"\.gguf$", re.IGNORECASE)),
    ("recording", re.compile(r"\.(recording|rec)$", re.IGNORECASE)),
    ("python", re.compile(r"\.pyi?(::?[\w.\[\]:]+)?$")),
    ("document", re.compile(r"\.(md|rst|txt|toml|json|ya?ml|html?|cfg|ini|ipynb)$", re.IGNORECASE)),
)  # fmt: skip
_MODEL = re.compile(r"(?<![\w./])[a-z][\w.-]*:[a-z0-9][\w.-]*\w(?![\w/])", re.IGNORECASE)
_FAMILY = re.compile(
    r"(?<![\w./])(?:qwen|llama|smollm|gemma|mistral|phi|deepseek|codellama|starcoder|tinyllama|all-minilm|granite|yi)"
    r"(?!\.cpp)[\d.]*(?:-[\w.-]*\w)?(?![\w/])",
    re.IGNORECASE,
)
_RUN = re.compile(r"(?<![\w-])(?:20\d{6}-\d{4,6}(?:-[\w]+)*|[0-9a-f]{8,32}(?=\b)(?=\w*\d)(?=\w*[a-f]))(?![\w-])")
_RUN_NAMED = re.compile(r"\brun\s+(?:number\s+|id\s+)?([0-9a-f]*\d[\w-]*)", re.IGNORECASE)
_DOTTED = re.compile(r"(?<![\w/.-])[a-z_]+(?:\.[a-z_]+)+(?![\w/(])")
_SESSION_CALLED = re.compile(
    r"\bsession\s+([a-z0-9_]+-[\w-]+|[a-z]+\d[\w-]*)|([a-z0-9_]+-[\w-]+)\s+session\b"
    r"|\b((?:paper|live|replay|sim)-[a-z0-9]+(?:-[\w-]+)*)\b",
    re.IGNORECASE,
)
_CALLED = re.compile(
    r"\bsession\s+(?:\w+\s+){0,3}?(?:is\s+)?(?:called|named|with the name|under the name)\s+([\w-]+)"
    r"|\b(?:call(?:ed)?|name(?:d)?)\s+(?:it|(?:the|that) \w+|this|that)\s+([\w-]+)"
    r"|\b(?:under|by) the (?:name|moniker|title|label)(?: of)? ([\w-]+)(?![\w/])",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(
    r"(?<![\w./])(?:[A-Za-z_]\w*\.)*(?:_*[a-z0-9]+_\w+|[A-Z][a-z0-9]+[A-Z]\w*|\w+(?=\(\)))(?:\.\w+)*(?:\(\))?(?![\w/])"
)
_NO_SESSION = frozenset(
    {
        "make-believe",
        "paper-trade",
        "paper-trades",
        "built-in",
        "end-to-end",
        "self-repair",
        "paper-trading",
        "live-trading",
        "html",
        "bit-for-bit",
    }
)
_NO_SESSION_WORD = re.compile(
    r"(?:^|-)(?:real|money|long|short|running|trading|play|last|risk|term|hour|minute|day|term|free)(?:-|$)",
    re.IGNORECASE,
)
_NOT_A_FOLDER = re.compile(r"[\d.,]+|n/a|and/or|w/o?|a/b|i/o|p/l|24/7|tcp/ip", re.IGNORECASE)
_QUOTE_ASSETS = "usdt|usdc|fdusd|busd|tusd|dai|usd|eur|gbp|jpy|btc|eth|bnb"
_PAIR = re.compile(rf"[A-Z0-9]{{2,10}}/(?:{_QUOTE_ASSETS.upper()})|(?:{'|'.join(COINS)})/(?:{_QUOTE_ASSETS})")


def recognise_names(found: Mentions, names: Names) -> None:
    """Add what a sentence quotes or calls by name.

    Parameters
    ----------
    found : Mentions
        The sentence; mentions are added to it.
    names : Names
        What there is.
    """
    _take_texts(found)
    for match in re.finditer(r"\b[A-Z]\w+(?: ?: .+)?", found.text):
        if match[0].partition(":")[0].strip() in names.errors:
            found.take("error", match[0].rstrip(".?!"), match.start(), match.end())
    _take_files(found)
    _take_settings(found, names)
    _take_runs(found, names)
    _take_models(found)
    _take_sessions(found, names)
    _take_identifiers(found)
    _take_folders(found)


def _take_texts(found: Mentions) -> None:
    for match in _URL.finditer(found.text):
        found.take("url", match[0].rstrip(".!?"), match.start(), match.end())
    # an error's message may quote in single quotes itself
    for match in _ERROR.finditer(found.text):
        if _ERROR_NAME.search(match[0]) and ":" in match[0] and found.text[: match.start()].count('"') % 2 == 0:
            found.take("error", match[0].strip(" .?!"), match.start(), match.end())
    for match in _QUOTED.finditer(found.text):
        text = next(group for group in match.groups() if group is not None)
        kind = _kind_of(text)
        if _ERROR_NAME.search(text):
            kind = "error"
        found.take(kind or "command", text, match.start(), match.end())
    for match in _ERROR.finditer(found.text):
        if _ERROR_NAME.search(match[0]):
            found.take("error", match[0].strip(" .?!"), match.start(), match.end())
    for match in _ASSIGNMENT.finditer(found.text):
        found.take("assignment", f"{match[1]}={match[2].rstrip('.')}", match.start(), match.end())


def _take_files(found: Mentions) -> None:
    for match in _FILE.finditer(found.text):
        text = match[0].rstrip(".:")
        kind = _kind_of(text)
        if kind is not None:
            found.take(kind, text, match.start(), match.start() + len(text))


def _kind_of(text: str) -> str | None:
    if " " in text:
        return None
    return next((kind for kind, pattern in _KINDS if pattern.search(text)), None)


def _take_settings(found: Mentions, names: Names) -> None:
    for match in _DOTTED.finditer(found.text):
        if match[0] in names.settings or match[0].partition(".")[0] in names.sections:
            found.take("setting", match[0], match.start(), match.end())


def _take_runs(found: Mentions, names: Names) -> None:
    for match in _RUN.finditer(found.text):
        found.take("run", match[0], match.start(), match.end())
    for match in _RUN_NAMED.finditer(found.text):
        found.take("run", match[1], match.start(1), match.end(1))


def _take_models(found: Mentions) -> None:
    for pattern in (_MODEL, _FAMILY):
        for match in pattern.finditer(found.text):
            found.take("model", match[0].rstrip("."), match.start(), match.end())


def _take_sessions(found: Mentions, names: Names) -> None:
    for name in sorted(names.sessions, key=len, reverse=True):
        for match in re.finditer(rf"(?<![\w-]){re.escape(name)}(?![\w-])", found.text, re.IGNORECASE):
            found.take("session", name, match.start(), match.end())
    for match in _CALLED.finditer(found.text):
        name = next(group for group in match.groups() if group)
        found.take("session", name.lower(), match.end() - len(name), match.end())
    for match in _SESSION_CALLED.finditer(found.text):
        index = next(number for number, group in enumerate(match.groups(), 1) if group is not None)
        if match[index].lower() not in _NO_SESSION and not _NO_SESSION_WORD.search(match[index]):
            found.take("session", match[index].lower(), match.start(index), match.end(index))


def _take_identifiers(found: Mentions) -> None:
    for match in _IDENTIFIER.finditer(found.text):
        if not match[0].isdigit():
            found.take("identifier", match[0].removesuffix("()"), match.start(), match.end())


def _take_folders(found: Mentions) -> None:
    for match in _FOLDER.finditer(found.text):
        text = match[0].rstrip(".,")
        if (
            "/" in text
            and not _NOT_A_FOLDER.fullmatch(text)
            and not _PAIR.fullmatch(text)
            and not _PAIR.fullmatch(text.lower())
        ):
            found.take("folder", text.rstrip("/") or "/", match.start(), match.start() + len(text))
