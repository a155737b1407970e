"""Every command means the same on every face: command line, console, MCP, VS Code, plain English."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from automation.interfaces.command_line import parse_line, run_command_line
from automation.interfaces.console.fields import filled_of, form_fields, values_of
from automation.interfaces.execution import Ended, Executor, Order
from automation.interfaces.mcp.command_tools import checked_values
from automation.interfaces.mcp.schemas import WITHHELD
from automation.interfaces.vscode.catalogue import NAMED_TASKS
from automation.registry import gridbot_registry
from automation.requests import command_text, request_of
from tests.automation.interfaces.mcp.served import Address, answer_yes, connected, served
from tests.automation.interfaces.vscode.task_lines import tasks_of
from trading.commands import Command, Face, Permission, Risk, permission

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = gridbot_registry()
EXAMPLES = [(command, example) for command in REGISTRY for example in command.examples]
# quick ones that read, and one that asks first: they are really run on each face
RUN = ("status", "runs list", "data list", "sessions", "agents list", "config automation", "clean")


def _asked(request: BaseModel) -> dict[str, object]:
    # the data folder is each face's own affair
    return request.model_dump(exclude={"home"})


@pytest.mark.parametrize(("command", "example"), EXAMPLES, ids=lambda each: str(getattr(each, "name", each)))
def test_the_same_values_make_the_same_request_on_every_face(command: Command, example: str) -> None:
    values = dict(parse_line(REGISTRY, example).values)
    wanted = _asked(request_of(command, values))
    assert _asked(request_of(command, parse_line(REGISTRY, command_text(command, values)).values)) == wanted
    fields = form_fields(command.load_request())
    form = {field.name: filled_of(field, values[field.name]) for field in fields if field.name in values}
    assert _asked(request_of(command, values_of(fields, form))) == wanted
    if permission(command, Face.MCP) is not Permission.REFUSED and not WITHHELD & values.keys():
        assert _asked(request_of(command, checked_values(command, values))) == wanted


@pytest.mark.parametrize("command", tuple(REGISTRY), ids=lambda command: command.name)
def test_vscode_has_a_task_for_what_a_person_may_start_there(command: Command) -> None:
    lines = [" ".join(map(str, task["args"])) for task in tasks_of(ROOT / ".vscode" / "tasks.json")]
    found = any(f"{line} ".startswith(f"{command.name} ") for line in lines)
    assert found is not (command.risk is Risk.MONEY and command.by_person)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faces") / "home"


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[Address]:
    with served(home.parent, home) as address:
        yield address


@pytest.fixture(scope="module")
def executor(home: Path) -> Iterator[Executor]:
    executor = Executor(home.parent)
    executor.warm()
    yield executor
    executor.close()


@pytest.mark.parametrize("name", [*RUN[:2], *(pytest.param(name, marks=pytest.mark.slow) for name in RUN[2:])])
def test_command_line_console_and_mcp_answer_the_same(
    name: str,
    executor: Executor,
    address: Address,
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRIDBOT_HOME", str(home))
    code = run_command_line(REGISTRY, [*name.split(), "--json"])
    said = json.loads(capsys.readouterr().out)
    *_, end = executor.start(Order(name, environment={"GRIDBOT_HOME": str(home)})).events()
    assert isinstance(end, Ended)
    assert (end.exit_code, end.result) == (code, said)

    async def called() -> object:
        async with connected(address, elicitation_callback=answer_yes) as client:
            return (await client.call_tool(name.replace(" ", "_"), {})).structured_content

    told = asyncio.run(called())
    assert isinstance(told, dict)
    assert (told["exit_code"], told["result"]) == (code, said)


def test_shortcuts_lead_to_registered_commands() -> None:
    names = {command.name for command in REGISTRY}
    for task in NAMED_TASKS:
        assert task.words[0] in names or " ".join(task.words[:2]) in names
