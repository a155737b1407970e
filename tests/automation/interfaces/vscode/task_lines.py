"""The tasks of ``.vscode/tasks.json``, and their command lines with VS Code's variables filled in."""

from __future__ import annotations

import re
from pathlib import Path

from automation.interfaces.vscode.jsonc import read_jsonc

FILE = "trading/market/timeframes.py"
INPUTS = {
    "gridbot-request": "how are my sessions",
    "gridbot-query": "where are grid levels placed",
    "gridbot-error": "KeyError: 'close'",
    "gridbot-config-set-value": "4",
    "gridbot-config-set-name": "repair.samples",
}
_VARIABLE = re.compile(r"\$\{(input:)?([\w-]+)\}")


def tasks_of(path: Path) -> list[dict[str, object]]:
    """Return the tasks of a tasks.json."""
    data = read_jsonc(path.read_text(encoding="utf-8"), str(path))
    assert isinstance(data, dict)
    tasks: list[dict[str, object]] = data["tasks"]
    return tasks


def filled(task: dict[str, object], root: Path, home: Path) -> list[str]:
    """Return a task's words as VS Code would pass them for a file of this repository."""
    variables = {"file": str(root / FILE), "relativeFile": FILE, "workspaceFolder": str(root)}

    def value(match: re.Match[str]) -> str:
        return INPUTS.get(match[2], "1") if match[1] else variables[match[2]]

    words = task["args"]
    assert isinstance(words, list)
    return ["--home", str(home), *(_VARIABLE.sub(value, str(word)) for word in words)]
