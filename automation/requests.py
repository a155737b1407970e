"""Requests from plain values, and back into the words that a person would type."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from trading.commands import Command
from trading.errors import UsageError

Request = TypeVar("Request", bound=BaseModel)

_COLLECTIONS = (list, tuple, set, frozenset)


def build_request(model: type[Request], values: Mapping[str, object], command: str) -> Request:
    """Validate parsed words as a request.

    Parameters
    ----------
    model : type of BaseModel
        The input of the command.
    values : mapping of str to object
        By field name; None and empty collections mean "not given".
    command : str
        Name of the command, for the error.

    Returns
    -------
    BaseModel
        An instance of ``model``.

    Raises
    ------
    UsageError
        One sentence that names the option and what it allows.
    """
    given = {
        model.model_fields[name].alias or name: value
        for name, value in values.items()
        if name in model.model_fields and value is not None and value not in ([], ())
    }
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise UsageError(_sentence(model, error, command)) from None


def request_of(command: Command, values: Mapping[str, object]) -> BaseModel:
    """Validate values that a program gave by field name.

    Parameters
    ----------
    command : Command
        The registry's entry.
    values : mapping of str to object
        JSON data.

    Raises
    ------
    UsageError
        One sentence; a name that the command does not know is refused too.
    """
    model = command.load_request()
    unknown = sorted(values.keys() - model.model_fields.keys())
    if unknown:
        known = ", ".join(model.model_fields)
        raise UsageError(f"`{command.name}` takes no {unknown[0]!r}; it takes {known}")
    return build_request(model, values, command.name)


def option_name(name: str, field: FieldInfo) -> str:
    """Return the option's name as it is typed, such as ``--allow-gaps``, or an argument's, such as ``SYMBOL``."""
    word = field.alias or name.rstrip("_")
    return word.upper() if field_extra(field).get("positional") else "--" + word.replace("_", "-")


def command_words(command: Command, values: Mapping[str, object]) -> list[str]:
    """Return the words that ask for a command with these values on the command line, without the program's name.

    Parameters
    ----------
    command : Command
        The registry's entry.
    values : mapping of str to object
        By field name, as `build_request` takes them.
    """
    model = command.load_request()
    options: list[str] = []
    arguments: list[str] = []
    for name, value in values.items():
        field = model.model_fields.get(name)
        if field is None or value is None or value in ([], ()) or value == field.default:
            continue
        spelling = option_name(name, field)
        items = value if isinstance(value, _COLLECTIONS) else [value]
        words = [str(item.value if isinstance(item, Enum) else item) for item in items]
        if field_extra(field).get("positional"):
            arguments += words
        elif isinstance(value, bool):
            options.append(spelling if value else f"--no-{spelling[2:]}")
        else:
            options += [part for word in words for part in (spelling, word)]
    # a word that begins with a dash would be read as an option
    dashed = ["--"] if any(word.startswith("-") for word in arguments) else []
    return [*command.name.split(), *options, *dashed, *arguments]


def command_text(command: Command, values: Mapping[str, object]) -> str:
    """Return the whole command line as it could be typed into a shell."""
    return shlex.join(["gridbot", *command_words(command, values)])


def field_extra(field: FieldInfo) -> Mapping[str, object]:
    """Return what a field says about its faces: ``positional``, ``metavar``, ``kind``."""
    extra = field.json_schema_extra
    return extra if isinstance(extra, dict) else {}


def _sentence(model: type[BaseModel], failure: ValidationError, command: str) -> str:
    error = failure.errors()[0]
    place = str(error["loc"][0]) if error["loc"] else ""
    named = {field.alias or name: (name, field) for name, field in model.model_fields.items()}
    reason = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if place not in named:
        return f"{reason}; see `gridbot {command} --help`"
    spelling = option_name(*named[place])
    if error["type"] == "missing":
        return f"{spelling} is missing; see `gridbot {command} --help`"
    meaning = named[place][1].description
    return f"{spelling} cannot be {str(error['input'])[:80]!r}: it {reason}" + (f" ({meaning})" if meaning else "")
