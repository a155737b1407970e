"""Several symbols traded in step on one capital."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from trading.commands import Progress
from trading.engine.codes import PPM, Halt
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
from trading.sessions.backtest import halt_sentence, prepare
from trading.sessions.portfolio_result import PortfolioResult, SymbolResult
from trading.sessions.strategy import TRAILING_GRID, Strategy
from trading.settings import Settings

Steps = Generator[Progress, None, PortfolioResult]
PROGRESS_EVERY = 20_000


@dataclass(slots=True)
class Seat:
    """One symbol at the table: its tape, its core, and how far it has come."""

    candles: Candles
    market: Market
    tape: Tape
    book: Book
    next_row: int = 0

    @property
    def core(self) -> Core:
        """The core's record."""
        return self.book.core

    def value(self) -> int:
        """Return the seat's equity at its last price, cash units."""
        return int(equity_at(self.core, self.market.units_per_tick_lot, self.core.last_price))

    def exposure(self) -> int:
        """Return the seat's inventory and working buys, cash units."""
        return int(exposure_at(self.core, self.market.units_per_tick_lot, self.core.last_price))


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
    steps = portfolio_steps(series, settings or Settings(), allow_gaps=allow_gaps, strategy=strategy)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: PortfolioResult = end.value
            return result


def portfolio_steps(
    series: Sequence[Candles], settings: Settings, *, allow_gaps: bool = False, strategy: Strategy = TRAILING_GRID
) -> Steps:
    """Do what `backtest_portfolio` does, and yield progress on the way."""
    began = perf_counter()
    _refuse_misfits(series)
    yield Progress("signals", 0, 1)
    prepared = [prepare(candles, settings, allow_gaps) for candles in series]
    decimals = max(item.market.cash_decimals for item in prepared)
    seats = [
        _seat(item.candles, replace(item.market, least_cash_decimals=decimals), settings, strategy) for item in prepared
    ]
    capital = seats[0].market.cash_units(settings.capital)
    fills: list[list[Records]] = [[] for _ in seats]
    timeline = np.unique(np.concatenate([seat.tape.timestamp for seat in seats]))
    equity = np.zeros(len(timeline), np.int64)
    pool = capital
    for tick, time_ms in enumerate(timeline.tolist()):
        if tick % PROGRESS_EVERY == 0:
            yield Progress("trading", tick, len(timeline), "candles")
        for index, seat in enumerate(seats):
            if seat.next_row < len(seat.tape.timestamp) and seat.tape.timestamp[seat.next_row] == time_ms:
                pool = _step_seat(seats, index, pool, fills[index])
        equity[tick] = pool + sum(seat.value() for seat in seats)
    return _result(seats, fills, timeline, equity, settings, pool, perf_counter() - began)


def _refuse_misfits(series: Sequence[Candles]) -> None:
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


def _seat(candles: Candles, market: Market, settings: Settings, strategy: Strategy) -> Seat:
    params = strategy.parameters(settings, market)
    signals, warmup = strategy.signals(candles, settings), settings.signals.warmup_candles
    tape = pack_tape(candles, signals, market, settings.fills.volume_share, warmup)
    state = new_state(market.cash_units(settings.capital), int(params[0].pairs))
    state.core.cash = 0
    return Seat(candles, market, tape, open_book(state, params))


def _step_seat(seats: Sequence[Seat], index: int, pool: int, fills: list[Records]) -> int:
    # the symbol whose turn it is has all free cash; the others keep what their working buys have reserved
    seat = seats[index]
    others = [other for other in seats if other is not seat]
    core, book = seat.core, seat.book
    core.cash += pool
    core.external_equity = sum(other.value() for other in others)
    core.external_exposure = sum(other.exposure() for other in others)
    book.out.fill_count = book.out.intent_count = book.out.grid_count = 0
    step(book, seat.tape, seat.next_row)
    seat.next_row += 1
    if book.out.fill_count:
        made = book.fills.copy()
        made["cash_units"] += sum(int(other.core.cash) for other in others)
        fills.append(made)
    free = int(core.cash - core.reserved)
    core.cash = core.reserved
    return free


def _result(
    seats: Sequence[Seat],
    fills: Sequence[list[Records]],
    timeline: NDArray[np.int64],
    equity_units: NDArray[np.int64],
    settings: Settings,
    pool: int,
    total_s: float,
) -> PortfolioResult:
    market = seats[0].market
    symbols = tuple(_symbol_result(seat, made) for seat, made in zip(seats, fills, strict=True))
    _audit(seats, symbols, market.cash_units(settings.capital), pool)
    equity = equity_units / 10.0**market.cash_decimals
    capital = float(settings.capital)
    step_ms = seats[0].candles.step_ms
    returns = period_returns(daily_equity(timeline, equity, capital), equity, equity, capital, step_ms)
    halts = {halt_sentence(int(seat.core.halt)) for seat in seats if seat.core.halt != Halt.NONE}
    total, span_ms = float(equity[-1] / capital - 1), int(timeline[-1] - timeline[0]) + step_ms
    return PortfolioResult(
        timeframe=seats[0].candles.timeframe,
        timestamp=timeline,
        equity=equity,
        capital=settings.capital,
        currency=market.quote,
        symbols=symbols,
        metrics={
            "total_return": total,
            "annualized_return": annualised(total, span_ms),
            "max_drawdown": float(drawdown(equity, capital).min()),
            "sharpe": sharpe(returns.account, returns.per_year),
            "trades": sum(len(symbol.trades) for symbol in symbols),
            "fills": sum(len(symbol.fills) for symbol in symbols),
            "fees": sum(float(symbol.fills.fees) for symbol in symbols),
        },
        halted="; ".join(sorted(filter(None, halts))) or None,
        timing={"total_s": total_s},
    )


def _symbol_result(seat: Seat, made: list[Records]) -> SymbolResult:
    records = np.concatenate(made) if made else seat.book.fills[:0].copy()
    fills = Fills.from_records(records, seat.market)
    trades: Trades = pair_trades(fills)
    position = int(seat.core.position_lots) * PPM + int(seat.core.dust_microlots)
    return SymbolResult(
        symbol=seat.market.symbol,
        candles=len(seat.candles),
        fills=fills,
        trades=trades,
        position=float(seat.market.lot_size) * position / PPM,
        value=float(seat.market.money(seat.value() - int(seat.core.cash))),
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
