"""Times that people name: dates, months, "last week", "since yesterday", "for two hours"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from automation.assistant.amounts import NUMBER, TIME, minutes_of, number_of
from automation.assistant.dates import ISO, LAST_YEAR, MONTH, SINCE, Moment, dates_in, day_after, start_of
from automation.assistant.mentions import Mentions

_DATE_BEFORE = re.compile(rf"\b{MONTH}\.?(?: \d{{1,2}}(?:st|nd|rd|th)?)?,? (?:of )?$", re.IGNORECASE)
_PART_OF = re.compile(r"\b(?:quarter|half|q[1-4])(?: of)? $", re.IGNORECASE)
_AGO = re.compile(rf"\b({NUMBER}|an?) (minute|hour|day|week|month|year)s? ago\b", re.IGNORECASE)
_PERIOD = re.compile(
    rf"\b(?:over |in |during |for |from |of )?(?:the |my |these )?(?:last|past|previous|recent) (?:({NUMBER}) )?"
    r"(minute|hour|day|week|month|quarter|year)s?\b(?:'s)?|\b(?:over |in |during |for )?"
    r"(?:the |my )?(?:last|past) (\d+)(h|d|w)\b",
    re.IGNORECASE,
)
_THIS = re.compile(
    r"\b(?:over |in |during |for |of )?(?:this|the(?: whole)?(?= \w+ so far)) (week|month|year)\b(?: so far)?",
    re.IGNORECASE,
)
_UNTIL = re.compile(r"\b(?:to|until|till|up to|through|before|and|ending)(?: the)?\s+$|\s-\s*$", re.IGNORECASE)
# "from the 3rd of May on": what is told afterwards opens the end
_ONWARDS = re.compile(
    r"\s*,?\s*(?:on(?=\s*(?:[,.;?!]|$|\s(?:please|with|and|for|as|but|at|in|to)\b))|onwards?|upwards?|forward|and"
    r" later|or later|till now|until now|to now|up to now|till today"
    r"|until today|to date|up to today)\b(?! (?:the|a|an|my|of|\w+/)\b)",
    re.IGNORECASE,
)
_HAD = re.compile(
    r"\b(?:(?:had|i'd|would have|have) (?:i )?(?:\w+ )?(?:put|bought|invested|started|begun|traded|run|gone|dropped"
    r"|thrown)"
    r"|(?:if|had) i (?:\w+ )?(?:started|begun|invested|bought|put))\b",
    re.IGNORECASE,
)
_AS_IF = re.compile(r"\bas if (?:it (?:were|was) )?$", re.IGNORECASE)
_UNTIL_ALONE = re.compile(r"\b(?:to|until|till|up to|before|ending)(?: the)?\s+$", re.IGNORECASE)
_DAYS_IN = {"minute": 0, "hour": 0, "day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}
_DURATION = re.compile(
    r"\b(?:(?:for|in|at most|within|up to|no longer than|no more than|max(?:imum|imal)?|during|lasting|not longer than"
    rf"|a maximum of|spend|take|of|after)\s+)*(?:about |around |only )?(?P<time>{TIME})(?! ago)(?! (?:old|candle"
    rf"|bar|chart))",
    re.IGNORECASE,
)


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
    for match in _DURATION.finditer(found.text):
        found.take("duration", minutes_of(match["time"]), match.start(), match.end())


def _take_periods(found: Mentions, now: datetime) -> None:
    calendar = [match.end() for match in LAST_YEAR.finditer(found.text)]
    for match in _PERIOD.finditer(found.text):
        if match.end() in calendar:
            continue
        count = number_of(match[1]) if match[1] else float(match[3] or 1)
        unit = (match[2] or {"h": "hour", "d": "day", "w": "week"}[(match[4] or "d").lower()]).lower()
        found.take("span", _since(now, count, unit), match.start(), match.end())
    for match in _AGO.finditer(found.text):
        count = 1.0 if match[1].lower() in {"a", "an"} else number_of(match[1])
        found.take("span", _since(now, count, match[2].lower()), match.start(), match.end())
    for match in _THIS.finditer(found.text):
        if _PART_OF.search(found.text[: match.start()]) or _DATE_BEFORE.search(found.text[: match.start()]):
            continue
        begin = start_of(match[1].lower(), now)
        found.take("span", Span(begin.isoformat()), match.start(), match.end())


def _since(now: datetime, count: float, unit: str) -> Span:
    if unit in {"minute", "hour"}:
        begin = now - timedelta(**{f"{unit}s": count})
        hours = max(1, round(count if unit == "hour" else count / 60))
        return Span(begin.strftime("%Y-%m-%dT%H:%M"), age=f"{hours}h")
    days = round(count * _DAYS_IN[unit])
    return Span((now - timedelta(days=days)).date().isoformat(), age=f"{days}d")


def _take_dates(found: Mentions, now: datetime) -> None:
    moments = [each for each in dates_in(found.text, now) if not found.is_taken(each.begin, each.stop)]
    index = 0
    while index < len(moments):
        one = moments[index]
        following = moments[index + 1] if index + 1 < len(moments) else None
        before = found.text[: one.begin]
        since, until = SINCE.search(before), _UNTIL_ALONE.search(before)
        if _AS_IF.search(before):
            index += 1
            continue
        if following is not None and _UNTIL.search(found.text[one.stop : following.begin]):
            begin = since.start() if since else len(re.sub(r"\b(?:in )?between\s+(?:the )?$", "", before))
            excluded = re.match(r"\s*,?\s*\(?(?:excluded|exclusive|not included)", found.text[following.stop :])
            exact = excluded or "T" in following.first or ISO.match(found.text, following.begin)
            found.take("span", Span(one.first, following.first if exact else following.after), begin, following.stop)
            index += 2
            continue
        onwards = _ONWARDS.match(found.text, one.stop)
        if since or onwards:
            start = since.start() if since else one.begin
            found.take("span", Span(one.first), start, onwards.end() if onwards else one.stop)
        elif until:
            # what is up to today has no end that would have to be said
            last = None if one.first == now.date().isoformat() else one.first
            found.take("span", Span(None, last), until.start(), one.stop)
        else:
            found.take(
                "span",
                Span(one.first, None if _HAD.search(before) and _is_day(one) else one.after),
                one.begin,
                one.stop,
            )
        index += 1


def _is_day(moment: Moment) -> bool:
    return moment.after == day_after(date.fromisoformat(moment.first[:10]))
