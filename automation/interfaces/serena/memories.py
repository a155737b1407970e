"""The notes for agents in ``.serena/``, made from the code; ``--write`` on this module's command line writes them."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from automation.registry import gridbot_registry

FOLDER = ".serena"
_WINGS = ("trading", "automation")
# What a distribution is called where it is imported, when that is not its own name.
_IMPORTED_AS = {
    "ta-lib": "talib",
    "langgraph-checkpoint-sqlite": "langgraph.checkpoint.sqlite",
    "xgboost-cpu": "xgboost",
}
_WIDTH = 118

_PROJECT = """project_name: gridbot
language_servers:
- python_jedi
encoding: utf-8
ignore_all_files_in_gitignore: true
ignored_paths: []
read_only: false
default_modes:
added_modes:
included_apis: []
excluded_apis: []
excluded_tools: []
included_optional_tools: []
fixed_tools: []
symbol_info_budget:
language_backend:
agent_interface:
line_ending:
read_only_memory_patterns:
- .*
ignored_memory_patterns: []
ls_specific_settings: {}
ls_workspace_folders:
- .
ls_additional_workspace_folders: []
initial_prompt: Read the memories project_structure and code_style_conventions before you edit.
activation_command:
activation_command_timeout: 180.0
"""
_IGNORED = "/cache\n/logs\n/project.local.yml\n"

_RULES = """## Package by noun
- A file has one reason to change: under 300 lines, never over 600. A function stays under 40 lines.
- A folder's `__init__.py` says in one sentence what lives there and hands on its public names; nothing else.
- The field's own terms: candle, maker, taker, tick, lot, notional, drawdown, fill; incident, candidate, verdict.
  No `utils`, `helpers`, `manager`, `enhanced_`. A name that needs a comment needs another name.

## Types
- Frozen dataclasses for what travels, pydantic for what comes from outside, Protocols where two implementations meet.
- Complete annotations; no `Any` in public signatures.
- Time, randomness and ids are injected. Money is an integer or a Decimal. A unit is in the name (`timeout_s`,
  `price_ticks`) or in the docstring.

## Docstrings and comments
- Public names: NumPy style, one sentence first, then parameters with shapes and units, returns, raises, and the source
  of a formula. Private names have none. Comments say why, never what.

## Errors and logs
- Raise early, typed (`trading.errors`, `automation.errors`): one sentence with what, where and what to do. Catch only
  what can be handled; never guess a value. Exit codes are those of `trading.errors.ExitCode`.
- Module loggers, events as key=value, nothing secret.

## Commands
- One entry of plain data in the `registered.py` of the folder that does the work; every face is derived from it.
- A command is a generator `run(request) -> Generator[Progress | News, None, Result]`; heavy imports live inside.

## Changes of code by programs
- There is one road: a Patch, a private copy, the guard, the whole suite, approval, a branch, the ledger.

## Tests
- They mirror the tree and are named by scenario: `test_sell_fills_once_when_ack_is_lost`.
- Real parts: real SQLite, real files, real processes, the built-in exchange; fakes only at the edge of the machine.
- No sleeps: wait for a condition. A property test for every invariant. No network: everything listens on 127.0.0.1.
- What takes more than a few seconds is marked `slow`.
"""

# For this task, read these first.
ROUTES: Mapping[str, Sequence[str]] = {
    "how the grid decides": ("trading/engine/decisions.py", "trading/engine/grid.py", "docs/decisions.md"),
    "orders, fills and recovery": ("trading/orders/journal.py", "trading/sessions/live_session.py", "docs/live.md"),
    "a new signal agent": ("trading/signals/agents", "tests/trading/signals"),
    "a new command": ("trading/commands.py", "automation/registry.py", "automation/tasks/requests.py"),
    "how a repair runs": ("automation/pipeline/graph.py", "automation/repair/search.py", "docs/maintenance.md"),
    "what may be changed by whom": (
        "automation/codebase/guard.py",
        "automation/pipeline/approval.py",
        "docs/sandbox.md",
    ),
    "settings": ("trading/settings.py", "automation/config_sections.py", "docs/settings.md"),
    "programs as users": ("automation/interfaces/mcp/server.py", "docs/mcp.md"),
}


def serena_files(root: Path) -> dict[str, str]:
    """Return what ``.serena/`` of a checkout has to hold, by path from the checkout.

    Parameters
    ----------
    root : Path
        The checkout; its folders' docstrings, ``pyproject.toml``, Makefile and the registry are read.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    memories = {
        "project_overview": _overview(root, project),
        "tech_stack": _stack(root, project),
        "project_structure": _structure(root, project),
        "code_style_conventions": _conventions(project),
    }
    files = {f"{FOLDER}/project.yml": _PROJECT, f"{FOLDER}/.gitignore": _IGNORED}
    return files | {f"{FOLDER}/memories/{name}.md": text for name, text in memories.items()}


def stale_files(root: Path) -> tuple[str, ...]:
    """Return which of these files differ from what they have to hold, or are missing."""
    return tuple(
        path
        for path, text in serena_files(root).items()
        if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != text
    )


def write_files(root: Path) -> tuple[str, ...]:
    """Write the files that are stale, and return them."""
    stale = stale_files(root)
    for path in stale:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(serena_files(root)[path], encoding="utf-8")
    return stale


def main(arguments: Sequence[str] | None = None) -> int:
    """Tell which files are stale; with ``--write`` write them anew."""
    root = Path(__file__).resolve().parents[3]
    write = "--write" in (sys.argv[1:] if arguments is None else arguments)
    found = write_files(root) if write else stale_files(root)
    for path in found:
        sys.stdout.write(f"{'wrote' if write else 'stale'} {path}\n")
    return int(bool(found) and not write)


def _overview(root: Path, project: Mapping[str, object]) -> str:
    about = _table(project, "project")
    wings = [f"- `{wing}/`: {_sentence(root / wing / '__init__.py')}" for wing in _WINGS]
    commands = [f"- `gridbot {one.name}` ({one.risk.value}): {one.summary}" for one in gridbot_registry()]
    targets = re.findall(
        r'^\t@echo "make (\S+)\s+(.*)"$', (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    makes = [f"- `make {name}`: {meaning}" for name, meaning in targets]
    return _page(
        "Project overview",
        str(about["description"]),
        "",
        *wings,
        "",
        "Automation may import trading, never the reverse. Paper trading and the built-in exchange are the default",
        "everywhere; real money needs keys, a typed confirmation and a person.",
        "",
        "## Checks",
        *makes,
        "",
        "## Commands",
        *commands,
    )


def _stack(root: Path, project: Mapping[str, object]) -> str:
    about = _table(project, "project")
    used = _imports(root)
    needed = [str(each) for each in _list(about, "dependencies")]
    lines = [
        f"Python {about['requires-python']}; ranges in `pyproject.toml`, one whole set in `constraints.txt`.",
        "",
        "## Needed",
        *(_dependency(each, used) for each in needed),
    ]
    for name, extra in _table(about, "optional-dependencies").items():
        lines += ["", f"## Extra `{name}`"]
        lines += [_dependency(str(each), used) for each in (extra if isinstance(extra, list) else [])]
    return _page("Tech stack", *lines)


def _structure(root: Path, project: Mapping[str, object]) -> str:
    lines: list[str] = []
    for wing in _WINGS:
        lines += [f"## {wing}", _sentence(root / wing / "__init__.py"), ""]
        lines += list(_folders(root, root / wing))
        lines += ["", f"Layers, high to low: {'; '.join(_layers(project, wing))}.", ""]
    lines += [
        "## Tests",
        "`tests/` mirrors both wings; `benchmarks/` holds what is measured, `docs/` what users read.",
        "",
    ]
    lines += ["## For this task read these files"]
    lines += [f"- {task}: {', '.join(f'`{path}`' for path in paths)}" for task, paths in ROUTES.items()]
    return _page("Project structure", *lines)


def _conventions(project: Mapping[str, object]) -> str:
    ruff = _table(_table(project, "tool"), "ruff")
    lint = _table(ruff, "lint")
    complexity = _table(lint, "mccabe")["max-complexity"]
    return _page(
        "Code style conventions",
        "`make lint` runs ruff, mypy and import-linter.",
        f"Lines have at most {ruff['line-length']} characters, functions a complexity of at most {complexity}.",
        "Ruff's rules:",
        *_wrapped(", ".join(str(rule) for rule in _list(lint, "select")) + "."),
        "",
        _RULES.rstrip(),
    )


def _page(title: str, *lines: str) -> str:
    return "\n".join((f"# {title}", "", *lines)).rstrip() + "\n"


def _folders(root: Path, folder: Path) -> Iterator[str]:
    for file in sorted(folder.rglob("__init__.py")):
        if file.parent != folder:
            yield f"- `{file.parent.relative_to(root).as_posix()}/`: {_sentence(file)}"


def _sentence(file: Path) -> str:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return (ast.get_docstring(tree) or "").partition("\n")[0]


def _layers(project: Mapping[str, object], wing: str) -> Iterator[str]:
    for contract in _list(_table(_table(project, "tool"), "importlinter"), "contracts"):
        if isinstance(contract, dict) and contract.get("containers") == [wing]:
            # one in brackets may be missing; those beside each other are of one height
            yield from (
                str(layer).replace("(", "").replace(")", "").replace(" : ", ", ") for layer in contract["layers"]
            )


def _imports(root: Path) -> dict[str, set[str]]:
    used: dict[str, set[str]] = {}
    for wing in _WINGS:
        for file in sorted((root / wing).rglob("*.py")):
            parts = PurePosixPath(file.relative_to(root).as_posix()).parts
            place = ".".join(parts[:2]) if len(parts) > 2 else parts[0]
            for name in re.findall(r"^\s*(?:from|import) ([\w.]+)", file.read_text(encoding="utf-8"), re.MULTILINE):
                used.setdefault(name, set()).add(place)
    return used


def _dependency(requirement: str, used: Mapping[str, set[str]]) -> str:
    found = re.match(r"[\w-]+", requirement)
    name = found[0] if found else requirement
    module = _IMPORTED_AS.get(name, name.replace("-", "_"))
    places = sorted({place for known, where in used.items() if f"{known}.".startswith(f"{module}.") for place in where})
    return f"- `{requirement}`" + (f": {', '.join(places)}" if places else "")


def _wrapped(text: str) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        if line and len(line) + len(word) >= _WIDTH:
            yield line
            line = ""
        line = f"{line} {word}".strip()
    yield line


def _table(data: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = data[name]
    if not isinstance(value, dict):
        raise TypeError(f"{name} in pyproject.toml is no table")
    return value


def _list(data: Mapping[str, object], name: str) -> Iterable[object]:
    value = data[name]
    if not isinstance(value, list):
        raise TypeError(f"{name} in pyproject.toml is no list")
    return value


if __name__ == "__main__":
    sys.exit(main())
