"""A process that imports the program and its compiled core once, and forks for each command that it is told on stdin.

Every command is a process of its own, with its own folder, variables and streams; what it is spared are the imports,
nine tenths of a short command. Tests that start the real program stand beside those that use this.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FAILED = 99
# libraries that start threads would make the fork unsafe
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def gridbot(folder: Path, data_home: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in a folder, with the caller's variables and some more."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GRIDBOT_HOME": str(data_home), **variables}
    if not hasattr(os, "fork"):
        command = [sys.executable, "-m", "automation.cli", *words]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return _program().run(folder, words, environment)


class ForkedProgram:
    """The caller's end of the process."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="gridbot-forked-")
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__))],
            env={**os.environ, "PYTHONPATH": str(ROOT), **_ONE_THREAD},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, folder: Path, words: tuple[str, ...], environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        out, err = (Path(self._folder.name) / name for name in ("stdout", "stderr"))
        order = {"words": words, "cwd": str(folder), "environment": environment, "out": str(out), "err": str(err)}
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        code = int(self._server.stdout.readline())
        texts = (stream.read_text(encoding="utf-8") for stream in (out, err))
        return subprocess.CompletedProcess(words, code, *texts)

    def close(self) -> None:
        """End the process that forks."""
        self._server.communicate()
        self._folder.cleanup()


@cache
def _program() -> ForkedProgram:
    program = ForkedProgram()
    atexit.register(program.close)
    return program


def _run(order: Mapping[str, object]) -> None:
    from automation.cli import main

    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for descriptor, path in ((1, order["out"]), (2, order["err"])):
        os.dup2(os.open(str(path), flags, 0o600), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(order["environment"])  # type: ignore[call-overload]
    os.chdir(str(order["cwd"]))
    code = _FAILED
    try:
        code = main(list(order["words"]))  # type: ignore[call-overload]
    except BaseException:  # noqa: BLE001 - a fork must not go on as its parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _serve() -> None:
    import trading.sessions.commands  # noqa: F401 - imported before the fork
    from trading import backtest
    from trading.market.synthetic import synthetic_candles

    # loads the compiled core, too
    backtest(synthetic_candles("SIM/USDT", "5m", candles=400, seed=1))
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _run(json.loads(line))
        status = os.waitpid(child, 0)[1]
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
