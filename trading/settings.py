"""What a user may set: three settings are enough, every derived value can be pinned.

``Settings(...)`` reads nothing but its arguments; `trading.setting_sources` reads file, environment and command line. A
value of None is derived: from the risk profile, or from the market's own candles.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

Share = Annotated[float, Field(gt=0, le=1)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
# More candles, or orders, than any run has; sums of two of them fit every counter.
_MOST = 1_000_000_000
# No amount of more digits can be counted exactly; of far more, decimal arithmetic itself overflows.
_MOST_DIGITS = 30


def _countable(count: int) -> int:
    if count > _MOST:
        raise ValueError(f"should be less than or equal to {_MOST}")
    return count


def _computable(amount: Decimal) -> Decimal:
    if abs(amount.adjusted()) > _MOST_DIGITS:
        raise ValueError(f"should lie between 1e-{_MOST_DIGITS} and 1e{_MOST_DIGITS}")
    return amount


# Limits of the machine and not of a meaning: validators and not bounds of the field, which stand in the documentation.
Count = Annotated[int, Field(ge=0), AfterValidator(_countable)]
PositiveCount = Annotated[int, Field(ge=1), AfterValidator(_countable)]
Amount = Annotated[Decimal, Field(gt=0), AfterValidator(_computable)]


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

    tick_size: Amount | None = Field(None, description="smallest price step, quote currency")
    lot_size: Amount | None = Field(None, description="smallest quantity step, base currency")
    min_notional: Annotated[Decimal, Field(ge=0), AfterValidator(_computable)] | None = Field(
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
    recentre_confirm: PositiveCount = Field(3, description="consecutive closes beyond before recentring")
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
    retry_candles: PositiveCount = Field(15, description="candles between tries of a level that could not be placed")
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
    weights: dict[str, Annotated[float, Field(ge=0, le=1_000_000)]] = Field(
        {}, description="starting weight by agent; 1 unless named"
    )
    adapt: bool = Field(True, description="weights follow each agent's recent hit rate")
    warmup_candles: Annotated[int, Field(ge=50), AfterValidator(_countable)] = Field(
        300, description="candles seen before the first order"
    )


class Settings(BaseSettings):
    """Everything that can be set; symbol, capital and risk are enough."""

    model_config = SettingsConfigDict(env_prefix="GRIDBOT_", env_nested_delimiter="__", extra="forbid", frozen=True)

    symbol: str | None = Field(None, description="BASE/QUOTE")
    capital: Amount = Field(Decimal(10_000), description="quote currency")
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
        """Take arguments only, so that the same call means the same everywhere; see `trading.setting_sources`."""
        return (init_settings,)


def setting_names() -> tuple[str, ...]:
    """Return the dotted name of every setting, such as ``"capital"`` and ``"grid.spacing"``."""
    return tuple(_names(Settings, ""))


def setting_sections() -> dict[str, type[Section]]:
    """Return the model of each section by its name, such as ``"grid"``."""
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
