"""What kind of value an expression has, guessed from how it is written, how it is used and what was seen in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping

NUMBER, TEXT, LIST, DICT, SET, TUPLE, BOOL, NONE, CONTAINER, FUNCTION = (
    "number",
    "text",
    "list",
    "dict",
    "set",
    "tuple",
    "bool",
    "none",
    "container",
    "function",
)
UNKNOWN = ""


def _each(names: str, kind: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), kind)


_CALLS = {
    **_each("len int float abs round sum ord hash pow divmod id", NUMBER),
    **_each("str repr chr bin hex oct format input", TEXT),
    **_each("list sorted range reversed map filter zip enumerate deque", LIST),
    **_each("dict defaultdict Counter OrderedDict vars", DICT),
    **_each("set frozenset", SET),
    **_each("bool isinstance issubclass any all callable hasattr", BOOL),
    "tuple": TUPLE,
}
_RECEIVERS = {
    **_each("append extend insert sort reverse popleft appendleft", LIST),
    **_each("add discard issubset issuperset union intersection difference", SET),
    **_each("items keys values get setdefault popitem", DICT),
    **_each("lower upper strip lstrip rstrip split join startswith endswith isdigit isalpha isalnum replace", TEXT),
    **_each("title format splitlines encode capitalize isupper islower isspace zfill ljust rjust find", TEXT),
}
_RESULTS = {
    **_each("lower upper strip lstrip rstrip join replace title format capitalize zfill", TEXT),
    **_each("split splitlines keys values items copy rsplit", LIST),
    **_each("find index count rfind bit_length total_seconds", NUMBER),
    **_each("startswith endswith isdigit isalpha isalnum isupper islower isspace issubset", BOOL),
    **_each("union intersection difference", SET),
}
_LITERALS: tuple[tuple[type[ast.expr] | tuple[type[ast.expr], ...], str], ...] = (
    ((ast.List, ast.ListComp), LIST),
    ((ast.Dict, ast.DictComp), DICT),
    ((ast.Set, ast.SetComp), SET),
    (ast.Tuple, TUPLE),
    (ast.JoinedStr, TEXT),
    (ast.Compare, BOOL),
    (ast.Lambda, FUNCTION),
    (ast.GeneratorExp, LIST),
)
_HOLDERS = {TEXT, LIST, DICT, SET, TUPLE, CONTAINER}
_REPR = re.compile(
    r"\s*(?:(?P<text>[rbuf]*['\"])|(?P<list>\[|deque\(|range\()|(?P<set>set\(|frozenset\(|\{[^:{}]+[,}])"
    r"|(?P<dict>\{|defaultdict\(|Counter\()|(?P<tuple>\()|(?P<bool>True|False)|(?P<none>None)"
    r"|(?P<number>-?(?:\d|inf|nan))|(?P<function><function))"
)


def kind_of(node: ast.expr | None, known: Mapping[str, str]) -> str:
    """Return the kind of an expression's value, ``""`` when it cannot be told.

    Parameters
    ----------
    node : ast.expr or None
        The expression.
    known : mapping of str to str
        Kinds of the variables.
    """
    literal = next((kind for types, kind in _LITERALS if isinstance(node, types)), UNKNOWN)
    if literal:
        return literal
    match node:
        case ast.Constant(value=value):
            found = _constant_kind(value)
        case ast.Name(id=name):
            found = known.get(name, UNKNOWN)
        case ast.Call(func=ast.Name(id=name)):
            found = _CALLS.get(name, UNKNOWN)
        case ast.Call(func=ast.Attribute(attr=name)):
            found = _RESULTS.get(name, UNKNOWN)
        case ast.BinOp(left=left, op=operator, right=right):
            found = _binary_kind(operator, kind_of(left, known), kind_of(right, known))
        case _:
            found = _kind_of_part(node, known)
    return found


def _kind_of_part(node: ast.expr | None, known: Mapping[str, str]) -> str:
    match node:
        case ast.UnaryOp(op=operator):
            return BOOL if isinstance(operator, ast.Not) else NUMBER
        case ast.IfExp(body=body, orelse=orelse):
            return kind_of(body, known) or kind_of(orelse, known)
        case ast.Subscript(value=value, slice=index) if isinstance(index, ast.Slice) or kind_of(value, known) == TEXT:
            return kind_of(value, known)
    return UNKNOWN


def compatible(first: str, second: str) -> float:
    """Return how plausible it is that a value of one kind stands where one of another kind belongs, 0..1."""
    if UNKNOWN in {first, second}:
        return 0.6
    if first == second:
        return 1.0
    if CONTAINER in (first, second) and {first, second} <= _HOLDERS:
        return 0.8
    if {first, second} == {NUMBER, BOOL}:
        return 0.5
    return 0.15


def kind_of_repr(text: str) -> str:
    """Return the kind of the value that a ``repr`` shows."""
    match = _REPR.match(text)
    return match.lastgroup or UNKNOWN if match else UNKNOWN


def variable_kinds(nodes: Iterable[ast.AST], seen: Mapping[str, str]) -> dict[str, str]:
    """Return the kinds of variables by their uses in some code.

    Parameters
    ----------
    nodes : iterable of ast.AST
        All nodes of the code.
    seen : mapping of str to str
        Kinds of values seen while a test ran; they count more than guesses.
    """
    kinds: dict[str, str] = {}
    weak: dict[str, str] = {}
    for node in nodes:
        _learn(node, kinds, weak)
    return {**weak, **kinds, **seen}


def _learn(node: ast.AST, kinds: dict[str, str], weak: dict[str, str]) -> None:
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.AnnAssign(target=ast.Name(id=name), value=value)
        ):
            _note(kinds, name, kind_of(value, kinds))
        case ast.AugAssign(target=ast.Name(id=name), value=value):
            _note(kinds, name, kind_of(value, kinds))
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
            for one, value in zip(names, values, strict=False):
                _note(kinds, one.id if isinstance(one, ast.Name) else "", kind_of(value, kinds))
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)):
            _note(kinds, name, _RECEIVERS.get(method, UNKNOWN))
        case ast.arg(arg=name, annotation=ast.Name(id=annotation)):
            _note(kinds, name, _CALLS.get(annotation, UNKNOWN))
        case ast.arg(arg=name, annotation=ast.Subscript(value=ast.Name(id=annotation))):
            _note(kinds, name, _CALLS.get(annotation.lower(), UNKNOWN))
        case _:
            _learn_use(node, kinds, weak)


def _learn_use(node: ast.AST, kinds: dict[str, str], weak: dict[str, str]) -> None:
    match node:
        case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]):
            _note(weak, name, CONTAINER)
        case ast.For(target=target, iter=source) | ast.comprehension(target=target, iter=source):
            _learn_loop(target, source, kinds, weak)
        case ast.Subscript(value=ast.Name(id=name), slice=index):
            _note(weak, name, CONTAINER)
            if isinstance(index, ast.Name) and {**weak, **kinds}.get(name) in (LIST, TEXT, TUPLE):
                _note(weak, index.id, NUMBER)
        case ast.BinOp(op=ast.Sub() | ast.Div() | ast.FloorDiv() | ast.Pow() | ast.Mod(), left=left, right=right):
            for side in (left, right):
                _note(weak, side.id if isinstance(side, ast.Name) else "", NUMBER)
        case ast.BinOp(left=left, right=right):
            _pair(left, right, kinds, weak)
        case ast.Compare(left=left, ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE() | ast.Eq()], comparators=[right]):
            _pair(left, right, kinds, weak)


def _learn_loop(target: ast.expr, source: ast.expr, kinds: dict[str, str], weak: dict[str, str]) -> None:
    called = source.func.id if isinstance(source, ast.Call) and isinstance(source.func, ast.Name) else ""
    if isinstance(source, ast.Name):
        _note(weak, source.id, CONTAINER)
    if called == "range" and isinstance(target, ast.Name):
        _note(kinds, target.id, NUMBER)
    if called == "enumerate" and isinstance(target, ast.Tuple) and isinstance(target.elts[0], ast.Name):
        _note(kinds, target.elts[0].id, NUMBER)


def _pair(left: ast.expr, right: ast.expr, kinds: dict[str, str], weak: dict[str, str]) -> None:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, ast.Name):
            _note(weak, one.id, kind_of(other, kinds))


def _note(kinds: dict[str, str], name: str, kind: str) -> None:
    if kind not in (UNKNOWN, NONE):
        kinds.setdefault(name, kind)


def _constant_kind(value: object) -> str:
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, int | float | complex):
        return NUMBER
    if isinstance(value, str | bytes):
        return TEXT
    return NONE if value is None else UNKNOWN


def _binary_kind(operator: ast.operator, left: str, right: str) -> str:
    if isinstance(operator, ast.Sub | ast.Div | ast.FloorDiv | ast.Pow) and SET not in (left, right):
        return NUMBER
    if isinstance(operator, ast.Mod) and left == TEXT:
        return TEXT
    for kind in (TEXT, LIST, TUPLE, SET, DICT):
        if kind in (left, right):
            return kind
    return NUMBER if NUMBER in (left, right) else UNKNOWN
