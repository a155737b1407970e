"""Numbers, money, candle lengths and risk, as people say them."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import count

from automation.assistant.mentions import Mentions
from automation.assistant.names import COINS, EXCHANGES, QUOTES, USUAL_QUOTE

_SMALL = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "ninety": 90, "hundred": 100, "thousand": 1_000, "million": 1_000_000, "once": 1, "twice": 2,
    "thrice": 3, "dozen": 12,
}  # fmt: skip
_SCALES = {"k": 1_000, "thousand": 1_000, "m": 1_000_000, "million": 1_000_000, "hundred": 100}
_WORDS = "|".join(sorted(_SMALL, key=len, reverse=True))
NUMBER = rf"(?:\d[\d,]*(?:\.\d+)?(?: ?k\b| thousand| million| hundred)?|(?:a )?(?:{_WORDS})(?:[ -](?:{_WORDS}))*)"
_CURRENCY = r"(?:dollars?|bucks?|usdt?|usdc|euros?|eur|usd|quid|pounds?)"
_MONEY = (
    re.compile(rf"[$€£] ?(?P<amount>{NUMBER})", re.IGNORECASE),
    re.compile(rf"\b(?P<amount>{NUMBER}) ?[$€£](?!\w)", re.IGNORECASE),
    re.compile(
        rf"\b(?:capital|budget|balance|stake|starting money|money|funds)(?: of| is| to|:|=)? "
        rf"(?P<amount>{NUMBER})\b(?: {_CURRENCY}\b)?",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?P<amount>{NUMBER}) ?(?:of |in )?{_CURRENCY}\b", re.IGNORECASE),
    re.compile(rf"\b(?P<amount>{NUMBER}) (?:of |in |as )?(?:capital|balance|starting money)\b", re.IGNORECASE),
)


def _with_numbers(pattern: str) -> str:
    places = count()
    return re.sub("#", lambda _: rf"(?P<n{next(places)}>{NUMBER})", pattern)


_LABELS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (label, re.compile(_with_numbers(pattern), re.IGNORECASE))
    for label, pattern in (
        ("seed", r"\b(?:random )?seed(?: of| is| number| =|=)? #"),
        ("port", r"\bport(?: number|=| =)? #"),
        (
            "speed",
            (
                r"\bspeed(?: of|=|:)? # ?x?\b|\b# ?(?:x|times|fold)(?: the)?(?: normal| real)? ?(?:speed"
                r"|faster|as fast)|\bspeed up by #"
            ),
        ),
        (
            "fail_under",
            (
                r"\bfail(?:s|ing)?(?:[ -]if)?(?: it is| it's| the score is)?(?:[ -](?:under|below"
                r"|beneath|less than))? #|\b(?:score|mark|grade)(?: is)? (?:under|below|less than"
                r"|lower than) #|\b(?:under|below) #(?= fail)"
            ),
        ),
        ("older_than", r"\b(?:older than|over|more than|at least|beyond) # ?days?(?: old| ago)?\b|\b# days? old\b"),
        ("older_weeks", r"\b(?:older than|over|more than) # ?weeks?(?: old)?\b"),
        ("older_months", r"\b(?:older than|over|more than) # ?months?(?: old)?\b"),
        (
            "kills",
            (
                r"\b(?:kill|crash|interrupt|die)\w*(?: \w+){0,3}? # ?(?:times?)?\b|\b# (?:kills?|crashes"
                r"|interruptions)\b|\b# times\b"
            ),
        ),
        (
            "keep",
            (
                r"\bkeep(?:ing)?(?: only)?(?: the)?(?: newest| last| latest)? #(?: exports?| files?)?"
                r"|\b(?:last|newest) # exports?\b"
            ),
        ),
        ("pairs", r"\b# (?:pairs?|rounds?|repetitions|runs each|times each)\b|\bpairs(?: of|=)? #"),
        ("tokens", r"\b# tokens\b"),
        (
            "candles",
            (
                r"\b#\b(?![ -]?(?:seconds?|minutes?|mins?|hours?|hrs?|days?|weeks?|m|h|d|w)\b) (?:\w+ ){0,2}?"
                r"(?:candles?|bars?)\b"
            ),
        ),
        (
            "limit",
            (
                r"\b(?:limit|top|at most|first|best|latest|newest|last|only|max(?:imum)?)(?: of| to)? #\b"
                r"(?: (?:\w+ )?(?:results?|hits?|matches|runs?|repairs?|findings?|entries|fixes|lines"
                r"|answers)\b)?(?! ?(?:seconds?|minutes?|mins?|hours?|days?|weeks?|months?|years?"
                r"|m|h|d)\b)|\b# (?:most recent|latest|newest|last|best|top)?\b ?(?:\w+ )?(?:results?"
                r"|hits?|matches|answers|findings|runs)\b"
            ),
        ),
        (
            "start_price",
            (
                r"\b(?:start(?:s|ing)?|begin(?:s|ning)?)(?: price)?(?: at| from| of| with)?(?: a price of)? [$]?#"
                r"(?: dollars| usdt?)?|\bprice of [$]?#"
            ),
        ),
        ("percent", r"\b# ?(?:%|percent)"),
    )
)
_CANDLE = r"(?:candles?|candlesticks?|bars?|time ?frames?|data|prices?|charts?|k-?lines?|ohlcv?|intervals?|resolution)"
_UNIT = r"(?P<unit>seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|[mhdw])"
_FRAMES = (
    re.compile(
        rf"\b(?:in |on |at |with )?(?:the )?(?P<n>{NUMBER}|an?)?[ -]?{_UNIT}(?=[ -](?:[\w/]+ )?{_CANDLE}\b)",
        re.IGNORECASE,
    ),
    re.compile(rf"\b{_CANDLE} (?:of|with|at|in) (?P<n>{NUMBER}|an?)[ -]?{_UNIT}\b(?! ago)", re.IGNORECASE),
    re.compile(rf"\b(?:every|per) (?P<n>{NUMBER})?[ -]?{_UNIT}\b", re.IGNORECASE),
    re.compile(r"(?<![\w.:-])(?P<n>\d{1,3})(?P<unit>m|min|h|hr|d|w)(?![\w/-])", re.IGNORECASE),
)
_ADVERB = re.compile(
    rf"\b(hourly|daily|weekly|minutely)\b(?=(?: [\w/]+){{0,2}}? {_CANDLE}\b|(?: (?:{'|'.join(COINS)}"
    rf"|[A-Z]{{2,6}}/[A-Z]{{3,5}})\b))|\b(hourly)\b",
    re.IGNORECASE,
)
_ADVERBS = {"hourly": "1h", "daily": "1d", "weekly": "1w", "minutely": "1m"}
_RISKS = (
    ("conservative", (r"conservativ\w*|careful\w*|cautious\w*|safe(?:ly)?|low[ -]risk|prudent\w*|defensive\w*"
    r"|little risk|not too risky|gently")),
    ("aggressive", r"aggressiv\w*|high[ -]risk|bold(?:ly)?|risky|risk[ -]loving|daring|offensive\w*|lots of risk"),
    ("moderate", r"moderate(?:ly)?|medium[ -]risk|balanced|normal risk|middling risk|average risk"),
)  # fmt: skip
_RISK = tuple(
    (
        risk,
        re.compile(
            rf"\b(?:with |at |in |on )?(?:an? |the )?(?:{words})(?: risk| profile| mode| tolerance| settings?)*\b",
            re.IGNORECASE,
        ),
    )
    for risk, words in _RISKS
)
_QUOTE = "|".join(QUOTES)
_SYMBOL = re.compile(
    rf"(?<![\w/.-])([A-Za-z0-9]{{2,10}})[/-]({_QUOTE})(?![\w/.-])|(?<![\w/.-])([A-Z0-9]{{2,8}}?)"
    rf"(USDT|USDC|FDUSD|BUSD|EUR|USD)(?![\w/.-])"
)
_SYMBOL_LOWER = re.compile(rf"(?<![\w/.-])([a-z0-9]{{2,10}})[/-]({_QUOTE.lower()})(?![\w/.-])", re.IGNORECASE)
_AGAINST = re.compile(
    rf"\b({'|'.join(COINS)})(?: against| versus| vs\.?| in| to|/)? ({_QUOTE.lower()}|euros?|dollars?)\b", re.IGNORECASE
)
_COIN = re.compile(rf"(?<![\w/.-])({'|'.join(COINS)})(?:'s)?(?![\w/-])", re.IGNORECASE)
_TICKER = re.compile(r"(?<![\w/.-])(DOT|LINK|UNI|TON|APT|NEAR|ATOM|OP|ICP|INJ|SEI|TIA|XTZ|BCH|ETC)(?![\w/-])")
_EXCHANGE = re.compile(rf"(?<![\w./-])({'|'.join(EXCHANGES)})(?:'s?|s)?(?![\w/-])", re.IGNORECASE)
_SPELLED_QUOTE = {"euro": "EUR", "euros": "EUR", "dollar": "USD", "dollars": "USD"}


def number_of(text: str) -> float:
    """Return a number written in digits or words: ``"2,000"``, ``"2k"``, ``"two thousand"``.

    Raises
    ------
    ValueError
        When the text is none.
    """
    written = text.lower().replace(",", "").replace("-", " ").strip()
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?(k|m|thousand|million|hundred)?", written)
    if match:
        return float(match[1]) * _SCALES.get(match[2] or "", 1)
    total, current = 0.0, 0.0
    for word in written.removeprefix("a ").split():
        value = _SMALL.get(word)
        if value is None:
            raise ValueError(f"{text!r} is no number")
        if value >= 100:
            current = (current or 1) * value
            if value >= 1_000:
                total, current = total + current, 0.0
        else:
            current += value
    return total + current


def plain_number(value: float) -> int | float:
    """Return a whole number as int."""
    return int(value) if value == int(value) else value


def recognise_amounts(found: Mentions) -> None:
    """Add labelled numbers, money and risk words."""
    for label, pattern in _LABELS:
        for match in pattern.finditer(found.text):
            groups = {name: text for name, text in match.groupdict().items() if text}
            if groups:
                found.take(
                    "number", plain_number(number_of(next(iter(groups.values())))), match.start(), match.end(), label
                )
    for pattern in _MONEY:
        for match in pattern.finditer(found.text):
            amount = Decimal(str(plain_number(number_of(match["amount"]))))
            found.take("money", amount, match.start(), match.end(), _currency(match[0]))
    for risk, pattern in _RISK:
        for match in pattern.finditer(found.text):
            found.take("risk", risk, match.start(), match.end())


def recognise_markets(found: Mentions) -> None:
    """Add candle lengths, symbols, coins and exchanges."""
    _take_timeframes(found)
    _take_symbols(found)
    for match in _EXCHANGE.finditer(found.text):
        found.take("exchange", EXCHANGES[match[1].lower()], match.start(), match.end())


def _take_timeframes(found: Mentions) -> None:
    for pattern in _FRAMES:
        for match in pattern.finditer(found.text):
            frame = _frame(match["n"], match["unit"])
            if frame is not None and not re.search(
                r"\b(?:last|past|for|within|most|to)\s*$", found.text[: match.start()], re.IGNORECASE
            ):
                found.take("timeframe", frame, match.start(), match.end())
    for match in _ADVERB.finditer(found.text):
        found.take("timeframe", _ADVERBS[(match[1] or match[2]).lower()], match.start(), match.end())


def _take_symbols(found: Mentions) -> None:
    for pattern in (_SYMBOL, _SYMBOL_LOWER):
        for match in pattern.finditer(found.text):
            base, quote = [group for group in match.groups() if group]
            found.take("symbol", f"{COINS.get(base.lower(), base.upper())}/{quote.upper()}", match.start(), match.end())
    for match in _AGAINST.finditer(found.text):
        quote = _SPELLED_QUOTE.get(match[2].lower(), match[2].upper())
        if COINS[match[1].lower()] != quote:
            found.take("symbol", f"{COINS[match[1].lower()]}/{quote}", match.start(), match.end())
    for match in _COIN.finditer(found.text):
        found.take("symbol", f"{COINS[match[1].lower()]}/{USUAL_QUOTE}", match.start(), match.end(), "coin")
    for match in _TICKER.finditer(found.text):
        found.take("symbol", f"{match[1]}/{USUAL_QUOTE}", match.start(), match.end(), "coin")


def _currency(text: str) -> str:
    lowered = text.lower()
    if "€" in lowered or "eur" in lowered:
        return "EUR"
    return next((name for name in ("USDT", "USDC") if name.lower() in lowered), "USD")


def _frame(count: str | None, unit: str) -> str | None:
    number = 1 if not count or count.lower() in {"a", "an"} else plain_number(number_of(count))
    letter = unit[0].lower()
    if not isinstance(number, int) or number < 1 or letter == "s":
        return None
    return f"{number}{letter}"
