"""One subject called with arguments given as source: what it returns or raises, and what it leaves behind."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import linecache
import os
import types
import typing
from collections.abc import Iterator, Sequence
from typing import Any, List, NamedTuple, Optional, Tuple  # noqa: UP035 - read at run time by Python 3.9

from . import arcs, expressions, histories, limits, signatures, touching, usage, values  # noqa: TID252

CALL_S = 0.5
_MOST_ITEMS = 40
_MOST_FACTS = 6
_MOST_CHANGES = 2
_LONGEST_FACT = 240
_LONGEST_MESSAGE = 300
Record = typing.Dict[str, Any]  # noqa: UP006 - read at run time by Python 3.9


class Given(NamedTuple):
    """One argument: the parameter's name (``instance`` for the object of a method), how it is passed, its source."""

    name: str
    style: str
    source: values.Written


class Subject(NamedTuple):
    """What is called.

    Parameters
    ----------
    module : str
        Dotted.
    owner : str
        Class, or empty.
    name : str
        Own name.
    kind : str
        ``function``, ``method``, ``static`` (of a class, without an instance), ``property`` or ``class``.
    documented : sequence of str
        Exceptions that its docstring names.
    """

    module: str
    owner: str
    name: str
    kind: str
    documented: Sequence[str]

    @property
    def imported(self) -> str:
        """The import line."""
        return f"from {self.module} import {self.owner or self.name}"

    def template(self, given: Sequence[Given], *, wrapped: str = "") -> str:
        """Return the call, with the arguments' numbers between null characters in their places."""
        parts, target = [], self.name
        if self.kind == "static":
            target = f"{self.owner}.{self.name}"
        for at, each in enumerate(given):
            if each.style == "instance":
                target = f"\0{at}\0.{self.name}"
            else:
                parts.append(f"{each.name}=\0{at}\0" if each.style == "keyword" else f"\0{at}\0")
        text = target if self.kind == "property" else f"{target}({', '.join(parts)})"
        return f"{wrapped}({text})" if wrapped else text


class Caller:
    """Calls one subject again and again.

    Parameters
    ----------
    subject : Subject
        What to call.
    path : str
        Its file, absolute.
    root : str
        Folder of the repository, absolute.
    """

    def __init__(self, subject: Subject, path: str, root: str) -> None:
        self.subject = subject
        self.scope: dict[str, object] = {}
        exec(subject.imported, self.scope)  # noqa: S102 - this is the sandbox
        self.touch = touching.installed()
        self._is_procedure = usage.is_procedure(usage.source_of(self.function())) and subject.kind != "class"
        self._tracer = arcs.ArcTracer(path)
        self._root = root

    def function(self) -> values.Foreign:
        """Return what is called, for its signature."""
        if self.subject.kind == "class" or not self.subject.owner:
            return self.scope[self.subject.name]
        owner = self.scope[self.subject.owner]
        if self.subject.kind == "static":
            return getattr(owner, self.subject.name)
        found = inspect.getattr_static(owner, self.subject.name)
        return found.fget if isinstance(found, property) else found

    def parameters(self) -> List[Tuple[inspect.Parameter, object]]:  # noqa: UP006
        """Return the parameters that a call may give, with their resolved annotations."""
        function = self.function()
        if self.subject.kind == "class":
            return signatures.constructor(function)
        hints = signatures.resolved(function)
        found = list(inspect.signature(function).parameters.values())
        if self.subject.kind == "method":
            found = found[1:]
        return [(each, hints.get(each.name, each.annotation)) for each in found if each.kind is not each.VAR_KEYWORD]

    def case(self, given: Sequence[Given], origin: str) -> Optional[Record]:  # noqa: UP045
        """Return what a call comes to, or None when it is no ground for a test."""
        first = self._once(given)
        if first is None or self.touch.what:
            return None
        again = self._once(given)
        if again is None or again["outcome"] != first["outcome"]:
            return None
        return {**first, "origin": origin}

    def _once(self, given: Sequence[Given]) -> Optional[Record]:  # noqa: UP045
        try:
            held = [expressions.evaluated(each.source, self.scope) for each in given]
            before = [_shown(each, value) for each, value in zip(given, held)]  # noqa: B905 - Python 3.9
        except Exception:  # noqa: BLE001 - an argument may not be made, which is no test of the subject
            return None
        result, error = self._called(given, held)
        steps = sorted(self._tracer.take())
        if isinstance(error, limits.TooLong):
            return None
        changed = [each.name for each, shown, value in zip(given, before, held) if shown != _shown(each, value)]  # noqa: B905
        if error is not None:
            outcome, wrapped = self._raised(error), ""
        else:
            wrapped = _wrapper(result, self.subject.kind)
            outcome = self._returned(result, given, held, changed)
        if outcome is None:
            return None
        imports = {line for each in given for line in each.source.imports}
        imports |= {"import asyncio"} if wrapped == "asyncio.run" else set()
        if self.subject.kind in ("function", "class", "static"):
            imports.add(self.subject.imported)
        return {
            "template": self.subject.template(given, wrapped=wrapped),
            "arguments": [[each.name, each.source.text] for each in given],
            "imports": sorted(imports),
            "outcome": outcome,
            "arcs": steps,
            "changed": changed,
        }

    def _called(self, given: Sequence[Given], held: list[Any]) -> tuple[Any, Optional[BaseException]]:  # noqa: UP045
        positional = [value for each, value in zip(given, held) if each.style == "positional"]  # noqa: B905
        named = {each.name: value for each, value in zip(given, held) if each.style == "keyword"}  # noqa: B905
        instance = next((value for each, value in zip(given, held) if each.style == "instance"), None)  # noqa: B905
        try:
            with limits.limited(CALL_S):
                self.touch.watching = True
                self._tracer.start()
                try:
                    return self._result(instance, positional, named), None
                finally:
                    self._tracer.stop()
                    self.touch.watching = False
        except (Exception, limits.TooLong) as error:  # noqa: BLE001 - what it raises is its behaviour
            return None, error
        except SystemExit:
            return None, limits.TooLong()

    def _result(self, instance: values.Foreign, positional: list[Any], named: dict[str, Any]) -> values.Foreign:
        if self.subject.kind == "property":
            return getattr(instance, self.subject.name)
        target = self.function() if self.subject.kind != "method" else getattr(instance, self.subject.name)
        result = target(*positional, **named)
        if inspect.iscoroutine(result):
            return _Awaited(asyncio.run(result))
        if isinstance(result, types.GeneratorType):
            return _Listed(itertools.islice(result, _MOST_ITEMS))
        return result

    def _raised(self, error: BaseException) -> Optional[Record]:  # noqa: UP045
        if not self._is_deliberate(error):
            return None
        try:
            name, imports = values.written(type(error))
        except values.Unwritable:
            return None
        message = str(error)
        if len(message) > _LONGEST_MESSAGE or self._root in message:
            message = ""
        documented = any(each.split(".")[-1] == name for each in self.subject.documented)
        return {"kind": "raises", "text": name, "imports": imports, "message": message, "documented": documented}

    def _is_deliberate(self, error: BaseException) -> bool:
        """Say whether a line of the repository raised it on purpose, and not for an argument of a wrong type."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is None:
            return False
        name = os.path.abspath(trace.tb_frame.f_code.co_filename)  # noqa: PTH100 - links stay as they are
        if not name.startswith(self._root + os.sep) or not os.path.isfile(name):  # noqa: PTH113 - the same
            return False
        return linecache.getline(name, trace.tb_lineno).lstrip().startswith("raise")

    def _returned(
        self, result: values.Foreign, given: Sequence[Given], held: list[Any], changed: Sequence[str]
    ) -> Optional[Record]:  # noqa: UP045
        plain = (
            list(result) if isinstance(result, _Listed) else result.value if isinstance(result, _Awaited) else result
        )
        facts = self._changes(given, held) if "instance" in changed else []
        if plain is None and changed:
            return self._left_behind(given, held, changed, facts)
        if plain is None and self._is_procedure:
            # that nothing comes of what never returns anything is no news
            return None
        stated = self._stated(plain)
        if not facts or stated is None or stated["kind"] != "value":
            return stated
        needed = {line for _, source in facts for line in source.imports}
        told = [[asked, source.text] for asked, source in facts]
        return {**stated, "kind": "does", "facts": told, "imports": sorted({*stated["imports"], *needed})}

    def _stated(self, plain: values.Foreign) -> Optional[Record]:  # noqa: UP045
        if type(plain).__name__ == "ndarray":
            return _array(plain)
        if type(plain) in (list, tuple) and plain and all(type(each).__name__ == "ndarray" for each in plain):
            return _array(plain)
        try:
            expected = values.written(plain, approximate=True)
            if self.subject.kind != "class" and bool(plain == expressions.evaluated(expected)):
                same = plain is None or type(plain) is bool
                return {"kind": "value", "text": expected.text, "imports": expected.imports, "same": same}
        except Exception:  # noqa: BLE001, S110 - unwritable, or a comparison that raises: its parts are looked at
            pass
        return self._facts("result", plain)

    def _changes(self, given: Sequence[Given], held: list[Any]) -> list[tuple[str, values.Written]]:
        """Return what a method changed of what its instance shows to everybody."""
        at = next(i for i, each in enumerate(given) if each.style == "instance")
        # it must not see what its observers do, and they are not looked at line by line
        before = histories.observed(expressions.evaluated(given[at].source, self.scope))
        after = histories.observed(held[at])
        different = [(asked, each) for asked, each in after.items() if before.get(asked) != each]
        short = [(asked, each) for asked, each in different if len(each.text) < _LONGEST_FACT]
        return short[:_MOST_CHANGES]

    def _left_behind(
        self,
        given: Sequence[Given],
        held: list[Any],
        changed: Sequence[str],
        facts: Sequence[tuple[str, values.Written]],
    ) -> Optional[Record]:  # noqa: UP045
        if facts:
            needed = sorted({line for _, each in facts for line in each.imports})
            told = [[asked, each.text] for asked, each in facts]
            return {"kind": "left", "of": "instance", "facts": told, "imports": needed}
        for each, value in zip(given, held):  # noqa: B905
            if each.style == "instance":
                continue
            if each.name in changed:
                try:
                    text, imports = values.written(value, approximate=True)
                except values.Unwritable:
                    return self._facts(each.name, value)
                return {"kind": "left", "of": each.name, "facts": [["", text]], "imports": imports}
        return None

    def _facts(self, of: str, value: values.Foreign) -> Optional[Record]:  # noqa: UP045
        if value is None or type(value).__module__ == "builtins":
            return None
        facts: List[List[str]] = []  # noqa: UP006
        imports: set[str] = set()
        for name, held in values.attributes(value).items():
            is_array = type(held).__name__ == "ndarray"
            try:
                plain = typing.cast("values.Foreign", held).tolist() if is_array else held
                text, needed = values.written(plain, approximate=True)
            except (values.Unwritable, RecursionError):
                continue
            if len(text) < _LONGEST_FACT and len(facts) < _MOST_FACTS:
                facts.append([f".{name}.tolist()" if is_array else f".{name}", text])
                imports |= set(needed)
        if not facts and hasattr(value, "__len__"):
            facts.append(["len", str(len(value))])
        return {"kind": "left", "of": of, "facts": facts, "imports": sorted(imports)} if facts else None


class _Listed(typing.List[Any]):  # noqa: UP006
    """What a generator yielded."""


class _Awaited(NamedTuple):
    value: Any


def _wrapper(result: object, kind: str) -> str:
    if isinstance(result, _Awaited):
        return "asyncio.run"
    return "list" if isinstance(result, _Listed) else ""


def _array(value: values.Foreign) -> Optional[Record]:  # noqa: UP045
    """Return what one array holds, or several of them."""
    several = isinstance(value, (list, tuple))
    plain = [each.tolist() for each in value] if several else value.tolist()
    try:
        text, imports = values.written(plain, approximate=True)
    except values.Unwritable:
        return None
    return {"kind": "arrays" if several else "array", "text": text, "imports": imports}


def _shown(given: Given, value: object) -> str:
    if given.style == "instance":
        return histories.state_of(value)
    try:
        return str(values.written(value).text)
    except (values.Unwritable, RecursionError):
        held = values.attributes(value) if hasattr(value, "__dict__") else {}
        return repr(sorted((name, repr(each)) for name, each in held.items()))


def all_given(found: Sequence[Any]) -> Iterator[Given]:
    """Read arguments that travelled as JSON."""
    for name, style, text, imports in found:
        yield Given(name, style, values.Written(text, tuple(imports)))
