"""Finding and editing by symbol on our own index and libcst edits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from automation.codebase.edits import insert_after, insert_before, rename_in_repository, replace_symbol
from automation.codebase.index import SymbolIndex
from automation.codebase.patches import Patch, resolve_inside
from automation.codebase.sources import SourceFile, read_source
from automation.codebase.symbol_views import Reference, SymbolQuery, SymbolView, dotted, slashed
from automation.codebase.symbols import Symbol
from automation.errors import EditRefused, TargetUnknown

_MOST_CHOICES = 5


class OwnSymbols:
    """The symbols of one repository, through its index and our edits.

    Parameters
    ----------
    index : SymbolIndex
        Of the repository; closed with this. Everything runs in the thread that opened it.
    """

    name = "gridbot"

    def __init__(self, index: SymbolIndex) -> None:
        self._index = index

    @property
    def root(self) -> Path:
        """The repository."""
        return self._index.root

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def overview(self, path: str, depth: int = 0) -> tuple[SymbolView, ...]:
        """Return what a file defines, with members as deep as asked.

        Raises
        ------
        TargetUnknown
            When the repository has no such Python file.
        """
        self._index.refresh()
        self._require_file(path)
        symbols = self._index.symbols_in(path)
        return tuple(_viewed(one, symbols, depth, None) for one in symbols if "." not in one.name)

    def find(self, query: SymbolQuery) -> tuple[SymbolView, ...]:
        """Return the symbols that are wanted, by file and line."""
        self._index.refresh()
        return tuple(self._found(query))[: query.limit]

    def references(self, path: str, name_path: str) -> tuple[Reference, ...]:
        """Return the places that lead to a definition, as jedi resolves them."""
        self._index.refresh()
        uses = self._index.references(self._one(path, name_path))
        lines = {each: read_source(self.root, each).text.splitlines() for each in {use.path for use in uses}}
        return tuple(
            Reference(use.path, use.line, lines[use.path][use.line - 1].strip(), slashed(use.function)) for use in uses
        )

    def replace(self, path: str, name_path: str, body: str) -> Patch:
        """Replace a whole definition, its header too; decorators stay when the new text names none.

        Raises
        ------
        EditRefused
            When the symbol is missing or ambiguous, or the text is not one definition of that name.
        """
        keeps = not body.lstrip().startswith("@")

        def edit(source: SourceFile, symbol: Symbol) -> SourceFile:
            decorated = keeps and symbol.kind != "constant"
            return replace_symbol(source, symbol.name, body, keep_decorators=decorated, line=symbol.line)

        return self._edited(path, name_path, edit)

    def insert_before(self, path: str, name_path: str, body: str) -> Patch:
        """Insert code before a definition, its decorators and the comment on it."""
        return self._edited(path, name_path, lambda source, one: insert_before(source, one.name, body, line=one.line))

    def insert_after(self, path: str, name_path: str, body: str) -> Patch:
        """Insert code after the last line of a definition."""
        return self._edited(path, name_path, lambda source, one: insert_after(source, one.name, body, line=one.line))

    def rename(self, path: str, name_path: str, new_name: str) -> Patch:
        """Rename a definition and everything that refers to it, in the whole repository."""
        self._index.refresh()
        self._require_file(path)
        return rename_in_repository(self.root, self._index, path, dotted(name_path), new_name)

    def _edited(self, path: str, name_path: str, edit: Callable[[SourceFile, Symbol], SourceFile]) -> Patch:
        self._index.refresh()
        symbol = self._one(path, name_path)
        before = read_source(self.root, path)
        after = edit(before, symbol)
        patch = Patch.of({path: before.content}, {path: after.content})
        if not patch.changes:
            raise EditRefused(f"{path} says that already; nothing would change")
        return patch

    def _found(self, query: SymbolQuery) -> Iterator[SymbolView]:
        prefix = query.path.strip().rstrip("/")
        for path in self._index.files:
            if prefix not in {"", ".", path} and not path.startswith(f"{prefix}/"):
                continue
            symbols = self._index.symbols_in(path)
            wanted = [symbol for symbol in symbols if query.fits(symbol.name)]
            source = read_source(self.root, path) if wanted and query.with_body else None
            for symbol in wanted:
                yield _viewed(symbol, symbols, query.depth, source)

    def _one(self, path: str, name_path: str) -> Symbol:
        self._require_file(path)
        wanted = dotted(name_path)
        found = [one for one in self._index.symbols_in(path) if one.name == wanted]
        found = found or list(self._index.definitions(wanted, path))
        if not found:
            raise EditRefused(f"{path} defines no {name_path}; get_symbols_overview lists what it defines")
        if len(found) > 1:
            choices = ", ".join(f"{slashed(one.name)} (line {one.line})" for one in found[:_MOST_CHOICES])
            raise EditRefused(f"{path} defines {name_path} more than once: {choices}; name one in full")
        return found[0]

    def _require_file(self, path: str) -> None:
        resolve_inside(self.root, path)
        if path not in self._index.files:
            raise TargetUnknown(f"there is no Python file {path} in {self.root}; name one by its path from there")


def _viewed(symbol: Symbol, symbols: tuple[Symbol, ...], depth: int, source: SourceFile | None) -> SymbolView:
    members: tuple[SymbolView, ...] = ()
    if depth > 0:
        inside = (one for one in symbols if one.name.rpartition(".")[0] == symbol.name)
        members = tuple(_viewed(one, symbols, depth - 1, None) for one in inside)
    body = None
    if source is not None:
        body = "\n".join(source.text.splitlines()[symbol.line - 1 : symbol.end_line])
    return SymbolView(
        symbol.path,
        slashed(symbol.name),
        symbol.kind,
        symbol.line,
        symbol.end_line,
        symbol.signature,
        symbol.doc,
        body,
        members,
    )
