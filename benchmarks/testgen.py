"""How many faults generated tests notice, beside those of hypothesis' ghostwriter; prints one JSON line.

Each module stands without any test. Its mutants are judged three times: with no test, with what the ghostwriter writes
(those of its tests that pass on the module as it is, told which exceptions are documented), and with what
``gridbot test`` keeps. Tests made to notice some operators are also put to mutants of the others, and to faults planted
by other patterns. Progress goes to stderr.
"""

from __future__ import annotations

import argparse
import ast
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter

from automation.codebase.limits import Limits
from automation.incidents.suites import suite_settings
from automation.tasks.generate_tests.answers import tried
from automation.tasks.generate_tests.generation import Effort, FileTests
from automation.tasks.generate_tests.laboratory import Laboratory
from automation.tasks.generate_tests.mutants import OPERATORS, Mutant, mutants_of, sampled
from automation.tasks.generate_tests.subjects import module_of, subjects_of
from benchmarks.repair_corpus.planting import faults_in
from trading.commands import result_of

ROOT = Path(__file__).resolve().parents[1]
MODULES = (
    "trading/market/timeframes.py",
    "trading/market/names.py",
    "trading/signals/formulas.py",
    "trading/signals/swings.py",
    "trading/metrics/returns.py",
    "colorsys",
    "fnmatch",
)
LEARNED = ("comparison", "arithmetic", "constant", "return", "statement", "augmented")
# A test may take several times as long as on the module as it is, before that counts as noticing a mutant.
_ORIGINAL_S, _MUTANT_S, _SLOWER = 20.0, 4.0, 8.0
_MOST_PLANTED = 80
_WRITE = """
import builtins, importlib, json, sys
from hypothesis.extra import ghostwriter
sys.path.insert(0, "")
module = importlib.import_module(sys.argv[1])
names = [getattr(module, name, getattr(builtins, name, None)) for name in json.loads(sys.argv[2])]
expected = tuple(each for each in names if isinstance(each, type) and issubclass(each, Exception))
print(ghostwriter.magic(module, except_=expected))
"""
_PROFILE = """
import hypothesis
hypothesis.settings.register_profile(
    "benchmark", derandomize=True, database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)
hypothesis.settings.load_profile("benchmark")
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a set of tests notices.

    Parameters
    ----------
    tests : int
        Test functions that hold on the module as it is.
    dropped : int
        Those that do not.
    noticed, judged : int
        Mutants.
    score : float or None
        Their share.
    seconds : float
        To write the tests and to settle which hold.
    """

    tests: int
    dropped: int
    noticed: int
    judged: int
    score: float | None
    seconds: float


def main() -> None:
    """Run the modules that were asked for and print the figures."""
    options = _parser().parse_args()
    began = perf_counter()
    rows = []
    for name in options.only or MODULES:
        with tempfile.TemporaryDirectory(prefix="gridbot-testgen-") as folder:
            row = measured_module(name, Path(folder), options)
        rows.append(row)
        print(json.dumps(row), file=sys.stderr, flush=True)
    print(json.dumps({"benchmark": "testgen", **_summary(rows), "modules": rows, "seconds": _since(began)}))


def measured_module(name: str, folder: Path, options: argparse.Namespace) -> dict[str, object]:
    """Measure one module.

    Parameters
    ----------
    name : str
        A file of this repository, or a module of the standard library.
    folder : Path
        Empty, for a copy without tests.
    options : Namespace
        Seconds, mutants, seed.
    """
    path = _laid_out(name, folder)
    text = (folder / path).read_text(encoding="utf-8")
    module = module_of(path, (".",))
    settings = suite_settings(folder, folder, python=Path(sys.executable), limits=Limits(wall_s=600, cpu_s=600))
    with Laboratory(folder, settings, seed=options.seed) as lab:
        problem = lab.prepare(module, path)
        if problem:
            return {"module": name, "problem": problem}
        mutants = sampled(mutants_of(text), options.mutants, options.seed)
        ghost = _ghostwritten(lab, folder, path, module, text, mutants)
        effort = Effort(seconds=options.seconds, most_mutants=options.mutants)
        ours, tests, before = _generated(lab, path, mutants, effort)
        row: dict[str, object] = {
            "module": name,
            "mutants": len(mutants),
            "before": before,
            "ghostwriter": asdict(ghost),
            "gridbot": asdict(ours),
            "planted": _on_planted(lab, path, text, tests),
        }
        if options.held_out:
            row["held_out"] = _held_out(lab, path, mutants, replace(effort, operators=LEARNED))
    return row


def _laid_out(name: str, folder: Path) -> str:
    if name.endswith(".py"):
        for part in ("trading", "automation"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        return name
    # under another name, so that the copy is tested and not the library's own
    found = Path(sys.modules[name].__file__ or "") if name in sys.modules else _library(name)
    target = folder / f"{name}_copy.py"
    target.write_text(found.read_text(encoding="utf-8"), encoding="utf-8")
    return target.name


def _library(name: str) -> Path:
    return Path(ast.__file__).with_name(f"{name}.py")


def _ghostwritten(
    lab: Laboratory, folder: Path, path: str, module: str, text: str, mutants: Sequence[Mutant]
) -> Measured:
    began = perf_counter()
    documented = sorted({each for subject in subjects_of(path, text, module)[0] for each in subject.documented})
    done = subprocess.run(
        [sys.executable, "-c", _WRITE, module, json.dumps(documented)],
        cwd=folder, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"the ghostwriter failed on {module}: {done.stderr.strip().splitlines()[-1]}")
    written = f"{_PROFILE}{done.stdout}"
    names = _tests_in(written)
    holding, slowest = _holding(lab, written, names)
    seconds = _since(began)
    noticed, judged = _noticed(lab, path, written, holding, mutants, max(_MUTANT_S, _SLOWER * slowest))
    return Measured(len(holding), len(names) - len(holding), noticed, judged, _share(noticed, judged), seconds)


def _generated(
    lab: Laboratory, path: str, mutants: Sequence[Mutant], effort: Effort
) -> tuple[Measured, str, float | None]:
    began = perf_counter()
    outcome = result_of(FileTests(lab, path, effort=effort).work())
    seconds = _since(began)
    names = _tests_in(outcome.text)
    noticed, judged = _noticed(lab, path, outcome.text, names, mutants)
    before = outcome.before
    measured = Measured(len(names), 0, noticed, judged, _share(noticed, judged), seconds)
    return measured, outcome.text, _share(before.killed, before.mutants)


def _held_out(lab: Laboratory, path: str, mutants: Sequence[Mutant], effort: Effort) -> dict[str, object]:
    """Measure tests that were made to notice some operators on mutants of those and of the others."""
    outcome = result_of(FileTests(lab, path, effort=effort).work())
    names = _tests_in(outcome.text)
    figures: dict[str, object] = {"learned_operators": list(LEARNED), "tests": len(names)}
    groups: dict[str, Callable[[Mutant], bool]] = {
        "learned": lambda each: each.operator in LEARNED,
        "held_out": lambda each: each.operator not in LEARNED,
    }
    for key, belongs in groups.items():
        chosen = [each for each in mutants if belongs(each)]
        noticed, judged = _noticed(lab, path, outcome.text, names, chosen)
        figures |= {f"{key}_judged": judged, f"{key}_score": _share(noticed, judged)}
    return figures


def _on_planted(lab: Laboratory, path: str, text: str, tests: str) -> dict[str, object]:
    """Measure on faults of other patterns than the mutants have; those that some mutant equals are left out."""
    known = {_meaning(each.text) for each in mutants_of(text, OPERATORS)}
    faults = [each for each in faults_in(text) if _meaning(each.text) not in known]
    mutants = [Mutant("", each.line, each.line, each.pattern, each.description, each.text) for each in faults]
    noticed, judged = _noticed(lab, path, tests, _tests_in(tests), sampled(mutants, _MOST_PLANTED, lab.seed))
    return {"judged": judged, "noticed": noticed, "score": _share(noticed, judged)}


def _meaning(text: str) -> str:
    return ast.dump(ast.parse(text))


def _tests_in(text: str) -> list[str]:
    return [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and "test" in node.name]


def _holding(lab: Laboratory, text: str, names: Sequence[str]) -> tuple[list[str], float]:
    """Return the tests that pass on the module as it is, each judged alone, and the seconds of the slowest."""
    trials = [(name, lab.trial(text, [name], limit_s=_ORIGINAL_S)) for name in names]
    results = [(name, tried(future.result()), future.result().seconds) for name, future in trials]
    passing = [(name, seconds) for name, trial, seconds in results if not trial.failed and not trial.broken]
    return [name for name, _ in passing], max((seconds for _, seconds in passing), default=0.0)


def _noticed(
    lab: Laboratory, path: str, text: str, names: Sequence[str], mutants: Sequence[Mutant], limit_s: float = _MUTANT_S
) -> tuple[int, int]:
    """Return how many mutants some test notices, and of how many; one that cannot be imported counts for neither."""
    if not names:
        return 0, len(mutants)
    jobs = [
        lab.trial(text, names, files={path: each.text.encode()}, limit_s=limit_s, stop=True, wall_s=180.0)
        for each in mutants
    ]
    trials = [tried(job.result()) for job in jobs]
    judged = [trial for trial in trials if not trial.broken or "ended with" in trial.broken]
    # a mutant that ends the process or runs on and on is noticed by whoever waits for the tests
    return sum(bool(trial.failed or trial.broken) for trial in judged), len(judged)


def _summary(rows: Sequence[Mapping[str, object]]) -> dict[str, object]:
    usable = [row for row in rows if "problem" not in row]

    def total(part: str, key: str) -> float:
        return sum(float(str(_part(row, part).get(key, 0) or 0)) for row in usable)

    return {
        "mutation_score": {
            "before": 0.0 if usable else None,
            "ghostwriter": _share(total("ghostwriter", "noticed"), total("ghostwriter", "judged")),
            "gridbot": _share(total("gridbot", "noticed"), total("gridbot", "judged")),
        },
        "planted_score": _share(total("planted", "noticed"), total("planted", "judged")),
        "held_out_score": _mean(_scores(usable, "held_out", "held_out_score")),
        "learned_score": _mean(_scores(usable, "held_out", "learned_score")),
        "tests": {name: int(total(name, "tests")) for name in ("ghostwriter", "gridbot")},
    }


def _part(row: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = row.get(name)
    return part if isinstance(part, dict) else {}


def _scores(rows: Sequence[Mapping[str, object]], part: str, key: str) -> Iterator[float]:
    for row in rows:
        value = _part(row, part).get(key)
        if isinstance(value, float):
            yield value


def _mean(values: Iterator[float]) -> float | None:
    found = list(values)
    return round(sum(found) / len(found), 4) if found else None


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


def _since(began: float) -> float:
    return round(perf_counter() - began, 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--only", action="append", metavar="NAME", help="this file or module instead; repeatable")
    parser.add_argument("--seconds", type=float, default=40.0, help="for the generation of each module [40]")
    parser.add_argument("--mutants", type=int, default=80, help="of each module at most; more are sampled [80]")
    parser.add_argument("--held-out", action="store_true", help="also learn from some operators, judge by the others")
    parser.add_argument("--seed", type=int, default=0, help="of everything random [0]")
    return parser


if __name__ == "__main__":
    main()
