"""Schemas of tools, derived from the pydantic models of their requests."""

from __future__ import annotations

import json
from collections.abc import Mapping

from mcp.types import ToolAnnotations
from pydantic import BaseModel

from trading.commands import Command, Risk

# The server has its own data home, approval is a person's, and no key belongs into a program's hands.
WITHHELD = frozenset({"home", "approve", "key", "secret"})

_OPENERS = {list: "[", dict: "{"}

COMMAND_OUTPUT: Mapping[str, object] = {
    "type": "object",
    "properties": {
        "command": {"type": "string", "description": "the same as a command line"},
        "exit_code": {
            "type": "integer",
            "description": "0 done, 1 failed or not fixed, 2 usage, 3 bad data or refused, 4 halted, 5 awaiting "
            "approval, 6 nothing to do, 130 interrupted",
        },
        "result": {"type": ["object", "null"], "description": "what `--json` prints"},
        "error": {"type": ["object", "null"], "description": "type, code and message in one sentence"},
    },
    "required": ["command", "exit_code", "result", "error"],
}
ANY_OUTPUT: Mapping[str, object] = {"type": "object"}


def tool_name(command: Command) -> str:
    """Return what a command is called as a tool: ``data check`` is ``data_check``."""
    return command.name.replace(" ", "_").replace("-", "_")


def tool_description(command: Command) -> str:
    """Return a command's summary, with what a person would say to mean it."""
    if not command.phrases:
        return command.summary
    said = "; ".join(f"“{phrase}”" for phrase in command.phrases)
    return f"{command.summary} Said as: {said}."


def input_schema(model: type[BaseModel]) -> dict[str, object]:
    """Return the JSON schema of a request's fields, by their names, without those withheld from programs."""
    schema: dict[str, object] = model.model_json_schema(by_alias=False)
    properties = dict(_mapping(schema.get("properties")))
    for name in WITHHELD & properties.keys():
        del properties[name]
    told = {name: _plain(_mapping(field)) for name, field in properties.items()}
    kept: dict[str, object] = {"type": "object", "properties": told, "additionalProperties": False}
    wanted = schema.get("required")
    if isinstance(wanted, list):
        kept["required"] = [name for name in wanted if name in told]
    if "$defs" in schema:
        kept["$defs"] = schema["$defs"]
    return kept


def given_values(model: type[BaseModel], arguments: Mapping[str, object]) -> dict[str, object]:
    """Return a client's arguments by field name, with lists and objects that came as a text of JSON read.

    Some clients send every value as text; what the field then makes of it is the model's affair.
    """
    values: dict[str, object] = {}
    properties = _mapping(input_schema(model)["properties"])
    for name, value in arguments.items():
        kinds = _kinds(_mapping(properties.get(name)))
        values[name] = value
        for kind, opener in _OPENERS.items():
            word = "array" if kind is list else "object"
            if isinstance(value, str) and word in kinds and "string" not in kinds:
                values[name] = _read(value, kind) if value.lstrip().startswith(opener) else [value]
    return values


def annotations_of(command: Command) -> ToolAnnotations:
    """Return what a client may show of a command's risk."""
    reads = command.risk is Risk.READ and not command.destructive
    dangerous = command.destructive or command.risk in {Risk.TRADE, Risk.MONEY}
    return ToolAnnotations(title=command.name, read_only_hint=reads, destructive_hint=dangerous)


def _plain(field: Mapping[str, object]) -> dict[str, object]:
    # "title" repeats the name, and the keys of other faces mean nothing to a program
    return {key: value for key, value in field.items() if key not in {"title", "positional", "kind", "metavar"}}


def _kinds(field: Mapping[str, object]) -> set[str]:
    options = field.get("anyOf")
    every = [field, *(_mapping(each) for each in options)] if isinstance(options, list) else [field]
    return {str(each["type"]) for each in every if "type" in each}


def _read(text: str, kind: type) -> object:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, kind) else text


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
