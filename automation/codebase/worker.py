"""The caller's end of one sandbox process: start it, hand it jobs, end it."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from automation.codebase.inside import wire
from automation.codebase.limits import JobOutcome, Limits
from automation.codebase.plans import INSIDE, ONE_THREAD, Request
from automation.errors import SandboxUnavailable

_START_S = 120
_GRACE_S = 20


class WorkerDied(Exception):
    """The sandbox process ended without an answer."""


class Worker:
    """One running sandbox.

    The thread that makes it must live as long as it does: the kernel ends the sandbox with that thread.

    Parameters
    ----------
    python : Path
        Interpreter that runs the sandbox's first process and the jobs.
    plan : mapping
        What the sandbox is made of, from `make_plan`.

    Raises
    ------
    SandboxUnavailable
        When the sandbox reports that it could not be made.
    WorkerDied
        When it ended without a report.
    """

    def __init__(self, python: Path, plan: Mapping[str, object]) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        self._process = subprocess.Popen(  # noqa: S603 - the caller names the interpreter
            [str(python), "-s", "-B", str(INSIDE / "start.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd="/",
            env={**ONE_THREAD, "PYTHONHASHSEED": "0", "LANG": "C.UTF-8", "PATH": os.defpath},
            start_new_session=True,
        )
        self._folder = str(plan.get("folder", ""))
        try:
            header, _ = self._exchange(plan, (), _START_S)
        except BaseException:
            self.close()
            raise
        if "problem" in header:
            self.close()
            raise SandboxUnavailable(f"the sandbox did not start: {header['problem']}")

    def run(self, request: Request, files: Mapping[str, bytes | None], limits: Limits) -> JobOutcome:
        """Run one job to its end.

        Raises
        ------
        WorkerDied
            When the sandbox itself ended or hung.
        """
        contents = [content for content in files.values() if content is not None]
        answer, blobs = self._exchange(request.header(files, limits), contents, limits.wall_s + _GRACE_S)
        if "problem" in answer:
            raise WorkerDied(str(answer["problem"]))
        return _outcome(answer, blobs)

    def _exchange(
        self, header: Mapping[str, object], blobs: Sequence[bytes], patience_s: float
    ) -> tuple[dict[str, object], list[bytes]]:
        if self._process.stdin is None or self._process.stdout is None:
            raise WorkerDied
        try:
            wire.write_message(self._process.stdin.fileno(), header, blobs)
            if not _answers(self._process.stdout.fileno(), patience_s):
                self.kill()
                raise WorkerDied(f"no answer within {patience_s:.0f} s")
            answer = wire.read_message(self._process.stdout.fileno())
        except (BrokenPipeError, ValueError) as error:
            raise WorkerDied(self.last_words()) from error
        if answer is None:
            raise WorkerDied(self.last_words())
        return answer

    def last_words(self) -> str:
        """Return the end of what the sandbox process itself wrote as errors."""
        self._end()
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace")[-2000:].strip()

    def kill(self) -> None:
        """Begin to end the sandbox and everything in it."""
        self._process.terminate()

    def _end(self) -> None:
        self.kill()
        try:
            self._process.wait(timeout=_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """End the sandbox and free its pipes."""
        self._end()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                stream.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def _answers(descriptor: int, patience_s: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    deadline = time.monotonic() + patience_s
    return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))


def _outcome(header: Mapping[str, object], blobs: Sequence[bytes]) -> JobOutcome:
    records = []
    for frame in wire.split_frames(blobs[0]):
        if frame.startswith(b"{"):
            try:
                records.append(json.loads(frame))
            except ValueError:
                # written by something other than emit: not a record
                continue
    exit_code, killer = header["exit_code"], header["signal"]
    return JobOutcome(
        tuple(records),
        str(header["end"]),
        exit_code if isinstance(exit_code, int) else None,
        killer if isinstance(killer, int) else None,
        float(str(header["seconds"])),
        blobs[1].decode("utf-8", "replace"),
        blobs[2].decode("utf-8", "replace"),
    )
