"""Times that people name: dates, months, "last week", "since yesterday", "for two hours"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from automation.assistant.mentions import Mentions
from automation.assistant.numbers import NUMBER, number_of

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_ISO = re.compile(r"\b20\d\d-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?")
_ISO_MONTH = re.compile(r"\b(?P<year>20\d\d)-(?P<number>0[1-9]|1[0-2])\b(?!-)")
_GERMAN = re.compile(r"\b(?P<day>\d{1,2})\.(?P<number>\d{1,2})\.(?P<year>20\d\d)\b")
_DAY_MONTH = re.compile(
    rf"\b(?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\.? (?:of )?{_MONTH}\b\.?(?:,? (?P<year>20\d\d))?", re.IGNORECASE
)
_MONTH_DAY = re.compile(
    rf"\b{_MONTH}\.? (?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<year>20\d\d))?", re.IGNORECASE
)
_MONTH_YEAR = re.compile(rf"\b{_MONTH}\.?,? (?:of )?(?P<year>20\d\d)\b", re.IGNORECASE)
_MONTH_ALONE = re.compile(rf"\b(?:last )?{_MONTH}\b", re.IGNORECASE)
_BEFORE_YEAR = re.compile(r"\b(?:in|since|from|of|during|to|until|for|all|year|and)\s+$", re.IGNORECASE)
# "between January and March 2025": the year holds for both
_LATER_YEAR = re.compile(r"\s*(?:and|to|until|till|through|-)\s+\w+\s+(20\d\d)\b")
_YEAR = re.compile(r"\b(?P<year>20[0-3]\d)\b(?![-/:.])")
_RELATIVE_DAY = re.compile(r"\b(the day before yesterday|yesterday|today)\b(?!'s)", re.IGNORECASE)
_WEEKDAY = re.compile(rf"\b(?:last )?({'|'.join(_DAYS)})\b", re.IGNORECASE)
_CLOCK = re.compile(
    r"\s*,?\s*(?:at )?(?:(\d{1,2}):(\d\d)|(noon|midday|midnight)|(\d{1,2}) ?(am|pm|o'clock))\b", re.IGNORECASE
)
_AGO = re.compile(rf"\b({NUMBER}|an?) (minute|hour|day|week|month|year)s? ago\b", re.IGNORECASE)
_PERIOD = re.compile(
    rf"\b(?:over |in |during |for |from |of )?(?:the |my |these )?(?:last|past|previous|recent) (?:({NUMBER}) )?"
    r"(minute|hour|day|week|month|quarter|year)s?\b(?:'s)?|\b(?:over |in |during |for )?"
    r"(?:the |my )?(?:last|past) (\d+)(h|d|w)\b",
    re.IGNORECASE,
)
_THIS = re.compile(r"\b(?:over |in |during |for )?this (week|month|year)\b", re.IGNORECASE)
_SINCE = re.compile(
    r"\b(?:since|starting(?: from| at| on| in)?|beginning(?: from| at| in)?|from|after"
    r"|as of|newer than)(?: the)?(?: start of)?\s+$",
    re.IGNORECASE,
)
_UNTIL = re.compile(r"\b(?:to|until|till|up to|through|before|and|ending)(?: the)?\s+$|\s-\s*$", re.IGNORECASE)
_DAYS_IN = {"minute": 0, "hour": 0, "day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}
_MINUTES_IN = {"second": 1 / 60, "minute": 1.0, "min": 1.0, "hour": 60.0, "hr": 60.0, "day": 1440.0, "week": 10080.0}
_DURATION = re.compile(
    rf"\b(?:(?:for|in|at most|within|up to|no longer than|no more than|max(?:imum|imal)?|during|lasting|not longer than"
    rf"|a maximum of|spend|take|of|after)\s+)*(?:about |around |only )?(half an|half a"
    rf"|one and a half|a quarter of an|a couple of|an?|{NUMBER})"
    r"(?: and a half)?[ -]?(seconds?|minutes?|mins?|hours?|hrs?|days?|weeks?)\b(?! ago)(?! (?:old|candle|bar|chart))",
    re.IGNORECASE,
)
_GLUED_DURATION = re.compile(r"\b(?:for|within|at most|up to|max) (\d+)(min|m|h|d)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time.

    Parameters
    ----------
    start, end : str or None
        ISO; the end is not included.
    age : str or None
        The start as an age such as ``"7d"``, where that is how it was said.
    """

    start: str | None = None
    end: str | None = None
    age: str | None = None


@dataclass(frozen=True, slots=True)
class _Moment:
    first: str
    after: str
    begin: int
    stop: int


def recognise_times(found: Mentions, now: datetime) -> None:
    """Add stretches of time and durations (minutes).

    Parameters
    ----------
    found : Mentions
        The sentence; mentions of the kinds ``span`` and ``duration`` are added.
    now : datetime
        The present.
    """
    _take_periods(found, now)
    _take_dates(found, now)
    for match in _GLUED_DURATION.finditer(found.text):
        unit = {"min": 1.0, "m": 1.0, "h": 60.0, "d": 1440.0}[match[2].lower()]
        found.take("duration", float(match[1]) * unit, match.start(), match.end())
    for match in _DURATION.finditer(found.text):
        named = match[2].lower().rstrip("s")
        amount = _amount(match[1]) + (0.5 if "and a half" in match[0].lower() else 0.0)
        found.take("duration", amount * _MINUTES_IN[named], match.start(), match.end())


def _amount(text: str) -> float:
    special = {"half an": 0.5, "half a": 0.5, "one and a half": 1.0, "a quarter of an": 0.25, "a couple of": 2.0}
    word = text.lower()
    return special.get(word) or (1.0 if word in {"a", "an"} else number_of(word))


def _take_periods(found: Mentions, now: datetime) -> None:
    for match in _PERIOD.finditer(found.text):
        count = number_of(match[1]) if match[1] else float(match[3] or 1)
        unit = (match[2] or {"h": "hour", "d": "day", "w": "week"}[(match[4] or "d").lower()]).lower()
        found.take("span", _since(now, count, unit), match.start(), match.end())
    for match in _AGO.finditer(found.text):
        count = 1.0 if match[1].lower() in {"a", "an"} else number_of(match[1])
        found.take("span", _since(now, count, match[2].lower()), match.start(), match.end())
    for match in _THIS.finditer(found.text):
        today, period = now.date(), match[1].lower()
        first = today - timedelta(days=today.weekday()) if period == "week" else today.replace(day=1)
        first = first.replace(month=1) if period == "year" else first
        found.take("span", Span(first.isoformat()), match.start(), match.end())


def _since(now: datetime, count: float, unit: str) -> Span:
    if unit in {"minute", "hour"}:
        begin = now - timedelta(**{f"{unit}s": count})
        hours = max(1, round(count if unit == "hour" else count / 60))
        return Span(begin.strftime("%Y-%m-%dT%H:%M"), age=f"{hours}h")
    days = round(count * _DAYS_IN[unit])
    return Span((now - timedelta(days=days)).date().isoformat(), age=f"{days}d")


def _take_dates(found: Mentions, now: datetime) -> None:
    moments = [each for each in _moments(found, now) if not found.is_taken(each.begin, each.stop)]
    index = 0
    while index < len(moments):
        one = moments[index]
        following = moments[index + 1] if index + 1 < len(moments) else None
        before = found.text[: one.begin]
        since, until = _SINCE.search(before), _UNTIL.search(before)
        if following is not None and _UNTIL.search(found.text[one.stop : following.begin]):
            begin = since.start() if since else re.sub(r"\bbetween\s+$", "", before).__len__()
            end = (
                following.first
                if "T" in following.first or _ISO.match(found.text, following.begin)
                else following.after
            )
            found.take("span", Span(one.first, end), begin, following.stop)
            index += 2
            continue
        if since:
            found.take("span", Span(one.first), since.start(), one.stop)
        elif until:
            found.take("span", Span(None, one.first), until.start(), one.stop)
        else:
            found.take("span", Span(one.first, one.after), one.begin, one.stop)
        index += 1


def _moments(found: Mentions, now: datetime) -> list[_Moment]:
    """Return the days, months and years that are named, each place once, with the time of day behind them."""
    moments: list[_Moment] = []
    for begin, stop, first, after in _told_dates(found.text, now):
        if any(each.begin < stop and begin < each.stop for each in moments):
            continue
        clock = _CLOCK.match(found.text, stop) if len(first) == len("2025-01-01") else None
        if clock is None:
            moments.append(_Moment(first, after, begin, stop))
        else:
            moments.append(_Moment(f"{first}T{_clock(clock)}", after, begin, clock.end()))
    return sorted(moments, key=lambda each: each.begin)


def _told_dates(text: str, now: datetime) -> Iterator[tuple[int, int, str, str]]:
    """Yield place, first moment and the moment after of whatever looks like a date, the surest forms first."""
    for match in _ISO.finditer(text):
        if _is_date(match[0][:10]):
            day = date.fromisoformat(match[0][:10])
            yield match.start(), match.end(), match[0].replace(" ", "T"), _after(day)
    for pattern in (_GERMAN, _DAY_MONTH, _MONTH_DAY, _MONTH_YEAR, _ISO_MONTH):
        for match in pattern.finditer(text):
            told = _named_date(match, now)
            if told is not None:
                yield match.start(), match.end(), *told
    for match, back in _days_back(text, now):
        day = now.date() - timedelta(days=back)
        yield match.start(), match.end(), day.isoformat(), _after(day)
    yield from _months_and_years(text, now)


def _days_back(text: str, now: datetime) -> Iterator[tuple[re.Match[str], int]]:
    for match in _RELATIVE_DAY.finditer(text):
        yield match, {"the day before yesterday": 2, "yesterday": 1, "today": 0}[match[1].lower()]
    for match in _WEEKDAY.finditer(text):
        yield match, (now.weekday() - _DAYS.index(match[1].lower())) % 7 or 7


def _months_and_years(text: str, now: datetime) -> Iterator[tuple[int, int, str, str]]:
    for match in _MONTH_ALONE.finditer(text):
        # "may" is mostly no month
        if match["month"].lower() != "may" or match["month"] == "May" or _SINCE.search(text[: match.start()]):
            later = _LATER_YEAR.match(text, match.end())
            told = _named_date(match, now, None if later is None else int(later[1]))
            if told is not None:
                yield match.start(), match.end(), *told
    for match in _YEAR.finditer(text):
        if _BEFORE_YEAR.search(text[: match.start()]):
            year = int(match["year"])
            yield match.start(), match.end(), f"{year}-01-01", f"{year + 1}-01-01"


def _after(day: date) -> str:
    return (day + timedelta(days=1)).isoformat()


def _named_date(match: re.Match[str], now: datetime, said: int | None = None) -> tuple[str, str] | None:
    parts = match.groupdict()
    named = str(parts.get("month") or "").lower()
    month = int(parts["number"]) if parts.get("number") else _month_number(named)
    day = int(parts["day"]) if parts.get("day") else None
    year = int(parts["year"]) if parts.get("year") else said or now.year
    try:
        first = date(year, month, day or 1)
        if not parts.get("year") and said is None and first > now.date():
            first = first.replace(year=year - 1)
    except ValueError:
        return None
    after = first + timedelta(days=1) if day else (first.replace(day=28) + timedelta(days=4)).replace(day=1)
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


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
