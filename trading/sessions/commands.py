"""The session commands: backtest, and the settings in force."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from trading.commands import Progress
from trading.errors import UsageError
from trading.market.candles import Candles
from trading.market.names import symbol_from_name
from trading.market.sources import home_store, is_file, open_candles
from trading.market.store import CandleStore
from trading.market.times import time_ms
from trading.report.html import write_report
from trading.report.result import BacktestResult
from trading.sessions.backtest import backtest_steps
from trading.sessions.configuration import Configuration, configuration
from trading.sessions.portfolio import portfolio_steps
from trading.sessions.portfolio_result import PortfolioResult
from trading.sessions.preparation import prepare
from trading.sessions.requests import BacktestRequest, ConfigRequest, SettingsRequest
from trading.setting_sources import settings_with_sources
from trading.settings import Settings

STEPS = 5


def backtest(
    request: BacktestRequest,
) -> Generator[Progress, None, BacktestResult | PortfolioResult]:
    """Trade past candles; one file or symbol gives a result of its own, several share one capital."""
    settings, sources = _settings(request)
    _check_outputs(request)
    if len(request.candles) > 1:
        return (yield from _several(request, settings))
    began = perf_counter()
    yield Progress("candles", 0, STEPS)
    candles = _load(request, request.candles[0], _symbol_for(request.candles[0], settings, sources))
    load_s = perf_counter() - began
    result = yield from backtest_steps(candles, settings, allow_gaps=request.allow_gaps, load_s=load_s)
    if request.fills is not None:
        result.write_fills(request.fills)
    if request.equity is not None:
        result.write_equity(request.equity)
    if request.report is not None:
        yield Progress("report", 4, STEPS)
        result = replace(result, report_path=write_report(result, request.report))
    return result


def _several(request: BacktestRequest, settings: Settings) -> Generator[Progress, None, PortfolioResult]:
    if request.fills or request.equity or request.report or request.symbol:
        raise UsageError("--symbol, --fills, --equity and --report take one --candles; leave them out for several")
    markets = [_load(request, target, None) for target in request.candles]
    return (yield from portfolio_steps(markets, settings, allow_gaps=request.allow_gaps))


def _check_outputs(request: BacktestRequest) -> None:
    taken = {Path(target).resolve(): "--candles" for target in request.candles if is_file(target)}
    for option, path in (("--fills", request.fills), ("--equity", request.equity)):
        if path is None:
            continue
        other = taken.setdefault(path.resolve(), option)
        if other != option:
            raise UsageError(f"{option} would overwrite {path}, which {other} names; choose another file")


def _settings(request: SettingsRequest) -> tuple[Settings, dict[str, str]]:
    return settings_with_sources(request.set, symbol=request.symbol, capital=request.capital, risk=request.risk)


def _symbol_for(target: str, settings: Settings, sources: Mapping[str, str]) -> str | None:
    # what a settings file or the environment says is for files whose names hold no symbol, not against their names
    said_now = sources.get("symbol", "").startswith("--")
    return settings.symbol if said_now or symbol_from_name(target) is None else None


def _load(request: BacktestRequest, target: str, symbol: str | None) -> Candles:
    start, end = (None if text is None else time_ms(text) for text in (request.start, request.end))
    return open_candles(target, _store(request), symbol, request.timeframe, start, end)


def _store(request: SettingsRequest) -> CandleStore:
    return home_store(request.home)


def show_config(request: ConfigRequest) -> Generator[Progress, None, Configuration]:
    """Show every setting in force; with candles, what is derived from them too."""
    settings, sources = _settings(request)
    market = None
    if request.candles is not None:
        yield Progress("candles", 0, 1)
        symbol = _symbol_for(request.candles, settings, sources)
        candles = open_candles(request.candles, _store(request), symbol, request.timeframe)
        market = prepare(candles, settings, allow_gaps=True).market
    return configuration(settings, sources, market)
