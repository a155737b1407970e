"""The order of plausible candidates and the smallest edits between two texts."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from automation.codebase.sources import SourceFile
from automation.incidents.session_agreement import Agreement
from automation.repair.differential import Behaviour
from automation.repair.minimal import Plausible, edit_distance, is_undecided, rank_plausible, specialised
from automation.repair.records import Candidate, Evidence, Place, TextEdit
from automation.repair.rewrites import minimal_edits

TEXT = "def clamp(value, high):\n    if value > high:\n        return value\n    return value\n"
EVIDENCE = Evidence(("t",), "assert 50 == 10", test_source="def test_clamp():\n    assert clamp(50, 10) == 10\n")


def _made(after: str, prior: float = 0.5, score: float = 1.0) -> Candidate:
    source = SourceFile("a.py", TEXT)
    return Candidate(source, minimal_edits(TEXT, after), "p", Place("a.py", 3, "clamp", score), "d", prior)


GENERAL = _made(TEXT.replace("return value", "return high", 1))
SPECIAL = _made(TEXT.replace("return value", "return 10", 1))
LARGE = _made(
    TEXT.replace(
        "    if value > high:\n        return value\n", "    value = min(value, max(high, value - high + high))\n"
    )
)


def test_literal_of_the_test_is_specialised_and_known_names_are_not() -> None:
    assert specialised(GENERAL, EVIDENCE) == 0.0
    assert specialised(SPECIAL, EVIDENCE) == 1.0
    assert specialised(_made(TEXT.replace("return value", "return 0", 1)), EVIDENCE) == 0.0
    assert specialised(_made(TEXT.replace("return value", "return 77", 1)), EVIDENCE) == 0.5
    assert 0 < specialised(_made(TEXT.replace("return value", "return top", 1)), EVIDENCE) < 0.5


def test_general_and_smaller_changes_come_first() -> None:
    plausible = [Plausible(made, specialised=specialised(made, EVIDENCE)) for made in (SPECIAL, LARGE, GENERAL)]
    assert next(one.candidate for one in rank_plausible(plausible)) is GENERAL
    assert edit_distance(GENERAL) < edit_distance(LARGE)


def test_guard_finding_outweighs_everything_else() -> None:
    found = rank_plausible([Plausible(GENERAL, findings=1), Plausible(SPECIAL, specialised=1.0)])
    assert [one.candidate for one in found] == [SPECIAL, GENERAL]


def test_what_decides_otherwise_than_the_session_did_comes_after_what_agrees_but_is_not_dropped() -> None:
    strays, agrees = Plausible(GENERAL, agreement=Agreement(False)), Plausible(LARGE, agreement=Agreement(True))
    assert rank_plausible([strays, agrees]) == [agrees, strays]
    left_out = Plausible(GENERAL, agreement=Agreement(True, same_last=False))
    traded = Plausible(SPECIAL, agreement=Agreement(True))
    assert rank_plausible([left_out, traded]) == [traded, left_out]
    unknown = Plausible(GENERAL)
    assert rank_plausible([agrees, unknown, strays]) == [unknown, agrees, strays]


def test_what_mends_more_of_the_other_failing_tests_comes_first() -> None:
    mending = Plausible(LARGE, agreement=Agreement(False), mended=2)
    assert rank_plausible([Plausible(GENERAL, agreement=Agreement(True)), mending])[0] is mending
    assert rank_plausible([mending, Plausible(SPECIAL, findings=1, mended=3)])[0] is mending


def test_support_agreement_and_company_decide_among_equals() -> None:
    weak = _made(TEXT.replace("return value", "return high", 1), prior=0.1)
    assert rank_plausible([Plausible(weak), Plausible(GENERAL)])[0].candidate is GENERAL
    agreeing, straying = Behaviour(agreement=1.0, cluster=0), Behaviour(agreement=0.2, cluster=1)
    assert (
        rank_plausible([Plausible(GENERAL, behaviour=straying), Plausible(GENERAL, behaviour=agreeing)])[0].behaviour
        is agreeing
    )
    alone, together = Behaviour(cluster=0), Behaviour(cluster=1)
    ranked = rank_plausible([Plausible(GENERAL, behaviour=one) for one in (alone, together, together)])
    assert ranked[-1].behaviour is alone


def test_layout_and_comments_are_no_distance() -> None:
    assert edit_distance(_made(TEXT.replace("value > high:", "value  >  high:  # why"))) == 0
    assert edit_distance(_made(TEXT.replace("value > high", "value >= high"))) == 2


LINES = st.lists(st.sampled_from(["a\n", "b\n", "ab\n", "\n", "  a\r\n", "c"]), max_size=12).map("".join)


@given(LINES, LINES)
def test_minimal_edits_lead_from_one_text_to_the_other(before: str, after: str) -> None:
    edits = minimal_edits(before, after)
    candidate = Candidate(SourceFile("a.py", before), edits, "p", Place("a.py", 1, "", 1.0), "d", 0.5)
    assert candidate.text() == after
    assert all(edit.start <= edit.end for edit in edits)
    assert all(one.end <= two.start for one, two in itertools.pairwise(edits))
    assert (edits == ()) == (before == after)


def test_an_expression_that_the_file_has_already_is_preferred_to_a_new_one() -> None:
    text = "def rotate(items, steps):\n    return items[len(items) - steps :] + items[:steps]\n"
    source = SourceFile("a.py", text)
    at = text.rindex("steps")
    place = Place("a.py", 2, "rotate", 1.0)
    known = Candidate(source, (TextEdit(at, at + 5, "len(items) - steps"),), "template:transplant", place, "", 0.12)
    new = Candidate(source, (TextEdit(at, at + 5, "-steps"),), "template:sign", place, "", 0.15)
    assert [one.candidate for one in rank_plausible([Plausible(new), Plausible(known)])] == [known, new]


def test_a_step_that_does_nothing_ranks_last() -> None:
    text = "def first(items, count):\n    return items[: count + 1]\n"
    source = SourceFile("a.py", text)
    at = text.index("count + 1")
    place = Place("a.py", 2, "first", 1.0)
    idle = Candidate(source, (TextEdit(at, at + 9, "count + 0"),), "template:number", place, "", 0.3)
    plain = Candidate(source, (TextEdit(at, at + 9, "count"),), "template:operand", place, "", 0.2)
    assert [one.candidate for one in rank_plausible([Plausible(idle), Plausible(plain)])] == [plain, idle]


def _behaving(made: Candidate, cluster: int, crashes: int = 0, hangs: int = 0) -> Plausible:
    return Plausible(made, behaviour=Behaviour(agreement=0.9, cluster=cluster, crashes=crashes, hangs=hangs))


NEAR = _made(TEXT.replace("value > high", "value >= high").replace("return value", "return high", 1), prior=0.45)


def test_a_rival_as_likely_that_behaves_differently_leaves_the_choice_undecided() -> None:
    assert is_undecided(rank_plausible([_behaving(GENERAL, 0), _behaving(NEAR, 1)]))
    assert not is_undecided(rank_plausible([_behaving(GENERAL, 0), _behaving(NEAR, 0)]))
    assert not is_undecided(rank_plausible([_behaving(GENERAL, 0)]))
    assert not is_undecided(rank_plausible([_behaving(GENERAL, 0), _behaving(NEAR, 1, hangs=1)]))
    assert not is_undecided([])


PAIR = tuple(enumerate((GENERAL, NEAR)))


def test_an_unlikely_rival_or_one_with_a_finding_decides_nothing() -> None:
    unlikely = _made(NEAR.text(), prior=0.05)
    assert not is_undecided(rank_plausible([_behaving(GENERAL, 0), _behaving(unlikely, 1)]))
    found = Plausible(NEAR, findings=1, behaviour=Behaviour(cluster=1))
    assert not is_undecided(rank_plausible([_behaving(GENERAL, 0), found]))


def test_what_a_recording_agrees_with_is_decided() -> None:
    told = [Plausible(made, behaviour=Behaviour(cluster=at), agreement=Agreement(True)) for at, made in PAIR]
    assert not is_undecided(rank_plausible(told))


def test_a_change_that_leaves_something_unread_ranks_last_and_is_no_answer_alone() -> None:
    unread = Plausible(_made(TEXT.replace("return value", "return high").replace("if value > high", "if high"), 0.9))
    assert rank_plausible([unread, Plausible(GENERAL)])[0].candidate is GENERAL
    assert is_undecided(rank_plausible([unread]))
    assert not is_undecided(rank_plausible([Plausible(GENERAL)]))


def test_of_two_alike_the_one_that_raises_less_comes_first() -> None:
    ranked = rank_plausible([_behaving(GENERAL, 0, crashes=2), _behaving(NEAR, 1)])
    assert ranked[0].candidate is NEAR


def test_one_that_hangs_where_another_ends_comes_after_it() -> None:
    unlikely = _made(NEAR.text(), prior=0.2)
    assert rank_plausible([_behaving(GENERAL, 0), _behaving(unlikely, 1)])[0].candidate is GENERAL
    assert rank_plausible([_behaving(GENERAL, 0, hangs=1), _behaving(unlikely, 1)])[0].candidate is unlikely
