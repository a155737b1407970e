"""Model files are read where the user keeps them, through links in a folder of the tests' own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from automation.models.catalog import CATALOG
from automation.models.files import models_folder
from tests.automation.models.ollama_server import OllamaServer

_USERS_FOLDER = models_folder()


@pytest.fixture(autouse=True)
def own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test an empty models folder, no Ollama and no configuration of the user's."""
    folder = tmp_path / "models"
    monkeypatch.setenv("GRIDBOT_MODELS", str(folder))
    for name in ("OLLAMA_HOST", "GRIDBOT_WHEELS", "GRIDBOT_AUTOMATION_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture(scope="session")
def linked_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with links to the model files that the user has; what is noted about them stays in it."""
    folder = tmp_path_factory.mktemp("linked-models")
    for model in CATALOG:
        file = _USERS_FOLDER / model.filename
        if file.is_file() and file.stat().st_size == model.bytes:
            (folder / model.filename).symlink_to(file)
            verified = file.with_name(f"{file.name}.verified")
            if verified.is_file():
                shutil.copy(verified, folder)
    return folder


@pytest.fixture
def ollama() -> Iterator[OllamaServer]:
    """An Ollama server with a chat model and one that fills in the middle."""
    with OllamaServer() as server:
        server.state.add("chatter:1b")
        server.state.add("filler:1b", capabilities=("completion", "insert"))
        yield server
