"""What may be set of the maintenance wing: ``automation_config.json``, validated, with a sentence for each mistake.

The file is GridBot's own. A repository under repair has no say in it: its budget, its sandbox and the paths whose
changes a person must approve are not for the patient to choose.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from automation.config_sections import AutomationConfig
from automation.errors import ConfigInvalid

CONFIG_NAME = "automation_config.json"
CONFIG_VARIABLE = "GRIDBOT_AUTOMATION_CONFIG"
OLLAMA_VARIABLE = "OLLAMA_HOST"


def load_automation_config(path: Path | None = None) -> AutomationConfig:
    """Read the configuration.

    Parameters
    ----------
    path : Path, optional
        What ``--config`` says; None asks ``GRIDBOT_AUTOMATION_CONFIG``, then the file at the top of the checkout that
        this code runs from; where there is none, the defaults hold.

    Returns
    -------
    AutomationConfig
        Validated and frozen.

    Raises
    ------
    ConfigInvalid
        When the file cannot be read, holds an unknown name, or a value out of range.
    """
    return config_with_sources(path)[0]


def config_with_sources(path: Path | None = None) -> tuple[AutomationConfig, dict[str, str]]:
    """Read the configuration as `load_automation_config` does, and say where each value that is set comes from.

    Parameters
    ----------
    path : Path, optional
        As for `load_automation_config`.

    Returns
    -------
    config : AutomationConfig
        Validated and frozen.
    sources : dict of str to str
        Dotted name to source; names that are not in it have their default.

    Raises
    ------
    ConfigInvalid
        As for `load_automation_config`.
    """
    file = config_file(path)
    tree: dict[str, object] = {} if file is None else read_config_tree(file)
    config = config_of(tree, "" if file is None else str(file))
    sources = {name: str(file) for name in _leaves(tree)}
    host = os.environ.get(OLLAMA_VARIABLE, "").strip()
    if host:
        models = config.models.model_copy(update={"ollama_url": host})
        config = config.model_copy(update={"models": models})
        sources["models.ollama_url"] = f"environment {OLLAMA_VARIABLE}"
    return config, sources


def config_file(path: Path | None = None) -> Path | None:
    """Return the file that holds the configuration, or None where there is none.

    Parameters
    ----------
    path : Path, optional
        As for `load_automation_config`.
    """
    stated = path or os.environ.get(CONFIG_VARIABLE)
    if stated:
        return Path(stated).expanduser()
    own = Path(__file__).resolve().parents[1] / CONFIG_NAME
    return own if own.is_file() else None


def read_config_tree(file: Path) -> dict[str, object]:
    """Return what a configuration file holds, not yet validated.

    Raises
    ------
    ConfigInvalid
        When it cannot be read or is not one JSON object.
    """
    try:
        tree = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigInvalid(f"cannot read the configuration in {file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigInvalid(f"{file} is not a text file in UTF-8 (byte {error.start}); save it as such") from None
    except json.JSONDecodeError as error:
        raise ConfigInvalid(f"{file}, line {error.lineno} is not valid JSON: {error.msg}; correct that line") from None
    if not isinstance(tree, dict):
        raise ConfigInvalid(f"{file} holds no JSON object; it must begin with {{ and end with }}")
    return tree


def config_of(tree: Mapping[str, object], source: str = "") -> AutomationConfig:
    """Validate a tree of settings.

    Parameters
    ----------
    tree : mapping
        Sections and values as in the file; what is missing takes its default, inside a role too.
    source : str
        Where it comes from, for the error.

    Raises
    ------
    ConfigInvalid
        One sentence that names the setting, and the closest name when there is none of that name.
    """
    defaults = AutomationConfig().model_dump(mode="json")
    try:
        return AutomationConfig.model_validate(_overlay(defaults, tree))
    except ValidationError as error:
        raise ConfigInvalid(_sentence(error, source)) from None


def automation_setting_names() -> tuple[str, ...]:
    """Return the dotted names of all values that may be set, in the order of the file."""
    return tuple(_leaves(AutomationConfig().model_dump(mode="json")))


def automation_field(name: str) -> FieldInfo:
    """Return the field that defines a setting.

    Parameters
    ----------
    name : str
        Dotted, such as ``models.roles.debugger.temperature``.

    Raises
    ------
    ConfigInvalid
        When there is no such setting; it names the closest one.
    """
    model: type[BaseModel] = AutomationConfig
    *sections, last = name.split(".")
    for section in sections:
        field = model.model_fields.get(section)
        inner = None if field is None else field.annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            raise ConfigInvalid(_unknown(name, ""))
        model = inner
    field = model.model_fields.get(last)
    if field is None or name not in automation_setting_names():
        raise ConfigInvalid(_unknown(name, ""))
    return field


def automation_value(config: AutomationConfig, name: str) -> object:
    """Return a setting's value as plain JSON data; an unknown name raises ConfigInvalid."""
    automation_field(name)
    value: object = config.model_dump(mode="json")
    for part in name.split("."):
        value = value[part] if isinstance(value, dict) else None
    return value


def _leaves(tree: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _overlay(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        both = isinstance(under, Mapping) and isinstance(value, Mapping)
        merged[key] = _overlay(under, value) if both else value  # type: ignore[arg-type]
    return merged


def _sentence(error: ValidationError, source: str) -> str:
    errors = error.errors()
    # A name that does not exist explains more than the value that misses because of it.
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return _unknown(name, source)
    reason = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    where = f" ({source})" if source else ""
    known = next((one for one in (name, name.rpartition(".")[0]) if one in automation_setting_names()), None)
    meaning = f"; it means: {automation_field(known).description}" if known else ""
    return f"{name} cannot be {str(first['input'])[:80]!r}{where}: it {reason}{meaning}"


def _unknown(name: str, source: str) -> str:
    names = automation_setting_names()
    sections = {".".join(name.split(".")[:depth]) for name in names for depth in range(1, name.count(".") + 1)}
    where = f" ({source})" if source else ""
    if name in sections:
        return f"{name}{where} is a section, not a value; `gridbot config automation` lists its settings"
    nearest = get_close_matches(name, [*names, *sorted(sections)], n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]}?" if nearest else "`gridbot config automation` lists the names"
    return f"there is no setting {name}{where}; {hint}"
