"""What a sandbox is made of, decided outside of it and carried out inside."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from automation.codebase.interpreters import Interpreter, interpreter
from automation.codebase.limits import Limits
from automation.codebase.visibility import closed_parents, plan_visibility
from automation.errors import SandboxUnavailable

INSIDE = Path(__file__).resolve().parent / "inside"

# libraries that start threads on import would make the fork unsafe
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")


_COLLECT_S = 60


@dataclass(frozen=True, slots=True)
class Request:
    """One job: an entry file with its job, or a program's words."""

    entry: str = ""
    job: Mapping[str, object] | None = None
    argv: Sequence[str] | None = None

    def header(self, files: Mapping[str, bytes | None], limits: Limits) -> dict[str, object]:
        """Return what the sandbox is told beside the contents of the files."""
        names = [(name, content is not None) for name, content in files.items()]
        parts = {"entry": self.entry, "job": self.job, "argv": self.argv}
        return {**parts, "files": names, "limits": limits.as_request()}


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
    entry: str = ""
    collect: Sequence[str] | None = None


def can_drop(python: Path, show: Sequence[Path], namespaces: bool) -> bool:
    """Say whether jobs can run as another user: only root can, and that user must reach the interpreter."""
    if os.geteuid() != 0:
        return False
    return namespaces or not any(closed_parents(path.resolve()) for path in _needed(interpreter(python), show))


def make_plan(setup: Setup, namespaces: bool, limits: Limits = Limits()) -> dict[str, object]:  # noqa: B008 - frozen
    """Return a plan for one worker as JSON data, with a folder of its own when the tree has to be copied."""
    facts, tree = interpreter(setup.python), setup.tree.resolve()
    show = [*(tree / folder for folder in setup.python_path), *setup.show]
    plan: dict[str, object] = {
        "namespaces": namespaces,
        "drop": can_drop(setup.python, show, namespaces),
        "tree": str(tree),
        "sys_path": facts.search,
        "preload": list(setup.preload),
        "environment": _environment(facts),
        "variables": dict(setup.environment or {}),
        "python_path": list(setup.python_path),
        "entry": setup.entry,
        "collect": None if setup.collect is None else _collection(setup.collect, limits),
    }
    if not namespaces:
        return {**plan, "folder": _copy_folder(tree)}
    view = plan_visibility(tree, _needed(facts, show), setup.hide)
    user = os.geteuid() != 0
    return {**plan, "user": user, "steps": view.steps, "links": view.links, "hide_in_tree": view.hide_in_tree}


def _collection(arguments: Sequence[str], limits: Limits) -> dict[str, object]:
    request = Request(str(INSIDE / "collect.py"), {"arguments": list(arguments)})
    return request.header({}, replace(limits, wall_s=min(limits.wall_s, _COLLECT_S)))


def _copy_folder(tree: Path) -> str:
    temporary = Path(tempfile.gettempdir()).resolve()
    if temporary.is_relative_to(tree):
        raise SandboxUnavailable(f"the copy of {tree} would lie in it, below {temporary}; set TMPDIR to another folder")
    return tempfile.mkdtemp(prefix="gridbot-sandbox-")


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
