"""Which setting a sentence means, and the value that it is to have."""

from __future__ import annotations

import re

from automation.assistant.amounts import NUMBER, TIME, minutes_of, number_of, plain_number, share_of
from automation.assistant.filling import Filling
from automation.assistant.options import is_said
from automation.assistant.setting_words import said_stems, setting_meant, setting_words

_PINNED = ("grid.", "trail.", "size.", "limits.", "orders.", "fills.", "signals.", "market.")
_ON = re.compile(
    r"\b(?:(?:switch|turn|put|set)\w*\b.*\bon|enabl\w+|activat\w+|allow|start using|yes|true)\b", re.IGNORECASE
)
_OFF = re.compile(
    r"\b(?:(?:switch|turn|put|set)\w*\b.*\boff|disabl\w+|deactivat\w+|stop|no longer|never|do not|don't|dont|no"
    r" more|without"
    r"|false|skip)\b",
    re.IGNORECASE,
)
_SIZE = re.compile(rf"(?P<n>{NUMBER}) ?(?P<unit>gi?b|gigs?|gigabytes?|mi?b|megs?|megabytes?)\b", re.IGNORECASE)
_TIME = re.compile(TIME, re.IGNORECASE)
_SHARE = re.compile(rf"{NUMBER} ?(?:%|per ?cent\b)", re.IGNORECASE)
_NUMBER = re.compile(NUMBER, re.IGNORECASE)
_TEXT = re.compile(
    r"(?:\bto(?: be)?|\bas|=|\bis|\bbecomes?|\bon|\binto|\bwith|\buse|:)\s+[\"'`]?(?P<value>[^\s\"'`]+)[\"'`]?"
    r"(?: (?:please|now|again|instead|from now on|by default))*[.!?]*$",
    re.IGNORECASE,
)
_BACKEND = re.compile(
    r"\b(?:use|take|with|only|to|on|through|via|backend)\b[^.]*?\b(ollama|embedded)\b(?! (?:is|runs|listens|url"
    r"|address))",
    re.IGNORECASE,
)
_MINUTES_OF = {"minutes": 1.0, "s": 1 / 60, "days": 1_440.0}
# How many words before and after a number its setting is looked for in.
_NEAR = 5


def fill_setting(filling: Filling) -> None:
    """Fill the name of a setting.

    Parameters
    ----------
    filling : Filling
        Its field ``name`` is set.
    """
    named = filling.reading.mentions.first("setting")
    filling.put("name", named or setting_meant(filling.reading.text, filling.names.settings))


def fill_setting_value(filling: Filling) -> None:
    """Fill the name of a setting and its new value, in the setting's unit.

    Parameters
    ----------
    filling : Filling
        Its fields ``name`` and ``value`` are set.
    """
    mentions = filling.reading.mentions
    assigned = mentions.first("assignment")
    named = mentions.first("setting")
    if assigned is not None:
        name, _, assigned_value = str(assigned).partition("=")
        filling.put("name", name)
        filling.put("value", assigned_value)
        return
    text = filling.reading.text
    rest = text.replace(str(named), " ", 1) if named is not None else text
    chosen = [] if named is not None else _chosen_backend(text)
    if chosen:
        filling.put("name", chosen[0])
        filling.put("value", chosen[1])
        return
    told, kinds, units, value = _told_value(filling, rest)
    if named is None:
        own = [name for name in filling.names.settings if not name.startswith(_PINNED)]
        about = rest.replace(told, " url " if mentions.first("url") else " ") if told else rest
        named = setting_meant(about, own, kinds=kinds, units=units)
    filling.put("name", named)
    if named in setting_words():
        filling.put("value", _in_unit(str(named), told, rest, value))
    else:
        filling.put("value", value)


def _chosen_backend(text: str) -> list[str]:
    """Return the backend that a sentence speaks for: a model server by its name, or none at all."""
    if is_said("model", "none", text):
        return ["models.backend", "none"]
    match = _BACKEND.search(text)
    return [] if match is None else ["models.backend", match[1].lower()]


def fill_set(filling: Filling) -> None:
    """Fill ``set`` with the settings that a sentence pins: ``grid.spacing=0.02``, "with lines 2% apart".

    Parameters
    ----------
    filling : Filling
        Its field ``set`` is set.
    """
    if "set" not in filling.model.model_fields:
        return
    text = filling.reading.text
    pinned = [str(value) for value in filling.reading.mentions.values("assignment")]
    names = [name for name in filling.names.settings if name.startswith(_PINNED)]
    kinds = {"share", "number"}
    for match in re.finditer(rf"{NUMBER}(?: ?%| per ?cent\b)?", text, re.IGNORECASE):
        start, end = match.span()
        if filling.is_used(start, end) or _is_elsewhere(filling, start, end):
            continue
        # what stands right before or after the number, not across another one
        near = _clause(text[:start])[-_NEAR:], _clause(text[end:], first=True)[:_NEAR]
        for words in (near[0], near[1], [*near[0], *near[1]]):
            name = _wholly_said(" ".join(words), names, kinds)
            if name is not None:
                pinned.append(f"{name}={share_of(match[0]):g}")
                filling.used.append((start, end))
                break
    pinned += _chosen(text, names)
    filling.put("set", list(dict.fromkeys(pinned)))


def _chosen(text: str, names: list[str]) -> list[str]:
    """Return the settings whose value is one of some words, where both are said: "the touch fill rule"."""
    said, plain = said_stems(text), text.lower().replace("_", " ")
    found = []
    for name in names:
        words = setting_words()[name]
        told = [each for each in words.choices if re.search(rf"\b{each.replace('_', ' ')}\b", plain)]
        several = len(words.choices) > 2 and re.search(r"\b(?:only|just|alone|nothing but)\b", plain)
        if told and (words.own <= said or (several and len(told) < len(words.choices))):
            found.append(f"{name}={','.join(told)}")
    return found


def _is_elsewhere(filling: Filling, start: int, end: int) -> bool:
    return any(
        each.start < end and start < each.end and each.kind not in {"number", "risk"}
        for each in filling.reading.mentions
    )


def _clause(text: str, *, first: bool = False) -> list[str]:
    parts = re.split(rf"[,;]|{NUMBER}", text, flags=re.IGNORECASE)
    return parts[0 if first else -1].split()


def _wholly_said(text: str, names: list[str], kinds: set[str]) -> str | None:
    said = said_stems(text)
    fitting = [name for name in names if setting_words()[name].kind in kinds and setting_words()[name].own <= said]
    most = max((len(setting_words()[name].own) for name in fitting), default=0)
    longest = [name for name in fitting if len(setting_words()[name].own) == most]
    return longest[0] if len(longest) == 1 else None


def _told_value(filling: Filling, text: str) -> tuple[str, tuple[str, ...], tuple[str, ...], str | None]:
    """Return the value as it is said, the kinds of settings and the units that it speaks for, and its plain form."""
    mentions = filling.reading.mentions
    url, model = mentions.first("url"), mentions.first("model") or mentions.first("gguf")
    if url is not None or model is not None:
        return str(url or model), ("text",), (), str(url or model)
    told = _told_number(text)
    if told is not None:
        return told
    if _OFF.search(text) or _ON.search(text):
        # what is negated is off, even where it is asked to be allowed no longer
        return "", ("truth",), (), "false" if _OFF.search(text) else "true"
    found = _TEXT.search(text.rstrip(".!? "))
    return ("", (), (), None) if found is None else (found["value"], ("text",), (), found["value"])


def _told_number(text: str) -> tuple[str, tuple[str, ...], tuple[str, ...], str | None] | None:
    size, time, share = _SIZE.search(text), _TIME.search(text), _SHARE.search(text)
    numbers = list(_NUMBER.finditer(text))
    if size is not None:
        last = list(_SIZE.finditer(text))[-1]
        factor = 1_024 if last["unit"].lower().startswith("g") else 1
        return last[0], ("number",), ("mb",), _plain(number_of(last["n"]) * factor)
    if time is not None:
        units = ("days",) if re.search(r"days?|weeks?|months?", time[0]) else ("minutes", "s")
        return time[0], ("number",), units, _plain(minutes_of(time[0]))
    if share is not None:
        return share[0], ("share", "number"), (), _plain(share_of(share[0]))
    if numbers:
        return numbers[-1][0], ("number", "share"), (), _plain(number_of(numbers[-1][0]))
    return None


def _in_unit(name: str, told: str, text: str, value: str | None) -> str | None:
    words = setting_words()[name]
    if told and _TIME.fullmatch(told) and words.unit in _MINUTES_OF:
        return _plain(minutes_of(told) / _MINUTES_OF[words.unit])
    if words.kind == "truth" and value not in {"true", "false"}:
        return "false" if _OFF.search(text) else "true" if _ON.search(text) else value
    if words.kind == "text":
        found = _TEXT.search(text.rstrip(".!? "))
        return value if found is None or (told and told in found["value"]) else found["value"]
    if told and _TIME.fullmatch(told):
        number = _NUMBER.search(told)
        return value if number is None else _plain(number_of(number[0]))
    return value


def _plain(value: float) -> str:
    return str(plain_number(round(value, 6)))
