"""From what a sentence names to the fields of a command's request; what is not named is left out, never guessed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from automation.assistant.code_arguments import fill_explain, fill_fix, fill_incidents, fill_search, fill_target
from automation.assistant.filling import Filling
from automation.assistant.moments import Span
from automation.assistant.run_arguments import fill_run
from automation.assistant.session_arguments import fill_session, fill_stop
from automation.assistant.setting_arguments import fill_set, fill_setting, fill_setting_value

_INTO = re.compile(r"\b(?:in|into|to|under|inside|at|as|on)\s+(?:the )?(?:folder |directory |file )?$", re.IGNORECASE)
_SOURCES = (
    ("ollama", r"\bollama\b"),
    ("hub", r"\b(?:model )?hub\b|\bhugging ?face\b"),
    ("pypi", r"\bpypi\b|\bpackage index\b"),
)
_ROLES = (
    ("debugger", r"\bdebug(?:ger|ging)?\b|\brepairs?\b|\bfixing\b|\brepairing\b"),
    ("optimizer", r"\boptimi[sz](?:er|ing|ation)\b"),
    ("orchestrator", r"\borchestrat(?:or|ion|ing)\b|\brouting\b"),
    ("embedder", r"\bembed(?:der|ding|dings)\b"),
)  # fmt: skip
_SCREENS = ("overview", "trading", "maintenance", "improvement", "logs", "settings")


def fill(filling: Filling) -> None:
    """Fill the fields of a request from a sentence.

    Parameters
    ----------
    filling : Filling
        Sentence and request; its values are set.
    """
    special = _SPECIAL.get(filling.command)
    if special is not None:
        special(filling)
    _fill_numbers(filling)
    _fill_flags(filling)
    _fill_common(filling)


def _fill_numbers(filling: Filling) -> None:
    mentions = filling.reading.mentions
    for label in (
        "seed",
        "port",
        "speed",
        "fail_under",
        "older_than",
        "keep",
        "pairs",
        "tokens",
        "candles",
        "start_price",
        "limit",
    ):
        filling.put(label, mentions.first("number", label))
    for label, days in (("older_weeks", 7), ("older_months", 30)):
        count = mentions.first("number", label)
        filling.put("older_than", None if count is None else int(float(str(count)) * days))


def _fill_flags(filling: Filling) -> None:
    text = filling.lowered
    for name, pattern in _FLAGS.get(filling.command, ()):
        if re.search(pattern, text):
            filling.put(name, True)
    if re.search(
        r"\b(?:without|with no|no|not using|not with) (?:an? |any |the )?(?:language )?(?:model"
        r"|llm|ai)s?\b|\bmodel none\b",
        text,
    ):
        filling.put("model", "none")
    elif not filling.command.startswith("models"):
        filling.put("model", filling.reading.mentions.first("model"))
    landing = re.search(
        r"\b(?:apply|land)(?: it| them| the (?:change|patch|fix)\w*)? (?:directly|at once"
        r"|in place)\b|\band apply\b|\bland apply\b",
        text,
    )
    if landing:
        filling.put("land", "apply")
    elif re.search(r"\b(?:on|in|to|as|onto) (?:a|its own|a new) branch\b", text):
        filling.put("land", "branch")
    elif re.search(r"\b(?:in|to) (?:a|its own) worktree\b", text):
        filling.put("land", "worktree")


def _fill_common(filling: Filling) -> None:
    mentions = filling.reading.mentions
    for kind, name in (("money", "capital"), ("risk", "risk"), ("exchange", "exchange"), ("timeframe", "timeframe")):
        value = mentions.first(kind)
        filling.put(name, [value] if value is not None and _is_list(filling, name) else value)
    if _is_list(filling, "symbol"):
        filling.put("symbol", mentions.values("symbol"))
    else:
        filling.put("symbol", mentions.first("symbol"))
    duration = mentions.first("duration")
    if isinstance(duration, float):
        filling.put("max_minutes", _plain(duration))
        filling.put("minutes", _plain(duration))
    span = mentions.first("span")
    if isinstance(span, Span):
        filling.put("start", span.start)
        filling.put("end", span.end)
        filling.put("at", span.start)
        filling.put("since", span.age or span.start)
    fill_set(filling)
    url = mentions.first("url")
    filling.put("ws_url" if str(url).startswith("ws") else "rest_url", url)
    place = _outlet(filling)
    for name in ("report", "out", "export"):
        filling.put(name, place)


def _outlet(filling: Filling) -> Path | None:
    for mention in filling.reading.mentions:
        leads = mention.kind == "recording" or _INTO.search(filling.reading.mentions.text[: mention.start])
        taken = mention.value in {str(value) for value in filling.values.values()}
        if mention.kind in {"folder", "recording", "document"} and leads and not taken:
            return Path(str(mention.value))
    return None


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else round(value, 3)


def _is_list(filling: Filling, name: str) -> bool:
    field = filling.model.model_fields.get(name)
    return field is not None and "list[" in str(field.annotation)


def _backtest(filling: Filling) -> None:
    mentions = filling.reading.mentions
    series = [*mentions.values("candle file"), *mentions.values("symbol")]
    if mentions.first("candle file") is not None:
        series = mentions.values("candle file")
        if len(series) == 1:
            filling.put("symbol", mentions.first("symbol"))
    filling.put("candles", series or filling.before.get("series"))
    filling.replace("symbol", filling.values.get("symbol"))
    if "symbol" not in filling.values:
        # the symbols are the series themselves
        filling.values["symbol"] = None


def _paper(filling: Filling) -> None:
    mentions = filling.reading.mentions
    filling.put("candles", mentions.first("candle file"))
    fill_session(filling, known_only=False, by_coin=False)
    series = filling.before.get("series")
    if not mentions.all("symbol") and not mentions.all("candle file") and isinstance(series, list) and series:
        filling.put("candles" if "." in str(series[0]) else "symbol", series[0])


def _live(filling: Filling) -> None:
    if re.search(r"\b(?:live|real|actual|really|own money|own funds)\b", filling.lowered):
        filling.put("live", True)
    fill_session(filling, known_only=False, by_coin=False)


def _candle_series(filling: Filling) -> None:
    """One candle file or stored symbol: ``config show``, ``agents explain``."""
    mentions = filling.reading.mentions
    file = mentions.first("candle file")
    series = filling.before.get("series")
    before = series[0] if isinstance(series, list) and series else None
    filling.put("candles", file if file is not None else mentions.first("symbol") or before)
    if file is None:
        filling.values["symbol"] = None


def _exchange(filling: Filling) -> None:
    mentions = filling.reading.mentions
    filling.put("candles", mentions.values("candle file"))
    filling.put(
        "balance", [f"{each.label if each.label != 'USD' else 'USDT'}={each.value}" for each in mentions.all("money")]
    )


def _data_import(filling: Filling) -> None:
    mentions = filling.reading.mentions
    filling.put("files", [Path(str(each)) for each in (mentions.values("candle file") or mentions.values("document"))])


def _data_check(filling: Filling) -> None:
    mentions = filling.reading.mentions
    filling.put(
        "targets", [*mentions.values("candle file"), *mentions.values("symbol")] or filling.before.get("series")
    )


def _data_download(filling: Filling) -> None:
    mentions = filling.reading.mentions
    filling.put("symbols", mentions.values("symbol") or filling.before.get("series"))
    filling.put("timeframe", mentions.values("timeframe"))


def _data_synthetic(filling: Filling) -> None:
    price = next((each.value for each in filling.reading.mentions.all("money")), None)
    filling.put("start_price", None if price is None else float(str(price)))


def _models_pull(filling: Filling) -> None:
    filling.put("name", filling.reading.mentions.first("model"))
    filling.put("source", _named(filling.lowered, _SOURCES))


def _models_use(filling: Filling) -> None:
    mentions = filling.reading.mentions
    model = mentions.first("gguf") or mentions.first("model")
    if model is None and re.search(r"\b(?:default|undo|usual|original|standard)\b", filling.lowered):
        model = "default"
    filling.put("model", model)
    without = mentions.rest("model", "gguf").lower()
    filling.put("role", _named(without, _ROLES))


def _models_bench(filling: Filling) -> None:
    mentions = filling.reading.mentions
    filling.put("names", [*mentions.values("model"), *mentions.values("gguf")])


def _named(text: str, table: tuple[tuple[str, str], ...]) -> str | None:
    return next((name for name, pattern in table if re.search(pattern, text)), None)


def _compare(filling: Filling) -> None:
    commands = [str(each.value) for each in filling.reading.mentions if each.kind in {"command", "python"}]
    if len(commands) < 2:
        return
    a, b = commands[:2]
    between = filling.lowered.split(a.lower(), 1)[-1].split(b.lower(), 1)[0]
    # "is NEW faster than OLD": what is asked about is the second
    turned = re.search(r"\b(?:faster|quicker|better|speedier|beats?|outperforms?|improve\w*)\b", between)
    filling.put("a", b if turned else a)
    filling.put("b", a if turned else b)


def _console(filling: Filling) -> None:
    text = filling.lowered
    screen = re.search(
        rf"\b({'|'.join(_SCREENS)})\b(?: (?:screen|tab|page|view|panel))|(?:screen|tab|page"
        rf"|view) (?:for |of )?({'|'.join(_SCREENS)})\b",
        text,
    )
    filling.put("screen", None if screen is None else screen[1] or screen[2])
    theme = re.search(r"\b(light|dark)\b", text)
    filling.put("theme", None if theme is None else theme[1])


def _simulate(filling: Filling) -> None:
    mentions = filling.reading.mentions
    kills = mentions.first("number", "kills")
    filling.put("kills", kills)
    duration = mentions.first("duration")
    if isinstance(duration, float):
        filling.put("minutes", int(duration))


def _repository(filling: Filling) -> None:
    for mention in filling.reading.mentions.all("folder"):
        if not _INTO.search(filling.reading.mentions.text[: mention.start]):
            filling.put("path", Path(str(mention.value)))
            return


_FLAGS: dict[str, tuple[tuple[str, str], ...]] = {
    "mcp": (("http", r"\bhttp\b|\bport\b"),),
    "vscode sync": (
        (
            "check",
            (
                r"\bcheck\b|\bup[ -]to[ -]date\b|\bcurrent\?|\bin (?:step|sync)\??$|\bstale\b|\boutdated\b"
                r"|^(?:are|is)\b"
            ),
        ),
    ),
    "vscode install": (("remove", r"\b(?:remove|uninstall|take .* out|get rid|delete|drop|undo)\b"),),
    "backtest": (
        (
            "allow_gaps",
            (
                r"\b(?:allow\w*|ignor\w+|despite|in spite of|even with|although)\b.*\b(?:gaps?|missing"
                r"|holes)\b"
            ),
        ),
    ),
    "paper": (
        ("testnet", r"\btest ?net\b"),
        ("resume", r"\bresume\b|\bgo on\b|\bhalted\b"),
        ("cancel_orders", r"\bcancel\w* .*orders\b"),
    ),
    "live": (("testnet", r"\btest ?net\b"), ("resume", r"\bresume\b"), ("cancel_orders", r"\bcancel\w* .*orders\b")),
    "exchange": (("lockstep", r"\block-?step\b"),),
    "incidents": (("follow", r"\b(?:watch|follow|tail|monitor|keep (?:an eye|watching|reading)|live)\b"),),
    "health": (("offline", r"\boffline\b|\bwithout (?:the )?(?:network|internet)\b|\bno network\b"),),
    "review": (("with_tests", r"\b(?:with|including|and) (?:the )?(?:tests?|(?:test )?coverage)\b"),),
}

_SPECIAL: dict[str, Callable[[Filling], None]] = {
    "backtest": _backtest, "paper": _paper, "live": _live, "config show": _candle_series,
    "agents explain": _candle_series,
    "exchange": _exchange, "data import": _data_import, "data check": _data_check, "data download": _data_download,
    "data synthetic": _data_synthetic, "models pull": _models_pull, "models use": _models_use,
    "models bench": _models_bench, "improvement compare": _compare, "console": _console, "simulate": _simulate,
    "stop": fill_stop, "sessions stop": fill_stop, "sessions show": fill_session, "sessions report": fill_session,
    "sessions replay": fill_session, "runs show": fill_run, "runs resume": fill_run, "runs approve": fill_run,
    "runs reject": fill_run, "runs edit": fill_run, "runs abandon": fill_run,
    "config explain": fill_setting, "config set": fill_setting_value,
    "review": fill_target, "test": fill_target, "document": fill_target, "optimize": fill_target, "search": fill_search,
    "explain": fill_explain, "fix": fill_fix, "incidents": fill_incidents, "nightly": _repository,
}  # fmt: skip
