"""The symbol index of a repository: definitions, references, callers, and what is parsed again."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from automation.codebase.index import SymbolIndex
from automation.errors import RepositoryUnusable, WorkspaceFailed


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    (folder / "shop").mkdir(parents=True)
    (folder / "shop" / "__init__.py").write_text("")
    (folder / "shop" / "till.py").write_text(
        "class Till:\n    def total(self):\n        return price(self)\n\n\n"
        "def price(till: Till) -> int:\n    return 1\n"
    )
    (folder / "shop" / "desk.py").write_text(
        "from shop.till import Till, price as cost\nimport shop.till\n\n\n"
        "def serve():\n    till = Till()\n    é = 1; shop.till.price(till)\n    return till.total()\n\n\n"
        "class Desk:\n    def close(self):\n"
        "        def inner():\n            return cost(Till())\n        return inner\n"
    )
    (folder / "shop" / "other.py").write_text("def price():\n    return 2\n\n\nPRICES = [price() for _ in range(3)]\n")
    return folder


@pytest.fixture
def index(root: Path, tmp_path: Path) -> Iterator[SymbolIndex]:
    with SymbolIndex(root, tmp_path / "index.sqlite") as opened:
        yield opened


def test_definitions_are_found_by_qualified_and_by_own_name(index: SymbolIndex) -> None:
    assert [(one.path, one.line) for one in index.definitions("price")] == [("shop/other.py", 1), ("shop/till.py", 6)]
    assert [one.name for one in index.definitions("Till.total")] == ["Till.total"]
    assert [one.name for one in index.definitions("total", "shop/till.py")] == ["Till.total"]
    assert index.definitions("ill.total") == ()
    assert [one.name for one in index.symbols_in("shop/till.py")] == ["Till", "Till.total", "price"]
    assert [one.name for one in index.classes()] == ["Desk", "Till"]


def test_references_lead_to_the_definition_meant_and_not_to_its_namesake(index: SymbolIndex) -> None:
    price = index.definitions("price", "shop/till.py")[0]
    assert [(use.path, use.line, use.column, use.kind) for use in index.references(price)] == [
        ("shop/desk.py", 1, 28, "import"),
        ("shop/desk.py", 7, 21, "attribute"),
        ("shop/till.py", 3, 15, "name"),
    ]
    total = index.definitions("Till.total")[0]
    assert [(use.path, use.line) for use in index.references(total)] == [("shop/desk.py", 8)]


def test_callers_are_the_functions_that_hold_the_references(index: SymbolIndex) -> None:
    price = index.definitions("price", "shop/till.py")[0]
    assert [one.name for one in index.callers(price)] == ["serve", "Till.total"]
    till = index.definitions("Till", "shop/till.py")[0]
    assert [one.name for one in index.callers(till)] == ["serve", "Desk.close.inner", "price"]


def test_innermost_function_around_a_line(index: SymbolIndex) -> None:
    around = index.function_at("shop/desk.py", 14)
    assert around is not None
    assert around.name == "Desk.close.inner"
    assert index.function_at("shop/desk.py", 11) is None


def test_only_changed_files_are_parsed_again(root: Path, index: SymbolIndex, tmp_path: Path) -> None:
    assert len(index.last_change.parsed) == 4
    again = index.refresh()
    assert (again.parsed, again.removed, again.unchanged) == ((), (), 4)
    (root / "shop" / "other.py").write_text("def rebate():\n    return 2\n")
    (root / "shop" / "till.py").touch()
    (root / "shop" / "desk.py").unlink()
    change = index.refresh()
    assert (change.parsed, change.removed, change.unchanged) == (("shop/other.py",), ("shop/desk.py",), 2)
    assert [one.path for one in index.definitions("price")] == ["shop/till.py"]
    assert [one.path for one in index.definitions("rebate")] == ["shop/other.py"]
    assert index.uses("total") == ()
    with SymbolIndex(root, tmp_path / "index.sqlite") as reopened:
        assert reopened.last_change.parsed == ()
        assert [one.path for one in reopened.definitions("rebate")] == ["shop/other.py"]


def test_broken_files_are_listed_and_not_fatal(root: Path, index: SymbolIndex) -> None:
    (root / "bad.py").write_text("def f(:\n")
    (root / "worse.py").write_bytes(b"x = '\xff'\n")
    index.refresh()
    assert list(index.broken) == ["bad.py", "worse.py"]
    assert "bad.py does not parse" in index.broken["bad.py"]
    assert "bad.py" in index.files
    (root / "bad.py").write_text("def f(): ...\n")
    index.refresh()
    assert list(index.broken) == ["worse.py"]
    assert index.definitions("f")[0].path == "bad.py"


def test_environments_caches_and_ignored_files_are_left_out(root: Path, tmp_path: Path) -> None:
    for folder in ("node_modules/m", "__pycache__", "env/lib", "venv", ".git/hooks", "build"):
        (root / folder).mkdir(parents=True)
        (root / folder / "x.py").write_text("x = 1\n")
    (root / "env" / "pyvenv.cfg").write_text("")
    with SymbolIndex(root, tmp_path / "plain.sqlite") as index:
        assert [path for path in index.files if path.endswith("x.py")] == ["build/x.py"]
    (root / ".git" / "hooks" / "x.py").unlink()
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / ".gitignore").write_text("build/\n")
    with SymbolIndex(root, tmp_path / "git.sqlite") as index:
        assert index.files == ("shop/__init__.py", "shop/desk.py", "shop/other.py", "shop/till.py")


def test_hostile_git_configuration_starts_no_program(root: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    hook = tmp_path / "hook.sh"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\n")
    hook.chmod(0o755)
    subprocess.run(["git", "-C", str(root), "config", "core.fsmonitor", str(hook)], check=True)
    with SymbolIndex(root, tmp_path / "git.sqlite") as index:
        assert len(index.files) == 4
    assert not (tmp_path / "ran").exists()


def test_links_that_leave_the_repository_are_not_followed(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text("secret = 1\n")
    (root / "link.py").symlink_to(outside)
    with SymbolIndex(root, tmp_path / "index.sqlite") as index:
        assert "link.py" not in index.files


def test_cache_of_another_version_is_built_anew(root: Path, tmp_path: Path) -> None:
    cache = tmp_path / "old.sqlite"
    database = sqlite3.connect(cache)
    database.executescript("CREATE TABLE files (legacy TEXT); PRAGMA user_version = 99;")
    database.close()
    with SymbolIndex(root, cache) as index:
        assert len(index.last_change.parsed) == 4


def test_unusable_folders_are_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(RepositoryUnusable, match="is no folder"):
        SymbolIndex(tmp_path / "missing", tmp_path / "index.sqlite")
    (tmp_path / "text.sqlite").write_text("no database, but long enough to be read as a header")
    with pytest.raises(WorkspaceFailed, match="remove it"):
        SymbolIndex(root, tmp_path / "text.sqlite")
