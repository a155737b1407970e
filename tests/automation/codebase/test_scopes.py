"""A target is a file, a folder, a symbol, a place, the diff or everything, and nothing is guessed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from automation.codebase.scopes import Scope, resolve_scope
from automation.errors import RepositoryUnusable, TargetUnknown

SHOP = """\
RATE = 2


class Till:
    def total(self, prices):
        return sum(prices)

    def change(self, paid, prices):
        return paid - self.total(prices)


def total(prices):
    return sum(prices) * RATE
"""


def _git(root: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=root, check=True, capture_output=True
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    (root / "shop").mkdir()
    (root / "shop" / "till.py").write_text(SHOP)
    (root / "shop" / "stock.py").write_text("def count():\n    return 1\n")
    (root / "notes.txt").write_text("not Python")
    _git(root, "init", "-q")
    _git(root, "add", "-A")
    _git(root, "commit", "-qm", "begin")
    return root


def _resolved(root: Path, target: str, *, diff: bool = False) -> Scope:
    return resolve_scope(root, target, diff=diff, home=root.parent / "home")


def test_nothing_named_is_the_whole_repository(shop: Path) -> None:
    for target in ("", ".", str(shop)):
        scope = _resolved(shop, target)
        assert scope.files == ("shop/stock.py", "shop/till.py")
        assert scope.holds("shop/till.py", 1)


def test_a_file_or_a_folder_by_any_spelling(shop: Path) -> None:
    for target in ("shop/till.py", "./shop/till.py", str(shop / "shop" / "till.py")):
        assert _resolved(shop, target).files == ("shop/till.py",)
    assert len(_resolved(shop, "shop").files) == 2
    assert len(_resolved(shop, "shop/").files) == 2


def test_a_symbol_by_its_name_or_in_its_file(shop: Path) -> None:
    for target in (
        "Till.change",
        "shop/till.py::Till.change",
        "shop/till.py::Till::change",
        "shop/till.py:Till.change",
    ):
        scope = _resolved(shop, target)
        assert [symbol.name for symbol in scope.symbols] == ["Till.change"]
        assert scope.holds("shop/till.py", 9)
        assert not scope.holds("shop/till.py", 6)
        assert not scope.holds("shop/stock.py", 1)


def test_an_exact_name_wins_over_the_end_of_another(shop: Path) -> None:
    (symbol,) = _resolved(shop, "total").symbols
    assert (symbol.name, symbol.line) == ("total", 12)


def test_a_line_means_the_function_around_it(shop: Path) -> None:
    assert _resolved(shop, "shop/till.py:9").label == "shop/till.py::Till.change"
    outside = _resolved(shop, "shop/till.py:1")
    assert outside.holds("shop/till.py", 1)
    assert not outside.holds("shop/till.py", 2)


def test_what_is_unknown_or_means_several_is_refused_with_choices(shop: Path) -> None:
    (shop / "shop" / "other.py").write_text("def total():\n    return 0\n")
    try:
        with pytest.raises(TargetUnknown, match=r"defined 2 times.*shop/other.py::total, shop/till.py::total"):
            _resolved(shop, "total")
    finally:
        (shop / "shop" / "other.py").unlink()
    for target, words in (
        ("nowhere.py", "no file"),
        ("nowhere.py::x", "no Python file"),
        ("notes.txt", "no Python file"),
    ):
        with pytest.raises(TargetUnknown, match=words):
            _resolved(shop, target)


def test_the_diff_is_changed_lines_and_new_files(shop: Path) -> None:
    till, new = shop / "shop" / "till.py", shop / "shop" / "new.py"
    try:
        till.write_text(SHOP.replace("return paid", "return 1 + paid"))
        new.write_text("x = 1\n")
        scope = _resolved(shop, "", diff=True)
        assert scope.files == ("shop/new.py", "shop/till.py")
        assert scope.lines == {"shop/till.py": frozenset({9})}
        assert scope.holds("shop/new.py", 1)
        assert scope.holds("shop/till.py", 8, 9)
        assert not scope.holds("shop/till.py", 6)
        assert _resolved(shop, "shop/till.py", diff=True).files == ("shop/till.py",)
    finally:
        till.write_text(SHOP)
        new.unlink()
    assert _resolved(shop, "", diff=True).files == ()


def test_a_folder_without_git_has_no_diff(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a.py").write_text("x = 1\n")
    with pytest.raises(RepositoryUnusable, match="no diff"):
        _resolved(tmp_path / "plain", "", diff=True)
