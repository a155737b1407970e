"""What hypothesis draws for an annotation, and its words for plain types."""

from __future__ import annotations

import contextlib
import string
from typing import Any, Dict, List  # noqa: UP035 - read at run time by Python 3.9

from . import calling, values  # noqa: TID252

_DRAWN = 12


def drawn(hint: object, seed: int) -> List[values.Written]:  # noqa: UP006
    """Return what hypothesis draws for an annotation, where it is installed; the shortest first."""
    try:
        import hypothesis
        from hypothesis import strategies as st
    except ImportError:
        return []
    found: Dict[str, values.Written] = {}  # noqa: UP006

    def note(value: object) -> None:
        with contextlib.suppress(values.Unwritable, RecursionError):
            each = values.written(value)
            if len(each.text) <= 40 and each.text.isascii():
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
