"""One server for all tests that only ask it things; what each changes lies apart from what the others look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.automation.codebase.repositories import make_repository
from tests.automation.interfaces.mcp.served import CALC, TESTS, Address, served

SECRET = "zq9-kept-from-every-client"


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    root = tmp_path_factory.mktemp("mcp")
    files = {"calc.py": CALC.encode(), "test_calc.py": TESTS.encode(), ".gitignore": b"reports/\n"}
    folder = make_repository(root / "project", files)
    (folder / "reports").mkdir()
    (folder / "reports" / "page.html").write_text(f"<p>a report; api_key = '{SECRET}'</p>")
    (root / "secret.txt").write_text("outside")
    with served(folder, root / "home") as where:
        yield where
