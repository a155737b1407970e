"""What a Python interpreter needs to be able to read, asked of itself."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from automation.errors import SandboxUnavailable

_QUESTION = (
    "import json, sys; sys.path.pop(0);"
    "folders = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix];"
    "print(json.dumps([sys.version_info[:2], folders, [p for p in sys.path if p]]))"
)
_OLDEST = (3, 9)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """One Python: its executable, version, installation folders and import path."""

    executable: Path
    version: tuple[int, int]
    folders: tuple[str, ...]
    search: tuple[str, ...]


def printed_by(python: Path, code: str) -> str:
    """Return what an interpreter prints for a line of code, with none of this process's variables but its paths.

    Raises
    ------
    OSError, subprocess.SubprocessError
        When it does not run, or ends with an error.
    """
    variables = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(  # noqa: S603 - the caller names the interpreter
        [str(python), "-c", code], capture_output=True, text=True, check=True, timeout=60, env=variables, cwd="/"
    ).stdout


@cache
def interpreter(python: Path) -> Interpreter:
    """Ask an interpreter for its folders.

    Raises
    ------
    SandboxUnavailable
        When it does not run, or is older than Python 3.9.
    """
    try:
        version, folders, search = json.loads(printed_by(python, _QUESTION))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise SandboxUnavailable(f"{python} does not run as a Python interpreter ({error}); name another") from error
    if tuple(version) < _OLDEST:
        raise SandboxUnavailable(f"{python} is Python {version[0]}.{version[1]}; the sandbox needs 3.9 or newer")
    return Interpreter(python, (version[0], version[1]), tuple(dict.fromkeys(folders)), tuple(search))
