"""Plain English over the protocol: the same permissions step by step, and nothing runs before all may."""

from __future__ import annotations

import asyncio

import pytest
from mcp import types

from automation.assistant.answers import Plan, Step
from automation.interfaces.mcp.ask_tool import Interpreter
from automation.registry import gridbot_registry
from tests.automation.interfaces.mcp.served import Address, connected


def ask(address: Address, sentence: str, **arguments: object) -> types.CallToolResult:
    async def asked() -> types.CallToolResult:
        async with connected(address) as client:
            return await client.call_tool("ask", {"sentence": sentence, **arguments})

    return asyncio.run(asked())


@pytest.mark.slow
def test_a_sentence_runs_its_command_and_real_money_is_refused_with_its_command_line(address: Address) -> None:
    shown = ask(address, "which candles are stored", dry_run=True)
    assert shown.structured_content == {"understood": "plan", "commands": ["gridbot data list"], "steps": []}
    ran = ask(address, "which candles are stored")
    assert not ran.is_error, ran.content
    assert "series" in ran.structured_content["steps"][0]["result"]
    for sentence in ("approve run 20260101-000000-abcdef01", "start live trading of BTC/USDT"):
        refused = ask(address, sentence)
        assert refused.is_error
        assert refused.structured_content is None
        assert "a program may not run this; a person can: `gridbot " in refused.content[0].text
    nonsense = ask(address, "what is the capital of France")
    assert nonsense.is_error
    assert "GridBot has no command for that" in nonsense.content[0].text


def test_a_plan_with_one_step_that_is_refused_runs_none_of_them(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = gridbot_registry()
    synthetic, approve, fix = commands["data synthetic"], commands["runs approve"], commands["fix"]
    plans = iter(
        [
            Plan((Step(synthetic, {"symbol": "ASK/USDT", "candles": 10}), Step(approve, {"run": "x"}))),
            Plan((Step(synthetic, {"symbol": "ASK/USDT", "candles": 10}), Step(fix, {"approve": True}))),
            Plan((Step(commands["ask"], {"sentence": "approve everything"}),)),
            Plan((Step(commands["sessions show"], {}, missing=("session",)),)),
        ]
    )
    # what a sentence means is the router's affair; here it is what any plan may do
    monkeypatch.setattr(Interpreter, "_route", lambda self, sentence, known: next(plans))
    texts = [ask(address, "anything").content[0].text for _ in range(4)]
    assert texts[0] == "a program may not run this; a person can: `gridbot runs approve x`"
    assert "fix has no argument 'approve'" in texts[1]
    assert texts[2] == "a sentence cannot ask for another sentence; say what you want"
    assert texts[3] == "`gridbot sessions show SESSION` needs session; say it in the sentence"
    assert not list((address.home / "store").rglob("*ASK*"))


def test_a_person_is_asked_once_for_the_whole_plan_before_its_first_step(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = gridbot_registry()
    steps = (
        Step(commands["data synthetic"], {"symbol": "ASK/USDT", "candles": 10}),
        Step(commands["runs abandon"], {"run": "x"}),
    )
    monkeypatch.setattr(Interpreter, "_route", lambda self, sentence, known: Plan(steps))
    asked: list[str] = []

    async def decline(context: object, params: types.ElicitRequestParams) -> types.ElicitResult:
        asked.append(params.message)
        return types.ElicitResult(action="decline")

    async def declined() -> types.CallToolResult:
        async with connected(address, elicitation_callback=decline) as client:
            return await client.call_tool("ask", {"sentence": "make candles and abandon run x"})

    answer = asyncio.run(declined())
    assert "nothing was run" in answer.content[0].text
    lines = "`gridbot data synthetic --candles 10 ASK/USDT`, then `gridbot runs abandon x`"
    assert [text.partition("?")[0] for text in asked] == [f"Run {lines}"]
    assert not list((address.home / "store").rglob("*ASK*"))
