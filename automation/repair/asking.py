"""Ask a model for one sample: failures cost that sample, a spent budget or a missing model ends the asking."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from automation.errors import AnswerCut, BudgetSpent, ModelFailed, ModelUnavailable, PromptTooLong
from automation.models.protocol import Answer

_log = logging.getLogger(__name__)

_MOST_FAILURES = 3
_LEAST_SECONDS = 1.0

Deadline = Callable[[], float]


@dataclass(slots=True)
class Samples:
    """What became of the samples that a model was asked for.

    Parameters
    ----------
    asked : int
        Calls made.
    cut : int
        Answers that reached their limit, or prompts that did not fit.
    failed : int
        Calls that failed otherwise.
    unusable : int
        Answers without code, that do not parse, or that change nothing.
    ended : str
        Why no more are asked for; empty while they are.
    """

    asked: int = 0
    cut: int = 0
    failed: int = 0
    unusable: int = 0
    ended: str = ""
    failures_in_a_row: int = 0


def ask(call: Callable[[float], Answer], samples: Samples, deadline: Deadline) -> str | None:
    """Make one call.

    Parameters
    ----------
    call : callable
        Given the seconds left, asks the model.
    samples : Samples
        Is counted up; its ``ended`` is set when no further call makes sense.
    deadline : callable
        Seconds left.

    Returns
    -------
    str or None
        The answer's text, or None when there is none.
    """
    left = deadline()
    if left < _LEAST_SECONDS:
        samples.ended = "no time left"
        return None
    samples.asked += 1
    try:
        text = call(left).text
    except (AnswerCut, PromptTooLong) as error:
        samples.cut += 1
        _log.debug("event=sample_dropped reason=%s", error)
        return None
    except (BudgetSpent, ModelUnavailable) as error:
        samples.ended = str(error)
        return None
    except ModelFailed as error:
        samples.failed += 1
        samples.failures_in_a_row += 1
        if samples.failures_in_a_row >= _MOST_FAILURES:
            samples.ended = str(error)
        _log.warning("event=model_failed reason=%s", error)
        return None
    samples.failures_in_a_row = 0
    return text
