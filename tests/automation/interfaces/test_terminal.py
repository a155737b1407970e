"""How a command's generator is driven to its end, inside one process."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.interfaces.terminal import Interrupted, Manner, plain, run_to_end
from tests.automation.interfaces.sample_program import Sample
from trading.commands import Progress
from trading.errors import ExitCode


class CtrlCWhileShown:
    """A step during whose display the person presses Ctrl-C."""

    @property
    def label(self) -> str:
        raise KeyboardInterrupt


def test_ctrl_c_during_display_reaches_the_suspended_work(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> Generator[Progress, None, Sample]:
        try:
            yield CtrlCWhileShown()  # type: ignore[misc]
        except KeyboardInterrupt:
            yield Progress("saving", 1, 1)
        return Sample({"kept": 1}, "kept one file", ExitCode.INTERRUPTED)

    assert run_to_end(work(), Manner()) == 130
    assert capsys.readouterr().out == "kept one file\n"


def test_ctrl_c_is_the_ordinary_end_of_some_commands_wherever_it_hits() -> None:
    def work() -> Generator[Progress, None, Sample]:
        with suppress(KeyboardInterrupt):
            yield CtrlCWhileShown()  # type: ignore[misc]
        return Sample({})

    assert run_to_end(work(), Manner()) == 0


def test_work_that_ignores_ctrl_c_during_display_is_cleaned_up() -> None:
    cleaned = []

    def work() -> Generator[Progress, None, Sample]:
        try:
            yield CtrlCWhileShown()  # type: ignore[misc]
        finally:
            cleaned.append(True)
        return Sample({})

    with pytest.raises(Interrupted, match=r"^interrupted$"):
        run_to_end(work(), Manner())
    assert cleaned == [True]


json_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)


@given(json_data)
def test_plain_data_keeps_everything_but_what_json_cannot_say(data: object) -> None:
    def same(before: object, after: object) -> bool:
        if isinstance(before, float) and not math.isfinite(before):
            return after is None
        if isinstance(before, dict):
            return (
                isinstance(after, dict)
                and before.keys() == after.keys()
                and all(same(before[key], after[key]) for key in before)
            )
        if isinstance(before, list | tuple):
            return isinstance(after, list) and len(before) == len(after) and all(map(same, before, after))
        return before == after and type(before) is type(after)

    assert same(data, plain(data))
