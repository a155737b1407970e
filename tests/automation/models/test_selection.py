"""Which model answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from automation.config import config_of
from automation.config_sections import AutomationConfig
from automation.errors import ConfigInvalid, ModelUnavailable
from automation.models.files import ModelFiles
from automation.models.protocol import Message
from automation.models.selection import open_model
from tests.automation.models.gguf_files import write_gguf
from tests.automation.models.ollama_server import OllamaServer

NOWHERE = "http://127.0.0.1:1"


def config(url: str, **models: object) -> AutomationConfig:
    return config_of({"models": {"ollama_url": url, **models}})


def own_file(tmp_path: Path, name: str = "mine") -> Path:
    path = write_gguf(tmp_path / f"{name}.gguf", {"general.architecture": "a", "a.context_length": 512})
    ModelFiles().register(name, path)
    return path


def test_auto_takes_ollama_when_it_has_the_roles_model_and_says_so_once(ollama: OllamaServer, tmp_path: Path) -> None:
    own_file(tmp_path)
    ollama.state.add("deepseek-coder:latest")
    ollama.state.add("smollm2:135m")
    said: list[str] = []
    model = open_model(config(ollama.url), notify=said.append)
    assert model is not None
    assert (model.name, model.backend) == ("deepseek-coder:latest", "ollama")
    assert said == ["deepseek-coder:latest (ollama) takes the role debugger"]


def test_fallbacks_are_tried_in_order(ollama: OllamaServer) -> None:
    ollama.state.add("smollm2:135m")
    ollama.state.add("qwen2.5-coder:0.5b", capabilities=("completion", "insert"))
    said: list[str] = []
    model = open_model(config(ollama.url), "debugger", notify=said.append)
    assert model is not None
    assert (model.name, model.fim) == ("qwen2.5-coder:0.5b", True)
    assert said == ["qwen2.5-coder:0.5b (ollama) takes the role debugger in place of deepseek-coder"]


def test_embedded_follows_when_ollama_has_none(ollama: OllamaServer, tmp_path: Path) -> None:
    own_file(tmp_path)
    roles = {"debugger": {"model": "mine"}}
    model = open_model(config(ollama.url, roles=roles))
    assert model is not None
    assert (model.name, model.backend) == ("mine", "embedded")


def test_embedded_follows_when_ollama_does_not_answer(tmp_path: Path) -> None:
    own_file(tmp_path)
    model = open_model(config(NOWHERE, roles={"debugger": {"model": "mine"}}))
    assert model is not None
    assert model.backend == "embedded"


def test_none_is_left_when_nothing_is_there_and_it_says_why() -> None:
    said: list[str] = []
    assert open_model(config(NOWHERE), notify=said.append) is None
    assert len(said) == 1
    assert "ollama serve" in said[0]
    assert "gridbot models pull" in said[0]


@pytest.mark.parametrize(("choice", "backend"), [("none", "auto"), ("auto", "none"), ("debugger", "none")])
def test_none_asked_for_is_none(ollama: OllamaServer, choice: str, backend: str) -> None:
    ollama.state.add("deepseek-coder")
    said: list[str] = []
    assert open_model(config(ollama.url, backend=backend), choice, notify=said.append) is None
    assert len(said) == 1
    assert ollama.state.calls == []


def test_configured_backend_is_the_only_one(ollama: OllamaServer, tmp_path: Path) -> None:
    own_file(tmp_path)
    ollama.state.add("mine")
    roles = {"debugger": {"model": "mine"}}
    for backend in ("ollama", "embedded"):
        model = open_model(config(ollama.url, backend=backend, roles=roles))
        assert model is not None
        assert model.backend == backend


def test_named_model_that_is_nowhere_is_refused(ollama: OllamaServer, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="gridbot models pull nowhere:1b"):
        open_model(config(ollama.url), "nowhere:1b")
    with pytest.raises(ModelUnavailable, match="no model file"):
        open_model(config(ollama.url), str(tmp_path / "none.gguf"))
    with pytest.raises(ConfigInvalid):
        open_model(config(ollama.url), "auto", role="cook")


def test_file_is_opened_by_its_path(tmp_path: Path) -> None:
    path = own_file(tmp_path)
    model = open_model(config(NOWHERE), str(path))
    assert model is not None
    assert (model.name, model.backend, model.context) == (str(path), "embedded", 512)


def test_model_that_a_person_chose_stands_above_the_configured_one(ollama: OllamaServer, tmp_path: Path) -> None:
    own_file(tmp_path)
    ollama.state.add("deepseek-coder")
    ModelFiles().choose("debugger", "mine")
    model = open_model(config(ollama.url))
    assert model is not None
    assert model.name == "mine"
    ModelFiles().choose("debugger", None)
    again = open_model(config(ollama.url))
    assert again is not None
    assert again.name == "deepseek-coder"


def test_run_writes_its_calls_into_its_folder_and_shares_cache_and_budget(
    ollama: OllamaServer, own_home: Path, tmp_path: Path
) -> None:
    settings = config(ollama.url)
    model = open_model(settings, "chatter:1b", run="r1")
    elsewhere = open_model(settings, "chatter:1b", run="r1", folder=tmp_path / "run")
    assert model is not None
    assert elsewhere is not None
    model.chat([Message("user", "hello")])
    assert elsewhere.chat([Message("user", "hello")]).cached
    for folder in (own_home / "runs" / "r1", tmp_path / "run"):
        (line,) = (folder / "model_calls.jsonl").read_text().splitlines()
        assert json.loads(line)["model"] == "chatter:1b"
    assert (own_home / "models" / "budget.sqlite").is_file()


def test_without_a_run_nothing_is_written_down(ollama: OllamaServer, own_home: Path) -> None:
    model = open_model(config(ollama.url), "chatter:1b")
    assert model is not None
    model.chat([Message("user", "hello")])
    assert not list(own_home.rglob("*.jsonl"))
