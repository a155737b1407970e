"""The families of template edits, with how often each is right, and what a failure says for them."""

from __future__ import annotations

from collections.abc import Mapping

from automation.repair.templates import (
    attributes,
    calls,
    conditions,
    constants,
    definitions,
    expressions,
    guards,
    insertions,
    loops,
    names,
    operators,
    returns,
    slices,
    statements,
)
from automation.repair.templates.changes import Family

FAMILIES: tuple[Family, ...] = (
    Family("comparison", 0.90, "another comparison operator", operators.comparisons),
    Family("number", 0.80, "another number", constants.numbers),
    Family("variable", 0.80, "another variable in scope", names.variables),
    Family("missing-import", 0.80, "an import for an unknown name", definitions.missing_imports),
    Family("unknown-name", 0.80, "a known name for an unknown one", names.unknown_names),
    Family("arithmetic", 0.75, "another arithmetic operator", operators.arithmetic),
    Family("logic", 0.75, "and for or", operators.logic),
    Family("negation", 0.70, "the opposite of a condition", conditions.negations),
    Family("flag", 0.65, "the other truth value or kind of nothing", constants.flags),
    Family("offset", 0.65, "one more or one less", constants.offsets),
    Family("argument-order", 0.65, "two arguments trade places", calls.argument_order),
    Family("mutable-default", 0.65, "a default made anew in each call", definitions.mutable_defaults),
    Family("await", 0.65, "await before a call", definitions.awaits),
    Family("augmented", 0.60, "another augmented assignment", operators.augmented),
    Family("attribute", 0.60, "another attribute or method", attributes.other_attributes),
    Family("own-attribute", 0.60, "another attribute of self", names.own_attributes),
    Family("exception", 0.55, "another exception", definitions.exceptions),
    Family("operand", 0.55, "operands exchanged or dropped", operators.operands),
    Family("slice", 0.55, "a slice with other ends", slices.slices),
    Family("index", 0.55, "another position", slices.indexes),
    Family("range", 0.55, "a range with other ends", slices.ranges),
    Family("dropped-condition", 0.55, "a condition without one of its parts", conditions.dropped),
    Family("function", 0.55, "another function called", calls.other_functions),
    Family("sign", 0.50, "a minus or not more or less", operators.signs),
    Family("return-value", 0.50, "another value returned", returns.other_values),
    Family("missing-return", 0.50, "a missing return", returns.missing_returns),
    Family("first-value", 0.50, "another first value", constants.first_values),
    Family("method-end", 0.50, "the other end of a collection", attributes.positions_of_methods),
    Family("target", 0.50, "another variable assigned to", names.targets),
    Family("jump", 0.50, "continue for break", loops.jumps),
    Family("depth", 0.50, "a statement out of a block or into it", statements.depth),
    Family("grouping", 0.50, "the same operands in other brackets", operators.grouping),
    Family("unwrapping", 0.45, "a value without the call around it", calls.unwrapping),
    Family("own-parameter", 0.45, "the missing self", definitions.own_parameter),
    Family("wrapper", 0.45, "the result of a builtin instead of a value", calls.wrappers),
    Family("text", 0.45, "another string", constants.texts),
    Family("branch", 0.45, "two branches trade places", expressions.branches),
    Family("keyword", 0.45, "another keyword argument", calls.keyword_names),
    Family("argument-count", 0.45, "an argument more or less", calls.argument_count),
    Family("transplant", 0.45, "another expression of the function", expressions.transplants),
    Family("order", 0.45, "statements in another order", statements.order),
    Family("deletion", 0.45, "a statement less", statements.deletion),
    Family("guard", 0.45, "an early return", guards.entry),
    Family("comparison-of-value", 0.40, "a comparison for a test of a value", conditions.compared),
    Family("added-condition", 0.40, "a further condition", conditions.added),
    Family("default", 0.40, "get with a default", attributes.defaults),
    Family("sort-key", 0.40, "another sort key", expressions.orders_of_sorting),
    Family("comprehension", 0.40, "another element or order of a comprehension", expressions.comprehensions),
    Family("filter", 0.35, "a filter in a comprehension", conditions.filters),
    Family("keyword-statement", 0.40, "while for if, elif for if", loops.keywords),
    Family("else", 0.35, "a missing else", loops.otherwise),
    Family("yield", 0.40, "yield for return", returns.yields),
    Family("loop-step", 0.40, "the step of a while loop", insertions.loop_steps),
    Family("refusal", 0.35, "an exception that the test expects", guards.refusals),
    Family("initialiser", 0.40, "the parent's initialiser", definitions.initialisers),
    Family("copy", 0.35, "a copy instead of the same object", attributes.copies),
    Family("decorator", 0.30, "a decorator more or less", definitions.decorators),
    Family("called", 0.35, "a method called that was named", calls.calls_of_values),
    Family("exchange", 0.35, "receiver and argument, key and value exchanged", expressions.keys_and_elements),
    Family("method-call", 0.30, "a method's result instead of a value", attributes.method_calls),
    Family("skip", 0.30, "an element of a loop passed over", guards.skips),
    Family("starred", 0.20, "an argument unpacked", calls.starred),
    Family("branch-end", 0.30, "a jump behind a statement", returns.ends_of_branches),
    Family("similar-statement", 0.35, "a statement once more", insertions.similar_statements),
    Family("fresh-statement", 0.30, "a collection filled, a counter stepped", insertions.fresh_statements),
    Family("conditional", 0.30, "a statement under a condition", insertions.conditional),
    Family("extra-term", 0.30, "a term more", operators.extra_terms),
)

_BOOSTS: Mapping[str, Mapping[str, float]] = {
    "IndexError": {"slice": 1.5, "range": 1.6, "index": 1.5, "comparison": 1.2, "offset": 1.5, "guard": 1.6},
    "KeyError": {"default": 2.2, "text": 1.4, "index": 1.2, "variable": 1.2, "added-condition": 1.3, "exception": 1.3},
    "NameError": {"missing-import": 3.0, "unknown-name": 3.0, "variable": 1.3, "own-attribute": 1.5},
    "UnboundLocalError": {"depth": 1.8, "order": 1.5, "fresh-statement": 2.0, "first-value": 1.3, "else": 1.5},
    "TypeError": {
        "wrapper": 1.8,
        "unwrapping": 1.6,
        "argument-count": 2.0,
        "argument-order": 1.4,
        "keyword": 1.8,
        "guard": 1.7,
        "called": 2.0,
        "starred": 2.5,
        "own-parameter": 2.2,
        "decorator": 1.8,
        "missing-return": 1.8,
        "await": 1.8,
        "flag": 1.3,
    },
    "AttributeError": {
        "attribute": 1.8,
        "own-attribute": 1.8,
        "called": 1.8,
        "guard": 1.6,
        "missing-return": 1.5,
        "initialiser": 2.5,
        "decorator": 1.5,
        "await": 1.5,
        "wrapper": 1.3,
        "unwrapping": 1.3,
        "missing-import": 1.3,
    },
    "RecursionError": {"guard": 2.2, "operand": 1.2, "offset": 1.5, "number": 1.2, "variable": 1.3, "comparison": 1.2},
    "ZeroDivisionError": {"guard": 2.2, "comparison": 1.2, "added-condition": 1.5, "number": 1.2},
    "ValueError": {"guard": 1.4, "wrapper": 1.2, "target": 1.3, "added-condition": 1.3, "text": 1.2},
    "StopIteration": {"guard": 1.4, "yield": 1.5},
    "Failed": {"refusal": 2.5, "exception": 1.8, "comparison": 1.1, "negation": 1.1},
    "Timeout": {
        "loop-step": 2.5,
        "augmented": 1.4,
        "comparison": 1.2,
        "similar-statement": 1.3,
        "fresh-statement": 1.3,
        "operand": 1.2,
        "offset": 1.4,
        "keyword-statement": 1.5,
        "depth": 1.2,
    },
}


def evidence_factor(family: str, exception: str) -> float:
    """Return how much a failure's exception speaks for a family, 1 for not at all.

    Parameters
    ----------
    family : str
        The family's name.
    exception : str
        Type of the exception, with or without its module; anything with ``timeout`` in it stands for a hang.
    """
    name = exception.rsplit(".", 1)[-1]
    if "timeout" in name.lower():
        name = "Timeout"
    return _BOOSTS.get(name, {}).get(family, 1.0)
