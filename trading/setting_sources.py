"""Where settings come from: defaults < ``gridbot.toml`` < environment < command line, and a sentence for each mistake.

A variable is ``GRIDBOT_…`` with ``__`` between section and name; the command line has ``--set section.name=value``.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import get_origin

from platformdirs import user_data_path
from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource, SettingsError

from trading.errors import UsageError
from trading.settings import RiskProfile, Settings, setting_names, setting_sections

CONFIG_FILE = "gridbot.toml"

Tree = dict[str, object]
_LIMITS = {
    "exclusiveMinimum": "over",
    "minimum": "at least",
    "exclusiveMaximum": "under",
    "maximum": "at most",
}


def load_settings(
    overrides: Mapping[str, object] | Sequence[str] = (),
    *,
    symbol: str | None = None,
    capital: Decimal | float | str | None = None,
    risk: RiskProfile | str | None = None,
    path: Path | None = None,
) -> Settings:
    """Read the settings from every source: defaults < file < environment < the arguments.

    Parameters
    ----------
    overrides : mapping or sequence of str
        ``{"grid.spacing": 0.01}``, or texts such as ``"grid.spacing=0.01"`` as ``--set`` takes them.
    symbol, capital, risk : optional
        The three settings of a user; None leaves them to the other sources.
    path : Path, optional
        Configuration file; None reads ``gridbot.toml`` of the working directory where there is one.

    Returns
    -------
    Settings
        Validated and frozen.

    Raises
    ------
    UsageError
        When a name is unknown, a value is out of its range, or the file cannot be read; it names the source.
    """
    return settings_with_sources(overrides, symbol=symbol, capital=capital, risk=risk, path=path)[0]


def settings_with_sources(
    overrides: Mapping[str, object] | Sequence[str] = (),
    *,
    symbol: str | None = None,
    capital: Decimal | float | str | None = None,
    risk: RiskProfile | str | None = None,
    path: Path | None = None,
) -> tuple[Settings, dict[str, str]]:
    """Read the settings as `load_settings` does, and say where each value that is not a default comes from.

    Parameters
    ----------
    overrides, symbol, capital, risk, path
        As for `load_settings`.

    Returns
    -------
    settings : Settings
        Validated and frozen.
    sources : dict of str to str
        Dotted name to source, such as ``{"grid.spacing": "gridbot.toml, line 4"}``.

    Raises
    ------
    UsageError
        As for `load_settings`.
    """
    merged: Tree = {}
    sources: dict[str, str] = {}
    file = _config_file(path)
    if file is not None:
        text = _read_text(file)
        _merge(merged, sources, _parse_toml(file, text), lambda name: f"{file}, line {_line_of(name, text)}")
    _merge(merged, sources, _environment(), lambda name: f"environment {_variable(name)}")
    _merge(merged, sources, _override_tree(overrides), lambda name: f"--set {name}")
    user = {"symbol": symbol, "capital": capital, "risk": risk}
    given: Tree = {name: value for name, value in user.items() if value is not None}
    _merge(merged, sources, given, lambda name: f"--{name}")
    try:
        return Settings.model_validate(merged), sources
    except ValidationError as error:
        raise UsageError(_sentence(error, sources)) from None


def data_home(home: Path | None = None) -> Path:
    """Return the folder that holds the candle store, journals and runs; it need not exist yet.

    Parameters
    ----------
    home : Path, optional
        What ``--home`` says; None asks ``GRIDBOT_HOME``, then ``home`` in ``gridbot.toml``, then takes ``.gridbot`` of
        the checkout that this code runs from, else the platform's folder for user data.

    Returns
    -------
    Path
        Absolute.

    Raises
    ------
    UsageError
        When ``gridbot.toml`` cannot be read or its ``home`` is not a path.
    """
    chosen = home or os.environ.get("GRIDBOT_HOME") or _home_in_file()
    if chosen:
        return Path(chosen).expanduser().absolute()
    checkout = Path(__file__).resolve().parents[1]
    if (checkout / "pyproject.toml").is_file():
        return checkout / ".gridbot"
    return user_data_path("gridbot", appauthor=False)


def _home_in_file() -> str | None:
    file = _config_file(None)
    if file is None:
        return None
    text = _read_text(file)
    home = _parse_toml(file, text).get("home")
    if home is None or isinstance(home, str):
        return home
    raise UsageError(f"home in {file}, line {_line_of('home', text)} must be a path in quotes, not {home!r}")


def _config_file(path: Path | None) -> Path | None:
    if path is not None:
        return path
    local = Path(CONFIG_FILE)
    return local if local.is_file() else None


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read the settings in {file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not a text file in UTF-8 (byte {error.start}); save it as such") from None


def _parse_toml(file: Path, text: str) -> Tree:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        reason = str(error).partition(" (at ")[0]
        # The parser names no line when the text just ends: then the last line is at fault.
        line = where[1] if where else str(text.rstrip().count("\n") + 1)
        raise UsageError(f"{file}, line {line} is not valid TOML: {reason}; correct that line") from None


def _line_of(name: str, text: str) -> int:
    section, _, key = name.rpartition(".")
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
            current = header[1].replace(" ", "").replace('"', "")
            if current == name:
                return number
        else:
            wanted = key if current == section else name if not current else None
            if wanted and re.match(rf'\s*"?{re.escape(wanted)}"?\s*[.=]', line):
                return number
    # An inline table or dotted name: the line of what it is part of is the nearest answer.
    return _line_of(section, text) if section else 1


def _environment() -> Tree:
    try:
        return EnvSettingsSource(Settings)()
    except SettingsError as error:
        field = re.search(r'field "(\w+)"', str(error))
        name = _variable(field[1]) if field else "GRIDBOT_…"
        raise UsageError(f'environment {name} or a part of it is not valid JSON, such as ["a", 1]') from None


def _variable(name: str) -> str:
    return "GRIDBOT_" + name.upper().replace(".", "__")


def _override_tree(overrides: Mapping[str, object] | Sequence[str]) -> Tree:
    tree: Tree = {}
    pairs = overrides.items() if isinstance(overrides, Mapping) else [_split_pair(text) for text in overrides]
    for name, value in pairs:
        *folders, last = name.split(".")
        branch = tree
        for part in folders:
            below = branch.setdefault(part, {})
            if not isinstance(below, dict):
                raise UsageError(f"--set {name} goes into {part}, which another --set gives a plain value; keep one")
            branch = below
        branch[last] = value
    return tree


def _split_pair(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    name, value = name.strip(), value.strip()
    if not (equals and name):
        raise UsageError(f"--set {text!r} is not name=value, such as --set grid.spacing=0.01")
    if value.lower() in {"none", "null"}:
        return name, None
    if value[:1] in {"[", "{"}:
        try:
            return name, json.loads(value)
        except json.JSONDecodeError as error:
            raise UsageError(f"--set {name}: {value!r} is not valid JSON ({error.msg})") from None
    if name in _list_names():
        return name, [item.strip() for item in value.split(",") if item.strip()]
    return name, value


def _list_names() -> set[str]:
    return {
        f"{section}.{name}"
        for section, model in setting_sections().items()
        for name, field in model.model_fields.items()
        if get_origin(field.annotation) is tuple
    }


def _check_name(parts: Sequence[str], source: str) -> None:
    name = ".".join(parts)
    known = setting_names()
    open_ended = parts[:2] == ["signals", "weights"] and len(parts) == len(["signals", "weights", "agent"])
    if name in known or open_ended:
        return
    if name in setting_sections():
        example = next(other for other in known if other.startswith(f"{name}."))
        raise UsageError(f"{name} ({source}) is a section, not a value; name one of its settings, such as {example}")
    nearest = get_close_matches(name, known, n=1, cutoff=0.5) or _same_ending(parts[-1], known)
    hint = f"did you mean {nearest[0]}?" if nearest else "`gridbot config show` lists the names"
    raise UsageError(f"there is no setting {name} ({source}); {hint}")


def _same_ending(word: str, known: Sequence[str]) -> list[str]:
    endings = {name.rpartition(".")[2]: name for name in known}
    return [endings[match] for match in get_close_matches(word, endings, n=1)]


def _merge(merged: Tree, sources: dict[str, str], tree: Tree, describe: Callable[[str], str], prefix: str = "") -> None:
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            below = merged.setdefault(key, {})
            if isinstance(below, dict):
                _merge(below, sources, value, describe, f"{name}.")
                continue
        _check_name(name.split("."), describe(name))
        merged[key] = value
        sources[name] = describe(name)


def _sentence(error: ValidationError, sources: Mapping[str, str]) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    setting = next((known for known in (name, name.rpartition(".")[0]) if known in sources), name)
    reason = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    shown = repr(first["input"])[:80]
    allowed = _allowed(setting)
    return f"{setting} cannot be {shown} ({sources.get(setting, 'settings')}): it {reason}{allowed}"


def _allowed(name: str) -> str:
    section, _, key = name.rpartition(".")
    model = setting_sections().get(section) if section else Settings
    field = model.model_fields.get(key) if model else None
    if model is None or field is None:
        return ""
    schema = model.model_json_schema()["properties"][key]
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") in {"number", "integer"}]
    bounds = " and ".join(
        f"{word} {kind[limit]:g}" for kind in kinds for limit, word in _LIMITS.items() if limit in kind
    )
    meaning = f"; it means: {field.description}" if field.description else ""
    return (f"; allowed: {bounds}" if bounds else "") + meaning
