"""The model commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from automation.errors import ModelUnavailable
from automation.models.commands import bench, health, list_models, pull, use
from automation.models.files import ModelFiles
from automation.models.registered import MODEL_COMMANDS
from automation.models.requests import BenchRequest, HealthRequest, ListModelsRequest, PullRequest, UseRequest
from tests.automation.models.gguf_files import write_gguf
from tests.automation.models.ollama_server import OllamaServer
from trading.commands import result_of
from trading.errors import ExitCode


@pytest.fixture
def settings(ollama: OllamaServer, tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"models": {"ollama_url": ollama.url}}))
    return path


def test_list_shows_what_is_here_and_what_can_be_pulled(settings: Path) -> None:
    listed = result_of(list_models(ListModelsRequest(config=settings)))
    rows = {row.name: row.backend for row in listed.models}
    assert rows["chatter:1b"] == "ollama"
    assert rows["qwen2.5-coder:1.5b"] is None
    assert listed.exit_code is ExitCode.DONE


def test_health_names_the_model_of_each_role(settings: Path, ollama: OllamaServer) -> None:
    ollama.state.add("all-minilm:latest", capabilities=("embedding",))
    ollama.state.add("smollm2:135m")
    result = result_of(health(HealthRequest(config=settings)))
    assert {role.role: role.model for role in result.roles} == {
        "orchestrator": "smollm2:135m",
        "debugger": "smollm2:135m",
        "optimizer": "smollm2:135m",
        "embedder": "all-minilm:latest",
    }
    assert result.exit_code is ExitCode.DONE
    assert [name for name, _ in result.backends] == ["ollama", "embedded"]


def test_health_fails_when_no_backend_works(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"models": {"ollama_url": "http://127.0.0.1:1"}}')
    result = result_of(health(HealthRequest(config=path)))
    assert result.exit_code is ExitCode.FAILED
    assert all(role.model is None for role in result.roles)


def test_pull_through_ollama(settings: Path, ollama: OllamaServer) -> None:
    ollama.state.pullable = ("qwen3:1.7b",)
    result = result_of(pull(PullRequest(config=settings, name="qwen3:1.7b")))
    assert result.as_json() == {"name": "qwen3:1.7b", "source": "ollama", "path": None, "notes": []}


def test_use_prefers_a_file_of_the_users_own_until_it_is_undone(settings: Path, tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "Mine.gguf", {"general.architecture": "a", "a.context_length": 512})
    result = result_of(use(UseRequest(config=settings, model=str(path))))
    assert (result.roles, result.model) == (("orchestrator", "debugger", "optimizer"), "mine")
    roles = {role.role: role.model for role in result_of(health(HealthRequest(config=settings))).roles}
    assert roles["debugger"] == "mine"
    result_of(use(UseRequest(config=settings, model="default", role="debugger")))
    assert (ModelFiles().choice("debugger"), ModelFiles().choice("optimizer")) == (None, "mine")


def test_use_of_a_model_that_ollama_has(settings: Path) -> None:
    assert result_of(use(UseRequest(config=settings, model="chatter:1b", role="debugger"))).model == "chatter:1b"


def test_use_refuses_what_is_no_model(settings: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.gguf"
    text.write_text("this is not a model file at all")
    with pytest.raises(ModelUnavailable, match="no GGUF"):
        result_of(use(UseRequest(config=settings, model=str(text))))
    with pytest.raises(ModelUnavailable, match="nowhere:1b"):
        result_of(use(UseRequest(config=settings, model="nowhere:1b")))
    mine = write_gguf(tmp_path / "m.gguf", {"general.architecture": "a"})
    with pytest.raises(ModelUnavailable, match="another name"):
        result_of(use(UseRequest(config=settings, model=str(mine), name="smollm2:135m")))


def test_bench_measures_reading_writing_and_filling(settings: Path) -> None:
    result = result_of(bench(BenchRequest(config=settings, names=["filler:1b", "chatter:1b"], tokens=8)))
    filler, chatter = result.models
    assert filler.tokens_per_s > 0
    assert filler.prompt_tokens_per_s > 0
    assert filler.fim_s is not None
    assert chatter.fim_s is None


def test_bench_without_a_model_says_how_to_get_one(settings: Path) -> None:
    with pytest.raises(ModelUnavailable, match="gridbot models pull"):
        result_of(bench(BenchRequest(config=settings)))


def test_entries_load_what_they_name() -> None:
    for entry in MODEL_COMMANDS:
        assert callable(entry.load_function())
        assert entry.load_request().model_fields
