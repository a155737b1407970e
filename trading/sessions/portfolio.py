"""Several symbols traded in step on one capital."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from trading.commands import Progress, result_of
from trading.engine.codes import PPM, Halt
from trading.engine.compiling import entry_point
from trading.engine.loop import step
from trading.engine.money import equity_at, exposure_at
from trading.engine.records import Core
from trading.engine.state import Book, Records, new_state, open_book
from trading.engine.tape import Tape, pack_tape
from trading.errors import UsageError
from trading.market.candles import Candles
from trading.market.rules import Market
from trading.metrics.returns import annualised, daily_equity, drawdown, period_returns, sharpe
from trading.orders import Fills, LedgerMismatch, Trades, pair_trades
from trading.sessions.backtest import (
    fill_rule_warning,
    halt_sentence,
    total_return,
)
from trading.sessions.portfolio_result import PortfolioResult, SymbolResult
from trading.sessions.preparation import input_rows, prepare, real_rows
from trading.sessions.strategy import TRAILING_GRID, Strategy
from trading.settings import Settings

Steps = Generator[Progress, None, PortfolioResult]
PROGRESS_EVERY = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """What one symbol brings to every run: its candles in the core's units, and its parameters."""

    candles: Candles
    market: Market
    tape: Tape
    params: Records
    warnings: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Seat:
    """One symbol in one run: its core, its fills, how far it has come, and its worth and exposure in cash units."""

    entry: Entry
    book: Book
    fills: list[Records]
    next_row: int = 0
    worth: int = 0
    exposure: int = 0

    @property
    def core(self) -> Core:
        """The core's record."""
        return self.book.core

    def is_due(self, time_ms: int) -> bool:
        """Return whether the symbol has a candle that opens now."""
        times = self.entry.tape.timestamp
        return self.next_row < len(times) and bool(times[self.next_row] == time_ms)


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """A finished run: the seats, equity in cash units at each time, and the free cash at the end."""

    seats: tuple[Seat, ...]
    timestamp: NDArray[np.int64]
    equity: NDArray[np.int64]
    pool: int


def backtest_portfolio(
    series: Sequence[Candles],
    settings: Settings | None = None,
    *,
    allow_gaps: bool = False,
    strategy: Strategy = TRAILING_GRID,
) -> PortfolioResult:
    """Trade several symbols, synchronised by time, on one shared capital.

    Parameters
    ----------
    series : sequence of Candles
        One a symbol, all in the same quote currency and timeframe.
    settings : Settings, optional
        Apply to every symbol; the risk limits to the whole.
    allow_gaps : bool
        As for `backtest`.
    strategy : Strategy
        As for `backtest`.

    Returns
    -------
    PortfolioResult

    Raises
    ------
    UsageError
        When the series do not fit together.
    """
    return result_of(portfolio_steps(series, settings or Settings(), allow_gaps=allow_gaps, strategy=strategy))


def portfolio_steps(
    series: Sequence[Candles], settings: Settings, *, allow_gaps: bool = False, strategy: Strategy = TRAILING_GRID
) -> Steps:
    """Do what `backtest_portfolio` does, and yield progress on the way."""
    began = perf_counter()
    _refuse_misfits(series)
    yield Progress("signals", 0, len(series))
    entries = _entries(series, settings, allow_gaps, strategy)
    capital = entries[0].market.cash_units(settings.capital)
    own_rule = int(entries[0].params[0].touch)
    played = yield from _play(entries, capital, own_rule)
    compared = yield from _play(entries, capital, 1 - own_rule)
    result = _result(series, played, settings)
    own, other = (total_return(run.equity[-1], entries[0].market, settings.capital) for run in (played, compared))
    fill_rules = {"touch": own, "penetration": other} if own_rule else {"penetration": own, "touch": other}
    warnings = tuple(f"{entry.market.symbol}: {text}" for entry in entries for text in entry.warnings)
    return replace(
        result,
        fill_rules=fill_rules,
        warnings=warnings + fill_rule_warning(fill_rules),
        timing={"total_s": perf_counter() - began},
    )


def _refuse_misfits(series: Sequence[Candles]) -> None:
    if not series:
        raise UsageError("a portfolio needs the candles of one symbol at least")
    quotes, timeframes = {candles.quote for candles in series}, {candles.timeframe for candles in series}
    symbols = [candles.symbol for candles in series]
    if len(quotes) > 1:
        raise UsageError(
            f"symbols that share a capital need one quote currency, these have {', '.join(sorted(quotes))}"
        )
    if len(timeframes) > 1:
        raise UsageError(
            f"symbols that are traded in step need one timeframe, these have {', '.join(sorted(timeframes))}; "
            "use --timeframe"
        )
    if len(set(symbols)) < len(symbols):
        raise UsageError(f"each symbol can be traded once, these are {', '.join(symbols)}")


def _entries(series: Sequence[Candles], settings: Settings, allow_gaps: bool, strategy: Strategy) -> tuple[Entry, ...]:
    prepared = [prepare(candles, settings, allow_gaps) for candles in series]
    # one cash unit for all: the finest
    decimals = max(item.market.cash_decimals for item in prepared)
    entries = []
    for item in prepared:
        market = replace(item.market, least_cash_decimals=decimals)
        market.check_fits(settings.capital, float(item.candles.high.max()))
        params = strategy.parameters(settings, market)
        signals = strategy.signals(item.candles, settings)
        warmup, share = settings.signals.warmup_candles, settings.fills.volume_share
        tape = pack_tape(item.candles, signals, market, share, warmup)
        entries.append(Entry(item.candles, market, tape, params, item.warnings))
    return tuple(entries)


def _play(entries: Sequence[Entry], capital: int, touch: int) -> Generator[Progress, None, Played]:
    seats = tuple(_seat(entry, capital, touch) for entry in entries)
    timeline = np.unique(np.concatenate([entry.tape.timestamp for entry in entries]))
    equity = np.zeros(len(timeline), np.int64)
    pool = capital
    for tick, time_ms in enumerate(timeline.tolist()):
        if tick % PROGRESS_EVERY == 0:
            yield Progress("touch" if touch else "penetration", tick, len(timeline), "candles")
        for seat in seats:
            if seat.is_due(time_ms):
                pool = _step_seat(seats, seat, pool)
        equity[tick] = pool + sum(seat.worth for seat in seats)
    return Played(seats, timeline, equity, pool)


def _seat(entry: Entry, capital: int, touch: int) -> Seat:
    params = entry.params.copy()
    params["touch"] = touch
    state = new_state(capital, int(params[0].pairs))
    state.core.cash = 0
    return Seat(entry, open_book(state, params), [])


def _step_seat(seats: Sequence[Seat], seat: Seat, pool: int) -> int:
    others = [other for other in seats if other is not seat]
    worth, exposure = sum(other.worth for other in others), sum(other.exposure for other in others)
    if seat.next_row == 0:
        # one that joins late counts its drawdown from the peak of the whole
        seat.core.peak_equity = max(int(other.core.peak_equity) for other in seats)
    pool, seat.worth, seat.exposure, made = take_turn(seat.book, seat.entry.tape, seat.next_row, pool, worth, exposure)
    seat.next_row += 1
    if made:
        fills = seat.book.fills.copy()
        fills["cash_units"] += sum(int(other.core.cash) for other in others)
        seat.fills.append(fills)
    return pool


@entry_point
def take_turn(
    book: Book, tape: Tape, row: int, pool: int, external_equity: int, external_exposure: int
) -> tuple[int, int, int, int]:
    """Trade one candle of one symbol with all free cash; the others keep what their working buys have reserved.

    Parameters
    ----------
    book : Book
        The symbol's core; its cash is what it has reserved.
    tape : Tape
        The symbol's candles.
    row : int
        Which of them.
    pool : int
        Free cash of the portfolio, cash units.
    external_equity, external_exposure : int
        Worth and exposure of the other symbols, cash units.

    Returns
    -------
    tuple of int
        Free cash after the candle, the symbol's own worth and exposure, and how many fills it made.
    """
    core = book.core
    core.cash += pool
    core.external_equity, core.external_exposure = external_equity, external_exposure
    book.out.fill_count = book.out.intent_count = book.out.grid_count = 0
    step(book, tape, row)
    free = core.cash - core.reserved
    core.cash = core.reserved
    units, price = book.params.units, core.last_price
    return free, equity_at(core, units, price), exposure_at(core, units, price), book.out.fill_count


def _result(series: Sequence[Candles], played: Played, settings: Settings) -> PortfolioResult:
    seats, market = played.seats, played.seats[0].entry.market
    symbols = tuple(_symbol_result(candles, seat) for candles, seat in zip(series, seats, strict=True))
    _audit(seats, symbols, market.cash_units(settings.capital), played.pool)
    # the run also saw candles that bridge gaps; a result has the caller's
    real = np.isin(played.timestamp, np.concatenate([candles.timestamp for candles in series]))
    timestamp, equity = played.timestamp[real], played.equity[real] / 10.0**market.cash_decimals
    capital, step_ms = float(settings.capital), series[0].step_ms
    returns = period_returns(daily_equity(timestamp, equity, capital), equity, equity, capital, step_ms)
    halts = {halt_sentence(int(seat.core.halt)) for seat in seats if seat.core.halt != Halt.NONE}
    total, span_ms = float(equity[-1] / capital - 1), int(timestamp[-1] - timestamp[0]) + step_ms
    return PortfolioResult(
        timeframe=series[0].timeframe,
        timestamp=timestamp,
        equity=equity,
        capital=settings.capital,
        currency=market.quote,
        symbols=symbols,
        metrics={
            "total_return": total,
            "annualized_return": annualised(total, span_ms),
            "max_drawdown": min(float(drawdown(equity, capital).min()), 0.0),
            "sharpe": sharpe(returns.account, returns.per_year),
            "trades": sum(len(symbol.trades) for symbol in symbols),
            "fills": sum(len(symbol.fills) for symbol in symbols),
            "fees": sum(float(symbol.fills.fees) for symbol in symbols),
        },
        halted="; ".join(sorted(filter(None, halts))) or None,
    )


def _symbol_result(candles: Candles, seat: Seat) -> SymbolResult:
    market = seat.entry.market
    records = np.concatenate(seat.fills) if seat.fills else seat.book.fills[:0].copy()
    fills = input_rows(Fills.from_records(records, market), real_rows(seat.entry.candles))
    trades: Trades = pair_trades(fills)
    position = int(seat.core.position_lots) * PPM + int(seat.core.dust_microlots)
    return SymbolResult(
        symbol=market.symbol,
        candles=len(candles),
        fills=fills,
        trades=trades,
        position=float(market.lot_size) * position / PPM,
        value=float(market.money(seat.worth - int(seat.core.cash))),
    )


def _audit(seats: Sequence[Seat], symbols: Sequence[SymbolResult], capital: int, pool: int) -> None:
    cash = pool + sum(int(seat.core.cash) for seat in seats)
    spent = sum(
        int((symbol.fills.side * symbol.fills.value_units).sum()) + int(symbol.fills.fee_units.sum())
        for symbol in symbols
    )
    if cash != capital - spent:
        raise LedgerMismatch(
            f"the portfolio holds {cash} cash units, its fills make {capital - spent}; report this run"
        )
