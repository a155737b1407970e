"""The first sentence of a docstring, derived from the code; none where the code says no more than the name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from automation.tasks.document.signatures import (
    Function,
    body_of,
    is_data_class,
    is_generator,
    own_nodes,
    parameters_of,
    returned_names,
)
from automation.tasks.review.docstrings import Documentable
from automation.tasks.review.ground import decorator_word

_LONGEST_CODE = 60
_MOST_NAMES = 6
_EMPTY_WORDS = frozenset({
    "a", "all", "an", "and", "are", "as", "be", "by", "class", "code", "do", "does", "for", "from", "function", "get",
    "gets", "given", "if", "in", "is", "it", "its", "make", "makes", "method", "module", "object", "of", "on", "or",
    "perform", "performs", "return", "returns", "run", "runs", "set", "sets", "that", "the", "this", "to", "value",
    "values", "whether", "with",
})  # fmt: skip
_TELLING = (ast.BinOp, ast.Compare, ast.BoolOp, ast.IfExp, ast.ListComp, ast.SetComp, ast.DictComp)
_KNOWN_CALLS = {
    "len": "the number of {0}",
    "sum": "the sum of {0}",
    "max": "the largest of {0}",
    "min": "the smallest of {0}",
    "sorted": "{0}, sorted",
}
_CONTEXTS = frozenset({"contextmanager", "asynccontextmanager"})
_PROPERTIES = frozenset({"property", "cached_property"})


def words_of(name: str) -> list[str]:
    """Return the words of a name: ``next_open_ms`` and ``NextOpenMs`` both have three."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def says_more(sentence: str, name: str) -> bool:
    """Say whether a sentence holds a word that is neither of the name nor empty."""
    known = {_stem(word) for part in name.split(".") for word in words_of(part)} | {
        _stem(word) for word in _EMPTY_WORDS
    }
    return any(_stem(word) not in known for word in words_of(sentence))


def first_sentence(subject: Documentable, raised_by: Mapping[str, Iterable[tuple[str, str]]]) -> str | None:
    """Return what the code says of a definition in one sentence.

    Parameters
    ----------
    subject : Documentable
        What has no docstring.
    raised_by : mapping of str to iterable of (str, str)
        By exception, the functions of the repository that raise it, each with the condition.

    Returns
    -------
    str or None
        None when no rule knows more than the name says.
    """
    node = subject.node
    if isinstance(node, ast.Module):
        sentence = _of_module(node)
    elif isinstance(node, ast.ClassDef):
        sentence = _of_class(node, raised_by)
    else:
        sentence = _of_function(node, subject.owner)
    known = subject.name or f"{PurePosixPath(subject.path).stem}.defines"
    return sentence if sentence and says_more(sentence, known) else None


def _stem(word: str) -> str:
    word = word.lower()
    return word[:-1] if word.endswith("s") and len(word) > 3 else word


def _of_module(node: ast.Module) -> str | None:
    names = [one.name for one in node.body if isinstance(one, Function | ast.ClassDef) and not one.name.startswith("_")]
    if not 1 <= len(names) <= _MOST_NAMES:
        return None
    return f"Defines {_listed([f'`{name}`' for name in names])}."


def _of_class(node: ast.ClassDef, raised_by: Mapping[str, Iterable[tuple[str, str]]]) -> str | None:
    bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
    if any(base.endswith("Enum") or base == "Flag" for base in bases):
        members = [
            target.id
            for one in node.body
            if isinstance(one, ast.Assign)
            for target in one.targets
            if isinstance(target, ast.Name) and not target.id.startswith("_")
        ]
        return f"One of {_listed([f'`{name}`' for name in members], 'or')}." if 1 <= len(members) <= 8 else None
    if any(base.endswith(("Error", "Exception", "Warning")) for base in bases):
        return _of_exception(node, raised_by)
    fields = [" ".join(words_of(one.bare)) for one in parameters_of(node)] if is_data_class(node) else []
    return f"Holds {_listed(fields)}." if 2 <= len(fields) <= _MOST_NAMES else None


def _of_exception(node: ast.ClassDef, raised_by: Mapping[str, Iterable[tuple[str, str]]]) -> str | None:
    sites = sorted(set(raised_by.get(node.name, ())))
    if not 1 <= len(sites) <= 2:
        return None
    return f"Raised by {_listed([f'`{place}`' + (f' when ``{when}``' if when else '') for place, when in sites])}."


def _of_function(node: Function, owner: ast.ClassDef | None) -> str | None:
    decorators = set(map(decorator_word, node.decorator_list))
    if decorators & _CONTEXTS:
        return _of_context(node)
    if is_generator(node):
        return _of_generator(node)
    if owner is None and node.name == "main":
        return _of_main(node)
    if owner is not None and "classmethod" in decorators and node.name.startswith("from_"):
        return f"Make {_article(owner.name)} `{owner.name}` from {_source(node)}."
    body = [one for one in body_of(node) if not _is_guard(one)]
    if len(body) == 1 and isinstance(body[0], ast.Return) and body[0].value is not None:
        return _of_result(node, _without_self(body[0].value), is_property=bool(decorators & _PROPERTIES))
    names = [f"``{name}``" for name in returned_names(node)]
    return f"Return {_listed(names)}." if names else None


def _is_guard(statement: ast.stmt) -> bool:
    # what is refused stands in the section of exceptions
    return isinstance(statement, ast.If) and len(statement.body) == 1 and isinstance(statement.body[0], ast.Raise)


def _of_result(node: Function, value: ast.expr, *, is_property: bool) -> str | None:
    if re.match(r"(is|has|can|should|was|are)_", node.name) or _is_bool(node):
        return _of_predicate(value, is_property)
    what = _described(value)
    if what is None:
        return None
    if not is_property:
        return f"Return {what}."
    return f"The {' '.join(words_of(node.name))}: {what}." if what.startswith("``") else f"{_capital(what)}."


def _of_context(node: Function) -> str | None:
    yielded = [one.value for one in own_nodes(node) if isinstance(one, ast.Yield)]
    tries = [one for one in body_of(node) if isinstance(one, ast.Try) and one.finalbody]
    if len(yielded) != 1 or not tries or len(tries[0].finalbody) != 1:
        return None
    last, given = _shown(tries[0].finalbody[0]), _shown(yielded[0])
    if last is None or (given is None) is not (yielded[0] is None):
        return None
    return f"Run a block{f' with {given}' if given else ''}, and {last} at its end, whatever happens."


def _of_generator(node: Function) -> str | None:
    yields = [one for one in own_nodes(node) if isinstance(one, ast.Yield | ast.YieldFrom)]
    loops = [one for one in body_of(node) if isinstance(one, ast.For)]
    if len(yields) != 1 or len(loops) != 1 or yields[0].value is None or isinstance(yields[0], ast.YieldFrom):
        return None
    loop, condition = loops[0], ""
    inner = loop.body[0] if len(loop.body) == 1 else None
    if isinstance(inner, ast.If) and not inner.orelse and len(inner.body) == 1:
        test = _shown(_without_self(inner.test))
        condition, inner = f" where {test}", inner.body[0] if test else None
    if not isinstance(inner, ast.Expr) or inner.value is not yields[0]:
        return None
    target, each = _shown(loop.target), _shown(_without_self(loop.iter))
    what = _shown(_without_self(yields[0].value))
    if None in {target, each, what}:
        return None
    return (
        f"Yield each of {each}{condition}."
        if what == target
        else f"Yield {what} for each {target} of {each}{condition}."
    )


def _of_main(node: Function) -> str | None:
    for one in own_nodes(node):
        if isinstance(one, ast.Call) and decorator_word(one) == "ArgumentParser":
            told = [word.value for word in one.keywords if word.arg == "description"]
            if told and isinstance(told[0], ast.Constant) and len(str(told[0].value).split()) > 2:
                return f"{_capital(str(told[0].value).strip().rstrip('.'))}, as the command line asks."
            return "Read the command line and do what it asks."
    return None


def _of_predicate(value: ast.expr, is_property: bool) -> str | None:
    if isinstance(value, ast.Name | ast.Attribute | ast.Constant):
        return None
    verb = "Whether" if is_property else "Return whether"
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in {"any", "all"}:
        many = {"any": "any", "all": "every"}[value.func.id]
        inner = value.args[0] if len(value.args) == 1 else None
        if isinstance(inner, ast.GeneratorExp) and len(inner.generators) == 1 and not inner.generators[0].ifs:
            loop = inner.generators[0]
            holds, target, each = _shown(inner.elt), _shown(loop.target), _shown(loop.iter)
            return None if None in {holds, target, each} else f"{verb} {holds} holds for {many} {target} of {each}."
    shown = _shown(value) if _is_test(value) else None
    return None if shown is None else f"{verb} {shown}."


def _is_test(value: ast.expr) -> bool:
    # what only asks another function says no more than that one's name
    called = value.func if isinstance(value, ast.Call) else None
    word = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return called is None or word in {"isinstance", "issubclass", "startswith", "endswith", "callable"}


def _described(value: ast.expr) -> str | None:
    called = value.func.id if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) else ""
    if isinstance(value, ast.Call) and called in _KNOWN_CALLS and len(value.args) == 1 and not value.keywords:
        inner = _named(value.args[0])
        return None if inner is None else _KNOWN_CALLS[called].format(inner)
    is_telling = any(
        isinstance(node, _TELLING) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))
        for node in ast.walk(value)
    )
    return _shown(value) if is_telling else None


def _named(value: ast.expr) -> str | None:
    if isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name) and value.value.id == "self":
        return " ".join(words_of(value.attr))
    return _shown(value)


def _shown(value: ast.expr | ast.stmt | None) -> str | None:
    """Return code for a sentence; None where it is long or speaks of what is private, which means nothing outside."""
    if value is None:
        return None
    text = ast.unparse(value)
    private = any(
        (isinstance(node, ast.Name) and node.id.startswith("_") and node.id != "_")
        or (isinstance(node, ast.Attribute) and node.attr.startswith("_"))
        or isinstance(node, ast.Await)
        for node in ast.walk(value)
    )
    return None if private or len(text) > _LONGEST_CODE or "\n" in text or "`" in text else f"``{text}``"


class _WithoutSelf(ast.NodeTransformer):
    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.value.id == "self" and not node.attr.startswith("_"):
            return ast.Name(node.attr, node.ctx)
        self.generic_visit(node)
        return node


def _without_self(value: ast.expr) -> ast.expr:
    copied = ast.parse(ast.unparse(value), mode="eval").body
    changed: ast.expr = _WithoutSelf().visit(copied)
    return changed


def _is_bool(node: Function) -> bool:
    return isinstance(node.returns, ast.Name) and node.returns.id == "bool"


def _source(node: Function) -> str:
    given = [one for one in parameters_of(node, is_method=True) if not one.name.startswith("*")]
    kind = " ".join(words_of(node.name.removeprefix("from_")))
    return f"{kind}: {_listed([f'``{one.name}``' for one in given])}" if given else kind


def _listed(names: list[str], word: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"


def _article(word: str) -> str:
    return "an" if word[:1].lower() in "aeiou" else "a"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
