"""Which process works in a folder, said in a file that outlives the process and names no other by mistake."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from pathlib import Path

from automation.errors import WorkspaceFailed

_OWNER_FILE = "owner.json"


def claim(folder: Path) -> None:
    """Write this process down as the folder's owner; call it under the lock of the parent folder.

    Raises
    ------
    WorkspaceFailed
        When another living process owns it.
    """
    owner = _read(folder)
    if owner is not None and owner.get("pid") != os.getpid() and is_owned(folder):
        raise WorkspaceFailed(f"{folder} is in use by process {owner.get('pid')}; wait for it or end it")
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{_OWNER_FILE}.{os.getpid()}"
    temporary.write_text(json.dumps(_identity(os.getpid())), encoding="utf-8")
    temporary.replace(folder / _OWNER_FILE)


def release(folder: Path) -> None:
    """Take the owner's file away."""
    (folder / _OWNER_FILE).unlink(missing_ok=True)


def is_owned(folder: Path) -> bool:
    """Return whether the process that claimed the folder still runs.

    A process number alone is reused: its start time and the machine's boot have to agree. A folder of another machine
    counts as owned, since nothing can be known about that process from here.
    """
    owner = _read(folder)
    if owner is None:
        return False
    if owner.get("host") != platform.node():
        return True
    pid = owner.get("pid")
    return isinstance(pid, int) and owner == _identity(pid)


def _identity(pid: int) -> dict[str, object]:
    return {"pid": pid, "started": _started(pid), "boot": _boot(), "host": platform.node()}


def _read(folder: Path) -> dict[str, object] | None:
    try:
        owner = json.loads((folder / _OWNER_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return owner if isinstance(owner, dict) else None


def _started(pid: int) -> str | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except FileNotFoundError:
        return None if Path("/proc/self/stat").exists() else _started_by_ps(pid)
    except ProcessLookupError:
        return None
    # A zombie has ended: only its number is left. Field 22 of the whole line is the start in clock ticks since boot.
    return None if fields[0] == "Z" else fields[19]


def _started_by_ps(pid: int) -> str | None:
    command = ["/bin/ps", "-o", "lstart=", "-p", str(pid)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed program, number
    return done.stdout.strip() or None


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
