"""Proof that an edit which somebody else made did what was asked, and nothing else: the effect, not the message."""

from __future__ import annotations

import ast
import io
import keyword
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence

from automation.codebase.edit_text import same_code, statements_of
from automation.codebase.renames import require_renamed
from automation.codebase.sources import SourceFile
from automation.codebase.symbols import tree_of
from automation.errors import EditRefused

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def require_replaced(before: SourceFile, after: SourceFile, name: str, text: str) -> None:
    """Make sure that one definition is what was given, and that all else in the file is as it was.

    Parameters
    ----------
    before, after : SourceFile
        The file.
    name : str
        Qualified name of the definition, with dots.
    text : str
        The definition that was given; decorators that it does not name have to have stayed.

    Raises
    ------
    EditRefused
        When it is not so.
    """
    old_tree, new_tree = tree_of(before), tree_of(after)
    old_body, old_at = _located(old_tree, before.path, name)
    new_body, new_at = _located(new_tree, after.path, name)
    old, new = old_body[old_at], new_body[new_at]
    wanted = statements_of(text)
    if len(wanted) != 1:
        raise EditRefused("the new text must be exactly one definition; insert further ones apart")
    given = wanted[0]
    if isinstance(given, _Definition) and isinstance(old, _Definition) and not given.decorator_list:
        given.decorator_list = old.decorator_list
    if not same_code([new], [given]):
        raise EditRefused(f"{name} in {after.path} is not what was given after the edit; nothing was taken over")
    first, last = _span(old)
    new_first, new_last = _span(new)
    _require_same_around(before, after, (first, last), (new_first, new_last))
    old_body[old_at], new_body[new_at] = ast.Pass(), ast.Pass()
    _require_same_tree(old_tree, new_tree, after.path, name)


def require_inserted(before: SourceFile, after: SourceFile, name: str, text: str, *, behind: bool) -> None:
    """Make sure that the given code stands right beside a definition, and that all else is as it was.

    Parameters
    ----------
    before, after : SourceFile
        The file.
    name : str
        Qualified name of the definition, with dots.
    text : str
        The code that was given.
    behind : bool
        Whether it has to stand after the definition, not before it.

    Raises
    ------
    EditRefused
        When it is not so; a decorator that came to stand on the wrong definition, say.
    """
    old_tree, new_tree = tree_of(before), tree_of(after)
    _located(old_tree, before.path, name)
    body, at = _located(new_tree, after.path, name)
    wanted = statements_of(text)
    start = at + 1 if behind else at - len(wanted)
    if start < 0 or not same_code(body[start : start + len(wanted)], wanted):
        side = "after" if behind else "before"
        raise EditRefused(f"the given code does not stand {side} {name} in {after.path}; nothing was taken over")
    del body[start : start + len(wanted)]
    _require_same_tree(old_tree, new_tree, after.path, name)
    old_lines, new_lines = _filled(before), _filled(after)
    if _common(old_lines, new_lines) + _common(old_lines[::-1], new_lines[::-1]) < len(old_lines):
        raise EditRefused(f"more than the given code changed in {after.path}; nothing was taken over")


def require_words_renamed(
    before: Mapping[str, SourceFile], after: Mapping[str, SourceFile], path: str, name: str, new_name: str
) -> None:
    """Make sure that a rename changed the definition, and in every file nothing but the one word.

    Parameters
    ----------
    before, after : mapping of str to SourceFile
        The files that differ, by path.
    path : str
        The file with the definition.
    name : str
        Its qualified name, with dots.
    new_name : str
        The new last part.

    Raises
    ------
    EditRefused
        When it is not so; also when nothing changed, whatever was said.
    """
    if not new_name.isidentifier() or keyword.iskeyword(new_name):
        raise EditRefused(f"{new_name!r} is no Python name; give an identifier")
    if path not in after:
        raise EditRefused(f"renaming {name} changed nothing in {path}; nothing was taken over")
    old_name = name.rpartition(".")[2]
    word = re.compile(rf"(?<!\w){re.escape(old_name)}(?!\w)")
    require_renamed(before[path], after[path], name, new_name)
    for each, changed in sorted(after.items()):
        tree_of(changed)
        old, new = list(_words(before[each])), list(_words(changed))
        if (tokenize.NAME, new_name) in old:
            raise EditRefused(f"{new_name} is in use in {each} already; choose another name")
        if len(old) != len(new):
            raise EditRefused(f"renaming {name} changed more than names in {each}; nothing was taken over")
        for (kind, was), (_, now) in zip(old, new, strict=True):
            may_be = word.sub(new_name, was) if kind in {tokenize.STRING, tokenize.COMMENT} else was
            if now not in {was, new_name if was == old_name else may_be}:
                turned = f"{was[:40]!r} into {now[:40]!r}"
                raise EditRefused(f"renaming {name} turned {turned} in {each}; nothing was taken over")


def _located(tree: ast.Module, path: str, name: str) -> tuple[list[ast.stmt], int]:
    found = [(body, at) for body, at, qualified in _definitions(tree, "") if qualified == name]
    if len(found) != 1:
        many = "more than one" if found else "no"
        raise EditRefused(f"{path} has {many} {name}, so that the edit cannot be checked; name one definition")
    return found[0]


def _definitions(node: ast.AST, prefix: str) -> Iterator[tuple[list[ast.stmt], int, str]]:
    for field in ("body", "orelse", "finalbody"):
        found = getattr(node, field, None)
        body: list[ast.stmt] = found if isinstance(found, list) else []
        for at, statement in enumerate(body):
            if isinstance(statement, _Definition):
                yield body, at, prefix + statement.name
                yield from _definitions(statement, f"{prefix}{statement.name}.")
                continue
            target = _only_target(statement)
            if target:
                yield body, at, prefix + target
            yield from _definitions(statement, prefix)
    for handler in getattr(node, "handlers", []):
        yield from _definitions(handler, prefix)


def _only_target(statement: ast.stmt) -> str:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    return targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else ""


def _span(node: ast.stmt) -> tuple[int, int]:
    decorators = node.decorator_list if isinstance(node, _Definition) else []
    return min([node.lineno, *(one.lineno for one in decorators)]), node.end_lineno or node.lineno


def _require_same_tree(old: ast.Module, new: ast.Module, path: str, name: str) -> None:
    if not same_code(old.body, new.body):
        raise EditRefused(f"the edit of {name} changed other code of {path} as well; nothing was taken over")


def _require_same_around(before: SourceFile, after: SourceFile, old: tuple[int, int], new: tuple[int, int]) -> None:
    sides = []
    for source, (first, last) in ((before, old), (after, new)):
        lines = source.text.splitlines()
        sides.append([[line for line in part if line.strip()] for part in (lines[: first - 1], lines[last:])])
    if sides[0] != sides[1]:
        raise EditRefused(f"the edit changed lines around the definition in {after.path}; nothing was taken over")


def _filled(source: SourceFile) -> list[str]:
    return [line for line in source.text.splitlines() if line.strip()]


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    pairs = zip(left, right, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(left), len(right)))


def _words(source: SourceFile) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        yield token.type, token.string
