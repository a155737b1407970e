"""The ``gridbot`` command: the registry's entries as a command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from automation.config_entries import AUTOMATION_CONFIG_COMMANDS
from automation.improvement.registered import IMPROVEMENT_COMMANDS
from automation.incidents.registered import INCIDENT_COMMANDS
from automation.interfaces.command_line import run_command_line
from automation.models.entries import MODEL_COMMANDS
from automation.pipeline.registered import PIPELINE_COMMANDS
from automation.tasks.registered import TASK_COMMANDS
from trading.commands import Registry, trading_registry


def gridbot_registry() -> Registry:
    """Return the registry of both wings' commands."""
    own = (
        *TASK_COMMANDS,
        *PIPELINE_COMMANDS,
        *INCIDENT_COMMANDS,
        *MODEL_COMMANDS,
        *IMPROVEMENT_COMMANDS,
        *AUTOMATION_CONFIG_COMMANDS,
    )
    return Registry((*trading_registry(), *own))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after the program's name; None takes them from the process.

    Returns
    -------
    int
        The exit code for the shell.
    """
    return run_command_line(gridbot_registry(), sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    sys.exit(main())
