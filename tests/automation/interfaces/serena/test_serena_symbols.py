"""Serena as a backend: where it is found, what it answers, and a real one at work."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters, types

from automation.codebase.symbol_backend import SymbolBackend
from automation.codebase.symbol_views import Reference, SymbolQuery
from automation.errors import EditRefused, WorkspaceFailed
from automation.interfaces.serena.answers import names_of_answer, references_of_answer, symbols_of_answer
from automation.interfaces.serena.copies import ProjectCopy
from automation.interfaces.serena.program import PACKAGES, SERENA_VARIABLE, find_serena, own_environment
from automation.interfaces.serena.symbols import open_serena
from tests.automation.interfaces.mcp.served import CALC, TESTS, write_project
from trading.errors import Refused

ROOT = Path(__file__).resolve().parents[4]
CACHE = ROOT / ".cache" / "serena"
INSTALL_S = 240
DECORATED = """

class Rates:
    @property
    def first(self) -> int:
        return 1
"""


def program(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        file = folder / name
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
    return folder


def test_serena_is_found_where_it_is_named_then_in_the_data_home_then_on_path(tmp_path: Path) -> None:
    on_path = program(tmp_path / "bin", "serena", "jedi-language-server")
    known = {"PATH": str(on_path)}
    assert find_serena(tmp_path, environment=known).command == (str(on_path / "serena"),)
    own = program(own_environment(tmp_path) / "bin", "serena", "jedi-language-server")
    assert find_serena(tmp_path, environment=known).command == (str(own / "serena"),)
    named = program(tmp_path / "other", "serena")
    found = find_serena(tmp_path, environment={**known, SERENA_VARIABLE: str(named / "serena")})
    assert found.command == (str(named / "serena"),)
    assert found.language == "python_jedi"


def test_without_serena_or_a_language_server_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="pip install serena-agent"):
        find_serena(tmp_path, environment={"PATH": str(tmp_path)})
    alone = program(tmp_path / "bin", "serena")
    with pytest.raises(Refused, match="install jedi-language-server"):
        find_serena(tmp_path, environment={"PATH": str(alone)})
    program(alone, "pyright-langserver")
    assert find_serena(tmp_path, environment={"PATH": str(alone)}).server == alone / "pyright-langserver"
    with pytest.raises(Refused, match="is no program"):
        find_serena(tmp_path, environment={"PATH": str(alone), SERENA_VARIABLE: str(tmp_path / "none")})


def test_nothing_is_fetched_unless_that_is_wanted(tmp_path: Path) -> None:
    known = {"PATH": str(program(tmp_path / "bin", "uvx"))}
    with pytest.raises(Refused):
        find_serena(tmp_path, environment=known)
    assert find_serena(tmp_path, fetch=True, environment=known).command[1:3] == ("--from", PACKAGES[0])


def test_answers_are_read_with_lines_from_one() -> None:
    text = json.dumps(
        [
            {
                "name_path": "Account",
                "kind": "Class",
                "relative_path": "calc.py",
                "body_location": {"start_line": 11, "end_line": 16},
                "children": {"Method": [{"name": "balance", "body_location": {"start_line": 14, "end_line": 16}}]},
            }
        ]
    )
    (account,) = symbols_of_answer(text)
    assert (account.line, account.end_line, account.kind) == (12, 17, "class")
    assert [(one.name_path, one.kind, one.line) for one in account.members] == [("Account/balance", "method", 15)]
    overview = '{"Module": ["os"], "Function": ["total"], "Class": [{"Account": {"Method": ["balance"]}}]}'
    assert names_of_answer(overview) == ("total", "Account")
    around = "...  20:    x\n  >  21:        return total([1])\n...  22:"
    told = {"calc.py": {"Method": [{"name_path": "Account/balance", "content_around_reference": around}]}}
    assert references_of_answer(json.dumps(told)) == (Reference("calc.py", 22, "return total([1])", "Account/balance"),)
    with pytest.raises(WorkspaceFailed, match="ask for less"):
        symbols_of_answer("The answer is too long (200000 characters).")


def test_a_copy_is_made_equal_again_whatever_was_done_in_it(tmp_path: Path) -> None:
    root = write_project(tmp_path / "project")
    copy = ProjectCopy(root, tmp_path / "copy")
    copy.refresh()
    assert copy.changes() == ({}, {})
    (copy.folder / "calc.py").write_text("x = 1\n")
    (copy.folder / "new.py").write_text("y = 1\n")
    (copy.folder / "test_calc.py").unlink()
    before, after = copy.changes()
    assert before == {"calc.py": CALC.encode(), "test_calc.py": TESTS.encode()}
    assert after == {"calc.py": b"x = 1\n", "new.py": b"y = 1\n"}
    copy.refresh()
    assert copy.changes() == ({}, {})
    assert not (copy.folder / "new.py").exists()
    assert (root / "calc.py").read_text() == CALC


def installed_serena() -> str:
    """The program that is there, or one in an environment of its own that is kept for the next time."""
    named = os.environ.get(SERENA_VARIABLE) or shutil.which("serena")
    kept = CACHE / "bin" / "serena"
    if named or kept.exists():
        return named or str(kept)
    made = [
        [sys.executable, "-m", "venv", "--clear", str(CACHE)],
        [str(CACHE / "bin" / "python"), "-m", "pip", "install", "-q", "--retries", "1", *PACKAGES],
    ]
    try:
        for command in made:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_S)
    except (subprocess.SubprocessError, OSError) as error:
        kept.unlink(missing_ok=True)
        said = str(getattr(error, "stderr", "") or error).strip().splitlines()
        pytest.skip(f"Serena is not installed and cannot be: {said[-1] if said else error}")
    return str(kept)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("serena") / "project")
    (folder / "calc.py").write_text(CALC + DECORATED)
    return folder


@pytest.fixture(scope="module")
def serena(project: Path) -> Iterator[SymbolBackend]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SERENA_VARIABLE, installed_serena())
        backend = open_serena(project, project.parent / "home")
    yield backend
    backend.close()


@pytest.mark.slow
def test_a_real_serena_finds_symbols_and_references(serena: SymbolBackend) -> None:
    account = next(one for one in serena.overview("calc.py", 1) if one.name_path == "Account")
    assert [one.name_path for one in account.members] == ["Account/balance"]
    (balance,) = serena.find(SymbolQuery("Account/balance", with_body=True))
    assert CALC.splitlines()[balance.line - 1].strip() == "def balance(self) -> int:"
    assert str(balance.body).endswith("return total([1, 2])")
    found = {(one.path, one.inside) for one in serena.references("calc.py", "total")}
    assert found == {("calc.py", "Account/balance"), ("test_calc.py", ""), ("test_calc.py", "test_total")}


@pytest.mark.slow
def test_a_real_serena_edits_in_its_copy_and_only_what_was_named(serena: SymbolBackend, project: Path) -> None:
    replaced = serena.replace("calc.py", "Account/balance", "def balance(self) -> int:\n    return 3\n")
    assert replaced.paths == ("calc.py",)
    assert "-        return total([1, 2])" in replaced.diff().splitlines()
    after = serena.insert_after("calc.py", "total", "def other() -> int:\n    return 1\n")
    assert [line for line in after.diff().splitlines() if line[:1] == "-"] == ["--- a/calc.py"]
    renamed = serena.rename("calc.py", "total", "added")
    assert renamed.paths == ("calc.py", "test_calc.py")
    assert (project / "calc.py").read_text() == CALC + DECORATED
    assert (project / "test_calc.py").read_text() == TESTS
    renamed.apply(project)
    assert [one.name_path for one in serena.find(SymbolQuery("/added", "calc.py"))] == ["added"]
    assert "total" not in (project / "test_calc.py").read_text().replace("test_total", "")
    serena.rename("calc.py", "added", "total").apply(project)


@pytest.mark.slow
def test_lesson_28_what_a_real_serena_gets_wrong_is_refused(serena: SymbolBackend, project: Path) -> None:
    with pytest.raises(EditRefused, match="does not stand before"):
        # it puts the code between the decorator and its function
        serena.insert_before("calc.py", "Rates/first", "def other(self) -> int:\n    return 1\n")
    with pytest.raises(EditRefused, match="is not what was given"):
        # it leaves the decorator as it was
        serena.replace("calc.py", "Rates/first", "@staticmethod\ndef first() -> int:\n    return 1\n")
    with pytest.raises(EditRefused, match=r"in use in calc\.py"):
        serena.rename("calc.py", "total", "Account")
    with pytest.raises(EditRefused):
        serena.rename("calc.py", "total", "class")
    with pytest.raises(EditRefused, match="sees no nothing"):
        serena.replace("calc.py", "nothing", "def nothing() -> int:\n    return 1\n")
    assert (project / "calc.py").read_text() == CALC + DECORATED


@pytest.mark.slow
def test_the_server_asks_a_real_serena_when_it_is_told_to(project: Path) -> None:
    environment = {"GRIDBOT_HOME": str(project.parent / "own"), "PYTHONPATH": str(ROOT)}
    environment |= {SERENA_VARIABLE: installed_serena(), "PATH": os.environ["PATH"]}
    words = ["-m", "automation.cli", "mcp", "--symbols", "serena"]
    place = {"relative_path": "calc.py", "name_path": "total", "new_name": "added", "dry_run": True}

    async def renamed() -> types.CallToolResult:
        start = StdioServerParameters(command=sys.executable, args=words, cwd=project, env=environment)
        async with Client(start) as client:
            return await client.call_tool("rename_symbol", place)

    answer = asyncio.run(renamed())
    assert not answer.is_error, answer.content
    assert "+from calc import Account, added" in answer.structured_content["diff"].splitlines()
    assert (project / "calc.py").read_text() == CALC + DECORATED
