"""What all tests share: real candle files where they are at hand, no leftovers in the user's folders, no network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.offline import loopback_only

settings.register_profile(
    "suite",
    max_examples=int(os.environ.get("GRIDBOT_EXAMPLES", "25")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("suite")

_SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real candle files beside the repository; skips where it is missing."""
    if not _SHARED_DATA.is_dir():
        pytest.skip("real candle files (../shared/data) are not beside this checkout")
    return _SHARED_DATA


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test its own data home, so that none touches the user's."""
    home = tmp_path / "gridbot-home"
    monkeypatch.setenv("GRIDBOT_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def offline() -> Iterator[None]:
    """Let no test reach anything but this machine."""
    with loopback_only():
        yield
