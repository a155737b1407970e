"""Files that do not compile: the original is among the first candidates."""

from __future__ import annotations

import ast
import functools
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.codebase.sources import SourceFile
from automation.repair.templates.syntax import syntax_candidates

_MODULE = '''"""Orders of a grid."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Order:
    """One order."""

    price: int
    lots: int = 1

    def notional(self, fee: float) -> float:
        """Return price times lots with fees."""
        if self.lots == 0:
            return 0.0
        return self.price * self.lots * (1 + fee)


def load(path: Path, limit: int = 10) -> list[Order]:
    """Read orders."""
    orders = []
    for line in path.read_text().splitlines():
        price, lots = line.split(",")
        if not line or line.startswith("#"):
            continue
        try:
            orders.append(Order(int(price), int(lots)))
        except ValueError as error:
            print(f"bad line {line!r} in {path}: {error}")
        else:
            limit -= 1
        if limit == 0:
            break
        elif limit < 0:
            raise ValueError(path)
    return orders


def reset(
    hard=False,
) -> None:
    return None


def clear():
    return 0


LEVELS = {
    "low": [1, 2, 3],
    "high": [10, 20, 30],
}


def total(orders, fee=0.001):
    amount = sum(order.notional(fee) for order in orders)
    while amount > 1000 and orders:
        amount = amount / 2
    message = "it's done"
    return amount if amount else None
'''

_BREAKS = [
    ("missing_closing_bracket_of_a_call", "Order(int(price), int(lots)))", "Order(int(price), int(lots))", 5),
    ("missing_closing_bracket_inside", "int(price), int(lots)", "int(price, int(lots)", 20),
    ("missing_opening_bracket", "read_text()", "read_text)", 8),
    ("extra_closing_bracket", "* (1 + fee)", "* (1 + fee))", 8),
    ("wrong_closing_bracket", "[1, 2, 3]", "[1, 2, 3)", 8),
    ("missing_list_end", "[10, 20, 30],", "[10, 20, 30,", 20),
    ("missing_dict_end", '    "high": [10, 20, 30],\n}', '    "high": [10, 20, 30],\n', 10),
    ("colon_after_def", "-> float:", "-> float", 3),
    ("colon_after_if", "if self.lots == 0:", "if self.lots == 0", 3),
    ("colon_after_for", ".splitlines():", ".splitlines()", 3),
    ("colon_after_while", "and orders:", "and orders", 3),
    ("colon_after_else", "else:", "else", 3),
    ("colon_after_try", "try:", "try", 3),
    ("colon_after_except", "as error:", "as error", 3),
    ("colon_after_class", "class Order:", "class Order", 3),
    ("semicolon_for_colon", "if limit == 0:", "if limit == 0;", 5),
    ("line_too_deep", "    lots: int = 1", "        lots: int = 1", 5),
    ("line_too_shallow", "            return 0.0", "        return 0.0", 5),
    ("body_not_indented", "            continue", "        continue", 5),
    ("line_between_levels", "        return self.price", "      return self.price", 8),
    ("block_not_indented", "            limit -= 1", "        limit -= 1", 8),
    ("tab_among_spaces", "            return 0.0", "\t\treturn 0.0\n            ", 40),
    ("unterminated_string", 'startswith("#")', 'startswith("#)', 8),
    ("unterminated_string_start", '"low": [', 'low": [', 20),
    ("mixed_quotes", '"it\'s done"', "'it's done'", 20),
    ("wrong_end_quote", 'split(",")', "split(\",')", 12),
    ("assignment_in_condition", "if limit == 0:", "if limit = 0:", 3),
    ("assignment_in_while", "amount > 1000", "amount = > 1000", 20),
    ("missing_comma_in_list", "[1, 2, 3]", "[1 2, 3]", 5),
    ("missing_comma_between_lines", "[1, 2, 3],\n", "[1, 2, 3]\n", 5),
    ("missing_comma_in_parameters", "path: Path, limit", "path: Path limit", 8),
    ("missing_comma_in_target", "price, lots = line", "price lots = line", 12),
    ("return_misspelt", "return orders", "retrun orders", 3),
    ("else_misspelt", "else:", "esle:", 3),
    ("import_misspelt", "import dataclass", "improt dataclass", 3),
    ("while_misspelt", "while amount", "whlie amount", 5),
    ("except_misspelt", "except ValueError", "execpt ValueError", 3),
    ("def_capitalised", "def total", "Def total", 3),
    ("missing_in", "for line in path", "for line path", 5),
    ("missing_in_of_a_comprehension", "for order in orders", "for order orders", 10),
    (
        "python_2_print",
        'print(f"bad line {line!r} in {path}: {error}")',
        'print f"bad line {line!r} in {path}: {error}"',
        3,
    ),
    ("python_2_except", "except ValueError as error", "except ValueError, error", 3),
    ("stray_character", "limit -= 1", "limit -= 1$", 5),
    ("stray_question_mark", "return orders", "return orders?", 5),
    ("docstring_not_closed", '"""Return price times lots with fees."""', '"""Return price times lots with fees.', 10),
    ("docstring_not_opened", '"""Read orders."""', 'Read orders."""', 20),
    ("docstring_closed_by_two", '"""One order."""', '"""One order.""', 12),
    ("f_string_brace", "{path}: {error}", "{path: {error}", 20),
    ("f_string_extra_brace", "{error}", "{error}}", 10),
    ("curly_quotes", '"it\'s done"', "“it's done”", 5),
    ("double_operator", "amount / 2", "amount / / 2", 8),
    ("else_if", "elif limit", "else if limit", 5),
    ("colon_after_a_long_header", ") -> None:", ") -> None", 3),
    ("missing_parameter_list", "def clear():", "def clear:", 3),
    (
        "misplaced_conflict",
        "    return None\n",
        "<<<<<<< ours\n    return None\n=======\n    return 0\n>>>>>>> theirs\n",
        5,
    ),
]


@functools.cache
def _tree(text: str) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "candidate", "exec")
            return ast.dump(ast.parse(text))
    except SyntaxError:
        return None


def _error_line(text: str) -> int:
    with pytest.raises(SyntaxError) as caught:
        compile(text, "broken", "exec")
    return caught.value.lineno or 1


def _rank(broken: str) -> int:
    """Return the place of the original among the candidates, from 1; 0 when it is not there."""
    source = SourceFile("a.py", broken)
    trees = (_tree(candidate.text()) for candidate in syntax_candidates(source, _error_line(broken)))
    return next((rank for rank, tree in enumerate(trees, 1) if tree == _tree(_MODULE)), 0)


@pytest.mark.parametrize(("good", "bad", "first"), [pytest.param(*rest, id=name) for name, *rest in _BREAKS])
def test_original_is_among_the_first_candidates(good: str, bad: str, first: int) -> None:
    assert good in _MODULE
    assert 1 <= _rank(_MODULE.replace(good, bad, 1)) <= first


def test_most_single_lost_marks_are_found_again() -> None:
    marks = [at for at, char in enumerate(_MODULE) if char in "()[]{}:,\"'"][::3]
    broken = [_MODULE[:at] + _MODULE[at + 1 :] for at in marks]
    ranks = [_rank(text) for text in broken if _tree(text) is None]
    assert len(ranks) > 40
    assert sum(rank > 0 for rank in ranks) >= 0.95 * len(ranks)
    assert sum(0 < rank <= 10 for rank in ranks) >= 0.85 * len(ranks)


@given(st.integers(0, len(_MODULE) - 1), st.sampled_from(["", "(", "]", '"', "    ", "\n", "=", "é", "\t", "\\"]))
def test_every_candidate_compiles_and_none_comes_twice(at: int, put: str) -> None:
    broken = _MODULE[:at] + put + _MODULE[at + 1 :]
    source = SourceFile("a.py", broken)
    candidates = list(syntax_candidates(source, 1 + broken[:at].count("\n")))
    trees = [_tree(candidate.text()) for candidate in candidates]
    assert None not in trees
    assert len(set(trees)) == len(trees) <= 200
    assert _tree(broken) is None or not candidates
    assert all(candidate.proposer == "template:syntax" for candidate in candidates)
    priors = [candidate.prior for candidate in candidates]
    assert priors == sorted(priors, reverse=True)
    assert all(0 < prior <= 1 for prior in priors)


def test_tabs_and_spaces_of_a_whole_file_are_made_one() -> None:
    broken = "def f(x):\n    if x:\n\treturn 1\n    return 2\n\ndef g(x):\n\tif x:\n\t    return 1\n        return 2\n"
    trees = {_tree(candidate.text()) for candidate in syntax_candidates(SourceFile("a.py", broken), 3)}
    wanted = (
        "def f(x):\n    if x:\n        return 1\n    return 2\n\ndef g(x):\n    if x:\n        return 1\n    return 2\n"
    )
    assert trees
    assert None not in trees
    assert _tree(wanted) in trees


def test_line_ends_stay_as_they_are() -> None:
    broken = _MODULE.replace("def clear():", "def clear()").replace("\n", "\r\n")
    first = next(syntax_candidates(SourceFile("a.py", broken), _error_line(broken)))
    assert first.text() == _MODULE.replace("\n", "\r\n")


def test_sound_file_has_no_candidates() -> None:
    assert list(syntax_candidates(SourceFile("a.py", _MODULE), 5)) == []


def test_null_byte_and_line_beyond_the_end_are_no_crash() -> None:
    for candidate in syntax_candidates(SourceFile("a.py", "x = 1\0\n"), 99):
        assert _tree(candidate.text()) is not None
    for candidate in syntax_candidates(SourceFile("a.py", "def f()"), 99):
        assert _tree(candidate.text()) is not None
