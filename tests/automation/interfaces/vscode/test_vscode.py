"""VS Code's files are in step with the registry, every task's line parses, and the user's own shortcuts are safe."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.interfaces.command_line import parse_line
from automation.interfaces.vscode.catalogue import NAMED_TASKS, PREFIXES
from automation.interfaces.vscode.commands import install, sync
from automation.interfaces.vscode.documents import documents, keybindings
from automation.interfaces.vscode.jsonc import read_jsonc
from automation.interfaces.vscode.requests import InstallRequest, SyncRequest
from automation.interfaces.vscode.shortcuts import keybindings_file, with_shortcuts, without_shortcuts
from automation.registry import gridbot_registry
from tests.automation.interfaces.vscode.task_lines import filled, run_task, small_workspace, tasks_of
from trading.commands import Risk, result_of
from trading.errors import ExitCode, Refused

ROOT = Path(__file__).resolve().parents[4]
REGISTRY = gridbot_registry()
TASKS = tasks_of(ROOT / ".vscode" / "tasks.json")
USERS = """// my own keys
[
  { "key": "ctrl+k", "command": "editor.action.deleteLines" }, // not to be lost
  {
    "key": "ctrl+shift+e", /* mine */
    "command": "workbench.view.explorer",
  },
]
"""


class TestSync:
    def test_the_repository_is_in_step_with_the_registry(self) -> None:
        result = result_of(sync(SyncRequest(path=ROOT, check=True)))
        assert result.exit_code is ExitCode.DONE, result.as_json()

    def test_every_command_but_money_by_hand_has_a_task(self) -> None:
        lines = [" ".join(map(str, task["args"])) + " " for task in TASKS]
        for command in REGISTRY:
            found = any(line.startswith(f"{command.name} ") for line in lines)
            assert found or (command.risk is Risk.MONEY and command.by_person), command.name

    def test_labels_differ_and_say_whose_they_are(self) -> None:
        labels = [str(task["label"]) for task in TASKS]
        assert len(set(labels)) == len(labels)
        assert all(label.startswith(PREFIXES) for label in labels)

    def test_shortcuts_start_tasks_that_exist(self) -> None:
        labels = {task["label"] for task in TASKS}
        bound = keybindings()
        assert {each["key"] for each in bound} == {
            f"ctrl+shift+{key}" for key in ("a", "s", "e", "d", "o", "t", "r", "j", "f12")
        }
        assert all(each["args"] in labels for each in bound)

    def test_inputs_that_are_asked_for_are_described(self) -> None:
        data = documents(REGISTRY)["tasks.json"]
        assert isinstance(data, dict)
        described = {each["id"] for each in data["inputs"]}
        text = json.dumps(data["tasks"])
        assert all(f"${{input:{name}}}" in text for name in described)
        assert text.count("${input:") == sum(text.count(f"${{input:{name}}}") for name in described)

    def test_a_persons_own_entries_stay_and_a_second_time_changes_nothing(self, tmp_path: Path) -> None:
        folder = tmp_path / ".vscode"
        folder.mkdir()
        (folder / "tasks.json").write_text(
            '{"version": "2.0.0", // mine\n "tasks": [{"label": "build", "command": "make"}, {"label": "AI: gone"}]}'
        )
        (folder / "settings.json").write_text('{"editor.fontSize": 15}')
        result_of(sync(SyncRequest(path=tmp_path)))
        labels = [task["label"] for task in tasks_of(folder / "tasks.json")]
        assert "build" in labels
        assert "AI: gone" not in labels
        settings = read_jsonc((folder / "settings.json").read_text(), "settings")
        assert isinstance(settings, dict)
        assert settings["editor.fontSize"] == 15
        assert result_of(sync(SyncRequest(path=tmp_path))).changed == ()

    def test_a_file_that_is_no_json_is_named_and_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / ".vscode" / "launch.json"
        path.parent.mkdir()
        path.write_text("{nonsense")
        with pytest.raises(Refused, match=r"launch\.json"):
            result_of(sync(SyncRequest(path=tmp_path)))
        assert path.read_text() == "{nonsense"
        assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: str(task["label"]))
def test_every_tasks_line_is_one_that_the_command_line_understands(task: dict[str, object]) -> None:
    words = filled(task, ROOT)
    command = parse_line(REGISTRY, shlex.join(words)).command
    assert command.name in " ".join(words)


QUICK = {"GridBot: status", "GridBot: sessions", "GridBot: data list", "GridBot: runs list", "AI: explain an error"}


@pytest.mark.parametrize(
    "task",
    [
        pytest.param(task, marks=[] if task["label"] in QUICK else pytest.mark.slow, id=str(task["label"]))
        for task in TASKS
    ],
)
def test_every_tasks_line_runs(task: dict[str, object], tmp_path: Path, own_home: Path) -> None:
    workspace = small_workspace(tmp_path / "workspace")
    ran = run_task(filled(task, workspace), workspace, own_home, stops_itself=not task.get("isBackground"))
    assert "Traceback" not in ran.said
    assert "unexpected" not in ran.said
    # what a task names may be missing in a small workspace; it is then told, and never a crash
    assert ran.code in {*map(int, ExitCode), -2}, ran.said


class TestInstall:
    def test_the_users_file_comes_back_to_the_last_character(self, tmp_path: Path) -> None:
        file = tmp_path / "keybindings.json"
        file.write_text(USERS)
        done = result_of(install(InstallRequest(file=file)))
        assert done.left_out == {"ctrl+shift+e": "workbench.view.explorer"}
        bound = read_jsonc(file.read_text(), "file")
        assert isinstance(bound, list)
        assert [each["key"] for each in bound][:2] == ["ctrl+k", "ctrl+shift+e"]
        assert len(bound) == 2 + len(keybindings()) - 1
        assert done.backup is not None
        assert done.backup.read_text() == USERS
        assert "// not to be lost" in file.read_text()
        assert result_of(install(InstallRequest(file=file))).exit_code is ExitCode.NOTHING_TO_DO
        result_of(install(InstallRequest(file=file, remove=True)))
        assert file.read_text() == USERS

    def test_force_takes_the_key_and_the_users_entry_stays_in_the_file(self, tmp_path: Path) -> None:
        file = tmp_path / "keybindings.json"
        file.write_text(USERS)
        done = result_of(install(InstallRequest(file=file, force=True)))
        assert len(done.keys) == len(keybindings())
        assert '"workbench.view.explorer"' in file.read_text()

    def test_without_a_file_one_is_made_and_taken_away_in_words(self, tmp_path: Path) -> None:
        file = tmp_path / "User" / "keybindings.json"
        done = result_of(install(InstallRequest(file=file)))
        assert read_jsonc(file.read_text(), "file") == keybindings()
        assert done.backup is None
        result_of(install(InstallRequest(file=file, remove=True)))
        assert file.read_text() == "[]\n"

    def test_a_file_that_is_no_list_is_refused_and_stays(self, tmp_path: Path) -> None:
        file = tmp_path / "keybindings.json"
        for text in ('{"key": 1}', "[{]"):
            file.write_text(text)
            with pytest.raises(Refused, match=r"keybindings\.json"):
                result_of(install(InstallRequest(file=file)))
            assert file.read_text() == text

    def test_each_editor_has_a_folder_of_its_own(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        places = {keybindings_file(editor) for editor in ("code", "insiders", "codium", "cursor")}
        assert len(places) == 4

    @given(
        entries=st.lists(
            st.fixed_dictionaries({"key": st.sampled_from(["ctrl+a", "ctrl+shift+a", "f5"]), "command": st.text()}),
            max_size=3,
        ),
        indent=st.sampled_from([None, 2, 4]),
        comment=st.sampled_from(["", "// end ] , [", "/* ] */", '// "key"']),
        trailing=st.booleans(),
    )
    def test_whatever_the_users_file_is_it_comes_back_and_stays_json(
        self, entries: list[dict[str, str]], indent: int | None, comment: str, trailing: bool
    ) -> None:
        text = json.dumps(entries, indent=indent)
        if trailing and entries:
            text = text[: text.rindex("]")].rstrip() + ",\n]"
        text += f" {comment}\n"
        merge = with_shortcuts(text, "file", force=False)
        value = read_jsonc(merge.text, "file")
        assert isinstance(value, list)
        assert value[: len(entries)] == entries
        assert len(value) == len(entries) + len(merge.keys)
        assert without_shortcuts(merge.text) == text


def test_named_tasks_are_the_ones_that_people_were_promised() -> None:
    labels = " ".join(task.label.lower() for task in NAMED_TASKS)
    for word in (
        *("core", "exchange server", "full pipeline", "debug current file", "generate tests", "review", "document"),
        *("optimize", "explain last error", "semantic search", "natural language", "model health", "console"),
    ):
        assert word in labels, word
