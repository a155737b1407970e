"""A session's report: its recording told again, and what it did shown the way a backtest is."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import numpy as np
from rich.console import RenderableType

from trading.commands import Progress
from trading.engine.records import FILL
from trading.engine.state import Records
from trading.errors import DataError, ExitCode, Refused
from trading.market.candles import Candles
from trading.market.rules import Market
from trading.metrics import Run, compute_metrics
from trading.orders import Fills, pair_trades
from trading.orders.journal_reader import JournalReader
from trading.orders.journal_rows import SessionFacts
from trading.report.html import write_report
from trading.report.result import BacktestResult, GridLevels
from trading.sessions.backtest import grid_levels, halt_sentence
from trading.sessions.books import candles_of
from trading.sessions.decider import CoreFill, Decider, Outcome
from trading.sessions.effective import effective_settings
from trading.sessions.figures import MICROLOTS
from trading.sessions.inputs import Funded, NewCandle, PastCandle
from trading.sessions.recording import recording_of
from trading.sessions.strategy import TRAILING_GRID

_EVERY = 500


@dataclass(frozen=True, slots=True)
class SessionReported:
    """A report that was written.

    Parameters
    ----------
    session : str
        Whose it is.
    result : BacktestResult
        What it shows.
    path : Path
        The page.
    """

    session: str
    result: BacktestResult
    path: Path
    exit_code: ExitCode = ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return the figures and where the page is."""
        return {"session": self.session, **self.result.as_json(), "report": str(self.path)}

    def as_text(self) -> RenderableType:
        """Return the figures, as of a backtest."""
        return self.result.as_text()


@dataclass(slots=True)
class _Story:
    """What a recording did, candle by candle; money in cash units, the position in microlots."""

    candles: list[PastCandle | NewCandle] = field(default_factory=list)
    equity: list[int] = field(default_factory=list)
    cash: list[int] = field(default_factory=list)
    position: list[int] = field(default_factory=list)
    fills: list[CoreFill] = field(default_factory=list)
    grids: list[GridLevels] = field(default_factory=list)
    funded: int = 0

    def hear(self, outcome: Outcome, decider: Decider, params: Records) -> None:
        item, market = outcome.taken, decider.market
        is_candle = isinstance(item, NewCandle) or (isinstance(item, PastCandle) and bool(self.candles))
        if isinstance(item, Funded):
            self.funded += item.units
        row = len(self.candles)
        self.fills += [fill._replace(candle=row) for fill in outcome.fills]
        self.grids += [
            grid_levels(row, int(grid.centre), int(grid.spacing_ppm), params, market) for grid in decider.book.grids
        ]
        if is_candle and isinstance(item, PastCandle | NewCandle):
            self.candles.append(item)
            self.equity.append(decider.equity_units)
            self.cash.append(int(decider.state.core.cash))
            self.position.append(decider.position_microlots)


def session_report(journal: JournalReader, folder: Path) -> Generator[Progress, None, SessionReported]:
    """Write the report of a session.

    Parameters
    ----------
    journal : JournalReader
        The session's journal.
    folder : Path
        Where the page goes.

    Raises
    ------
    DataError
        When no candle has closed yet.
    Refused
        When this version decides otherwise than the session did, so that its report would be another one's.
    """
    yield Progress("reading the recording")
    result = yield from session_result(journal)
    yield Progress("writing the report")
    return SessionReported(journal.facts.name, result, write_report(result, folder))


def session_result(journal: JournalReader) -> Generator[Progress, None, BacktestResult]:
    """Tell a session's recording again and return what it did, as a backtest's result.

    Raises
    ------
    DataError
        When no candle has closed yet.
    Refused
        When this version decides otherwise than the session did.
    """
    facts, recording = journal.facts, recording_of(journal)
    decider = recording.decider()
    params = TRAILING_GRID.parameters(recording.settings, recording.market)
    digests = dict(recording.digests)
    story = _Story()
    inputs = recording.inputs if recording.error is None else recording.inputs[:-1]
    for number, item in enumerate(inputs, start=1):
        if number % _EVERY == 0:
            yield Progress("telling the recording again", number, len(inputs), "inputs")
        story.hear(decider.apply(item), decider, params)
        if digests.get(number, decider.digest) != decider.digest:
            raise Refused(
                f"session {facts.name}: this version decides otherwise after input {number}; "
                "`gridbot sessions show` has what the session did"
            )
    if not story.candles:
        raise DataError(f"no candle of session {facts.name} has closed yet; there is nothing to report")
    return _result(facts, journal, decider, params, story)


def _result(
    facts: SessionFacts,
    journal: JournalReader,
    decider: Decider,
    params: Records,
    story: _Story,
) -> BacktestResult:
    market, settings = decider.market, decider.settings
    candles = candles_of(story.candles, facts.symbol, facts.timeframe)
    fills = _fills(story, market)
    scale = 10.0**market.cash_decimals
    equity = np.array(story.equity) / scale
    position = np.array(story.position) / MICROLOTS * float(market.lot_size)
    trades = pair_trades(fills)
    run = Run(
        timestamp=candles.timestamp,
        close=candles.close,
        equity=equity,
        exposure=position * candles.close / equity,
        fills=fills,
        trades=trades,
        step_ms=candles.step_ms,
        capital=facts.capital,
        rejected_orders=sum(order.exchange_id is None and order.is_final for order in journal.orders()),
    )
    core = decider.state.core
    return BacktestResult(
        candles=candles,
        market=market,
        capital=facts.capital,
        fills=fills,
        trades=trades,
        equity=equity,
        cash=np.array(story.cash) / scale,
        position=position,
        metrics=compute_metrics(run),
        params=effective_settings(settings, params, market),
        notes=_notes(facts, market, story, candles),
        halted=journal.meta("halted") or halt_sentence(int(core.halt)),
        grids=tuple(story.grids),
        kind=f"{facts.mode.capitalize()} session {facts.name}",
    )


def _fills(story: _Story, market: Market) -> Fills:
    last = len(story.candles) - 1
    rows = [fill._replace(candle=min(fill.candle, last)) for fill in story.fills]
    return Fills.from_records(np.array(rows, dtype=FILL), market)


def _notes(facts: SessionFacts, market: Market, story: _Story, candles: Candles) -> tuple[str, ...]:
    notes = [f"{facts.mode} session {facts.name} on {facts.exchange}, from its recording"]
    if story.funded:
        moved = market.money(story.funded)
        notes.append(f"{abs(moved):f} {market.quote} {'came in' if moved > Decimal(0) else 'went out'} meanwhile")
    missing = int((np.diff(candles.timestamp) > candles.step_ms).sum())
    if missing:
        notes.append(f"the session was not there for the candles of {missing} gaps")
    return tuple(notes)
