"""The long-lived first process of a sandbox: it imports once, then forks one confined process a job."""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import confinement, job, kernel, namespaces, supervision, tree_files, wire  # noqa: TID252
from .filesystem import View  # noqa: TID252

# Each worker runs its jobs as a user of its own, so that the limit on processes counts that worker's alone.
_FIRST_JOB_USER = 1_900_000_000
_STARTUP_FAILED = 70


def main() -> None:
    """Read the plan from standard input, become the sandbox, and serve jobs until the input ends."""
    control, answers = _take_standard_streams()
    message = wire.read_message(control)
    if message is None:
        return
    plan = message[0]
    try:
        Zygote(plan, control, answers).serve()
    except Exception:  # noqa: BLE001 - the caller gets the reason as text
        wire.write_message(answers, {"problem": traceback.format_exc()})
        os._exit(_STARTUP_FAILED)


def _take_standard_streams() -> tuple[int, int]:
    control, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return control, answers


class Zygote:
    """One worker's first process."""

    def __init__(self, plan: Mapping[str, Any], control: int, answers: int) -> None:
        self._plan, self._control, self._answers = plan, control, answers
        kernel.die_with_parent()
        user = _FIRST_JOB_USER + os.getpid()
        self._job_user = (user, user) if plan["drop"] else None
        self._enter_namespaces()
        self._tree = str(plan["tree"])
        self._view = View(self._tree, plan["steps"], plan["links"], plan["hide_in_tree"], self._job_user)
        self._supervisor = supervision.Supervisor(control, _kill_namespace, _namespace_members)
        kernel.allow_inspection(allowed=False)

    def _enter_namespaces(self) -> None:
        namespaces.enter(with_user=bool(self._plan["user"]))
        pid = os.fork()
        if pid:
            os.close(self._control)
            os.close(self._answers)
            _, status = os.waitpid(pid, 0)
            os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
        kernel.die_with_parent()
        namespaces.bring_loopback_up()

    def serve(self) -> None:
        """Answer jobs one after the other."""
        sys.path[:] = self._plan["sys_path"]
        missing = _preload(self._plan["preload"])
        gc.collect()
        gc.freeze()
        threads = len(list(Path("/proc/self/task").iterdir()))
        wire.write_message(self._answers, {"ready": True, "missing": missing, "threads": threads})
        while True:
            message = wire.read_message(self._control)
            if message is None:
                os._exit(0)
            header, contents = self._run(*message)
            wire.write_message(self._answers, header, contents)

    def _run(self, header: Mapping[str, Any], blobs: Sequence[bytes]) -> tuple[dict[str, object], list[bytes]]:
        pipes = [os.pipe() for _ in range(3)]
        pid = os.fork()
        if pid == 0:
            self._become_job(header, blobs, [writing for _, writing in pipes])
        for _, writing in pipes:
            os.close(writing)
        return self._supervisor.watch(pid, [reading for reading, _ in pipes], header["limits"])

    def _become_job(self, header: Mapping[str, Any], blobs: Sequence[bytes], pipes: Sequence[int]) -> None:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            os.setsid()
            limits = header["limits"]
            self._view.enter(int(limits["disk_bytes"]))
            records, output, errors = pipes
            confinement.keep_descriptors(output, errors, records)
            confinement.set_limits(limits)
            confinement.drop_rights(self._job_user)
            confinement.reset_signals()
            confinement.set_environment(self._plan["environment"], self._tree, self._plan["python_path"])
            tree_files.replace_files(self._tree, _files(header["files"], blobs))
            code = _work(header, confinement.RECORDS_DESCRIPTOR)
        except BaseException:  # noqa: BLE001 - a forked child must never return into its parent's loop
            traceback.print_exc()
        finally:
            os._exit(code)


def _work(header: Mapping[str, Any], records: int) -> int:
    argv = header["argv"]
    if argv is None:
        return job.run_job(header["entry"], header["job"], records, wire.frame)
    try:
        os.execvpe(argv[0], argv, dict(os.environ))  # noqa: S606 - the sandbox is what runs programs
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        sys.stderr.flush()
    return 127


def _files(names: Sequence[tuple[str, bool]], blobs: Sequence[bytes]) -> dict[str, bytes | None]:
    contents = iter(blobs)
    return {name: next(contents) if exists else None for name, exists in names}


def _preload(names: Sequence[str]) -> list[str]:
    missing = []
    for name in names:
        try:
            importlib.import_module(name)
        except BaseException:  # noqa: BLE001 - a module that cannot be imported early is imported late or never
            missing.append(name)
    return missing


def _kill_namespace(pid: int) -> None:
    """Kill every process of this namespace but its first, which is this one."""
    del pid
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        return


def _namespace_members(pid: int) -> list[int]:
    del pid
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and entry.name != "1"]


Members = Callable[[int], Sequence[int]]
