"""Where a session listens: the socket's place, written beside it for whoever wants to ask."""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from trading.errors import GridBotError, Refused
from trading.exchange.private_files import write_private

SOCKET_FILE = "control.sock"
ADDRESS_FILE = "control.json"

# The kernel's limit is 108 bytes on Linux and 104 on macOS, with the closing zero.
_LONGEST_SOCKET_PATH = 100
_TOKEN_BYTES = 32


class Address(BaseModel):
    """Where a session listens.

    Parameters
    ----------
    pid : int
        The session's process.
    path : Path, optional
        Unix domain socket.
    port : int, optional
        Port on 127.0.0.1, where there are no such sockets.
    token : str, optional
        What every request over the port must carry.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    pid: int
    path: Path | None = None
    port: int | None = None
    token: str | None = None

    def __repr__(self) -> str:
        return f"Address({self.path or self.port}, pid {self.pid})"

    def __str__(self) -> str:
        return repr(self)


def read_address(folder: Path) -> Address | None:
    """Return where a session's folder says that it listens; None when it says nothing.

    Raises
    ------
    GridBotError
        When what it says cannot be read.
    """
    file = folder / ADDRESS_FILE
    try:
        return Address.model_validate_json(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        raise GridBotError(
            f"{file} cannot be read ({type(error).__name__}); remove it when the session is down"
        ) from None


def write_address(folder: Path, address: Address) -> None:
    """Write down where a session listens, for its owner only."""
    write_private(folder / ADDRESS_FILE, address.model_dump_json(exclude_none=True) + "\n")


def new_token() -> str:
    """Return an unguessable token."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def socket_path(folder: Path) -> Path:
    """Return where the socket of a session's folder goes: inside it, or in a short private place when that is too long.

    Raises
    ------
    Refused
        When the short place belongs to somebody else.
    """
    inside = folder.absolute() / SOCKET_FILE
    if len(os.fsencode(inside)) <= _LONGEST_SOCKET_PATH:
        return inside
    name = sha256(os.fsencode(folder.absolute())).hexdigest()[:16]
    return _short_folder() / f"{name}.sock"


def _short_folder() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    base = Path(runtime) if runtime and Path(runtime).is_dir() else Path(tempfile.gettempdir())
    folder = base / f"gridbot-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # the temporary folder is open to all: somebody may have been there first
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise Refused(f"{folder} is not a private folder of this user; remove it, or set XDG_RUNTIME_DIR")
    return folder
