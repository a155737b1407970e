"""What a function has at hand: variables with their kinds, expressions, conditions and returns."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from automation.repair.templates.kinds import kind_of, kind_of_repr, variable_kinds
from automation.repair.templates.modules import Function, Module

_LONGEST_EXPRESSION = 60


@dataclass(eq=False)
class Scope:
    """One function, or the module's own level where ``function`` is None.

    Parameters
    ----------
    module : Module
        The file.
    function : Function or None
        The function.
    seen : mapping of str to str
        Kinds of the values that its variables were seen with.
    """

    module: Module
    function: Function | None
    seen: Mapping[str, str]

    @cached_property
    def nodes(self) -> Sequence[ast.AST]:
        """All nodes in source order; at module level those outside functions."""
        root = self.function or self.module.tree
        return list(_descend(root, into_functions=self.function is not None))

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters without ``self`` and ``cls``."""
        return tuple(name for name in _parameters(self.function) if name not in ("self", "cls"))

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """Parameters and assigned names, in order of appearance, then those of enclosing functions."""
        names = dict.fromkeys(self.parameters)
        names.update(_stored(self.nodes))
        outer = self.module.enclosing_function(self.function) if self.function else None
        while outer is not None:
            names.update(dict.fromkeys(_parameters(outer)))
            names.update(_stored(_descend(outer, into_functions=False)))
            outer = self.module.enclosing_function(outer)
        return tuple(name for name in names if name not in ("self", "cls", "_"))

    @cached_property
    def module_names(self) -> tuple[str, ...]:
        """Constants that the module assigns."""
        return tuple(_stored(_descend(self.module.tree, into_functions=False)))

    @cached_property
    def defined(self) -> frozenset[str]:
        """Every name that some code of this module binds, and the builtins."""
        names = set(dir(builtins)) | {"__file__", "__name__", "__doc__", "__class__"}
        for node in ast.walk(self.module.tree):
            match node:
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                    names.add(name)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    names.add(name)
                case ast.arg(arg=name) | ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                    names.add(name)
                case ast.alias(name=name, asname=asname):
                    names.add(asname or name.split(".")[0])
        return frozenset(names)

    @cached_property
    def stored_elsewhere(self) -> frozenset[str]:
        """Variables and parameters of the module's functions."""
        functions = [node for node in ast.walk(self.module.tree) if isinstance(node, ast.FunctionDef)]
        names = {name for item in functions for name in (*_stored(ast.walk(item)), *_parameters(item))}
        return frozenset(names)

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Variable to the kind of its value, where it can be told."""
        outer = self.module.enclosing_function(self.function) if self.function else None
        around = Scope(self.module, outer, {}).kinds if outer is not None else {}
        return {**around, **variable_kinds(self.nodes, self.seen)}

    def kind(self, node: ast.expr | None) -> str:
        """Return the kind of an expression's value."""
        return kind_of(node, self.kinds)

    @cached_property
    def expressions(self) -> dict[str, ast.expr]:
        """Text to node of the short expressions that are more than a name or a constant."""
        found: dict[str, ast.expr] = {}
        for node in self.nodes:
            if isinstance(node, ast.expr) and not isinstance(node, ast.Name | ast.Constant | ast.Slice | ast.Starred):
                if isinstance(getattr(node, "ctx", None), ast.Store) or self._in_text_or_hint(node):
                    continue
                code = self.module.code(node)
                if len(code) <= _LONGEST_EXPRESSION and "\n" not in code:
                    found.setdefault(code, node)
        return found

    def _in_text_or_hint(self, node: ast.expr) -> bool:
        above: ast.AST | None = self.module.parents.get(node)
        while isinstance(above, ast.expr | ast.arg):
            if isinstance(above, ast.JoinedStr | ast.FormattedValue | ast.arg):
                return True
            above = self.module.parents.get(above)
        return isinstance(node, ast.JoinedStr)

    @cached_property
    def conditions(self) -> tuple[str, ...]:
        """Texts of the conditions tested anywhere in the function, parts of ``and``/``or`` apart."""
        tests = (node.test for node in self.nodes if isinstance(node, ast.If | ast.While | ast.IfExp))
        parts = (part for test in tests for part in (test.values if isinstance(test, ast.BoolOp) else [test]))
        return tuple(dict.fromkeys(self.module.code(part) for part in parts))

    @cached_property
    def returns(self) -> tuple[ast.Return, ...]:
        """Its return statements."""
        return tuple(node for node in self.nodes if isinstance(node, ast.Return))

    @cached_property
    def simple_statements(self) -> dict[str, ast.stmt]:
        """Text to node of calls and assignments on a line of their own."""
        found: dict[str, ast.stmt] = {}
        for node in self.nodes:
            thrown_away = isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call)
            if isinstance(node, ast.Expr | ast.Assign | ast.AugAssign) and not thrown_away:
                code = self.module.code(node)
                if len(code) <= _LONGEST_EXPRESSION and "\n" not in code:
                    found.setdefault(code, node)
        return found

    @property
    def recursive(self) -> bool:
        """Whether the function calls itself by name."""
        name = self.function.name if self.function else ""
        return any(
            isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", None)) == name
            for node in self.nodes
        )


def kinds_seen(values: Mapping[str, Sequence[str]], path: str, first: int, last: int) -> dict[str, str]:
    """Return the kinds of values that were seen on some lines of a file while a test ran.

    Parameters
    ----------
    values : mapping of str to sequence of str
        ``"path:line"`` to ``name=repr``.
    path : str
        The file.
    first, last : int
        Lines, from 1, both included.
    """
    kinds: dict[str, str] = {}
    for line in range(first, last + 1):
        for shown in values.get(f"{path}:{line}", ()):
            name, _, text = shown.partition("=")
            kind = kind_of_repr(text)
            if kind and kind != "none":
                kinds[name.strip()] = kind
    return kinds


def _parameters(function: Function | None) -> tuple[str, ...]:
    if function is None:
        return ()
    given = function.args
    extra = [item for item in (given.vararg, given.kwarg) if item is not None]
    return tuple(item.arg for item in (*given.posonlyargs, *given.args, *given.kwonlyargs, *extra))


def _stored(nodes: Iterable[ast.AST]) -> dict[str, None]:
    return {node.id: None for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _descend(root: ast.AST, *, into_functions: bool) -> Iterator[ast.AST]:
    stack = list(reversed(list(ast.iter_child_nodes(root))))
    while stack:
        node = stack.pop()
        yield node
        if into_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            stack.extend(reversed(list(ast.iter_child_nodes(node))))
