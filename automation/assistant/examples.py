"""The sentences that each command is known by: phrases of the registry, command names, and a file of examples."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from automation.assistant.normalise import normal
from trading.commands import Command

_FILE = Path(__file__).with_name("examples.toml")
UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence whose command is known.

    Parameters
    ----------
    command : str
        The command's name; empty for what GridBot cannot do.
    sentence : str
        In normal form.
    """

    command: str
    sentence: str


def load_examples(commands: Iterable[Command]) -> tuple[Example, ...]:
    """Return the examples of these commands, and those of what none of them does.

    Parameters
    ----------
    commands : iterable of Command
        Examples of other commands are left out.
    """
    written: dict[str, list[str]] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    found: dict[Example, None] = {}
    for command in commands:
        for sentence in (command.name, *command.phrases, *written.get(command.name, ())):
            found[Example(command.name, normal(sentence))] = None
    for sentence in written.get(UNKNOWN, ()):
        found[Example(UNKNOWN, normal(sentence))] = None
    return tuple(found)
