"""Call the test functions of one text, each on its own, and tell which of them fail and where they went.

Loaded by file path inside the sandbox, for any Python from 3.9 on; run as a program it reads its job from a file.
"""

from __future__ import annotations

import contextlib
import gc
import inspect
import itertools
import json
import os
import random
import string
import sys
import tempfile
import types
import typing
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Dict, Optional  # noqa: UP035 - read at run time by Python 3.9

if typing.TYPE_CHECKING:
    from automation.tasks.generate_tests.inside import arcs, entering, limits, values
else:
    # loaded by path: the target may hold a package of the same name as ours
    _package = sys.modules.setdefault("_gridbot_tests", types.ModuleType("_gridbot_tests"))
    _package.__path__ = [str(Path(__file__).parent), str(Path(__file__).parents[3] / "repair" / "inside")]
    from _gridbot_tests import arcs, calling, entering, limits, pools, values, variations  # noqa: F401 - once for every fork

Record = Dict[str, Any]  # noqa: UP006
Emit = Callable[[Record], None]

_DONE = "gridbot trial "
_MOST_HUNG = 2


def run(job: Record, emit: Emit) -> None:
    """Emit one record with ``failed`` (names to what they raised) and ``arcs`` (by name), or with ``broken``.

    Parameters
    ----------
    job : dict
        ``root``, ``python_path``, ``text`` (of the test module), ``names`` (functions to call, None for all),
        ``limit_s`` (of each call), ``trace`` (path of a file whose steps are told, or None), ``seed`` (order; None for
        the order of the text), ``stop`` (whether the first failure is enough), ``elsewhere`` (whether to work in
        an empty folder).
    emit : callable
        Takes each record, which the sandbox hands out.
    """
    gc.freeze()
    root = entering.enter(job)
    if job["elsewhere"]:
        os.chdir(tempfile.mkdtemp())
    warnings.simplefilter("ignore")
    module = types.ModuleType("gridbot_trial")
    sys.modules[module.__name__] = module
    _settle_hypothesis()
    with entering.silent():
        try:
            with limits.limited(max(10.0, 20 * job["limit_s"])):
                exec(compile(job["text"], "<trial>", "exec", dont_inherit=True), vars(module))  # noqa: S102 - sandbox
        except BaseException as error:  # noqa: BLE001 - the target's module code may raise anything
            emit({"broken": f"{type(error).__name__}: {str(error)[:200]}"})
            return
        emit(_results(job, vars(module), root))


def _results(job: Record, scope: dict[str, object], root: str) -> Record:
    names = job["names"]
    if names is None:
        names = [name for name, held in scope.items() if name.startswith("test_") and inspect.isfunction(held)]
    if job["seed"] is not None:
        names = sorted(names)
        random.Random(job["seed"]).shuffle(names)  # noqa: S311 - repeatable, no secret
    tracer = arcs.ArcTracer(os.path.join(root, job["trace"])) if job["trace"] else None  # noqa: PTH118
    failed: Dict[str, str] = {}  # noqa: UP006
    hung = 0
    steps: Dict[str, list[tuple[int, int]]] = {}  # noqa: UP006
    for name in names:
        problem = _problem(scope[name], job["limit_s"], tracer)
        if problem is not None:
            failed[name] = problem
            hung += problem.startswith("TooLong")
            if job["stop"] or hung > _MOST_HUNG:
                break
        if tracer is not None:
            steps[name] = sorted(tracer.take())
    return {"failed": failed, "arcs": steps}


def _problem(test: values.Foreign, limit_s: float, tracer: Optional[arcs.ArcTracer]) -> Optional[str]:  # noqa: UP045
    for arguments in _rows(test):
        try:
            with limits.limited(limit_s):
                if tracer is not None:
                    tracer.start()
                try:
                    test(**arguments)
                finally:
                    if tracer is not None:
                        tracer.stop()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it raises, it fails
            return f"{type(error).__name__}: {str(error)[:160]}"
    return None


def _rows(test: values.Foreign) -> Iterator[dict[str, object]]:
    """Yield the arguments of each row of a parametrised test."""
    base: dict[str, object] = {}
    if "tmp_path" in inspect.signature(test).parameters and not hasattr(test, "hypothesis"):
        base["tmp_path"] = Path(tempfile.mkdtemp())
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    tables = []
    for mark in marks:
        names, rows = mark.args
        if isinstance(names, str):
            names = [each.strip() for each in names.split(",")]
        tables.append(
            [
                dict(zip(names, row if len(names) > 1 else [row]))  # noqa: B905 - Python 3.9
                for row in rows
            ]
        )
    for chosen in itertools.product(*tables):
        row = dict(base)
        for each in chosen:
            row.update(each)
        yield row


def _main(place: str) -> None:
    """Run a job that another interpreter wrote down, in another folder than the tree, and print what it comes to."""
    job = json.loads(Path(place).read_text(encoding="utf-8"))
    job["root"] = os.path.abspath(job["root"])  # noqa: PTH100 - links stay as they are
    found: list[Record] = []
    run(job, found.append)
    print(_DONE + json.dumps(found[-1]))  # noqa: T201 - the answer


def _settle_hypothesis() -> None:
    """Take the first counterexample as it is: to find a smaller one takes seconds, and nobody reads it here."""
    if "hypothesis" in sys.modules:
        import hypothesis

        phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
        hypothesis.settings.register_profile("gridbot", phases=phases, database=None, deadline=None)
        hypothesis.settings.load_profile("gridbot")


def _warm() -> None:
    """Let hypothesis build its tables before the first fork, where it is loaded already."""
    if "hypothesis" not in sys.modules:
        return
    import hypothesis
    from hypothesis import strategies

    settings = hypothesis.settings(max_examples=2, database=None, derandomize=True, deadline=None)
    # no text of any alphabet: its table of all characters takes seconds
    given = hypothesis.given(
        strategies.text(string.printable), strategies.floats(), strategies.lists(strategies.integers())
    )
    with contextlib.suppress(Exception):
        settings(given(lambda text, number, items: None))()


if __name__ == "__main__":
    _main(sys.argv[1])
else:
    _warm()
