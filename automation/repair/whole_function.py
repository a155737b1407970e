"""Candidates from a model that writes one whole function; it hears why an answer failed when that can help."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from automation.codebase.edits import replace_function
from automation.codebase.sources import SourceFile
from automation.errors import EditRefused
from automation.models.protocol import Answer, Message, Model
from automation.repair.asking import Deadline, Samples, ask
from automation.repair.context import FunctionContext, failure_lines, function_context, values_at
from automation.repair.localise import FunctionRank, functions
from automation.repair.records import Candidate, Evidence, Place
from automation.repair.rewrites import minimal_edits

_MOST_FUNCTIONS = 4
_MOST_ROUNDS = 2
_TEMPERATURES = (0.6, 0.7, 0.8, 0.9)
_PRIOR, _SAMPLED_PRIOR = 0.35, 0.20
_LEAST_TOKENS, _MOST_TOKENS = 160, 900
_LONGEST_TEST = 1200
_FENCE = re.compile(r"```[ \t]*[\w+-]*[ \t]*\r?\n(.*?)(?:\r?\n[ \t]*```|\Z)", re.DOTALL)
# A wrong name, type or bracket can be mended by who hears of it; a wrong idea is better drawn anew.
_TOLD_BACK = frozenset({
    "SyntaxError", "IndentationError", "TabError", "NameError", "UnboundLocalError", "TypeError", "AttributeError",
    "ImportError", "ModuleNotFoundError",
})  # fmt: skip

_SYSTEM = "You repair Python functions. Answer with the one corrected function in a ```python code block, nothing else."


class Feedback(Protocol):
    """What is sent back on a candidate that failed: a `Verdict` is one."""

    @property
    def exception(self) -> str:
        """Type of the exception that the failing test raised."""
        ...

    @property
    def reason(self) -> str:
        """Why it is not plausible, in one line."""
        ...


Candidates = Generator[Candidate, Feedback | None, None]


def function_candidates(
    model: Model,
    source: SourceFile,
    places: Sequence[Place],
    evidence: Evidence,
    *,
    samples: int,
    seed: int,
    deadline: Deadline,
    calls: Sequence[str] = (),
    made: Samples | None = None,
) -> Candidates:
    """Yield candidates in which one function's body is written anew.

    Of each suspicious function there is one greedy answer and then samples at 0.6 to 0.9; the most suspicious one is
    drawn most often. Name, signature, decorators and docstring stay the original's, and only changed lines become
    edits. When a verdict is sent back that names a syntax, name or type error, the same conversation goes on, for two
    rounds at most.

    Parameters
    ----------
    model : Model
        Any that chats.
    source : SourceFile
        The file.
    places : sequence of Place
        Suspicious lines of that file, best first.
    evidence : Evidence
        Of the failure.
    samples : int
        Sampled answers for the most suspicious function, beside the greedy one.
    seed : int
        Same seed, same candidates.
    deadline : callable
        Seconds left.
    calls : sequence of str
        How the functions are called elsewhere, from `call_texts`.
    made : Samples, optional
        Is counted up.

    Yields
    ------
    Candidate
        With the proposer ``function:<model>``; takes the verdict on it, or None, by ``send``.
    """
    made = made if made is not None else Samples()
    ranks = [rank for rank in functions(places) if rank.function][:_MOST_FUNCTIONS]
    seen = {source.text}
    tasks: dict[str, _Task] = {}
    for rank, sample in _schedule(ranks, samples):
        if rank.function not in tasks:
            context = function_context(source, rank.function)
            if context is None:
                continue
            tasks[rank.function] = _Task(
                source, context, _place(rank, places), _prompt(context, source, evidence, calls)
            )
        yield from _talk(model, tasks[rank.function], _Draw(sample, seed, deadline), made, seen)
        if made.ended:
            return


@dataclass(frozen=True, slots=True)
class _Task:
    source: SourceFile
    context: FunctionContext
    place: Place
    prompt: tuple[Message, ...]

    @property
    def tokens(self) -> int:
        # About three characters of code make a token; the answer may be half as long again as the function.
        return max(_LEAST_TOKENS, min(_MOST_TOKENS, len(self.context.text) // 2 + 60))


@dataclass(frozen=True, slots=True)
class _Draw:
    sample: int
    seed: int
    deadline: Deadline


def _schedule(ranks: Sequence[FunctionRank], samples: int) -> Iterator[tuple[FunctionRank, int]]:
    """Draw 3 answers of the first function, 2 of the second, 1 of the third, and so on until all are drawn."""
    drawn = [0] * len(ranks)
    shares = [max(1, 3 - at) for at in range(len(ranks))]
    while any(count <= samples for count in drawn):
        for at, rank in enumerate(ranks):
            for _ in range(shares[at]):
                if drawn[at] <= samples:
                    yield rank, drawn[at]
                    drawn[at] += 1


def _talk(model: Model, task: _Task, draw: _Draw, made: Samples, seen: set[str]) -> Candidates:
    messages = list(task.prompt)
    for round_ in range(_MOST_ROUNDS + 1):
        answer = ask(partial(_chat, model, tuple(messages), task, draw, round_), made, draw.deadline)
        if answer is None:
            return
        candidate, problem = _candidate(task, answer, draw.sample, model.name)
        if candidate is not None and candidate.text() in seen:
            candidate, problem = None, ""
        if candidate is None:
            made.unusable += 1
        else:
            seen.add(candidate.text())
            verdict = yield candidate
            kind = verdict.exception.rsplit(".", 1)[-1] if verdict is not None else ""
            problem = verdict.reason if verdict is not None and kind in _TOLD_BACK else ""
        if not problem:
            return
        messages += [Message("assistant", answer), Message("user", f"That fails: {problem[:300]}\nWrite it again.")]


def _chat(model: Model, messages: Sequence[Message], task: _Task, draw: _Draw, round_: int, left: float) -> Answer:
    sampled = draw.sample > 0
    return model.chat(
        messages,
        temperature=_TEMPERATURES[(draw.sample - 1) % len(_TEMPERATURES)] if sampled else 0.0,
        seed=draw.seed + 100 * round_ + draw.sample,
        max_tokens=task.tokens,
        timeout_s=left,
    )


def _place(rank: FunctionRank, places: Sequence[Place]) -> Place:
    return next(place for place in places if place.function == rank.function and place.line == rank.lines[0])


def _prompt(
    context: FunctionContext, source: SourceFile, evidence: Evidence, calls: Sequence[str]
) -> tuple[Message, ...]:
    name = context.name.rsplit(".", 1)[-1]
    parts = []
    if context.preamble:
        parts.append(f"Context:\n```python\n{context.preamble.strip()}\n```")
    parts.append(f"This function is wrong:\n```python\n{textwrap.dedent(context.text).rstrip()}\n```")
    if evidence.test_source:
        shown = textwrap.dedent(evidence.test_source)[:_LONGEST_TEST].rstrip()
        parts.append(f"This test fails:\n```python\n{shown}\n```")
    parts.append("\n".join(failure_lines(evidence)))
    values = values_at(evidence, source.path, context.first, context.last)
    if values:
        parts.append("Values seen:\n" + "\n".join(values))
    used = [call for call in calls if f"{name}(" in call]
    if used:
        parts.append("Called so:\n" + "\n".join(used))
    parts.append(f"Write the corrected function `{name}`; keep its name and parameters, change as little as needed.")
    return Message("system", _SYSTEM), Message("user", "\n\n".join(part for part in parts if part))


def _candidate(task: _Task, answer: str, sample: int, model: str) -> tuple[Candidate | None, str]:
    """Return the candidate, or None and what to tell the model; nothing is told where it wrote no code."""
    name = task.context.name.rsplit(".", 1)[-1]
    code = extract_code(answer, name)
    if code is None:
        return None, ""
    try:
        changed = replace_function(task.source, task.context.name, _without_docstring(code, name), line=task.place.line)
    except EditRefused as refused:
        return None, str(refused)
    edits = minimal_edits(task.source.text, changed.text)
    if not edits:
        return None, ""
    prior = _SAMPLED_PRIOR if sample else _PRIOR
    return Candidate(task.source, edits, f"function:{model}", task.place, f"{name} written anew", prior), ""


def extract_code(answer: str, name: str) -> str | None:
    """Take the code out of an answer.

    Parameters
    ----------
    answer : str
        What a model wrote.
    name : str
        The function that is wanted.

    Returns
    -------
    str or None
        The last fenced block that defines the function, whether its fence is closed or not; without fences the text
        from the first ``def`` or decorator on; None where nothing defines it.
    """
    defines = re.compile(rf"^[ \t]*(?:async[ \t]+)?def[ \t]+{re.escape(name)}\b", re.MULTILINE)
    blocks = [match[1] for match in _FENCE.finditer(answer) if defines.search(match[1])]
    if blocks:
        return blocks[-1]
    found = defines.search(answer)
    if found is None or "```" in answer:
        return None
    kept: list[str] = []
    for line in answer[found.start() :].splitlines():
        if kept and line.strip() and not line[0].isspace():
            break
        kept.append(line)
    return "\n".join(kept) + "\n"


def _without_docstring(code: str, name: str) -> str:
    dedented = textwrap.dedent(code)
    try:
        tree = ast.parse(dedented)
    except SyntaxError:
        return code
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name and len(node.body) > 1:
            first = node.body[0]
            if ast.get_docstring(node) is not None and first.lineno > node.lineno:
                lines = dedented.splitlines(keepends=True)
                return "".join(lines[: first.lineno - 1] + lines[first.end_lineno :])
    return dedented
