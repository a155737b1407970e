"""Put many candidates to the same tests in one job: pytest starts once, and a fork of it takes each candidate.

A plugin of pytest. It lies in the job's tree, for that job alone, with the candidates as JSON beside it, and runs under
any Python from 3.9 on. A candidate that passes here is put to the tests once more in a job of its own, so that what one
candidate does to the next may cost a candidate and never makes one look right.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Dict, Optional, Tuple, cast  # noqa: UP035 - read at run time by Python 3.9

import pytest

Record = Dict[str, object]  # noqa: UP006 - as above
_Marks = Dict[str, Tuple[int, int]]  # noqa: UP006 - as above

_NAME = "gridbot_screening_run"
_MOST_FILES = 20_000
_LONGEST = 300
_CHUNK = 1 << 16


def pytest_configure(config: pytest.Config) -> None:
    """Take the candidates that lie beside this file."""
    job = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    config.pluginmanager.register(_Screening(job, _teller(config)), _NAME)


def _teller(config: pytest.Config) -> Callable[..., None]:
    """Return what leads records out of the sandbox: the probe's own way."""
    probe = next(plugin for plugin in config.pluginmanager.get_plugins() if hasattr(plugin, "tell_session"))
    return cast("Callable[..., None]", probe.emit)


class _Screening:
    def __init__(self, job: Mapping[str, object], tell: Callable[..., None]) -> None:
        self._candidates = cast("list[Record]", job["candidates"])
        self._each_s = float(cast("float", job["each_s"]))
        self._until = time.monotonic() + float(cast("float", job["seconds"]))
        self._tell = tell
        self._answers: Optional[int] = None  # noqa: UP045 - read by Python 3.9
        self._records: list[Record] = []
        self._outcomes: dict[str, str] = {}
        self._raised: dict[str, Record] = {}

    # in the process that pytest was started in

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> Optional[bool]:  # noqa: UP045 - as above
        if self._has_forked():
            return None
        session.items = []
        return True

    def _has_forked(self) -> bool:
        """Try one candidate after the other; True in each fork, which goes on with the tests."""
        loaded = self._loaded()
        if loaded:
            # Forks of this process would run that code as it was.
            self._tell("unfit", paths=sorted(loaded))
        before = self._left_behind()
        for at, candidate in enumerate(self._candidates):
            path = str(candidate["path"])
            if path in loaded or time.monotonic() > self._until:
                continue
            content = Path(path).read_bytes()
            _replace(path, base64.b64decode(str(candidate["content"])))
            records = self._in_fork()
            if records is None:
                return True
            _replace(path, content)
            self._tell("screened", at=at, records=records)
            if before is not None and self._left_behind() != before:
                # The next candidate's tests would find it.
                self._tell("unfit", paths=[str(each["path"]) for each in self._candidates])
                break
            before = None
        return False

    def _loaded(self) -> set[str]:
        changed = {os.path.realpath(str(candidate["path"])): str(candidate["path"]) for candidate in self._candidates}
        names = tuple({Path(path).name for path in changed})
        files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
        # To resolve the links of each of a thousand modules would cost what the forks save.
        likely = [os.path.realpath(file) for file in files if isinstance(file, str) and file.endswith(names)]
        return {changed[file] for file in likely if file in changed}

    def _left_behind(self) -> Optional[_Marks]:  # noqa: UP045 - as above
        """Return the files of the tree with their times, but for those that candidates change."""
        changed = {os.path.normpath(str(candidate["path"])) for candidate in self._candidates}
        found: _Marks = {}
        for folder, folders, names in os.walk("."):
            folders[:] = [name for name in folders if name not in ("__pycache__", ".git", ".pytest_cache")]
            for name in names:
                path = os.path.normpath(os.path.join(folder, name))  # noqa: PTH118 - for each of many files
                if path not in changed and not os.path.islink(path):  # noqa: PTH114 - as above
                    status = os.stat(path)  # noqa: PTH116 - as above
                    found[path] = (status.st_mtime_ns, status.st_size)
            if len(found) > _MOST_FILES:
                break
        return found

    def _in_fork(self) -> Optional[list[Record]]:  # noqa: UP045 - as above
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            os.setpgid(0, 0)
            self._answers = writing
            return None
        os.close(writing)
        try:
            text = _line_from(reading, time.monotonic() + self._each_s)
        finally:
            os.close(reading)
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
            # Also what the tests started; the group is there once the fork has come to make it.
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        try:
            return cast("list[Record]", json.loads(text)) if text else []
        except ValueError:
            return []

    # in the forks

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._records.append({"event": "collected", "node_ids": [item.nodeid for item in session.items]})

    def pytest_exception_interact(self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[object]) -> None:
        name = node.nodeid if isinstance(node, pytest.Item) else node.nodeid.split("::", 1)[0]
        if call.excinfo is not None and name not in self._raised:
            error = call.excinfo.value
            told: Record = {"type": type(error).__name__, "message": _message(error), "frames": []}
            self._raised[name] = told
            self._outcomes[name] = "failed"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._outcomes[report.nodeid] = "failed"
        elif report.skipped:
            self._outcomes.setdefault(report.nodeid, "skipped")
        elif report.when == "call":
            self._outcomes.setdefault(report.nodeid, "passed")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self._answers is None:
            return
        # Before what other plugins do at the end: they would do it to the process that started pytest.
        stopped = bool(session.shouldstop or session.shouldfail)
        results = [self._result(name, outcome) for name, outcome in self._outcomes.items()]
        end: Record = {"event": "end", "exit": int(exitstatus), "seconds": 0.0, "stopped": stopped}
        view = memoryview(json.dumps([*self._records, *results, end]).encode() + b"\n")
        while view:
            view = view[os.write(self._answers, view) :]
        os._exit(0)

    def _result(self, name: str, outcome: str) -> Record:
        raised = self._raised.get(name)
        return {
            "event": "result",
            "node_id": name,
            "outcome": outcome,
            "phase": "call" if "::" in name else "collect",
            "duration_s": 0.0,
            "chain": [raised] if raised else [],
            "operands": [],
            "assertion": "",
            "captured": "",
            "lines": {},
            "values": {},
        }

    def pytest_unconfigure(self) -> None:
        if self._answers is not None:
            # A fork must never go on with what only the process before it has to do.
            os._exit(1)


def _message(error: BaseException) -> str:
    try:
        return str(error)[:_LONGEST]
    except Exception as again:  # noqa: BLE001 - the target's own exceptions may fail to say what they are
        return f"its text raises {type(again).__name__}"


def _line_from(descriptor: int, until: float) -> str:
    parts = bytearray()
    while not parts.endswith(b"\n"):
        left = until - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            return ""
        part = os.read(descriptor, _CHUNK)
        if not part:
            return ""
        parts += part
    return parts.decode("utf-8", "replace")


def _replace(path: str, content: bytes) -> None:
    """Write a file as the sandbox does, so that Python cannot serve an older version of it."""
    sys.modules["gridbot_inside.tree_files"].replace_files(Path(), {path: content})
