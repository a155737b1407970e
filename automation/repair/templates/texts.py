"""Wrong handling of text: patterns without anchors or repeats, separators, what is cut off at the ends."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from automation.repair.templates.changes import Change, Context, Site, bracketed
from automation.repair.templates.kinds import TEXT

_PATTERN_CALLS = ("match", "search", "fullmatch", "findall", "finditer", "sub", "subn", "split", "compile")
_CLASSES = (r"\d", r"\w", r"\s")
_REPEAT = re.compile(r"(?<!\\)[+*](?![?+])")
_UNREPEATED = re.compile(r"(\[[^\]]*\]|\\[dwsDWS]|\))(?![+*?{])")
_STRIPS = ("strip", "lstrip", "rstrip")


def patterns(context: Context, site: Site) -> Iterator[Change]:
    """Propose a regular expression with anchors, another repeat, or a class more."""
    for node in site.expressions:
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        parent = context.module.parents.get(node)
        called = getattr(getattr(parent, "func", None), "attr", "")
        code = context.code(node)
        quoted = re.fullmatch(r"(?s)([rR]?)(['\"])((?!\2\2).*)\2", code)
        if called not in _PATTERN_CALLS or quoted is None or parent is None or node not in getattr(parent, "args", ()):
            continue
        head, quote, body = quoted.groups()
        for text, weight in _other_patterns(body):
            prefix = "r" if "\\" in text and not head else head
            yield context.swap(node, f"{prefix}{quote}{text}{quote}", weight)


def _other_patterns(body: str) -> Iterator[tuple[str, float]]:
    yield f"^{body}$", 0.8
    yield (body[1:] if body.startswith("^") else f"^{body}"), 0.7
    yield (body[:-1] if body.endswith("$") else f"{body}$"), 0.8
    yield rf"\b{body}\b", 0.6
    for match in _REPEAT.finditer(body):
        at = match.start()
        yield body[:at] + ("*" if match.group() == "+" else "+") + body[at + 1 :], 0.9
        yield body[: at + 1] + "?" + body[at + 1 :], 0.7
        yield body[:at] + body[at + 1 :], 0.4
    for match in _UNREPEATED.finditer(body):
        for repeat, weight in (("+", 0.9), ("*", 0.6), ("?", 0.5)):
            yield body[: match.end()] + repeat + body[match.end() :], weight
    yield from _other_classes(body)


def _other_classes(body: str) -> Iterator[tuple[str, float]]:
    for match in re.finditer(r"\[\^?", body):
        for extra in ("^",) if not match.group().endswith("^") else ():
            yield body[: match.end()] + extra + body[match.end() :], 0.6
        for extra in ("0-9", "a-z", "A-Z", "_", "-", "."):
            if extra not in body:
                yield body[: match.end()] + extra + body[match.end() :], 0.3
    for one in _CLASSES:
        for other in (*(item for item in _CLASSES if item != one), one.upper()):
            if one in body:
                yield body.replace(one, other), 0.3
    for match in re.finditer(r"(?<!\\)\.(?![+*?])", body):
        yield body[: match.start()] + "\\." + body[match.end() :], 0.6


def text_calls(context: Context, site: Site) -> Iterator[Change]:
    """Propose a text split once only, stripped or freed of other characters, or filled up to a width."""
    for node in site.loads:
        match node:
            case ast.Call(func=ast.Attribute(value=receiver, attr="split" | "rsplit" as name), args=given):
                yield from _other_splits(context, node, receiver, name, given)
            case ast.Call(func=ast.Attribute(value=receiver, attr="partition" | "rpartition" as name), args=[only]):
                other = "partition" if name == "rpartition" else "rpartition"
                yield context.swap(node, f"{context.code(receiver)}.{other}({context.code(only)})", 0.8)
        if site.scope.kind(node) == TEXT and not _is_part(context, node):
            yield from _cleaned(context, site, node)


def _other_splits(
    context: Context, node: ast.expr, receiver: ast.expr, name: str, given: list[ast.expr]
) -> Iterator[Change]:
    base = context.code(receiver)
    if len(given) == 1:
        by = context.code(given[0])
        yield context.swap(node, f"{base}.split({by}, 1)", 1.0)
        yield context.swap(node, f"{base}.rsplit({by}, 1)", 0.7)
        yield context.swap(node, f"{base}.split()", 0.6)
    elif len(given) == 2:
        yield context.swap(node, f"{base}.{name}({context.code(given[0])})", 0.6)
    else:
        for by in ("' '", "','", "'\\n'"):
            yield context.swap(node, f"{base}.split({by})", 0.4)
        yield context.swap(node, f"{base}.splitlines()", 0.4)


def _cleaned(context: Context, site: Site, node: ast.expr) -> Iterator[Change]:
    code = bracketed(context.code(node))
    marks = [item.value for item in site.scope.nodes if isinstance(item, ast.Constant)]
    short = list(dict.fromkeys(repr(mark) for mark in marks if isinstance(mark, str) and 0 < len(mark) <= 2))[:4]
    for mark in short:
        for method in _STRIPS:
            yield context.swap(node, f"{code}.{method}({mark})", 0.6 if method == "strip" else 0.4)
    for mark in dict.fromkeys((*short, "' '", "','", "'-'")):
        yield context.swap(node, f"{code}.replace({mark}, '')", 0.4)
    for text in (".zfill(2)", ".ljust(2, '0')", ".casefold()", "[::-1]"):
        yield context.swap(node, code + text, 0.25)


def _is_part(context: Context, node: ast.expr) -> bool:
    parent = context.module.parents.get(node)
    named = isinstance(parent, ast.Attribute) or getattr(parent, "func", None) is node
    return named or isinstance(node, ast.Constant | ast.JoinedStr)
