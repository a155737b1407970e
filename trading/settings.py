"""What a user may set: three settings are enough, every derived value can be pinned.

Order of precedence in `load_settings`: defaults < ``gridbot.toml`` < environment (``GRIDBOT_…``, ``__`` between section
and name) < command line (``--set section.name=value``). ``Settings(...)`` itself reads nothing but its arguments. A
value of None is derived: from the risk profile, or from the market's own candles.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, get_origin

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from trading.errors import UsageError

CONFIG_FILE = "gridbot.toml"

Share = Annotated[float, Field(gt=0, le=1)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=0)]


class RiskProfile(StrEnum):
    """The user's risk tolerance."""

    CONSERVATIVE = "conservative"
    MODERATE = "moderate"
    AGGRESSIVE = "aggressive"


class Section(BaseModel):
    """A section of settings: frozen, and an unknown name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MarketSettings(Section):
    """The market's rules; what is not pinned comes from a symbol table, else from the warm-up candles."""

    tick_size: Annotated[Decimal, Field(gt=0)] | None = Field(None, description="smallest price step, quote currency")
    lot_size: Annotated[Decimal, Field(gt=0)] | None = Field(None, description="smallest quantity step, base currency")
    min_notional: Annotated[Decimal, Field(ge=0)] | None = Field(
        None, description="smallest order value, quote currency"
    )
    maker_fee: Fraction | None = Field(None, description="fee of a resting order, share of its value")
    taker_fee: Fraction | None = Field(None, description="fee of an order that takes, share of its value")
    fee_in_base: bool | None = Field(None, description="a buy's fee is taken from the bought quantity")
    spread: Fraction = Field(0.0002, description="assumed bid-ask spread, share of the price")


class GridSettings(Section):
    """Where the levels stand."""

    buy_levels: Annotated[int, Field(ge=1, le=64)] | None = Field(None, description="level pairs below the centre")
    sell_levels: Annotated[int, Field(ge=0, le=64)] | None = Field(None, description="level pairs above the centre")
    spacing: Annotated[float, Field(gt=0, le=0.5)] | None = Field(
        None, description="distance between levels, share of the price; derived: 30% of the average swing, 0.5% to 5%"
    )
    swing_share: Share = Field(0.3, description="share of the average swing that a derived spacing takes")
    min_spacing: Fraction = Field(0.005, description="least derived spacing")
    max_spacing: Fraction = Field(0.05, description="greatest derived spacing")
    activation: Share = Field(0.05, description="a level works only when the price is this near, share of the price")
    order_style: Literal["trailing", "limit"] = Field("trailing", description="what a level does while agents say hold")
    recentre_margin: Fraction = Field(0.005, description="how far beyond the outer level a close must be to recentre")
    recentre_confirm: Annotated[int, Field(ge=1)] = Field(3, description="consecutive closes beyond before recentring")
    regime_confirm: Count = Field(30, description="candles that a new trend must last to recentre; 0 never")
    entry_drop: Fraction = Field(0.02, description="fall from the session's first price that starts the grid")
    entry_confidence: Share = Field(0.7, description="confidence of a buy signal that starts the grid")
    entry_levels: Count = Field(2, description="sell levels that are stocked by a first buy when the grid starts")


class TrailSettings(Section):
    """How far a trailing order follows."""

    base: Fraction | None = Field(None, description="trail distance without signals; from the risk profile")
    buy_cap: Fraction = Field(0.0, description="how far over its level a buy may fill, share of the spacing")
    sell_margin: Fraction = Field(0.9, description="share of the spacing net of fees that a sell must lock in")
    cluster_window: Fraction = Field(0.003, description="a trigger this near to a round number or swing is moved")
    cluster_shift: Fraction = Field(0.005, description="how far it is moved")


class SizeSettings(Section):
    """How much an order buys."""

    order_share: Share = Field(0.05, description="share of capital in one order, times confidence")
    hold_confidence: Share = Field(0.6, description="confidence that an order is sized with while agents say hold")
    kelly_min_trades: Count = Field(30, description="own trades before half-Kelly caps the size")
    kelly_multiple: Share = Field(0.5, description="multiple of the Kelly fraction")
    kelly_floor: Share = Field(0.25, description="least share of the normal size that Kelly leaves")
    kelly_decay: Annotated[float, Field(gt=0.5, lt=1)] = Field(0.98, description="weight of history per trade")


class RiskSettings(Section):
    """What is refused, and when trading stops."""

    min_confidence: Fraction | None = Field(
        None, description="least confidence of a signal that acts; from the profile"
    )
    max_drawdown: Share | None = Field(None, description="fall from the equity peak that halts; from the profile")
    daily_loss: Share | None = Field(
        None, description="loss within a UTC day that halts until the next; from the profile"
    )
    max_position: Share = Field(0.25, description="greatest share of equity in one symbol")
    max_exposure: Share | None = Field(None, description="greatest share of equity in all symbols; from the profile")
    max_open_levels: Count | None = Field(None, description="levels that hold or work at once; derived from exposure")
    stop_loss: Fraction | None = Field(None, description="fall from a level's buy price that sells it; 0 never")
    take_profit: Fraction | None = Field(None, description="rise over a level's buy price that sells it; 0 never")
    early_stop: Share = Field(0.8, description="share of the stop distance at which the stop already sells")
    flatten_on_halt: bool = Field(False, description="sell everything when the drawdown halts trading")
    cooldown_candles: Count = Field(0, description="candles until a drawdown halt resumes; 0 waits for a person")


class OrderSettings(Section):
    """How orders are placed and how long they live."""

    market_spread: Fraction = Field(0.002, description="a triggered order takes the market only under this spread")
    improvement: Fraction = Field(
        0.001, description="price move that re-prices a triggered order which the spread keeps from taking"
    )
    cancel_rest_at: Fraction = Field(
        0.8, description="filled share of a buy after which its rest is cancelled; 0 keeps it"
    )
    lifetime_candles: Count = Field(
        240, description="candles after which a triggered order that rests is cancelled; 0 never"
    )
    retry_candles: Annotated[int, Field(ge=1)] = Field(
        15, description="candles between tries of a level that could not be placed"
    )
    blackouts: tuple[str, ...] = Field((), description="UTC periods without new orders, such as 13:25-13:40")


class FillSettings(Section):
    """How a backtest's exchange fills orders."""

    rule: Literal["penetration", "touch"] = Field(
        "penetration", description="price must trade through a limit, or only reach it"
    )
    volume_share: Annotated[float, Field(ge=0, le=1)] = Field(
        0.1, description="share of a candle's volume that may be ours; 0 unlimited"
    )
    slippage: Fraction = Field(
        0.0002, description="what a taking order loses beyond half the spread, share of the price"
    )
    latency_candles: Annotated[int, Field(ge=0, le=1)] = Field(0, description="candles between decision and exchange")


class SignalSettings(Section):
    """Which agents vote, and with what weight."""

    agents: tuple[str, ...] = Field(
        ("volatility", "momentum", "volume_profile", "market_structure", "regime"), description="agents by name"
    )
    weights: dict[str, Annotated[float, Field(ge=0)]] = Field(
        {}, description="starting weight by agent; 1 unless named"
    )
    adapt: bool = Field(True, description="weights follow each agent's recent hit rate")
    warmup_candles: Annotated[int, Field(ge=50)] = Field(300, description="candles seen before the first order")


class Settings(BaseSettings):
    """Everything that can be set; symbol, capital and risk are enough."""

    model_config = SettingsConfigDict(env_prefix="GRIDBOT_", env_nested_delimiter="__", extra="forbid", frozen=True)

    symbol: str | None = Field(None, description="BASE/QUOTE")
    capital: Annotated[Decimal, Field(gt=0)] = Field(Decimal(10_000), description="quote currency")
    risk: RiskProfile = Field(RiskProfile.MODERATE, description="conservative, moderate or aggressive")
    home: Path | None = Field(None, description="data folder; else the checkout's .gridbot or the user's data folder")
    market: MarketSettings = MarketSettings()
    grid: GridSettings = GridSettings()
    trail: TrailSettings = TrailSettings()
    size: SizeSettings = SizeSettings()
    limits: RiskSettings = RiskSettings()
    orders: OrderSettings = OrderSettings()
    fills: FillSettings = FillSettings()
    signals: SignalSettings = SignalSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take arguments only, so that the same call means the same everywhere; see `load_settings`."""
        return (init_settings,)


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


def setting_names() -> tuple[str, ...]:
    """Return the dotted name of every setting, such as ``"capital"`` and ``"grid.spacing"``."""
    return tuple(_names(Settings, ""))


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
        for section, model in _sections().items()
        for name, field in model.model_fields.items()
        if get_origin(field.annotation) is tuple
    }


def _sections() -> dict[str, type[Section]]:
    return {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
    }


def _names(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            yield from _names(inner, f"{prefix}{name}.")
        else:
            yield prefix + name


def _check_name(parts: Sequence[str], source: str) -> None:
    name = ".".join(parts)
    known = setting_names()
    open_ended = parts[:2] == ["signals", "weights"] and len(parts) == len(["signals", "weights", "agent"])
    if name in known or open_ended:
        return
    if name in _sections():
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
    allowed = _allowed(setting)
    return f"{setting} cannot be {first['input']!r} ({sources.get(setting, 'settings')}): it {reason}{allowed}"


def _allowed(name: str) -> str:
    section, _, key = name.rpartition(".")
    model = _sections().get(section) if section else Settings
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
