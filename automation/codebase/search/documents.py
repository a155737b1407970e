"""What is searched: definitions, modules and sections of the documentation, each with the words that describe it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from automation.codebase.search.words import split_name
from automation.codebase.sources import SourceFile
from automation.codebase.symbols import Symbol, symbols_of_tree, tree_of

_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")
_FENCE = re.compile(r"^\s*(```|~~~)")
_MARKUP = re.compile(r"\[([^\]]*)\]\([^)]*\)|[`*_|>]+")
_LONGEST_DOC = 1_500
_LONGEST_BODY = 1_500
_LONGEST_TEXT = 160
_MEANING_DOC = 320

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Kind(StrEnum):
    """What a document describes."""

    FUNCTION = "function"
    METHOD = "method"
    CLASS = "class"
    MODULE = "module"
    CONSTANT = "constant"
    SECTION = "section"


class Area(StrEnum):
    """Where a document stands."""

    CODE = "code"
    TESTS = "tests"
    DOCS = "docs"


@dataclass(frozen=True, slots=True)
class Document:
    """One thing that can be found.

    Parameters
    ----------
    path : str
        File, relative to the repository.
    name : str
        Qualified name in the file, ``""`` for a module, the heading of a section.
    kind : Kind
        What it is.
    line, end_line : int
        From 1.
    signature : str
        Header of the definition; the heading of a section; the dotted name of a module.
    doc : str
        First line of the docstring, or of a section's text.
    public : bool
        Whether its name is public.
    """

    path: str
    name: str
    kind: Kind
    line: int
    end_line: int
    signature: str
    doc: str
    public: bool

    @property
    def area(self) -> Area:
        """Code, tests or documentation."""
        return area_of(self.path)

    @property
    def own_name(self) -> str:
        """The last part of the qualified name; of a module its file's."""
        return self.name.rpartition(".")[2] or PurePosixPath(self.path).stem


@dataclass(frozen=True, slots=True)
class Described:
    """A document with its words.

    Parameters
    ----------
    document : Document
        What is described.
    names, place, header, text, body : str
        Words of its own name; of what it stands in; of its signature; of its docstring; of the names and texts in it.
    meaning : str
        The sentence that is embedded.
    """

    document: Document
    names: str
    place: str
    header: str
    text: str
    body: str
    meaning: str


def area_of(path: str) -> Area:
    """Return whether a file belongs to the code, the tests or the documentation."""
    pure = PurePosixPath(path)
    if pure.suffix == ".md":
        return Area.DOCS
    is_test = pure.name.startswith("test_") or pure.stem.endswith("_test") or pure.stem == "conftest"
    return Area.TESTS if is_test or {"tests", "test"}.intersection(pure.parts[:-1]) else Area.CODE


def documents_of(source: SourceFile) -> tuple[Described, ...]:
    """Return what can be found in a Python or Markdown file.

    Raises
    ------
    EditRefused
        When a Python file does not parse.
    """
    if source.path.endswith(".md"):
        return tuple(_sections(source))
    tree = tree_of(source)
    nodes = {(node.name, _first_line(node)): node for node in ast.walk(tree) if isinstance(node, Definition)}
    found = [_module(source.path, tree)]
    for symbol in symbols_of_tree(source.path, tree):
        node = nodes.get((symbol.own_name, symbol.line))
        if node is not None:
            found.append(_definition(symbol, node))
        elif "." not in symbol.name and area_of(source.path) is Area.CODE:
            found.append(_constant(symbol))
    return tuple(found)


def _first_line(node: Definition) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _definition(symbol: Symbol, node: Definition) -> Described:
    doc = (ast.get_docstring(node) or "")[:_LONGEST_DOC]
    document = Document(
        symbol.path, symbol.name, Kind(symbol.kind), node.lineno, symbol.end_line, symbol.signature, symbol.doc,
        symbol.public,
    )  # fmt: skip
    owner = symbol.name.rpartition(".")[0]
    place = f"{split_name(owner)} {_path_words(symbol.path)}".strip()
    names = split_name(symbol.own_name)
    told = _told(doc) or _header_words(node)
    return Described(
        document,
        names=f"{symbol.own_name.lower()} {names}" if " " in names else names,
        place=place,
        header=split_name(symbol.signature),
        text=doc,
        # what a test holds are the names of what it tests
        body="" if document.area is Area.TESTS else _body(node),
        meaning=_sentence(names, place, told),
    )


def _module(path: str, tree: ast.Module) -> Described:
    doc = (ast.get_docstring(tree) or "")[:_LONGEST_DOC]
    pure = PurePosixPath(path)
    own = pure.parent.name if pure.name == "__init__.py" and len(pure.parts) > 1 else pure.stem
    inside = [node.name for node in tree.body if isinstance(node, Definition)]
    dotted = ".".join(pure.with_suffix("").parts).removesuffix(".__init__")
    document = Document(path, "", Kind.MODULE, 1, 1, f"module {dotted}", doc.partition("\n")[0].strip(), True)
    place = _path_words(pure.parent.as_posix())
    return Described(
        document,
        names=split_name(own),
        place=place,
        header="",
        text=doc,
        body=" ".join(map(split_name, inside))[:_LONGEST_BODY],
        meaning=_sentence(split_name(own), place, _told(doc)),
    )


def _constant(symbol: Symbol) -> Described:
    document = Document(
        symbol.path, symbol.name, Kind.CONSTANT, symbol.line, symbol.end_line, symbol.signature, symbol.doc,
        symbol.public,
    )  # fmt: skip
    names, place = split_name(symbol.name), _path_words(symbol.path)
    spelled = f"{symbol.name.lower()} {names}" if " " in names else names
    return Described(document, spelled, place, split_name(symbol.signature), "", "", _sentence(names, place, ""))


def _sections(source: SourceFile) -> Iterator[Described]:
    """Cut a Markdown file at its headings; code blocks may hold lines that look like one."""
    title, start, fenced = PurePosixPath(source.path).stem, 1, False
    text: list[str] = []
    lines = source.text.splitlines()
    for number, line in enumerate(lines, 1):
        if _FENCE.match(line):
            fenced = not fenced
        heading = None if fenced else _HEADING.match(line)
        if heading is None:
            text.append(line)
            continue
        yield from _section(source.path, title, start, number - 1, text)
        title, start, text = _MARKUP.sub(r"\1", heading[2]), number, []
    yield from _section(source.path, title, start, len(lines), text)


def _section(path: str, title: str, start: int, end: int, lines: list[str]) -> Iterator[Described]:
    text = " ".join(_MARKUP.sub(r"\1", line).strip() for line in lines if line.strip())
    if not text:
        return
    first = re.split(r"(?<=[.:!?])\s", text, maxsplit=1)[0][:_LONGEST_TEXT]
    document = Document(path, title, Kind.SECTION, start, max(start, end), title, first, True)
    place = _path_words(path)
    yield Described(
        document,
        names=title.lower(),
        place=place,
        header="",
        text=text[:_LONGEST_DOC],
        body="",
        meaning=f"{title}. {text[:_MEANING_DOC]}",
    )


def _sentence(names: str, place: str, told: str) -> str:
    subject = f"{names}: {told}" if told else names
    return f"{subject} ({place})" if place else subject


def _told(doc: str) -> str:
    """Return the prose of a docstring before its tables of parameters."""
    prose = re.split(r"\n\s*(?:Parameters|Returns|Raises|Yields|Attributes|Examples)\n\s*-{3,}", doc, maxsplit=1)[0]
    return " ".join(prose.replace("``", "").split())[:_MEANING_DOC]


def _header_words(node: Definition) -> str:
    if isinstance(node, ast.ClassDef):
        return " ".join(split_name(ast.unparse(base)) for base in node.bases)
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    result = split_name(ast.unparse(node.returns)) if node.returns is not None else ""
    return " ".join([*(split_name(name) for name in names if name not in {"self", "cls"}), result]).strip()


def _path_words(path: str) -> str:
    parts = [part.removesuffix(".py").removesuffix(".md") for part in PurePosixPath(path).parts]
    return " ".join(split_name(part) for part in parts if part != "__init__")


def _body(node: Definition) -> str:
    """Return the names and the texts inside a definition, each once, without its docstring."""
    words: dict[str, None] = {}
    docstring = ast.get_docstring(node, clean=False)
    for child in ast.walk(node):
        if isinstance(child, ast.Name):
            words[split_name(child.id)] = None
        elif isinstance(child, ast.Attribute):
            words[split_name(child.attr)] = None
        elif isinstance(child, Definition) and child is not node:
            words[split_name(child.name)] = None
        elif isinstance(child, ast.Constant) and isinstance(child.value, str) and child.value != docstring:
            words[" ".join(child.value.split())[:_LONGEST_TEXT]] = None
    return " ".join(words)[:_LONGEST_BODY]
