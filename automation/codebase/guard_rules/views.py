"""A changed file as the guard sees it: both versions parsed where they parse, and what only the later one holds."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from automation.codebase.patches import FileChange, split_lines

_PARSE_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError, UnicodeDecodeError, LookupError)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a patch may not do, or that a person should see.

    Parameters
    ----------
    rule : str
        Name of the rule.
    path : str
        File, relative to the repository.
    line : int
        From 1, in the file after the change; for what was removed, in the file before.
    message : str
        One sentence for people.
    blocking : bool
        Whether the patch is refused for it.
    """

    rule: str
    path: str
    line: int
    message: str
    blocking: bool = True


@dataclass(frozen=True, slots=True)
class Trait:
    """Something that a version of a file holds once at a line; ``key`` says what, so that it can be counted."""

    rule: str
    key: str
    line: int
    message: str


class Version:
    """One version of a file: text, syntax tree and the names that its imports bind."""

    def __init__(self, path: str, content: bytes | None) -> None:
        self.path = path
        self.content = content or b""
        self.exists = content is not None

    @cached_property
    def text(self) -> str:
        """The text as Python would decode it; what cannot be decoded is replaced."""
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(self.content).readline)
            return self.content.decode(encoding)
        except _PARSE_ERRORS:
            return self.content.decode("utf-8", "replace")

    @cached_property
    def problem(self) -> tuple[int, str] | None:
        """Line and reason why Python cannot compile it; None where it can."""
        if not self.path.endswith((".py", ".pyi")) or not self.exists:
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(self.content, self.path, "exec", dont_inherit=True)
        except SyntaxError as error:
            return error.lineno or 1, error.msg
        except _PARSE_ERRORS as error:
            return 1, str(error)
        return None

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree; None for what is no Python or does not compile; empty for a file that does not exist."""
        if not self.path.endswith((".py", ".pyi")) or self.problem is not None:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(self.content)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of the tree, outer before inner."""
        return tuple(ast.walk(self.tree)) if self.tree is not None else ()

    @cached_property
    def parents(self) -> Mapping[ast.AST, ast.AST]:
        """Each node to the node around it."""
        return {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}

    @cached_property
    def imported(self) -> Mapping[str, str]:
        """Names that imports bind anywhere in the file, to the dotted names that they stand for."""
        found: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for item in node.names:
                    found[item.asname or item.name.partition(".")[0]] = (
                        item.name if item.asname else item.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom) and not node.level:
                for item in node.names:
                    found[item.asname or item.name] = f"{node.module}.{item.name}"
        return found

    @cached_property
    def own_definitions(self) -> frozenset[str]:
        """Names of functions, classes and parameters defined in the file."""
        defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        return frozenset(
            node.name if isinstance(node, defined) else node.arg
            for node in self.nodes
            if isinstance(node, (*defined, ast.arg))
        )

    def dotted(self, node: ast.AST) -> str:
        """Return a name or a chain of attributes with its imported root spelled out; empty for any other node."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        if node.id in self.imported:
            root = self.imported[node.id]
        elif node.id in self.own_definitions:
            root = f"<own>.{node.id}"
        else:
            root = node.id
        return ".".join([root, *reversed(parts)])

    def comments(self) -> Iterator[tuple[int, str]]:
        """Yield each comment with its line; where the text cannot be tokenised, whatever follows a ``#``."""
        seen = 0
        try:
            for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
                seen = token.start[0]
                if token.type == tokenize.COMMENT:
                    yield seen, token.string
        except (tokenize.TokenError, SyntaxError):
            for number, line in enumerate(self.text.split("\n"), start=1):
                if number > seen and "#" in line:
                    yield number, "#" + line.partition("#")[2]


class View:
    """One changed file."""

    def __init__(self, change: FileChange) -> None:
        self.change = change
        self.path = change.path
        self.before = Version(change.path, change.before)
        self.after = Version(change.path, change.after)

    @cached_property
    def added_lines(self) -> frozenset[int]:
        """Lines of the later version that the earlier one does not hold.

        Where the earlier version does not parse, a line counts as held when one with the same words is: repairs of
        brackets, colons and indentation add no words.
        """
        if self.before.problem is None:
            return frozenset(number for _, new in self.change.replaced_lines() for number in new)
        held = Counter(_words(line) for line in split_lines(self.change.before))
        added = set()
        for number, line in enumerate(split_lines(self.change.after), start=1):
            words = _words(line)
            if words and not held[words]:
                added.add(number)
            held[words] -= 1
        return frozenset(added)

    def added(self, extract: Callable[[Version], Iterable[Trait]]) -> Iterator[Trait]:
        """Yield the traits that the later version holds more often than the earlier one, on changed lines first."""
        now = sorted(extract(self.after), key=lambda trait: (trait.line not in self.added_lines, trait.line))
        if self.before.problem is not None:
            yield from (trait for trait in now if trait.line in self.added_lines)
            return
        held = Counter((trait.rule, trait.key) for trait in extract(self.before))
        spare = Counter((trait.rule, trait.key) for trait in now)
        spare.subtract(held)
        for trait in now:
            if spare[trait.rule, trait.key] > 0:
                spare[trait.rule, trait.key] -= 1
                yield trait


def literal(node: ast.AST | None) -> str | None:
    """Return the repr of a literal's value; None for any other expression."""
    if not isinstance(node, ast.Constant | ast.UnaryOp | ast.Tuple | ast.List | ast.Set | ast.Dict | ast.BinOp):
        return None
    try:
        return repr(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _words(line: bytes) -> tuple[bytes, ...]:
    return tuple(re.findall(rb"\w+", line))
