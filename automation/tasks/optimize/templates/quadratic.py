"""Work that grows with the square of a list: taken from its front, copied to grow, counted again and again, sorted."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation.tasks.optimize.drafts import Draft
from automation.tasks.optimize.templates.subject import Change, Subject, loaded, root_of, stored, touched, walk

_QUEUE_METHODS = {"append": "append", "extend": "extend", "pop": "popleft", "insert": "appendleft"}


def quadratic(subject: Subject) -> Iterator[Draft]:
    """Yield drafts with a queue, a list that grows in place, counts made once, and the few smallest only."""
    yield from _queues(subject)
    for place in subject.loops:
        if subject.whole_lines(place.statement):
            yield from _grown(subject, place.statement)
            yield from _counted(subject, place.statement)
    yield from _comprehended(subject)
    yield from _smallest(subject)


def _queues(subject: Subject) -> Iterator[Draft]:
    """Give a list of which the first item is taken away a double-ended queue."""
    for place in subject.places:
        start = place.statement
        name, value = _assigned(start)
        if not name or not isinstance(value, ast.List | ast.ListComp | ast.Call) or not _is_fresh(subject, value):
            continue
        calls = list(_calls_of(subject, name))
        taken = [call for call in calls if _method(call) == "pop"]
        others = subject.uses(name) - len(calls) - 1 - _questions(subject, name)
        if not taken or others or not all(_fits_queue(call) for call in calls):
            continue
        changes: list[Change | None] = [subject.with_import("collections")]
        inner = "" if isinstance(value, ast.List) and not value.elts else subject.words(value)
        changes.append(subject.instead(value, f"collections.deque({inner})"))
        for call in calls:
            method = _method(call)
            kept = subject.words(call.args[1]) if method == "insert" else _arguments(subject, call, method)
            changes.append(subject.instead(call, f"{name}.{_QUEUE_METHODS[method]}({kept})"))
        yield from subject.draft("queue", f"{name} is a queue, which gives its first item away at once", start, changes)


def _assigned(statement: ast.stmt) -> tuple[str, ast.expr | None]:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        return (target.id, statement.value) if isinstance(target, ast.Name) else ("", None)
    return "", None


def _is_fresh(subject: Subject, value: ast.expr) -> bool:
    return not isinstance(value, ast.Call) or subject.is_builtin(value.func, "list", "sorted")


def _calls_of(subject: Subject, name: str) -> Iterator[ast.Call]:
    for node in subject.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _named(node.func.value, name):
            yield node


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _fits_queue(call: ast.Call) -> bool:
    method = _method(call)
    if method in {"pop", "insert"}:
        first = call.args[0] if call.args else None
        count = 1 if method == "pop" else 2
        return len(call.args) == count and isinstance(first, ast.Constant) and first.value == 0
    return method in {"append", "extend"}


def _arguments(subject: Subject, call: ast.Call, method: str) -> str:
    return "" if method == "pop" else ", ".join(subject.words(each) for each in call.args)


def _questions(subject: Subject, name: str) -> int:
    """Count the places that only ask whether there is something, or how much, or walk over it."""
    count = 0
    for node in subject.nodes:
        asked: list[ast.expr] = []
        if isinstance(node, ast.While | ast.If):
            asked = [node.test]
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            asked = [node.operand]
        elif isinstance(node, ast.Call) and subject.is_builtin(node.func, "len", "bool", "sum", "any", "all"):
            asked = node.args
        count += sum(_named(each, name) for each in asked)
    return count


def _named(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _grown(subject: Subject, loop: ast.stmt) -> Iterator[Draft]:
    """Let a list grow in place that is copied in every round: ``xs = xs + [x]``."""
    for node in walk(loop):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.BinOp):
            continue
        name, value = _assigned(node)
        added = node.value
        is_own = isinstance(added.op, ast.Add) and _named(added.left, name) and name not in loaded(added.right)
        if not is_own or not isinstance(added.right, ast.List) or not _begins_empty(subject, name):
            continue
        items = [subject.words(each) for each in added.right.elts]
        call = f"append({items[0]})" if len(items) == 1 else f"extend([{', '.join(items)}])"
        starred = any(isinstance(each, ast.Starred) for each in added.right.elts)
        if value is not None and items and not starred and subject.whole_lines(node):
            change = subject.replaced(node, node, f"{name}.{call}")
            yield from subject.draft("append", f"{name} grows in place", node, [change])


def _begins_empty(subject: Subject, name: str) -> bool:
    """Say whether nobody else can hold the list: it is made here, and no other name is given to it in between."""
    made = [place.statement for place in subject.places if _assigned(place.statement)[0] == name]
    is_list = bool(made) and isinstance(_assigned(made[0])[1], ast.List)
    shared = [
        node
        for node in subject.nodes
        if (isinstance(node, ast.Assign) and _named(node.value, name))
        or (isinstance(node, ast.Call) and any(_named(each, name) for each in node.args))
        or (isinstance(node, ast.List | ast.Tuple | ast.Dict | ast.Set) and name in loaded(node))
        or isinstance(node, ast.Yield)
    ]
    return is_list and not shared


def _counted(subject: Subject, loop: ast.stmt) -> Iterator[Draft]:
    changed = frozenset(stored(loop)) | touched(subject, loop)
    yield from _counts(subject, loop, loop, changed)


def _comprehended(subject: Subject) -> Iterator[Draft]:
    for place in subject.places:
        statement = place.statement
        if isinstance(statement, ast.Assign | ast.Return | ast.Expr) and subject.whole_lines(statement):
            for node in walk(statement):
                if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp):
                    bound = frozenset(name for each in node.generators for name in stored(each.target))
                    yield from _counts(subject, node, statement, bound)


def _counts(subject: Subject, where: ast.AST, statement: ast.stmt, changed: frozenset[str]) -> Iterator[Draft]:
    """Count all items of a list once instead of one of them in every round."""
    found: dict[str, list[ast.Call]] = {}
    for node in walk(where):
        if isinstance(node, ast.Call) and _method(node) == "count" and len(node.args) == 1:
            counted = node.func.value if isinstance(node.func, ast.Attribute) else node
            is_steady = isinstance(counted, ast.Name) and counted.id in subject.locals and counted.id not in changed
            if is_steady and root_of(node.args[0]) in changed:
                found.setdefault(ast.unparse(counted), []).append(node)
    for text, nodes in found.items():
        name = subject.free(f"{text}_counts")
        changes: list[Change | None] = [
            subject.instead(node, f"{name}[{subject.words(node.args[0])}]") for node in nodes
        ]
        changes += [
            subject.before(statement, f"{name} = collections.Counter({text})"),
            subject.with_import("collections"),
        ]
        yield from subject.draft("count", f"the items of {text} are counted once", statement, changes)


def _smallest(subject: Subject) -> Iterator[Draft]:
    """Take the few smallest or largest without sorting everything."""
    for node in subject.nodes:
        if not isinstance(node, ast.Subscript) or not isinstance(node.ctx, ast.Load):
            continue
        call, part = node.value, node.slice
        if not isinstance(call, ast.Call) or not subject.is_builtin(call.func, "sorted") or len(call.args) != 1:
            continue
        upper = part.upper if isinstance(part, ast.Slice) and part.lower is None and part.step is None else None
        if isinstance(upper, ast.Constant) and isinstance(upper.value, int) and upper.value >= 0:
            yield from _heap(subject, node, call, subject.words(upper))


def _heap(subject: Subject, node: ast.Subscript, call: ast.Call, count: str) -> Iterator[Draft]:
    given = {each.arg: each.value for each in call.keywords}
    reverse = given.pop("reverse", None)
    backwards = isinstance(reverse, ast.Constant) and reverse.value is True
    if set(given) - {"key"} or (reverse is not None and not backwards):
        return
    name = "nlargest" if backwards else "nsmallest"
    key = f", key={subject.words(given['key'])}" if "key" in given else ""
    text = f"heapq.{name}({count}, {subject.words(call.args[0])}{key})"
    changes = [subject.with_import("heapq"), subject.instead(node, text)]
    yield from subject.draft("smallest", f"only {count} are looked for, not all sorted", node, changes)
