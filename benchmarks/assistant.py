"""How well sentences are understood: right commands, right arguments, unknown requests refused, and how fast.

``python -m benchmarks.assistant`` prints one JSON line; ``--misses SPLIT`` lists what went wrong in one split.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from automation.assistant.answers import Context, Plan, Question, Refusal, Routed
from automation.assistant.opening import sentence_model
from automation.assistant.places import Places
from automation.assistant.router import Router
from automation.registry import gridbot_registry
from automation.requests import command_words
from benchmarks.assistant_lines import asks_the_same, parsed, taken_apart
from trading.commands import Registry

ROOT = Path(__file__).resolve().parents[1]
SENTENCES = ROOT / "tests" / "automation" / "assistant" / "sentences"
SPLITS = ("written", "held", "rehearsed", "fresh")
# By people who never saw the router, and none of them an example.
OUTSIDE = "outside_held"
GOALS = {"command": 0.95, "arguments": 0.90, "refused": 0.95, "p95_ms": 150.0}
NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
OPEN_FILE = "trading/market/timeframes.py"
SESSIONS = ("paper-btc-usdt", "paper-eth-usdt", "night-grid")
RUNS = (("20261119-1745", None), ("20261120-2301", "fixed"), ("20261121-0912", "awaiting_approval"))
# Two names of one command.
_SAME = {"sessions stop": "stop"}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and the command lines that it means; none means that it must be refused."""

    say: str
    run: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a sentence.

    Parameters
    ----------
    sentence : Sentence
        What was said.
    told : str
        What was understood, for a person.
    command, arguments : bool
        Whether all commands, and all arguments (as `assistant_lines` compares them), are right; for an unknown request,
        whether nothing would run.
    refused : bool
        Whether it was refused outright.
    seconds, cpu_s : float
        Time of the answer, and of the processor.
    """

    sentence: Sentence
    told: str
    command: bool
    arguments: bool
    refused: bool
    seconds: float
    cpu_s: float


def load_sentences(split: str) -> tuple[Sentence, ...]:
    """Return the sentences of a split."""
    rows = json.loads((SENTENCES / f"{split}.json").read_text(encoding="utf-8"))
    return tuple(Sentence(row["say"], tuple(row["run"])) for row in rows)


def prepare_home(home: Path) -> Path:
    """Put sessions and repair runs into a data home, as names that sentences can mean."""
    for name in SESSIONS:
        folder = home / "sessions" / name
        folder.mkdir(parents=True)
        (folder / "journal.sqlite").touch()
    for order, (name, status) in enumerate(RUNS):
        folder = home / "runs" / name
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({"run_id": name, "started_ms": order, "request": {}}))
        if status is not None:
            (folder / "result.json").write_text(json.dumps({"status": status}))
    return home


def open_bench(home: Path, *, with_meaning: bool = True) -> Router:
    """Return a router that stands in a prepared home, with a file open."""
    embedder = sentence_model() if with_meaning else None
    return Router(gridbot_registry(), ROOT, embedder=embedder, context=bench_context(home))


def bench_context(home: Path) -> Context:
    """Return the world in which the sentences are said."""
    return Context(file=OPEN_FILE, home=home, clock=lambda: NOW)


def command_of(line: str) -> str:
    """Return the command's name of a command line without the program's."""
    names = sorted((command.name for command in gridbot_registry()), key=len, reverse=True)
    name = next(each for each in names if f"{line} ".startswith(f"{each} "))
    return _SAME.get(name, name)


def judge(router: Router, sentence: Sentence, registry: Registry) -> Verdict:
    """Route one sentence and compare it with what it means."""
    began, worked = time.perf_counter(), time.process_time()
    routed = router.route(sentence.say)
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - worked
    told, refused = _told(routed), isinstance(routed, Refusal)
    if not sentence.run:
        stays = not isinstance(routed, Plan)
        return Verdict(sentence, told, stays, stays, refused, seconds, cpu_s)
    wanted = [parsed(line, registry) for line in sentence.run]
    steps = routed.steps if isinstance(routed, Plan) else ()
    found = [taken_apart(command_words(step.command, step.values), step.command.name, registry) for step in steps]
    command = [_SAME.get(one.command, one.command) for one in wanted] == [
        _SAME.get(one.command, one.command) for one in found
    ]
    arguments = command and all(asks_the_same(one, other, _places()) for one, other in zip(wanted, found, strict=True))
    return Verdict(sentence, told, command, arguments, refused, seconds, cpu_s)


def figures(verdicts: Sequence[Verdict]) -> dict[str, object]:
    """Return the shares of a split."""
    known = [one for one in verdicts if one.sentence.run]
    unknown = [one for one in verdicts if not one.sentence.run]
    seconds = [one.seconds for one in verdicts]
    return {
        "known": len(known),
        "command": _share(sum(one.command for one in known), len(known)),
        "arguments": _share(sum(one.arguments for one in known), len(known)),
        "unknown": len(unknown),
        "refused": _share(sum(one.refused for one in unknown), len(unknown)),
        "nothing_run": _share(sum(one.command for one in unknown), len(unknown)),
        "p50_ms": _quantile_ms(seconds, 0.5),
        "p95_ms": _quantile_ms(seconds, 0.95),
        "p95_cpu_ms": _quantile_ms([one.cpu_s for one in verdicts], 0.95),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print one JSON line and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--misses", choices=(*SPLITS, OUTSIDE), help="list what went wrong in this split")
    parser.add_argument("--words-alone", action="store_true", help="without the sentence model")
    options = parser.parse_args(arguments)
    registry = gridbot_registry()
    with tempfile.TemporaryDirectory() as folder:
        home = prepare_home(Path(folder))
        router = open_bench(home, with_meaning=not options.words_alone)
        # once, so that what follows is warm
        router.warm()
        for warm in ("backtest bitcoin", "document the grid module", "where is parse_symbol"):
            router.route(warm)
        results = {
            split: [judge(router, sentence, registry) for sentence in load_sentences(split)]
            for split in (*SPLITS, OUTSIDE)
            if (SENTENCES / f"{split}.json").is_file()
        }
        cold = cold_start_s(home)
    if options.misses:
        for one in results[options.misses]:
            if not (one.command and one.arguments) or (not one.sentence.run and not one.refused):
                print(f"{one.sentence.say}\n    wanted {' && '.join(one.sentence.run) or '-'}\n    got    {one.told}")
    everything = [one for split in results.values() for one in split]
    told = {split: figures(split_results) for split, split_results in results.items()}
    report = {
        "benchmark": "assistant", "goals": GOALS, "meaning": not options.words_alone, **figures(everything),
        "cold_start_s": cold[0], "cold_start_cpu_s": cold[1], "splits": told, "by_command": _by_command(everything),
    }  # fmt: skip
    print(json.dumps(report))
    return 0


def cold_start_s(home: Path) -> tuple[float, float]:
    """Return wall and processor seconds of a ``gridbot ask`` in a new process whose home knows the examples."""
    words = ["ask", "how are my sessions", "--dry-run", "--json", "--home", str(home)]
    before = _children_s()
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "automation.cli", *words], cwd=ROOT, check=True, capture_output=True)
    return round(time.perf_counter() - began, 2), round(_children_s() - before, 2)


@cache
def _places() -> Places:
    return Places(ROOT)


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _by_command(verdicts: Sequence[Verdict]) -> dict[str, str]:
    seen: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for one in verdicts:
        for line in one.sentence.run:
            name = command_of(line)
            seen[name] += 1
            right[name] += one.command
    return {name: f"{right[name]}/{count}" for name, count in sorted(seen.items()) if right[name] < count}


def _quantile_ms(seconds: Sequence[float], share: float) -> float:
    return round(1000 * sorted(seconds)[min(len(seconds) - 1, int(share * len(seconds)))], 1)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _told(routed: Routed) -> str:
    if isinstance(routed, Plan):
        return " && ".join(f"{step.text} ({step.confidence:.2f})" for step in routed.steps)
    if isinstance(routed, Question):
        return "? " + " | ".join(f"{step.text} ({step.confidence:.2f})" for step in routed.choices)
    return f"refused: {routed.reason}"


if __name__ == "__main__":
    sys.exit(main())
