"""Routers that stand in a home with sessions and repair runs, and a file open in the editor."""

from __future__ import annotations

from pathlib import Path

import pytest

from automation.assistant.opening import sentence_model
from automation.assistant.router import Router
from benchmarks.assistant import open_bench, prepare_home


@pytest.fixture(scope="session")
def bench_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data home with three sessions and three repair runs."""
    return prepare_home(tmp_path_factory.mktemp("assistant"))


@pytest.fixture(scope="session")
def router(bench_home: Path) -> Router:
    """A router with the sentence model; skips where its packages are not installed."""
    if sentence_model() is None:
        pytest.skip("the sentence model's packages are not installed")
    return open_bench(bench_home)


@pytest.fixture(scope="session")
def words_router(bench_home: Path) -> Router:
    """A router that compares words alone."""
    return open_bench(bench_home, with_meaning=False)
