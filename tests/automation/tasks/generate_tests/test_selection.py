"""The smallest set: gains all that there is to gain, and nothing in it can be left out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from automation.tasks.generate_tests.selection import smallest

gains = st.dictionaries(st.sampled_from("abcdefgh"), st.frozensets(st.integers(0, 6)))


@given(gains, st.randoms())
def test_a_choice_gains_everything_and_wastes_nothing(found, random):
    costs = {name: random.choice([0.5, 1.0, 3.0]) for name in found}
    chosen = smallest(found, costs)
    everything = {each for gain in found.values() for each in gain}
    assert {each for name in chosen for each in found[name]} == everything
    for name in chosen:
        assert found[name] - {each for other in chosen if other != name for each in found[other]}


def test_the_cheaper_of_two_that_gain_the_same_is_chosen():
    assert smallest({"long": {1, 2}, "short": {1, 2}}, {"long": 3.0, "short": 1.0}) == ("short",)
