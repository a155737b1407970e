"""Days, months, quarters and years that people name, each with the moment after it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from automation.assistant.amounts import NUMBER, number_of

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
ISO = re.compile(r"\b20\d\d-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?")
_ISO_MONTH = re.compile(r"\b(?P<year>20\d\d)-(?P<number>0[1-9]|1[0-2])\b(?!-)")
_GERMAN = re.compile(r"\b(?P<day>\d{1,2})\.(?P<number>\d{1,2})\.(?P<year>20\d\d)\b")
_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
    "twentieth", "twenty-first", "twenty-second", "twenty-third", "twenty-fourth", "twenty-fifth", "twenty-sixth",
    "twenty-seventh", "twenty-eighth", "twenty-ninth", "thirtieth", "thirty-first",
)  # fmt: skip
_DAY = rf"(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?|(?P<ordinal>{'|'.join(reversed(_ORDINALS))}|start|beginning|end))"
_OF_YEAR = r"(?:,? (?:of )?(?:(?P<year>20\d\d)|this year))?"
_DAY_MONTH = re.compile(rf"\b(?:the )?{_DAY}\.? (?:day )?(?:of )?{MONTH}\b\.?{_OF_YEAR}", re.IGNORECASE)
_MONTH_DAY = re.compile(rf"\b{MONTH}\.? (?:the )?{_DAY}(?![\w:])(?!-\d){_OF_YEAR}", re.IGNORECASE)
_NEW_YEAR = re.compile(r"\bnew year(?:'?s)?(?: day| eve)?\b(?: (?:of )?(?P<year>20\d\d))?", re.IGNORECASE)
_YEAR_EDGE = re.compile(r"\b(?:the )?(?P<edge>start|beginning|end|middle) of (?P<year>20\d\d)\b", re.IGNORECASE)
_START_OF = re.compile(
    r"\b(?:the )?(?:first|start|beginning|1st) of (?:the|this) (?P<unit>week|month|year)\b", re.IGNORECASE
)
_QUARTER = re.compile(
    r"\b(?:the )?(?:(?P<ordinal>first|second|third|fourth|last) quarter|q(?P<number>[1-4]))"
    r"(?: (?:of )?(?:(?P<year>20\d\d)|this year|(?P<before>last year)))?\b",
    re.IGNORECASE,
)
_HALF = re.compile(
    r"\b(?:the )?(?P<ordinal>first|second) half of (?:(?P<year>20\d\d)|this year|(?P<before>last year))\b",
    re.IGNORECASE,
)
_CLOCK_BEFORE = re.compile(
    r"\b(?:at )?(?:(\d{1,2}):(\d\d)|(noon|midday|midnight)|(\d{1,2}) ?(am|pm|o'clock))(?: utc)?,? (?:on |of"
    r" )?(?:the )?$"
    rf"|\bat (?P<hour>{NUMBER})(?: o'clock)?(?: in the (?P<half>morning|afternoon|evening))?,? (?:on )?(?:the )?$",
    re.IGNORECASE,
)
_HALF_DAY = re.compile(r" (?:in the )?(morning|afternoon|evening|night)\b", re.IGNORECASE)
LAST_YEAR = re.compile(
    r"\b(?:in|during|all of|(?:the )?whole(?: of)?|all|the entire|throughout|from) (?:the )?last year\b(?!')",
    re.IGNORECASE,
)
_MONTH_YEAR = re.compile(rf"\b{MONTH}\.?,? (?:of )?(?P<year>20\d\d)\b", re.IGNORECASE)
_MONTH_ALONE = re.compile(rf"\b(?:last )?{MONTH}\b", re.IGNORECASE)
# What stands before a moment from which on something is meant.
SINCE = re.compile(
    r"\b(?:since|start(?:ing|s)?(?: from| at| on| in| with)?|begin(?:ning|s)?(?: from| at| in| on| with)?|from|after"
    r"|as of|newer than|(?:way )?back (?:in|on|to)|onwards? from)(?: the)?(?: start of| beginning of)?\s+$",
    re.IGNORECASE,
)
_BEFORE_YEAR = re.compile(
    r"\b(?:in|since|from|of|during|to|until|till|for|all|year|and|through|whole|entire|before|after|over)\s+$",
    re.IGNORECASE,
)
# "between January and March 2025": the year holds for both
_LATER_YEAR = re.compile(r"\s*(?:and|to|until|till|through|-)\s+\w+\s+(20\d\d)\b")
_YEAR = re.compile(r"\b(?P<year>20[0-3]\d)\b(?![-/:.])")
_RELATIVE_DAY = re.compile(r"\b(the day before yesterday|yesterday|today)\b(?!'s)", re.IGNORECASE)
_WEEKDAY = re.compile(
    rf"(?<!\bfor the )(?<!\bfor )(?<!\bmy )(?<!\bevery )(?<!\bnext )\b(?:last )?({'|'.join(_DAYS)})\b(?! (?:meeting"
    rf"|call|review|mail|standup|report))",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"\s*,?\s*(?:at )?(?:(\d{1,2}):(\d\d)|(noon|midday|midnight)|(\d{1,2}) ?(am|pm|o'clock))\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A day, month or year that is named.

    Parameters
    ----------
    first, after : str
        Its first moment and the one that follows it, ISO.
    begin, stop : int
        Place in the sentence.
    """

    first: str
    after: str
    begin: int
    stop: int


def start_of(period: str, now: datetime) -> date:
    """Return the first day of the present week, month or year."""
    today = now.date()
    if period == "week":
        return today - timedelta(days=today.weekday())
    return today.replace(day=1, month=1 if period == "year" else today.month)


def dates_in(text: str, now: datetime) -> list[Moment]:
    """Return the days, months and years that are named, each place once, with the time of day beside them.

    Parameters
    ----------
    text : str
        The sentence.
    now : datetime
        The present.
    """
    moments: list[Moment] = []
    for begin, stop, first, after in _told_dates(text, now):
        if any(each.begin < stop and begin < each.stop for each in moments):
            continue
        clock = ahead = None
        if len(first) == len("2025-01-01"):
            clock, ahead = _CLOCK.match(text, stop), _CLOCK_BEFORE.search(text[:begin])
        if ahead is not None:
            half = _HALF_DAY.match(text, stop)
            told = _clock(ahead) if not ahead["hour"] else _hour(ahead, half)
            moments.append(Moment(f"{first}T{told}", after, ahead.start(), stop if half is None else half.end()))
        elif clock is None:
            moments.append(Moment(first, after, begin, stop))
        else:
            moments.append(Moment(f"{first}T{_clock(clock)}", after, begin, clock.end()))
    return sorted(moments, key=lambda each: each.begin)


def _told_dates(text: str, now: datetime) -> Iterator[tuple[int, int, str, str]]:
    """Yield place, first moment and the moment after of whatever looks like a date, the surest forms first."""
    for match in ISO.finditer(text):
        if _is_date(match[0][:10]):
            day = date.fromisoformat(match[0][:10])
            yield match.start(), match.end(), match[0].replace(" ", "T"), day_after(day)
    yield from _quarters(text, now)
    for match in _YEAR_EDGE.finditer(text):
        year = int(match["year"])
        day = {"end": date(year, 12, 31), "middle": date(year, 7, 1)}.get(match["edge"].lower(), date(year, 1, 1))
        yield match.start(), match.end(), day.isoformat(), day_after(day)
    for match in _START_OF.finditer(text):
        day = start_of(match["unit"].lower(), now)
        yield match.start(), match.end(), day.isoformat(), day_after(day)
    for match in _NEW_YEAR.finditer(text):
        year = int(match["year"] or now.year)
        yield match.start(), match.end(), f"{year}-01-01", f"{year}-01-02"
    for pattern in (_GERMAN, _DAY_MONTH, _MONTH_DAY, _MONTH_YEAR, _ISO_MONTH):
        for match in pattern.finditer(text):
            told = _named_date(match, now)
            if told is not None:
                yield match.start(), match.end(), *told
    for match, back in _days_back(text, now):
        day = now.date() - timedelta(days=back)
        yield match.start(), match.end(), day.isoformat(), day_after(day)
    yield from _months_and_years(text, now)


def _quarters(text: str, now: datetime) -> Iterator[tuple[int, int, str, str]]:
    for pattern, length in ((_QUARTER, 3), (_HALF, 6)):
        for match in pattern.finditer(text):
            number = match.groupdict().get("number")
            place = int(number) - 1 if number else ("first", "second", "third", "fourth").index(
                match["ordinal"].lower().replace("last", "fourth")
            )  # fmt: skip
            year = int(match["year"]) if match["year"] else now.year - (1 if match["before"] else 0)
            first, after = place * length + 1, (place + 1) * length + 1
            end = date(year + after // 13, after % 12 or 12, 1) if after <= 12 else date(year + 1, 1, 1)
            yield match.start(), match.end(), date(year, first, 1).isoformat(), end.isoformat()
    for match in LAST_YEAR.finditer(text):
        yield match.start(), match.end(), f"{now.year - 1}-01-01", f"{now.year}-01-01"


def _days_back(text: str, now: datetime) -> Iterator[tuple[re.Match[str], int]]:
    for match in _RELATIVE_DAY.finditer(text):
        yield match, {"the day before yesterday": 2, "yesterday": 1, "today": 0}[match[1].lower()]
    for match in _WEEKDAY.finditer(text):
        yield match, (now.weekday() - _DAYS.index(match[1].lower())) % 7 or 7


def _months_and_years(text: str, now: datetime) -> Iterator[tuple[int, int, str, str]]:
    for match in _MONTH_ALONE.finditer(text):
        # "may" is mostly no month
        if match["month"].lower() != "may" or match["month"] == "May" or SINCE.search(text[: match.start()]):
            later = _LATER_YEAR.match(text, match.end())
            told = _named_date(match, now, None if later is None else int(later[1]))
            if told is not None:
                yield match.start(), match.end(), *told
    for match in _YEAR.finditer(text):
        if _BEFORE_YEAR.search(text[: match.start()]) or _is_bare_year(text, match):
            year = int(match["year"])
            yield match.start(), match.end(), f"{year}-01-01", f"{year + 1}-01-01"


def _is_bare_year(text: str, match: re.Match[str]) -> bool:
    counted = re.search(
        r"(?:\b(?:with|at|port|seed|capital|put|price|pot|cap|only|about|around|budget|balance|number|be|is)|[^a-z,"
        r" ]) ?$",
        text[: match.start()],
        re.IGNORECASE,
    )
    return (
        not counted
        and re.match(r"\s*(?:[,;?!]|$|\.(?!\d)|(?:to|until|till|through)\b)", text[match.end() :]) is not None
    )


def day_after(day: date) -> str:
    """Return the day after, ISO."""
    return (day + timedelta(days=1)).isoformat()


def _named_date(match: re.Match[str], now: datetime, said: int | None = None) -> tuple[str, str] | None:
    parts = match.groupdict()
    named = str(parts.get("month") or "").lower()
    month = int(parts["number"]) if parts.get("number") else _month_number(named)
    ordinal = str(parts.get("ordinal") or "").lower()
    day = int(parts["day"]) if parts.get("day") else None
    if ordinal in _ORDINALS:
        day = _ORDINALS.index(ordinal) + 1
    elif ordinal in {"start", "beginning"}:
        day = 1
    year = int(parts["year"]) if parts.get("year") else said or now.year
    try:
        first = date(year, month, day or 1)
        if not parts.get("year") and said is None and first > now.date():
            first = first.replace(year=year - 1)
    except ValueError:
        return None
    after = first + timedelta(days=1) if day else (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    if ordinal == "end":
        first = after - timedelta(days=1)
    return first.isoformat(), after.isoformat()


def _month_number(name: str) -> int:
    return next(number for number, month in enumerate(_MONTHS, 1) if month.startswith(name[:3]))


def _clock(match: re.Match[str]) -> str:
    if match[1]:
        return f"{int(match[1]):02d}:{match[2]}"
    if match[3]:
        return "00:00" if match[3].lower() == "midnight" else "12:00"
    hour = int(match[4]) % 12 + 12 if match[5].lower() == "pm" else int(match[4])
    return f"{hour % 24:02d}:00"


def _hour(match: re.Match[str], half: re.Match[str] | None) -> str:
    said = (match["half"] or (half[1] if half is not None else "")).lower()
    hour = int(number_of(match["hour"]))
    return f"{(hour % 12 + 12 if said and said != 'morning' else hour) % 24:02d}:00"


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
