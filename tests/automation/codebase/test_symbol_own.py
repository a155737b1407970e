"""Our own symbols: name paths, bodies, members, and edits that keep all else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from automation.codebase.index import SymbolIndex
from automation.codebase.symbol_own import OwnSymbols
from automation.codebase.symbol_patterns import search_pattern
from automation.codebase.symbol_views import SymbolQuery
from automation.errors import EditRefused, TargetUnknown
from trading.errors import UsageError

CALC = '''import functools

LIMIT = 3


class Grid:
    """Levels."""

    @functools.cache
    def decide(self, price: int) -> int:
        """Decide."""
        return price + LIMIT


class Level:
    def decide(self) -> int:
        return Grid().decide(2)
'''


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnSymbols]:
    folder = tmp_path / "project"
    (folder / "deep").mkdir(parents=True)
    (folder / "calc.py").write_text(CALC)
    (folder / "deep" / "more.py").write_text("def decide_later() -> int:\n    return 1\n")
    symbols = OwnSymbols(SymbolIndex(folder, tmp_path / "index.db"))
    yield symbols
    symbols.close()


def names(own: OwnSymbols, **query: object) -> list[str]:
    return [one.name_path for one in own.find(SymbolQuery(**query))]


def test_name_paths_mean_what_their_form_says(own: OwnSymbols) -> None:
    assert names(own, name_path="decide") == ["Grid/decide", "Level/decide"]
    assert names(own, name_path="Grid/decide") == names(own, name_path="Grid.decide") == ["Grid/decide"]
    assert names(own, name_path="/decide") == []
    assert names(own, name_path="/Grid/decide") == ["Grid/decide"]
    assert names(own, name_path="DECIDE", substring=True) == ["Grid/decide", "Level/decide", "decide_later"]
    assert names(own, name_path="decide", substring=True, path="deep") == ["decide_later"]
    assert names(own, name_path="decide", substring=True, limit=1) == ["Grid/decide"]


def test_bodies_begin_with_the_decorators_and_members_go_as_deep_as_asked(own: OwnSymbols) -> None:
    (found,) = own.find(SymbolQuery("Grid/decide", with_body=True))
    assert found.body == "\n".join(CALC.splitlines()[8:12])
    shallow, _ = own.overview("calc.py")[1:]
    deep = own.overview("calc.py", 1)[1]
    assert shallow.members == ()
    assert [one.name_path for one in deep.members] == ["Grid/decide"]
    assert deep.as_json()["members"] == [deep.members[0].as_json()]


def test_a_replacement_keeps_decorators_that_it_does_not_name(own: OwnSymbols) -> None:
    plain = own.replace("calc.py", "Grid/decide", "def decide(self, price: int) -> int:\n    return price\n")
    bare = own.replace(
        "calc.py", "Grid/decide", "@functools.lru_cache(3)\ndef decide(self, price):\n    return price\n"
    )
    assert "functools.cache" not in "".join(line for line in plain.diff().splitlines() if line[:1] in "+-")
    assert "+    @functools.lru_cache(3)" in bare.diff().splitlines()
    assert own.replace("calc.py", "LIMIT", "LIMIT = 4").diff().endswith("-LIMIT = 3\n+LIMIT = 4\n \n \n class Grid:\n")
    with pytest.raises(EditRefused, match="says that already"):
        own.replace("calc.py", "LIMIT", "LIMIT = 3")


def test_what_changed_on_disk_is_seen_at_once(own: OwnSymbols) -> None:
    (own.root / "calc.py").write_text(CALC.replace("Level:", "Step:"))
    assert names(own, name_path="Step/decide") == ["Step/decide"]
    patch = own.rename("calc.py", "Step", "Level")
    patch.apply(own.root)
    assert (own.root / "calc.py").read_text() == CALC


def test_a_place_outside_or_unknown_is_refused(own: OwnSymbols) -> None:
    with pytest.raises(EditRefused, match="leads out of"):
        own.overview("../other.py")
    with pytest.raises(TargetUnknown, match=r"no Python file none\.py"):
        own.references("none.py", "x")
    with pytest.raises(EditRefused, match="defines no Grid/none"):
        own.insert_after("calc.py", "Grid/none", "x = 1")
    with pytest.raises(EditRefused, match="more than once"):
        own.insert_after("calc.py", "decide", "x = 1")


def test_patterns_are_found_with_the_lines_around_them(own: OwnSymbols) -> None:
    (hit,) = search_pattern(own.root, r"price \+", around=1)
    assert hit.text == '11:         """Decide."""\n12:         return price + LIMIT\n13: '
    assert len(search_pattern(own.root, "decide", glob="deep/*")) == 1
    assert len(search_pattern(own.root, "decide", limit=2)) == 2
    with pytest.raises(UsageError, match="no regular expression"):
        search_pattern(own.root, "(")
