"""Call functions with literals and see what they answer; run doctests. Loaded by its path, standard library only."""

from __future__ import annotations

import ast
import contextlib
import doctest
import importlib
import io
from collections.abc import Callable
from types import ModuleType

Record = dict[str, object]
_LONGEST = 100


def run(job: Record, emit: Callable[[Record], None]) -> None:
    """Do one job for a module.

    Parameters
    ----------
    job : dict
        ``module`` (dotted name) with either ``calls`` (texts such as ``fee(100, 2)``) or ``doctests`` (names).
    emit : callable
        Takes one record for each call (``call``, ``answer``: its repr, empty when there is none to show), or for each
        doctest (``name``, ``failed``, ``tried``).
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            module = importlib.import_module(str(job["module"]))
    except Exception as error:  # noqa: BLE001 - whatever the target raises is its answer
        emit({"problem": f"{type(error).__name__}: {error}"})
        return
    calls, names = job.get("calls"), job.get("doctests")
    for call in calls if isinstance(calls, list) else []:
        emit({"call": call, "answer": _answer(module, str(call))})
    for name in names if isinstance(names, list) else []:
        emit(_checked(module, str(name)))


def _answer(module: ModuleType, call: str) -> str:
    tree = ast.parse(call, mode="eval").body
    if not isinstance(tree, ast.Call):
        return ""
    said = io.StringIO()
    try:
        function = vars(module)[ast.unparse(tree.func)]
        with contextlib.redirect_stdout(said):
            shown = [
                repr(
                    function(
                        *(ast.literal_eval(value) for value in tree.args),
                        **{each.arg: ast.literal_eval(each.value) for each in tree.keywords if each.arg},
                    )
                )
                for _ in range(2)
            ]
    except Exception:  # noqa: BLE001 - an input that the function refuses is no example
        return ""
    # a doctest compares text: an address, or anything that differs the second time, would fail
    steady = shown[0] == shown[1] and " at 0x" not in shown[0] and not said.getvalue()
    return shown[0] if steady and len(shown[0]) <= _LONGEST and "\n" not in shown[0] and shown[0] != "None" else ""


def _checked(module: ModuleType, name: str) -> Record:
    found = [one for one in doctest.DocTestFinder().find(module, module.__name__) if one.name.endswith(f".{name}")]
    runner = doctest.DocTestRunner(verbose=False)
    said = io.StringIO()
    for one in found:
        runner.run(one, out=said.write)
    tried = runner.summarize(verbose=False).attempted if found else 0
    return {"name": name, "failed": runner.failures, "tried": tried}
