"""Small repositories with faults for the pipeline's tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from textwrap import dedent

from tests.automation.bare_python import bare_python
from tests.automation.pipeline.sittings import Halt

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


class Gridbot:
    """Runs gridbot commands, each in a process of its own; see `sittings`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # The policy takes copies in the system's temporary folder for throw-away ones; the tests' own must not be.
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("sittings.py"))],
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(self.temporary)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(
        self, home: Path, *words: str, cwd: Path | None = None, variables: Mapping[str, str] = {}
    ) -> tuple[int, dict[str, object], str]:
        """Run a command to its end and return exit code, JSON and stderr."""
        self.start(home, *words, cwd=cwd, variables=variables)
        return self.ended()

    def halted(self, home: Path, *words: str, halt: Halt) -> tuple[int, str]:
        """Run a command that stops where it is told to; return its exit code (a signal as a negative) and stderr."""
        self.start(home, *words, halt=halt)
        return self._answer(), (self._folder / "stderr").read_text(encoding="utf-8")

    def start(
        self,
        home: Path,
        *words: str,
        cwd: Path | None = None,
        variables: Mapping[str, str] = {},
        halt: Halt | None = None,
    ) -> None:
        """Begin a command; `ended` waits for it."""
        home.mkdir(parents=True, exist_ok=True)
        order = {
            "arguments": [*words, *_interpreter(words), "--json"],
            "variables": {**own_settings(home), **variables},
            "cwd": str(cwd or home.parent),
            "stdout": str(self._folder / "stdout"),
            "stderr": str(self._folder / "stderr"),
            "halt": asdict(halt) if halt else None,
        }
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()

    def ended(self) -> tuple[int, dict[str, object], str]:
        """Wait for a command and return exit code, JSON and stderr."""
        code = self._answer()
        printed, errors = ((self._folder / name).read_text(encoding="utf-8") for name in ("stdout", "stderr"))
        return code, one_object(printed, errors), errors

    def close(self) -> None:
        """End the process that forks."""
        self._server.communicate()

    def _answer(self) -> int:
        assert self._server.stdout is not None
        answer = json.loads(self._server.stdout.readline())
        assert not answer["outlived"], "a process of the run lives on"
        return int(answer["code"])


def _interpreter(words: tuple[str, ...]) -> list[str]:
    # a recorded session needs all that GridBot needs
    runs_tests = words[0] in ("fix", "nightly") and not {"--python", "--session"} & set(words)
    return ["--python", str(bare_python())] if runs_tests else []


def own_settings(home: Path) -> dict[str, str]:
    """Return the variables that give a command a data home and a configuration of its own."""
    config = home.with_name(f"{home.name}-config.json")
    if not config.is_file():
        quick = {"repair": {"plausible_extra_s": 0.5, "test_timeout_s": 2.0}}
        config.write_text(json.dumps(quick), encoding="utf-8")
    return {"GRIDBOT_HOME": str(home), "GRIDBOT_AUTOMATION_CONFIG": str(config)}


def one_object(printed: str, errors: str = "") -> dict[str, object]:
    """Return the one JSON object that a command printed."""
    try:
        answer = json.loads(printed)
    except ValueError as error:
        raise AssertionError(f"no JSON on stdout: {printed!r}; stderr: {errors}") from error
    assert isinstance(answer, dict)
    return answer


def command_line(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a gridbot command as a shell would."""
    home.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "automation.cli", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), **own_settings(home)},
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def branches(folder: Path) -> list[str]:
    """Return the names of GridBot's branches in a repository."""
    return git_run(folder, "branch", "--list", "--format=%(refname:short)", "gridbot/*").split()


def files_beside_git(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder with its bytes, without git's own."""
    return {name: content for name, content in contents(folder).items() if not name.startswith(".git/")}
