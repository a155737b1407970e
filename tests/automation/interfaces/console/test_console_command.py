"""The console opens in a terminal only, and what does not open it never loads what draws it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
PROBE = """
import json, sys
from automation.cli import main
code = main(sys.argv[1:])
drawing = sorted(name for name in sys.modules if name.split(".")[0] in ("textual", "plotext", "textual_plotext"))
sys.stderr.write("\\n" + json.dumps([code, drawing]))
"""


def _run(*words: str, home: Path) -> tuple[int, list[str], str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "GRIDBOT_HOME": str(home)},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    *told, last = done.stderr.splitlines()
    code, drawing = json.loads(last)
    return code, drawing, done.stdout + "\n".join(told)


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("console", "--help"),
        pytest.param(("sessions",), marks=pytest.mark.slow),
        pytest.param(("runs", "list", "--json"), marks=pytest.mark.slow),
        pytest.param(("config", "automation"), marks=pytest.mark.slow),
        pytest.param(("health", "--offline"), marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_the_command_line_never_loads_what_draws_the_console(words: tuple[str, ...], own_home: Path) -> None:
    code, drawing, text = _run(*words, home=own_home)
    assert (code, drawing) in ((0, []), (1, [])), text


def test_without_a_terminal_the_console_refuses_in_one_sentence(own_home: Path) -> None:
    code, drawing, text = _run("console", home=own_home)
    assert (code, drawing) == (3, [])
    assert text.strip() == (
        "gridbot: the console needs a terminal; from a script or a pipe use the commands, see `gridbot --help`"
    )
