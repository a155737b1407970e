"""How well and how fast questions about this repository are answered; prints one JSON line.

``python -m benchmarks.search`` asks the 100 questions of ``search_questions.json`` by words alone (BM25), by meaning
alone and by both. The weights were chosen on the questions with even numbers; those with odd ones stand apart as
``held_out``. ``--fresh`` builds the index from nothing and times that too; it takes minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from automation.codebase.search.embedding import SentenceEmbedder
from automation.codebase.search.index import IndexUpdate, SearchIndex, search_cache
from automation.codebase.search.ranking import Weights
from automation.models.sentences import MiniLm
from trading.commands import result_of

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = Path(__file__).resolve().parent / "search_questions.json"
GOALS = {"latency.p95_ms": 100.0}
_DEPTH = 50
_ROUNDS = 3


@dataclass(frozen=True)
class Question:
    """A question and the symbols that answer it, each as ``path::Qualified.name``."""

    text: str
    answers: frozenset[str]


def load_questions(path: Path = QUESTIONS) -> tuple[Question, ...]:
    """Read the questions."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return tuple(Question(row["question"], frozenset(row["answers"])) for row in rows)


def first_right(index: SearchIndex, question: Question) -> int:
    """Return the rank of the first accepted answer, from 1; 0 when none is among the first fifty."""
    hits = index.search(question.text, limit=_DEPTH)
    named = (f"{hit.document.path}::{hit.document.name}" for hit in hits)
    return next((rank for rank, name in enumerate(named, 1) if name in question.answers), 0)


def figures(ranks: Sequence[int]) -> dict[str, float]:
    """Return mean reciprocal rank and the share of questions answered within the first 1, 5 and 10.

    Parameters
    ----------
    ranks : sequence of int
        From 1; 0 is not found and counts nothing.
    """
    count = len(ranks)
    shares = {f"recall_at_{most}": round(sum(0 < rank <= most for rank in ranks) / count, 3) for most in (1, 5, 10)}
    return {"mrr": round(sum(1 / rank for rank in ranks if rank) / count, 3), **shares}


def measured(index: SearchIndex, questions: Sequence[Question]) -> dict[str, dict[str, float]]:
    """Return the figures on all questions, on those that the weights were chosen on, and on the others."""
    ranks = [first_right(index, question) for question in questions]
    return {"all": figures(ranks), "chosen_on": figures(ranks[::2]), "held_out": figures(ranks[1::2])}


def latency(index: SearchIndex, questions: Sequence[Question]) -> dict[str, float]:
    """Return how long a warm search takes in this process, milliseconds, with and without a look at the files.

    The processor's time stands beside the clock's, since other work on the machine makes the clock's longer.
    """
    times: dict[str, list[float]] = {"": [], "cpu_": [], "with_refresh_": [], "with_refresh_cpu_": []}
    for _ in range(_ROUNDS):
        for question in questions:
            began, work_began = perf_counter(), process_time()
            result_of(index.refresh())
            refreshed, work_refreshed = perf_counter(), process_time()
            index.search(question.text)
            ended, work_ended = perf_counter(), process_time()
            times[""].append(ended - refreshed)
            times["cpu_"].append(work_ended - work_refreshed)
            times["with_refresh_"].append(ended - began)
            times["with_refresh_cpu_"].append(work_ended - work_began)
    return {
        f"{name}p{share}_ms": round(float(np.percentile(each, share)) * 1_000, 1)
        for name, each in times.items()
        for share in (50, 95)
    }


def built(index: SearchIndex) -> dict[str, float]:
    """Bring an index up to date, with progress on stderr, and return what that took."""
    began, work_began = perf_counter(), process_time()
    work = index.refresh()
    shown = began
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            update: IndexUpdate = end.value
            break
        if perf_counter() - shown > 5:
            shown = perf_counter()
            print(f"{step.label} {step.done:.0f}/{step.total:.0f}", file=sys.stderr, flush=True)
    return {
        "seconds": round(perf_counter() - began, 2),
        "cpu_s": round(process_time() - work_began, 2),
        "files": update.parsed,
        "embedded": update.embedded,
        "documents": update.documents,
    }


def compared(
    cache: Path, embedder: SentenceEmbedder, questions: Sequence[Question], root: Path = ROOT
) -> dict[str, object]:
    """Measure all three ways over one index."""
    usual = Weights()
    ways: Mapping[str, tuple[SentenceEmbedder | None, Weights]] = {
        "bm25": (None, usual),
        "embeddings": (embedder, replace(usual, meaning=1.0)),
        "fused": (embedder, usual),
    }
    result: dict[str, object] = {"benchmark": "search", "questions": len(questions), "model": embedder.name}
    with SearchIndex(root, cache, embedder) as index:
        result["build"] = built(index)
    for name, (reader, weights) in ways.items():
        with SearchIndex(root, cache, reader, weights) as index:
            result[name] = measured(index, questions)
    with SearchIndex(root, cache, embedder) as index:
        index.search("warm up")
        result["latency"] = latency(index, questions)
    result["goals"] = GOALS
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fresh", action="store_true", help="build the index from nothing, in a folder of its own")
    fresh = parser.parse_args().fresh
    with tempfile.TemporaryDirectory(prefix="gridbot-search-") as folder:
        cache = Path(folder) / "search.db" if fresh else search_cache(ROOT)
        print(json.dumps(compared(cache, MiniLm(), load_questions())))


if __name__ == "__main__":
    main()
