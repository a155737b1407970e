"""Edits change their place and nothing else, and refuse what they cannot do safely."""

from __future__ import annotations

import ast
import functools
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automation.codebase import edits
from automation.codebase.edit_places import SymbolPlace, places_of
from automation.codebase.edit_text import LineTable
from automation.codebase.index import SymbolIndex
from automation.codebase.sources import SourceFile, read_source, source_of
from automation.codebase.symbols import symbols_of
from automation.errors import EditRefused, StaleSource

_ROOT = Path(__file__).resolve().parents[3]
_CORPUS = sorted(
    path.relative_to(_ROOT).as_posix()
    for folder in ("trading", "automation", "tests")
    for path in (_ROOT / folder).rglob("*.py")
)
_TEXT = '''"""Doc."""
import os

__all__ = ["helper"]
TOTAL = 1


# about helper
@dec
def helper(a, b=TOTAL) -> "Grid":  # note
    """Help."""
    # lead
    return a + b  # tail


class Grid:
    x: int = 1

    def decide(self, n: "Grid") -> int:
        def inner(k): return k
        return inner(n) + helper(1, 2) + self.other()

    @property
    def price(self): return 1

    @price.setter
    def price(self, v):
        global TOTAL
        TOTAL = v

    def other(self):
        text = """
unindented
"""
        return Grid.decide(self, text)
'''
_SOURCE = SourceFile("pkg/grid.py", _TEXT)


def _changed(before: SourceFile, after: SourceFile) -> tuple[str, str]:
    """Return what differs: the old and the new part between the common head and tail, in whole lines."""
    old, new = before.text.splitlines(keepends=True), after.text.splitlines(keepends=True)
    head = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False))))
    rest = zip(reversed(old[head:]), reversed(new[head:]), strict=False)
    tail = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], rest)))
    return "".join(old[head : len(old) - tail]), "".join(new[head : len(new) - tail])


def test_body_is_replaced_and_header_and_decorators_stay() -> None:
    after = edits.replace_body(_SOURCE, "helper", "  x = a\n  if x:\n    return x")
    old, new = _changed(_SOURCE, after)
    assert old == '    """Help."""\n    # lead\n    return a + b  # tail\n'
    assert new == "    x = a\n    if x:\n      return x\n"


def test_body_behind_the_colon_moves_to_its_own_lines() -> None:
    after = edits.replace_body(_SOURCE, "Grid.decide.<locals>.inner", "return k * 2")
    assert _changed(_SOURCE, after)[1] == "        def inner(k):\n            return k * 2\n"


def test_body_of_the_setter_is_found_by_a_line() -> None:
    with pytest.raises(EditRefused, match="more than once"):
        edits.replace_body(_SOURCE, "Grid.price", "pass")
    line = _TEXT[: _TEXT.index("global TOTAL")].count("\n") + 1
    after = edits.replace_body(_SOURCE, "Grid.price", "self.x = v", line=line)
    assert _changed(_SOURCE, after) == ("        global TOTAL\n        TOTAL = v\n", "        self.x = v\n")


def test_symbol_is_replaced_with_its_decorators_and_strings_keep_their_value() -> None:
    text = 'def helper(a, b):\n    """Doc\n    more."""\n    return """\nflat"""\n'
    after = edits.replace_symbol(_SOURCE, "helper", text)
    assert "@dec" not in after.text
    assert text in after.text
    assert "# about helper" in after.text
    method = edits.replace_symbol(
        _SOURCE, "Grid.other", 'def other(self):\n    """Doc\n    more."""\n    return """\nflat"""'
    )
    assert method.text.endswith('    def other(self):\n        """Doc\n        more."""\n        return """\nflat"""\n')


def test_symbol_keeps_the_file_s_decorators_when_asked() -> None:
    after = edits.replace_symbol(_SOURCE, "helper", "@other\ndef helper(a):\n    return a\n", keep_decorators=True)
    assert "@dec\ndef helper(a):\n    return a\n" in after.text
    assert "@other" not in after.text


def test_constant_is_replaced() -> None:
    after = edits.replace_symbol(_SOURCE, "TOTAL", "TOTAL = 1 + 1")
    assert _changed(_SOURCE, after) == ("TOTAL = 1\n", "TOTAL = 1 + 1\n")


def test_symbol_under_another_name_is_refused_unless_allowed() -> None:
    with pytest.raises(EditRefused, match="keep the name"):
        edits.replace_symbol(_SOURCE, "helper", "def helped(a): return a")
    assert "def helped" in edits.replace_symbol(_SOURCE, "helper", "def helped(a): return a", may_rename=True).text


def test_lesson_26_replacing_one_symbol_never_removes_others() -> None:
    before = [symbol.name for symbol in symbols_of(_SOURCE)]
    after = edits.replace_symbol(_SOURCE, "helper", "def helper(a, b): return b")
    assert [symbol.name for symbol in symbols_of(after)] == before
    with pytest.raises(EditRefused, match="exactly one"):
        edits.replace_symbol(_SOURCE, "helper", "def helper(a): return a\ndef more(): pass")
    with pytest.raises(EditRefused, match=r"would remove its \.decide"):
        edits.replace_symbol(_SOURCE, "Grid", "class Grid:\n    pass")
    with pytest.raises(EditRefused, match="would remove its"):
        edits.replace_body(_SOURCE, "Grid", "x = 1")
    assert "decide" not in edits.replace_body(_SOURCE, "Grid", "x = 1", may_remove=True).text


def test_lesson_28_a_replacement_replaces_and_does_not_stand_beside() -> None:
    after = edits.replace_symbol(_SOURCE, "helper", "def helper(a, b):\n    return a - b")
    assert after.text.count("def helper") == 1
    assert "a + b" not in after.text
    after = edits.replace_function(_SOURCE, "helper", "def helper(a, b):\n    return a - b")
    assert after.text.count("def helper") == 1
    assert "a + b" not in after.text


def test_insert_before_goes_above_comment_and_decorators() -> None:
    after = edits.insert_before(_SOURCE, "helper", "    def q():\n        return 1")
    assert _changed(_SOURCE, after) == ("", "def q():\n    return 1\n\n\n")
    assert "    return 1\n\n\n# about helper\n@dec\n" in after.text


def test_insert_after_goes_below_the_last_line() -> None:
    after = edits.insert_after(_SOURCE, "Grid.decide", "def q(self):\n  return 1")
    assert "self.other()\n\n    def q(self):\n      return 1\n\n    @property" in after.text
    assert edits.insert_after(_SOURCE, "Grid", "LAST = 1").text == f"{_TEXT}\n\nLAST = 1\n"


def test_insert_at_the_end_of_a_file_without_line_end() -> None:
    after = edits.insert_after(SourceFile("a.py", "def f():\n    return 1"), "f", "def g():\n    return 2")
    assert after.text == "def f():\n    return 1\n\n\ndef g():\n    return 2"


def test_insert_of_what_is_there_already_is_refused() -> None:
    with pytest.raises(EditRefused, match="defines helper already"):
        edits.insert_after(_SOURCE, "Grid", "def helper(): pass")


@pytest.mark.parametrize("edit", [edits.replace_body, edits.replace_symbol, edits.insert_before, edits.insert_after])
def test_missing_symbol_and_text_that_does_not_parse_are_refused(
    edit: Callable[[SourceFile, str, str], object],
) -> None:
    with pytest.raises(EditRefused, match=r"defines no Grid\.missing"):
        edit(_SOURCE, "Grid.missing", "pass")
    for text in ("def helper(:", "", "# only a comment", "return (", "'''"):
        with pytest.raises(EditRefused):
            edit(_SOURCE, "helper", text)


def test_every_edit_refuses_a_stale_digest() -> None:
    stale = SourceFile("a.py", "x = 1\n").digest
    for edit in (
        lambda: edits.replace_body(_SOURCE, "helper", "pass", expected_digest=stale),
        lambda: edits.replace_symbol(_SOURCE, "TOTAL", "TOTAL = 2", expected_digest=stale),
        lambda: edits.replace_function(_SOURCE, "helper", "def helper(): pass", expected_digest=stale),
        lambda: edits.insert_before(_SOURCE, "helper", "y = 1", expected_digest=stale),
        lambda: edits.insert_after(_SOURCE, "helper", "y = 1", expected_digest=stale),
        lambda: edits.rename(_SOURCE, "helper", "assist", expected_digest=stale),
        lambda: edits.add_import(_SOURCE, "math", expected_digest=stale),
        lambda: edits.remove_import(_SOURCE, "os", expected_digest=stale),
        lambda: edits.replace_expression(_SOURCE, 5, 8, "1", "2", expected_digest=stale),
    ):
        with pytest.raises(StaleSource):
            edit()
    assert edits.replace_body(_SOURCE, "helper", "pass", expected_digest=_SOURCE.digest).text != _TEXT


def test_model_answer_gives_its_body_only() -> None:
    answer = "import math\n\n@foo\ndef helper(x):\n    return math.pi + x\n"
    after = edits.replace_function(_SOURCE, "helper", answer)
    assert '@dec\ndef helper(a, b=TOTAL) -> "Grid":  # note\n    """Help."""\n    return math.pi + x\n' in after.text
    assert "import math\nimport os\n" in after.text
    assert "@foo" not in after.text


def test_model_answer_replaces_the_docstring_when_it_has_one() -> None:
    after = edits.replace_function(_SOURCE, "helper", 'def helper(a, b):\n    """New."""\n    return a')
    assert '"""Help."""' not in after.text
    assert '# note\n    """New."""\n    return a\n' in after.text


@pytest.mark.parametrize(
    "answer",
    [
        "def other(self):\n    return 1\n",
        "        def other(self):\n            return 1\n",
        "def other(self):\n        return 1\n",
        "    @old\n    def other(self):\n        return 1\n",
        "@old\n    def other(self):\n        return 1\n",
        "class Grid:\n    def other(self):\n        return 1\n",
        "def other(self):\n\treturn 1\n",
        "def unrelated(self): return 1\n",
    ],
)
def test_model_answer_in_any_indentation(answer: str) -> None:
    after = edits.replace_function(_SOURCE, "Grid.other", answer)
    assert after.text.endswith("    def other(self):\n        return 1\n")
    assert _changed(_SOURCE, after)[1] == "        return 1\n"


@pytest.mark.parametrize("answer", ["def a(): pass\ndef b(): pass", "x = 1", "def other(self:", ""])
def test_model_answer_without_that_function_is_refused(answer: str) -> None:
    with pytest.raises(EditRefused):
        edits.replace_function(_SOURCE, "Grid.other", answer)


def test_model_answer_that_awaits_in_a_plain_function_is_refused() -> None:
    with pytest.raises(EditRefused, match="would no longer compile"):
        edits.replace_function(_SOURCE, "Grid.other", "async def other(self):\n    return await self.decide(1)")


def test_rename_follows_scopes_annotations_and_exports() -> None:
    after = edits.rename(_SOURCE, "helper", "assist").text
    assert '__all__ = ["assist"]' in after
    assert "def assist(" in after
    assert "+ assist(1, 2)" in after
    assert "# about helper" in after
    grid = edits.rename(_SOURCE, "Grid", "Net").text
    assert 'n: "Net"' in grid
    assert '-> "Net"' in grid
    assert "Net.decide(self, text)" in grid
    assert "Grid" not in grid
    total = edits.rename(_SOURCE, "TOTAL", "SUM").text
    assert "TOTAL" not in total
    assert "global SUM\n        SUM = v" in total


def test_rename_leaves_equal_names_of_other_scopes_alone() -> None:
    source = SourceFile(
        "a.py", "x = 1\ndef f():\n    x = 2\n    return x\ndef g(y=x):\n    return x + y.x\nclass C:\n    x = 3\n"
    )
    assert edits.rename(source, "x", "z").text == (
        "z = 1\ndef f():\n    x = 2\n    return x\ndef g(y=z):\n    return z + y.x\nclass C:\n    x = 3\n"
    )
    assert edits.rename(source, "f.x", "z").text == source.text.replace("x = 2\n    return x", "z = 2\n    return z")


def test_rename_follows_a_name_used_before_it_is_bound_in_a_loop() -> None:
    source = SourceFile(
        "a.py", "def f(n):\n    for i in n:\n        if i:\n            print(t)\n        t = i\n    return t\n"
    )
    assert edits.rename(source, "f.t", "last").text == source.text.replace("(t)", "(last)").replace(
        " t = i", " last = i"
    ).replace("return t", "return last")


def test_rename_of_a_method_follows_self_and_class() -> None:
    after = edits.rename(_SOURCE, "Grid.decide", "choose").text
    assert "def choose(self" in after
    assert "Grid.choose(self, text)" in after
    source = SourceFile("a.py", "class A:\n    def f(self): pass\n\ndef g(other):\n    other.f()\n")
    with pytest.raises(EditRefused, match="whole repository"):
        edits.rename(source, "A.f", "h")


@pytest.mark.parametrize(
    ("symbol", "new_name", "reason"),
    [
        ("helper", "Grid", "in use"),
        ("helper", "class", "no Python name"),
        ("helper", "a b", "no Python name"),
        ("helper", "helper", "already"),
        ("missing", "found", "no missing"),
        ("helper.a", "first", "parameter"),
        ("os", "system", "imported"),
        ("Grid.decide", "other", "in use"),
        ("Grid.other.text", "Grid", "in use"),
        ("helper", "k", "in use"),
    ],
)
def test_rename_that_would_bind_something_else_is_refused(symbol: str, new_name: str, reason: str) -> None:
    source = _SOURCE.with_text(_TEXT.replace("def inner(k): return k", "def inner(k): return helper(k, k)"))
    with pytest.raises(EditRefused, match=reason):
        edits.rename(source, symbol, new_name)


def test_rename_to_a_builtin_in_use_is_refused() -> None:
    source = SourceFile("a.py", "def f(x):\n    return len(x)\n\ndef g(): pass\n")
    with pytest.raises(EditRefused, match="in use"):
        edits.rename(source, "g", "len")


def test_import_is_added_in_its_section_once() -> None:
    text = (
        '"""Doc."""\n\nfrom __future__ import annotations\n\nimport os\nfrom pathlib import Path\n\n'
        "import numpy as np\n\nx = 1\n"
    )
    source = SourceFile("a.py", text)
    assert "import os\nimport sys\nfrom pathlib" in edits.add_import(source, "sys").text
    assert (
        "from pathlib import Path\nfrom typing import Self\n\nimport numpy"
        in edits.add_import(source, "typing", "Self").text
    )
    assert "from pathlib import Path, PurePath\n" in edits.add_import(source, "pathlib", "PurePath").text
    assert "import numpy as np\nimport pandas as pd\n" in edits.add_import(source, "pandas", alias="pd").text
    assert edits.add_import(source, "os") == source
    assert edits.add_import(source, "numpy", alias="np") == source


def test_import_goes_below_docstring_and_comments_of_a_file_without_imports() -> None:
    with_doc = edits.add_import(SourceFile("a.py", '"""Doc."""\nx = 1\n'), "os")
    assert with_doc.text == '"""Doc."""\n\nimport os\n\nx = 1\n'
    with_coding = edits.add_import(SourceFile("a.py", "#!/usr/bin/python\n# coding: utf-8\nx = 1\n"), "os")
    assert with_coding.text == "#!/usr/bin/python\n# coding: utf-8\nimport os\nx = 1\n"


def test_import_joins_a_list_of_one_name_a_line() -> None:
    source = SourceFile("a.py", "from m import (\n    alpha,  # first\n    gamma,\n)\n")
    after = edits.add_import(source, "m", "beta")
    assert after.text == "from m import (\n    alpha,  # first\n    beta,\n    gamma,\n)\n"


def test_import_under_a_taken_name_is_refused() -> None:
    with pytest.raises(EditRefused, match="binds TOTAL to something else"):
        edits.add_import(_SOURCE, "totals", "TOTAL")
    with pytest.raises(EditRefused, match="binds os"):
        edits.add_import(_SOURCE, "elsewhere", "os")


def test_import_is_removed_alone() -> None:
    assert _changed(_SOURCE, edits.remove_import(_SOURCE, "os")) == ("import os\n", "")
    source = SourceFile("a.py", "from m import a, b  # why\nprint(a)\n")
    assert edits.remove_import(source, "m", "b").text == "from m import a  # why\nprint(a)\n"
    block = SourceFile("a.py", "from m import (\n    a,\n    b,  # gone\n)\nprint(a)\n")
    assert edits.remove_import(block, "m", "b").text == "from m import (\n    a,\n)\nprint(a)\n"


def test_import_in_use_or_missing_is_not_removed() -> None:
    source = SourceFile("a.py", "import os\nprint(os.name)\n")
    with pytest.raises(EditRefused, match="still uses os"):
        edits.remove_import(source, "os")
    with pytest.raises(EditRefused, match="does not import sys"):
        edits.remove_import(source, "sys")


def test_expression_is_replaced_at_its_position() -> None:
    source = SourceFile("a.py", "é = 1; y = (a + b) * c\n")
    assert edits.replace_expression(source, 1, 12, "a + b", "a - b").text == "é = 1; y = (a - b) * c\n"
    assert edits.replace_expression(source, 1, 21, "c", "c + 1").text == "é = 1; y = (a + b) * (c + 1)\n"


@pytest.mark.parametrize(
    ("column", "old_text", "new_text"),
    [(11, "b", "c"), (11, "a + ", "c"), (11, "a", "c d"), (99, "a", "c"), (11, "a", "b) + (c"), (4, "y", "1")],
)
def test_expression_that_differs_or_does_not_fit_is_refused(column: int, old_text: str, new_text: str) -> None:
    source = SourceFile("a.py", "if y:\n    x = y; a + b * c\n")
    with pytest.raises(EditRefused):
        edits.replace_expression(source, 2, column, old_text, new_text)


def test_tabs_line_ends_and_byte_order_mark_stay() -> None:
    content = b"\xef\xbb\xbfdef f(x):\r\n\tif x:\r\n\t\treturn 1\r\n\treturn 2\r\n"
    source = source_of("a.py", content)
    after = edits.replace_body(source, "f", "while x:\n    x -= 1\nreturn (\n    x)")
    assert after.content == (b"\xef\xbb\xbfdef f(x):\r\n\twhile x:\r\n\t\tx -= 1\r\n\treturn (\r\n\t    x)\r\n")


def test_text_outside_the_file_s_encoding_is_refused() -> None:
    source = source_of("a.py", b"# coding: latin-1\ndef f():\n    return '\xe9'\n")
    assert edits.replace_body(source, "f", "return 'ü'").content.endswith(b"return '\xfc'\n")
    with pytest.raises(EditRefused, match="iso-8859-1"):
        edits.replace_body(source, "f", "return '→'")


@functools.cache
def _functions(path: str) -> tuple[SourceFile, list[SymbolPlace]]:
    source = read_source(_ROOT, path)
    places = places_of(source)
    names = [place.name for place in places]
    return source, [place for place in places if place.kind == "function" and names.count(place.name) == 1]


@st.composite
def _definitions(draw: st.DrawFn) -> tuple[SourceFile, SymbolPlace]:
    source, usable = _functions(draw(st.sampled_from(_CORPUS)))
    return (source, draw(st.sampled_from(usable))) if usable else draw(_definitions())


@pytest.mark.slow
@settings(max_examples=12)
@given(_definitions())
def test_own_text_put_back_gives_the_same_bytes(found: tuple[SourceFile, SymbolPlace]) -> None:
    source, place = found
    table = LineTable.of(source.text)
    own = source.text[table.offset(place.first_line) : table.after(place.last_line)]
    assert edits.replace_symbol(source, place.name, own).content == source.content
    assert edits.replace_function(source, place.name, own).text.count("\n") <= source.text.count("\n") + 1
    if place.body_margin is not None:
        body = source.text[place.body_start : place.body_end]
        assert edits.replace_body(source, place.name, body).content == source.content


@settings(max_examples=12)
@given(_definitions())
def test_everything_outside_a_replaced_body_is_byte_identical(found: tuple[SourceFile, SymbolPlace]) -> None:
    source, place = found
    after = edits.replace_body(source, place.name, "raise RuntimeError\n")
    assert after.text.startswith(source.text[: place.body_start])
    assert after.text.endswith(source.text[place.body_end :])
    inserted = edits.insert_after(source, place.name, "def put_here_by_a_test():\n    pass\n")
    lines = inserted.text.splitlines()
    kept = [line for line in lines if line.strip() and "put_here_by_a_test" not in line]
    original = [line for line in source.text.splitlines() if line.strip()]
    assert len(kept) == len(original) + 1
    assert ast.dump(ast.parse(inserted.text)) != ast.dump(ast.parse(source.text))


@settings(max_examples=12)
@given(_definitions(), st.sampled_from(["if a:\n\tb = 1\n", "x = '''\n  kept\n'''\n", "for i in y:\n  z(\n i)\n"]))
def test_any_body_fits_any_place(found: tuple[SourceFile, SymbolPlace], body: str) -> None:
    source, place = found
    after = edits.replace_body(source, place.name, body)
    node = next(
        node
        for node in ast.walk(ast.parse(after.text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno == place.header_line
    )
    assert [ast.dump(one) for one in node.body] == [ast.dump(one) for one in ast.parse(body).body]


def _repository(root: Path) -> None:
    (root / "shop").mkdir()
    (root / "shop" / "__init__.py").write_text("")
    (root / "shop" / "till.py").write_text(
        "class Till:\n    def total(self):\n        return 1\n\n\ndef price(till: Till):\n    return till.total()\n"
    )
    (root / "shop" / "desk.py").write_text(
        'from shop.till import Till, price\n\n__all__ = ["price"]\nENTRY = "shop.till:price"\n\n\n'
        "def serve():\n    till = Till()\n    return price(till) + till.total()\n"
    )
    (root / "shop" / "other.py").write_text("def price():\n    return 2\n\n\nprice()\n")


def test_rename_in_repository_changes_every_reference_and_no_namesake(tmp_path: Path) -> None:
    _repository(tmp_path)
    with SymbolIndex(tmp_path, tmp_path / "cache" / "index.sqlite") as index:
        patch = edits.rename_in_repository(tmp_path, index, "shop/till.py", "price", "cost")
        assert patch.paths == ("shop/desk.py", "shop/till.py")
        patch.apply(tmp_path)
        desk = (tmp_path / "shop" / "desk.py").read_text()
        assert "price" not in desk
        assert '__all__ = ["cost"]\nENTRY = "shop.till:cost"' in desk
        edits.rename_in_repository(tmp_path, index, "shop/till.py", "Till.total", "amount").apply(tmp_path)
        assert "till.amount()" in (tmp_path / "shop" / "desk.py").read_text()
        assert index.refresh().parsed == ("shop/desk.py", "shop/till.py")


def test_lesson_28_rename_in_repository_never_reports_success_without_effect(tmp_path: Path) -> None:
    _repository(tmp_path)
    with SymbolIndex(tmp_path, tmp_path / "cache" / "index.sqlite") as index:
        for symbol, new_name in (("missing", "found"), ("price", "price"), ("price", "Till"), ("price", "serve")):
            with pytest.raises(EditRefused):
                edits.rename_in_repository(tmp_path, index, "shop/till.py", symbol, new_name)


def test_rename_in_repository_refuses_uses_of_unknown_origin(tmp_path: Path) -> None:
    _repository(tmp_path)
    (tmp_path / "shop" / "guess.py").write_text("def guess(thing):\n    return thing.total()\n")
    with (
        SymbolIndex(tmp_path, tmp_path / "cache" / "index.sqlite") as index,
        pytest.raises(EditRefused, match="unknown"),
    ):
        edits.rename_in_repository(tmp_path, index, "shop/till.py", "Till.total", "amount")


def test_rename_in_repository_refuses_a_member_that_a_subclass_overrides(tmp_path: Path) -> None:
    _repository(tmp_path)
    (tmp_path / "shop" / "big.py").write_text(
        "from shop.till import Till\n\n\nclass BigTill(Till):\n    def total(self):\n        return 2\n"
    )
    with (
        SymbolIndex(tmp_path, tmp_path / "cache" / "index.sqlite") as index,
        pytest.raises(EditRefused, match="BigTill"),
    ):
        edits.rename_in_repository(tmp_path, index, "shop/till.py", "Till.total", "amount")
