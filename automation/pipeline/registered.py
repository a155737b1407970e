"""The pipeline's commands as plain data for the registry."""

from __future__ import annotations

from trading.commands import Command, Risk

PIPELINE_COMMANDS = (
    Command(
        name="fix",
        summary="Repair a repository whose tests fail: find the fault, prove a change, land it.",
        run="automation.pipeline.commands:fix",
        request="automation.pipeline.requests:FixRequest",
        risk=Risk.WRITE,
        examples=(
            "fix",
            'fix ../shop --tests "tests -q" --max-minutes 5',
            "fix --log service.log --model none --json",
            "fix --land apply --approve",
        ),
        phrases=("fix the failing tests", "repair what is broken", "debug the traceback in the log"),
    ),
    Command(
        name="demo",
        summary="Plant a fault in a throw-away copy of the trading core and repair it.",
        run="automation.pipeline.demo:demo",
        request="automation.pipeline.requests:DemoRequest",
        risk=Risk.WRITE,
        examples=("demo", "demo --seed 1"),
        phrases=("show me a repair", "demonstrate the self-repair"),
    ),
    Command(
        name="nightly",
        summary="One night's maintenance: health, tests, repairs, benchmark and a report.",
        run="automation.pipeline.nightly:nightly",
        request="automation.pipeline.requests:NightlyRequest",
        risk=Risk.WRITE,
        examples=("nightly", "nightly --max-minutes 60 --out reports/nightly"),
        phrases=("run the nightly maintenance", "look after the repository tonight"),
    ),
    Command(
        name="runs list",
        summary="List the newest repair runs.",
        run="automation.pipeline.commands:list_runs",
        request="automation.pipeline.requests:RunsRequest",
        risk=Risk.READ,
        examples=("runs list", "runs list --limit 5 --json"),
        phrases=("which repairs ran lately", "list the runs"),
    ),
    Command(
        name="runs show",
        summary="Show one repair run: diagnosis, change, evidence.",
        run="automation.pipeline.commands:show_run",
        request="automation.pipeline.requests:RunRequest",
        risk=Risk.READ,
        examples=("runs show 20261121-0912",),
        phrases=("show the last repair",),
    ),
    Command(
        name="runs resume",
        summary="Go on with a repair run that was interrupted or killed.",
        run="automation.pipeline.commands:resume_run",
        request="automation.pipeline.requests:RunRequest",
        risk=Risk.WRITE,
        examples=("runs resume 20261121-0912",),
        phrases=("go on with the interrupted repair",),
    ),
    Command(
        name="runs approve",
        summary="Approve the change of a repair run that waits, and land it.",
        run="automation.pipeline.commands:approve_run",
        request="automation.pipeline.requests:RunRequest",
        risk=Risk.WRITE,
        examples=("runs approve 20261121-0912",),
        phrases=("approve the repair",),
    ),
    Command(
        name="runs reject",
        summary="Reject the change of a repair run that waits; nothing lands.",
        run="automation.pipeline.commands:reject_run",
        request="automation.pipeline.requests:RunRequest",
        risk=Risk.WRITE,
        examples=("runs reject 20261121-0912",),
        phrases=("reject the repair",),
    ),
    Command(
        name="runs abandon",
        summary="Give up a repair run that was interrupted or waits, and remove its private copy.",
        run="automation.pipeline.commands:abandon_run",
        request="automation.pipeline.requests:RunRequest",
        risk=Risk.WRITE,
        examples=("runs abandon 20261121-0912",),
        phrases=("forget this repair",),
    ),
)
