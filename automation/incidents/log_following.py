"""Lines of a file that another program writes: rotation, truncation, partial and huge lines, in bounded memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from automation.errors import RepositoryUnusable
from automation.incidents.log_parsing import LINE_LIMIT

_CHUNK = 1 << 16
_HEAD = 64
# some file systems tell nothing of what other machines write
_LOOK_AGAIN_S = 2.0


class LogReader:
    """Reads what is new in a file, whatever became of the file.

    Parameters
    ----------
    path : Path
        May not exist yet.
    from_end : bool
        Whether to pass over what it holds now.
    """

    def __init__(self, path: Path, *, from_end: bool = False) -> None:
        self._path = path
        self._head = b""
        self._line = bytearray()
        self._file = self._opened()
        if from_end and self._file is not None:
            self._file.seek(0, os.SEEK_END)

    def read(self) -> Iterator[str]:
        """Hand back every whole line that was written since the last call."""
        while True:
            self._begin_again_when_emptied()
            yield from self._rest()
            if not self._replaced():
                return

    def last(self) -> str | None:
        """Return the line that has no end yet, for a file that nobody writes to any more."""
        text, self._line = bytes(self._line), bytearray()
        return text.decode("utf-8", "replace") if text else None

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> FileIO | None:
        try:
            file = self._path.open("rb", buffering=0)
        except FileNotFoundError:
            return None
        self._head = os.pread(file.fileno(), _HEAD, 0)
        return file

    def _rest(self) -> Iterator[str]:
        while self._file is not None:
            chunk = self._file.read(_CHUNK)
            if not chunk:
                return
            yield from self._split(chunk)

    def _split(self, chunk: bytes) -> Iterator[str]:
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            self._keep(part)
            line, self._line = bytes(self._line), bytearray()
            yield line.decode("utf-8", "replace").rstrip("\r")
        self._keep(rest)

    def _keep(self, part: bytes) -> None:
        self._line += part[: max(0, LINE_LIMIT - len(self._line))]

    def _replaced(self) -> bool:
        """Open what stands under the name now, when that is another file; say whether it is."""
        if self._file is None:
            self._file = self._opened()
            return self._file is not None
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        here = os.fstat(self._file.fileno())
        if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino):
            return False
        self.close()
        self._line.clear()
        self._file = self._opened()
        return self._file is not None

    def _begin_again_when_emptied(self) -> None:
        if self._file is None:
            return
        head = os.pread(self._file.fileno(), _HEAD, 0)
        shorter = os.fstat(self._file.fileno()).st_size < self._file.tell()
        if shorter or not head.startswith(self._head):
            self._file.seek(0)
            self._line.clear()
        self._head = head


class LogFollower:
    """Waits for what a program writes to a file and hands it back line by line, until it is stopped.

    Parameters
    ----------
    path : Path
        May appear later; its folder must exist.
    from_end : bool
        Whether to pass over what it holds now.

    Raises
    ------
    RepositoryUnusable
        When the folder of the file does not exist.
    """

    def __init__(self, path: Path, *, from_end: bool = False) -> None:
        self._path = path.absolute()
        if not self._path.parent.is_dir():
            raise RepositoryUnusable(f"{self._path.parent} is no folder, so no log can appear there; check the path")
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._reader = LogReader(self._path, from_end=from_end)
        self._observer = Observer()
        self._observer.schedule(_Waker(self._wake), str(self._path.parent))

    def __enter__(self) -> Self:
        self._observer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._observer.stop()
        self._observer.join()
        self._reader.close()

    def stop(self) -> None:
        """Let `lines` end once it has handed back what was written so far."""
        self._stopped.set()
        self._wake.set()

    def lines(self) -> Iterator[str]:
        """Hand back lines as they are written."""
        while True:
            stopped = self._stopped.is_set()
            self._wake.clear()
            yield from self._reader.read()
            if stopped:
                return
            if not self._stopped.is_set():
                self._wake.wait(_LOOK_AGAIN_S)


class _Waker(FileSystemEventHandler):
    def __init__(self, wake: threading.Event) -> None:
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        self._wake.set()
