"""Renames of what a file defines: inside the file by libcst's scopes, across a repository by resolved references."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import libcst as cst
from libcst import matchers as m
from libcst.metadata import (
    Access,
    Assignment,
    ClassScope,
    CodeRange,
    ComprehensionScope,
    FunctionScope,
    GlobalScope,
    ImportAssignment,
    MetadataWrapper,
    PositionProvider,
    Scope,
    ScopeProvider,
)

from automation.codebase.edit_places import module_of
from automation.codebase.edit_text import LineTable, checked, is_python_name
from automation.codebase.sources import SourceFile, require_digest
from automation.codebase.symbols import qualified, symbols_of
from automation.errors import EditRefused

_STRINGS = (cst.SimpleString, cst.ConcatenatedString)


def rename(source: SourceFile, symbol: str, new_name: str, *, expected_digest: str | None = None) -> SourceFile:
    """Rename a definition or a variable and every reference to it inside one file.

    Parameters
    ----------
    source : SourceFile
        The file.
    symbol : str
        Qualified name: ``"helper"``, ``"Grid.decide"``, or a variable of a function, ``"outer.total"``.
    new_name : str
        The new last part of the name.
    expected_digest : str or None
        Content hash of the file that the edit was made for.

    Raises
    ------
    EditRefused
        When the name is missing, imported or a parameter, the new name is taken or would capture another, or a use
        of a member stands on an object whose class cannot be told.
    StaleSource
        When the file is another than expected.
    """
    require_digest(source, expected_digest)
    names = _FileNames.of(source)
    old_name = require_new_name(symbol, new_name)
    spans = names.references(symbol, strict=True)
    names.require_free(symbol, new_name)
    after = checked(source, with_names(source.text, spans, new_name))
    require_renamed(source, after, symbol, new_name)
    if _FileNames.of(after).count(_renamed(qualified(symbol), new_name)) != len(spans) or not spans:
        raise EditRefused(f"renaming {old_name} in {source.path} would bind other names; nothing was changed")
    return after


def spans_of_definition(source: SourceFile, symbol: str, new_name: str) -> set[tuple[int, int]]:
    """Return start and end of every reference to a definition that its own file shows for certain.

    Raises
    ------
    EditRefused
        When the name is missing, imported or a parameter, or the new name is taken or would capture another.
    """
    names = _FileNames.of(source)
    names.require_free(symbol, new_name)
    return names.references(symbol, strict=False)


def spans_of_import(source: SourceFile, name: str, new_name: str) -> set[tuple[int, int]]:
    """Return start and end of every use, in annotations and ``__all__`` too, of what a file imports under a name.

    Raises
    ------
    EditRefused
        When the new name is taken or would capture another.
    """
    names = _FileNames.of(source)
    if not names.imports(name):
        return set()
    names.require_free(name, new_name)
    return names.import_uses(name)


def require_new_name(symbol: str, new_name: str) -> str:
    """Check a new name and return the old one.

    Raises
    ------
    EditRefused
        When the new name is none, or is the old one.
    """
    old_name = qualified(symbol).rpartition(".")[2]
    if not is_python_name(new_name) or keyword.issoftkeyword(new_name):
        raise EditRefused(f"{new_name!r} is no Python name; give an identifier")
    if new_name == old_name:
        raise EditRefused(f"{symbol} is called {new_name} already; nothing to rename")
    return old_name


def with_names(text: str, spans: Iterable[tuple[int, int]], new_name: str) -> str:
    """Return a text with other words at some places, given as pairs of start and end."""
    parts, at = [], 0
    for start, end in sorted(spans):
        parts += [text[at:start], new_name]
        at = end
    return "".join(parts) + text[at:]


def require_renamed(before: SourceFile, after: SourceFile, symbol: str, new_name: str) -> None:
    """Compare the symbols of a file before and after a rename.

    Raises
    ------
    EditRefused
        When anything but the one name differs.
    """
    old = qualified(symbol)
    new = _renamed(old, new_name)
    wanted = []
    for one in symbols_of(before):
        is_meant = one.name == old or one.name.startswith(f"{old}.")
        wanted.append(new + one.name[len(old) :] if is_meant else one.name)
    if wanted != [one.name for one in symbols_of(after)]:
        raise EditRefused(f"renaming {symbol} to {new_name} would change other symbols of {before.path}")


def _renamed(name: str, new_name: str) -> str:
    prefix, dot, _ = name.rpartition(".")
    return f"{prefix}{dot}{new_name}"


@dataclass(frozen=True, slots=True)
class _FileNames:
    source: SourceFile
    module: cst.Module
    table: LineTable
    ranges: Mapping[cst.CSTNode, CodeRange]
    scopes: tuple[Scope, ...]
    scope_of: Mapping[cst.CSTNode, Scope | None]

    @classmethod
    def of(cls, source: SourceFile) -> _FileNames:
        module = module_of(source)
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        scope_of = dict(wrapper.resolve(ScopeProvider))
        scopes = tuple(dict.fromkeys(scope for scope in scope_of.values() if scope is not None))
        ranges = dict(wrapper.resolve(PositionProvider))
        return cls(source, module, LineTable.of(source.text), ranges, scopes, scope_of)

    def count(self, symbol: str) -> int:
        return len(self.references(symbol, strict=False))

    def references(self, symbol: str, strict: bool) -> set[tuple[int, int]]:
        scope, name = self._scope(symbol)
        nodes = [*self._bound_nodes(symbol, scope, name), *self._declared(scope, name)]
        if isinstance(scope, ClassScope):
            nodes += self._members(scope, name, strict)
        spans = self._spans(nodes, name)
        return spans | set(self._exports(name)) if isinstance(scope, GlobalScope) else spans

    def _spans(self, nodes: Iterable[cst.CSTNode], name: str) -> set[tuple[int, int]]:
        spans = set()
        for node in nodes:
            spans |= set(self._in_annotation(node, name)) if isinstance(node, _STRINGS) else {self._span(node)}
        return spans

    def require_free(self, symbol: str, new_name: str) -> None:
        scope, name = self._scope(symbol)
        taken = new_name in scope.assignments
        if isinstance(scope, ClassScope):
            members = m.findall(scope.node, m.Attribute(attr=m.Name(new_name)))
            taken = taken or any(isinstance(one, cst.Attribute) and m.matches(one.value, m.Name()) for one in members)
        for access in self._accesses(scope, name):
            taken = taken or any(new_name in one.assignments for one in _chain(access.scope, scope))
        for inner in (one for one in self.scopes if scope in _ancestors(one)):
            for access in inner.accesses[new_name]:
                homes = _homes(access, new_name)
                taken = taken or not homes or any(home is scope or scope not in _ancestors(home) for home in homes)
        if taken:
            raise EditRefused(f"{new_name} is in use where {symbol} stands in {self.source.path}; choose another name")

    def imports(self, name: str) -> bool:
        top = next(scope for scope in self.scopes if isinstance(scope, GlobalScope))
        return any(isinstance(assignment, ImportAssignment) for assignment in top.assignments[name])

    def import_uses(self, name: str) -> set[tuple[int, int]]:
        scope, _ = self._scope(name)
        nodes = [_leftmost(access.node) for access in self._accesses(scope, name)]
        return self._spans(nodes, name) | set(self._exports(name))

    def _scope(self, symbol: str) -> tuple[Scope, str]:
        *outer, name = qualified(symbol).split(".")
        found: list[Scope] = [*[scope for scope in self.scopes if isinstance(scope, GlobalScope)][:1]]
        for part in outer:
            found = [
                scope
                for scope in self.scopes
                if isinstance(scope, ClassScope | FunctionScope)
                and scope.parent in found
                and isinstance(scope.node, cst.FunctionDef | cst.ClassDef)
                and scope.node.name.value == part
            ]
        found = [scope for scope in found if name in scope.assignments]
        if len(found) != 1:
            problem = "more than one" if found else "no"
            raise EditRefused(f"{self.source.path} has {problem} {symbol} that can be renamed; name one definition")
        return found[0], name

    def _bound_nodes(self, symbol: str, scope: Scope, name: str) -> Iterator[cst.CSTNode]:
        for assignment in scope.assignments[name]:
            if isinstance(assignment, ImportAssignment) or not isinstance(assignment, Assignment):
                raise EditRefused(f"{symbol} is imported into {self.source.path}; rename it where it is defined")
            if isinstance(assignment.node, cst.Param):
                raise EditRefused(f"{symbol} is a parameter, which callers may pass by keyword; it was not renamed")
            named = isinstance(assignment.node, cst.FunctionDef | cst.ClassDef)
            yield assignment.node.name if named else assignment.node  # type: ignore[attr-defined]
        yield from (_leftmost(access.node) for access in self._accesses(scope, name))

    def _accesses(self, scope: Scope, name: str) -> Iterator[Access]:
        for inner in self.scopes:
            yield from (access for access in inner.accesses[name] if scope in _homes(access, name))

    def _declared(self, scope: Scope, name: str) -> Iterator[cst.CSTNode]:
        """Yield the words in ``global`` and ``nonlocal`` statements, which are no accesses of a scope."""
        kind = m.Global() if isinstance(scope, GlobalScope) else m.Nonlocal()
        inside = self.module if isinstance(scope, GlobalScope) else scope.node if hasattr(scope, "node") else None
        if inside is None:
            return
        for statement in m.findall(inside, kind):
            if isinstance(statement, cst.Global | cst.Nonlocal):
                yield from (one.name for one in statement.names if one.name.value == name)

    def _members(self, scope: ClassScope, name: str, strict: bool) -> Iterator[cst.CSTNode]:
        own = set(self._own_members(scope, name))
        yield from own
        if not strict:
            return
        for one in m.findall(self.module, m.Attribute(attr=m.Name(name))):
            if isinstance(one, cst.Attribute) and one.attr not in own:
                line = self.ranges[one].start.line
                raise EditRefused(
                    f"{self.source.path}:{line} uses .{name} of an object whose class this file does not tell; "
                    "rename in the whole repository instead"
                )
        keywords = m.findall(self.module, m.Arg(keyword=m.Name(name)))
        if keywords or self._is_overridden(scope, name):
            raise EditRefused(
                f"{name} in {self.source.path} is also a keyword or a member of a related class; it was not renamed"
            )

    def _own_members(self, scope: ClassScope, name: str) -> Iterator[cst.CSTNode]:
        class_name = scope.node.name.value if isinstance(scope.node, cst.ClassDef) else ""
        for one in m.findall(self.module, m.Attribute(value=m.Name(), attr=m.Name(name))):
            if not isinstance(one, cst.Attribute) or not isinstance(one.value, cst.Name):
                continue
            used_in = self.scope_of.get(one.value)
            method = next((item for item in _ancestors(used_in) if item.parent is scope), None)
            if isinstance(method, FunctionScope) and one.value.value == _first_parameter(method):
                yield one.attr
            elif one.value.value == class_name and used_in is not None:
                referents = {referent for access in used_in.accesses[one.value] for referent in access.referents}
                if any(isinstance(item, Assignment) and item.node is scope.node for item in referents):
                    yield one.attr

    def _is_overridden(self, scope: ClassScope, name: str) -> bool:
        for other in self.scopes:
            if other is scope or not isinstance(other, ClassScope) or name not in other.assignments:
                continue
            if _names_as_base(other, scope) or _names_as_base(scope, other):
                return True
        return False

    def _in_annotation(self, literal: cst.CSTNode, name: str) -> Iterator[tuple[int, int]]:
        start, end = self._span(literal)
        for match in re.finditer(rf"(?<![\w.]){re.escape(name)}(?!\w)", self.source.text[start:end]):
            yield start + match.start(), start + match.end()

    def _exports(self, name: str) -> Iterator[tuple[int, int]]:
        exports = m.AssignTarget(target=m.Name("__all__"))
        for statement in m.findall(self.module, m.Assign(targets=[exports])):
            for literal in m.findall(statement, m.SimpleString()):
                if isinstance(literal, cst.SimpleString) and literal.evaluated_value == name:
                    start, end = self._span(literal)
                    quote = len(literal.prefix) + len(literal.quote)
                    yield start + quote, end - len(literal.quote)

    def _span(self, node: cst.CSTNode) -> tuple[int, int]:
        start, end = self.ranges[node].start, self.ranges[node].end
        return self.table.offset(start.line, start.column), self.table.offset(end.line, end.column)


def _homes(access: Access, name: str) -> set[Scope]:
    """Return the scopes that a name may come from; a function's own names are its own wherever they are bound."""
    if isinstance(access.scope, FunctionScope | ComprehensionScope) and name in access.scope.assignments:
        return {access.scope}
    homes = {referent.scope for referent in access.referents}
    return homes or ({access.scope} if name in access.scope.assignments else set())


def _ancestors(scope: Scope | None) -> Iterator[Scope]:
    while scope is not None:
        yield scope
        if scope.parent is scope:
            return
        scope = scope.parent


def _chain(inner: Scope, outer: Scope) -> Iterator[Scope]:
    for scope in _ancestors(inner):
        if scope is outer:
            return
        yield scope


def _leftmost(node: cst.CSTNode) -> cst.CSTNode:
    while isinstance(node, cst.Attribute):
        node = node.value
    return node


def _first_parameter(scope: FunctionScope) -> str:
    if not isinstance(scope.node, cst.FunctionDef):
        return ""
    parameters = [*scope.node.params.posonly_params, *scope.node.params.params]
    return parameters[0].name.value if parameters else ""


def _names_as_base(scope: Scope, base: Scope) -> bool:
    node, wanted = getattr(scope, "node", None), getattr(base, "node", None)
    if not isinstance(node, cst.ClassDef) or not isinstance(wanted, cst.ClassDef):
        return False
    return any(m.matches(one.value, m.Name(wanted.name.value)) for one in node.bases)
