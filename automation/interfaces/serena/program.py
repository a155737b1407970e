"""Where Serena is: named, on PATH, installed in the data home, or fetched by uvx or pipx when that is wanted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trading.errors import Refused

SERENA_VARIABLE = "GRIDBOT_SERENA"
PACKAGES = ("serena-agent==2.1.0", "jedi-language-server")
_JEDI = "jedi-language-server"
_PYRIGHT = "pyright-langserver"


@dataclass(frozen=True, slots=True)
class SerenaProgram:
    """How Serena is started.

    Parameters
    ----------
    command : tuple of str
        The program and its first words.
    search : str
        PATH on which its language server is found.
    language : str
        ``python_jedi`` or ``python``.
    server : Path or None
        Pyright's language server, for ``python``.
    """

    command: tuple[str, ...]
    search: str
    language: str
    server: Path | None = None


def own_environment(home: Path) -> Path:
    """Return where a data home keeps an environment for Serena."""
    return home / "serena" / "venv"


def find_serena(home: Path, *, fetch: bool = False, environment: Mapping[str, str] | None = None) -> SerenaProgram:
    """Find Serena: ``GRIDBOT_SERENA``, the data home's own environment, PATH, and with ``fetch`` uvx or pipx.

    Parameters
    ----------
    home : Path
        The data home.
    fetch : bool
        Whether uvx or pipx may install it for this run.
    environment : mapping of str to str, optional
        Instead of this process's own.

    Raises
    ------
    Refused
        When there is none, or no language server that it could use without downloading one.
    """
    known = os.environ if environment is None else environment
    search = known.get("PATH", "")
    named = known.get(SERENA_VARIABLE)
    if named and not os.access(named, os.X_OK):
        raise Refused(f"{SERENA_VARIABLE} names {named}, which is no program; mend or unset it")
    own = own_environment(home) / "bin" / "serena"
    found = named or (str(own) if os.access(own, os.X_OK) else shutil.which("serena", path=search))
    if found:
        folder = str(Path(found).parent)
        return _with_server((found,), os.pathsep.join((folder, search)))
    fetched = _fetching(search) if fetch else None
    if fetched is None:
        raise Refused(
            f"Serena is not installed; `python -m venv {own_environment(home)}`, then its `pip install "
            f"{' '.join(PACKAGES)}`, or name it by {SERENA_VARIABLE}"
        )
    return fetched


def _with_server(command: tuple[str, ...], search: str) -> SerenaProgram:
    if shutil.which(_JEDI, path=search):
        return SerenaProgram(command, search, "python_jedi")
    pyright = shutil.which(_PYRIGHT, path=search)
    if pyright:
        return SerenaProgram(command, search, "python", Path(pyright))
    raise Refused(f"Serena has no language server for Python here; install {_JEDI} beside it")


def _fetching(search: str) -> SerenaProgram | None:
    agent, server = PACKAGES
    uvx = shutil.which("uvx", path=search)
    if uvx:
        # both packages lie in one environment, whose programs are on PATH of what runs there
        return SerenaProgram((uvx, "--from", agent, "--with", server, "serena"), search, "python_jedi")
    pipx = shutil.which("pipx", path=search)
    if pipx and shutil.which(_JEDI, path=search):
        return SerenaProgram((pipx, "run", "--spec", agent, "serena"), search, "python_jedi")
    return None
