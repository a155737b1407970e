"""The faults of the built-in exchange as people tell them: by name or by what goes wrong, each with how often."""

from __future__ import annotations

import re

from automation.assistant.amounts import NUMBER, number_of, plain_number, share_of

_FAULTS = (
    ("drop_after", (r"drop[ _-]after|(?:lose|drop|swallow|eat)\w* (?:\w+ ){0,3}(?:answers?|responses?|replies)"
     r"|(?:answers?|responses?|repl(?:y|ies)) (?:\w+ ){0,2}(?:lost|dropped|swallowed|never (?:come|arrive))")),
    ("drop_before", (r"drop[ _-]before|(?:lose|drop|swallow)\w* (?:\w+ ){0,3}requests?"
     r"|requests? (?:\w+ ){0,2}(?:lost|dropped)")),
    ("error_500", r"(?:error[ _-])?500s?"),
    ("error_502", r"(?:error[ _-])?502s?"),
    ("error_503", r"(?:error[ _-])?503s?"),
    ("error_504", r"(?:error[ _-])?504s?|gateway timeouts?"),
    ("latency", r"latency|late answers?|slow answers?|lag\w*|delays?"),
    ("garbage", r"garbage|(?:truncated|broken|malformed|invalid) (?:json|answers?)|nonsense"),
    ("too_many", r"too[ _-]many|429s?|rate[ -]limit\w*"),
    ("stale", r"stale|outdated answers?|old answers?"),
    ("duplicate", r"duplicat\w+|(?:sent|arriv\w+|com\w+|messages?) twice|doubled messages?"),
    ("reorder", r"reorder\w*|out of order|wrong order|shuffled"),
    ("disconnect", (r"disconnect\w*|(?:cut|drop|break|lose|kill)\w* (?:\w+ ){0,3}(?:streams?|connections?|websockets?)"
     r"|(?:streams?|connections?) (?:\w+ ){0,2}(?:cut|dropped|broken|lost)")),
    ("insufficient_funds", r"insufficient[ _-]funds|(?:want|lack) of funds"),
    ("maintenance", r"maintenance(?: windows?)?"),
    ("delisting", r"delist\w*"),
    ("clock_skew", r"clock[ _-]skew|(?:wrong|skewed) clock"),
)  # fmt: skip
_RATE = (
    rf"(?:(?P<share>(?<![_\d]){NUMBER} ?(?:%|per ?cent\b)|(?<![\w.])0?\.\d+)"
    rf"|(?P<part>\b(?:one|an?|1)(?: \w+)? (?:in|out of|of) (?P<of>{NUMBER}))"
    r"|(?P<every>\bevery (?P<nth>second|third|fourth|fifth|tenth|twentieth|hundredth)))"
)
_NTH = {"second": 2, "third": 3, "fourth": 4, "fifth": 5, "tenth": 10, "twentieth": 20, "hundredth": 100}
_ASSIGNED = re.compile(r"\b([a-z]+(?:_[a-z0-9]+)*) ?= ?(\d[\d.]*)", re.IGNORECASE)
_NAMES = frozenset(name for name, _ in _FAULTS)
# Characters between a fault and its rate.
_FARTHEST = 45


def told_faults(text: str) -> list[str]:
    """Return the faults that a sentence asks for, as ``name=probability``, each with the rate that stands nearest.

    Parameters
    ----------
    text : str
        The sentence.
    """
    assigned = [
        f"{match[1].lower()}={match[2].rstrip('.')}"
        for match in _ASSIGNED.finditer(text)
        if re.sub(r"_m?s$", "", match[1].lower()) in _NAMES
    ]
    if assigned:
        return list(dict.fromkeys(assigned))
    rates = list(re.finditer(_RATE, text, re.IGNORECASE))
    told = []
    for name, pattern in _FAULTS:
        match = re.search(rf"\b(?:{pattern})\b", text, re.IGNORECASE)
        if match is None or not rates:
            continue
        apart, at = min((_apart(match, rate), at) for at, rate in enumerate(rates))
        if apart <= _FARTHEST:
            told.append((match.start(), f"{name}={_rate(rates[at])}"))
    return [fault for _, fault in sorted(told)]


def _apart(one: re.Match[str], other: re.Match[str]) -> int:
    return max(one.start() - other.end(), other.start() - one.end(), 0)


def _rate(match: re.Match[str]) -> str:
    if match["share"]:
        share = share_of(match["share"])
    elif match["part"]:
        share = 1 / number_of(match["of"])
    else:
        share = 1 / _NTH[match["nth"].lower()]
    return str(plain_number(round(share, 6)))
