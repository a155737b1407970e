"""What the pipeline's tests share: commands in processes of their own, and a data home for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.automation.pipeline.targets import Gridbot


@pytest.fixture(scope="module")
def gridbot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gridbot]:
    """Run gridbot commands, each in a process of its own."""
    runner = Gridbot(tmp_path_factory.mktemp("gridbot"))
    yield runner
    runner.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give a data home that lies in no folder that the policy takes for a throw-away copy's."""
    return tmp_path / "home"
