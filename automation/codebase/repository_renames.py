"""Renames across a repository: every reference that jedi resolves, or no change at all."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from automation.codebase.edit_text import LineTable, checked
from automation.codebase.index import SymbolIndex
from automation.codebase.patches import Patch
from automation.codebase.renames import (
    require_new_name,
    require_renamed,
    spans_of_definition,
    spans_of_import,
    with_names,
)
from automation.codebase.sources import SourceFile, read_source
from automation.codebase.symbols import Symbol, qualified, symbols_of
from automation.codebase.uses import Use
from automation.errors import EditRefused

_PROTOCOL = "Protocol"


def rename_in_repository(root: Path, index: SymbolIndex, path: str, symbol: str, new_name: str) -> Patch:
    """Rename a definition and all its references in a repository.

    Parameters
    ----------
    root : Path
        The repository's folder.
    index : SymbolIndex
        Its index; it is refreshed first.
    path : str
        The file with the definition, relative to the root.
    symbol : str
        Qualified name inside that file.
    new_name : str
        The new last part of the name.

    Returns
    -------
    Patch
        The changed files; nothing is written.

    Raises
    ------
    EditRefused
        When the definition is missing or ambiguous, the new name is taken, a related class has the same member, or a
        use cannot be resolved, so that the rename might be incomplete.
    """
    old_name = require_new_name(symbol, new_name)
    index.refresh()
    definition = _definition(index, path, symbol)
    if definition.kind in {"method", "constant"} and "." in definition.name:
        _require_no_relatives(index, definition)
    leading, unknown = index.resolve(definition)
    source = read_source(root, path)
    spans: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    spans[path] = spans_of_definition(source, definition.name, new_name)
    sources = {name: read_source(root, name) for name in {path, *(use.path for use in (*leading, *unknown))}}
    for use in leading:
        spans[use.path].add(_span(sources[use.path], use))
    for use in unknown:
        if use.kind != "keyword" and _span(sources[use.path], use) not in spans[use.path]:
            raise EditRefused(
                f"{use.path}:{use.line} uses {old_name} of unknown origin; annotate it, then rename again"
            )
    for other in {use.path for use in leading if use.kind == "import"} - {path}:
        spans[other] |= spans_of_import(sources[other], old_name, new_name)
    for other, found in _dotted_paths(root, index, definition):
        spans[other] |= found
    after = _renamed(root, spans, new_name)
    _require_effect(root, after, path, definition, new_name)
    before = {name: read_source(root, name).content for name in after}
    return Patch.of(before, {name: changed.content for name, changed in after.items()})


def _definition(index: SymbolIndex, path: str, symbol: str) -> Symbol:
    wanted = qualified(symbol)
    found = [one for one in index.definitions(wanted, path) if one.name == wanted]
    if len(found) != 1:
        many = "more than one" if found else "no"
        raise EditRefused(f"{path} defines {many} {symbol}; name one definition of this file")
    return found[0]


def _span(source: SourceFile, use: Use) -> tuple[int, int]:
    start = LineTable.of(source.text).offset(use.line, use.column)
    end = start + len(use.name)
    if source.text[start:end] != use.name:
        raise EditRefused(f"{use.path}:{use.line} does not spell {use.name} as usual; rename it there by hand first")
    return start, end


def _dotted_paths(root: Path, index: SymbolIndex, definition: Symbol) -> Iterable[tuple[str, set[tuple[int, int]]]]:
    """Find ``package.module:name`` in registries and the like, which no resolver sees."""
    module = definition.path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    name = re.escape(definition.name)
    pattern = re.compile(rf"(?<![\w.]){re.escape(module)}[.:]{name}(?!\w)")
    for path in index.files:
        if path in index.broken:
            continue
        text = read_source(root, path).text
        spans = {(match.end() - len(definition.own_name), match.end()) for match in pattern.finditer(text)}
        if spans:
            yield path, spans


def _renamed(root: Path, spans: dict[str, set[tuple[int, int]]], new_name: str) -> dict[str, SourceFile]:
    after = {}
    for path, found in spans.items():
        if found:
            source = read_source(root, path)
            after[path] = checked(source, with_names(source.text, found, new_name))
    return after


def _require_effect(root: Path, after: dict[str, SourceFile], path: str, definition: Symbol, new_name: str) -> None:
    if path not in after:
        raise EditRefused(f"renaming {definition.name} would change nothing in {path}; nothing was renamed")
    for name, changed in after.items():
        before = read_source(root, name)
        if name == path:
            require_renamed(before, changed, definition.name, new_name)
        elif [one.name for one in symbols_of(before)] != [one.name for one in symbols_of(changed)]:
            raise EditRefused(f"renaming {definition.name} would change what {name} defines; nothing was renamed")


def _require_no_relatives(index: SymbolIndex, definition: Symbol) -> None:
    owner = definition.name.rpartition(".")[0]
    own_name = definition.own_name
    others = {
        one.name.rpartition(".")[0].rpartition(".")[2]
        for one in index.definitions(own_name)
        if "." in one.name and (one.path, one.name) != (definition.path, definition.name)
    }
    if not others:
        return
    bases = _bases(index)
    family = _family(bases, owner.rpartition(".")[2])
    structural = {name for name in {owner.rpartition(".")[2], *others} if _PROTOCOL in bases.get(name, set())}
    related = sorted(others & family) or (sorted(others | structural) if structural else [])
    if related:
        raise EditRefused(
            f"{own_name} is also a member of {', '.join(related)}, which must keep the same name as {owner}; "
            "rename it there by hand as well"
        )


def _bases(index: SymbolIndex) -> dict[str, set[str]]:
    bases: dict[str, set[str]] = defaultdict(set)
    for symbol in index.classes():
        tree = ast.parse(f"{symbol.signature}: pass") if symbol.signature.endswith((")", symbol.own_name)) else None
        node = tree.body[0] if tree else None
        for base in node.bases if isinstance(node, ast.ClassDef) else []:
            bare = base.value if isinstance(base, ast.Subscript) else base
            bases[symbol.own_name].add(ast.unparse(bare).rpartition(".")[2])
    return bases


def _family(bases: dict[str, set[str]], name: str) -> set[str]:
    """Return the classes above and below one, by their own names."""
    family = {name}
    for direction in (bases, _turned(bases)):
        pending = [name]
        while pending:
            for other in direction.get(pending.pop(), set()) - family:
                family.add(other)
                pending.append(other)
    return family


def _turned(bases: dict[str, set[str]]) -> dict[str, set[str]]:
    turned: dict[str, set[str]] = defaultdict(set)
    for name, above in bases.items():
        for base in above:
            turned[base].add(name)
    return turned
