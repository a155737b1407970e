"""What cannot be solved honestly is not solved, and a repository that means harm does none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from tests.automation.pipeline.targets import FLAT, Gridbot, branches, contents, plant

SECRET = "hunter2-of-the-parent"
BUDGET = ("--model", "none", "--max-minutes", "0.1")

CANARIES = {
    "one test contradicts another": {
        "scale.py": "def scaled(value):\n    return value * 2\n",
        "test_scale.py": """
            from scale import scaled

            def test_doubles():
                assert scaled(3) == 6

            def test_contradicts():
                assert scaled(3) == 7
            """,
    },
    "two failing tests contradict each other": {
        "scale.py": "def scaled(value):\n    return value\n",
        "test_scale.py": """
            from scale import scaled

            def test_doubles():
                assert scaled(3) == 6

            def test_trebles():
                assert scaled(3) == 9
            """,
    },
    "a value that nobody can know": {
        "draw.py": "def draw():\n    return 4\n",
        "test_draw.py": """
            import os

            from draw import draw

            def test_draw():
                assert draw() == os.urandom(8).hex()
            """,
    },
    "one input is to be treated by itself": {
        "squares.py": "def square(number):\n    return number * number\n",
        "test_squares.py": """
            import pytest

            from squares import square

            @pytest.mark.parametrize("number", range(7))
            def test_square(number):
                assert square(number) == number ** 2

            def test_seven():
                assert square(7) == "magic"

            def test_eight():
                assert square(8) == 64
            """,
    },
    "it fails in the test's own code": {
        "limits.py": "def limit():\n    return 10\n",
        "test_limits.py": """
            from limits import limit

            def test_limit():
                assert limit() == 10

            def test_typing_error():
                assert limti() == 10
            """,
    },
}


# one that cannot be solved, and the two that could do most harm; `make test-all` runs the others too
QUICK = {"one test contradicts another", "deletes every file that it finds", "reads the environment"}


def _marks(name: str) -> tuple[pytest.MarkDecorator, ...]:
    return () if name in QUICK else (pytest.mark.slow,)


@pytest.mark.parametrize("canary", [pytest.param(name, marks=_marks(name)) for name in CANARIES])
def test_what_cannot_be_solved_honestly_ends_unfixed(canary: str, tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    target = plant(tmp_path / "target", CANARIES[canary])
    before = contents(target)
    code, answer, errors = gridbot(home, "fix", str(target), *BUDGET)
    assert (code, answer["status"]) == (1, "unfixed"), (answer["patch"], errors)
    assert answer["reason"]
    assert (answer["branch"], answer["landed"]) == (None, None)
    assert contents(target) == before


def test_a_change_that_fails_another_test_is_not_taken(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    # Returning the limit mends the one test and breaks the other, far away, which only the whole suite runs.
    files = {
        "clip.py": """
            def clipped(value, limit):
                if value > limit:
                    return value
                return value
            """,
        "prices.py": "from clip import clipped\n\n\ndef price(value):\n    return clipped(value, 100)\n",
        "test_clip.py": "from clip import clipped\n\n\ndef test_over():\n    assert clipped(12, 10) == 10\n",
        "far/away/test_prices.py": """
            from prices import price

            def test_price():
                assert price(50) == 50

            def test_price_at_the_limit():
                assert price(100) == 100
            """,
    }
    target = plant(tmp_path / "target", files)
    code, answer, errors = gridbot(home, "fix", str(target), "--model", "none")
    assert (code, answer["status"]) == (0, "fixed"), (answer["reason"], errors)
    assert answer["tests_after"]["passed"] == 3
    assert answer["tests_after"]["failed"] == 0


HOSTILE: Mapping[str, str] = {
    "deletes every file that it finds": """
        import os
        import shutil
        from pathlib import Path

        def test_deletes():
            for place in (Path.cwd(), Path.home(), Path({home!r}), Path({target!r}), Path("/tmp")):
                shutil.rmtree(place, ignore_errors=True)
            assert days_in(2, leap=True) == 29
        """,
    "forks without end": """
        import os

        def test_forks():
            while True:
                try:
                    os.fork()
                except OSError:
                    pass
        """,
    "sleeps for ever": """
        import signal
        import time

        def test_sleeps():
            for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            while True:
                time.sleep(1000)
        """,
    "prints a gigabyte": """
        import os
        import sys

        def test_prints():
            page = b"x" * (1 << 20)
            for _ in range(1024):
                os.write(1, page)
                os.write(2, page)
                sys.__stdout__.write("y" * (1 << 20))
            assert days_in(2, leap=True) == 29
        """,
    "reads the environment": """
        import os
        from pathlib import Path

        def test_reads():
            seen = [str(dict(os.environ))]
            for process in Path("/proc").glob("[0-9]*/environ"):
                try:
                    seen.append(process.read_bytes().decode())
                except OSError:
                    pass
            for file in ({home_key!r}, {target_key!r}):
                if Path(file).exists():
                    seen.append(Path(file).read_text())
            text = "\\n".join(seen)
            print(text)
            assert days_in(2, leap=True) == 29, text
        """,
}


@pytest.mark.parametrize("harm", [pytest.param(name, marks=_marks(name)) for name in HOSTILE])
def test_a_hostile_repository_does_no_harm(harm: str, tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "key").write_text(SECRET)
    keys = {"home_key": str(mine / "key"), "target_key": str(Path.home() / ".ssh" / "id_rsa")}
    body = HOSTILE[harm].format(home=str(mine), target=str(tmp_path / "target"), **keys)
    text = f"from dates import days_in\n{dedent(body)}"
    broken = FLAT["dates.py"].replace("29 if", "30 if")
    target = plant(tmp_path / "target", {**FLAT, "dates.py": broken, "test_hostile.py": text})
    before, kept = contents(target), contents(mine)
    config = home.with_name("quick.json")
    quick = {
        "repair": {"plausible_extra_s": 0.1, "test_timeout_s": 1.5},
        "sandbox": {"processes": 32, "memory_mb": 512, "wall_s": 6},
    }
    config.write_text(json.dumps(quick))
    variables = {"EXCHANGE_SECRET": SECRET, "API_KEY": SECRET, "GRIDBOT_AUTOMATION_CONFIG": str(config)}
    code, answer, errors = gridbot(home, "fix", str(target), *BUDGET, variables=variables)
    assert code in (0, 1), (answer, errors)
    after = contents(target)
    assert {name: after[name] for name in before} == before
    assert len(branches(target)) == (code == 0)
    assert contents(mine) == kept
    assert answer["tests_before"]["failed"] + answer["tests_before"]["timeout"] + answer["tests_before"]["crashed"] >= 1
    assert SECRET not in json.dumps(answer) + errors
    for name, content in contents(home).items():
        assert SECRET.encode() not in content, name
        assert len(content) < 20_000_000, name
    assert not list((home / "work").glob("*/"))
