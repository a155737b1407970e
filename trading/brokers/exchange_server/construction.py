"""Making the markets of a built-in exchange from its configuration and the candles to replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trading.brokers.exchange_server.candle_series import CandleSeries
from trading.brokers.exchange_server.config import ExchangeConfig, FlowKind
from trading.brokers.exchange_server.flow import CandleSource, Flow, ReplaySource, StillSource, SyntheticSource
from trading.brokers.exchange_server.markets import MarketRules
from trading.brokers.exchange_server.order_desk import Fees
from trading.brokers.exchange_server.symbol_market import QuoteShape, Settle, SymbolMarket, TradeListener
from trading.errors import UsageError
from trading.market.candles import Candles
from trading.market.names import parse_symbol
from trading.market.rule_tables import market_for
from trading.market.timeframes import timeframe_ms


@dataclass(frozen=True, slots=True)
class MarketPlan:
    """One symbol before it trades.

    Parameters
    ----------
    rules : MarketRules
        Its filters.
    fees : Fees
        What trading costs.
    source : CandleSource
        Where its prices come from.
    """

    rules: MarketRules
    fees: Fees
    source: CandleSource


@dataclass(frozen=True, slots=True)
class ExchangePlan:
    """All symbols, and when they start.

    Parameters
    ----------
    timeframe : str
        Of the shortest klines.
    start_ms : int
        Open time of the first candle that is not history.
    now_ms : int
        Market time at the start.
    markets : dict of str to MarketPlan
        By symbol.
    """

    timeframe: str
    start_ms: int
    now_ms: int
    markets: Mapping[str, MarketPlan]

    def decimals(self) -> dict[str, int]:
        """Return in how many decimals each asset is counted."""
        counted: dict[str, int] = {}
        for plan in self.markets.values():
            rules = plan.rules
            for asset, decimals in ((rules.base, rules.base_decimals), (rules.quote, rules.quote_decimals)):
                counted[asset] = max(counted.get(asset, 0), decimals)
        return counted


def plan_exchange(config: ExchangeConfig, candles: Sequence[Candles]) -> ExchangePlan:
    """Return what an exchange is made of.

    Parameters
    ----------
    config : ExchangeConfig
        Its settings.
    candles : sequence of Candles
        To replay.

    Raises
    ------
    UsageError
        When timeframes or starts differ.
    DataError
        When candles are too few.
    """
    replayed = {one.symbol: one for one in candles}
    named = config.symbols if not candles or "symbols" in config.model_fields_set else ()
    symbols = dict.fromkeys([*replayed, *(parse_symbol(symbol) for symbol in named)])
    timeframe = candles[0].timeframe if candles else config.timeframe
    start_ms = _start_ms(config, replayed, timeframe)
    markets = {}
    for symbol in symbols:
        source = _source(config, symbol, replayed.get(symbol), start_ms, timeframe)
        house = market_for(symbol, source.history, config.market)
        fees = Fees(house.maker_fee_ppm, house.taker_fee_ppm, config.fee_asset)
        markets[symbol] = MarketPlan(MarketRules.of(house, config.max_orders), fees, source)
    return ExchangePlan(timeframe, start_ms, start_ms if replayed else config.start_ms, markets)


def make_market(
    config: ExchangeConfig, plan: MarketPlan, start_ms: int, quote_units: int, settle: Settle, on_trade: TradeListener
) -> SymbolMarket:
    """Return a symbol ready to trade.

    Parameters
    ----------
    config : ExchangeConfig
        Settings of all symbols.
    plan : MarketPlan
        This symbol's.
    start_ms : int
        Open time of its first candle that is not history.
    quote_units : int
        Units of the quote currency in one lot at one tick.
    settle, on_trade : callable
        As `SymbolMarket` wants them.
    """
    rules, history = plan.rules, plan.source.history
    series = CandleSeries(history, rules, quote_units, start_ms, config.keep_candles)
    volume = float(history.volume.mean()) * config.volume_scale / config.trades_per_candle
    lots = max(1, int(volume / float(rules.lot_size)))
    shape = QuoteShape(config.depth_levels, config.spread, lots, f"{config.seed}:{rules.symbol}")
    flow = Flow(plan.source, rules, config.seed, config.trades_per_candle, config.volume_scale)
    return SymbolMarket(rules, series, flow, shape, settle, on_trade, config.keep_trades)


def _start_ms(config: ExchangeConfig, replayed: Mapping[str, Candles], timeframe: str) -> int:
    if not replayed:
        return config.start_ms - config.start_ms % timeframe_ms(timeframe)
    if any(one.timeframe != timeframe for one in replayed.values()):
        raise UsageError("all candles that an exchange replays need one timeframe; resample them first")
    starts = {int(one.timestamp[min(config.history, len(one) - 1)]) for one in replayed.values() if len(one)}
    if len(starts) != 1:
        raise UsageError(f"the candles to replay start at {sorted(starts)} ms; cut them to one start")
    return starts.pop()


def _source(
    config: ExchangeConfig, symbol: str, candles: Candles | None, start_ms: int, timeframe: str
) -> CandleSource:
    if candles is not None:
        return ReplaySource(candles, config.history)
    if config.flow is FlowKind.STILL:
        return StillSource(symbol, timeframe, start_ms, config.start_price, config.history)
    return SyntheticSource(symbol, timeframe, config.seed, start_ms, config.start_price, config.history)
