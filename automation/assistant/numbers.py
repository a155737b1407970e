"""Numbers, money, candle lengths and risk, as people say them."""

from __future__ import annotations

import re
from decimal import Decimal

from automation.assistant.amounts import NUMBER, TIME, minutes_of, number_of, plain_number
from automation.assistant.mentions import Mentions
from automation.assistant.names import COINS, EXCHANGES, QUOTES, USUAL_QUOTE
from automation.assistant.options import recognise_options

_CURRENCY = r"(?:dollars?|bucks?|usdt?|usdc|euros?|eur|usd|quid|pounds?)"
_MONEY = (
    re.compile(rf"[$€£] ?(?P<amount>{NUMBER})", re.IGNORECASE),
    re.compile(rf"\b(?P<amount>{NUMBER}) ?[$€£](?!\w)", re.IGNORECASE),
    re.compile(
        rf"\b(?:capital|budget|balance|stake|starting money|money|funds)(?: of| is| to|:|=)? "
        rf"(?P<amount>{NUMBER})\b(?: {_CURRENCY}\b)?(?! ?(?:minutes?|mins?|hours?|tokens?|days?|lines?)\b)",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?P<amount>{NUMBER}) ?(?:of |in )?{_CURRENCY}\b", re.IGNORECASE),
    re.compile(rf"\b(?P<amount>{NUMBER}) (?:of |in |as )?(?:capital|balance|starting money)\b", re.IGNORECASE),
)


_CANDLE = r"(?:candles?|candlesticks?|bars?|time ?frames?|data|prices?|charts?|k-?lines?|ohlcv?|intervals?|resolution)"
_LENGTH = rf"(?P<time>{TIME}|(?:a )?(?:half|quarter)[ -](?:an )?hour(?:ly)?|(?:minute|hour|day|week)s?)"
_FRAMES = (
    re.compile(
        rf"\b(?:in |on |at |with )?(?:the )?{_LENGTH}(?=[ -](?:(?!(?:and|or|with|of|on|from|at)\b)[\w/]+"
        rf" )?{_CANDLE}\b)",
        re.IGNORECASE,
    ),
    re.compile(rf"\b{_CANDLE} (?:of|with|at|in|every) {_LENGTH}\b(?! ago)", re.IGNORECASE),
    re.compile(rf"\b(?:every|per) {_LENGTH}\b", re.IGNORECASE),
    re.compile(r"(?<![\w.:-])(?P<time>\d{1,3}(?:m|min|h|hr|d|w))(?![\w/-])", re.IGNORECASE),
)
_ADVERB = re.compile(
    rf"\b(hourly|daily|weekly|minutely)\b(?=(?: [\w/]+){{0,2}}? {_CANDLE}\b|(?: (?:{'|'.join(COINS)}"
    rf"|[A-Z]{{2,6}}/[A-Z]{{3,5}})\b))|\b(hourly)\b",
    re.IGNORECASE,
)
_LETTERS = ((10_080, "w"), (1_440, "d"), (60, "h"), (1, "m"))
# "minute and hourly candles"
_BESIDE = re.compile(
    r"\b(minute|hour|day|week|hourly|daily|weekly|minutely)(?=(?:,| and| or| &|/| plus) ?(?:the )?"
    r"(?:minute|hour|hourly|daily|weekly|minutely|\d+[- ]?(?:m|min|minute|h|hour)s?)\b)",
    re.IGNORECASE,
)
_ADVERBS = {"hourly": "1h", "daily": "1d", "weekly": "1w", "minutely": "1m"}
_RISKS = (
    ("conservative", (r"conservativ\w*|careful\w*|cautious\w*|safe(?:ly)?|low[ -]risk|prudent\w*|defensive\w*"
    r"|little risk|not too risky|gently|timid\w*|on the safe side|playing it safe")),
    ("aggressive", (r"aggressiv\w*|high[ -]risk|bold(?:ly)?|risky|risk[ -]loving|daring|offensive\w*|lots of risk"
    r"|wild(?:ly)?|reckless\w*|gutsy|yolo")),
    ("moderate", (r"moderate(?:ly)?|medium(?:[ -]risk)?|balanced|normal risk|middling risk|average risk"
    r"|middle(?: of the road)? risk")),
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
_FIAT = "|".join(quote for quote in QUOTES if quote not in COINS.values())
_SYMBOL = re.compile(
    rf"(?<![\w/.-])([A-Za-z0-9]{{2,10}})[/-]({_QUOTE})(?![\w/.-])|(?<![\w/.-])([A-Z0-9]{{2,8}}?)"
    rf"(USDT|USDC|FDUSD|BUSD|EUR|USD)(?![\w/.-])"
)
_SYMBOL_LOWER = re.compile(rf"(?<![\w/.-])([a-z0-9]{{2,10}})[/-]({_QUOTE.lower()})(?![\w/.-])", re.IGNORECASE)
_TOLD_QUOTE = "euros?|tether|(?:us[ -])?dollars?(?: tether)?|pounds?|yen"
_AGAINST = re.compile(
    rf"\b({'|'.join(COINS)})(?: coins?)?(?:(?: against| versus| vs\.?| in| to|/|-)(?: the)?[ -]?({_QUOTE.lower()}"
    rf"|{_TOLD_QUOTE})"
    rf"| ({_FIAT.lower()}|{_TOLD_QUOTE}))\b",
    re.IGNORECASE,
)
_COIN = re.compile(rf"(?<![\w/.-])({'|'.join(COINS)})(?:'s)?(?![\w/-])", re.IGNORECASE)
_TICKER = re.compile(r"(?<![\w/.-])(DOT|LINK|UNI|TON|APT|NEAR|ATOM|OP|ICP|INJ|SEI|TIA|XTZ|BCH|ETC)(?![\w/-])")
_EXCHANGE = re.compile(rf"(?<![\w./-])({'|'.join(EXCHANGES)})(?:'s?|s)?(?![\w/-])", re.IGNORECASE)
_SPELLED_QUOTE = (("tether", "USDT"), ("euro", "EUR"), ("dollar", "USD"), ("pound", "GBP"), ("yen", "JPY"))


def recognise_amounts(found: Mentions) -> None:
    """Add labelled numbers, money and risk words."""
    recognise_options(found)
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
            frame = _length(match["time"])
            if frame is not None and not re.search(
                r"\b(?:last|past|for|within|most|to)\s*$", found.text[: match.start()], re.IGNORECASE
            ):
                found.take("timeframe", frame, match.start(), match.end())
    for match in _ADVERB.finditer(found.text):
        found.take("timeframe", _ADVERBS[(match[1] or match[2]).lower()], match.start(), match.end())
    for match in _BESIDE.finditer(found.text) if found.all("timeframe") else ():
        name = match[1].lower()
        found.take("timeframe", _ADVERBS.get(name) or f"1{name[0]}", match.start(), match.end())


def _take_symbols(found: Mentions) -> None:
    for pattern in (_SYMBOL, _SYMBOL_LOWER):
        for match in pattern.finditer(found.text):
            base, quote = [group for group in match.groups() if group]
            found.take("symbol", f"{COINS.get(base.lower(), base.upper())}/{quote.upper()}", match.start(), match.end())
    for match in _AGAINST.finditer(found.text):
        told = (match[2] or match[3]).lower()
        quote = next((name for word, name in _SPELLED_QUOTE if word in told), told.upper())
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


def frame_of(minutes: float) -> str | None:
    """Return a number of minutes as a candle length such as ``"15m"``, ``"1h"`` or ``"1w"``; None for no whole one."""
    if minutes < 1 or minutes != int(minutes):
        return None
    whole = int(minutes)
    size, letter = next((size, letter) for size, letter in _LETTERS if whole % size == 0)
    return f"{whole // size}{letter}"


def minutes_of_frame(frame: str) -> float:
    """Return a candle length such as ``"15m"`` in minutes."""
    size = next(size for size, letter in _LETTERS if frame.endswith(letter))
    return plain_number(float(size * int(frame[:-1])))


def _length(text: str) -> str | None:
    written = " ".join(text.lower().replace("-", " ").split())
    for part, minutes in (("quarter", 15), ("half", 30)):
        if re.fullmatch(rf"(?:a )?{part} (?:an )?hour(?:ly)?", written):
            return frame_of(minutes)
    bare = re.fullmatch(r"(minute|hour|day|week)s?", written)
    try:
        return frame_of(minutes_of(f"one {bare[1]}" if bare else written))
    except ValueError:
        return None
