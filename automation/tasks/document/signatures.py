"""What a definition's code says of itself: parameters, results, exceptions, shapes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from automation.tasks.review.ground import decorator_word

Function = ast.FunctionDef | ast.AsyncFunctionDef
_DATA_BASES = frozenset({"NamedTuple", "TypedDict"})
_ANY_EXCEPTION = frozenset({"Exception", "BaseException"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its name with stars, its annotation and its default as they are written, or empty."""

    name: str
    annotation: str = ""
    default: str = ""

    @property
    def bare(self) -> str:
        """The name without stars."""
        return self.name.lstrip("*")


@dataclass(frozen=True, slots=True)
class Raise:
    """An exception that a function raises itself; the condition is that of the ``if`` around it, or empty."""

    name: str
    condition: str


def parameters_of(node: Function | ast.ClassDef, *, is_method: bool = False) -> tuple[Parameter, ...]:
    """Return what a function, or a class when it is made, is given; without ``self``.

    Parameters
    ----------
    node : ast.FunctionDef, ast.AsyncFunctionDef or ast.ClassDef
        Its definition.
    is_method : bool
        Whether it stands in a class.
    """
    if isinstance(node, ast.ClassDef):
        made = next((one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"), None)
        return parameters_of(made, is_method=True) if made is not None else tuple(_fields(node))
    taken = tuple(_arguments(node.args))
    is_static = "staticmethod" in map(decorator_word, node.decorator_list)
    return taken[1:] if is_method and not is_static else taken


def is_data_class(node: ast.ClassDef) -> bool:
    """Say whether a class is made of the fields that its body lists."""
    decorated = "dataclass" in map(decorator_word, node.decorator_list)
    return decorated or any(_word(base) in _DATA_BASES for base in node.bases)


def raises_of(function: Function) -> tuple[Raise, ...]:
    """Return the exceptions that a function raises by its own ``raise`` statements and does not catch itself."""
    found = dict.fromkeys(_raises(function.body, "", frozenset()))
    return tuple(found)


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function without those of functions and classes inside it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield child
            yield from own_nodes(child)


def outer_functions_of(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Yield the functions and methods of a file with their qualified names, without those inside functions."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from outer_functions_of(child, f"{prefix}{child.name}.")
        else:
            yield from outer_functions_of(child, prefix)


def body_of(function: Function) -> list[ast.stmt]:
    """Return a function's statements without its docstring."""
    return function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body


def is_generator(function: Function) -> bool:
    """Say whether it yields."""
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own_nodes(function))


def shapes_of(function: Function) -> dict[str, str]:
    """Return the shapes of array parameters that the code itself names, as in ``rows, columns = prices.shape``."""
    found = {}
    for node in own_nodes(function):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Attribute) or node.value.attr != "shape":
            continue
        (target, *others), owner = node.targets, node.value.value
        if isinstance(target, ast.Tuple) and not others and isinstance(owner, ast.Name):
            names = [one.id for one in target.elts if isinstance(one, ast.Name)]
            if len(names) == len(target.elts) and "_" not in names:
                found[owner.id] = f"({', '.join(names)}{',' if len(names) == 1 else ''})"
    return found


def none_means(function: Function) -> dict[str, str]:
    """Return what a parameter of None stands for: the expression that the code puts in its place."""
    found = {}
    for node in own_nodes(function):
        if isinstance(node, ast.If) and len(node.body) == 1 and isinstance(node.body[0], ast.Assign):
            assign = node.body[0]
            name = _is_none(node.test)
            target = assign.targets[0]
            if name and isinstance(target, ast.Name) and target.id == name:
                found[name] = ast.unparse(assign.value)
        elif isinstance(node, ast.IfExp):
            name = _is_none(node.test)
            if name and isinstance(node.orelse, ast.Name) and node.orelse.id == name:
                found[name] = ast.unparse(node.body)
    return found


def returned_names(function: Function) -> tuple[str, ...]:
    """Return the names in the tuple that every ``return`` hands back; empty when they differ or are no names."""
    returns = [node.value for node in own_nodes(function) if isinstance(node, ast.Return)]
    names = {
        tuple(one.id for one in value.elts if isinstance(one, ast.Name)) if isinstance(value, ast.Tuple) else ()
        for value in returns
    }
    only = names.pop() if len(names) == 1 else ()
    sizes = {len(value.elts) for value in returns if isinstance(value, ast.Tuple)}
    return only if len(only) > 1 and sizes == {len(only)} else ()


def _arguments(arguments: ast.arguments) -> Iterator[Parameter]:
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [*[None] * (len(plain) - len(arguments.defaults)), *arguments.defaults]
    for argument, default in zip(plain, defaults, strict=True):
        yield _parameter(argument, default)
    if arguments.vararg:
        yield _parameter(arguments.vararg, None, "*")
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _parameter(argument, default)
    if arguments.kwarg:
        yield _parameter(arguments.kwarg, None, "**")


def _parameter(argument: ast.arg, default: ast.expr | None, stars: str = "") -> Parameter:
    annotation = "" if argument.annotation is None else _unquoted(argument.annotation)
    return Parameter(stars + argument.arg, annotation, "" if default is None else ast.unparse(default))


def _fields(node: ast.ClassDef) -> Iterator[Parameter]:
    if not is_data_class(node):
        return
    for one in node.body:
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and not one.target.id.startswith("_"):
            annotation = _unquoted(one.annotation)
            if not annotation.startswith(("ClassVar", "typing.ClassVar", "KW_ONLY")):
                yield Parameter(one.target.id, annotation, "" if one.value is None else ast.unparse(one.value))


def _unquoted(annotation: ast.expr) -> str:
    is_text = isinstance(annotation, ast.Constant) and isinstance(annotation.value, str)
    return str(annotation.value) if is_text else ast.unparse(annotation)  # type: ignore[attr-defined]


def _raises(body: list[ast.stmt], condition: str, caught: frozenset[str]) -> Iterator[Raise]:
    for statement in body:
        if isinstance(statement, ast.Raise):
            called = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
            name = _word(called)
            # a variable that holds an exception has a small letter
            if name[:1].isupper() and not caught & {name, *_ANY_EXCEPTION}:
                yield Raise(name, condition)
        elif isinstance(statement, ast.If):
            yield from _raises(statement.body, ast.unparse(statement.test), caught)
            yield from _raises(statement.orelse, "", caught)
        elif isinstance(statement, ast.Try):
            handled = {_word(one) for handler in statement.handlers for one in _types(handler)}
            yield from _raises(statement.body, condition, caught | handled)
            for handler in statement.handlers:
                yield from _raises(handler.body, "", caught)
            yield from _raises([*statement.orelse, *statement.finalbody], condition, caught)
        elif isinstance(statement, ast.For | ast.AsyncFor | ast.While | ast.With | ast.AsyncWith):
            yield from _raises(statement.body, condition, caught)
            yield from _raises(getattr(statement, "orelse", []), "", caught)
        elif isinstance(statement, ast.Match):
            for case in statement.cases:
                yield from _raises(case.body, "", caught)


def _types(handler: ast.ExceptHandler) -> list[ast.expr]:
    if handler.type is None:
        return [ast.Name("BaseException")]
    return list(handler.type.elts) if isinstance(handler.type, ast.Tuple) else [handler.type]


def _is_none(test: ast.expr) -> str:
    if (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and isinstance(test.ops[0], ast.Is)
        and isinstance(test.comparators[0], ast.Constant)
        and test.comparators[0].value is None
    ):
        return test.left.id
    return ""


def _word(node: ast.expr | None) -> str:
    if isinstance(node, ast.Subscript):
        return _word(node.value)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
