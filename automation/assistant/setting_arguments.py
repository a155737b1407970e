"""Which setting a sentence means, and the value that it is to have."""

from __future__ import annotations

import re

from automation.assistant.filling import Filling
from automation.assistant.normalise import stem, word_set
from automation.assistant.numbers import NUMBER, number_of, plain_number
from automation.codebase.search.words import split_name

_VALUE = re.compile(
    r"(?:\bto(?: be)?|\bat|\bas|=|\bis|\bof|\binto|\bbecomes?|\bon)\s*([^\s]+)\s*[.!]?\s*(?:please|now|again)?[.!?]*$",
    re.IGNORECASE,
)
_ON = re.compile(r"\b(?:switch|turn)\w*\b.*\bon\b|\b(?:enable|activate)\b", re.IGNORECASE)
_OFF = re.compile(r"\b(?:switch|turn)\w*\b.*\boff\b|\b(?:disable|deactivate)\b", re.IGNORECASE)
_PINNED = ("grid.", "trail.", "size.", "limits.", "orders.", "fills.", "signals.", "market.")
_LIKE = {"distance": "spacing", "gap": "spacing", "ram": "memory"}
_EMPTY = word_set(
    "the a an of for to is what does mean setting settings option parameter value explain set change my in and or"
    " it please put at me tell about s do i used be by with from"
)
_UNITS = frozenset({"mb", "s", "cpu"})
_PERCENT = re.compile(rf"({NUMBER}) ?(?:%|percent)", re.IGNORECASE)


def fill_setting(filling: Filling) -> None:
    """Fill the name of a setting.

    Parameters
    ----------
    filling : Filling
        Its field ``name`` is set.
    """
    filling.put("name", filling.reading.mentions.first("setting") or _described(filling, filling.names.settings))


def fill_setting_value(filling: Filling) -> None:
    """Fill the name of a setting and its new value.

    Parameters
    ----------
    filling : Filling
        Its fields ``name`` and ``value`` are set.
    """
    assigned = filling.reading.mentions.first("assignment")
    if assigned is not None:
        name, _, value = str(assigned).partition("=")
        filling.put("name", name)
        filling.put("value", value)
        return
    text = filling.reading.text
    setting = filling.reading.mentions.first("setting")
    own = tuple(name for name in filling.names.settings if not name.startswith(_PINNED))
    filling.put("name", setting or _described(filling, own))
    after = text.partition(str(setting))[2] if setting and _VALUE.search(text.partition(str(setting))[2]) else text
    found = _VALUE.search(after)
    if found is not None and not found[1].lower().startswith(("the", str(setting))):
        filling.put("value", found[1].strip("\"'`").rstrip(".,!?"))
    elif _ON.search(text) or _OFF.search(text):
        filling.put("value", "true" if _ON.search(text) else "false")
    else:
        numbers = re.findall(rf"\b{NUMBER}", text.replace(str(setting), ""), re.IGNORECASE)
        filling.put("value", str(plain_number(number_of(numbers[-1]))) if len(numbers) == 1 else None)


def fill_set(filling: Filling) -> None:
    """Fill ``set`` with the settings that a sentence pins: ``grid.spacing=0.02``, "with a spacing of 0.02".

    Parameters
    ----------
    filling : Filling
        Its field ``set`` is set.
    """
    if "set" not in filling.model.model_fields:
        return
    pinned = [str(value) for value in filling.reading.mentions.values("assignment")]
    for name in filling.names.settings:
        if not name.startswith(_PINNED):
            continue
        words = name.partition(".")[2].replace("_", "[ _-]")
        match = re.search(
            rf"\b(?:{re.escape(name)}|{words})s?(?: of| at| is| to| =|=|:)? ({NUMBER} ?(?:%|percent)?)",
            filling.reading.text,
            re.IGNORECASE,
        )
        if match is None:
            match = re.search(rf"\b({NUMBER} ?(?:%|percent)?) {words}s?\b", filling.reading.text, re.IGNORECASE)
        if match is not None:
            pinned.append(f"{name}={_number_text(match[1])}")
    filling.put("set", list(dict.fromkeys(pinned)))


def _number_text(text: str) -> str:
    percent = _PERCENT.fullmatch(text.strip())
    if percent is not None:
        return f"{number_of(percent[1]) / 100:g}"
    return f"{number_of(text):g}"


def _described(filling: Filling, names: tuple[str, ...]) -> str | None:
    """Return the setting whose name's words are all said; the one with most words, then the shortest name."""
    said = {stem(word) for word in split_name(filling.reading.text).split() if word not in _EMPTY}
    said |= {stem(part) for word in list(said) for part in split_name(_LIKE.get(word, "")).split()}
    scored = []
    for name in names:
        own = [stem(word) for word in split_name(name.rpartition(".")[2]).split() if word not in _UNITS]
        around = {stem(word) for word in split_name(name.rpartition(".")[0]).split()}
        hits = sum(word in said for word in own)
        if hits and (hits == len(own) or hits >= 2 or (hits == len(own) - 1 and around & said)):
            scored.append((hits / len(own), hits + len(around & said), -len(name), name))
    if not scored:
        return None
    best = max(scored)
    ties = [each for each in scored if each[:2] == best[:2]]
    return best[3] if len(ties) == 1 else None
