"""Words that speak for or against commands: data of ``rules.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("rules.toml")


@dataclass(frozen=True, slots=True)
class Rule:
    """Words that speak for a command.

    Parameters
    ----------
    command : str
        Its name; empty for what no command does.
    words : re.Pattern
        What must be said.
    weight : float
        How much it counts.
    """

    command: str
    words: re.Pattern[str]
    weight: float


@dataclass(frozen=True, slots=True)
class Topic:
    """Commands about one thing, told apart by what is to be done with it; the first that fits is meant.

    Parameters
    ----------
    about : re.Pattern
        What must be said for the topic.
    actions : tuple of Rule
        In the order in which they are tried.
    """

    about: re.Pattern[str]
    actions: tuple[Rule, ...]


@cache
def word_rules() -> tuple[tuple[Rule, ...], tuple[Topic, ...]]:
    """Return the rules, and the topics."""
    written = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    rules = tuple(Rule(row["command"], re.compile(row["words"]), row["weight"]) for row in written["rule"])
    return rules, tuple(_topic(row["about"], row["weight"], row["actions"]) for row in written["topic"])


def _topic(about: str, weight: float, actions: Mapping[str, str]) -> Topic:
    rules = tuple(Rule(command, re.compile(words), weight) for command, words in actions.items())
    return Topic(re.compile(about), rules)
