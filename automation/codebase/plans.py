"""What a sandbox is made of, decided outside of it and carried out inside."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from automation.codebase.interpreters import Interpreter, interpreter
from automation.codebase.visibility import closed_parents, plan_visibility

INSIDE = Path(__file__).resolve().parent / "inside"

# libraries that start threads on import would make the fork unsafe
ONE_THREAD = {
    name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
}


@dataclass(frozen=True, slots=True)
class Setup:
    """What a caller asks of a sandbox; the fields are those of `ForkServer`."""

    tree: Path
    python: Path
    preload: Sequence[str] = ()
    environment: Mapping[str, str] | None = None
    python_path: Sequence[str] = ()
    show: Sequence[Path] = ()
    hide: Sequence[Path] = ()


def can_drop(python: Path, show: Sequence[Path], namespaces: bool) -> bool:
    """Say whether jobs can run as another user: only root can, and that user must reach the interpreter."""
    if os.geteuid() != 0:
        return False
    return namespaces or not any(closed_parents(path.resolve()) for path in _needed(interpreter(python), show))


def make_plan(setup: Setup, namespaces: bool) -> dict[str, object]:
    """Return a plan for one worker as JSON data, with a folder of its own when the tree has to be copied."""
    facts, tree = interpreter(setup.python), setup.tree.resolve()
    show = [*map(Path, setup.python_path), *setup.show]
    plan: dict[str, object] = {
        "namespaces": namespaces,
        "drop": can_drop(setup.python, show, namespaces),
        "tree": str(tree),
        "sys_path": facts.search,
        "preload": list(setup.preload),
        "environment": _environment(facts),
        "variables": dict(setup.environment or {}),
        "python_path": list(setup.python_path),
    }
    if not namespaces:
        return {**plan, "folder": tempfile.mkdtemp(prefix="gridbot-sandbox-")}
    view = plan_visibility(tree, _needed(facts, show), setup.hide)
    user = os.geteuid() != 0
    return {**plan, "user": user, "steps": view.steps, "links": view.links, "hide_in_tree": view.hide_in_tree}


def _needed(python: Interpreter, show: Sequence[Path]) -> list[Path]:
    return [python.executable, *map(Path, (*python.folders, *python.search)), *show, INSIDE]


def _environment(python: Interpreter) -> dict[str, str]:
    return {
        **ONE_THREAD,
        "PATH": os.pathsep.join([str(python.executable.parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "LANG": "C.UTF-8",
        "USER": "gridbot",
        "LOGNAME": "gridbot",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
