"""How many faults ``gridbot fix`` repairs, and how many of its fixes are wrong; prints one JSON line.

Each task is a fresh git repository with a fault and visible tests. ``gridbot fix`` runs on it as a program of its own;
its patch is applied to a clean copy, where tests that it never saw judge it. Progress goes to stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from benchmarks.repair_corpus.corpus import load_corpus
from benchmarks.repair_corpus.problems import Problem, problem_of, write_files
from benchmarks.repair_corpus.trading_copy import ROOT, run_tests, trading_problems

FIX = (sys.executable, "-m", "automation.cli", "fix")
GOALS = {
    "repaired_share with a model": 0.9,
    "repaired_share without": 0.7,
    "wrong_share": 0.03,
    "median_s without a model": 20.0,
    "candidates_per_s": 25.0,
}
_HELD_BACK_S = 180.0
_GIT = ("git", "-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost", "-c", "commit.gpgsign=false")


@dataclass(frozen=True, slots=True)
class Options:
    """How the program is run on each task.

    Parameters
    ----------
    command : tuple of str
        Program and first arguments.
    model : str
        ``none``, or the name of a model.
    minutes : float
        Time that each task may take.
    land : str
        Where a patch lands.
    seed : int
        Of the repair.
    """

    command: tuple[str, ...]
    model: str
    minutes: float
    land: str
    seed: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one task.

    Parameters
    ----------
    outcome : str
        ``repaired``: held-back tests pass; ``wrong``: a fix was reported and they do not; ``abstained``: none was
        reported; ``broken``: the program gave no answer.
    seconds : float
        Wall time of the program.
    candidates : int
        That it tried, at ``candidates_per_s``.
    proposer : str
        Whose candidate was reported, else empty.
    """

    name: str
    suite: str
    pattern: str
    single_edit: bool
    fault: str
    outcome: str
    seconds: float
    candidates: int = 0
    candidates_per_s: float = 0.0
    proposer: str = ""
    model_calls: int = 0
    patch: str = ""
    detail: str = ""


def main(arguments: list[str] | None = None) -> None:
    """Run the tasks that were asked for and print one JSON line."""
    parsed = _parser().parse_args(arguments)
    command = tuple(shlex.split(parsed.command)) if parsed.command else FIX
    options = Options(command, parsed.model, parsed.minutes, parsed.land, parsed.seed)
    began = perf_counter()
    attempts = attempt_all(_problems(parsed), options, parsed.jobs)
    report = {
        "benchmark": "repair",
        "model": parsed.model,
        "suite": parsed.suite,
        "seed": parsed.seed,
        "minutes": parsed.minutes,
        "seconds": round(perf_counter() - began, 1),
        "goals": GOALS,
        **summary(attempts),
    }
    if parsed.out is not None:
        parsed.out.parent.mkdir(parents=True, exist_ok=True)
        details = {**report, "tasks": [asdict(attempt) for attempt in attempts]}
        parsed.out.write_text(json.dumps(details, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report))


def attempt_all(problems: Iterable[Problem], options: Options, jobs: int = 1) -> list[Attempt]:
    """Run the program on each problem and judge what it answers, telling progress on stderr."""
    attempts = []
    attempt_each = partial(attempt_one, options=options)
    with ThreadPoolExecutor(jobs) as pool:
        # A pool would ask for all problems at once, and planting faults would slow down the attempts that are timed.
        for attempt in map(attempt_each, problems) if jobs == 1 else pool.map(attempt_each, problems):
            attempts.append(attempt)
            told = f"{len(attempts):3d} {attempt.outcome:9s} {attempt.seconds:6.1f} s  {attempt.suite} {attempt.name}"
            print(f"{told}  {attempt.proposer or attempt.detail}"[:200], file=sys.stderr, flush=True)
    return attempts


def attempt_one(problem: Problem, options: Options) -> Attempt:
    """Run the program on one problem and judge what it answers."""
    with tempfile.TemporaryDirectory(prefix="gridbot-repair-") as folder:
        repository, clean, home = (Path(folder) / name for name in ("target", "clean", "home"))
        _make_repository(problem, repository)
        problem.write(clean)
        began = perf_counter()
        answer, detail = _ask(problem, options, repository, home)
        seconds = perf_counter() - began
        patch = str(answer.get("patch") or "")
        reported = answer.get("status") in {"fixed", "awaiting_approval"} and bool(patch)
        if reported:
            outcome, detail = _judged(problem, patch, clean)
        else:
            outcome = "abstained" if "status" in answer else "broken"
    return Attempt(
        name=problem.name,
        suite=problem.suite,
        pattern=problem.pattern,
        single_edit=problem.single_edit,
        fault=problem.fault,
        outcome=outcome,
        seconds=round(seconds, 3),
        candidates=int(_number(answer.get("candidates_tried"))),
        candidates_per_s=_number(answer.get("candidates_per_second")),
        proposer=str(answer.get("proposer") or "") if reported else "",
        model_calls=int(_number(answer.get("model_calls"))),
        patch=patch,
        detail=detail,
    )


def summary(attempts: list[Attempt]) -> dict[str, object]:
    """Return the figures in all, by suite, by whether one small edit is enough, and by proposer."""
    groups = {
        "corpus": [attempt for attempt in attempts if attempt.suite == "corpus"],
        "trading": [attempt for attempt in attempts if attempt.suite == "trading"],
        "single_edit": [attempt for attempt in attempts if attempt.single_edit],
        "several_edits": [attempt for attempt in attempts if not attempt.single_edit],
    }
    proposers = sorted({attempt.proposer for attempt in attempts} - {""})
    kinds = {name.partition(":")[0] for name in proposers}
    return {
        "all": figures(attempts),
        **{name: figures(group) for name, group in groups.items() if group},
        "proposers": {
            name: figures([a for a in attempts if a.proposer and name in (a.proposer, a.proposer.partition(":")[0])])
            for name in sorted({*proposers, *kinds})
        },
    }


def figures(attempts: list[Attempt]) -> dict[str, object]:
    """Return the figures of some attempts; shares are 0..1, None where there is nothing to divide by."""
    outcomes = [attempt.outcome for attempt in attempts]
    repaired, wrong = outcomes.count("repaired"), outcomes.count("wrong")
    seconds = sorted(attempt.seconds for attempt in attempts)
    timed = [attempt for attempt in attempts if attempt.candidates and attempt.candidates_per_s]
    searching_s = sum(attempt.candidates / attempt.candidates_per_s for attempt in timed)
    return {
        "tasks": len(attempts),
        "repaired": repaired,
        "repaired_share": _share(repaired, len(attempts)),
        "plausible_but_wrong": wrong,
        "wrong_share": _share(wrong, repaired + wrong),
        "abstained": outcomes.count("abstained"),
        "broken": outcomes.count("broken"),
        "median_s": round(median(seconds), 2) if seconds else None,
        "p90_s": round(quantiles(seconds, n=10, method="inclusive")[-1], 2) if len(seconds) > 1 else None,
        "candidates": sum(attempt.candidates for attempt in attempts),
        "candidates_per_s": round(sum(a.candidates for a in timed) / searching_s, 1) if timed else None,
        "model_calls": sum(attempt.model_calls for attempt in attempts),
    }


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _problems(parsed: argparse.Namespace) -> Iterator[Problem]:
    corpus = map(problem_of, load_corpus()) if parsed.suite in {"corpus", "all"} else ()
    trading = trading_problems(parsed.faults, parsed.seed) if parsed.suite in {"trading", "all"} else ()
    chosen = (problem for problem in chain(corpus, trading) if not parsed.only or problem.name in parsed.only)
    return islice(chosen, parsed.limit)


def _make_repository(problem: Problem, root: Path) -> None:
    problem.write(root)
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "Begin")):
        subprocess.run([*_GIT, *words], cwd=root, check=True, capture_output=True)


def _ask(problem: Problem, options: Options, repository: Path, home: Path) -> tuple[dict[str, object], str]:
    command = [
        *options.command, str(repository), "--tests", problem.tests, "--model", options.model,
        "--max-minutes", f"{options.minutes:g}", "--land", options.land, "--approve", "--json",
        "--seed", str(options.seed),
    ]  # fmt: skip
    # A home of its own: what was learned from one task must not help with the next.
    environment = {
        **os.environ,
        "GRIDBOT_HOME": str(home),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
    }
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    try:
        # The program has to keep its own limit; this one is for one that does not.
        out, err = process.communicate(timeout=options.minutes * 120 + 120)
    except subprocess.TimeoutExpired:
        return {}, "did not end in twice its time"
    finally:
        _end_group(process)
    try:
        answer = json.loads(out.strip().splitlines()[-1])
    except (IndexError, ValueError):
        return {}, f"exit code {process.returncode}: {' '.join(err.split())[-300:]}"
    if not isinstance(answer, dict):
        return {}, "the answer is no object"
    return answer, str(answer.get("reason") or answer.get("error") or "")


def _end_group(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def _judged(problem: Problem, patch: str, clean: Path) -> tuple[str, str]:
    applied = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"],  # noqa: S607 - the git that PATH names
        input=patch, cwd=clean, text=True, capture_output=True, check=False,
    )  # fmt: skip
    if applied.returncode:
        return "wrong", f"the patch does not apply: {' '.join(applied.stderr.split())[:200]}"
    # Tests that the patch may have touched are put back before they judge it.
    write_files({path: problem.files[path] for path in problem.visible}, clean)
    write_files(problem.held_back, clean)
    counts = run_tests(clean, (*problem.visible, *problem.held_back), _HELD_BACK_S)
    if counts is None:
        return "wrong", "the tests did not end"
    if counts.failed or not counts.passed:
        return "wrong", f"{counts.failed} tests fail with the patch"
    return "repaired", ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--model", default="none", help="none, or the model that may help")
    parser.add_argument("--suite", choices=("corpus", "trading", "all"), default="all", help="which faults [all]")
    parser.add_argument("--only", action="append", metavar="NAME", help="this task; repeatable")
    parser.add_argument("--limit", type=int, metavar="N", help="no more than the first N tasks")
    parser.add_argument("--faults", type=int, default=30, metavar="N", help="faults planted in trading [30]")
    parser.add_argument("--minutes", type=float, default=3.0, help="time that each task may take [3]")
    parser.add_argument("--jobs", type=int, default=1, help="tasks at a time; more than one spoils the times [1]")
    parser.add_argument("--seed", type=int, default=0, help="of the faults and the repair [0]")
    parser.add_argument("--land", default="worktree", help="where a patch lands [worktree]")
    parser.add_argument("--command", help="run this instead of `gridbot fix`, with the same options")
    parser.add_argument("--out", type=Path, help="write all details, task by task, to this JSON file")
    return parser


if __name__ == "__main__":
    main()
