"""The function that a traceback names: where it stands, how it is called, and what its module knows by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from automation.incidents.records import Frame

_CONSTRUCTIBLE = frozenset(
    {"set", "frozenset", "range", "float", "int", "str", "bytes", "dict", "list", "tuple", "object"}
)
_GENERATED = ("<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>", "<lambda>")

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Subject:
    """A function that can be called from a test.

    Parameters
    ----------
    module : str
        To import.
    owner : str
        Name of its class, ``""`` for a plain function.
    name : str
        Its own.
    form : str
        ``function``, ``method``, ``class`` (a class or static method) or ``property``.
    definition : ast.FunctionDef or ast.AsyncFunctionDef
        Its syntax tree.
    names : frozenset of str
        What its module binds at its top.
    """

    module: str
    owner: str
    name: str
    form: str
    definition: Definition
    names: frozenset[str]

    @property
    def parameters(self) -> tuple[ast.arg, ...]:
        """Positional and keyword parameters without ``self`` or ``cls``."""
        arguments = self.definition.args
        plain = [*arguments.posonlyargs, *arguments.args]
        bound = self.form in ("method", "property") or (self.form == "class" and not self._is_static)
        return tuple([*plain[1:], *arguments.kwonlyargs] if bound else [*plain, *arguments.kwonlyargs])

    @property
    def required(self) -> tuple[ast.arg, ...]:
        """Parameters without a default."""
        arguments = self.definition.args
        plain = [*arguments.posonlyargs, *arguments.args]
        free = {id(each) for each in plain[len(plain) - len(arguments.defaults) :]} if arguments.defaults else set()
        pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        free |= {id(each) for each, default in pairs if default is not None}
        return tuple(each for each in self.parameters if id(each) not in free)

    @property
    def _is_static(self) -> bool:
        return "staticmethod" in _decorators(self.definition)

    def call(self, arguments: str, instance: str = "") -> str:
        """Return an expression that calls it to its end.

        Parameters
        ----------
        arguments : str
            Source of what stands between the parentheses.
        instance : str
            Source of the object, for a method or a property.
        """
        if self.form == "property":
            return f"{instance}.{self.name}"
        holder = instance or ".".join(part for part in ("subject", self.owner) if part)
        called = f"{holder}.{self.name}({arguments})"
        yields = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _own_nodes(self.definition))
        if isinstance(self.definition, ast.AsyncFunctionDef):
            return f"asyncio.run({called})" if not yields else called
        return f"list({called})" if yields else called


def subject_of(root: Path, frame: Frame, python_path: Sequence[str]) -> Subject | None:
    """Return the function of a frame, None where a test could not call it.

    Parameters
    ----------
    root : Path
        The tree.
    frame : Frame
        Of the repository's own code.
    python_path : sequence of str
        Folders that modules are imported from.
    """
    module = module_name(root, frame.path, python_path)
    if module is None or (frame.function.startswith("<") and frame.function not in _GENERATED):
        return None
    tree = _parsed(root / frame.path)
    if tree is None:
        return None
    found = _definition(tree, frame)
    if found is None:
        return None
    owner, definition = found
    names = frozenset(_bound(tree.body))
    return Subject(module, owner, definition.name, _form(owner, definition), definition, names)


def module_name(root: Path, path: str, python_path: Sequence[str]) -> str | None:
    """Return what a file is imported as, None when its path is no module name."""
    file = root / path
    folders = sorted((root / folder for folder in python_path), key=lambda folder: -len(folder.parts))
    base = next((folder for folder in folders if file.is_relative_to(folder)), root)
    parts = PurePosixPath(file.relative_to(base).as_posix()).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    return ".".join(parts) if parts and all(part.isidentifier() for part in parts) else None


def portable(node: ast.expr, names: frozenset[str]) -> str | None:
    """Return the source of an expression as a test can write it, None when it needs what only its own place has.

    Parameters
    ----------
    node : ast.expr
        Literals, and calls of what the subject's module or Python itself names.
    names : frozenset of str
        What the subject's module binds; they are taken from ``subject``.
    """
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and (inner.value is Ellipsis or inner.value == "***"):
            return None
        if isinstance(inner, ast.Name) and inner.id not in names and inner.id not in _CONSTRUCTIBLE:
            return None
        if not isinstance(inner, _PORTABLE):
            return None
    fresh = ast.parse(ast.unparse(node), mode="eval").body
    return ast.unparse(_Prefixed(names).visit(fresh))


_PORTABLE = (
    ast.Constant,
    ast.List,
    ast.Tuple,
    ast.Dict,
    ast.Set,
    ast.UnaryOp,
    ast.BinOp,
    ast.Call,
    ast.Attribute,
    ast.Name,
    ast.keyword,
    ast.expr_context,
    ast.operator,
    ast.unaryop,
    ast.Starred,
)


class _Prefixed(ast.NodeTransformer):
    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self._names:
            return node
        return ast.Attribute(ast.Name("subject", ast.Load()), node.id, ast.Load())


def _parsed(path: Path) -> ast.Module | None:
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


def _definition(tree: ast.Module, frame: Frame) -> tuple[str, Definition] | None:
    wanted = frame.function.rpartition(".")[2]
    reachable = list(_reachable(tree))
    around = [each for each in reachable if each[1].lineno <= frame.line <= (each[1].end_lineno or 0)]
    if wanted not in _GENERATED:
        around = [each for each in around if each[1].name == wanted]
        named = [each for each in reachable if each[1].name == wanted]
        # the file may have changed since the log was written
        around = around or (named if len(named) == 1 else [])
    return around[-1] if around else None


def _reachable(tree: ast.Module) -> Iterator[tuple[str, Definition]]:
    for node in tree.body:
        if isinstance(node, Definition):
            yield "", node
        if isinstance(node, ast.ClassDef):
            yield from ((node.name, inner) for inner in node.body if isinstance(inner, Definition))


def _form(owner: str, definition: Definition) -> str:
    if not owner:
        return "function"
    decorators = _decorators(definition)
    if decorators & {"property", "cached_property"}:
        return "property"
    return "class" if decorators & {"classmethod", "staticmethod"} else "method"


def _decorators(definition: Definition) -> set[str]:
    return {ast.unparse(each).rpartition(".")[2] for each in definition.decorator_list}


def _own_nodes(definition: Definition) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = list(definition.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Definition | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)


def _bound(body: Sequence[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, Definition | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))
