"""The ``gridbot`` program itself: its registry is complete, and asking for help costs next to nothing."""

from __future__ import annotations

import inspect
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from automation.interfaces.command_line import build_application, run_command_line
from automation.registry import gridbot_registry
from automation.requests import build_request
from trading.commands import Command, Registry
from trading.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = tuple(gridbot_registry())

# What the help pages may load from outside the standard library; numpy, numba, pandas, pyarrow, pydantic, ccxt and the
# rest belong inside commands.
LIGHT = {
    "annotated_doc",
    "attr",
    "attrs",
    "click",
    "linkify_it",
    "markdown_it",
    "mdurl",
    "pygments",
    "rich",
    "shellingham",
    "typer",
    "typing_extensions",
}

PROBE = """
import json, sys
before = set(sys.modules)
from automation.cli import main
code = main(sys.argv[1:])
sys.stderr.write(json.dumps([code, sorted(set(sys.modules) - before)]))
"""


def loaded_by(*words: str) -> tuple[int, set[str]]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    code, modules = json.loads(done.stderr)
    return code, set(modules)


@pytest.mark.parametrize("words", [["--help"], [], ["--version"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    code, modules = loaded_by(*words)
    assert code == 0
    outside = {module.partition(".")[0] for module in modules} - set(sys.stdlib_module_names)
    assert outside - {"trading", "automation"} <= LIGHT
    ours = {module for module in modules if module.split(".")[0] in {"trading", "automation"}}
    assert {module for module in ours if module.startswith("trading")} == {
        "trading",
        "trading.commands",
        "trading.errors",
        "trading.lazy",
        "trading.registered",
    }


def test_the_probe_would_notice_a_heavy_import() -> None:
    _, modules = loaded_by("backtest", "--help")
    assert "pydantic" in modules


@pytest.mark.parametrize("words", [["sessions", "--help"], ["keys"]])
def test_pages_of_groups_load_no_commands(words: list[str]) -> None:
    code, modules = loaded_by(*words)
    assert code == 0
    assert not {"numpy", "numba", "pandas", "pyarrow", "aiohttp", "ccxt"} & modules
    assert not {module for module in modules if module.startswith(("trading.sessions", "trading.exchange"))}


def test_help_lists_every_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "automation.cli", "--help"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "160"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    for command in COMMANDS:
        assert command.name in done.stdout
        assert command.summary in done.stdout


def test_a_name_is_registered_once() -> None:
    registry = gridbot_registry()
    with pytest.raises(UsageError, match="registered twice"):
        registry.add(COMMANDS[0])
    with pytest.raises(UsageError, match="gridbot --help"):
        registry["nonsense"]
    assert len(registry) == len(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
class TestEveryCommand:
    def test_its_paths_load_and_fit_the_protocol(self, command: Command) -> None:
        model, function = command.load_request(), command.load_function()
        assert issubclass(model, BaseModel)
        assert inspect.isgeneratorfunction(function)
        asked = [each for each in inspect.signature(function).parameters.values() if each.default is each.empty]
        assert len(asked) == 1

    def test_every_field_of_its_request_is_described(self, command: Command) -> None:
        undescribed = [name for name, field in command.load_request().model_fields.items() if not field.description]
        assert undescribed == []

    def test_it_says_what_it_does_in_a_sentence_with_examples_and_phrases(self, command: Command) -> None:
        assert command.summary.endswith(".")
        assert command.examples
        assert command.phrases

    def test_its_examples_parse_into_requests(self, command: Command) -> None:
        for example in command.examples:
            assert isinstance(parsed(command, example), command.load_request())


def parsed(command: Command, line: str) -> BaseModel:
    """Parse a line as the program does, up to the request."""
    words = shlex.split(line)
    name_words = command.name.split()
    assert words[: len(name_words)] == name_words
    entry = build_application(Registry([command]))
    context = entry.make_context("gridbot", [])
    for word in name_words:
        found = entry.get_command(context, word)
        assert found is not None
        entry = found
    context = entry.make_context(name_words[-1], words[len(name_words) :], parent=context)
    return build_request(command.load_request(), context.params, command.name)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_examples_fit_a_terminal_and_can_be_copied_as_they_stand(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(gridbot_registry(), [*command.name.split(), "--help"]) == 0
    shown = capsys.readouterr().out.partition("Examples:")[2]
    assert max(map(len, shown.splitlines())) <= 80
    copied = [shlex.split(line) for line in shown.replace("\\\n", " ").splitlines() if line.strip()]
    assert copied == [["gridbot", *shlex.split(example)] for example in command.examples]
