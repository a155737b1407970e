"""What code reaches for outside itself: files, processes, the network."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

_TOUCHING = (
    "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostby", "socket.send", "subprocess.", "shutil.",
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.system", "os.exec", "os.fork", "os.spawn", "ftplib.",
)  # fmt: skip
_READ_BY_IMPORTS = (".py", ".pyc", ".so", ".pyd", ".json", ".typed")


class Touch:
    """Notes when code reaches for files, processes or the network, for as long as it is watching."""

    def __init__(self) -> None:
        self.what = ""
        self.watching = False
        sys.addaudithook(self._on_event)

    @contextlib.contextmanager
    def aside(self) -> Iterator[Touch]:
        """Watch something that is none of the calls that are judged; `what` tells of it until the end."""
        before = self.what, self.watching
        self.what, self.watching = "", True
        try:
            yield self
        finally:
            self.what, self.watching = before

    def _on_event(self, event: str, details: tuple[object, ...]) -> None:
        if not self.watching or self.what:
            return
        if event == "open":
            name = str(details[0]) if details else ""
            if not name.endswith(_READ_BY_IMPORTS) and not name.startswith(("<", "/dev/", "/proc/", sys.prefix)):
                self.what = f"opens {Path(name).name or 'a file'}"
        elif event.startswith(_TOUCHING):
            self.what = f"reaches for {event}"


_INSTALLED: list[Touch] = []


def installed() -> Touch:
    """Return the one watcher of this process, since a hook cannot be taken away again."""
    if not _INSTALLED:
        _INSTALLED.append(Touch())
    return _INSTALLED[0]
