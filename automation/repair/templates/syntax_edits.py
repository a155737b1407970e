"""Small edits that may mend a syntax error, with how often each is right; which of them parse is decided elsewhere."""

from __future__ import annotations

import builtins
import difflib
import keyword
import re
from collections.abc import Iterator
from dataclasses import replace

from automation.repair.records import TextEdit
from automation.repair.templates.syntax_blocks import (
    conflicts,
    foreign,
    indentation,
    later_brackets,
    tabs,
    triple_quotes,
)
from automation.repair.templates.syntax_records import CLOSING, OPENING, BrokenText, SyntaxEdit, code_of, edit_at

_HEADER = re.compile(
    r"\s*(async\s+)?(def|if|for|while|else|elif|try|except|finally|class|with|match|case)\b(?!\s*=[^=])"
)
_TOKEN = re.compile(r"\w+|\*\*|//|->|:=|[<>=!+\-*/%&|^]=|\S")
_BLOCK_WORDS = ("if", "elif", "while", "assert", "return", "and", "or", "not", "for")
_SPELLINGS = (
    ("=>", ">="),
    ("=<", "<="),
    ("=!", "!="),
    ("<>", "!="),
    ("&&", " and "),
    ("||", " or "),
    ("===", "=="),
    ("!==", "!="),
    ("++", " += 1"),
    ("--", " -= 1"),
    ("else if", "elif"),
    ("elseif", "elif"),
    ("elsif", "elif"),
    ("function ", "def "),
    ("= =", "=="),
    ("! =", "!="),
    ("< =", "<="),
    ("> =", ">="),
    ("- >", "->"),
    ("::", ":"),
    (",,", ","),
    ("..", "."),
    ("=", "=="),
    (";", ":"),
    (";", ","),
    (";", ""),
    (":", ","),
    (",", ":"),
    (".", ","),
    ("==", "="),
    (":", "="),
    ("=", ":"),
    ("!", "not "),
    ("?", ""),
)
_LINE_PATTERNS = (
    (re.compile(r"^(\s*)print\s+(?![=(])(.*?)(\s*)$"), r"\1print(\2)\3"),
    (re.compile(r"^(\s*)print\s*>>\s*([\w.]+)\s*,\s*(.*?)(\s*)$"), r"\1print(\3, file=\2)\4"),
    (re.compile(r"^(\s*)exec\s+(?!\()(.*?)(\s*)$"), r"\1exec(\2)\3"),
    (re.compile(r"^(\s*except\s+)([\w.]+)\s*,\s*(\w+)\s*:"), r"\1\2 as \3:"),
    (re.compile(r"^(\s*except\s+)([\w., ]+,[\w., ]+?)\s*(as \w+)?\s*:"), r"\1(\2) \3:"),
    (re.compile(r"^(\s*raise\s+)([\w.]+)\s*,\s*(.*?)(\s*)$"), r"\1\2(\3)\4"),
    (re.compile(r"^(\s*(?:async\s+)?def\s+\w+)\s*:"), r"\1():"),
    (re.compile(r"^(\s*(?:async\s+)?def\s+\w+)\s*->"), r"\1() ->"),
    (re.compile(r"^(\s*)import\s+(.+?)\s+from\s+([\w.]+)"), r"\1from \3 import \2"),
    (re.compile(r"^(\s*)from\s+([\w.]+)\s+(?!import\b)(\w+)"), r"\1from \2 import \3"),
    (re.compile(r"^(\s*(?:async\s+)?for\s+[\w, ()]*?\w)\s+(?!in\b)(\S.*)$"), r"\1 in \2"),
    (re.compile(r"\b0(\d+)\b"), r"0o\1"),
    (re.compile(r"\b(\d+)[lL]\b"), r"\1"),
    (re.compile(r"`([^`]*)`"), r"repr(\1)"),
    (re.compile(r"\bnew\s+(?=\w+\()"), ""),
)  # fmt: skip
_WORDS_BETWEEN = (" in", " as", " and", " or", " if", " else", " for", " not", " is", " import", " from")
_STRAY = frozenset("$?!`\\@;~^")
_BUILTINS = frozenset(dir(builtins))


def syntax_edits(broken: BrokenText) -> Iterator[SyntaxEdit]:
    """Yield edits near the error, in no order."""
    for line, closeness in broken.near.items():
        for family in (_colons, _lines, _words, _spellings, _insertions, _deletions, _quotes, indentation):
            for edit in family(broken, line):
                yield replace(edit, prior=edit.prior * closeness * _hint(broken, edit))
    for family_of_text in (foreign, triple_quotes, tabs, conflicts, later_brackets):
        for edit in family_of_text(broken):
            yield replace(edit, prior=edit.prior * _hint(broken, edit))


def _hint(broken: BrokenText, edit: SyntaxEdit) -> float:
    """Tell how well an edit fits the parser's message."""
    message, what = broken.message, edit.description
    hints = (
        ("never closed", ("insert )", "insert ]", "insert }")),
        ("unmatched", ("remove ", "insert (", "insert [", "insert {")),
        ("does not match opening", ("becomes", "insert )", "insert ]", "insert }")),
        ("expected ':'", ("colon", "insert :", "spelling", "becomes :")),
        ("indent", ("indent",)),
        ("tabs and spaces", ("indent",)),
        ("instead of '='", ("= becomes ==",)),
        ("forgot a comma", ("insert ,", "insert )", "insert ]", "insert }", "insert in", "spelling")),
        ("unterminated", ("quote",)),
        ("EOL while", ("quote",)),
        ("f-string", ("insert }", "insert {", "remove }", "remove {", "quote")),
        ("Missing parentheses", ("rewrite",)),
        ("invalid character", ("character",)),
        ("invalid non-printable", ("character",)),
    )
    fits = [any(word in what for word in words) for part, words in hints if part in message]
    column = 1.0
    if edit.line == broken.line and len(edit.edits) == 1:
        distance = abs(edit.edits[0].start - broken.table.offset(broken.line, broken.column))
        column = 0.6 + 0.4 / (1 + 0.15 * distance)
    return column * (1.0 if not fits else 1.6 if any(fits) else 0.55)


def _colons(broken: BrokenText, line: int) -> Iterator[SyntaxEdit]:
    code = code_of(broken.table.line(line))
    start = broken.table.offset(line)
    begins_or_ends_header = _HEADER.match(code) or code.lstrip().startswith((")", "]"))
    if not begins_or_ends_header or code.endswith(":"):
        return
    yield edit_at(start + len(code), start + len(code), ":", line, 0.95, "insert missing colon")
    if code[-1] in ";,.=|":
        yield edit_at(start + len(code) - 1, start + len(code), ":", line, 0.9, f"{code[-1]} becomes : (missing colon)")


def _lines(broken: BrokenText, line: int) -> Iterator[SyntaxEdit]:
    text = broken.table.line(line)
    start = broken.table.offset(line)
    for pattern, template in _LINE_PATTERNS:
        if pattern.search(text):
            changed = pattern.sub(template, text)
            yield edit_at(start, start + len(text), changed, line, 0.85, f"rewrite as {changed.strip()}")
    if line > 1:
        above = broken.table.line(line - 1)
        yield edit_at(start - 1, start - 1, " \\", line, 0.04, "continue the line above")
        if text.strip() and above.strip() == text.strip():
            yield edit_at(start, broken.table.after(line), "", line, 0.5, "remove repeated line")
    if text.strip():
        yield edit_at(start, broken.table.after(line), "", line, 0.03, f"remove line {text.strip()}")


def _words(broken: BrokenText, line: int) -> Iterator[SyntaxEdit]:
    text = broken.table.line(line)
    start = broken.table.offset(line)
    for match in re.finditer(r"[A-Za-z_]\w*", text):
        word = match.group()
        is_first = not text[: match.start()].strip()
        for other in _alike(word):
            prior = 0.9 if is_first else 0.7
            where = start + match.start(), start + match.end()
            yield edit_at(*where, other, line, prior, f"spelling: {word} becomes {other}")
        for known in keyword.kwlist:
            rest = word[len(known) :]
            if word.startswith(known) and len(known) > 1 and rest and not keyword.iskeyword(word):
                at = start + match.start() + len(known)
                yield edit_at(at, at, " ", line, 0.4, f"spelling: split {word}")


def _alike(word: str) -> list[str]:
    if keyword.iskeyword(word) or len(word) < 2:
        return []
    if word.lower() in keyword.kwlist:
        return [word.lower()]
    if word.capitalize() in {"None", "True", "False"}:
        return [word.capitalize()]
    close = difflib.get_close_matches(word, keyword.kwlist, n=3, cutoff=0.66)
    return [other for other in close if _is_typo(word, other)]


def _is_typo(word: str, other: str) -> bool:
    if abs(len(word) - len(other)) > 1:
        return False
    if sorted(word) == sorted(other):
        return True
    shared = sum(
        block.size for block in difflib.SequenceMatcher(None, word, other, autojunk=False).get_matching_blocks()
    )
    return max(len(word), len(other)) - shared <= (1 if len(other) < 6 else 2)


def _spellings(broken: BrokenText, line: int) -> Iterator[SyntaxEdit]:
    text = broken.table.line(line)
    start = broken.table.offset(line)
    in_condition = any(re.search(rf"\b{word}\b", text) for word in _BLOCK_WORDS)
    for old, new in _SPELLINGS:
        at = text.find(old)
        while at >= 0:
            lone = old != "=" or (text[at - 1 : at] not in {*"=!<>:+-*/%&|^"} and text[at + 1 : at + 2] != "=")
            if lone:
                prior = 0.9 if (old, new) == ("=", "==") and in_condition else 0.8 if len(old) > 1 else 0.35
                where = start + at, start + at + len(old)
                yield edit_at(*where, new, line, prior, f"{old} becomes {new.strip() or 'nothing'}")
            at = text.find(old, at + 1)


def _gaps(text: str) -> list[int]:
    tokens = list(_TOKEN.finditer(text))
    return sorted({match.start() for match in tokens} | {match.end() for match in tokens})


def _joints(broken: BrokenText, text: str) -> Iterator[tuple[int, str]]:
    """Find words that two known words grew into when the mark between them was lost."""
    known = {word for word in re.findall(r"\w+", broken.text.replace(text, "", 1)) if len(word) > 1} | _BUILTINS
    for match in re.finditer(r"[A-Za-z_]\w*", text):
        word = match.group()
        if word in known or keyword.iskeyword(word):
            continue
        for size in range(1, len(word)):
            if word[:size] in known or (size > 2 and word[size:] in known):
                for mark in ("(", "[", ".", ", ", " "):
                    yield match.start() + size, mark


def _insertions(broken: BrokenText, line: int) -> Iterator[SyntaxEdit]:
    text = broken.table.line(line)
    start = broken.table.offset(line)
    code_end = len(code_of(text))
    for gap, mark in _joints(broken, text):
        yield edit_at(start + gap, start + gap, mark, line, 0.6, f"insert {mark}")
    for gap in _gaps(text):
        at_end = gap == code_end
        before_colon = text[gap:code_end].strip() in {":", ",", "):", "]:", "),", "],", ")", "]", "}", "},"}
        for close, opened in OPENING.items():
            balance = text.count(opened) - text.count(close)
            prior = (0.75 if at_end else 0.7 if before_colon else 0.35) * (1.0 if balance > 0 else 0.35)
            yield edit_at(start + gap, start + gap, close, line, prior, f"insert {close}")
        for opened, close in CLOSING.items():
            missing = text.count(close) - text.count(opened) > 0
            adjoins = gap > 0 and (text[gap - 1].isalnum() or text[gap - 1] == "_") and gap < len(text)
            prior = (0.7 if adjoins else 0.5) * (1.0 if missing else 0.35)
            yield edit_at(start + gap, start + gap, opened, line, prior, f"insert {opened}")
        if "{" in text[:gap] and re.search(r"[fF]['\"]", text):
            yield edit_at(start + gap, start + gap, ":", line, 0.3, "insert : (format)")
        yield from _between(text, gap, start, line, at_end)


def _between(text: str, gap: int, start: int, line: int, at_end: bool) -> Iterator[SyntaxEdit]:
    left, right = text[:gap].rstrip(), text[gap:].lstrip()
    ends_operand = bool(left) and (left[-1].isalnum() or left[-1] in "_\"')]}")
    begins_operand = bool(right) and (right[0].isalnum() or right[0] in "_\"'([{-*")
    if not ends_operand or text[gap - 1 : gap].isspace():
        return
    if at_end or begins_operand:
        yield edit_at(start + gap, start + gap, ",", line, 0.7 if at_end else 0.72, "insert ,")
    if begins_operand:
        is_key = left[-1] in "\"'"
        yield edit_at(start + gap, start + gap, ":", line, 0.6 if is_key else 0.4, "insert :")
        yield edit_at(start + gap, start + gap, " =", line, 0.4, "insert =")
        yield edit_at(start + gap, start + gap, ".", line, 0.3, "insert .")
        for operator in (" +", " -", " *", " =="):
            yield edit_at(start + gap, start + gap, operator, line, 0.15, f"insert{operator}")
        for word in _WORDS_BETWEEN:
            yield edit_at(start + gap, start + gap, word, line, 0.5 if word == " in" else 0.25, f"insert{word}")


def _deletions(broken: BrokenText, line: int) -> Iterator[SyntaxEdit]:
    text = broken.table.line(line)
    start = broken.table.offset(line)
    previous = ""
    for match in _TOKEN.finditer(text):
        token = match.group()
        where = start + match.start(), start + match.end()
        if token in CLOSING or token in OPENING:
            open_count, close_count = text.count(OPENING.get(token, token)), text.count(CLOSING.get(token, token))
            surplus = open_count != close_count
            yield edit_at(*where, "", line, 0.55 if surplus else 0.25, f"remove {token}")
            for other in CLOSING if token in CLOSING else OPENING:
                if other != token:
                    yield edit_at(*where, other, line, 0.5, f"{token} becomes {other}")
        else:
            stray = not token[0].isalnum() and token[0] not in "_\"'"
            prior = 0.6 if token in _STRAY else 0.4 if stray or token == previous else 0.12
            yield edit_at(*where, "", line, prior, f"remove {token}")
        previous = token


def _quotes(broken: BrokenText, line: int) -> Iterator[SyntaxEdit]:
    text = broken.table.line(line)
    start = broken.table.offset(line)
    marks = [at for at, char in enumerate(text) if char in "\"'"]
    if not marks:
        return
    code_end = len(text.rstrip())
    used = {text[at] for at in marks}
    for gap in _gaps(text):
        tail = text[gap:code_end]
        prior = 0.8 if tail and not tail.strip(")]},: ") else 0.72 if not tail else 0.3
        for quote in used:
            odd = text.count(quote) % 2
            yield edit_at(start + gap, start + gap, quote, line, prior * (1.0 if odd else 0.5), f"insert quote {quote}")
    for at in marks:
        other = "'" if text[at] == '"' else '"'
        yield edit_at(start + at, start + at + 1, other, line, 0.5, f"quote {text[at]} becomes {other}")
        yield edit_at(start + at, start + at + 1, "", line, 0.4, f"remove quote {text[at]}")
        yield edit_at(start + at, start + at, "\\", line, 0.45, f"escape quote {text[at]}")
        yield edit_at(start + at, start + at, text[at], line, 0.4, f"insert quote {text[at]}")
        for after in marks:
            if after > at and text[after] == text[at]:
                edits = (TextEdit(start + at, start + at + 1, other), TextEdit(start + after, start + after + 1, other))
                yield SyntaxEdit(edits, line, 0.35, f"quotes {text[at]} become {other}")
