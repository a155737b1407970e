"""Small repositories with faults for the pipeline's tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).resolve().parents[3]

SHOP = {
    "shop/__init__.py": "",
    "shop/basket.py": '''
        """Baskets."""


        def total(prices, discount=0):
            """Sum prices and take off a discount in percent."""
            amount = 0
            for price in prices:
                amount += price
            return amount - amount * discount // 100


        def cheapest(prices, count):
            """Return the cheapest prices."""
            return sorted(prices)[:count + 1]
        ''',
    "tests/test_basket.py": """
        from shop.basket import cheapest, total


        def test_total():
            assert total([10, 20]) == 30


        def test_discount():
            assert total([100], 10) == 90


        def test_cheapest():
            assert cheapest([5, 1, 4, 2], 2) == [1, 2]


        def test_cheapest_of_none():
            assert cheapest([], 3) == []
        """,
}
FLAT = {
    "dates.py": """
        def days_in(month, leap=False):
            if month == 2:
                return 29 if leap else 28
            return 30 if month in (4, 6, 9) else 31
        """,
    "test_dates.py": """
        from dates import days_in


        def test_february():
            assert days_in(2) == 28


        def test_may():
            assert days_in(5) == 31


        def test_leap():
            assert days_in(2, leap=True) == 29
        """,
}
CONTRADICTION = {
    "scale.py": """
        def scaled(value):
            return value * 2
        """,
    "test_scale.py": """
        from scale import scaled


        def test_doubles():
            assert scaled(3) == 6


        def test_contradicts():
            assert scaled(3) == 7
        """,
}


def plant(folder: Path, files: Mapping[str, str], *, git: bool = True) -> Path:
    """Write files into a new folder, as a repository with one commit unless told otherwise."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    if git:
        git_run(folder, "init", "-q", "-b", "main")
        git_run(folder, "add", "-A")
        git_run(folder, "commit", "-qm", "start")
    return folder


def git_run(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its bytes, those of git too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def command(home: Path, *words: str) -> tuple[list[str], dict[str, str]]:
    """Return the command line and environment of a gridbot command with a data home of its own."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "GRIDBOT_HOME": str(home)}
    return [sys.executable, "-m", "automation.cli", *words], variables


def gridbot(home: Path, *words: str, cwd: Path | None = None) -> tuple[int, dict[str, object], str]:
    """Run a gridbot command to its end and return exit code, JSON and stderr."""
    line, variables = command(home, *words, "--json")
    done = subprocess.run(line, env=variables, cwd=cwd or home.parent, capture_output=True, text=True, timeout=240)
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        raise AssertionError(f"no JSON on stdout: {done.stdout!r}; stderr: {done.stderr}") from error
    return done.returncode, answer, done.stderr
