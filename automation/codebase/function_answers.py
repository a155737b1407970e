"""Functions as a model wrote them, put in place of those of a file."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from automation.codebase.edit_checks import node_at, require_body, require_others_kept, text_with_body
from automation.codebase.edit_imports import add_import, names_bound
from automation.codebase.edit_places import SymbolPlace, place_of, places_of
from automation.codebase.edit_text import checked, indentation_unit, reindented, statements_of
from automation.codebase.sources import SourceFile, require_digest
from automation.codebase.symbols import tree_of
from automation.errors import EditRefused

_DEF_LINE = re.compile(r"\s*(async\s+)?def\s")


def replace_function(
    source: SourceFile, symbol: str, text: str, *, line: int | None = None, expected_digest: str | None = None
) -> SourceFile:
    """Take over the body of a function as a model wrote it; name, signature and decorators stay as they are.

    The docstring stays where the new function has none. Imports that the text brings along are added when the new body
    needs them and the file does not bind their name yet.

    Parameters
    ----------
    source : SourceFile
        The file.
    symbol : str
        Qualified name of the function.
    text : str
        The function with any indentation, perhaps inside its class, perhaps with other decorators.
    line : int or None
        A line inside the definition that is meant, where several share the name.
    expected_digest : str or None
        Content hash of the file that the edit was made for.

    Raises
    ------
    EditRefused
        When the text holds no function of that name and is not a single function, or the result would not compile.
    StaleSource
        When the file is another than expected.
    """
    require_digest(source, expected_digest)
    place = place_of(source, symbol, line)
    if place.kind != "function":
        raise EditRefused(f"{symbol} in {source.path} is a {place.kind}; name a function")
    given = SourceFile(source.path, reindented(_straightened(text), "", indentation_unit(source.text), "\n"))
    chosen = _chosen_function(given, place.name.rpartition(".")[2])
    body_text = given.text[chosen.body_start : chosen.body_end]
    new, old = node_at(given, chosen.header_line), node_at(source, place.header_line)
    doc = ast.get_docstring(old, clean=False) if isinstance(old, ast.FunctionDef | ast.AsyncFunctionDef) else None
    new_doc = ast.get_docstring(new, clean=False) if isinstance(new, ast.FunctionDef | ast.AsyncFunctionDef) else None
    kept = 1 if doc is not None and new_doc is None else 0
    if kept and place.body_margin is None:
        body_text, kept = f"{ast.get_source_segment(source.text, old.body[0])}\n{body_text.strip()}\n", 0
    after = checked(source, text_with_body(source, place, body_text, kept))
    require_others_kept(source, after, place.name, may_remove=False)
    require_body(after, place, statements_of(body_text), kept)
    return _with_imports(after, tree_of(given).body, new)


def _straightened(text: str) -> str:
    try:
        statements_of(text)
    except EditRefused:
        lines = text.splitlines(keepends=True)
        heads = [number for number, line in enumerate(lines) if _DEF_LINE.match(line)]
        if not heads:
            raise
        lines[: heads[0] + 1] = [line.lstrip(" \t") for line in lines[: heads[0] + 1]]
        return "".join(lines)
    return text


def _chosen_function(given: SourceFile, name: str) -> SymbolPlace:
    functions = [place for place in places_of(given) if place.kind == "function"]
    named = [place for place in functions if place.name.rpartition(".")[2] == name]
    if named:
        depth = min(place.name.count(".") for place in named)
        return [place for place in named if place.name.count(".") == depth][-1]
    outermost = [place for place in functions if "." not in place.name]
    if len(outermost) != 1:
        raise EditRefused(f"the text holds no function {name} and is not a single function; give exactly that function")
    return outermost[0]


def _with_imports(after: SourceFile, given: Sequence[ast.stmt], function: ast.AST) -> SourceFile:
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    for statement in given:
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            continue
        if isinstance(statement, ast.ImportFrom) and statement.level:
            continue
        for alias in statement.names:
            bound = alias.asname or alias.name.partition(".")[0]
            if bound not in used or bound in names_bound(tree_of(after)):
                continue
            if isinstance(statement, ast.Import):
                after = add_import(after, alias.name, alias=alias.asname)
            else:
                after = add_import(after, statement.module or "", alias.name, alias.asname)
    return after
