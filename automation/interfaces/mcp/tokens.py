"""The token that a client of the HTTP server has to show."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from trading.errors import Refused, UsageError

TOKEN_VARIABLE = "GRIDBOT_MCP_TOKEN"  # noqa: S105 - the name of a variable
_SHORTEST = 16


def token_file(home: Path) -> Path:
    """Return where the token of a data home is kept."""
    return home / "mcp" / "token"


def server_token(home: Path) -> tuple[str, Path | None]:
    """Return the token, and the file that holds it; None when it comes from the environment.

    The file is made with a new token when it is missing, readable by its owner alone.

    Parameters
    ----------
    home : Path
        The data home.

    Raises
    ------
    UsageError
        When the environment's token is too short to keep anybody out.
    Refused
        When others may read the file.
    """
    given = os.environ.get(TOKEN_VARIABLE)
    if given is not None:
        if len(given) < _SHORTEST:
            raise UsageError(f"{TOKEN_VARIABLE} has {len(given)} characters; give at least {_SHORTEST}, or unset it")
        return given, None
    file = token_file(home)
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _kept(file), file
    token = secrets.token_urlsafe(32)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(token + "\n")
    return token, file


def _kept(file: Path) -> str:
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise Refused(f"others may read {file}; remove it, and a new token is made")
    token = file.read_text(encoding="ascii").strip()
    if len(token) < _SHORTEST:
        raise Refused(f"{file} holds no token; remove it, and a new one is made")
    return token
