"""Arguments of the commands that trade and that keep candles."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

from automation.assistant.amounts import NUMBER, number_of, plain_number
from automation.assistant.faults import told_faults
from automation.assistant.filling import Filling
from automation.assistant.names import COINS, QUOTES
from automation.assistant.session_arguments import fill_session

# Below this, a number without a currency is hardly an amount of money.
_LEAST_MONEY = 20
_BARE_NUMBER = re.compile(
    rf"(?P<n>{NUMBER})(?! ?(?:%|percent|per cent|x\b|times|fold|minutes?|mins?|hours?|days?|weeks?|months?|years?"
    rf"|seconds?"
    r"|candles?|bars?|levels?|lines?|orders?|am\b|pm\b|st\b|nd\b|rd\b|th\b|[-:/.]\d))",
    re.IGNORECASE,
)
_REPLAY = re.compile(
    r"\b(?:replay\w*|re-?run|play(?:ed|ing)? back|over (?:the |its |my )?candles|from (?:the |my )?(?:store|archive"
    r"|disk)|(?:recorded|stored|saved|old|past|histor\w+|kept|"
    r"yesterday's|last \w+'s)(?: [\w/-]+){0,3}? (?:candles?|prices?|data|history|bars?|series|market))\b",
    re.IGNORECASE,
)
_BALANCE = re.compile(rf"(?P<n>{NUMBER}) ?(?P<asset>{'|'.join((*QUOTES, *COINS))}s?|dollars?|bucks)\b", re.IGNORECASE)


def fill_backtest(filling: Filling) -> None:
    """Fill the series that are traded, files or stored symbols; what fills are written to is none of them."""
    mentions = filling.reading.mentions
    files = [str(each.value) for each in mentions.all("candle file") if not filling.is_used(each.start, each.end)]
    if len(files) == 1:
        filling.put("symbol", mentions.first("symbol"))
    filling.put("candles", files or mentions.values("symbol") or filling.before.get("series"))
    filling.values.setdefault("symbol", None)


def fill_trading(filling: Filling) -> None:
    """Fill the session's name and what it trades: a symbol now, or a replay of candles."""
    mentions = filling.reading.mentions
    filling.put("candles", mentions.first("candle file"))
    fill_session(filling, known_only=False, by_coin=False)
    if "candles" in filling.model.model_fields and "candles" not in filling.values and _REPLAY.search(filling.lowered):
        filling.put("candles", mentions.first("symbol"))
        if "candles" in filling.values:
            filling.values["symbol"] = None
    name = str(filling.values.get("session", ""))
    if name in filling.names.sessions and "candles" not in filling.values:
        coins = {str(each).partition("/")[0].lower() for each in mentions.values("symbol")}
        if coins <= set(name.split("-")):
            # "the btc session" is recovered by its name alone
            filling.values["symbol"] = None
    series = filling.before.get("series")
    if not mentions.all("symbol") and not mentions.all("candle file") and isinstance(series, list) and series:
        filling.put("candles" if "." in str(series[0]) else "symbol", series[0])


def fill_candle_series(filling: Filling) -> None:
    """Fill one candle file or stored symbol: ``config show``, ``agents explain``."""
    mentions = filling.reading.mentions
    file = mentions.first("candle file")
    series = filling.before.get("series")
    before = series[0] if isinstance(series, list) and series else None
    filling.put("candles", file if file is not None else mentions.first("symbol") or before)
    if file is None:
        filling.values["symbol"] = None


def fill_exchange(filling: Filling) -> None:
    """Fill the markets of the built-in exchange, its account and its faults."""
    mentions = filling.reading.mentions
    text = filling.reading.text
    balances = []
    for match in _BALANCE.finditer(text):
        asset = match["asset"].lower()
        name = "USDT" if asset.startswith(("dollar", "buck", "usd")) and asset != "usdc" else COINS.get(asset, asset)
        balances.append(f"{name.upper()}={plain_number(number_of(match['n']))}")
        filling.used.append(match.span())
    filling.put("balance", balances)
    filling.put("fault", told_faults(text))
    symbols = [each.value for each in mentions.all("symbol") if not filling.is_used(each.start, each.end)]
    replayed = mentions.values("candle file") or (symbols if _REPLAY.search(text) else [])
    filling.put("candles", replayed)
    filling.put("symbol", [] if replayed else list(dict.fromkeys(symbols)))
    filling.values.setdefault("symbol", None)


def fill_data_import(filling: Filling) -> None:
    """Fill the files that are read."""
    mentions = filling.reading.mentions
    named = mentions.values("candle file") or mentions.values("document")
    filling.put("files", [Path(str(each)) for each in named])


def fill_data_check(filling: Filling) -> None:
    """Fill the files and symbols that are checked."""
    mentions = filling.reading.mentions
    named = [*mentions.values("candle file"), *mentions.values("symbol")]
    filling.put("targets", named or filling.before.get("series"))


def fill_data_download(filling: Filling) -> None:
    """Fill the symbols that are downloaded, and their candle lengths."""
    mentions = filling.reading.mentions
    filling.put("symbols", mentions.values("symbol") or filling.before.get("series"))
    filling.put("timeframe", mentions.values("timeframe"))


def fill_capital(filling: Filling) -> None:
    """Fill the starting money: an amount with its currency, else the one number that can be nothing else."""
    if "capital" not in filling.model.model_fields or "capital" in filling.values:
        return
    mentions = filling.reading.mentions
    filling.put("capital", mentions.first("money"))
    taken = [each for each in mentions if each.kind != "number"]
    for match in _BARE_NUMBER.finditer(filling.reading.text):
        start, end = match.span("n")
        if filling.is_used(start, end) or any(each.start < end and start < each.end for each in taken):
            continue
        amount = number_of(match["n"])
        if amount >= _LEAST_MONEY:
            filling.put("capital", Decimal(str(plain_number(amount))))
            return
