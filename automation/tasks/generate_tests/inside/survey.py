"""Look for calls of one subject that show different behaviour: by type, by constant, by what was seen, by coverage.

Loaded by file path inside the sandbox, for any Python from 3.9 on.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import inspect
import io
import itertools
import os
import random
import sys
import time
import types
import typing
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple  # noqa: UP035 - read at run time by Python 3.9

if typing.TYPE_CHECKING:
    from automation.repair.inside import variations
    from automation.tasks.generate_tests.inside import (
        calling,
        drawing,
        entering,
        expressions,
        pools,
        suggestions,
        usage,
        values,
    )
else:
    # loaded by path: the target may hold a package of the same name as ours
    _HERE = Path(__file__).parent
    _package = sys.modules.setdefault("_gridbot_tests", types.ModuleType("_gridbot_tests"))
    _package.__path__ = [str(_HERE), str(_HERE.parents[2] / "repair" / "inside")]
    from _gridbot_tests import calling, drawing, entering, expressions, pools, suggestions, usage, values, variations

_SECONDS, _WALL_S = 6.0, 30.0
_KEPT_ALIKE = 10
_KEPT = 100
_TOGETHER = 0.25
_MOST_MIXED = 3
_PLAINEST = 6
_BEFORE_MATCHES = 4
_WORTH = 12
_EXTRA_S = 2.0
_Chosen = List[calling.Given]  # noqa: UP006
_Slot = Tuple[str, str, List[values.Written]]  # noqa: UP006

Record = Dict[str, Any]  # noqa: UP006
Emit = Callable[[Record], None]


def run(job: Record, emit: Emit) -> None:
    """Emit ``modules`` (what the import brought in from outside), then ``cases`` or ``skip``.

    Parameters
    ----------
    job : dict
        ``root``, ``python_path``, ``path`` and ``module`` of the file; ``subject`` (owner, name, kind, documented),
        None to import only; ``numbers`` and ``texts`` (constants), ``given`` (argument lists that were seen or asked
        for, each with its origin), ``seed``, ``calls`` (how many at most).
    emit : callable
        Takes each record, which the sandbox hands out.
    """
    gc.freeze()
    root = entering.enter(job)
    warnings.simplefilter("ignore")
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module(job["module"])
    except BaseException as error:  # noqa: BLE001 - the target's module code may raise anything
        emit({"skip": f"importing {job['module']} raises {type(error).__name__}: {str(error)[:160]}"})
        return
    place = os.path.abspath(getattr(sys.modules[job["module"]], "__file__", None) or "")  # noqa: PTH100 - links stay
    if place != os.path.join(root, job["path"]):  # noqa: PTH118 - the same
        emit({"skip": f"{job['module']} is the name of another module too, which is imported in its place"})
        return
    emit({"modules": _foreign(root), "hypothesis": importlib.util.find_spec("hypothesis") is not None})
    if job["subject"] is None:
        return
    subject = calling.Subject(job["module"], **job["subject"])
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        emit(_Survey(subject, job, root).result())


def _foreign(root: str) -> list[str]:
    found = []
    for name, module in sys.modules.copy().items():
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
        outside = isinstance(origin, str) and Path(origin).is_absolute() and not origin.startswith(root)
        if outside and not name.startswith(("_gridbot", "gridbot_", "automation.")):
            found.append(name)
    return found


class _Survey:
    def __init__(self, subject: calling.Subject, job: Record, root: str) -> None:
        self._job = job
        self._rng = random.Random(job["seed"])  # noqa: S311 - repeatable, no secret
        self._caller = calling.Caller(subject, os.path.join(root, job["path"]), root)  # noqa: PTH118
        source = usage.source_of(self._caller.function())
        code = usage.treats_code(subject.module)
        self._texts = [each for each in job["texts"] if not drawing.is_pattern(each)]
        self._pools = pools.Pools(job["numbers"], self._texts, source, code=code)
        self._matching = drawing.matching([each for each in job["texts"] if drawing.is_pattern(each)])
        self._subject = subject
        self._cases: List[Record] = []  # noqa: UP006
        self._given_of: List[_Chosen] = []  # noqa: UP006
        self._alike: Dict[Tuple[object, ...], int] = {}  # noqa: UP006
        self._corpus: List[_Chosen] = []  # noqa: UP006
        self._tried: set[str] = set()
        self._until = time.process_time() + _SECONDS
        self._end = time.monotonic() + _WALL_S

    def result(self) -> Record:
        try:
            slots = self._slots()
        except (TypeError, ValueError) as error:
            return {"skip": f"its signature cannot be read: {error}"}
        empty = [name for name, _, pool in slots if not pool]
        if empty and not self._job["given"]:
            return {"skip": f"nothing is known to pass as {empty[0]}"}
        for given, origin in self._given(slots):
            self._try(given, origin)
        slots = self._settled(slots)
        short = [slot for slot in slots if slot[0] not in self._optional]
        for some in (short, slots) if not empty else ():
            for chosen in _rows(some):
                if self._spent(0.3 if some is short else 0.6):
                    break
                self._try(chosen, "type")
        known = {name: pool for name, _, pool in slots}
        self._explore(known)
        self._simplify(known)
        if not self._cases:
            touched = self._caller.touch.what
            return {"skip": f"it {touched}" if touched else "no call returned something that a test can state"}
        different = {(each["template"], str(each["arguments"])): each for each in reversed(self._cases)}
        cases = list(reversed(different.values()))[: _KEPT + _KEPT // 4]
        return {"cases": cases, "strategies": drawing.strategies(self._caller)}

    def _spent(self, share: float) -> bool:
        return len(self._tried) >= self._job["calls"] * share or self._is_late(0.0)

    def _is_late(self, allowed_s: float) -> bool:
        """Say whether the processor's time is spent (a busy machine finds what a quiet one does), or the wall's."""
        return time.process_time() > self._until + allowed_s or time.monotonic() > self._end

    def _slots(self) -> List[_Slot]:  # noqa: UP006
        slots: List[_Slot] = []  # noqa: UP006
        self._optional: set[str] = set()
        self._unsaid: set[str] = set()
        if self._subject.kind in ("method", "property"):
            slots.append(("instance", "instance", self._pools.lived(self._caller.scope[self._subject.owner])))
        if self._subject.kind == "property":
            return slots
        for parameter, hint in self._caller.parameters():
            pool = self._pools.of(hint, parameter.name, parameter.default)
            if parameter.kind is parameter.VAR_POSITIONAL:
                continue
            if not pool and parameter.default is not parameter.empty:
                continue
            if hint is parameter.empty and parameter.default is parameter.empty:
                self._unsaid |= set() if self._pools.is_settled(parameter.name) else {parameter.name}
            if parameter.default is not parameter.empty:
                self._optional.add(parameter.name)
            style = "keyword" if _is_named(parameter) else "positional"
            drawn = drawing.drawn(hint, self._job["seed"])
            if pool and pool[0].text.startswith(("'", '"')):
                pool = pool[:_BEFORE_MATCHES] + self._matching + pool[_BEFORE_MATCHES:]
            slots.append((parameter.name, style, pool + drawn))
        return slots

    def _settled(self, slots: Sequence[_Slot]) -> List[_Slot]:  # noqa: UP006
        """Find types for the parameters without annotations that some call gets through with."""
        unsaid = [name for name, _, _ in slots if name in self._unsaid]
        if not unsaid or self._gets_through(slots):
            return list(slots)
        count = len(unsaid)
        alike = [(each,) * count for each in suggestions.UNSAID]
        mixed = itertools.product(suggestions.UNSAID[:3], repeat=count) if count <= _MOST_MIXED else []
        for types_ in (*alike, *mixed):
            chosen = dict(zip(unsaid, types_))  # noqa: B905 - Python 3.9
            retyped = [
                (name, style, self._pools.of(chosen[name]) if name in chosen else pool) for name, style, pool in slots
            ]
            if self._gets_through(retyped):
                return retyped
        return list(slots)

    def _gets_through(self, slots: Sequence[_Slot]) -> bool:
        first = next(_rows([slot for slot in slots if slot[0] not in self._optional]), None)
        found = None if first is None else self._caller.case(first, "type")
        return found is not None and found["outcome"]["kind"] != "raises"

    def _given(self, slots: Sequence[Tuple[str, str, object]]) -> Iterator[Tuple[_Chosen, str]]:  # noqa: UP006
        styles = {name: style for name, style, _ in slots}
        for each in self._job["given"]:
            named = {name: values.Written(text, tuple(imports)) for name, text, imports in each["arguments"]}
            if all(name in styles for name in named):
                chosen = [calling.Given(name, styles[name], named[name]) for name in styles if name in named]
                yield _with_keywords(chosen, list(styles)), each["origin"]

    def _try(self, chosen: _Chosen, origin: str) -> bool:
        key = repr([(each.name, each.source.text) for each in chosen])
        if key in self._tried:
            return False
        self._tried.add(key)
        found = self._caller.case(chosen, origin)
        if found is None:
            return False
        outcome = found["outcome"]
        sort = (outcome["kind"], outcome["text"] if outcome["kind"] == "raises" else "")
        signature = (*sort, tuple(map(tuple, found["arcs"])))
        count = self._alike.get(signature, 0)
        self._alike[signature] = count + 1
        if count == 0:
            self._corpus.append(chosen)
        if count < _KEPT_ALIKE or self._is_new_result(found):
            self._cases.append(found)
            self._given_of.append(chosen)
        return count == 0

    def _is_new_result(self, found: Record) -> bool:
        if len(self._cases) >= _KEPT or found["outcome"]["kind"] == "raises":
            return False
        return all(each["outcome"] != found["outcome"] for each in self._cases)

    def _explore(self, known: Dict[str, List[values.Written]]) -> None:  # noqa: UP006
        """Alter what reached something new, again and again."""
        while self._corpus and not self._spent(1.0):
            base = self._rng.choice(self._corpus)
            if not base:
                return
            before = len(self._tried)
            changed = self._together(base, known) if self._rng.random() < _TOGETHER else self._changed(base, known)
            if changed is not None:
                self._try(changed, "explored")
            if len(self._tried) == before:
                # nothing new came of it: count it, so that a small space of inputs comes to an end
                self._tried.add(f"again {len(self._tried)}")

    def _simplify(self, known: Dict[str, List[values.Written]]) -> None:  # noqa: UP006
        """Give the cases with long arguments plainer ones that go the same way, as far as there are some."""
        for chosen, case in list(zip(self._given_of, self._cases)):  # noqa: B905 - Python 3.9
            found, plainer = case, chosen
            for at, each in enumerate(chosen):
                for source in sorted(known.get(each.name, ())[:_PLAINEST], key=lambda one: len(one.text)):
                    if len(each.source.text) - len(source.text) < _WORTH or self._is_late(_EXTRA_S):
                        break
                    tried = [*plainer[:at], each._replace(source=source), *plainer[at + 1 :]]
                    other = self._caller.case(tried, case["origin"])
                    if other is not None and _goes_alike(other, case):
                        found, plainer = other, tried
                        break
            if found is case:
                continue
            if case["outcome"]["kind"] == "raises":
                self._cases[self._cases.index(case)] = found
            elif found not in self._cases:
                self._cases.append(found)

    def _changed(self, base: _Chosen, known: Dict[str, List[values.Written]]) -> Optional[_Chosen]:  # noqa: UP006, UP045
        at = self._rng.randrange(len(base))
        altered = self._altered(base[at], known.get(base[at].name, []))
        return None if altered is None else [*base[:at], base[at]._replace(source=altered), *base[at + 1 :]]

    def _together(self, base: _Chosen, known: Dict[str, List[values.Written]]) -> Optional[_Chosen]:  # noqa: UP006, UP045
        """Change all arrays at once: they have to be of one length."""
        rows = [name for name, pool in known.items() if pool and pool[0].text.startswith("np.array(")]
        if not rows:
            return None
        at = self._rng.randrange(min(len(known[name]) for name in rows))
        return [each._replace(source=known[each.name][at]) if each.name in rows else each for each in base]

    def _altered(self, given: calling.Given, pool: Sequence[values.Written]) -> Optional[values.Written]:  # noqa: UP045
        if pool and self._rng.random() < 0.4:
            return self._rng.choice(pool)
        try:
            value = expressions.evaluated(given.source, self._caller.scope)
            if type(value).__name__ == "ndarray":
                options = _arrays(value, self._rng)
            else:
                options = list(variations.varied(value, self._rng)) + self._spliced(value)
            chosen = self._rng.choice(options) if options else None
            if isinstance(chosen, float):
                chosen = float(f"{chosen:.4g}")
            return values.written(chosen) if options else None
        except Exception:  # noqa: BLE001 - a value that cannot be varied or written is left as it is
            return None

    def _spliced(self, value: object) -> List[object]:  # noqa: UP006
        texts = self._texts
        if not isinstance(value, str) or not texts:
            return []
        piece, at = self._rng.choice(texts), self._rng.randrange(len(value) + 1)
        if len(value) > 40:
            return []
        return [value + piece, piece + value, value[:at] + piece + value[at:], value[:at] + piece + value[at + 1 :]]


def _goes_alike(one: Record, other: Record) -> bool:
    kinds = [(each["outcome"]["kind"], each["arcs"]) for each in (one, other)]
    refused = [each["outcome"]["text"] for each in (one, other) if each["outcome"]["kind"] == "raises"]
    return kinds[0] == kinds[1] and len(set(refused)) <= 1


def _arrays(value: values.Foreign, rng: random.Random) -> List[object]:  # noqa: UP006
    import numpy as np

    return [np.array(row, dtype=value.dtype) for row in variations.varied(value.tolist(), rng)]


def _is_named(parameter: inspect.Parameter) -> bool:
    """Say whether a reader wants the name of a parameter beside its argument: where it may be left out."""
    optional = parameter.default is not parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    return optional or parameter.kind is parameter.KEYWORD_ONLY


def _with_keywords(chosen: _Chosen, order: Sequence[str]) -> _Chosen:
    """Pass by name what comes after a parameter that is left to its default."""
    present = [each.name for each in chosen]
    gap = next((name for name in order if name not in present), None)
    if gap is None:
        return chosen
    late = set(order[order.index(gap) :])
    return [
        each._replace(style="keyword") if each.name in late and each.style == "positional" else each for each in chosen
    ]


def _rows(slots: Sequence[_Slot]) -> Iterator[_Chosen]:
    names = [(name, style) for name, style, _ in slots]
    for row in expressions.rows_of([pool for _, _, pool in slots]):
        yield [
            calling.Given(name, style, source)
            for (name, style), source in zip(names, row)  # noqa: B905 - Python 3.9
        ]
