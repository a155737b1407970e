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
        phrases=(
            "how often do repairs succeed",
            "show the repair success rate of the last month",
            "what did the repairs cost",
            "is gridbot getting better at fixing",
            "statistics of the repair runs",
        ),
    ),
    Command(
        name="improvement compare",
        summary="Time two commands in turns and say whether the second is really faster.",
        run="automation.improvement.commands:compare_two",
        request="automation.improvement.requests:CompareRequest",
        risk=Risk.WRITE,
        examples=('improvement compare "python old.py" "python new.py" --pairs 20',),
        phrases=(
            "is the new version faster",
            "compare the speed of two commands",
            'time "python old.py" against "python new.py"',
            "which of the two commands is quicker",
            "run a paired benchmark of two commands",
        ),
    ),
)
