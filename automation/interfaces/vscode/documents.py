"""The files of ``.vscode/`` as JSON data, made from the registry."""

from __future__ import annotations

from automation.interfaces.vscode.catalogue import INPUTS, NAMED_TASKS, Input, NamedTask
from automation.requests import field_extra, option_name
from trading.commands import Command, Registry, Risk

Json = dict[str, object]

_PROGRAM = "${workspaceFolder}/.venv/bin/gridbot"
_WINDOWS_PROGRAM = "${workspaceFolder}\\.venv\\Scripts\\gridbot.exe"
_MATCHER = {
    "owner": "gridbot",
    "source": "GridBot",
    "fileLocation": ["autoDetect", "${workspaceFolder}"],
    "pattern": {
        "regexp": "^(.+?):(\\d+):(\\d+): (error|warning|info): (.*)$",
        "file": 1,
        "line": 2,
        "column": 3,
        "severity": 4,
        "message": 5,
    },
}
# a server's own output says when it listens; the text before that is no finding
_BACKGROUND_MATCHER = {
    "owner": "gridbot-background",
    "pattern": {"regexp": "^(.+?):(\\d+): (.*)$", "file": 1, "line": 2, "message": 3},
    "background": {"activeOnStart": True, "beginsPattern": "^\\s*$", "endsPattern": "."},
}
_EXTENSIONS = (
    "ms-python.python",
    "ms-python.debugpy",
    "ms-python.mypy-type-checker",
    "charliermarsh.ruff",
    "tamasfe.even-better-toml",
)


def documents(registry: Registry) -> dict[str, Json | list[Json]]:
    """Return the content of each file of ``.vscode/`` by its name.

    Parameters
    ----------
    registry : Registry
        Every command that money or a person's own presence does not bind becomes a task; those that people look for
        come first, under names of their own.
    """
    tasks, inputs = _tasks(registry)
    return {
        "tasks.json": {"version": "2.0.0", "tasks": tasks, "inputs": inputs},
        "launch.json": {"version": "0.2.0", "configurations": _launches(), "inputs": _launch_inputs()},
        "settings.json": _settings(),
        "extensions.json": {"recommendations": list(_EXTENSIONS)},
        "keybindings.json": keybindings(),
        "mcp.json": {"servers": {"gridbot": {"type": "stdio", "command": _PROGRAM, "args": ["mcp"]}}},
    }


def keybindings() -> list[Json]:
    """Return GridBot's shortcuts as VS Code writes them."""
    return [
        {"key": task.key, "command": "workbench.action.tasks.runTask", "args": task.label}
        for task in NAMED_TASKS
        if task.key
    ]


def _tasks(registry: Registry) -> tuple[list[Json], list[Json]]:
    inputs = list(INPUTS)
    tasks = [_task(named, _summary(registry, named)) for named in NAMED_TASKS]
    taken = {" ".join(named.words) for named in NAMED_TASKS}
    lasting = {named.words[0] for named in NAMED_TASKS if named.background}
    for command in registry:
        if command.name in taken or (command.risk is Risk.MONEY and command.by_person):
            continue
        asked = _asked(command)
        inputs += asked
        words = (*command.name.split(), *_words(command, asked))
        named = NamedTask(f"GridBot: {command.name}", words, background=command.name in lasting)
        tasks.append(_task(named, command.summary))
    return tasks, [_input(each) for each in inputs]


def _task(named: NamedTask, summary: str) -> Json:
    task: Json = {
        "label": named.label,
        "detail": summary,
        "type": "process",
        "command": _PROGRAM,
        "windows": {"command": _WINDOWS_PROGRAM},
        "args": list(named.words),
        "options": {"cwd": "${workspaceFolder}"},
        "presentation": {"panel": "dedicated", "clear": True, "focus": named.label == "GridBot: console"},
        "problemMatcher": [],
    }
    if named.finds:
        task["problemMatcher"] = [_MATCHER]
    if named.background:
        task |= {"isBackground": True, "problemMatcher": [_BACKGROUND_MATCHER]}
    return task


def _summary(registry: Registry, named: NamedTask) -> str:
    names = sorted((command.name for command in registry), key=len, reverse=True)
    line = " ".join(named.words) + " "
    return next(registry[name].summary for name in names if line.startswith(f"{name} "))


def _asked(command: Command) -> list[Input]:
    fields = command.load_request().model_fields
    return [
        Input(_input_id(command, name), f"{command.name}: {field.description or name}")
        for name, field in fields.items()
        if field.is_required()
    ]


def _input_id(command: Command, field: str) -> str:
    return "gridbot-" + "-".join([*command.name.split(), field.replace("_", "-")])


def _words(command: Command, asked: list[Input]) -> list[str]:
    words: list[str] = []
    fields = command.load_request().model_fields
    known = {each.id for each in asked}
    for name, field in fields.items():
        if _input_id(command, name) not in known:
            continue
        spelling = [] if field_extra(field).get("positional") else [option_name(name, field)]
        words += [*spelling, f"${{input:{_input_id(command, name)}}}"]
    return words


def _input(each: Input) -> Json:
    return {"id": each.id, "type": "promptString", "description": each.description, "default": each.default}


def _launches() -> list[Json]:
    def debug(name: str, arguments: list[str], **more: object) -> Json:
        base: Json = {"name": name, "type": "debugpy", "request": "launch", "console": "integratedTerminal"}
        return {**base, "module": "automation.cli", "args": arguments, "cwd": "${workspaceFolder}", **more}

    return [
        debug("GridBot: backtest", ["backtest", "--candles", "${input:gridbot-candles}"]),
        debug("GridBot: core (paper)", ["paper", "--symbol", "BTC/USDT", "--max-minutes", "60"]),
        debug("GridBot: console", ["console"]),
        debug("Agent: full pipeline", ["nightly"], justMyCode=False),
        debug(
            "GridBot: tests of the current file",
            ["${file}", "-q", "-p", "no:cacheprovider"],
            module="pytest",
            # what numba compiled cannot be stepped through
            env={"NUMBA_DISABLE_JIT": "1"},
        ),
        {
            "name": "GridBot: current file",
            "type": "debugpy",
            "request": "launch",
            "console": "integratedTerminal",
            "program": "${file}",
            "cwd": "${workspaceFolder}",
        },
    ]


def _launch_inputs() -> list[Json]:
    return [_input(Input("gridbot-candles", "Candle file or stored symbol", "BTC/USDT"))]


def _settings() -> Json:
    return {
        "python.defaultInterpreterPath": "${workspaceFolder}/.venv/bin/python",
        "python.testing.pytestEnabled": True,
        "python.testing.unittestEnabled": False,
        "python.testing.pytestArgs": ["tests", "-m", "not slow"],
        "mypy-type-checker.importStrategy": "fromEnvironment",
        "[python]": {
            "editor.defaultFormatter": "charliermarsh.ruff",
            "editor.formatOnSave": True,
            "editor.rulers": [120],
            "editor.codeActionsOnSave": {"source.organizeImports": "explicit"},
        },
        "files.exclude": {"**/__pycache__": True, "**/.mypy_cache": True, "**/.ruff_cache": True, ".cache": True},
        "files.watcherExclude": {"**/.gridbot/**": True, "**/.venv/**": True, "**/reports/**": True},
        "search.exclude": {"**/.gridbot": True, "**/.venv": True, "reports": True},
    }
