"""The parts of the documentation that are made from the code."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_origin

from pydantic import BaseModel

from automation.codebase.guard_rules import paths
from automation.config_sections import ROLES, AutomationConfig, RoleConfig
from automation.interfaces.vscode.catalogue import NAMED_TASKS
from automation.pipeline.graph import build_graph
from automation.registry import gridbot_registry
from automation.repair.templates.families import FAMILIES
from tests.doc_pages import GUIDE, MAINTENANCE, README, SETTINGS, VSCODE
from trading.profiles import PROFILES, ProfileDefaults
from trading.settings import Section, Settings

_PLURALS = {"number": "numbers", "integer": "whole numbers"}


def command_table() -> str:
    rows = [f"| `gridbot {command.name}` | {command.summary} |\n" for command in gridbot_registry()]
    return "".join(["| command | what it does |\n", "|---|---|\n", *rows])


def shortcut_table() -> str:
    rows = [
        f"| {'+'.join(part.capitalize() for part in task.key.split('+'))} | {task.label} "
        f"| `gridbot {' '.join(task.words)}` |\n"
        for task in NAMED_TASKS
        if task.key
    ]
    return "".join(["| shortcut | task | command line |\n", "|---|---|---|\n", *rows])


def profile_table() -> str:
    meanings = {
        "max_drawdown": "fall from the equity peak that halts trading",
        "min_confidence": "least confidence of a signal that acts",
        "base_trail": "trail distance without signals",
        "daily_loss": "loss within a UTC day that halts trading until the next",
        "max_exposure": "greatest share of equity in all symbols",
        "stop_loss": "fall from a level's buy price that sells it, before `limits.early_stop`",
        "take_profit": "rise from a level's buy price that sells it",
        "buy_levels": "level pairs below the centre",
        "sell_levels": "level pairs above the centre",
    }
    names = [field.name for field in dataclasses.fields(ProfileDefaults)]
    assert set(meanings) == set(names)
    head = f"| value | {' | '.join(risk.value for risk in PROFILES)} | meaning |\n"
    rows = [
        f"| `{name}` | {' | '.join(f'{getattr(profile, name):g}' for profile in PROFILES.values())} "
        f"| {meanings[name]} |\n"
        for name in names
    ]
    return "".join([head, "|---|" + "---:|" * len(PROFILES) + "---|\n", *rows])


def settings_table() -> str:
    text = "".join(_setting_row(name, Settings, name) for name in _plain_fields(Settings))
    parts = [_setting_head("General"), text]
    for section, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, Section):
            summary = (model.__doc__ or "").strip()
            parts += [f"\n## {section}\n\n{summary}\n\n", _setting_head(None)]
            parts += [_setting_row(f"{section}.{name}", model, name) for name in model.model_fields]
    return "".join(parts)


def _plain_fields(model: type[BaseModel]) -> list[str]:
    kinds = {name: field.annotation for name, field in model.model_fields.items()}
    return [name for name, kind in kinds.items() if not (isinstance(kind, type) and issubclass(kind, Section))]


def _setting_head(title: str | None) -> str:
    heading = f"## {title}\n\n" if title else ""
    return f"{heading}| setting | default | allowed | meaning |\n|---|---|---|---|\n"


def _setting_row(dotted: str, model: type[BaseModel], name: str) -> str:
    field = model.model_fields[name]
    return f"| `{dotted}` | {_default(dotted, field.default)} | {_allowed(model, name)} | {field.description} |\n"


def _default(dotted: str, value: object) -> str:
    if value is None:
        profile = {*ProfileDefaults.__dataclass_fields__}
        of_profile = dotted == "trail.base" or dotted.rpartition(".")[2] in profile
        return "by risk profile" if of_profile else "found at run time"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value == {} else str(value)


def _allowed(model: type[BaseModel], name: str) -> str:
    schema = model.model_json_schema()["properties"][name]
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    return _kind(kinds[0], model.model_fields[name].annotation)


def _kind(schema: Mapping[str, object], annotation: object) -> str:
    words = schema.get("enum")
    if isinstance(words, list):
        return " or ".join(f"`{word}`" for word in words)
    if "$ref" in schema:
        return " or ".join(f"`{risk.value}`" for risk in PROFILES)
    if get_origin(annotation) is tuple or schema.get("type") == "array":
        items = schema.get("items")
        kind = str(items.get("type")) if isinstance(items, Mapping) else "string"
        return f"list of {_PLURALS.get(kind, 'texts')}"
    names = {"integer": "whole number", "number": "number", "boolean": "`true` or `false`", "object": "name to number"}
    limits = {"exclusiveMinimum": "over", "minimum": "from", "exclusiveMaximum": "under", "maximum": "to"}
    bounds = [f"{word} {schema[limit]:g}" for limit, word in limits.items() if limit in schema]
    return " ".join([names.get(str(schema.get("type")), "text"), *bounds])


def pipeline_graph() -> str:
    return f"```mermaid\n{build_graph().get_graph().draw_mermaid().strip()}\n```\n"


def template_table() -> str:
    rows = [f"| `{family.name}` | {family.description} | {family.prior:.2f} |\n" for family in FAMILIES]
    return "".join(["| family | edit | prior |\n", "|---|---|---:|\n", *rows])


def protected_table() -> str:
    kinds = {
        "tests and their data": paths.TESTS,
        "configuration": paths.CONFIGURATION,
        "CI": paths.CONTINUOUS_INTEGRATION,
        "GridBot's guard": paths.GUARD,
    }
    assert {pattern for patterns in kinds.values() for pattern in patterns} == {
        *paths.GuardPolicy().tests,
        *paths.GuardPolicy().protected,
    }
    rows = [f"| {kind} | {_quoted(patterns)} |\n" for kind, patterns in kinds.items()]
    return "".join(["| protected | patterns |\n", "|---|---|\n", *rows])


def configuration_tables() -> str:
    """Return a table for each section of the maintenance wing's configuration; the roles stand side by side."""
    parts = [_role_table()]
    for section, field in AutomationConfig.model_fields.items():
        model = field.annotation
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        names = [name for name, inner in model.model_fields.items() if not _is_section(inner.annotation)]
        parts += [f"\n**{section}**: {(model.__doc__ or '').strip()}\n\n", _setting_head(None)]
        parts += [_configuration_row(f"{section}.{name}", model, name) for name in names]
    return "".join(parts)


def _is_section(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _role_table() -> str:
    config = AutomationConfig()
    head = f"**models.roles**: Who does what.\n\n| setting | {' | '.join(ROLES)} | allowed | meaning |\n"
    rows = []
    for name, field in RoleConfig.model_fields.items():
        values = [_default(name, getattr(config.role(role), name)) for role in ROLES]
        allowed = _allowed(RoleConfig, name)
        row = f"| `models.roles.ROLE.{name}` | {' | '.join(values)} | {allowed} | {field.description} |\n"
        rows.append(row)
    return "".join([head, "|---|" + "---|" * len(ROLES) + "---|---|\n", *rows])


def _configuration_row(dotted: str, model: type[BaseModel], name: str) -> str:
    field = model.model_fields[name]
    default = "null" if field.default is None else _default(dotted, field.default)
    return f"| `{dotted}` | {default} | {_allowed(model, name)} | {field.description} |\n"


def _quoted(words: tuple[str, ...]) -> str:
    return " ".join(f"`{word}`" for word in words)


def generated() -> Iterator[tuple[Path, str, str]]:
    """Yield page, name and text of every generated part."""
    yield README, "commands", command_table()
    yield VSCODE, "shortcuts", shortcut_table()
    yield GUIDE, "profiles", profile_table()
    yield SETTINGS, "settings", settings_table()
    yield MAINTENANCE, "pipeline-graph", pipeline_graph()
    yield MAINTENANCE, "templates", template_table()
    yield MAINTENANCE, "protected", protected_table()
    yield MAINTENANCE, "configuration", configuration_tables()
