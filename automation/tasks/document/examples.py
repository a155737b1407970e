"""Examples that were run: what a pure function answered to simple literals in the sandbox, checked as a doctest."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from automation.codebase.fork_server import ForkServer
from automation.codebase.limits import Limits
from automation.tasks.document.signatures import Function, own_nodes, parameters_of
from automation.tasks.review.docstrings import Documentable
from automation.tasks.review.ground import ParsedFile

_ENTRY = Path(__file__).resolve().parent / "inside" / "examples.py"
_LIMITS = Limits(wall_s=20, cpu_s=20)
_MOST_CALLS = 4
_PURE_BUILTINS = frozenset({
    "abs", "all", "any", "bool", "dict", "divmod", "enumerate", "filter", "float", "frozenset", "int", "isinstance",
    "len", "list", "map", "max", "min", "pow", "range", "reversed", "round", "set", "sorted", "str", "sum", "tuple",
    "zip",
})  # fmt: skip
_PURE_METHODS = frozenset({
    "casefold", "count", "endswith", "find", "get", "index", "isdigit", "items", "join", "keys", "lower", "lstrip",
    "partition", "removeprefix", "removesuffix", "replace", "rpartition", "rstrip", "split", "splitlines",
    "startswith", "strip", "title", "upper", "values",
})  # fmt: skip
_PLAIN: Mapping[str, Sequence[str]] = {
    "int": ("3", "7", "12"), "float": ("0.5", "2.5", "4.0"), "bool": ("True", "False", "True"),
    "str": ("'abc'", "'b'", "'c'"), "list[int]": ("[3, 1, 2]", "[4, 5]", "[6]"),
    "list[float]": ("[1.0, 2.5]", "[0.5]", "[3.0]"), "list[str]": ("['b', 'a']", "['c']", "['d']"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tried:
    """What the sandbox said of one module: its answers by call, and why there are none."""

    answers: Mapping[str, str]
    problem: str = ""


def is_pure(function: Function) -> bool:
    """Say whether a function plainly works on its arguments alone.

    It calls only built-in functions and methods without effect, binds nothing outside, and reads no more than its
    arguments and constants in capitals.
    """
    if function.decorator_list or isinstance(function, ast.AsyncFunctionDef):
        return False
    bound = {one.bare for one in parameters_of(function)}
    bound |= {node.id for node in own_nodes(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    # what is refused is no example, so that what a refusal says does not matter
    refused = {id(node) for one in own_nodes(function) if isinstance(one, ast.Raise) for node in ast.walk(one)}
    nodes = (node for statement in function.body for node in ast.walk(statement) if id(node) not in refused)
    return all(_is_plain(node, bound) for node in nodes)


def calls_of(subject: Documentable, seen: Sequence[str]) -> tuple[str, ...]:
    """Return calls of a function that could be shown: those that its repository makes, else simple literals.

    Parameters
    ----------
    subject : Documentable
        A function of a module.
    seen : sequence of str
        Calls with literals that stand in the repository's tests and code.
    """
    node = subject.node
    if isinstance(node, ast.Module | ast.ClassDef) or subject.owner is not None or not is_pure(node):
        return ()
    if seen:
        return tuple(sorted(set(seen), key=lambda call: (len(call), call)))[:_MOST_CALLS]
    given = [one for one in parameters_of(node) if not one.default]
    if any(one.annotation not in _PLAIN or one.name.startswith("*") for one in given) or not given:
        return ()
    words = [_PLAIN[one.annotation][place % 3] for place, one in enumerate(given)]
    return (f"{node.name}({', '.join(words)})",)


def seen_calls(files: Iterable[ParsedFile], names: frozenset[str]) -> dict[str, list[str]]:
    """Return the calls of some functions with nothing but literals, by the function's name.

    Parameters
    ----------
    files : iterable of ParsedFile
        Where they may stand.
    names : frozenset of str
        Which functions.
    """
    found: dict[str, list[str]] = {}
    for file in files:
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                values = [*node.args, *(each.value for each in node.keywords)]
                if values and all(map(_is_literal, values)) and all(each.arg for each in node.keywords):
                    found.setdefault(node.func.id, []).append(ast.unparse(node))
    return found


class ExampleDesk:
    """Tries calls and doctests of a repository's modules, each in a sandboxed process.

    Parameters
    ----------
    tree : Path
        The repository.
    python : Path, optional
        Interpreter that has what it imports; None takes this one.
    """

    def __init__(self, tree: Path, python: Path | None = None) -> None:
        self._tree = tree
        self._python = python or Path(sys.executable)
        self._source = (tree / "src").is_dir() and not (tree / "src" / "__init__.py").exists()

    def answers(self, path: str, calls: Sequence[str]) -> Tried:
        """Return what a module's functions answer to calls; those without an answer worth showing are left out."""
        records = self._run({"module": self._module(path), "calls": list(calls)}, {})
        problem = next((str(record["problem"]) for record in records if "problem" in record), "")
        answers = {str(record["call"]): str(record["answer"]) for record in records if record.get("answer")}
        return Tried(answers, problem)

    def passing(self, path: str, content: bytes, names: Sequence[str]) -> frozenset[str]:
        """Return the functions whose doctests pass in a version of a file."""
        records = self._run({"module": self._module(path), "doctests": list(names)}, {path: content})
        good = (record for record in records if record.get("tried") and not record.get("failed"))
        return frozenset(str(record["name"]) for record in good)

    def _run(self, job: Mapping[str, object], files: Mapping[str, bytes]) -> tuple[dict[str, object], ...]:
        places = ("src", ".") if self._source else (".",)
        with ForkServer(
            self._tree, _ENTRY, self._python, workers=1, fresh=True, limits=_LIMITS, python_path=places
        ) as server:
            return server.submit(job, dict(files)).result().records

    def _module(self, path: str) -> str:
        parts = path.removeprefix("src/") if self._source else path
        return parts.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _is_literal(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _is_plain(node: ast.AST, bound: set[str]) -> bool:
    if isinstance(node, ast.Call):
        return _is_harmless(node.func)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        return node.id in bound or node.id in _PURE_BUILTINS or node.id.isupper() or node.id[:1].isupper()
    if isinstance(node, ast.Attribute):
        return node.attr in _PURE_METHODS and isinstance(node.ctx, ast.Load)
    return not isinstance(node, tuple(_EFFECTS))


def _is_harmless(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in _PURE_BUILTINS
    return isinstance(function, ast.Attribute) and function.attr in _PURE_METHODS


def _effects() -> Iterator[type[ast.AST]]:
    yield from (ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Delete, ast.With, ast.Yield, ast.YieldFrom)
    yield from (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Try, ast.FunctionDef, ast.ClassDef, ast.NamedExpr)


_EFFECTS = tuple(_effects())
