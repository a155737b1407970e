"""From what a sentence names to the fields of a command's request; what is not named is left out, never guessed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from automation.assistant.amounts import plain_number
from automation.assistant.code_arguments import fill_explain, fill_fix, fill_incidents, fill_target
from automation.assistant.filling import Filling
from automation.assistant.market_arguments import (
    fill_backtest,
    fill_candle_series,
    fill_capital,
    fill_data_check,
    fill_data_download,
    fill_data_import,
    fill_exchange,
    fill_trading,
)
from automation.assistant.moments import Span
from automation.assistant.numbers import frame_of, minutes_of_frame
from automation.assistant.options import fill_options
from automation.assistant.outlets import fill_outlets
from automation.assistant.run_arguments import fill_run
from automation.assistant.searching import fill_search
from automation.assistant.session_arguments import fill_session
from automation.assistant.setting_arguments import fill_set, fill_setting, fill_setting_value

_DAY_MINUTES = 1_440
_ALL = re.compile(r"\b(?:all|every|each|everything|others?)\b", re.IGNORECASE)
_THERE = re.compile(r"\bthere\b(?! (?:is|are|was|were|any)\b)", re.IGNORECASE)
_ADVERBS = {"hourly": "1h", "daily": "1d", "weekly": "1w"}
_ADVERB = re.compile(r"\b(?:hourly|daily|weekly)\b(?! (?:loss|report|page|limit|budget))", re.IGNORECASE)


def fill(filling: Filling) -> None:
    """Fill the fields of a request from a sentence.

    Parameters
    ----------
    filling : Filling
        Sentence and request; its values are set.
    """
    if filling.command in _OPTIONS_LATER:
        _SPECIAL[filling.command](filling)
        fill_options(filling)
    else:
        fill_options(filling)
        special = _SPECIAL.get(filling.command)
        if special is not None:
            special(filling)
    _fill_common(filling)
    if filling.before:
        _fill_meant(filling)


def _fill_meant(filling: Filling) -> None:
    """Fill what a later step works on from the step before: "store my kraken key and then test it"."""
    models, series = filling.before.get("models"), filling.before.get("series")
    if isinstance(models, list) and models and not _ALL.search(filling.reading.text):
        filling.put("names", models)
        if filling.command == "models pull":
            filling.put("name", models[0])
        if filling.command == "models use":
            filling.put("model", models[0])
    if filling.command in {"config explain", "config set"}:
        filling.put("name", filling.before.get("setting"))
        # arguments stand in the order of the request, whichever was found first
        filling.values = dict(sorted(filling.values.items(), key=lambda pair: pair[0] != "name"))
    if filling.command.startswith("keys") or _THERE.search(filling.reading.text):
        filling.put("exchange", filling.before.get("exchange"))
    if isinstance(series, list) and series and filling.command == "data export":
        filling.put("symbol", series[0])
    if isinstance(series, list) and series and filling.command == "data import":
        filling.put("files", [Path(str(each)) for each in series if "." in str(each)])


def _fill_common(filling: Filling) -> None:
    mentions = filling.reading.mentions
    if not filling.command.startswith("models"):
        filling.put("model", mentions.first("model") or mentions.first("gguf"))
    for name in ("risk", "exchange", "timeframe", "symbol"):
        values = mentions.values(name)
        filling.put(name, values if filling.is_list(name) else next(iter(values), None))
    _fill_times(filling)
    fill_set(filling)
    fill_capital(filling)
    for url in mentions.values("url"):
        filling.put("ws_url" if str(url).startswith("ws") else "rest_url", url)
    fill_outlets(filling)


def _fill_times(filling: Filling) -> None:
    mentions = filling.reading.mentions
    length = next((each for each in mentions.all("duration") if not filling.is_used(each.start, each.end)), None)
    if length is not None and isinstance(length.value, float):
        filling.put("max_minutes", plain_number(round(length.value, 3)))
        filling.put("minutes", plain_number(round(length.value, 3)))
        if not {"max_minutes", "minutes"} & filling.model.model_fields.keys():
            # what takes no time has candles of a length
            frames = [frame_of(float(str(each.value))) for each in mentions.all("duration")]
            filling.put("timeframe", frames if filling.is_list("timeframe") else frames[0])
    fields = filling.model.model_fields.keys()
    if length is None and "timeframe" not in fields and mentions.all("timeframe"):
        # "nightly, 3h budget": what has no candles takes time
        minutes = minutes_of_frame(str(mentions.first("timeframe")))
        filling.put("max_minutes", minutes)
        filling.put("minutes", minutes)
    adverb = _ADVERB.search(filling.reading.text)
    if adverb is not None and not mentions.all("timeframe"):
        frame = _ADVERBS[adverb[0].lower()]
        filling.put("timeframe", [frame] if filling.is_list("timeframe") else frame)
    span = mentions.first("span")
    if isinstance(span, Span):
        filling.put("start", span.start)
        filling.put("end", span.end)
        filling.put("at", span.start)
        filling.put("since", span.age or span.start)
    elif length is not None and isinstance(length.value, float) and length.value >= _DAY_MINUTES:
        filling.put("since", f"{max(1, round(length.value / _DAY_MINUTES))}d")


def _ask(filling: Filling) -> None:
    filling.put("sentence", filling.reading.mentions.first("command"))


def _models_pull(filling: Filling) -> None:
    filling.put("name", filling.reading.mentions.first("model"))


def _models_use(filling: Filling) -> None:
    mentions = filling.reading.mentions
    model = mentions.first("gguf") or mentions.first("model")
    if model is None and re.search(
        r"\b(?:default|dflt|undo|usual|original|standard|beginning|yourself|itself)\b", filling.lowered
    ):
        model = "default"
    filling.put("model", model)


def _models_bench(filling: Filling) -> None:
    mentions = filling.reading.mentions
    filling.put("names", [*mentions.values("model"), *mentions.values("gguf")])


def _compare(filling: Filling) -> None:
    commands = [str(each) for each in filling.reading.mentions.values("command")]
    if len(commands) < 2:
        commands = [str(each.value) for each in filling.reading.mentions if each.kind in {"command", "python"}]
    if len(commands) < 2:
        return
    a, b = commands[:2]
    between = filling.lowered.split(a.lower(), 1)[-1].split(b.lower(), 1)[0]
    # "is NEW faster than OLD": what is asked about is the second
    turned = re.search(
        r"\b(?:faster|quicker|better|speedier|beats?|outperforms?|improve\w*|in for|instead of|in place of|rather"
        r" than)\b",
        between,
    )
    filling.put("a", b if turned else a)
    filling.put("b", a if turned else b)


def _nightly(filling: Filling) -> None:
    mentions = filling.reading.mentions
    filling.put("benchmark", next((each.value for each in mentions.all("command")), None))
    place = next((each for each in mentions.all("folder") if not filling.is_used(each.start, each.end)), None)
    if place is not None and re.match(r"\.\.?/|~|/", str(place.value)):
        filling.put("path", Path(str(place.value)))
        filling.used.append((place.start, place.end))


def _served_folder(filling: Filling) -> None:
    folder = filling.reading.mentions.first("folder")
    filling.put("path", None if folder is None else Path(str(folder)))


_SPECIAL: dict[str, Callable[[Filling], None]] = {
    "backtest": fill_backtest, "paper": fill_trading, "live": fill_trading, "config show": fill_candle_series,
    "agents explain": fill_candle_series, "exchange": fill_exchange, "data import": fill_data_import,
    "data check": fill_data_check, "data download": fill_data_download,
    "ask": _ask, "models pull": _models_pull, "models use": _models_use, "models bench": _models_bench,
    "improvement compare": _compare, "nightly": _nightly, "vscode sync": _served_folder,
    "console": _served_folder, "mcp": _served_folder,
    "stop": fill_session, "sessions stop": fill_session, "sessions show": fill_session,
    "sessions report": fill_session, "sessions replay": fill_session,
    "runs show": fill_run, "runs resume": fill_run, "runs approve": fill_run, "runs reject": fill_run,
    "runs edit": fill_run, "runs abandon": fill_run,
    "config explain": fill_setting, "config set": fill_setting_value,
    "review": fill_target, "test": fill_target, "document": fill_target, "optimize": fill_target,
    "search": fill_search, "explain": fill_explain, "fix": fill_fix, "incidents": fill_incidents,
}  # fmt: skip
# Their words are a name or a text first, in which options must not be looked for.
_OPTIONS_LATER = frozenset({"config set", "config explain", "models use", "models pull", "models bench"})
