"""Prove that rewrites of a function do the same as the original, and say how much faster single calls are."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

from automation.codebase.workspaces import Workspace
from automation.incidents.suites import SuiteSettings
from automation.repair.statements import function_named
from automation.tasks.optimize.workloads import Workload, workload_server

_START_S = 60.0
_COMPILING_S = 60.0
_FOR_CALLS_S = 15.0
_LEAST_INPUTS = 5


@dataclass(frozen=True, slots=True)
class Proof:
    """What the comparison of one rewrite with the original came to.

    Parameters
    ----------
    equal : bool
        Whether it did the same on every input.
    reason : str
        The first difference, or why nothing could be compared.
    ratio : float or None
        Time of single calls by the original's; None where it was not measured.
    inputs, seen : int
        Inputs that were compared, and those of them that came from the workload or a test.
    calls, distinct : int
        Calls that were looked at, and different ones among them.
    compared : bool
        Whether it was called at all.
    """

    equal: bool
    reason: str = ""
    ratio: float | None = None
    inputs: int = 0
    seen: int = 0
    calls: int = 0
    distinct: int = 0
    compared: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """One function and the texts of its file that are to be compared.

    Parameters
    ----------
    path, function : str
        Which.
    original : str
        The file's text.
    versions : tuple of str
        The file's text with each rewrite.
    """

    path: str
    function: str
    original: str
    versions: tuple[str, ...]


def prove(
    workspace: Workspace,
    settings: SuiteSettings,
    question: Question,
    workloads: Sequence[Workload],
    *,
    tolerance: float = 0.0,
    seed: int = 0,
    seconds: float = _FOR_CALLS_S,
    timed: bool = True,
) -> tuple[Proof, ...]:
    """Call the original and every rewrite on the same inputs, in one sandboxed process of their own.

    Parameters
    ----------
    workspace : Workspace
        The private copy.
    settings : SuiteSettings
        How its Python runs.
    question : Question
        What is compared.
    workloads : sequence of Workload
        Whose calls are looked at.
    tolerance : float
        Relative, of floating point results; 0 asks for every bit.
    seed : int
        Same seed, same inputs.
    seconds : float
        For the calls; the workloads have their own time.
    timed : bool
        Whether single calls are timed too.

    Returns
    -------
    tuple of Proof
        One a rewrite, in order.
    """
    span = function_named(ast.parse(question.original), question.function)
    if span is None or not question.versions:
        return tuple(Proof(False, f"{question.function} is no function") for _ in question.versions)
    job = {
        "workloads": [each.job(settings) for each in workloads],
        "path": question.path,
        "function": question.function,
        "lines": sorted({span.first, span.line}),
        "versions": [question.original, *question.versions],
        "seed": seed,
        "seconds": seconds,
        "tolerance": tolerance,
        "timed": timed,
    }
    limits = replace(settings.limits, wall_s=min(settings.limits.wall_s, _START_S + _COMPILING_S + 3 * seconds))
    preload = ["pytest"] if any(each.kind == "tests" for each in workloads) else []
    # its import takes longer than all calls together
    preload += ["numba"] if any("import numba" in text for text in question.versions) else []
    with workload_server(workspace, settings, "proof_run.py", preload, limits) as server:
        outcome = server.submit(job).result()
    said = " ".join(outcome.stderr.split())[-160:]
    ended = f"the comparison ended with {outcome.end}{': ' + said if said and outcome.end != 'done' else ''}"
    return _proofs(outcome.records, len(question.versions), ended)


def _proofs(records: Sequence[dict[str, object]], count: int, ended: str) -> tuple[Proof, ...]:
    base = Proof(False, ended)
    found: dict[int, Proof] = {}
    for record in records:
        if "problem" in record:
            base = replace(base, reason=str(record["problem"]))
        elif "inputs" in record:
            counts = {name: int(str(record[name])) for name in ("inputs", "seen", "calls", "distinct")}
            base = replace(base, reason=ended, **counts)  # type: ignore[arg-type]
            if base.inputs < _LEAST_INPUTS:
                why = f"only {base.inputs} inputs were found on which the original does the same twice in time"
                base = replace(base, reason=why)
        elif "equal" in record and base.inputs >= _LEAST_INPUTS:
            equal, why = bool(record["equal"]), str(record["difference"])
            found[int(str(record["version"]))] = replace(base, equal=equal, reason=why, compared=not record["late"])
        elif "ratio" in record and int(str(record["version"])) in found:
            number = int(str(record["version"]))
            found[number] = replace(found[number], ratio=float(str(record["ratio"])))
    return tuple(found.get(number, base) for number in range(1, count + 1))
