"""The sentences that each command is known by: phrases of the registry, command names, and two files of examples."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from automation.assistant.normalise import normal
from trading.commands import Command

_WRITTEN = Path(__file__).with_name("examples.toml")
SAID = Path(__file__).with_name("said.txt")
UNKNOWN = ""
_NOTHING = "none of them"


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
    commands = tuple(commands)
    names = {command.name for command in commands} | {UNKNOWN}
    said = [example for example in load_said() if example.command in names]
    return tuple(dict.fromkeys((*own_examples(commands), *said)))


def own_examples(commands: Iterable[Command]) -> tuple[Example, ...]:
    """Return the examples of who built the router: names, phrases and ``examples.toml``."""
    written: dict[str, list[str]] = tomllib.loads(_WRITTEN.read_text(encoding="utf-8"))
    found: dict[Example, None] = {}
    for command in commands:
        for sentence in (command.name, *command.phrases, *written.get(command.name, ())):
            found[Example(command.name, normal(sentence))] = None
    for sentence in written.get(UNKNOWN, ()):
        found[Example(UNKNOWN, normal(sentence))] = None
    return tuple(found)


def load_said(file: Path = SAID) -> tuple[Example, ...]:
    """Return the examples of people who never saw the router: ``said.txt``, in normal form already."""
    found: list[Example] = []
    command = UNKNOWN
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            command = line.strip("[]").replace(_NOTHING, UNKNOWN)
        elif line and not line.startswith("#"):
            found.append(Example(command, line))
    return tuple(found)


def write_said(examples: Iterable[Example], file: Path = SAID) -> None:
    """Write ``said.txt`` anew: one sentence a line, by command."""
    by_command: dict[str, set[str]] = {}
    for example in examples:
        by_command.setdefault(example.command, set()).add(example.sentence)
    file.write_text(_HEAD + "".join(map(_section, sorted(by_command.items()))), encoding="utf-8")


_HEAD = """# What people said who never saw the router: in normal form, names masked, by the command that they meant.
# Made of tests/automation/assistant/sentences/outside_seen.json by `python -m benchmarks.assistant_authors --write`.
"""


def _section(commanded: tuple[str, Iterable[str]]) -> str:
    command, sentences = commanded
    lines = "\n".join(sorted(sentences))
    return f"\n[{command or _NOTHING}]\n{lines}\n"
