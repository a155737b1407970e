"""Which code a sentence is about: a file, folder or symbol that it names or describes; None where it leaves a doubt."""

from __future__ import annotations

import re
from pathlib import Path

from automation.assistant.filling import Filling
from automation.assistant.normalise import word_set
from automation.assistant.place_words import CALLED

TESTS_PATH = re.compile(r"(?:^|/)(?:tests?)(?:/|$)|(?:^|/)test_\w+\.py|_test\.py")
UNCOMMITTED = re.compile(
    r"\b(?:review|test|document|judge|check) what (?:has |was |is |got )?(?:been )?changed\b"
    r"|\b(?:uncommitted|not (?:yet )?committed|unstaged|staged"
    r"|(?:since|after|from) (?:the |my |our )?(?:last|latest) commit"
    r"|working (?:tree |copy )?changes|work in progress|pending edits)\b|\bwhat (?:i|we|he|she|they)(?:'ve|'s| have"
    r"| has)? (?:\w+ )?"
    r"(?:changed|edited|modified|altered|amended|touched|wrote|written|added)\b|\bthat (?:i|we)(?:'ve| have)?"
    r" (?:\w+ )?(?:changed|edited|touched)\b",
    re.IGNORECASE,
)
_HERE = re.compile(
    r"\b(?:this|the current|the open|the opened|my open|the active) (?:\w+ )?(?:file|script|editor|buffer|source|tab)\b"
    r"|\b(?:file|code|script|source|module|text|one|what|thing)(?: (?:that|which))?(?: i(?:'m| am| have|'ve)?|"
    r" is)?(?: (?:got|now|just|"
    r"currently))* (?:open|opened|before me|in front of me|looking at|editing|working on|on (?:my|the) screen|in"
    r" (?:my|the) editor)\b",
    re.IGNORECASE,
)
_BARE_HERE = re.compile(
    r"\b(?:this|the current|that) (?:function|method|class|code|module|line|thing)\b"
    r"|(?<!in )(?<!over )(?<!around )(?<!from )\bhere\b(?! (?:is|are)\b)|\b(?:under|at) (?:the|my) cursor\b",
    re.IGNORECASE,
)
_EVERYTHING = re.compile(
    r"\b(?:everywhere|everything|(?:whole|entire|complete|full|all of the|all the|all our|all my) "
    r"(?:repo\w*|project|code ?base|code|source\w*|thing|program|package|files?)|(?:my|the|our|this|in) "
    r"(?:repo\w*|project|code ?base|program)|all over|across the board|all (?:functions|modules|files|code))\b",
    re.IGNORECASE,
)
_LINE = re.compile(r"\s*,?\s*(?:at |on |in |around )?(?:line|row) (?:number )?(\d+)\b", re.IGNORECASE)
_LINE_OF = re.compile(r"\b(?:line|row) (?:number )?(\d+) (?:of|in) (?:the file )?$", re.IGNORECASE)
_KIND = r"(?:functions?|methods?|class|routine|module|file|folder|directory|package|script|code|logic|part|component)"
_BEFORE_KIND = re.compile(
    rf"\b(?:the|our|my|that|of|for|in|on|to|from|a|this)\s+(?P<what>(?:(?!(?:the|a|my|our"
    rf"|that)\b)[\w-]+\s+){{1,4}}?{_KIND})\b",
    re.IGNORECASE,
)
_AFTER_KIND = re.compile(
    rf"\b(?P<what>{_KIND}\s+(?:that|which|for|to|of|where|with|called|named|about)\s+.+)$", re.IGNORECASE
)
_OBJECT = re.compile(
    r"\b(?:of|for|in|to|on|about|inside|at|around|from|against|with|review|check|inspect|rate|score|lint|audit|test"
    r"|cover"
    r"|document|describe|comment|optimi[sz]e|speed up|accelerate|improve|profile|tune|make|roast|is|are|debug|fix"
    r"|repair"
    r"|over|analy[sz]e|mend|can|does|get|through)\s+(?:all of |all )?(?:the |our |my )(?P<what>[a-z][\w -]*?)"
    r"(?=\s+(?:faster|quicker|so|too|slow|up|good|better|more|run|clean|complex|ok|okay|any|please|properly|well|is"
    r"|are|has"
    r"|needs?|takes?|for|at|by|using|again|a bit|have|be|that|without|with|and|in|run)\b|[,.;?!]|$)",
    re.IGNORECASE,
)
_SINGLE = re.compile(
    r"\b(?:make|get|speed up|optimi[sz]e|accelerate|profile|test|cover|review|document|describe|roast|of|for)\s+"
    r"(?P<what>[a-z]\w{3,})(?=\s+(?:faster|quicker|run|up|better|properly|please|again)\b|\s*(?:[,.;?!]|$))",
    re.IGNORECASE,
)
_DEBUGGED = re.compile(
    r"\b(?:debug|fix|repair|heal|mend|troubleshoot)\w* (?:the |our |my )(?P<what>\w+(?: \w+){0,2})\s*$", re.IGNORECASE
)
# Words of a wish about code, which say nothing of which code.
_NOISE = word_set(
    "quality coverage performance runtime latency speed docstring docstrings documentation docs doc unit test tests"
    " cases"
    " missing stale security problems dead duplicated copied complexity style types lint mutation score api use"
    " spots loop"
    " bottleneck bottlenecks please review hotspots hot python more some everything whole entire repository repo"
    " project"
    " codebase slow slower fast faster quick quicker quickly badly well good bad better clean descriptions description"
    " comments comment results result changes change edits bugs bug errors error failing broken red suite build"
    " builds ci"
    " model models machine places worst parts smells time pass passes minutes hours grade mark marks report hour"
    " developers developer program programs text line lines friend colleague boss nephew mutants mutant numbers"
    " issue issues"
    " place places clock night suite"
    " rest readme table branch patch worktree tree editor screen rest gaps hurry look one two three way sense money"
)


def named_code(filling: Filling) -> str | None:
    """Return the file, folder or symbol that a sentence names outright, or means by "this file"."""
    for mention in filling.reading.mentions:
        if mention.kind == "python":
            place = _placed(filling, str(mention.value))
            text = filling.reading.text
            line = _LINE.match(text, mention.end) or _LINE_OF.search(text[: mention.start])
            return f"{place}:{line[1]}" if line is not None and ":" not in place else place
        if mention.kind == "folder":
            return filling.places.path_of(str(mention.value)) or str(mention.value)
        if mention.kind == "identifier":
            return filling.places.symbol(str(mention.value)) or str(mention.value)
        if mention.kind == "here":
            return filling.context.file or None
    return _here(filling) or filling.places.named_in(_plain(filling)) or _object_named(filling)


def described_code(filling: Filling) -> str | None:
    """Return the file, folder or symbol that a sentence describes so clearly that no other can be meant."""
    text = _plain(filling)
    if _EVERYTHING.search(text):
        return None
    for pattern, is_kind in ((_BEFORE_KIND, True), (_AFTER_KIND, True), (_OBJECT, False)):
        for match in pattern.finditer(text):
            words = " ".join(word for word in match["what"].lower().split() if word not in _NOISE)
            found = filling.places.target(words, clearly=True) if words else None
            if found is not None and (is_kind or "/" in found):
                return found
    return None


def tests_of_code(filling: Filling) -> str | None:
    """Return the tests of a file or symbol that the sentence names, or means by "this file"."""
    target = named_code(filling)
    if target is None or target.startswith(("..", "/", "~")):
        return None
    if TESTS_PATH.search(target):
        return target
    stem = Path(target.partition("::")[0].partition(":")[0]).with_suffix("").as_posix()
    return " ".join(filling.places.tests_of(stem)) or None


def tests_of_topic(filling: Filling) -> str | None:
    """Return the tests of the module that a sentence describes; None when it is not clear which one that is."""
    place = described_code(filling)
    if place is None:
        return _tests_of_debugged(filling)
    stem = Path(place.partition("::")[0]).with_suffix("").as_posix()
    return " ".join(filling.places.tests_of(stem)) or None


def _tests_of_debugged(filling: Filling) -> str | None:
    """Return the tests of "the websocket connection", which names no file but is a thing that the code speaks of."""
    match = _DEBUGGED.search(_plain(filling))
    words = [] if match is None else match["what"].lower().split()
    if not words or any(word in _NOISE | CALLED or not filling.places.speaks_of(word) for word in words):
        return None
    return " ".join(filling.places.tests_of(" ".join(words))) or None


def _object_named(filling: Filling) -> str | None:
    """Return a definition of one plain word that the sentence is about: "make resample faster"."""
    match = _SINGLE.search(_plain(filling))
    if match is None or match["what"].lower() in _NOISE | CALLED:
        return None
    found = filling.places.symbol(match["what"])
    return found if found is not None and "::" in found else None


def _here(filling: Filling) -> str | None:
    file, line = filling.context.file, filling.context.line
    if not file:
        return None
    text = filling.reading.text
    if _HERE.search(text):
        return file
    bare = _BARE_HERE.search(text)
    if bare is None:
        return None
    if bare[0].lower() == "here" and not line:
        return None
    return f"{file}:{line}" if line and not re.search(r"\b(?:module|code)\b", bare[0].lower()) else file


def _plain(filling: Filling) -> str:
    text, used = filling.reading.text, list(filling.used)
    used += [(each.start, each.end) for each in filling.reading.mentions]
    kept, at = [], 0
    for start, end in sorted(used):
        kept.append(text[at : max(start, at)])
        at = max(at, end)
    return re.sub(r"\b(?:please|pls|plz|thanks|kindly)\b", "", " , ".join([*kept, text[at:]])).strip(" ,.?!")


def _placed(filling: Filling, path: str) -> str:
    """Return a path as the repository has it: a bare file name is looked for."""
    bare, separator, rest = path.partition(":")
    if "/" in bare or filling.places.holds(bare):
        return path
    found = filling.places.file_called(bare)
    return path if found is None else f"{found}{separator}{rest}"
