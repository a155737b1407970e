"""The records that the probe tells inside the sandbox, made into test results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from automation.codebase.masking import masked, values_masker
from automation.incidents.records import Frame, Outcome, Raised, TestReport, TestResult

_REACHED_THE_END = (0, 1, 5)
_UNFINISHED = {
    "timeout": (Outcome.TIMEOUT, "TestTimeout", "the run was ended at its time limit while this test ran"),
    "memory": (Outcome.CRASHED, "MemoryError", "the run was ended at its memory limit while this test ran"),
    "output": (Outcome.CRASHED, "OutputLimit", "the run was ended at its output limit while this test ran"),
}
_PROBLEM_LIMIT = 2000
_TEXTS = ("chain", "operands", "assertion", "captured", "values")


class _FrameRecord(BaseModel):
    path: str
    line: int
    function: str
    own: bool
    test: bool
    values: dict[str, str]

    def frame(self) -> Frame:
        return Frame(self.path, self.line, self.function, self.own, self.test, self.values)


class _RaisedRecord(BaseModel):
    type: str
    message: str
    frames: list[_FrameRecord]

    def raised(self) -> Raised:
        return Raised(self.type, self.message, tuple(frame.frame() for frame in self.frames))


class _ResultRecord(BaseModel):
    model_config = ConfigDict(extra="ignore")

    node_id: str
    outcome: Outcome
    phase: str
    duration_s: float
    chain: list[_RaisedRecord]
    operands: list[tuple[str, str]]
    assertion: str
    captured: str
    lines: dict[str, list[int]]
    values: dict[str, list[str]]

    def result(self, imported: Mapping[str, Sequence[int]]) -> TestResult:
        return TestResult(
            self.node_id,
            self.outcome,
            self.phase,
            self.duration_s,
            tuple(raised.raised() for raised in self.chain),
            tuple(self.operands),
            self.assertion,
            self.captured,
            _joined(self.lines, imported),
            {place: tuple(seen) for place, seen in self.values.items()},
        )


def _joined(lines: Mapping[str, Sequence[int]], imported: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
    paths = {**lines, **imported}
    return {path: tuple(sorted({*lines.get(path, ()), *imported.get(path, ())})) for path in paths}


def _without(mask: Callable[[str], str], told: object) -> object:
    match told:
        case str():
            return mask(told)
        case list() | tuple():
            return [_without(mask, each) for each in told]
        case dict():
            return {name: _without(mask, each) for name, each in told.items()}
        case _:
            return told


class _Run:
    def __init__(self) -> None:
        # The sandbox knows no variable of this process, but a file of the target may hold the same secret.
        self.mask = values_masker()
        self.results: list[TestResult] = []
        self.collected: tuple[str, ...] = ()
        self.modules: dict[str, None] = {}
        self.imported: dict[str, list[int]] = {}
        self.started: str | None = None
        self.seconds = 0.0
        self.exit: int | None = None
        self.stopped = False

    def take(self, record: Mapping[str, object]) -> None:
        match record:
            case {"event": "collected", "node_ids": list(names)}:
                self.collected = tuple(names)
            case {"event": "modules", "third_party": list(names)}:
                self.modules.update(dict.fromkeys(names))
            case {"event": "session_lines", "lines": dict(lines)}:
                self.imported = lines
            case {"event": "start", "node_id": str(name)}:
                self.started = name
            case {"event": "result"}:
                told = {**record, **{name: _without(self.mask, record.get(name)) for name in _TEXTS}}
                self.results.append(_ResultRecord.model_validate(told).result(self.imported))
                self.started = None
            case {"event": "end", "exit": int(code), "seconds": float(seconds)}:
                self.exit, self.seconds, self.stopped = code, seconds, bool(record.get("stopped"))


def report_of_records(
    records: Iterable[Mapping[str, object]], *, end: str, seconds: float, stderr: str = "", signal: int | None = None
) -> TestReport:
    """Return what a run came to.

    Parameters
    ----------
    records : iterable of mappings
        As the probe told them, in order; the last may be missing.
    end : str
        How the process ended: done, timeout, memory, output, crash or exit.
    seconds : float
        Wall time as seen from outside.
    stderr : str
        What the process wrote there; says why pytest did not start.
    signal : int, optional
        What ended the process.

    Returns
    -------
    TestReport
        A test that started and never ended counts as timed out or crashed.
    """
    stderr = masked(stderr)
    run = _Run()
    for record in records:
        run.take(record)
    if run.started is not None:
        left_s = max(0.0, seconds - sum(test.duration_s for test in run.results))
        run.results.append(_unfinished(run.started, end, signal, stderr, left_s))
    complete = end == "done" and run.exit in _REACHED_THE_END and not run.stopped
    return TestReport(
        tuple(run.results),
        run.collected,
        complete,
        run.seconds if run.exit is not None else seconds,
        tuple(run.modules),
        _problem(run, end, stderr),
    )


def _unfinished(name: str, end: str, signal: int | None, stderr: str, seconds: float) -> TestResult:
    by = f"signal {signal}" if signal else "leaving the interpreter"
    outcome, kind, words = _UNFINISHED.get(end, (Outcome.CRASHED, "Crash", f"the process ended by {by} in this test"))
    chain = (Raised(kind, words, ()),)
    return TestResult(name, outcome, "call", seconds, chain=chain, captured=stderr[-_PROBLEM_LIMIT:])


def _problem(run: _Run, end: str, stderr: str) -> str:
    if run.results or run.exit in _REACHED_THE_END:
        return ""
    why = stderr.strip()[-_PROBLEM_LIMIT:]
    if run.exit is not None:
        return f"pytest ended with code {run.exit} before any test: {why}"
    return f"the run ended ({end}) before any test: {why}"
