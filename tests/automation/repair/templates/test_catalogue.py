import ast
import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from automation.codebase.sources import SourceFile
from automation.repair.normalise import program_key
from automation.repair.records import Candidate, Evidence, Place
from automation.repair.templates.catalogue import FAMILIES, pairs, template_candidates
from automation.repair.vocabulary import Vocabulary, learn_vocabulary
from tests.automation.repair.templates.search import PATH, file_of, places_in, same_program

LEDGER = '''
"""A file with a bit of everything."""

from __future__ import annotations

import heapq

LIMIT, NAMES = 3, ("a", "b")


class Ledger(dict):
    """Keeps entries."""

    size: int = 0

    def __init__(self, owner, entries=[]):
        self.owner = owner  # who
        self.entries = entries

    @property
    def total(self):
        return sum(entry.amount for entry in self.entries if entry.open)

    async def load(self, client, *, retries=3):
        for attempt in range(retries):
            try:
                answer = await client.get(f"{self.owner}/{attempt:03d}")
            except (KeyError, ValueError) as error:
                raise RuntimeError("no answer") from error
            else:
                break
        while answer and len(self.entries) <= LIMIT:
            self.entries.append(answer.pop())
        return self.entries[-1] if self.entries else None


def largest(rows, count=2, key=None):
    best = []
    seen = set()
    for index, row in enumerate(rows[1:]):
        if row in seen or (key is not None and not key(row)): continue
        elif index > 2:
            heapq.heappush(best, -row * 2 + 1)
        else:
            seen.add(row)
    text = "ä" + \'é\' ; size = len(text) - 1
    match size:
        case 0:
            return []
        case other if other < 0:
            return sorted(best, key=lambda item: -item)[:count]
    return {name: value for name, value in zip(NAMES, best)}
'''
LIMITS = 7  # the line of LIMIT
LINES = len(LEDGER.strip().splitlines())
lines_of_ledger = st.lists(st.integers(1, LINES), min_size=1, max_size=3, unique=True)


def places(lines: list[int]) -> list[Place]:
    return [Place(PATH, line, "", 1 / at) for at, line in enumerate(lines, 1)]


def some(source: SourceFile, at: list[Place], exception: str = "AssertionError", most: int = 120) -> list[Candidate]:
    words = learn_vocabulary([source])
    found = template_candidates(source, at, words, Evidence(("test",), "", {}, "", exception))
    return list(itertools.islice(found, most))


@given(
    lines=lines_of_ledger,
    newline=st.sampled_from(["\n", "\r\n"]),
    tabs=st.booleans(),
    exception=st.sampled_from(["AssertionError", "TypeError", "IndexError", "Timeout"]),
)
def test_candidates_compile_differ_and_never_repeat(lines: list[int], newline: str, tabs: bool, exception: str):
    text = file_of(LEDGER).text.replace("    ", "\t") if tabs else file_of(LEDGER).text
    source = SourceFile(PATH, text.replace("\n", newline))
    original = program_key(source.text)
    keys = [program_key(candidate.text()) for candidate in some(source, places([LIMITS, *lines]), exception)]
    assert keys
    assert original not in keys
    assert len(set(keys)) == len(keys)


@given(lines=lines_of_ledger)
def test_candidates_change_only_what_their_edits_say(lines: list[int]):
    source = file_of(LEDGER)
    for candidate in some(source, places(lines)):
        assert all(edit.start <= edit.end for edit in candidate.edits)
        assert all(one.end <= two.start for one, two in itertools.pairwise(candidate.edits))
        kept, at = "", 0
        for edit in candidate.edits:
            kept += source.text[at : edit.start]
            at = edit.end
        length = len(kept) + len(source.text[at:]) + sum(len(edit.new) for edit in candidate.edits)
        assert len(candidate.text()) == length
        assert candidate.content().decode("utf-8") == candidate.text()


@given(lines=lines_of_ledger, exception=st.sampled_from(["AssertionError", "TypeError", "NameError", "Failed"]))
def test_candidates_come_best_first(lines: list[int], exception: str):
    scores = [candidate.score for candidate in some(file_of(LEDGER), places(lines), exception)]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


def test_line_ends_of_the_file_are_kept():
    source = SourceFile(PATH, file_of(LEDGER).text.replace("\n", "\r\n"))
    for candidate in some(source, places_in(source), most=3000):
        assert candidate.text().replace("\r\n", "").count("\n") == 0, candidate.description


def test_positions_behind_characters_of_several_bytes_are_right():
    source = SourceFile(PATH, "def gap(a, b):\n    return 'äöü€𝄞', a < b, 'ß'\n")
    texts = {candidate.text() for candidate in some(source, [Place(PATH, 2, "gap", 1.0)])}
    assert source.text.replace("<", "<=") in texts


def test_expressions_inside_formatted_strings_are_reached():
    source = SourceFile(PATH, "def shown(price, size):\n    return f'{price + size} for {size}'\n")
    texts = {candidate.text() for candidate in some(source, [Place(PATH, 2, "shown", 1.0)])}
    assert source.text.replace("+", "*") in texts


@pytest.mark.parametrize("line", [2, 3, 4])
def test_statement_over_several_lines_belongs_to_each_of_them(line: int):
    source = SourceFile(PATH, "def within(a, low, high):\n    return (\n        a >= low\n        and a <= high)\n")
    texts = {candidate.text() for candidate in some(source, [Place(PATH, line, "within", 1.0)])}
    assert source.text.replace(">=", ">") in texts
    assert source.text.replace("<=", "<") in texts


def test_both_statements_of_one_line_are_reached():
    source = SourceFile(PATH, "def f(a):\n    b = a + 1; c = a * 2\n    if b > c: return b\n    return c\n")
    texts = {candidate.text() for candidate in some(source, places_in(source), most=5000)}
    for old, new in (("+", "-"), ("*", "**"), ("> c", ">= c"), ("return b", "return c")):
        assert source.text.replace(old, new, 1) in texts


def test_returns_of_the_function_are_tried_with_half_the_weight():
    source = SourceFile(PATH, "def f(a):\n    b = a\n    return b > 1\n")
    found = some(source, [Place(PATH, 2, "f", 1.0)])
    flipped = next(item for item in found if item.text() == source.text.replace(">", ">="))
    assert flipped.place.line == 3
    assert flipped.place.score == 0.5


def test_constants_of_module_and_class_are_edited():
    source = file_of(LEDGER)
    texts = {candidate.text() for candidate in some(source, places_in(source), most=20_000)}
    assert source.text.replace("LIMIT, NAMES = 3", "LIMIT, NAMES = 4") in texts
    assert source.text.replace("size: int = 0", "size: int = 1") in texts


def test_first_candidates_come_before_the_rest_is_made():
    source = file_of(LEDGER)
    stream = template_candidates(source, places_in(source), Vocabulary())
    best = next(stream)
    assert best.proposer in {f"template:{family.name}" for family in FAMILIES}
    assert best.prior <= max(family.prior for family in FAMILIES)


def test_file_that_does_not_parse_has_no_candidates():
    source = SourceFile(PATH, "def f(:\n    return 1\n")
    assert list(template_candidates(source, places_in(source), Vocabulary())) == []


def test_places_of_other_files_are_passed_over():
    assert list(template_candidates(file_of(LEDGER), [Place("other.py", 20, "", 1.0)], Vocabulary())) == []


def test_exception_changes_the_order():
    source = SourceFile(PATH, "def f(a):\n    for i in range(1, len(a)):\n        if a[i] < 3: return sqrt(i)\n")
    first = some(source, places_in(source), "NameError")[0]
    assert first.proposer == "template:missing-import"


def test_values_seen_tell_kinds():
    source = SourceFile(PATH, "def f(a, b, c):\n    return a\n")
    at = [Place(PATH, 2, "f", 1.0)]
    seen = {f"{PATH}:2": ("a=[1, 2]", "b='x'", "c=[3]")}
    found = list(template_candidates(source, at, Vocabulary(), Evidence((), "", seen)))
    texts = [candidate.text() for candidate in found]
    assert texts.index(source.text.replace("return a", "return c")) < texts.index(
        source.text.replace("return a", "return b")
    )


def test_every_family_has_a_name_of_its_own_and_a_prior():
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    assert all(0 < family.prior < 1 and family.description for family in FAMILIES)


TWICE = "def between(a, low, high):\n    if a < low:\n        return 1\n    return a < high\n"


def test_pair_of_edits_repairs_two_faults():
    source = SourceFile(PATH, TWICE)
    right = TWICE.replace("<", "<=")
    found = list(itertools.islice(template_candidates(source, places_in(source), Vocabulary()), 80))
    combined = list(pairs(found, limit=3000))
    assert any(same_program(candidate.text(), right) for candidate in combined)


def test_pairs_come_best_first_and_never_repeat():
    source = SourceFile(PATH, TWICE)
    found = list(itertools.islice(template_candidates(source, places_in(source), Vocabulary()), 30))
    combined = list(pairs(found))
    keys = [program_key(candidate.text()) for candidate in combined]
    assert len(set(keys)) == len(keys) > 100
    one = next(item for item in found if item.place.line == 2)
    other = next(item for item in found if item.place.line == 4)
    for first in ([one, other, *found], [other, one, *found]):
        assert next(pairs(first)).edits == tuple(sorted((*one.edits, *other.edits)))
    assert program_key(source.text) not in keys
    for candidate in combined:
        ast.parse(candidate.text())
        assert candidate.proposer.startswith("template:")


def test_pairs_stay_within_one_file_and_their_limit():
    one, two = SourceFile(PATH, TWICE), SourceFile("other.py", TWICE)
    singles = [
        *itertools.islice(template_candidates(one, places_in(one), Vocabulary()), 10),
        *itertools.islice(template_candidates(two, [Place("other.py", 2, "", 0.7)], Vocabulary()), 10),
    ]
    combined = list(pairs(singles, limit=25))
    assert len(combined) == 25
    assert {candidate.source.path for candidate in combined} <= {PATH, "other.py"}
    assert list(pairs(singles[:1])) == []


ODD = [
    "x = 1; y = 2",
    "if x: y = 1",
    "class A: b = 1",
    "class B(A, metaclass=type):\n    def c(self): return super().c()",
    "@d\n@e(1)\ndef f(*a, b=1, **c) -> int: return a",
    "x = (1\n     + 2)",
    "x = 1 + \\\n    2",
    "s = f'{x!r:>{y}} {x + 1}'",
    "s = ('a'\n     'b')",
    "def g(n):\n\tif n:\n\t\treturn g(n - 1)\n\treturn [i for i in n if i for j in i]",
    "async def h(a):\n  async with a as b, b: await b\n  async for c in b: yield c",
    "try:\n pass\nexcept* (A, B) as e:\n raise\nfinally:\n x = 0",
    "while (n := f()) > 1 < x: del n, x[0]",
    "lambda *a, b=2: (yield)",
    "def k():\n    global x; x = yield from k()\n    nonlocal_ = x[1:2, ::3, ...]",
    "for i, (j, *k) in x: break\nelse: pass",
    "assert x, 'no'",
    "x: int",
    "from a import (b as c)",
    "'''text\nover lines'''",
    "match x:\n    case {'a': [1, *_], **r} if r: pass\n    case A(b=2) | None: x = -1j",
    "# only a comment",
    "\x0c",
    "x = 'ä' if 'ß' else b'c'",
]


def test_constant_that_only_dead_code_holds_makes_no_other_program():
    source = SourceFile(PATH, "y = 2\n\n\nclass A:\n    b = 1\n\n\nx = 'yes' if 'sure' else 'no'\n")
    found = [candidate.text() for candidate in some(source, places_in(source), most=2000)]
    keys = [program_key(text) for text in found]
    assert program_key(source.text) not in keys
    assert len(set(keys)) == len(keys)


@given(st.lists(st.sampled_from(ODD), min_size=1, max_size=4, unique=True), st.sampled_from(["", "\n", "  # end"]))
def test_any_text_that_compiles_is_searched_without_an_error(statements: list[str], tail: str):
    source = SourceFile(PATH, "\n".join(statements) + tail)
    try:
        original = program_key(source.text)
    except SyntaxError:
        assume(False)
    found = some(source, places_in(source), most=150)
    keys = {program_key(candidate.text()) for candidate in found}
    assert original not in keys
    assert len(keys) == len(found)
