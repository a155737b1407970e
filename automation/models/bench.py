"""How fast a model is on this machine: reading, writing, filling in a line."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from statistics import median
from time import perf_counter
from uuid import uuid4

from automation.errors import AnswerCut, ModelFailed
from automation.models.protocol import Generation, Message
from automation.models.results import Measured
from automation.models.selection import Resolved
from trading.commands import Progress

_CONTEXT = 4096
_SCHEMA = {"type": "object", "properties": {"answer": {"const": "ok"}}, "required": ["answer"]}
_PARAGRAPH = (
    "A grid places buy orders below the price and sell orders above it. Each buy that fills arms a sell one level"
    " higher, and each sell that fills arms a buy one level lower, so that every swing through a level earns the"
    " distance between two levels less the fees. A trailing order follows the price and triggers when it turns.\n"
)
_PREFIX = "def spread(bids: list[float], asks: list[float], depth_{number}: int) -> float:\n    best_bid = max(bids)\n"
_SUFFIX = "\n    return best_ask - best_bid\n"
_FIM_TRIES = 3
_STEPS = 4


def measure(resolved: Resolved, tokens: int) -> Generator[Progress, None, Measured]:
    """Measure one model.

    Parameters
    ----------
    resolved : Resolved
        The model and its backend.
    tokens : int
        Tokens to generate.
    """
    name, backend = resolved.info.name, resolved.backend
    how = Generation(max_tokens=max(tokens, 32), context=_CONTEXT, timeout_s=600.0)
    yield Progress(f"{name}: loading", 0, _STEPS)
    began = perf_counter()
    backend.structured(name, [Message("user", "Answer with ok.")], _SCHEMA, how)
    load_s = perf_counter() - began
    yield Progress(f"{name}: reading", 1, _STEPS)
    # The nonce keeps a server that remembers prompts from skipping the work.
    question = f"{uuid4().hex}\n{_PARAGRAPH * 5}\nAnswer with ok."
    answer = backend.structured(name, [Message("user", question)], _SCHEMA, how)
    reads = answer.prompt_tokens / answer.seconds if answer.seconds else 0.0
    yield Progress(f"{name}: writing", 2, _STEPS)
    writes = _writing_rate(resolved, how)
    yield Progress(f"{name}: filling in", 3, _STEPS)
    fim_s = _fim_latency(resolved, how) if resolved.info.fim else None
    return Measured(name, backend.name, load_s, reads, writes, fim_s)


def _writing_rate(resolved: Resolved, how: Generation) -> float:
    times: list[float] = []
    question = [Message("user", f"{uuid4().hex}: explain grid trading in five hundred words.")]
    # It is meant to run into its limit: the pieces are timed.
    with suppress(AnswerCut):
        resolved.backend.chat(resolved.info.name, question, how, lambda _: times.append(perf_counter()))
    if len(times) < 2 or times[-1] == times[0]:
        raise ModelFailed(f"{resolved.info.name} wrote too little to be timed; give --tokens a larger number")
    return (len(times) - 1) / (times[-1] - times[0])


def _fim_latency(resolved: Resolved, how: Generation) -> float:
    taken = []
    for number in range(_FIM_TRIES):
        began = perf_counter()
        prefix = f"# {uuid4().hex}\n{_PREFIX.format(number=number)}    best_ask ="
        line = Generation(0.0, 24, how.context, number, ("\n",), how.timeout_s)
        with suppress(AnswerCut):
            resolved.backend.complete(resolved.info.name, prefix, _SUFFIX, line)
        taken.append(perf_counter() - began)
    return median(taken)
