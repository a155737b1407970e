"""Lines, offsets and indentation of source text, and the check of text that every edit ends with."""

from __future__ import annotations

import ast
import copy
import inspect
import io
import re
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from automation.codebase.sources import SourceFile
from automation.errors import EditRefused

_NEWLINE = re.compile(r"\r\n?|\n")
_MARGIN = re.compile(r"[ \t\f]*")
_SILENT = {tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
_FSTRING_START = getattr(tokenize, "FSTRING_START", None)
_FSTRING_END = getattr(tokenize, "FSTRING_END", None)


@dataclass(frozen=True, slots=True)
class LineTable:
    """Where the lines of a text begin; lines count from 1, columns are characters from 0."""

    text: str
    starts: tuple[int, ...] = field(repr=False)

    @classmethod
    def of(cls, text: str) -> LineTable:
        """Find the lines as Python's parser counts them."""
        return cls(text, (0, *(match.end() for match in _NEWLINE.finditer(text))))

    def offset(self, line: int, column: int = 0) -> int:
        """Return the offset of a position in the text; a line behind the last is the text's end."""
        if line > len(self.starts):
            return len(self.text)
        return min(self.starts[line - 1] + column, len(self.text))

    def after(self, line: int) -> int:
        """Return the offset behind a line and its line end."""
        return self.offset(line + 1)

    def line(self, number: int) -> str:
        """Return one line without its line end."""
        return self.text[self.offset(number) : self.after(number)].rstrip("\r\n")

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column of an offset."""
        low, high = 0, len(self.starts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.starts[middle] <= offset else (low, middle)
        return low + 1, offset - self.starts[low]


def margin_of(line: str) -> str:
    """Return the white space that a line begins with."""
    match = _MARGIN.match(line)
    return match.group() if match else ""


def indentation_unit(text: str) -> str:
    """Return one level of indentation as a file writes it: a tab, or its usual number of spaces."""
    steps: dict[str, int] = {}
    outer = ""
    for line in _NEWLINE.split(text):
        margin = margin_of(line)
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if margin != outer and margin.startswith(outer):
            steps[margin[len(outer) :]] = steps.get(margin[len(outer) :], 0) + 1
        outer = margin
    usual = {step: count for step, count in steps.items() if step == "\t" or (set(step) == {" "} and len(step) <= 8)}
    return max(usual, key=lambda step: usual[step]) if usual else "    "


def reindented(text: str, margin: str, unit: str, newline: str) -> str:
    """Move a block of statements to another indentation.

    Strings that span lines keep their value; docstrings move with the code. Where the text indents by tabs and the
    place by spaces (or the other way round), its levels are written anew.

    Parameters
    ----------
    text : str
        Statements with any common indentation.
    margin : str
        White space in front of every outermost line.
    unit : str
        One level of indentation at the place.
    newline : str
        Line end of every line, the last one too.

    Raises
    ------
    EditRefused
        When the text cannot be read as Python, or holds no statement.
    """
    lines = block_lines(text)
    layout = _layout(lines)
    outermost = _shared([margin_of(lines[row]) for row in layout.code])
    foreign = "\t" in unit or "\t" in margin
    inner = "".join(margin_of(lines[row])[len(outermost) :] for row in layout.code)
    if ("\t" in inner and not foreign) or (" " in inner and foreign):
        moved = _rebuilt(lines, layout, margin, unit)
    elif outermost == margin:
        moved = lines
    else:
        moved = [_shifted(line, row in layout.inside, outermost, margin) for row, line in enumerate(lines)]
    return "".join(line + newline for line in moved)


def block_lines(text: str) -> list[str]:
    """Split statements into lines, without empty lines around them, the first line as deep as the block it begins."""
    lines = _NEWLINE.split(text)
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise EditRefused("the new text is empty; give at least one statement")
    if _statements(lines) is None and not margin_of(lines[0]):
        deeper = next((margin_of(line) for line in lines[1:] if line.strip()), "")
        if _statements([deeper + lines[0], *lines[1:]]) is not None:
            lines[0] = deeper + lines[0]
    return lines


def statements_of(text: str) -> list[ast.stmt]:
    """Parse statements with any common indentation.

    Raises
    ------
    EditRefused
        When they do not parse.
    """
    statements = _statements(block_lines(text))
    if statements is None:
        raise EditRefused("the new text does not parse as Python; give whole statements")
    return statements


def same_code(left: Iterable[ast.AST], right: Iterable[ast.AST]) -> bool:
    """Tell whether two runs of nodes mean the same; the indentation inside docstrings does not count."""
    return [_shape(node) for node in left] == [_shape(node) for node in right]


def checked(source: SourceFile, text: str) -> SourceFile:
    """Return a file with new text once it compiles and can be written in the file's encoding.

    Raises
    ------
    EditRefused
        When it cannot.
    """
    try:
        text.encode(source.encoding)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, source.path, "exec", dont_inherit=True)
    except UnicodeEncodeError as error:
        raise EditRefused(f"{source.path} is written in {source.encoding}, which lacks {error.object!r}") from error
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise EditRefused(f"{source.path} would no longer compile: {error}; nothing was changed") from error
    return source.with_text(text)


def is_python_name(name: str) -> bool:
    """Tell whether a word can be bound in Python."""
    try:
        tree = ast.parse(name, mode="eval")
    except (SyntaxError, ValueError):
        return False
    return isinstance(tree.body, ast.Name) and tree.body.id == name


def _shape(node: ast.AST) -> str:
    copied = copy.deepcopy(node)
    for inner in ast.walk(copied):
        if isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Constant) and isinstance(inner.value.value, str):
            inner.value.value = inspect.cleandoc(inner.value.value)
    return ast.dump(copied)


def _statements(lines: list[str]) -> list[ast.stmt] | None:
    text = "\n".join(lines) + "\n"
    flat = _parsed(text)
    if flat is not None:
        return flat.body
    nested = _parsed(f"if True:\n{text}")
    if nested is None or len(nested.body) != 1 or not isinstance(nested.body[0], ast.If) or nested.body[0].orelse:
        return None
    return nested.body[0].body


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@dataclass(frozen=True, slots=True)
class _Layout:
    """Rows (from 0) that begin a logical line or a comment, with depth; rows inside strings that must not move."""

    depth_of: dict[int, int]
    code: tuple[int, ...]
    inside: frozenset[int]
    row_of_logical: dict[int, int]


def _layout(lines: list[str]) -> _Layout:
    depth_of: dict[int, int] = {}
    row_of_logical: dict[int, int] = {}
    stack: list[int] = []
    first: tokenize.TokenInfo | None = None
    tokens = list(_tokens(lines))
    for token in tokens:
        row = token.start[0] - 1
        if token.type == tokenize.COMMENT and first is None and not lines[row][: token.start[1]].strip():
            depth_of[row] = sum(1 for width in stack if width < token.start[1])
        if token.type in _SILENT:
            continue
        if token.type == tokenize.NEWLINE:
            if first is not None:
                row_of_logical |= dict.fromkeys(range(first.start[0] - 1, row + 1), first.start[0] - 1)
            first = None
        elif first is None:
            first = token
            while stack and stack[-1] > token.start[1]:
                stack.pop()
            if not stack or stack[-1] < token.start[1]:
                stack.append(token.start[1])
            depth_of[row] = len(stack) - 1
    if not row_of_logical:
        raise EditRefused("the new text holds no statement; give at least one")
    code = tuple(sorted(set(row_of_logical.values())))
    return _Layout(depth_of, code, frozenset(_string_rows(tokens)), row_of_logical)


def _tokens(lines: list[str]) -> Iterator[tokenize.TokenInfo]:
    text = "\n".join(lines) + "\n"
    try:
        yield from tokenize.generate_tokens(io.StringIO(text).readline)
    except (tokenize.TokenError, SyntaxError) as error:
        raise EditRefused(f"the new text cannot be read as Python: {error}") from error


def _string_rows(tokens: list[tokenize.TokenInfo]) -> Iterator[int]:
    opened: list[int] = []
    told = [token for token in tokens if token.type not in {tokenize.NL, tokenize.COMMENT}]
    for number, token in enumerate(told):
        if token.type == tokenize.STRING:
            before = told[number - 1].type if number else tokenize.NEWLINE
            alone = before in {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
            is_docstring = alone and told[number + 1].type == tokenize.NEWLINE
            if not is_docstring:
                yield from range(token.start[0], token.end[0])
        elif token.type == _FSTRING_START:
            opened.append(token.start[0])
        elif token.type == _FSTRING_END and opened:
            yield from range(opened.pop(), token.end[0])


def _shared(margins: list[str]) -> str:
    low, high = min(margins), max(margins)
    same = next((at for at, (one, other) in enumerate(zip(low, high, strict=False)) if one != other), len(low))
    return low[:same]


def _shifted(line: str, inside: bool, outermost: str, margin: str) -> str:
    if inside:
        return line
    if not line.strip():
        return ""
    if line.startswith(outermost):
        return margin + line[len(outermost) :]
    return margin + line.lstrip(" \t")


def _rebuilt(lines: list[str], layout: _Layout, margin: str, unit: str) -> list[str]:
    rebuilt = []
    for row, line in enumerate(lines):
        if row in layout.inside or not line.strip():
            rebuilt.append(line if row in layout.inside else "")
            continue
        if row in layout.depth_of:
            rebuilt.append(margin + unit * layout.depth_of[row] + line.lstrip(" \t"))
            continue
        head = layout.row_of_logical.get(row, 0)
        rest = margin_of(line)[len(margin_of(lines[head])) :]
        rebuilt.append(margin + unit * layout.depth_of.get(head, 0) + rest + line.lstrip(" \t"))
    return rebuilt
