"""A person says "debug the websocket connection" anywhere, and the same command runs and repairs the fault."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from automation.interfaces.command_line import run_command_line
from automation.interfaces.console.app import build_console
from automation.interfaces.console.requests import ScreenName
from automation.registry import gridbot_registry
from tests.automation.interfaces.console.console_home import clock
from tests.automation.interfaces.console.piloting import OneAtATime, driven
from tests.automation.interfaces.mcp.served import connected, served
from tests.automation.interfaces.vscode.task_lines import tasks_of

ROOT = Path(__file__).resolve().parents[2]
SENTENCE = "debug the websocket connection"
CONNECTION = '''"""The websocket connection to the exchange."""


def reconnect_delay_s(attempt: int) -> float:
    """Return how long to wait before the websocket connects again: doubled each time, a minute at most."""
    return max(60.0, 2.0**attempt)
'''
TESTS = """from websocket_connection import reconnect_delay_s


def test_the_websocket_waits_longer_each_time():
    assert [reconnect_delay_s(attempt) for attempt in (0, 1, 2)] == [1.0, 2.0, 4.0]


def test_the_websocket_waits_a_minute_at_most():
    assert reconnect_delay_s(9) == 60.0
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "tests").mkdir(parents=True)
    (folder / "websocket_connection.py").write_text(CONNECTION)
    (folder / "tests" / "test_websocket_connection.py").write_text(TESTS)
    (folder / "conftest.py").write_text("")
    for words in ("init -q", "add -A", "-c user.name=a -c user.email=a@b commit -qm begin"):
        subprocess.run(["git", *words.split()], cwd=folder, check=True, capture_output=True)
    return folder


def _branches(project: Path) -> int:
    done = subprocess.run(
        ["git", "branch", "--list", "gridbot/*"], cwd=project, check=True, capture_output=True, text=True
    )
    return len(done.stdout.split())


@pytest.mark.slow
def test_the_same_command_runs_wherever_the_sentence_is_said(
    project: Path, own_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    registry = gridbot_registry()

    # the command line says which command it understood
    assert run_command_line(registry, ["ask", SENTENCE, "--dry-run", "--json"]) == 0
    (line,) = [step["command_line"] for step in json.loads(capsys.readouterr().out)["steps"]]
    assert line == "gridbot fix --tests tests/test_websocket_connection.py"

    # VS Code's task is the command `ask` with the sentence in it
    (task,) = [task for task in tasks_of(ROOT / ".vscode" / "tasks.json") if task["label"] == "AI: natural language"]
    filled = {"${file}": str(project / "websocket_connection.py"), "${input:gridbot-request}": SENTENCE}
    assert run_command_line(registry, [filled.get(word, word) for word in map(str, task["args"])]) == 0
    assert line in capsys.readouterr().out
    assert _branches(project) == 1

    # an assistant calls the tool
    async def called() -> object:
        with served(project, own_home) as address:
            async with connected(address) as client:
                return (await client.call_tool("ask", {"sentence": SENTENCE})).structured_content

    told = asyncio.run(called())
    assert isinstance(told, dict)
    assert told["commands"] == [line]
    assert [step["result"]["status"] for step in told["steps"]] == ["fixed"]
    assert _branches(project) == 2

    # and a person types it at the console's prompt
    app = build_console(
        own_home, project, screen=ScreenName.COMMANDS, clock=clock, pace=0, executor=OneAtATime(project)
    )

    async def typed() -> tuple[str, int]:
        async with driven(app, (100, 30)) as console:
            await console.shows("commands")
            await console.press("slash")
            app.prompt.line.value = SENTENCE
            await console.press("enter")
            await console.until(lambda: app.desk.jobs and app.desk.jobs[0].ended, "the repair")
            (job,) = app.desk.jobs
            ended = job.view().ended
            assert ended is not None
            return job.line, ended.exit_code

    assert asyncio.run(typed()) == (line, 0)
    assert _branches(project) == 3
