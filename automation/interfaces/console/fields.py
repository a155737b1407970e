"""The fields of a command's form, from the very options that its command line has."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from rich.text import Text

from automation.interfaces.options import option_signature
from automation.requests import field_extra, option_name
from trading.errors import UsageError


class Kind(StrEnum):
    """How a field is filled in."""

    TEXT = "text"
    LIST = "list"
    FLAG = "flag"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a form.

    Parameters
    ----------
    name : str
        Of the request.
    spelling : str
        As on the command line.
    kind : Kind
        How it is filled in.
    meaning : str
        What it does, with its default.
    hint : str
        What stands in the empty field: its default, or what its value looks like.
    choices : tuple of str
        What can be chosen; empty unless ``kind`` is CHOICE.
    required : bool
        Whether the command cannot run without it.
    """

    name: str
    spelling: str
    kind: Kind
    meaning: str
    hint: str
    choices: tuple[str, ...] = ()
    required: bool = False


def form_fields(model: type[BaseModel]) -> tuple[FormField, ...]:
    """Return the fields of a request, those that are needed first; the data folder is the console's own.

    Parameters
    ----------
    model : type of BaseModel
        The input of a command.
    """
    parameters = inspect.signature(option_signature(model, {"home"})).parameters
    fields = [_field(parameter, model.model_fields[name]) for name, parameter in parameters.items()]
    return tuple(sorted(fields, key=lambda field: (not field.required, not _is_argument(model, field))))


def values_of(fields: tuple[FormField, ...], filled: Mapping[str, str | bool]) -> dict[str, object]:
    """Return what a form was filled in with, as the values of a request.

    Parameters
    ----------
    fields : tuple of FormField
        Of the form.
    filled : mapping of str to str or bool
        By field name; an empty text is "not given".

    Raises
    ------
    UsageError
        When a list of words has a quotation that is not closed.
    """
    values: dict[str, object] = {}
    for field in fields:
        value = filled.get(field.name, "")
        if value == "" or value is False:
            continue
        if field.kind is Kind.LIST:
            values[field.name] = _split(field, str(value))
        elif field.choices == ("yes", "no"):
            values[field.name] = value == "yes"
        else:
            values[field.name] = value
    return values


def filled_of(field: FormField, value: object) -> str | bool:
    """Return a request's value as a form shows it."""
    if field.kind is Kind.FLAG:
        return bool(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return shlex.join(map(str, value))
    return str(value)


def _field(parameter: inspect.Parameter, field: FieldInfo) -> FormField:
    optional, info = get_args(parameter.annotation)
    typed = next((kind for kind in get_args(optional) or (optional,) if kind is not type(None)), optional)
    if get_origin(optional) in (list, Literal):
        typed = optional
    kind, choices = _kind(typed, field)
    default = "" if field.is_required() else field.get_default(call_default_factory=True, validated_data={})
    shown = str(default.value if isinstance(default, Enum) else default)
    hint = shown if isinstance(default, str | int | float | Enum) and not isinstance(default, bool) else ""
    return FormField(
        parameter.name,
        option_name(parameter.name, field),
        kind,
        Text.from_markup(info.help or "").plain,
        hint or str(info.metavar or "").lower(),
        choices,
        field.is_required(),
    )


def _kind(typed: object, field: FieldInfo) -> tuple[Kind, tuple[str, ...]]:
    if typed is bool:
        return (Kind.FLAG, ()) if field.default is False else (Kind.CHOICE, ("yes", "no"))
    if isinstance(typed, type) and issubclass(typed, Enum):
        return Kind.CHOICE, tuple(str(member.value) for member in typed)
    if get_origin(typed) is Literal:
        return Kind.CHOICE, tuple(map(str, get_args(typed)))
    return (Kind.LIST if get_origin(typed) is list else Kind.TEXT), ()


def _is_argument(model: type[BaseModel], field: FormField) -> bool:
    return bool(field_extra(model.model_fields[field.name]).get("positional"))


def _split(field: FormField, text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{field.spelling} cannot be split into words: {str(error).lower()}") from None
