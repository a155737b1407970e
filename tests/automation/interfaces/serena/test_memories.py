"""The notes for agents say what the code says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from automation.interfaces.serena.memories import ROUTES, main, serena_files, stale_files, write_files
from automation.registry import gridbot_registry

ROOT = Path(__file__).resolve().parents[4]
NAMES = ("project_overview", "tech_stack", "project_structure", "code_style_conventions")


def memory(name: str) -> str:
    return (ROOT / ".serena" / "memories" / f"{name}.md").read_text()


def test_the_notes_are_what_the_code_says_today(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0, "run `python -m automation.interfaces.serena.memories --write`"
    assert capsys.readouterr().out == ""


def test_the_notes_name_every_command_dependency_and_folder() -> None:
    overview, stack, structure = (memory(name) for name in NAMES[:3])
    assert all(f"`gridbot {command.name}` ({command.risk.value})" in overview for command in gridbot_registry())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert all(f"- `{each}`" in stack for each in project["dependencies"])
    assert "- `ta-lib" in stack
    assert re.search(r"`ta-lib[^`]*`: trading\.signals", stack)
    for wing in ("trading", "automation"):
        folders = {file.parent.relative_to(ROOT).as_posix() for file in (ROOT / wing).rglob("__init__.py")} - {wing}
        assert all(re.search(rf"`{re.escape(folder)}/`: \S.*\.", structure) for folder in folders)


def test_every_file_that_the_notes_lead_to_is_there() -> None:
    assert [path for paths in ROUTES.values() for path in paths if not (ROOT / path).exists()] == []


def test_the_notes_speak_of_this_project_only() -> None:
    text = "\n".join(serena_files(ROOT).values())
    assert not re.search(r"/(?:work|tmp|root|home)/|https?://|localhost:\d", text)


def test_a_note_that_was_changed_by_hand_is_found_and_written_anew(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "Makefile"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    for wing in ("trading", "automation"):
        (tmp_path / wing).mkdir()
        (tmp_path / wing / "__init__.py").write_text('"""A wing."""\n')
    assert len(write_files(tmp_path)) == len(serena_files(tmp_path))
    assert stale_files(tmp_path) == ()
    (tmp_path / ".serena" / "memories" / "tech_stack.md").write_text("by hand\n")
    (tmp_path / "automation" / "late").mkdir()
    (tmp_path / "automation" / "late" / "__init__.py").write_text('"""Later."""\n')
    assert stale_files(tmp_path) == (".serena/memories/tech_stack.md", ".serena/memories/project_structure.md")
    write_files(tmp_path)
    assert "- `automation/late/`: Later." in (tmp_path / ".serena/memories/project_structure.md").read_text()
