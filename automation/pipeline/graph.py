"""The pipeline as a LangGraph graph: thin nodes around the stages, and the routes between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from automation.pipeline.desk import Desk
from automation.pipeline.stages.approve import approve
from automation.pipeline.stages.land import land
from automation.pipeline.stages.localise import localise
from automation.pipeline.stages.observe import observe
from automation.pipeline.stages.propose import propose
from automation.pipeline.stages.record import record
from automation.pipeline.stages.reproduce import reproduce
from automation.pipeline.stages.triage import triage
from automation.pipeline.stages.verify import verify
from automation.pipeline.stages.weigh import weigh
from automation.pipeline.state import RunState, Status

Stage = Callable[[Desk, RunState], RunState]


@dataclass(frozen=True, slots=True)
class Context:
    """What the nodes are given beside the state."""

    desk: Desk


Graph = CompiledStateGraph[RunState, Context, RunState, RunState]

STAGES: dict[str, Stage] = {
    "weigh": weigh,
    "observe": observe,
    "triage": triage,
    "reproduce": reproduce,
    "localise": localise,
    "propose": propose,
    "verify": verify,
    "approve": approve,
    "land": land,
    "record": record,
}


def build_graph(checkpointer: BaseCheckpointSaver[Any] | None = None) -> Graph:
    """Return the compiled graph.

    Parameters
    ----------
    checkpointer : BaseCheckpointSaver, optional
        Where the state is kept after each stage, so that a killed run can be resumed.
    """
    graph = StateGraph(RunState, context_schema=Context)
    for name, stage in STAGES.items():
        # LangGraph's overloads want a runtime that is passed by keyword only; a plain parameter is as good.
        graph.add_node(name, _node(name, stage))  # type: ignore[call-overload]
    graph.add_conditional_edges(START, _first, ["weigh", "observe"])
    graph.add_conditional_edges("weigh", _unless_settled("approve"), ["approve", "record"])
    for name, following in (("observe", "triage"), ("triage", "reproduce"), ("reproduce", "localise")):
        graph.add_conditional_edges(name, _unless_settled(following), [following, "record"])
    graph.add_conditional_edges("localise", _after_localise, ["propose", "approve", "record"])
    graph.add_conditional_edges("propose", _after_propose, ["verify", "localise", "record"])
    graph.add_conditional_edges("verify", _after_verify, ["propose", "localise", "approve"])
    graph.add_conditional_edges("approve", _unless_settled("land"), ["land", "record"])
    graph.add_edge("land", "record")
    graph.add_edge("record", END)
    return graph.compile(checkpointer=checkpointer)


def _node(name: str, stage: Stage) -> Callable[[RunState, Runtime[Context]], RunState]:
    def node(state: RunState, runtime: Runtime[Context]) -> RunState:
        desk = runtime.context.desk
        desk.listen(runtime.stream_writer)
        desk.enter(name, state)
        started = monotonic()
        changes = stage(desk, state)
        seconds = dict(state.get("seconds", {}))
        seconds[name] = seconds.get(name, 0.0) + monotonic() - started
        if "status" in changes:
            # A checkpoint holds plain data only.
            changes["status"] = str(changes["status"])
        return {**changes, "seconds": seconds}

    return node


def _first(state: RunState) -> str:
    return "weigh" if "proposal" in state else "observe"


def _settled(state: RunState) -> bool:
    return state["status"] != Status.RUNNING


def _unless_settled(following: str) -> Callable[[RunState], str]:
    return lambda state: "record" if _settled(state) else following


def _after_localise(state: RunState) -> str:
    if _settled(state):
        return "record"
    return "propose" if state["targets"] else "approve"


def _after_propose(state: RunState) -> str:
    if _settled(state):
        return "record"
    return "verify" if state["tier"] else "localise"


def _after_verify(state: RunState) -> str:
    if not state["targets"]:
        return "approve"
    # A group of failing tests was mended and another one waits: where to look is a new question.
    return "propose" if state["tier"] else "localise"
