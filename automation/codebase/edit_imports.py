"""Edits of a file's import statements."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from automation.codebase.edit_text import LineTable, checked
from automation.codebase.sources import SourceFile, require_digest
from automation.codebase.symbols import symbols_of, tree_of
from automation.errors import EditRefused

_MAX_LINE = 120


def add_import(
    source: SourceFile,
    module: str,
    name: str | None = None,
    alias: str | None = None,
    *,
    expected_digest: str | None = None,
) -> SourceFile:
    """Import a module, or a name from it, at the top of a file; the same file when it does so already.

    Parameters
    ----------
    source : SourceFile
        The file.
    module : str
        Dotted name of the module.
    name : str or None
        What to import from it; None imports the module itself.
    alias : str or None
        Name to bind it to.
    expected_digest : str or None
        Content hash of the file that the edit was made for.

    Raises
    ------
    EditRefused
        When the name is bound to something else already.
    StaleSource
        When the file is another than expected.
    """
    require_digest(source, expected_digest)
    tree = tree_of(source)
    if _position_of(tree, module, name, alias) is not None:
        return source
    bound = alias or name or module.partition(".")[0]
    if bound in names_bound(tree) and not _binds_same_package(tree, module, name, alias):
        raise EditRefused(f"{source.path} binds {bound} to something else; import it under another name")
    text = _joined(source, tree, module, name, alias)
    after = checked(source, text if text is not None else _with_line(source, tree, module, name, alias))
    return _verified(source, after, _position_of(tree_of(after), module, name, alias) is not None, f"import of {bound}")


def remove_import(
    source: SourceFile,
    module: str,
    name: str | None = None,
    alias: str | None = None,
    *,
    expected_digest: str | None = None,
) -> SourceFile:
    """Remove an import that nothing in the file uses any more.

    Raises
    ------
    EditRefused
        When there is no such import at module level, or its name is still used.
    StaleSource
        When the file is another than expected.
    """
    require_digest(source, expected_digest)
    tree = tree_of(source)
    found = _position_of(tree, module, name, alias)
    shown = f"{module}.{name}" if name else module
    if found is None:
        raise EditRefused(f"{source.path} does not import {shown}; nothing was removed")
    statement, index = found
    bound = alias or name or module.partition(".")[0]
    uses = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | set(_exported(tree))
    if bound in uses:
        raise EditRefused(f"{source.path} still uses {bound}; remove its uses first")
    after = checked(source, _without(source, tree, statement, index))
    gone = _position_of(tree_of(after), module, name, alias) is None
    return _verified(source, after, gone, f"removal of {shown}")


def names_bound(tree: ast.Module) -> set[str]:
    """Return the names that a module binds at its top level, in the blocks of ``if`` and ``try`` too."""
    return set(_bound(tree.body))


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            yield from (one.asname or one.name.partition(".")[0] for one in statement.names)
        else:
            yield from _stored(statement)


def _stored(statement: ast.stmt) -> Iterator[str]:
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.stmt):
            yield from _bound([child])
        elif isinstance(child, ast.ExceptHandler):
            yield from _bound(child.body)
        else:
            yield from (
                node.id for node in ast.walk(child) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            )


def _position_of(
    tree: ast.Module, module: str, name: str | None, alias: str | None
) -> tuple[ast.Import | ast.ImportFrom, int] | None:
    for statement in tree.body:
        if name is None and isinstance(statement, ast.Import):
            wanted = (module, alias)
        elif name is not None and isinstance(statement, ast.ImportFrom) and _module_of(statement) == module:
            wanted = (name, alias)
        else:
            continue
        for index, one in enumerate(statement.names):
            if (one.name, one.asname) == wanted:
                return statement, index
    return None


def _module_of(statement: ast.ImportFrom) -> str:
    return "." * statement.level + (statement.module or "")


def _binds_same_package(tree: ast.Module, module: str, name: str | None, alias: str | None) -> bool:
    if name is not None or alias is not None:
        return False
    package = module.partition(".")[0]
    bound = [one for one in tree.body if isinstance(one, ast.Import)]
    others = [one for one in tree.body if not isinstance(one, ast.Import)]
    plain = any(one.asname is None and one.name.partition(".")[0] == package for node in bound for one in node.names)
    return plain and package not in set(_bound(others))


def _exported(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            for node in ast.walk(statement):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


def _joined(source: SourceFile, tree: ast.Module, module: str, name: str | None, alias: str | None) -> str | None:
    if name is None or module == "__future__":
        return None
    table = LineTable.of(source.text)
    shown = f"{name} as {alias}" if alias else name
    for statement in tree.body:
        if not isinstance(statement, ast.ImportFrom) or _module_of(statement) != module:
            continue
        names = sorted([*map(_shown, statement.names), shown], key=_sort_key)
        first, last = statement.lineno, statement.end_lineno or statement.lineno
        whole = f"from {module} import {', '.join(names)}"
        is_plain = first == last and table.line(first) == ast.unparse(statement)
        if is_plain and "*" not in names and len(whole) <= _MAX_LINE:
            return (
                source.text[: table.offset(first)] + whole + source.text[table.offset(first, len(table.line(first))) :]
            )
        below = _below(source, table, statement, shown)
        if below is not None:
            return below
    return None


def _below(source: SourceFile, table: LineTable, statement: ast.ImportFrom, shown: str) -> str | None:
    lines = [one.lineno for one in statement.names]
    last = statement.end_lineno or statement.lineno
    one_each = len(set(lines)) == len(lines) and statement.lineno not in lines and last not in lines
    if not one_each or not table.line(lines[-1]).partition("#")[0].rstrip().endswith(","):
        return None
    margin = table.line(lines[0])[: statement.names[0].col_offset]
    later = [one.lineno for one in statement.names if _sort_key(_shown(one)) > _sort_key(shown)]
    at = table.offset(later[0]) if later else table.after(lines[-1])
    return f"{source.text[:at]}{margin}{shown},{source.newline}{source.text[at:]}"


def _shown(one: ast.alias) -> str:
    return f"{one.name} as {one.asname}" if one.asname else one.name


def _sort_key(shown: str) -> tuple[int, str]:
    kind = 0 if shown.isupper() and len(shown) > 1 else 1 if shown[:1].isupper() else 2
    return kind, shown


def _with_line(source: SourceFile, tree: ast.Module, module: str, name: str | None, alias: str | None) -> str:
    suffix = f" as {alias}" if alias else ""
    line = (f"from {module} import {name}" if name else f"import {module}") + suffix + source.newline
    table = LineTable.of(source.text)
    imports = list(_leading_imports(tree))
    section = _section(module, 0)
    ranks = [(_rank(one), one.end_lineno or one.lineno, one.lineno) for one in imports]
    wanted = (section, name is not None, module)
    before = [(rank, end) for rank, end, _ in ranks if rank <= wanted]
    if before:
        rank, end = max(before, key=lambda pair: pair[1])
        gap = source.newline if rank[0] != section and not any(other[0] == section for other, _, _ in ranks) else ""
        return _put(source, table.after(end), gap + line)
    if ranks:
        gap = source.newline if ranks[0][0][0] != section else ""
        return _put(source, table.offset(ranks[0][2]), line + gap)
    has_doc = bool(tree.body) and ast.get_docstring(tree, clean=False) is not None
    if has_doc:
        rest = source.text[table.after(tree.body[0].end_lineno or 1) :]
        gap = source.newline if rest.strip() and not rest.startswith(("\n", "\r")) else ""
        return _put(source, table.after(tree.body[0].end_lineno or 1), source.newline + line + gap)
    return _put(source, table.offset(_first_free_line(table)), line)


def _put(source: SourceFile, at: int, text: str) -> str:
    head = source.text[:at]
    if head and not head.endswith(("\n", "\r")):
        head += source.newline
    return head + text + source.text[at:]


def _leading_imports(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    for number, statement in enumerate(tree.body):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield statement
        elif number or not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            return


def _rank(statement: ast.Import | ast.ImportFrom) -> tuple[int, bool, str]:
    if isinstance(statement, ast.Import):
        return _section(statement.names[0].name, 0), False, statement.names[0].name
    return _section(statement.module or "", statement.level), True, _module_of(statement)


def _section(module: str, level: int) -> int:
    package = module.partition(".")[0]
    if package == "__future__":
        return 0
    if level or module.startswith("."):
        return 3
    return 1 if package in sys.stdlib_module_names else 2


def _first_free_line(table: LineTable) -> int:
    line = 1
    while line < len(table.starts) and table.line(line).startswith("#"):
        line += 1
    return line


def _without(source: SourceFile, tree: ast.Module, statement: ast.Import | ast.ImportFrom, index: int) -> str:
    table = LineTable.of(source.text)
    first, last = statement.lineno, statement.end_lineno or statement.lineno
    shares = [
        one for one in tree.body if one is not statement and one.lineno <= last and (one.end_lineno or 0) >= first
    ]
    if shares:
        raise EditRefused(f"line {first} of {source.path} holds more than the import; edit it by hand")
    if len(statement.names) == 1:
        return source.text[: table.offset(first)] + source.text[table.after(last) :]
    lines = [one.lineno for one in statement.names]
    if len(set(lines)) == len(lines) and first not in lines and last not in lines:
        row = lines[index]
        return source.text[: table.offset(row)] + source.text[table.after(row) :]
    del statement.names[index]
    comment = table.line(last).partition("#")
    tail = f"  #{comment[2]}" if comment[1] else ""
    end = table.offset(last, len(table.line(last)))
    return source.text[: table.offset(first)] + ast.unparse(statement) + tail + source.text[end:]


def _verified(source: SourceFile, after: SourceFile, done: bool, what: str) -> SourceFile:
    if not done or [one.name for one in symbols_of(after)] != [one.name for one in symbols_of(source)]:
        raise EditRefused(f"the {what} did not take effect in {source.path}; nothing was changed")
    return after
