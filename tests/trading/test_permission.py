"""What each face may do with each risk: one table, and nothing dangerous is open by default."""

from __future__ import annotations

import pytest

from automation.registry import gridbot_registry
from trading.commands import Command, Face, Permission, Risk, permission

COMMANDS = tuple(gridbot_registry())


def _command(risk: Risk, **flags: bool) -> Command:
    return Command("x", "X.", "m:f", "m:R", risk, ("x",), **flags)


@pytest.mark.parametrize(
    ("risk", "flags", "console", "english", "mcp"),
    [
        (Risk.READ, {}, Permission.RUN, Permission.RUN, Permission.RUN),
        (Risk.WRITE, {}, Permission.RUN, Permission.RUN, Permission.RUN),
        (Risk.WRITE, {"destructive": True}, Permission.ASK, Permission.ASK, Permission.ASK),
        (Risk.WRITE, {"by_person": True}, Permission.ASK, Permission.ASK, Permission.REFUSED),
        (Risk.TRADE, {}, Permission.ASK, Permission.ASK, Permission.ASK),
        (Risk.MONEY, {}, Permission.ASK, Permission.ASK, Permission.REFUSED),
        (Risk.MONEY, {"by_person": True}, Permission.ASK, Permission.ASK, Permission.REFUSED),
    ],
)
def test_the_table(
    risk: Risk, flags: dict[str, bool], console: Permission, english: Permission, mcp: Permission
) -> None:
    command = _command(risk, **flags)
    assert permission(command, Face.COMMAND_LINE) is Permission.RUN
    assert permission(command, Face.CONSOLE) is console
    assert permission(command, Face.ENGLISH) is english
    assert permission(command, Face.MCP) is mcp


def test_enabled_money_is_asked_for_and_what_needs_a_person_stays_refused() -> None:
    assert permission(_command(Risk.MONEY), Face.MCP, money=True) is Permission.ASK
    assert permission(_command(Risk.MONEY, by_person=True), Face.MCP, money=True) is Permission.REFUSED


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_no_command_of_money_runs_unasked_but_by_its_own_name(command: Command) -> None:
    if command.risk is Risk.MONEY:
        assert permission(command, Face.ENGLISH) is Permission.ASK
        assert permission(command, Face.CONSOLE) is Permission.ASK
        assert permission(command, Face.MCP) is Permission.REFUSED


def test_approvals_keys_and_real_money_are_a_persons() -> None:
    personal = {command.name for command in COMMANDS if command.by_person}
    assert {"live", "runs approve", "runs reject", "keys set", "keys remove"} <= personal
