"""What a template family is given and what it proposes."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from automation.repair.normalise import UNREADABLE
from automation.repair.records import Evidence, Place, TextEdit
from automation.repair.templates.modules import Function, Module
from automation.repair.templates.scopes import Scope, kinds_seen
from automation.repair.vocabulary import Vocabulary

_ATOMS = (
    ast.Name,
    ast.Constant,
    ast.Call,
    ast.Attribute,
    ast.Subscript,
    ast.List,
    ast.Dict,
    ast.Set,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.JoinedStr,
    ast.GeneratorExp,
)
_ALWAYS_BRACKETED = (ast.Tuple, ast.NamedExpr, ast.Yield, ast.YieldFrom)
_OPEN_PARENTS = (
    ast.Call,
    ast.Slice,
    ast.keyword,
    ast.List,
    ast.Tuple,
    ast.Set,
    ast.Dict,
    ast.Return,
    ast.Assign,
    ast.AugAssign,
    ast.AnnAssign,
    ast.Expr,
    ast.If,
    ast.While,
    ast.Assert,
    ast.ListComp,
    ast.SetComp,
    ast.arguments,
)
_FLIPPED = {
    ast.Lt: ">=",
    ast.LtE: ">",
    ast.Gt: "<=",
    ast.GtE: "<",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One proposal of a family at a site.

    Parameters
    ----------
    edits : tuple of TextEdit
        In order, not overlapping.
    description : str
        One line for people.
    weight : float
        How likely it is among the family's proposals at this site; 1 is usual.
    """

    edits: tuple[TextEdit, ...]
    description: str
    weight: float = 1.0


@dataclass(frozen=True, eq=False)
class Site:
    """A statement under suspicion, without the statements inside it.

    Parameters
    ----------
    place : Place
        Why, and how much.
    statement : ast.stmt
        The statement.
    function : Function or None
        The innermost function around it, or the statement itself when that is a function.
    scope : Scope
        What that function has at hand.
    expressions : tuple of ast.expr
        All expressions of the statement's own header, outermost first, annotations left out.
    """

    place: Place
    statement: ast.stmt
    function: Function | None
    scope: Scope
    expressions: tuple[ast.expr, ...]

    @property
    def loads(self) -> Iterator[ast.expr]:
        """The expressions whose value is read."""
        return (node for node in self.expressions if isinstance(getattr(node, "ctx", ast.Load()), ast.Load))


@dataclass(frozen=True, eq=False)
class Context:
    """The file, the repository's vocabulary and the failure's evidence."""

    module: Module
    vocabulary: Vocabulary
    evidence: Evidence
    _scopes: dict[Function | None, Scope] = field(default_factory=dict)

    def scope(self, function: Function | None) -> Scope:
        """Return what a function has at hand."""
        if function not in self._scopes:
            last = len(self.module.text) if function is None else function.end_lineno or function.lineno
            first = 1 if function is None else function.lineno
            seen = {} if function is None else kinds_seen(self.evidence.values, self.module.source.path, first, last)
            self._scopes[function] = Scope(self.module, function, seen)
        return self._scopes[function]

    def code(self, node: ast.expr | ast.stmt) -> str:
        """Return a node's text."""
        return self.module.code(node)

    def edit(self, node: ast.expr, text: str) -> TextEdit:
        """Return the edit that puts another expression in a node's place, in brackets where it needs them."""
        start, end = self.module.span(node)
        return TextEdit(start, end, self._fit(node, text, start, end))

    def _fit(self, node: ast.expr, text: str, start: int, end: int) -> str:
        shape = expression_type(text)
        if shape is None or issubclass(shape, _ATOMS) or _one_bracket(text):
            return text
        parent = self.module.parents.get(node)
        called = isinstance(parent, ast.Call)
        if not issubclass(shape, _ALWAYS_BRACKETED):
            index = isinstance(parent, ast.Subscript) and parent.slice is node
            if index or (isinstance(parent, _OPEN_PARENTS) and node is not getattr(parent, "func", None)):
                return text
        elif issubclass(shape, ast.Tuple) and isinstance(parent, ast.Return | ast.Assign):
            return text
        in_brackets = self.module.text[start - 1 : start] + self.module.text[end : end + 1] == "()"
        return text if in_brackets and not called else f"({text})"

    def swap(self, node: ast.expr, text: str, weight: float = 1.0) -> Change:
        """Return the change that puts another expression in a node's place."""
        return Change((self.edit(node, text),), f"{shorten(self.code(node))} becomes {shorten(text)}", weight)

    def exchange(self, first: ast.expr, second: ast.expr, weight: float = 1.0) -> Change:
        """Return the change that lets two expressions, the first before the second, trade places."""
        codes = self.code(first), self.code(second)
        edits = (self.edit(first, codes[1]), self.edit(second, codes[0]))
        return Change(edits, f"{shorten(codes[0])} and {shorten(codes[1])} trade places", weight)

    def token(self, start: int, end: int, old: re.Pattern[str], new: str, weight: float = 1.0) -> Change | None:
        """Return the change of the first token that matches between two offsets."""
        match = old.search(self.module.gap(start, end))
        if match is None:
            return None
        edit = TextEdit(start + match.start(), start + match.end(), new)
        return Change((edit,), f"{shorten(match.group())} becomes {shorten(new.strip())}", weight)

    def negated(self, test: ast.expr) -> str:
        """Return the text of a condition's opposite."""
        code = self.code(test)
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return self.code(test.operand)
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            left, right = self.code(test.left), self.code(test.comparators[0])
            if self.module.span(test)[0] == self.module.span(test.left)[0] and code.endswith(right):
                return f"{left} {_FLIPPED[type(test.ops[0])]} {right}"
        return f"not {code}" if isinstance(test, _ATOMS) else f"not ({code})"


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of edit.

    Parameters
    ----------
    name : str
        In `Candidate.proposer` after ``template:``.
    prior : float
        How often a fault is repaired by it, 0..1, relative to the other families.
    description : str
        One line.
    propose : callable
        Yields changes for a site.
    """

    name: str
    prior: float
    description: str
    propose: Callable[[Context, Site], Iterator[Change]]


@lru_cache(maxsize=4096)
def expression_type(text: str) -> type[ast.expr] | None:
    """Return the type of node that a text parses to, None when it is no expression."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return type(ast.parse(text, mode="eval").body)
    except UNREADABLE:
        return None


def bracketed(text: str) -> str:
    """Return an expression's text in brackets unless it needs none beside an operator."""
    shape = expression_type(text)
    return text if shape is not None and issubclass(shape, _ATOMS) else f"({text})"


def shorten(text: str, longest: int = 50) -> str:
    """Return a text on one line, cut when it is long."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def header_expressions(module: Module, statement: ast.stmt) -> tuple[ast.expr, ...]:
    """Return the expressions of a statement without those of statements inside it and without annotations."""
    found: list[ast.expr] = []
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.expr):
            found.append(node)
        stack += reversed([child for child in _children(module, node) if not isinstance(child, ast.stmt)])
    return tuple(found)


def _children(module: Module, node: ast.AST) -> Iterator[ast.AST]:
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_comment", "format_spec", "type_params"):
            continue
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, ast.AST):
                continue
            if isinstance(node, ast.JoinedStr):
                if isinstance(item, ast.FormattedValue) and _stands_where_it_says(module, item.value):
                    yield item.value
            else:
                yield item


def _stands_where_it_says(module: Module, node: ast.expr) -> bool:
    # Before Python 3.12 the positions inside a formatted string are not reliable.
    try:
        written = ast.parse(module.code(node).strip(), mode="eval").body
    except UNREADABLE:
        return False
    return ast.dump(written) == ast.dump(node)


def _one_bracket(text: str) -> bool:
    depth = 0
    if not text.startswith("("):
        return False
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return at == len(text) - 1
    return False
