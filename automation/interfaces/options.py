"""Command-line options from a pydantic request model."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from rich.markup import escape

from automation.requests import field_extra, option_name

_WORDS = {int: "INTEGER", float: "NUMBER", Decimal: "NUMBER", datetime: "TIME", date: "DATE"}
_COLLECTIONS = (list, tuple, set, frozenset)


def option_signature(model: type[BaseModel], reserved: Iterable[str] = ()) -> Callable[..., None]:
    """Return a function whose signature tells Typer the options of a request model.

    Parameters
    ----------
    model : type of BaseModel
        The input of a command. A field with ``json_schema_extra={"positional": True}`` becomes an argument, a list
        may be repeated, a bool is a flag, an enum or Literal a choice; the rest are words that pydantic reads.
    reserved : iterable of str
        Field names that other options already stand for.

    Returns
    -------
    callable
        Does nothing when called; every parameter defaults to None, which `build_request` reads as "not given".
    """
    skipped = set(reserved)
    fields = [(name, field) for name, field in model.model_fields.items() if name not in skipped]
    parameters = [_parameter(name, field) for name, field in fields]

    def options(**_: object) -> None:
        return None

    options.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return options


def _parameter(name: str, field: FieldInfo) -> Parameter:
    inner = _without_none(field.annotation)
    typed = _typer_type(inner)
    word = _metavar(field, inner)
    shown = _shown_default(field)
    text = escape(" ".join(part for part in (field.description or "", f"[{shown}]" if shown else "") if part))
    required = field.is_required()
    info: object
    if field_extra(field).get("positional"):
        info = typer.Argument(metavar=word or option_name(name, field), help=text, show_default=False)
    else:
        spelling = option_name(name, field)
        if inner is bool and (field.default is True or field.default is None):
            spelling = f"{spelling}/--no-{spelling[2:]}"
        info = typer.Option(spelling, metavar=word, help=text, show_default=False)
    optional = typed if required else Union[typed, None]  # noqa: UP007 - the type is only known at run time
    return Parameter(
        name,
        Parameter.KEYWORD_ONLY,
        default=Parameter.empty if required else None,
        annotation=Annotated[optional, info],
    )


def _without_none(annotation: object) -> object:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in {Union, types.UnionType}:
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return _without_none(kinds[0]) if len(kinds) == 1 else str
    return annotation


def _typer_type(inner: object) -> object:
    if get_origin(inner) in _COLLECTIONS:
        return list[_typer_type(_without_none(get_args(inner)[0]))]  # type: ignore[misc]
    if inner is bool or inner is Path or get_origin(inner) is Literal or _is_enum(inner):
        return inner
    return str


def _is_enum(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _metavar(field: FieldInfo, inner: object) -> str | None:
    stated = field_extra(field).get("metavar")
    if isinstance(stated, str):
        return stated
    if get_origin(inner) in _COLLECTIONS:
        inner = _without_none(get_args(inner)[0])
    if inner is bool or get_origin(inner) is Literal or _is_enum(inner) or field_extra(field).get("positional"):
        return None
    if inner is Path:
        return "PATH"
    return _WORDS.get(inner, "TEXT") if isinstance(inner, type) else "TEXT"


def _shown_default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is None or default is False or default in ("", [], ()):
        return ""
    if default is True:
        return "yes"
    if isinstance(default, _COLLECTIONS):
        return ", ".join(str(item) for item in default)
    return str(default.value if isinstance(default, Enum) else default)
