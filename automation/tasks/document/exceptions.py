"""Which exceptions a repository has, and whether a function can still raise one that its docstring names."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from automation.tasks.document.signatures import Function, body_of, own_nodes

_HARMLESS_CALLS = frozenset({"len", "print", "range", "enumerate", "zip", "isinstance", "list", "dict", "tuple", "set"})
# What may run code of the repository: attributes may be properties, operators methods.
_REACHING = (
    ast.Attribute, ast.Subscript, ast.BinOp, ast.Await, ast.With, ast.AsyncWith, ast.For, ast.AsyncFor, ast.Raise,
    ast.Yield, ast.YieldFrom, ast.comprehension,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exceptions:
    """The exceptions that a repository defines or imports, each with its bases where it defines it."""

    bases: Mapping[str, frozenset[str]]
    known: frozenset[str]

    def is_known(self, name: str) -> bool:
        """Say whether a name of a docstring can mean an exception that exists."""
        own = name.rpartition(".")[2]
        return own in self.known or isinstance(getattr(builtins, own, None), type)

    def covers(self, wide: str, narrow: str) -> bool:
        """Say whether one exception is the other, or an ancestor of it."""
        seen, waiting = set(), [narrow]
        while waiting:
            name = waiting.pop()
            if name == wide:
                return True
            if name not in seen:
                seen.add(name)
                waiting += self.bases.get(name, frozenset()) or _builtin_bases(name)
        return False


def exceptions_of(trees: Sequence[ast.Module]) -> Exceptions:
    """Learn which exceptions a repository's files define and import."""
    bases: dict[str, frozenset[str]] = {}
    known: set[str] = set()
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = frozenset(ast.unparse(base).rpartition(".")[2] for base in node.bases)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                known.update((alias.asname or alias.name).rpartition(".")[2] for alias in node.names)
            elif isinstance(node, ast.Attribute):
                known.add(node.attr)
    return Exceptions(bases, frozenset(known | bases.keys()))


def is_promise(node: Function) -> bool:
    """Say whether a function only states what others do: a Protocol's or an abstract method."""
    return all(
        isinstance(one, ast.Pass)
        or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
        or (isinstance(one, ast.Raise) and "NotImplementedError" in ast.unparse(one))
        for one in body_of(node)
    )


def is_gone(name: str, raised: Sequence[str], node: Function, exceptions: Exceptions) -> bool:
    """Say whether an exception that a docstring names can no longer be raised; False where that cannot be decided.

    Parameters
    ----------
    name : str
        As the docstring has it.
    raised : sequence of str
        What the function raises itself.
    node : ast.FunctionDef or ast.AsyncFunctionDef
        The function.
    exceptions : Exceptions
        Those of the repository.
    """
    own = name.rpartition(".")[2]
    if any(exceptions.covers(own, each) for each in raised):
        return False
    return not exceptions.is_known(own) or (own in exceptions.bases and not _may_raise_own(node))


def _may_raise_own(node: Function) -> bool:
    """Say whether a function may raise an exception of the repository's own through something that it uses."""
    for one in own_nodes(node):
        if isinstance(one, ast.Call):
            if not isinstance(one.func, ast.Name) or one.func.id not in _HARMLESS_CALLS:
                return True
        elif isinstance(one, _REACHING):
            return True
    return False


def _builtin_bases(name: str) -> Iterator[str]:
    found = getattr(builtins, name, None)
    return (base.__name__ for base in found.__mro__[1:]) if isinstance(found, type) else iter(())
