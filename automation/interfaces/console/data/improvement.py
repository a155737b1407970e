"""How maintenance did over the last days, from the ledger, the runs' evidence and the nightly reports."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from automation.improvement.ledger import Ledger, ledger_path
from automation.improvement.records import DAY_MS, RepairRecord, Status, success_by_kind, success_of
from automation.interfaces.console.data.improvement_records import Day, ImprovementFacts, Verdict, median_repair_s
from automation.pipeline.runs import RunStore

_MOST_RECORDS = 200
_COMPARED = ("improvement", "low", "high")


class ImprovementReader:
    """Reads the ledger when it has changed; to be used by one thread at a time.

    Parameters
    ----------
    home : Path
        The data home.
    reports : Path
        Folder of the nightly reports; it need not exist.
    """

    def __init__(self, home: Path, reports: Path) -> None:
        self._path = ledger_path(home)
        self._store = RunStore(home)
        self._reports = reports
        self._stamp: tuple[int, ...] = ()
        self._records: tuple[RepairRecord, ...] = ()
        self._verdicts: dict[Path, tuple[int, tuple[Verdict, ...]]] = {}

    def read(self, range_days: int, now_ms: int) -> ImprovementFacts:
        """Return how maintenance did.

        Parameters
        ----------
        range_days : int
            Days to look back, today included.
        now_ms : int
            Milliseconds UTC.

        Raises
        ------
        StateCorrupt
            When the ledger cannot be read; what was read before is given up.
        """
        self._read_ledger()
        today_ms = now_ms // DAY_MS * DAY_MS
        since_ms = today_ms - (range_days - 1) * DAY_MS
        recent = [record for record in self._records if since_ms <= record.started_ms < today_ms + DAY_MS]
        by_day: dict[int, list[RepairRecord]] = {}
        for record in recent:
            by_day.setdefault(record.started_ms // DAY_MS * DAY_MS, []).append(record)
        starts = range(since_ms, today_ms + DAY_MS, DAY_MS)
        verdicts = [verdict for verdict in self._all_verdicts() if verdict.time_ms >= since_ms]
        return ImprovementFacts(
            range_days=range_days,
            days=tuple(_day(start, by_day.get(start, ())) for start in starts),
            total=success_of(recent),
            by_kind=success_by_kind(recent),
            records=tuple(recent[::-1][:_MOST_RECORDS]),
            verdicts=tuple(sorted(verdicts, key=lambda verdict: verdict.time_ms, reverse=True)),
            earlier=sum(record.started_ms < since_ms for record in self._records),
        )

    def _read_ledger(self) -> None:
        stamp = _stamps(self._path)
        if not self._path.is_file():
            self._records, self._stamp = (), ()
        elif stamp != self._stamp:
            with Ledger(self._path) as ledger:
                self._records = ledger.records()
            # taken before it was read: what is written meanwhile is seen the next time
            self._stamp = stamp

    def _all_verdicts(self) -> Iterator[Verdict]:
        for file in (*self._store.folder.glob("*/result.json"), *self._reports.glob("nightly-*/report.json")):
            try:
                changed = file.stat().st_mtime_ns
                known = self._verdicts.get(file)
                if known is None or known[0] != changed:
                    known = changed, tuple(_verdicts_in(file))
                    self._verdicts[file] = known
            except (OSError, ValueError, TypeError, KeyError):
                # half of it, of another version, or gone: nothing that could be drawn
                continue
            yield from known[1]


def _day(start_ms: int, records: Sequence[RepairRecord]) -> Day:
    searched = [record for record in records if record.candidates and record.seconds.get("verify")]
    seconds = sum(record.seconds["verify"] for record in searched)
    candidates = sum(sum(record.candidates.values()) for record in searched)
    return Day(
        start_ms=start_ms,
        success=success_of(records),
        landed=sum(record.status is Status.LANDED for record in records),
        median_s=median_repair_s(records),
        candidates_per_second=candidates / seconds if seconds else None,
        model_tokens=sum(record.model_tokens for record in records),
    )


def _verdicts_in(file: Path) -> Iterator[Verdict]:
    data = json.loads(file.read_text(encoding="utf-8"))
    if "session_info" in data:
        started = datetime.fromisoformat(str(data["session_info"]["started"])).replace(tzinfo=UTC)
        time_ms, evidence = int(started.timestamp() * 1_000), data["optimization_results"]
    else:
        time_ms, evidence = int(data["started_ms"]), data.get("evidence")
    title = str(data.get("title") or "")
    for name, compared in _comparisons(evidence, ""):
        improvement, low, high = (float(str(compared[key])) for key in _COMPARED)
        what = str(compared.get("command") or title or name)
        yield Verdict(time_ms, what, improvement, low, high, low >= 0.01, file.parent.name)


def _comparisons(value: object, name: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    if isinstance(value, Mapping):
        if all(isinstance(value.get(key), int | float) for key in _COMPARED):
            yield name, value
            return
        for key, inner in value.items():
            yield from _comparisons(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _comparisons(inner, name)


def _stamps(path: Path) -> tuple[int, ...]:
    stamps = []
    for file in (path, path.with_name(f"{path.name}-wal")):
        try:
            found = file.stat()
        except OSError:
            stamps.append(0)
        else:
            stamps += [found.st_mtime_ns, found.st_size]
    return tuple(stamps)
