"""Rewrites of a hot function by a model: the whole function, several samples."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from automation.codebase.edits import replace_function
from automation.codebase.sources import SourceFile
from automation.errors import EditRefused
from automation.models.protocol import Message, Model
from automation.repair.asking import Deadline, Samples, ask
from automation.repair.context import function_context
from automation.repair.whole_function import extract_code
from automation.tasks.optimize.drafts import Draft, edits_between
from automation.tasks.optimize.profiling import HotFunction

_TEMPERATURES = (0.0, 0.5, 0.7, 0.9)
_MOST_TOKENS = 900
_SYSTEM = (
    "You make Python functions faster without changing what they do. Answer with the one rewritten function in a "
    "```python code block, nothing else."
)


def model_drafts(
    model: Model,
    source: SourceFile,
    function: HotFunction,
    made: Samples,
    samples: int,
    *,
    seed: int,
    deadline: Deadline,
) -> Iterator[Draft]:
    """Yield what a model makes of a function; name, signature and decorators stay.

    Parameters
    ----------
    model : Model
        Any that chats.
    source : SourceFile
        The function's file.
    function : HotFunction
        What is slow.
    made : Samples
        Takes what became of the answers.
    samples : int
        Answers that are asked for.
    seed : int
        Same seed, same answers.
    deadline : callable
        Seconds left.
    """
    context = function_context(source, function.name)
    if context is None:
        return
    name = function.name.rpartition(".")[2]
    code = textwrap.dedent(context.text).rstrip()
    preamble = f"Context:\n```python\n{context.preamble.strip()}\n```\n\n" if context.preamble else ""
    wanted = (
        f"{preamble}This function is slow:\n```python\n{code}\n```\n\nIt was called {function.calls:,} times. Write a "
        f"faster `{name}` with the same name, parameters, results and errors. Use only what the file imports already."
    )
    messages = (Message("system", _SYSTEM), Message("user", wanted))
    seen = {source.text}
    for number in range(samples):
        temperature = _TEMPERATURES[number % len(_TEMPERATURES)]
        answer = ask(
            lambda left, number=number, temperature=temperature: model.chat(  # type: ignore[misc]
                messages, temperature=temperature, seed=seed + number, max_tokens=_MOST_TOKENS, timeout_s=left
            ),
            made,
            deadline,
        )
        if made.ended:
            return
        found = extract_code(answer, name) if answer else None
        if found is None:
            continue
        try:
            changed = replace_function(source, function.name, found, line=function.line)
        except EditRefused:
            continue
        if changed.text not in seen:
            seen.add(changed.text)
            edits = edits_between(source.text, changed.text)
            yield Draft(
                f"function:{model.name}", f"{name} written anew", source.path, function.name, function.line, edits
            )


def said_of(made: Samples) -> str:
    """Return in words why a model's answers held no rewrite."""
    if made.ended:
        return made.ended
    told = [f"{count} {what}" for what, count in (("failed", made.failed), ("were cut", made.cut)) if count]
    return f"of {made.asked} answers {', '.join(told) or 'none held another function of this name'}"
