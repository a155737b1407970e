"""Run one job in its own process: load the entry, hand it the job, write what it emits."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import sys
import threading
import traceback
from typing import Callable, Dict, Mapping  # noqa: UP035 - read at run time by Python 3.9

Run = Callable[[Dict[str, object], Callable[[Dict[str, object]], None]], None]  # noqa: UP006 - for Python 3.9
_prepared: dict[str, Run] = {}

# An empty record says that the job reached its end; records themselves are JSON objects.
DONE, OUT_OF_MEMORY, FAILED = b"", b"memory", b"failed"


def run_job(entry: str, job: Mapping[str, object], records: int, frame: Callable[[bytes], bytes]) -> int:
    """Call ``run(job, emit)`` of the entry file and return the process's exit code.

    What was imported here is kept in local names, so that a test that patches a module cannot cut the records off.
    """
    write, encode, lock = os.write, json.dumps, threading.Lock()

    def put(payload: bytes) -> None:
        view = memoryview(frame(payload))
        with lock:
            while view:
                view = view[write(records, view) :]

    def emit(record: dict[str, object]) -> None:
        put(encode(record).encode())

    end, code = DONE, 0
    try:
        (_prepared.get(entry) or _load(entry))(dict(job), emit)
    except MemoryError:
        end, code = OUT_OF_MEMORY, 1
        traceback.print_exc()
    except SystemExit as stop:
        code = _exit_code(stop)
        flush()
        return code
    except BaseException:  # noqa: BLE001 - whatever the job raises ends the job, not its supervisor
        end, code = FAILED, 1
        traceback.print_exc()
    flush()
    put(end)
    return code


def prepare(entry: str) -> None:
    """Load an entry file ahead of its jobs; one that cannot be loaded is left to the job, which says why."""
    with contextlib.suppress(Exception):
        _prepared[entry] = _load(entry)


def _load(entry: str) -> Run:
    spec = importlib.util.spec_from_file_location("gridbot_entry", entry)
    if spec is None or spec.loader is None:
        raise ImportError(f"{entry} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.run  # type: ignore[no-any-return]


def _exit_code(stop: SystemExit) -> int:
    if stop.code is None or isinstance(stop.code, int):
        return (stop.code or 0) & 255
    print(stop.code, file=sys.stderr)  # noqa: T201 - as the interpreter does
    return 1


def flush() -> None:
    """Write what the standard streams still hold back."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
