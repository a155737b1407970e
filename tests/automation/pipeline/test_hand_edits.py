"""The files of a change as a person gets them to edit: exactly what the patch leads to, or a refusal."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.codebase.patches import Patch
from automation.errors import EditRefused, StaleSource
from automation.pipeline.hand_edits import files_to_edit, keep_edit
from automation.pipeline.requests import FixRequest
from automation.pipeline.result import FixResult
from automation.pipeline.runs import Run
from automation.pipeline.state import Status

LINES = st.lists(st.sampled_from(["a", "b", "", "    c", "--- d", "+++ e", "@@ f", "\\ g", "é\x0c"]), max_size=14)
TEXTS = st.builds(lambda lines, end: "\n".join(lines) + end, LINES, st.sampled_from(["", "\n", "\r\n"]))


def run_of(folder: Path, target: Path, before: dict[str, str], after: dict[str, str]) -> tuple[Run, FixResult]:
    for path, text in before.items():
        (target / path).write_bytes(text.encode())
    patch = Patch.of(
        {path: text.encode() for path, text in before.items()}, {path: text.encode() for path, text in after.items()}
    )
    run = Run("r", folder, 1, FixRequest(path=target))
    return run, FixResult("r", 1, str(target), str(folder), Status.AWAITING_APPROVAL, patch=patch.diff())


@given(before=TEXTS, after=TEXTS)
def test_the_proposed_text_is_what_the_patch_leads_to(
    tmp_path_factory: pytest.TempPathFactory, before: str, after: str
) -> None:
    folder = tmp_path_factory.mktemp("edit")
    run, result = run_of(folder, folder, {"one.py": before}, {"one.py": after})
    if before == after:
        with pytest.raises(EditRefused):
            files_to_edit(run, result)
        return
    (file,) = files_to_edit(run, result)
    assert (file.path, file.before, file.proposed) == ("one.py", before, after)


def test_new_files_come_along_and_those_taken_away_do_not(tmp_path: Path) -> None:
    (tmp_path / "gone.py").write_text("x = 1\n")
    patch = Patch.of({"gone.py": b"x = 1\n", "new.py": None}, {"gone.py": None, "new.py": b"y = 2\n"})
    result = FixResult("r", 1, str(tmp_path), "f", Status.AWAITING_APPROVAL, patch=patch.diff())
    (file,) = files_to_edit(Run("r", tmp_path, 1, FixRequest(path=tmp_path)), result)
    assert (file.path, file.before, file.proposed) == ("new.py", None, "y = 2\n")


def test_a_file_that_changed_since_is_not_edited_over(tmp_path: Path) -> None:
    run, result = run_of(tmp_path, tmp_path, {"one.py": "a\nb\nc\n"}, {"one.py": "a\nB\nc\n"})
    (tmp_path / "one.py").write_text("a\nother\nc\n")
    with pytest.raises(StaleSource, match=r"one\.py changed since"):
        files_to_edit(run, result)


def test_an_edit_replaces_the_one_before_and_stays_within_its_folder(tmp_path: Path) -> None:
    keep_edit(tmp_path, {"deep/old.py": "1"})
    place = keep_edit(tmp_path, {"a/new.py": "2", "b.py": "3"})
    assert {path.relative_to(place).as_posix() for path in place.rglob("*.py")} == {"a/new.py", "b.py"}
    with pytest.raises(EditRefused):
        keep_edit(tmp_path, {"../outside.py": "4"})
    assert not (tmp_path / "outside.py").exists()
