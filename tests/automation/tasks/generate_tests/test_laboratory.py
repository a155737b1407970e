"""What calls come to in the sandbox: values, refusals, changes, and what is no ground for a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from automation.tasks.generate_tests.answers import Surveyed, surveyed, tried
from automation.tasks.generate_tests.generation import FileTests
from automation.tasks.generate_tests.judging import Dropped, settled, unsteady
from automation.tasks.generate_tests.laboratory import Laboratory
from automation.tasks.generate_tests.records import Draft, Ground, Subject
from automation.tasks.generate_tests.subjects import subjects_of
from tests.automation.tasks.generate_tests.scenes import SHOP, laboratory, planted

PLACES = """\
import itertools
import random
import time

COUNTER = itertools.count()


def moved(items: list[int]) -> None:
    items.reverse()


def pairs(count: int):
    for number in range(count):
        yield number, number


async def later(count: int) -> int:
    return count + 1


def ticket() -> int:
    return next(COUNTER)


def spin(count: int) -> int:
    while True:
        count += 1


def kept(text: str) -> int:
    with open("kept.txt", "w") as file:
        return file.write(text)


def wrong(count: int) -> int:
    return count + "1"


def untyped(h, s):
    if s > 0.5:
        return h * s
    return h + s
"""
UNUSABLE = {"broken.py": "raise RuntimeError('no settings')\n", "json.py": "def one() -> int:\n    return 1\n"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    tree = planted(tmp_path_factory.mktemp("places"), {"shop.py": SHOP, "places.py": PLACES, **UNUSABLE})
    with laboratory(tree) as found:
        yield found


def survey(lab: Laboratory, name: str, path: str = "places.py", **how: object) -> Surveyed:
    text = (lab.tree / path).read_text()
    subjects, _ = subjects_of(path, text, path.removesuffix(".py"))
    subject = next(each for each in subjects if each.qualified == name)
    return surveyed(lab.survey(subject, [10], ["tea"], **how).result())


def outcomes(found: Surveyed) -> dict[str, str]:
    return {case.call(): case.expected or str(case.outcome["facts"]) for case in found.cases}


def test_values_beside_constants_and_refusals_are_observed(lab: Laboratory):
    found = survey(lab, "fee", "shop.py")
    shown = outcomes(found)
    assert (shown["fee(9)"], shown["fee(10)"], shown["fee(0)"]) == ("5", "10", "ValueError")
    refused = next(case for case in found.cases if case.call() == "fee(0)")
    assert refused.outcome["documented"]
    assert refused.outcome["message"] == "nothing to ship"


def test_what_a_method_changes_is_observed(lab: Laboratory):
    found = survey(lab, "Basket.add", "shop.py")
    plain = next(case for case in found.cases if case.call() == 'Basket(items={}).add("tea")')
    assert plain.outcome["facts"] == [[".items", '{"tea": 1}']]


def test_an_argument_that_is_changed_in_place_is_observed(lab: Laboratory):
    found = survey(lab, "moved")
    changed = [case for case in found.cases if case.changed]
    assert len(changed) > 1
    assert all(case.kind == "left" and case.outcome["of"] == "items" for case in changed)


@pytest.mark.slow
def test_generators_and_coroutines_are_run_to_their_end(lab: Laboratory):
    assert outcomes(survey(lab, "pairs"))["list(pairs(2))"] == "[(0, 0), (1, 1)]"
    assert outcomes(survey(lab, "later"))["asyncio.run(later(2))"] == "3"


@pytest.mark.slow
def test_parameters_without_types_are_settled_by_trying(lab: Laboratory):
    shown = outcomes(survey(lab, "untyped"))
    assert shown["untyped(1.0, 0.0)"] == "pytest.approx(1.0)"
    assert shown["untyped(1.0, 1.0)"] == "pytest.approx(1.0)"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ticket", "no call returned something that a test can state"),
        ("wrong", "no call returned something that a test can state"),
        ("kept", "it opens kept.txt"),
    ],
    ids=["another answer each time", "a mistake in the types", "a file"],
)
def test_what_is_no_ground_for_a_test_is_left_out(lab: Laboratory, name: str, reason: str):
    assert survey(lab, name).skipped == reason


@pytest.mark.slow
def test_a_call_that_never_ends_costs_its_own_subject_only(lab: Laboratory):
    assert survey(lab, "spin").skipped


def test_inputs_that_were_seen_or_asked_for_are_tried(lab: Laboratory):
    given = [{"arguments": [["weight", "12345", []]], "origin": "seen"}]
    found = survey(lab, "fee", "shop.py", given=given)
    assert ("seen", "12_345") in {(case.origin, case.expected) for case in found.cases}


def test_calls_and_ways_of_the_tests_that_are_there_are_seen(lab: Laboratory):
    test = "from shop import fee\n\n\ndef test_small():\n    assert fee(weight=3) == 5\n"
    found = lab.existing("shop.py", ["tests/test_shop.py"], [6], 20.0, {"tests/test_shop.py": test.encode()})
    assert found.seen == {6: [[["weight", "3", []]]]}
    assert set(found.arcs) == {"tests/test_shop.py::test_small"}
    assert (-1, 17) in found.arcs["tests/test_shop.py::test_small"]


def test_functions_of_a_text_are_tried_one_by_one(lab: Laboratory):
    text = "def test_good():\n    pass\ndef test_bad():\n    assert 1 == 2\ndef test_hangs():\n    while True: pass\n"
    trial = tried(lab.trial(text, None, limit_s=0.2).result())
    assert set(trial.failed) == {"test_bad", "test_hangs"}
    assert trial.failed["test_hangs"].startswith("TooLong")
    assert tried(lab.trial("import nothing_of_this_name\n", None).result()).broken


def test_rows_of_a_parametrised_function_are_all_tried(lab: Laboratory):
    rows = "@pytest.mark.parametrize(('a', 'b'), [(1, 1), (1, 2)])"
    text = f"import pytest\n{rows}\ndef test_same(a, b):\n    assert a == b\n"
    assert set(tried(lab.trial(text, None).result()).failed) == {"test_same"}


def test_lesson_33_one_bad_draft_does_not_discard_the_batch(lab: Laboratory):
    subject = Subject("places.py", "places", "", "ticket", "function", 19, 20)
    bodies = {
        "good": "assert later",
        "bad": "assert 1 == 2",
        "by_hash": "assert hash('a') == HASH",
        "by_folder": "assert Path('places.py').exists()",
        "by_zone": "assert time.strftime('%Z') == ZONE",
    }
    imports = ("from places import later", "from pathlib import Path", "import time")
    drafts = [Draft(name, subject, Ground.OBSERVED, "", body, imports) for name, body in bodies.items()]
    facts = lab.trial("import time\ndef test_a():\n    raise ValueError(hash('a'), time.strftime('%Z'))\n", None)
    told = tried(facts.result()).failed["test_a"]
    known, zone = eval(told.partition(": ")[2])
    drafts = [
        Draft(
            each.name,
            subject,
            each.ground,
            "",
            each.body.replace("HASH", str(known)).replace("ZONE", repr(zone)),
            imports,
        )
        for each in drafts
    ]
    dropped = Dropped()
    assert set(settled(lab, drafts, "places.py", dropped)) == {"good"}
    assert dropped.reasons == {"does not hold": 1, "depends on order, time, hash seed or folder": 3}


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("broken", "importing broken raises RuntimeError: no settings"),
        ("json", "json is the name of another module too, which is imported in its place"),
    ],
)
def test_a_module_that_cannot_be_used_says_why(lab: Laboratory, module: str, reason: str):
    assert lab.prepare(module, f"{module}.py") == reason


def test_subjects_are_found_without_running_anything(lab: Laboratory):
    assert [each.qualified for each in FileTests(lab, "shop.py").subjects] == ["fee", "Basket.add"]


@pytest.mark.slow
def test_rows_that_do_not_pass_are_named_and_the_others_stay(lab: Laboratory):
    rows = "@pytest.mark.parametrize('a', [1, 2, 3])"
    text = f"import pytest\n\n\n{rows}\ndef test_odd(a):\n    assert a % 2\n\n\ndef test_one():\n    assert True\n"
    assert unsteady(lab, "tests/test_odd.py", text) == {
        ("test_odd", 1): "fails in another order or environment",
    }
    broken = unsteady(lab, "tests/test_odd.py", "import nothing_of_this_name\n")
    assert list(broken) == [("", -1)]
    assert "nothing_of_this_name" in broken["", -1]
