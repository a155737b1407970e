"""The improvement commands as plain data for the registry."""

from __future__ import annotations

from trading.commands import Command, Risk

IMPROVEMENT_COMMANDS = (
    Command(
        name="improvement report",
        summary="Report what the repair runs tried, fixed and cost, with a chart.",
        run="automation.improvement.commands:report",
        request="automation.improvement.requests:ReportRequest",
        risk=Risk.WRITE,
        examples=("improvement report", "improvement report --since 30d --out reports/improvement --json"),
        phrases=("how often do repairs succeed", "show the repair success rate of the last month"),
    ),
    Command(
        name="improvement compare",
        summary="Time two commands in turns and say whether the second is really faster.",
        run="automation.improvement.commands:compare_two",
        request="automation.improvement.requests:CompareRequest",
        risk=Risk.WRITE,
        examples=('improvement compare "python old.py" "python new.py" --pairs 20',),
        phrases=("is the new version faster", "compare the speed of two commands"),
    ),
)
