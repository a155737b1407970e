"""Log files of a data home and a repository, read from their ends and followed through rotation."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

LEVELS = ("debug", "info", "warning", "error")

_TAIL_BYTES = 256_000
_PLAIN_LEVEL = re.compile(r"\b(DEBUG|INFO|WARNING|ERROR|CRITICAL|FATAL)\b")
_SAME = {"critical": "error", "fatal": "error", "exception": "error", "warn": "warning"}
_HEAD = ("time", "level", "session", "event", "code", "action")
_HOME_LOGS = ("sessions/*/log/*.jsonl*", "runs/*/*.log", "runs/*/*.jsonl", "*.log", "logs/*", "log/*")
_ROOT_LOGS = ("*.log", "logs/*", "log/*", "reports/*.log", "reports/*/*.log")
_MOST_FILES = 200


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file that can be looked at.

    Parameters
    ----------
    path : Path
        Where it lies.
    label : str
        What it is called in a list.
    size : int
        Bytes.
    """

    path: Path
    label: str
    size: int


@dataclass(frozen=True, slots=True)
class LogLine:
    """One record.

    Parameters
    ----------
    time : str
        As the record tells it; empty where it tells none.
    level : str
        One of `LEVELS`.
    text : str
        What happened, with its facts as key=value.
    """

    time: str
    level: str
    text: str

    def fits(self, least: str, words: Iterable[str]) -> bool:
        """Return whether a record is of a level or above and holds all words, small letters like big ones."""
        if LEVELS.index(self.level) < LEVELS.index(least):
            return False
        text = self.text.lower()
        return all(word in text for word in words)


def log_files(home: Path, root: Path) -> tuple[LogFile, ...]:
    """Return the log files of a data home and of a repository, the newest first."""
    found: dict[Path, tuple[float, LogFile]] = {}
    for base, patterns in ((home, _HOME_LOGS), (root, _ROOT_LOGS)):
        for path in chain.from_iterable(base.glob(pattern) for pattern in patterns):
            try:
                kept = path.stat()
            except OSError:
                # rotated away since it was listed
                continue
            if path.is_file():
                found[path] = (kept.st_mtime, LogFile(path, str(path.relative_to(base)), kept.st_size))
    newest = sorted(found.values(), key=lambda one: one[0], reverse=True)
    return tuple(file for _, file in newest[:_MOST_FILES])


class LogTail:
    """The end of a file, and what is added to it; at most 256 kB are read at once, whatever the file's size.

    Parameters
    ----------
    path : Path
        The file; it may vanish and come back.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None
        self._rest = b""
        self._level = "info"

    def read(self) -> list[LogLine]:
        """Return the records that were added since the last call; the first time those at the file's end."""
        lines: list[bytes] = []
        if self._file is None:
            self._open(from_end=True)
        if self._file is not None:
            lines += self._added(self._file)
            if self._has_moved(self._file):
                # the last records of the old file were read just now
                lines += [self._rest] if self._rest else []
                self._open(from_end=False)
                lines += self._added(self._file) if self._file is not None else []
        return [self._record(line) for line in lines if line.strip()]

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file, self._rest = None, b""

    def _open(self, *, from_end: bool) -> None:
        self.close()
        try:
            file = self.path.open("rb")
        except OSError:
            return
        self._file = file
        size = os.fstat(file.fileno()).st_size
        if from_end and size > _TAIL_BYTES:
            file.seek(size - _TAIL_BYTES)
            file.readline()

    def _added(self, file: BinaryIO) -> list[bytes]:
        size, place = os.fstat(file.fileno()).st_size, file.tell()
        if size < place:
            # it was emptied where it lay
            file.seek(0)
            self._rest = b""
        elif size - place > _TAIL_BYTES:
            file.seek(size - _TAIL_BYTES)
            file.readline()
            self._rest = b""
        *lines, self._rest = (self._rest + file.read(_TAIL_BYTES)).split(b"\n")
        return lines

    def _has_moved(self, file: BinaryIO) -> bool:
        try:
            now = self.path.stat()
        except OSError:
            # between two files; the next look finds the new one
            return False
        mine = os.fstat(file.fileno())
        return (now.st_ino, now.st_dev) != (mine.st_ino, mine.st_dev)

    def _record(self, line: bytes) -> LogLine:
        text = line.decode("utf-8", errors="replace").rstrip()
        try:
            told = json.loads(text) if text.startswith("{") else None
        except ValueError:
            told = None
        if isinstance(told, dict):
            return _structured(told)
        named = _PLAIN_LEVEL.search(text)
        if named is not None:
            self._level = _level(named.group().lower())
        # a traceback's lines belong to the record before them
        return LogLine("", self._level, text.expandtabs(4))


def _structured(told: Mapping[str, object]) -> LogLine:
    facts = [f"{name}={_shown(value)}" for name, value in told.items() if name not in _HEAD and value is not None]
    named = [str(told[name]).removeprefix("event=") for name in ("code", "event") if told.get(name)]
    action = [f"({told['action']})"] if told.get("action") else []
    return LogLine(
        str(told.get("time") or told.get("timestamp") or ""),
        _level(str(told.get("level") or "info").lower()),
        " ".join([*named, *facts, *action]),
    )


def _level(word: str) -> str:
    word = _SAME.get(word, word)
    return word if word in LEVELS else "info"


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace("\n", " ⏎ ")
