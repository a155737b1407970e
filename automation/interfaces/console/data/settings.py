"""The settings of both wings, as the configuration commands tell them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from automation.interfaces.console.context import ConsoleContext
from trading.errors import Refused

_SECRET = re.compile(r"(secret|password|passphrase|api_key|token|private_key)$")
_COMMANDS = {"trading": "config show", "automation": "config automation"}
_HIDDEN = "(set; not shown)"


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting.

    Parameters
    ----------
    wing : str
        ``trading`` or ``automation``.
    name : str
        Dotted.
    value : str
        As one would type it.
    source : str
        Where it comes from.
    meaning : str
        What it does.
    """

    wing: str
    name: str
    value: str
    source: str
    meaning: str

    def fits(self, words: tuple[str, ...]) -> bool:
        """Return whether all words occur in it."""
        text = f"{self.name} {self.value} {self.source} {self.meaning}".lower()
        return all(word in text for word in words)


def read_settings(context: ConsoleContext) -> tuple[SettingRow, ...]:
    """Return every setting of both wings; blocks.

    Raises
    ------
    Refused
        When a configuration cannot be read; it says why.
    """
    rows: list[SettingRow] = []
    with ThreadPoolExecutor(len(_COMMANDS)) as beside:
        ends = tuple(beside.map(context.answer, _COMMANDS.values()))
    for wing, ended in zip(_COMMANDS, ends, strict=True):
        if ended.result is None:
            raise Refused(ended.text)
        rows += [setting_row(wing, name, told) for name, told in ended.result.items() if isinstance(told, Mapping)]
    return tuple(rows)


def typed(value: object) -> str:
    """Return a setting's value as one would type it."""
    if value is None:
        return "-"
    if isinstance(value, list) and all(not isinstance(item, Mapping | list) for item in value):
        return ", ".join(map(str, value)) or "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def setting_row(wing: str, name: str, told: Mapping[str, object]) -> SettingRow:
    """Return a setting as it is shown.

    Parameters
    ----------
    wing, name : str
        Which.
    told : mapping
        ``value``, ``source`` and ``meaning``; a secret's value stays behind.
    """
    value = typed(told.get("value"))
    if _SECRET.search(name) and told.get("value"):
        value = _HIDDEN
    return SettingRow(wing, name, value, str(told.get("source", "")), str(told.get("meaning", "")))
