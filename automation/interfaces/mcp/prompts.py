"""Prompts: how a model goes about four usual tasks with the tools and resources of this server."""

from __future__ import annotations

from mcp.server import MCPServer
from mcp.server.mcpserver.prompts import Prompt


def debug_failing_test(test: str = "") -> str:
    """Find out why a test fails, and repair it with evidence."""
    which = f"the test `{test}`" if test else "what fails in the test suite"
    arguments = f' with test="{test}"' if test else ""
    return (
        f"Find out why {which} fails.\n"
        f"1. Call `explain`{arguments}: it names the kind of error, its cause and the place.\n"
        "2. Read the code there with `find_symbol` (include_body) and who uses it with `find_referencing_symbols`.\n"
        "3. Say in two sentences what is wrong, with file and line.\n"
        "4. Let `fix` search a repair. If it ends unfixed, write the smallest edit with `replace_symbol_body`, first "
        "with dry_run=true, then without.\n"
        "5. Report the run's id, its diff and the tests before and after. Never change a test to make it pass. A run "
        "that awaits approval is approved by a person: `gridbot runs approve RUN`."
    )


def review_diff() -> str:
    """Review what differs from the last commit."""
    return (
        "Review what differs from the last commit.\n"
        "1. Call `review` with diff=true: its score is measured, its findings have places.\n"
        "2. For each changed symbol read it with `find_symbol` and its callers with `find_referencing_symbols`.\n"
        "3. List what must change before this is merged, each with file, line and reason; then what could be better. "
        "Say so when there is nothing. Do not repeat what a linter says better."
    )


def explain_last_error() -> str:
    """Explain the last error that GridBot met."""
    return (
        "Explain the last error.\n"
        "1. Call `explain` with last=true. If it knows of none, read gridbot://sessions and the end of the log of a "
        "session that has stopped (gridbot://sessions/NAME/log).\n"
        "2. Say what happened, why, where in the code, and what to do, in at most six sentences.\n"
        "3. If money is at stake, say first whether a session is running (`status`)."
    )


def nightly_summary() -> str:
    """Sum up what happened during the night."""
    return (
        "Sum up the night for the person who reads this with a coffee.\n"
        "1. Read gridbot://runs and the newest entries of gridbot://reports.\n"
        "2. Call `status` and `improvement_report`.\n"
        "3. Write: what was repaired (with branches), what awaits approval (with `gridbot runs approve RUN`), what "
        "failed and why, how the sessions stand. Figures as they were measured; nothing that is not in the data."
    )


PROMPTS = (debug_failing_test, review_diff, explain_last_error, nightly_summary)


def add_prompts(server: MCPServer) -> None:
    """Offer the prompts."""
    for prompt in PROMPTS:
        server.add_prompt(Prompt.from_function(prompt, title=(prompt.__doc__ or "").rstrip(".")))
