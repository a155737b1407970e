"""Numbers and lengths of time in digits, words and slang, as patterns and as values."""

from __future__ import annotations

import re

_SMALL = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
    "seventy": 70, "eighty": 80, "ninety": 90, "once": 1, "twice": 2, "thrice": 3, "dozen": 12,
}  # fmt: skip
_SCALES = {
    "hundred": 100, "k": 1_000, "thousand": 1_000, "grand": 1_000, "lakh": 100_000, "mio": 1_000_000,
    "million": 1_000_000,
}  # fmt: skip
_WORDS = "|".join(sorted({*_SMALL, *_SCALES} - {"k", "mio"}, key=len, reverse=True))
_SCALED = "|".join(sorted(_SCALES, key=len, reverse=True))
NUMBER = (
    rf"(?:(?<![\d.])(?<!\d[-/:])\d+(?:,\d{{3}})*(?:\.\d+)?(?:e-?\d+)?(?!\d|[-/:]\d)(?: ?(?:{_SCALED})\b)?(?: and a"
    rf" half\b)?"
    rf"|\b(?:half an? |a couple of |an? )?(?:{_WORDS})(?:(?:[ -]|(?<=hundred) and |(?<=thousand) and"
    rf" )(?:{_WORDS}))*(?: and a half)?\b)"
)
_MINUTES = {"s": 1 / 60, "m": 1.0, "h": 60.0, "d": 1_440.0, "w": 10_080.0, "mo": 43_200.0, "y": 525_600.0}
_UNIT = r"(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?|(?<=\d)[smhdw])(?![a-z])"
_ADJECTIVES = "pretend|simulated|market|virtual|imaginary|make-believe|fake|full|whole|solid|trading|real|more|good"
TIME = (
    rf"(?:(?:a|one) fortnight|(?:half an?|(?:a )?quarter of an|three[ -]quarters of an|a couple of|one and a half"
    rf"|an?|{NUMBER})"
    rf"(?: and a half)?(?:[ -](?:{_ADJECTIVES}))?[ -]?{_UNIT}(?: and (?:a half|a quarter))?(?:(?: and)? ?\d+"
    rf" ?(?:minutes?|mins?|m)\b)?)"
)
_TIME = re.compile(
    rf"(?P<amount>.+?)(?P<half> and a half)?(?:[ -](?:{_ADJECTIVES}))?[ -]?(?P<unit>{_UNIT})(?P<more> and (?:a half"
    rf"|a quarter))?"
    r"(?:(?: and)? ?(?P<minutes>\d+) ?(?:minutes?|mins?|m))?",
    re.IGNORECASE,
)
_PARTS = {
    "half an": 0.5, "half a": 0.5, "one and a half": 1.5, "a quarter of an": 0.25, "quarter of an": 0.25,
    "three quarters of an": 0.75, "a couple of": 2.0, "a": 1.0, "an": 1.0,
}  # fmt: skip


def number_of(text: str) -> float:
    """Return a number written in digits or words: ``"2,000"``, ``"2k"``, ``"two grand"``, ``"half a million"``.

    Raises
    ------
    ValueError
        When the text is none.
    """
    written = " ".join(text.lower().replace(",", "").split())
    if written.endswith(" and a half"):
        return number_of(written.removesuffix(" and a half")) + 0.5
    match = re.fullmatch(rf"(\d+(?:\.\d+)?(?:e-?\d+)?) ?({_SCALED})?", written)
    if match:
        return float(match[1]) * _SCALES.get(match[2] or "", 1)
    start = re.match(r"half an? |a couple of |an? ", written)
    factor = {"half": 0.5, "a co": 2.0}.get(start[0][:4], 1.0) if start else 1.0
    total, current = 0.0, 0.0
    for word in written[start.end() if start else 0 :].replace("-", " ").replace(" and ", " ").split():
        if word in _SCALES:
            current = (current or 1) * _SCALES[word]
            if _SCALES[word] >= 1_000:
                total, current = total + current, 0.0
        elif word in _SMALL:
            current += _SMALL[word]
        else:
            raise ValueError(f"{text!r} is no number")
    return factor * (total + current)


def plain_number(value: float) -> int | float:
    """Return a whole number as int."""
    return int(value) if value == int(value) else value


def share_of(text: str) -> float:
    """Return what ``"0.8%"``, ``"two percent"`` or ``"0.05"`` is as a share."""
    number = re.sub(r" ?(?:%|per ?cent)$", "", text.strip(), flags=re.IGNORECASE)
    return number_of(number) / 100 if number != text.strip() else number_of(number)


def minutes_of(text: str) -> float:
    """Return the minutes of a length of time: ``"half an hour"``, ``"an hour and a half"``, ``"90s"``, ``"1h30m"``.

    Raises
    ------
    ValueError
        When the text is none.
    """
    written = text.strip().lower()
    if written.endswith("fortnight"):
        return 2 * _MINUTES["w"]
    match = _TIME.fullmatch(written)
    if match is None:
        raise ValueError(f"{text!r} is no length of time")
    amount = _PARTS.get(match["amount"].replace("-", " ").strip())
    amount = number_of(match["amount"]) if amount is None else amount
    amount += 0.5 if match["half"] else 0.0
    amount += {" and a half": 0.5, " and a quarter": 0.25}.get(match["more"] or "", 0.0)
    unit = match["unit"]
    return amount * _MINUTES["mo" if unit.startswith("mo") else unit[0]] + float(match["minutes"] or 0)
