"""What hypothesis draws for an annotation, and its words for plain types."""

from __future__ import annotations

import contextlib
import re
import string
import typing
from collections.abc import Sequence
from typing import Any, Dict, List  # noqa: UP035 - read at run time by Python 3.9

from . import calling, values  # noqa: TID252

_DRAWN = 12
_MOST_PATTERNS, _LONGEST_MATCH = 3, 24
_SIGNS = re.compile(r"\\[wdsWDSb]|[\])][*+?{]|\(\?")
# the year 298, and arrays of some odd type: nobody would write that into a test
_ABSURD = ("datetime", "numpy")


def drawn(hint: object, seed: int) -> List[values.Written]:  # noqa: UP006
    """Return what hypothesis draws for an annotation, where it is installed; the shortest first."""
    if getattr(typing.get_origin(hint) or hint, "__module__", "") in _ABSURD:
        return []
    try:
        import hypothesis
        from hypothesis import strategies as st
    except ImportError:
        return []
    found: Dict[str, values.Written] = {}  # noqa: UP006

    def note(value: object) -> None:
        with contextlib.suppress(values.Unwritable, RecursionError):
            each = values.written(value)
            if len(each.text) <= 40 and each.text.isascii() and "\\" not in each.text:
                found[each.text] = each

    try:
        # all of Unicode is a table that takes seconds to build
        st.register_type_strategy(str, st.text(string.printable))
        strategy = st.from_type(hint)  # type: ignore[var-annotated, arg-type]
        settings = hypothesis.settings(
            max_examples=2 * _DRAWN,
            database=None,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate],
        )
        settings(hypothesis.given(strategy)(note))()
    except Exception:  # noqa: BLE001 - an annotation that hypothesis has no strategy for
        return []
    return sorted(found.values(), key=lambda each: len(each.text))[:_DRAWN]


def is_pattern(text: str) -> bool:
    """Say whether a text looks like a regular expression."""
    return _SIGNS.search(text) is not None


def matching(patterns: Sequence[str]) -> List[values.Written]:  # noqa: UP006
    """Return short texts that match regular expressions, where hypothesis is installed."""
    try:
        import hypothesis
        from hypothesis import strategies as st
    except ImportError:
        return []
    found: Dict[str, values.Written] = {}  # noqa: UP006

    def note(value: str) -> None:
        if value.isprintable() and len(value) <= _LONGEST_MATCH:
            each = values.written(value)
            found[each.text] = each

    for pattern in patterns[:_MOST_PATTERNS]:
        with contextlib.suppress(Exception):
            # a pattern of another engine, or one that matches nothing, is none of ours
            strategy = st.from_regex(pattern, fullmatch=True, alphabet=st.sampled_from(string.printable))
            quiet = list(hypothesis.HealthCheck)
            settings = hypothesis.settings(
                max_examples=_DRAWN, database=None, derandomize=True, deadline=None, suppress_health_check=quiet
            )
            settings(hypothesis.given(strategy)(note))()
    return sorted(found.values(), key=lambda each: len(each.text))[:_DRAWN]


def strategies(caller: calling.Caller) -> Dict[str, str]:  # noqa: UP006
    """Return hypothesis' own words for the parameters that have plain types."""
    if caller.subject.kind not in ("function", "static"):
        return {}
    found = {}
    for parameter, hint in caller.parameters():
        text = _STRATEGIES.get(hint) if isinstance(hint, type) else _STRATEGIES_OF.get(str(hint))
        if text is not None:
            found[parameter.name] = text
    return found


_STRATEGIES: Dict[Any, str] = {  # noqa: UP006
    int: "st.integers({low}, {high})",
    float: "st.floats({low}, {high})",
    bool: "st.booleans()",
    str: "st.text(string.printable)",
    bytes: "st.binary()",
    list: "st.lists(st.integers())",
}
_STRATEGIES_OF = {
    "list[int]": "st.lists(st.integers())",
    "list[float]": "st.lists(st.floats(allow_nan=False, allow_infinity=False))",
    "list[str]": "st.lists(st.text(string.printable))",
    "collections.abc.Sequence[int]": "st.lists(st.integers())",
    "collections.abc.Sequence[float]": "st.lists(st.floats(-1e6, 1e6))",
    "collections.abc.Sequence[str]": "st.lists(st.text(string.printable))",
    "collections.abc.Iterable[int]": "st.lists(st.integers())",
    "collections.abc.Iterable[str]": "st.lists(st.text(string.printable))",
    "dict[str, int]": "st.dictionaries(st.text(string.printable), st.integers())",
    "dict[str, str]": "st.dictionaries(st.text(string.printable), st.text(string.printable))",
}
