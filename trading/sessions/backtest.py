"""A backtest: candles and settings in, an audited result out."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from decimal import Decimal
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from trading.commands import Progress, result_of
from trading.engine.codes import PPM, Halt, Rule
from trading.engine.compiling import forget_old_versions, must_compile
from trading.engine.grid import lay_levels
from trading.engine.loop import run
from trading.engine.simulation import Simulation, simulate
from trading.engine.state import Records
from trading.engine.tape import pack_tape
from trading.market.candles import Candles
from trading.market.rules import Market
from trading.metrics import AgentVotes, Metrics, Run, compute_metrics
from trading.orders import Fills, Trades, pair_trades, replay
from trading.orders.ledger import LedgerMismatch
from trading.report.result import BacktestResult, GridLevels
from trading.sessions.effective import effective_settings
from trading.sessions.preparation import Prepared, input_rows, prepare, real_rows
from trading.sessions.strategy import TRAILING_GRID, Strategy
from trading.settings import Settings
from trading.signals.records import AgentReport, Signals

Steps = Generator[Progress, None, BacktestResult]

_HALTED = {
    Halt.DRAWDOWN: "maximum drawdown reached",
    Halt.DAILY_LOSS: "daily loss limit reached",
    Halt.ORDERED: "stopped by a person, or by a check that failed",
}


def backtest(
    candles: Candles, settings: Settings | None = None, *, allow_gaps: bool = False, strategy: Strategy = TRAILING_GRID
) -> BacktestResult:
    """Trade past candles and return the audited result.

    Parameters
    ----------
    candles : Candles
        Closed candles of one symbol, shape (n,).
    settings : Settings, optional
        Symbol, capital and risk are enough; defaults otherwise.
    allow_gaps : bool
        Trade although more than 0.5% of the candles is missing, or more than five in a row.
    strategy : Strategy
        What makes signals and parameters.

    Returns
    -------
    BacktestResult
        The same for the same input, to the byte, but for ``timing``.

    Raises
    ------
    DataError
        When the candles are unusable, too few, or have gaps that were not allowed.
    Refused
        When the grid could not pay its fees, or orders would be under the market's least value.

    Examples
    --------
    >>> from trading.market.synthetic import synthetic_candles
    >>> from trading.settings import Settings
    >>> candles = synthetic_candles("SIM/USDT", "5m", candles=5_000, seed=7)
    >>> result = backtest(candles, Settings(capital=10_000, risk="moderate"))
    >>> result.currency, len(result.equity), result.halted
    ('USDT', 5000, None)
    >>> again = backtest(candles, Settings(capital=10_000, risk="moderate"))
    >>> again.fills.trade_hash() == result.fills.trade_hash()
    True
    """
    return result_of(backtest_steps(candles, settings or Settings(), allow_gaps=allow_gaps, strategy=strategy))


def backtest_steps(
    candles: Candles,
    settings: Settings,
    *,
    allow_gaps: bool = False,
    strategy: Strategy = TRAILING_GRID,
    load_s: float = 0.0,
) -> Steps:
    """Do what `backtest` does, and yield progress on the way; ``load_s`` is what loading took, for ``timing``."""
    began = perf_counter()
    prepared = prepare(candles, settings, allow_gaps)
    yield Progress("signals", 1, 4)
    signals = strategy.signals(prepared.candles, settings)
    signals_s = perf_counter() - began
    if must_compile(run):
        forget_old_versions()
        yield Progress("compiling the core, once for this version", 2, 4)
    else:
        yield Progress("trading", 2, 4)
    core_began = perf_counter()
    params = strategy.parameters(settings, prepared.market)
    warmup = settings.signals.warmup_candles
    tape = pack_tape(prepared.candles, signals, prepared.market, settings.fills.volume_share, warmup)
    capital_units = prepared.market.cash_units(settings.capital)
    simulation = simulate(tape, params, capital_units)
    compared = simulate(tape, _other_fill_rule(params), capital_units)
    returns = [total_return(run.equity[-1], prepared.market, settings.capital) for run in (simulation, compared)]
    names = ("touch", "penetration") if params[0].touch else ("penetration", "touch")
    fill_rules = dict(zip(names, returns, strict=True))
    core_s = perf_counter() - core_began
    yield Progress("metrics", 3, 4)
    result = _result(candles, settings, prepared, signals, params, simulation)
    timing = {"load_s": load_s, "signals_s": signals_s, "core_s": core_s, "total_s": load_s + perf_counter() - began}
    warnings = result.warnings + fill_rule_warning(fill_rules)
    return replace(result, fill_rules=fill_rules, timing=timing, warnings=warnings)


def _other_fill_rule(params: Records) -> Records:
    other = params.copy()
    other["touch"] = 1 - params["touch"]
    return other


def total_return(equity_units: int, market: Market, capital: Decimal) -> float:
    """Return what equity in cash units has gained on the capital, as a share; the same to the bit everywhere."""
    return float(equity_units / 10.0**market.cash_decimals) / float(capital) - 1


def fill_rule_warning(fill_rules: Mapping[str, float]) -> tuple[str, ...]:
    """Return a warning when the returns under ``touch`` and ``penetration`` differ in sign, else nothing."""
    touch, penetration = fill_rules["touch"], fill_rules["penetration"]
    if touch * penetration >= 0:
        return ()
    warning = (
        f"the sign of the result hangs on the fill rule, so do not trust it: {touch:+.2%} when a touch fills, "
        f"{penetration:+.2%} when the price must trade through"
    )
    return (warning,)


def _result(
    candles: Candles,
    settings: Settings,
    prepared: Prepared,
    signals: Signals,
    params: Records,
    simulation: Simulation,
) -> BacktestResult:
    market = prepared.market
    real = real_rows(prepared.candles)
    fills = input_rows(Fills.from_records(simulation.fills, market), real)
    _audit(fills, settings.capital, simulation)
    trades = pair_trades(fills)
    cash, position = _balances(fills, settings.capital, len(candles))
    equity = simulation.equity[real] / 10.0**market.cash_decimals
    core = simulation.state.core
    refusals = {rule.name.lower(): int(core.refused[rule]) for rule in Rule if core.refused[rule]}
    metrics = _metrics(candles, equity, position, fills, trades, settings.capital, refusals, signals, real)
    quality = prepared.quality.as_json() | {"filled": int(len(prepared.candles) - len(candles))}
    return BacktestResult(
        candles=candles,
        market=market,
        capital=settings.capital,
        fills=fills,
        trades=trades,
        equity=equity,
        cash=cash,
        position=position,
        metrics=metrics,
        params=effective_settings(settings, params, market, simulation.grids),
        agents=tuple(_agent_row(report) for report in signals.agents),
        data_quality=quality,
        warnings=prepared.warnings,
        notes=_notes(market, core.recentres, core.halts),
        halted=halt_sentence(int(core.halt)),
        grids=_grid_history(simulation.grids, params, market, real),
        refusals=refusals,
    )


def halt_sentence(halt: int) -> str | None:
    """Return why trading is halted, in words; None when it is not."""
    return _HALTED.get(Halt(halt))


def _agent_row(report: AgentReport) -> dict[str, object]:
    shown = ("name", "signals", "hit_rate", "mean_confidence", "weight", "skipped")
    return {name: getattr(report, name) for name in shown}


def _audit(fills: Fills, capital: Decimal, simulation: Simulation) -> None:
    core, ledger = simulation.state.core, replay(fills, capital).ledger
    position = int(core.position_lots) * PPM + int(core.dust_microlots)
    if (ledger.cash_units, ledger.position_microlots) != (int(core.cash), position):
        raise LedgerMismatch(
            f"the core holds {core.cash} cash units and {position} microlots, its fills make {ledger.cash_units} and "
            f"{ledger.position_microlots}; report this run"
        )


def _balances(fills: Fills, capital: Decimal, rows: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    market = fills.market
    last_fill = np.searchsorted(fills.candle, np.arange(rows), side="right")
    cash = np.append(market.cash_units(capital), fills.cash_units) / 10.0**market.cash_decimals
    held = np.append(0.0, fills.position_lots + fills.dust_microlots / PPM) * float(market.lot_size)
    return cash[last_fill], held[last_fill]


def _metrics(
    candles: Candles,
    equity: NDArray[np.float64],
    position: NDArray[np.float64],
    fills: Fills,
    trades: Trades,
    capital: Decimal,
    refusals: dict[str, int],
    signals: Signals,
    real: NDArray[np.int64],
) -> Metrics:
    agents = [(agent, agent.view) for agent in signals.agents if agent.view is not None]
    votes = AgentVotes(
        tuple(agent.name for agent, _ in agents),
        np.array([view.action[real] for _, view in agents]),
        np.array([view.confidence[real] for _, view in agents]),
        np.array([[agent.weight] for agent, _ in agents]),
    )
    run = Run(
        timestamp=candles.timestamp,
        close=candles.close,
        equity=equity,
        exposure=position * candles.close / equity,
        fills=fills,
        trades=trades,
        step_ms=candles.step_ms,
        capital=capital,
        rejected_orders=sum(refusals.values()),
        votes=votes if agents else None,
    )
    return compute_metrics(run)


def _notes(market: Market, recentres: int, halts: int) -> tuple[str, ...]:
    fee_asset = market.base if market.fee_in_base else market.quote
    notes = [
        f"fees are included: maker {market.maker_fee:.4%}, taker {market.taker_fee:.4%}, a buy's in {fee_asset}",
        f"market rules: {market.source}",
        f"the grid was recentred {_times(recentres)}",
    ]
    if halts:
        notes.append(f"trading was halted {_times(halts)}")
    return tuple(notes)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _grid_history(grids: Records, params: Records, market: Market, real: NDArray[np.int64]) -> tuple[GridLevels, ...]:
    return tuple(
        grid_levels(int(np.searchsorted(real, grid.candle)), int(grid.centre), int(grid.spacing_ppm), params, market)
        for grid in grids
    )


def grid_levels(row: int, centre: int, spacing_ppm: int, params: Records, market: Market) -> GridLevels:
    """Return the levels of a grid that was laid.

    Parameters
    ----------
    row : int
        Row of its first candle.
    centre, spacing_ppm : int
        Ticks, and millionths.
    params : recarray
        The core's parameters.
    market : Market
        Its units.
    """
    levels = np.zeros(int(params[0].pairs) + 1, np.int64)
    lay_levels(levels, len(levels), centre, spacing_ppm, int(params[0].buy_levels))
    return GridLevels(row, float(market.price(centre)), tuple(float(market.price(level)) for level in levels.tolist()))
