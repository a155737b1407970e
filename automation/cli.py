"""The ``gridbot`` command: the registry's entries as a command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from automation.interfaces.command_line import run_command_line
from automation.registry import gridbot_registry


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
