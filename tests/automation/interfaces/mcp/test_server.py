"""The server over HTTP with the SDK's own client: tools, answers, resources, prompts, permissions, secrets."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx2
import jsonschema
import pytest
from mcp import MCPError, types

from automation.interfaces.execution import Ended, Executor
from automation.interfaces.mcp.command_tools import MOST_CHARACTERS, Runner, answer_of, checked_values, command_tools
from automation.interfaces.mcp.prompts import PROMPTS
from automation.interfaces.mcp.schemas import WITHHELD, given_values, input_schema, tool_name
from automation.interfaces.mcp.symbol_tools import EDIT_TOOLS, READ_TOOLS
from automation.registry import gridbot_registry
from tests.automation.interfaces.mcp.conftest import SECRET
from tests.automation.interfaces.mcp.served import TOKEN, Address, answer_yes, connected
from trading.commands import Command, Face, Permission, Registry, Risk, permission
from trading.errors import UsageError


def offered(money: bool = False) -> dict[str, Command]:
    commands = gridbot_registry()
    return {tool_name(one): one for one in commands if permission(one, Face.MCP, money=money) is not Permission.REFUSED}


async def answer_no(context: object, params: types.ElicitRequestParams) -> types.ElicitResult:
    return types.ElicitResult(action="decline")


def test_every_command_that_a_program_may_run_is_a_tool_with_a_valid_schema(address: Address) -> None:
    async def listed() -> list[types.Tool]:
        async with connected(address) as client:
            return list((await client.list_tools()).tools)

    tools = {tool.name: tool for tool in asyncio.run(listed())}
    expected = offered()
    assert set(tools) == set(expected) | {tool.name for tool in (*READ_TOOLS, *EDIT_TOOLS)}
    for name, tool in tools.items():
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        jsonschema.Draft202012Validator.check_schema(tool.output_schema)
        fields = tool.input_schema["properties"]
        assert not WITHHELD & set(fields), name
        assert all("description" in field for field in fields.values()), name
        assert tool.description
    # the one tool that is more than its command: a plan's steps each need leave
    assert tools.pop("ask").input_schema["required"] == ["sentence"]
    for name in expected.keys() - {"ask"}:
        command = expected[name]
        assert command.summary in tools[name].description
        assert all(phrase in tools[name].description for phrase in command.phrases)
        hints = tools[name].annotations
        assert hints.read_only_hint == (command.risk is Risk.READ and not command.destructive)
        assert hints.destructive_hint == (command.destructive or command.risk in {Risk.TRADE, Risk.MONEY})


def test_approvals_keys_and_money_are_no_tools_and_approval_is_no_argument() -> None:
    names = set(offered())
    assert not names & {
        "runs_approve",
        "runs_reject",
        "live",
        "stop",
        "sessions_stop",
        "keys_set",
        "keys_remove",
        "mcp",
    }
    enabled = set(offered(money=True))
    assert {"stop", "sessions_stop"} <= enabled
    assert not enabled & {"runs_approve", "runs_reject", "live", "keys_set", "keys_test", "keys_remove"}
    fix = gridbot_registry()["fix"]
    assert "approve" not in input_schema(fix.load_request())["properties"]
    with pytest.raises(UsageError, match="fix has no argument 'approve'"):
        checked_values(fix, {"approve": True})


def test_money_commands_are_tools_only_when_they_were_enabled(tmp_path: Path) -> None:
    executor = Executor(tmp_path)
    some = Registry(one for one in gridbot_registry() if one.name in {"status", "stop", "live"})
    assert {tool.name for tool in command_tools(some, Runner(executor, tmp_path))} == {"status"}
    assert {tool.name for tool in command_tools(some, Runner(executor, tmp_path, money=True))} == {"status", "stop"}


def test_a_command_answers_with_data_and_text_and_tells_its_progress(address: Address) -> None:
    steps: list[tuple[float, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        steps.append((progress, message))

    async def made() -> types.CallToolResult:
        async with connected(address) as client:
            wish = {"symbol": "SIM/USDT", "timeframe": "1h", "candles": 50, "seed": 3}
            return await client.call_tool("data_synthetic", wish, progress_callback=note)

    first = asyncio.run(made())
    assert not first.is_error
    assert first.structured_content["command"] == "gridbot data synthetic --timeframe 1h --candles 50 --seed 3"
    assert first.structured_content["exit_code"] == 0
    assert first.structured_content["result"]["candles"] == 50
    assert "50 synthetic candles" in first.content[0].text
    assert "\x1b" not in first.content[0].text
    values = [value for value, _ in steps]
    assert values == sorted(set(values))
    assert any("candles" in (message or "") for _, message in steps)


def test_what_is_not_allowed_is_told_in_one_sentence_and_never_as_a_traceback(address: Address) -> None:
    async def tried() -> list[types.CallToolResult]:
        async with connected(address) as client:
            return [
                await client.call_tool("data_list", {"nonsense": 1}),
                await client.call_tool("data_synthetic", {"candles": -5}),
                await client.call_tool("runs_approve", {"run": "x"}),
                await client.call_tool("config_set", {"name": "approval.always_ask", "value": "[]"}),
                await client.call_tool("find_symbol", {"name_path": ""}),
                await client.call_tool("get_symbols_overview", {"relative_path": "../secret.txt"}),
            ]

    answers = asyncio.run(tried())
    assert all(answer.is_error for answer in answers)
    texts = [answer.content[0].text for answer in answers]
    assert texts[0] == "data_list has no argument 'nonsense'; it takes none"
    assert texts[1].startswith("--candles cannot be")
    assert "runs_approve" in texts[2]
    assert "config_set" in texts[3]
    assert "leads out of" in texts[5]
    assert not any("Traceback" in text for text in texts)


@pytest.mark.parametrize("mode", ["auto", pytest.param("legacy", marks=pytest.mark.slow)])
def test_a_person_who_agrees_lets_it_run_and_one_who_does_not_stops_it(address: Address, mode: str) -> None:
    asked: list[str] = []

    async def note(context: object, params: types.ElicitRequestParams) -> types.ElicitResult:
        asked.append(params.message)
        return await answer_yes(context, params)

    async def called(mode: str, answer: object) -> types.CallToolResult:
        async with connected(address, mode=mode, elicitation_callback=answer) as client:
            return await client.call_tool("runs_abandon", {"run": "no-such-run"})

    agreed = asyncio.run(called(mode, note))
    assert "no run of the id 'no-such-run'" in agreed.content[0].text
    declined = asyncio.run(called(mode, answer_no))
    assert declined.is_error
    assert declined.content[0].text == (
        "the person at the client said no to `gridbot runs abandon no-such-run`; nothing was run"
    )
    assert [text.partition("?")[0] for text in asked] == ["Run `gridbot runs abandon no-such-run`"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_client_that_cannot_ask_gets_the_command_line_instead(address: Address, mode: str) -> None:
    async def called() -> types.CallToolResult:
        async with connected(address, mode=mode) as client:
            return await client.call_tool("runs_abandon", {"run": "x"})

    answer = asyncio.run(called())
    assert answer.is_error
    assert "run it yourself: `gridbot runs abandon x`" in answer.content[0].text


def test_resources_are_bounded_and_lead_nowhere_else(address: Address) -> None:
    async def read(*uris: str) -> list[str]:
        found = []
        async with connected(address) as client:
            for uri in uris:
                try:
                    found.append((await client.read_resource(uri)).contents[0].text)
                except MCPError as error:
                    found.append(f"refused: {error.message}")
        return found

    commands, runs, reports, page, outside, sessions, nobody, too_many = asyncio.run(
        read(
            "gridbot://commands",
            "gridbot://runs",
            "gridbot://reports",
            "gridbot://reports/page.html",
            "gridbot://reports/..%2F..%2Fsecret.txt",
            "gridbot://sessions",
            "gridbot://sessions/nobody/log",
            "gridbot://candles/SIM-USDT/1h?limit=100000",
        )
    )
    rows = {row["command"]: row for row in json.loads(commands)["commands"]}
    assert set(rows) == {command.name for command in gridbot_registry()}
    assert rows["runs approve"]["tool"] is None
    assert isinstance(json.loads(runs)["runs"], list)
    assert [row["path"] for row in json.loads(reports)["reports"]] == ["page.html"]
    assert page == "<p>a report; api_key = '***'</p>"
    assert outside.startswith("refused")
    assert json.loads(sessions) == {"sessions": []}
    assert "there is no session nobody" in nobody
    assert too_many == "refused: limit cannot be 100000; take 1 to 2000"


def test_prompts_name_tools_and_resources_that_there_are(address: Address) -> None:
    async def prompted() -> tuple[dict[str, str], set[str]]:
        async with connected(address) as client:
            names = [prompt.name for prompt in (await client.list_prompts()).prompts]
            texts = {name: (await client.get_prompt(name)).messages[0].content.text for name in names}
            shown = await client.get_prompt("debug_failing_test", {"test": "tests/test_a.py::test_b"})
            texts["with an argument"] = shown.messages[0].content.text
            return texts, {tool.name for tool in (await client.list_tools()).tools}

    texts, tools = asyncio.run(prompted())
    assert len(texts) == len(PROMPTS) + 1
    assert "tests/test_a.py::test_b" in texts["with an argument"]
    schemas = {
        name: set(input_schema(gridbot_registry()[name].load_request())["properties"]) for name in ("explain", "review")
    }
    assert {"test", "last"} <= schemas["explain"]
    assert "diff" in schemas["review"]
    named = {"explain", "find_symbol", "find_referencing_symbols", "fix", "replace_symbol_body", "review", "status"}
    assert named | {"improvement_report"} <= tools
    for text in texts.values():
        assert any(f"`{name}`" in text for name in named)


def test_without_the_token_with_another_and_from_elsewhere_nothing_is_answered(address: Address) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accepted = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    token = {"Authorization": f"Bearer {TOKEN}"}

    def status(**headers: str) -> int:
        answer = httpx2.post(address.url, json=ping, headers={**accepted, **headers})
        return answer.status_code

    assert status() == 401
    assert status(Authorization="Bearer wrong") == 401
    assert status(Authorization=TOKEN) == 401
    assert status(**token, Origin="http://evil.example") == 403
    assert status(**token, Origin="http://localhost.evil.example:80") == 403
    assert status(**token, Host="evil.example") == 421
    assert status(**token) < 500
    assert status(**token) not in {401, 403, 421}


def test_an_answer_that_no_model_could_take_is_cut_and_says_where_the_whole_is() -> None:
    long = Ended(0, "x" * (MOST_CHARACTERS + 1), {"rows": ["y" * 100] * (MOST_CHARACTERS // 100)})
    answer = answer_of("gridbot data check a.csv", long)
    assert answer.structured_content["result"]["whole"] == "gridbot data check a.csv --json"
    assert len(answer.content[0].text) < MOST_CHARACTERS + 100
    whole = answer_of("gridbot data list", Ended(0, "none", {"series": [float("nan")]}))
    assert whole.structured_content["result"] == {"series": [None]}
    assert not whole.is_error


def test_lists_that_came_as_text_are_read() -> None:
    backtest = gridbot_registry()["backtest"].load_request()
    assert given_values(backtest, {"candles": '["a.csv", "b.csv"]'}) == {"candles": ["a.csv", "b.csv"]}
    assert given_values(backtest, {"candles": "a.csv"}) == {"candles": ["a.csv"]}
    assert given_values(backtest, {"symbol": "[x]"}) == {"symbol": "[x]"}
    assert given_values(backtest, {"candles": ["a.csv"]}) == {"candles": ["a.csv"]}


def test_a_failure_that_nobody_foresaw_is_told_without_the_secret_in_it(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXCHANGE_SECRET", SECRET)

    async def called() -> types.CallToolResult:
        async with connected(address) as client:
            return await client.call_tool("search_for_pattern", {"pattern": f"({SECRET}"})

    answer = asyncio.run(called())
    assert answer.is_error
    assert SECRET not in str(answer)
    assert "is no regular expression" in answer.content[0].text
