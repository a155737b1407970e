"""Run inside the sandbox: a recording told to the core of the tree at hand, whole or in ever fewer inputs."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from automation.incidents.inside import describe, reduction
    from trading.sessions.decider import Decider

Record = dict[str, object]
_NUMBERS = re.compile(r"[-+]?\d[\d.,]*")


def _sibling(name: str) -> ModuleType:
    # by path: the tree at hand may hold GridBot's own packages in another version
    spec = importlib.util.spec_from_file_location(f"_gridbot_{name}", Path(__file__).with_name(f"{name}.py"))
    if spec is None or spec.loader is None:
        raise ImportError(f"{name}.py is missing beside {__file__}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if not TYPE_CHECKING:
    describe, reduction = _sibling("describe"), _sibling("reduction")


def run(job: Mapping[str, object], emit: Callable[[Record], None]) -> None:
    """Tell a recording to the core once, and on request find the few inputs that it takes to fail.

    Parameters
    ----------
    job : dict
        ``recording`` (a file in the tree, as `told_again.Told` takes it), ``kept`` (numbers of inputs, or None for
        all), ``digests`` (pairs of a count of inputs and the digest of all outputs by then, or none), ``signals``
        (whether those that the core saw are asked for), ``python_path``; to reduce, ``parts``, ``tried``, ``tail``,
        ``at``, ``in_vain``, ``wanted`` (the mark of the failure) and ``seconds`` as well.
    emit : callable
        Takes the records ``told`` (``failure``, ``needed``, ``differs_at``, ``signals``, ``orders``, ``fills``,
        ``decided``: the last input's intents and fills, each as a list of numbers) and ``reduced``.
    """
    root = os.path.abspath(".")  # noqa: PTH100 - links stay as they are
    sys.dont_write_bytecode = True
    sys.path[:0] = [os.path.normpath(os.path.join(root, path)) for path in cast("list[str]", job["python_path"])]  # noqa: PTH118
    replay = _Replay(json.loads(Path(str(job["recording"])).read_text(encoding="utf-8")), root)
    kept = cast("list[int] | None", job.get("kept"))
    numbers = tuple(range(len(replay.told.inputs))) if kept is None else tuple(kept)
    if job.get("wanted") is None:
        failure, needed = replay.failure(numbers, dict(cast("list[tuple[int, str]]", job.get("digests") or [])))
        signals = replay.signals if failure is not None and job.get("signals") else None
        told: Record = {"failure": failure, "needed": needed, "differs_at": replay.differs_at, "signals": signals}
        told |= {"orders": replay.orders, "fills": replay.fills, "decided": replay.decided}
        emit({"event": "told", **told})
        return
    end = time.monotonic() + float(cast("float", job["seconds"]))
    names = ("parts", "tried", "tail", "at", "in_vain")
    parts, tried, tail, at, in_vain = (int(cast("int", job[name])) for name in names)
    found = reduction.reduce(
        reduction.Reduction(numbers, parts, tried, tail, at, in_vain),
        lambda rest: replay.fails(rest, str(job["wanted"])),
        lambda: time.monotonic() >= end,
    )
    emit({"event": "reduced", **asdict(found)})


class _Replay:
    def __init__(self, told: Mapping[str, object], root: str) -> None:
        # only now: it imports the core of the tree at hand
        module = _sibling("told_again")
        self._books = module.Books
        self.told = module.Told(told)
        self._places = describe.Places(root)
        self.differs_at: int | None = None
        self.orders = self.fills = 0
        self.signals: list[list[object] | None] = []
        self.decided: list[list[int]] = []

    def failure(self, numbers: Sequence[int], digests: Mapping[int, str]) -> tuple[Record | None, int]:
        """Return the failure of a sequence, if it fails, and how many inputs were told."""
        done, decider, books = 0, None, None
        self.signals = []
        try:
            decider = self.told.decider()
            books = self._books(decider)
            for number in numbers:
                done += 1
                self.told.tell(decider, books, number)
                self.signals.append(_signal(decider, self.told.inputs[number]))
                if self.differs_at is None and done in digests and digests[done] != decider.digest.hex():
                    self.differs_at = done
        except Exception as error:  # noqa: BLE001 - whatever the core raises is what is looked for
            if decider is not None and books is not None and done:
                self.orders, self.fills = books.orders, books.fills
                self.signals.append(_signal(decider, self.told.inputs[numbers[done - 1]]))
            self.decided = _decided(decider)
            chain = describe.chain_of(error, self._places)
            return {"chain": chain, "mark": _mark(chain)}, done
        self.decided = _decided(decider)
        return None, done

    def fails(self, numbers: Sequence[int], wanted: str) -> int | None:
        """Return how many inputs it took to fail in the way that is wanted, None when it does not."""
        failure, needed = self.failure(numbers, {})
        return needed if failure is not None and failure["mark"] == wanted else None


def _signal(decider: Decider, item: object) -> list[object] | None:
    """Return the signal that the core saw with an input, None where it saw none or fell before."""
    if decider.last_signal is None or getattr(item, "timestamp", None) != decider.seen_ms:
        return None
    return [None if value != value else value for value in astuple(decider.last_signal)]  # noqa: PLR0124 - NaN


def _decided(decider: Decider | None) -> list[list[int]]:
    """Return what the last input led to as far as it got: the orders' terms, and what was traded at which price."""
    if decider is None:
        return []
    intents, fills = decider.book.intents, decider.book.fills
    orders = [[int(one[name]) for name in ("kind", "order_id", "side", "lots", "limit")] for one in intents]
    return orders + [[int(one[name]) for name in ("order_id", "side", "lots", "price_ticks")] for one in fills]


def _mark(chain: Sequence[Mapping[str, object]]) -> str:
    """Return what two failures have in common when they are one: the type, and where in the tree's own code it arose.

    What the books found out says more than where they did.
    """
    raised = chain[0]
    frames = [frame for frame in cast("list[dict[str, object]]", raised["frames"]) if frame["own"]]
    place = f"{frames[-1]['path']}:{frames[-1]['function']}" if frames else ""
    kind = str(raised["type"])
    is_check = kind.endswith(("AssertionError", "InvariantBroken"))
    words = _NUMBERS.sub("#", str(raised["message"]).split(" after ")[0].split("\n")[0]) if is_check else ""
    return f"{kind} {place} {words}"
