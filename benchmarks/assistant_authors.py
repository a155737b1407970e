"""How well the router understands people who never saw it: each outside author is left out of the examples in turn.

``python -m benchmarks.assistant_authors`` prints a line of JSON for each; ``--write`` makes the examples (``said.txt``)
of all of them anew, after which ``python -m automation.assistant.vectors`` fits the router to them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from automation.assistant.examples import UNKNOWN, Example, own_examples, write_said
from automation.assistant.opening import sentence_model
from automation.assistant.router import Router
from automation.registry import gridbot_registry
from benchmarks.assistant import (
    ROOT,
    SENTENCES,
    Sentence,
    bench_context,
    command_of,
    figures,
    judge,
    prepare_home,
)


def load_authors() -> dict[str, tuple[Sentence, ...]]:
    """Return the sentences that the examples are made of, by author."""
    rows = json.loads((SENTENCES / "outside_seen.json").read_text(encoding="utf-8"))
    authors = dict.fromkeys(row["author"] for row in rows)
    return {
        author: tuple(Sentence(row["say"], tuple(row["run"])) for row in rows if row["author"] == author)
        for author in authors
    }


def examples_of(sentences: Iterable[Sentence], router: Router) -> list[Example]:
    """Return what sentences are examples of, in normal form; several wishes only where they fall into as many parts."""
    found: list[Example] = []
    for each in sentences:
        if len(each.run) <= 1:
            found.append(Example(command_of(each.run[0]) if each.run else UNKNOWN, router.normal_form(each.say)))
            continue
        parts = router.normal_forms(each.say)
        if len(parts) == len(each.run):
            found += [Example(command_of(line), part) for line, part in zip(each.run, parts, strict=True)]
    return found


def left_out(author: str, said: Mapping[str, Sequence[Example]], home: Path, *, with_meaning: bool = True) -> Router:
    """Return a router that knows the examples of all outside authors but one."""
    registry = gridbot_registry()
    others = [example for name, own in said.items() if name != author for example in own]
    examples = tuple(dict.fromkeys((*own_examples(list(registry)), *others)))
    embedder = sentence_model() if with_meaning else None
    return Router(registry, ROOT, embedder=embedder, context=bench_context(home), examples=examples)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure or write, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the examples of all authors anew")
    parser.add_argument("--author", action="append", help="only these")
    parser.add_argument("--every", type=int, default=1, help="only every so many sentences of each")
    parser.add_argument("--misses", action="store_true", help="list what went wrong")
    options = parser.parse_args(arguments)
    registry = gridbot_registry()
    authors = load_authors()
    with tempfile.TemporaryDirectory() as folder:
        home = prepare_home(Path(folder))
        reader = Router(registry, ROOT, context=bench_context(home), examples=own_examples(list(registry)))
        said = {author: examples_of(sentences, reader) for author, sentences in authors.items()}
        if options.write:
            write_said(example for own in said.values() for example in own)
            return 0
        for author in options.author or authors:
            router = left_out(author, said, home)
            router.warm()
            router.route("where is parse_symbol")
            verdicts = [judge(router, sentence, registry) for sentence in authors[author][:: options.every]]
            print(json.dumps({"author": author, **figures(verdicts)}), flush=True)
            for one in verdicts if options.misses else ():
                if not (one.command and one.arguments) or (not one.sentence.run and not one.refused):
                    wanted = " && ".join(one.sentence.run) or "-"
                    print(f"{one.sentence.say}\n    wanted {wanted}\n    got    {one.told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
