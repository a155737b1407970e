"""The configuration commands: ``config automation``, ``config set`` and ``config explain`` for both wings."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import get_origin

from pydantic import TypeAdapter, create_model
from pydantic.fields import FieldInfo

from automation.config import (
    CONFIG_NAME,
    CONFIG_VARIABLE,
    automation_field,
    automation_setting_names,
    automation_value,
    config_file,
    config_of,
    config_with_sources,
    read_config_tree,
)
from automation.config_requests import AutomationConfigRequest, ExplainConfigRequest, SetConfigRequest
from automation.config_results import ConfigSet, Explanation, ShownConfig, ShownSetting
from automation.config_sections import AutomationConfig
from automation.errors import ConfigInvalid
from trading.commands import Progress
from trading.setting_sources import CONFIG_FILE, settings_with_sources
from trading.settings import Settings, setting_names, setting_sections

_BOUNDS = {"exclusiveMinimum": "over", "minimum": "at least", "exclusiveMaximum": "under", "maximum": "at most"}


_ANY: TypeAdapter[object] = TypeAdapter(object)


def show_automation_config(request: AutomationConfigRequest) -> Generator[Progress, None, ShownConfig]:
    """Show every setting of the maintenance wing: its value, where it comes from and what it means."""
    yield Progress("reading the configuration")
    config, sources = config_with_sources(request.config)
    file = config_file(request.config)
    rows = tuple(
        ShownSetting(
            name,
            automation_value(config, name),
            _short_source(sources.get(name, "default")),
            automation_field(name).description or "",
        )
        for name in automation_setting_names()
    )
    return ShownConfig(None if file is None else str(file), rows)


def set_config(request: SetConfigRequest) -> Generator[Progress, None, ConfigSet]:
    """Write one value into the configuration file, after validating the whole."""
    if request.name in setting_names():
        raise ConfigInvalid(
            f"{request.name} is a setting of the trading wing: put it into {CONFIG_FILE}, the environment or --set"
        )
    field = automation_field(request.name)
    file = config_file(request.config)
    if file is None:
        raise ConfigInvalid(f"there is no {CONFIG_NAME} to write to; name one with --config or {CONFIG_VARIABLE}")
    yield Progress(f"writing {file.name}")
    tree = read_config_tree(file) if file.is_file() else AutomationConfig().model_dump(mode="json")
    before = automation_value(config_of(tree, str(file)), request.name)
    changed = _with_value(tree, request.name, _parsed(request.value, field))
    after = automation_value(config_of(changed, f"config set {request.name}"), request.name)
    if before != after:
        # What validation made of it, not what was typed: `8` of a number with a fraction is written as 8.0.
        _replace(file, _with_value(tree, request.name, after))
    return ConfigSet(request.name, before, after, str(file))


def explain_config(request: ExplainConfigRequest) -> Generator[Progress, None, Explanation]:
    """Say all there is to know of one setting, of either wing."""
    yield Progress("reading the configuration")
    if request.name in setting_names():
        return _explain_trading(request.name)
    field = automation_field(request.name)
    config, sources = config_with_sources(request.config)
    return Explanation(
        request.name,
        "automation",
        field.description or "",
        _kind(field),
        _allowed(field),
        automation_value(AutomationConfig(), request.name),
        automation_value(config, request.name),
        sources.get(request.name, "default"),
        f"gridbot config set {request.name} VALUE",
    )


def _explain_trading(name: str) -> Explanation:
    settings, sources = settings_with_sources()
    section, _, key = name.rpartition(".")
    model = setting_sections()[section] if section else Settings
    field = model.model_fields[key]
    holder = getattr(settings, section) if section else settings
    variable = "GRIDBOT_" + name.upper().replace(".", "__")
    return Explanation(
        name,
        "trading",
        field.description or "",
        _kind(field),
        _allowed(field),
        _ANY.dump_python(field.get_default(call_default_factory=True, validated_data={}), mode="json"),
        _ANY.dump_python(getattr(holder, key), mode="json"),
        sources.get(name, "default"),
        f"{CONFIG_FILE}, the environment ({variable}) or --set {name}=VALUE",
    )


def _kind(field: FieldInfo) -> str:
    kinds = [str(kind.get("type", "choice")) for kind in _schemas(field)]
    return " or ".join(dict.fromkeys("none" if kind == "null" else kind for kind in kinds))


def _allowed(field: FieldInfo) -> str:
    parts = []
    for schema in _schemas(field):
        choices = schema.get("enum")
        if isinstance(choices, list):
            parts.append(", ".join(map(str, choices)))
        parts += [f"{word} {schema[bound]:g}" for bound, word in _BOUNDS.items() if bound in schema]
    return " and ".join(parts)


def _schemas(field: FieldInfo) -> list[Mapping[str, object]]:
    holder = create_model("Holder", value=(field.annotation or object, field))
    schema = holder.model_json_schema()
    value = schema["properties"]["value"]
    definitions = schema.get("$defs", {})
    kinds = value.get("anyOf") or value.get("allOf") or [value]
    return [definitions.get(str(kind.get("$ref", "")).rpartition("/")[2], kind) for kind in kinds]


def _parsed(value: str, field: FieldInfo) -> object:
    if get_origin(field.annotation) is tuple and not value.lstrip().startswith("["):
        return [_plain_value(item.strip()) for item in value.split(",") if item.strip()]
    return value if field.annotation is str else _plain_value(value)


def _plain_value(value: str) -> object:
    words = {"none": "null", "yes": "true", "no": "false", "on": "true", "off": "false"}
    try:
        return json.loads(words.get(value.lower(), value))
    except json.JSONDecodeError:
        return value


def _with_value(tree: Mapping[str, object], name: str, value: object) -> dict[str, object]:
    key, _, rest = name.partition(".")
    if not rest:
        return {**tree, key: value}
    below = tree.get(key, {})
    return {**tree, key: _with_value(below if isinstance(below, Mapping) else {}, rest, value)}


def _replace(file: Path, tree: Mapping[str, object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8", newline="\n") as out:
            out.write(json.dumps(tree, indent=2, ensure_ascii=False) + "\n")
            out.flush()
            os.fsync(out.fileno())
        if file.exists():
            draft.chmod(file.stat().st_mode)
        draft.replace(file)
    except OSError as error:
        raise ConfigInvalid(f"cannot write {file}: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


def _short_source(source: str) -> str:
    return Path(source).name if source.endswith(".json") else source
