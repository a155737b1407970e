"""The tasks' commands as plain data for the registry."""

from __future__ import annotations

from trading.commands import Command, Risk

TASK_COMMANDS = (
    Command(
        name="simulate",
        summary="Trade a day on the built-in exchange, kill the session on the way, and prove its books right.",
        run="automation.tasks.simulate:simulate",
        request="automation.tasks.requests:SimulateRequest",
        risk=Risk.WRITE,
        examples=("simulate", "simulate --minutes 240 --kills 3 --seed 11 --json"),
        phrases=("simulate a day of trading", "test recovery from a crash", "show that no order is lost"),
    ),
)
