"""The long-lived first process of a sandbox: it imports once, then forks one confined process a job."""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Union

from . import confinement, job, kernel, namespaces, tree_files, wire  # noqa: TID252
from .namespace_box import NamespaceBox, split_process  # noqa: TID252
from .plain_box import FIRST_JOB_USER, PlainBox  # noqa: TID252
from .supervision import CallerGone, Supervisor  # noqa: TID252

_STARTUP_FAILED = 70

Box = Union[NamespaceBox, PlainBox]  # noqa: UP007 - read at run time by Python 3.9


def main() -> None:
    """Read the plan from standard input, become the sandbox, and serve jobs until the input ends."""
    control, answers = _take_standard_streams()
    message = wire.read_message(control)
    if message is None:
        return
    plan: Mapping[str, Any] = message[0]
    signal.signal(signal.SIGTERM, _stop)
    box, code = None, 0
    try:
        box = _make_box(plan)
        _serve(box, plan, control, answers)
    except CallerGone:
        code = 0
    except Exception:  # noqa: BLE001 - the caller gets the reason as text
        code = _STARTUP_FAILED
        wire.write_message(answers, {"problem": traceback.format_exc()})
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if box is not None:
        box.close()
    # what the preloaded modules would do at the interpreter's end is no business of the sandbox
    os._exit(code)


def _stop(number: int, frame: object) -> None:
    raise CallerGone


def _take_standard_streams() -> tuple[int, int]:
    control, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return control, answers


def _make_box(plan: Mapping[str, Any]) -> Box:
    user = (FIRST_JOB_USER + os.getpid(),) * 2
    if not plan["namespaces"]:
        return PlainBox(plan, user)
    kernel.die_with_parent()
    namespaces.enter(with_user=plan["user"])
    split_process()
    return NamespaceBox(plan, user)


def _serve(box: Box, plan: Mapping[str, Any], control: int, answers: int) -> None:
    sys.path[:] = plan["sys_path"]
    # Modules read their settings when they are imported: numba's NUMBA_DISABLE_JIT, for one.
    os.environ.update({**plan["environment"], **plan["variables"]})
    missing = _preload(plan["preload"])
    if plan["entry"]:
        job.prepare(plan["entry"])
    supervisor = Supervisor(control, box)
    gc.collect()
    gc.freeze()
    if plan["collect"] is not None:
        _, contents = _run(box, plan, supervisor, plan["collect"], ())
        box.add_compiled(tree_files.compiled_files(wire.split_frames(contents[0])))
    wire.write_message(answers, {"ready": True, "missing": missing})
    while True:
        message = wire.read_message(control)
        if message is None:
            raise CallerGone
        ending, contents = _run(box, plan, supervisor, *message)
        wire.write_message(answers, ending, contents)


def _run(
    box: Box, plan: Mapping[str, Any], supervisor: Supervisor, header: Mapping[str, Any], blobs: Sequence[bytes]
) -> tuple[dict[str, object], list[bytes]]:
    pipes = [os.pipe() for _ in range(3)]
    pid = os.fork()
    if pid == 0:
        _become_job(box, plan, header, blobs, [writing for _, writing in pipes])
    for _, writing in pipes:
        os.close(writing)
    answer = supervisor.watch(pid, [reading for reading, _ in pipes], header["limits"])
    box.after_job()
    return answer


def _become_job(
    box: Box, plan: Mapping[str, Any], header: Mapping[str, Any], blobs: Sequence[bytes], pipes: Sequence[int]
) -> None:
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        os.setsid()
        limits = header["limits"]
        records, output, errors = pipes
        confinement.keep_descriptors(output, errors, records)
        box.enter_job(limits)
        confinement.set_limits(limits, box.others())
        confinement.drop_rights(box.user)
        confinement.reset_signals()
        # compiled code that another run left beside its sources may be that of other sources
        private = {**box.variables, "NUMBA_CACHE_DIR": f"{box.variables['HOME']}/.numba"}
        variables = {**plan["environment"], **private, **plan["variables"]}
        # a box may show the tree at another place
        search = [str(box.tree / folder) for folder in plan["python_path"]]
        confinement.set_environment(variables, box.tree, search)
        tree_files.replace_files(box.tree, _files(header["files"], blobs))
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
