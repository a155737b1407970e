"""The tasks and shortcuts that people look for: command lines of the registry with VS Code's variables in them."""

from __future__ import annotations

from dataclasses import dataclass

PREFIXES = ("GridBot: ", "AI: ", "Agent: ")


@dataclass(frozen=True, slots=True)
class Input:
    """Something that VS Code asks for when a task starts; ``id`` is its name in ``${input:id}``."""

    id: str
    description: str
    default: str = ""


@dataclass(frozen=True, slots=True)
class NamedTask:
    """One task.

    Parameters
    ----------
    label : str
        Its name in VS Code.
    words : tuple of str
        The command line without the program; VS Code's variables stand for words.
    key : str
        Its shortcut; empty without one.
    background : bool
        It runs until it is stopped.
    finds : bool
        It prints findings that belong into the Problems view.
    """

    label: str
    words: tuple[str, ...]
    key: str = ""
    background: bool = False
    finds: bool = False


INPUTS = (
    Input("gridbot-request", "What shall GridBot do? Plain English, such as: debug the websocket connection"),
    Input("gridbot-query", "What are you looking for? Such as: where are grid levels placed"),
    Input("gridbot-error", "The error: its message, or a traceback's last line"),
)

NAMED_TASKS = (
    NamedTask("GridBot: core (paper)", ("paper", "--symbol", "BTC/USDT"), background=True),
    NamedTask("GridBot: exchange server", ("exchange", "--symbol", "BTC/USDT", "--speed", "60"), background=True),
    NamedTask("GridBot: console", ("console",), background=True),
    NamedTask("GridBot: MCP server", ("mcp", "--http"), background=True),
    NamedTask("GridBot: health check", ("health",)),
    NamedTask("GridBot: model health check", ("models", "health")),
    NamedTask(
        "AI: natural language", ("ask", "--file", "${file}", "${input:gridbot-request}"), "ctrl+shift+a", finds=True
    ),
    NamedTask("AI: semantic search", ("search", "${input:gridbot-query}"), "ctrl+shift+s"),
    NamedTask("AI: explain last error", ("explain", "--last"), "ctrl+shift+e", finds=True),
    NamedTask("AI: explain an error", ("explain", "${input:gridbot-error}"), finds=True),
    NamedTask("AI: generate tests", ("test", "${relativeFile}"), "ctrl+shift+t"),
    NamedTask("AI: review", ("review", "${relativeFile}"), "ctrl+shift+r", finds=True),
    NamedTask("AI: review the current diff", ("review", "--diff"), finds=True),
    NamedTask("AI: document", ("document", "${relativeFile}"), "ctrl+shift+j"),
    NamedTask("AI: optimize", ("optimize", "${relativeFile}"), "ctrl+shift+o"),
    NamedTask("Agent: full pipeline", ("nightly",), "ctrl+shift+f12", finds=True),
    NamedTask("Agent: debug pipeline", ("fix",), "ctrl+shift+d", finds=True),
    NamedTask("Agent: debug current file", ("ask", "--file", "${file}", "debug this file"), finds=True),
)
