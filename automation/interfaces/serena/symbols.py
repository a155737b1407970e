"""Finding and editing by symbol through Serena: in a throw-away copy, and every effect checked before it counts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from automation.codebase.edit_text import indentation_unit, margin_of, reindented
from automation.codebase.patches import Patch, resolve_inside
from automation.codebase.sources import SourceFile, source_of
from automation.codebase.symbol_checks import require_inserted, require_replaced, require_words_renamed
from automation.codebase.symbol_views import Reference, SymbolQuery, SymbolView, dotted, slashed
from automation.errors import EditRefused
from automation.interfaces.serena.answers import names_of_answer, references_of_answer, symbols_of_answer
from automation.interfaces.serena.client import SerenaClient
from automation.interfaces.serena.copies import ProjectCopy
from automation.interfaces.serena.program import find_serena

Files = Mapping[str, SourceFile]


def open_serena(root: Path, home: Path, *, fetch: bool = False) -> SerenaSymbols:
    """Start Serena for a repository.

    Parameters
    ----------
    root : Path
        The repository.
    home : Path
        The data home; Serena's own folder and the copy lie in it.
    fetch : bool
        Whether uvx or pipx may install Serena for this run.

    Raises
    ------
    Refused
        When Serena is not installed.
    WorkspaceFailed
        When it does not start.
    """
    program = find_serena(home, fetch=fetch)
    name = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
    copy = ProjectCopy(root.resolve(), home / "serena" / "copies" / name)
    copy.settle(program.language, program.server)
    copy.refresh()
    return SerenaSymbols(SerenaClient(program, copy.folder, home / "serena" / "home"), copy)


class SerenaSymbols:
    """The symbols of one repository, through Serena.

    Parameters
    ----------
    client : SerenaClient
        At work in the copy; closed with this.
    copy : ProjectCopy
        Of the repository.
    """

    name = "serena"

    def __init__(self, client: SerenaClient, copy: ProjectCopy) -> None:
        self._client = client
        self._copy = copy

    def close(self) -> None:
        """End Serena."""
        self._client.close()

    def overview(self, path: str, depth: int = 0) -> tuple[SymbolView, ...]:
        """Return what a file defines, with members as deep as asked."""
        self._refresh(path)
        names = names_of_answer(self._client.call("get_symbols_overview", {"relative_path": path, "depth": 0}))
        found = (self._found(SymbolQuery(f"/{name}", path, depth)) for name in dict.fromkeys(names))
        own = (one for symbols in found for one in symbols if one.path == path)
        return tuple(sorted(own, key=lambda one: one.line))

    def find(self, query: SymbolQuery) -> tuple[SymbolView, ...]:
        """Return the symbols that are wanted, by file and line."""
        self._copy.refresh()
        return self._found(query)[: query.limit]

    def references(self, path: str, name_path: str) -> tuple[Reference, ...]:
        """Return the places that lead to a definition."""
        self._refresh(path)
        return self._references(path, slashed(dotted(name_path)))

    def replace(self, path: str, name_path: str, body: str) -> Patch:
        """Replace a whole definition, its header too; decorators have to stay as they are."""
        name = dotted(name_path)
        self._refresh(path)
        margin = self._margin(path, name)
        # Serena puts the text behind the margin that stands there, and takes every further line as it is.
        text = self._moved(path, _without_decorators(body), margin).removeprefix(margin).rstrip()

        def check(before: Files, after: Files) -> None:
            require_replaced(before[path], after[path], name, body)

        arguments = {"name_path": slashed(name), "relative_path": path, "body": text}
        return self._edited("replace_symbol_body", arguments, path, check)

    def insert_before(self, path: str, name_path: str, body: str) -> Patch:
        """Insert code before a definition; one with decorators is refused, since Serena splits them from it."""
        return self._inserted("insert_before_symbol", path, dotted(name_path), body, behind=False)

    def insert_after(self, path: str, name_path: str, body: str) -> Patch:
        """Insert code after a definition."""
        return self._inserted("insert_after_symbol", path, dotted(name_path), body, behind=True)

    def rename(self, path: str, name_path: str, new_name: str) -> Patch:
        """Rename a definition and everything that refers to it."""
        name = dotted(name_path)
        self._refresh(path)
        places = self._references(path, slashed(name))

        def check(before: Files, after: Files) -> None:
            require_words_renamed(before, after, path, name, new_name)
            left = sorted({one.path for one in places} - after.keys())
            if left:
                raise EditRefused(f"Serena left uses of {name} in {left[0]}; nothing was taken over")

        arguments = {"name_path": slashed(name), "relative_path": path, "new_name": new_name}
        return self._edited("rename_symbol", arguments, path, check)

    def _inserted(self, tool: str, path: str, name: str, body: str, *, behind: bool) -> Patch:
        self._refresh(path)
        text = self._moved(path, body, self._margin(path, name))

        def check(before: Files, after: Files) -> None:
            require_inserted(before[path], after[path], name, body, behind=behind)

        gap = "\n\n" if not margin_of(text) else "\n"
        told = f"{gap}{text}" if behind else f"{text}{gap}"
        return self._edited(tool, {"name_path": slashed(name), "relative_path": path, "body": told}, path, check)

    def _edited(
        self, tool: str, arguments: Mapping[str, object], path: str, check: Callable[[Files, Files], None]
    ) -> Patch:
        try:
            self._client.call(tool, arguments)
            before, after = self._copy.changes()
            if path not in after or before.keys() != after.keys():
                raise EditRefused(
                    f"Serena's {tool} says that it is done, and {path} is as it was; nothing was taken over"
                )
            check(_sources(before), _sources(after))
            return Patch.of(before, after)
        finally:
            self._copy.refresh()

    def _refresh(self, path: str) -> None:
        resolve_inside(self._copy.root, path)
        self._copy.refresh()

    def _found(self, query: SymbolQuery) -> tuple[SymbolView, ...]:
        pattern = slashed(dotted(query.name_path))
        arguments: dict[str, object] = {
            "name_path_pattern": f"/{pattern}" if query.name_path.startswith("/") else pattern,
            "relative_path": "" if query.path in {"", "."} else query.path,
            "depth": 0 if query.with_body else query.depth,
            "include_body": query.with_body,
            "substring_matching": query.substring,
        }
        found = symbols_of_answer(self._client.call("find_symbol", arguments))
        return tuple(sorted(found, key=lambda one: (one.path, one.line)))

    def _references(self, path: str, name_path: str) -> tuple[Reference, ...]:
        told = self._client.call("find_referencing_symbols", {"name_path": name_path, "relative_path": path})
        return references_of_answer(told)

    def _margin(self, path: str, name: str) -> str:
        found = [one for one in self._found(SymbolQuery(f"/{slashed(name)}", path)) if one.path == path]
        if len(found) != 1:
            many = "more than one" if found else "no"
            raise EditRefused(f"Serena sees {many} {name} in {path}; name one definition of this file")
        line = self._source(path).text.splitlines()[found[0].line - 1]
        return margin_of(line)

    def _moved(self, path: str, text: str, margin: str) -> str:
        source = self._source(path)
        return reindented(text, margin, indentation_unit(source.text), source.newline)

    def _source(self, path: str) -> SourceFile:
        return source_of(path, (self._copy.folder / path).read_bytes())


def _sources(files: Mapping[str, bytes]) -> dict[str, SourceFile]:
    return {path: source_of(path, content) for path, content in files.items()}


def _without_decorators(body: str) -> str:
    lines = body.splitlines(keepends=True)
    start = 0
    depth = 0
    while start < len(lines) and (depth > 0 or not lines[start].strip() or lines[start].lstrip().startswith("@")):
        depth += sum(lines[start].count(each) for each in "([{") - sum(lines[start].count(each) for each in ")]}")
        start += 1
    return "".join(lines[start:])
