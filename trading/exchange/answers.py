"""What the exchange's last answer said beside its body: ccxt's exceptions carry neither status nor headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class Answer:
    """Status and headers of the latest HTTP answer to one call.

    Parameters
    ----------
    status : int or None
        HTTP status; None when no answer came at all.
    headers : mapping of str to str
        Response headers, names in lower case.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


_current: ContextVar[Answer | None] = ContextVar("exchange_answer", default=None)


@contextmanager
def listening() -> Iterator[Answer]:
    """Collect the answer to the calls made inside, in this task and the tasks that it starts."""
    answer = Answer()
    token = _current.set(answer)
    try:
        yield answer
    finally:
        _current.reset(token)


def note(status: int, headers: Mapping[str, str]) -> None:
    """Write an answer down for whoever is listening in this context."""
    answer = _current.get()
    if answer is not None:
        answer.status = status
        answer.headers = {name.lower(): value for name, value in headers.items()}
