"""Running the graph: from a request, or from where an earlier sitting of the same run stopped."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from filelock import FileLock, Timeout

from automation.config import load_automation_config
from automation.databases import open_database
from automation.pipeline.change import beginning_of, files_of, kept_proposal
from automation.pipeline.desk import Desk
from automation.pipeline.result import FixResult
from automation.pipeline.runs import Run, RunStore
from automation.pipeline.stages.record import keep_in_ledger
from automation.pipeline.state import RunState, Status
from trading.commands import Progress
from trading.errors import GridBotError, Refused

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.types import Command

    from automation.pipeline.graph import Context, Graph


def run_new(store: RunStore, run: Run) -> Generator[Progress, None, FixResult]:
    """Lead a new run through the graph."""
    with _alone(run.folder):
        return (yield from _run(store, run, _fresh(run)))


def resume(store: RunStore, run: Run) -> Generator[Progress, None, FixResult]:
    """Go on with a run that was interrupted or killed; any other raises Refused."""
    with _alone(run.folder):
        _require(store, run, Status.RUNNING, "only a run that was interrupted can be resumed")
        return (yield from _run(store, run, None))


def decide(
    store: RunStore, run: Run, *, approved: bool, by: str, reason: str = ""
) -> Generator[Progress, None, FixResult]:
    """Go on with a run that waits for approval; any other raises Refused."""
    from langgraph.types import Command

    answer: Command[str] = Command(resume={"approved": approved, "by": by, "reason": reason})
    with _alone(run.folder):
        _require(store, run, Status.AWAITING_APPROVAL, "only a run that awaits approval can be decided on")
        return (yield from _run(store, run, answer))


def abandon(store: RunStore, run: Run) -> FixResult:
    """Give up a run that is not at work; one that has ended, or is at work elsewhere, raises Refused."""
    with _alone(run.folder):
        return store.abandon(run)


def _require(store: RunStore, run: Run, wanted: Status, why: str) -> None:
    # Asked for while no other process can work on the run, so that of two at once the second finds what the first did.
    status = store.result(run).status
    if status is not wanted:
        raise Refused(f"run {run.run_id} is {status.value}; {why}")


def _run(store: RunStore, run: Run, given: RunState | Command[str] | None) -> Generator[Progress, None, FixResult]:
    # A decision is kept in the checkpoints: when this sitting is killed, the run is resumed, not decided on again.
    store.reopen(run)
    with _graph(store.folder / "checkpoints.db") as graph:
        thread: RunnableConfig = {"configurable": {"thread_id": run.run_id}, "recursion_limit": 200}
        known = _state(graph, thread)
        if given is None and not known:
            # Killed before the first stage was done: nothing is lost by starting anew.
            given = _fresh(run)
        config = load_automation_config()
        desk = Desk(
            run.folder, store.home, run.request, config, sum(known.get("seconds", {}).values()), files_of(known)
        )
        try:
            for step in graph.stream(given, thread, context=_context(desk), stream_mode="custom", durability="sync"):
                yield cast("Progress", step)
        except GridBotError as error:
            desk.discard()
            kept = _state(graph, thread) or _fresh(run)
            refused: RunState = {**kept, "status": str(Status.REFUSED), "reason": str(error)}
            keep_in_ledger(store.home, refused)
            return store.settle(run, refused)
        except KeyboardInterrupt as stop:
            raise KeyboardInterrupt(f"`gridbot runs resume {run.run_id}` goes on from here") from stop
        finally:
            desk.close()
        state = _state(graph, thread)
        interrupts = graph.get_state(thread).interrupts
        if interrupts:
            waiting = interrupts[0].value
            state |= {"status": Status.AWAITING_APPROVAL, "reason": waiting["why"], "patch": waiting["patch"]}
    return store.settle(run, state)


def _context(desk: Desk) -> Context:
    from automation.pipeline.graph import Context

    return Context(desk)


def _state(graph: Graph, thread: RunnableConfig) -> RunState:
    return cast("RunState", dict(graph.get_state(thread).values))


def _fresh(run: Run) -> RunState:
    return {
        "run_id": run.run_id,
        "started_ms": run.started_ms,
        "target": str(run.request.path.resolve()),
        "request": run.request.model_dump(mode="json"),
        "status": str(Status.RUNNING),
        "reason": "",
        "seconds": {},
        **beginning_of(kept_proposal(run.folder)),
    }


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        with FileLock(folder / "run.lock", timeout=0):
            yield
    except Timeout:
        raise Refused(f"run {folder.name} is at work in another process; wait for it, or stop that process") from None


@contextmanager
def _graph(path: Path) -> Iterator[Graph]:
    # Before the import: only plain data may be read back from a checkpoint.
    os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
    from langgraph.checkpoint.sqlite import SqliteSaver

    from automation.pipeline.graph import build_graph

    with closing(open_database(path)) as connection:
        yield build_graph(SqliteSaver(connection))
