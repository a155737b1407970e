"""A writer that is killed at any instant leaves a journal that holds each committed step whole, and none in part."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trading.orders.journal_samples import FACTS, contents, new_journal, step
from trading.errors import StateCorrupt, UsageError
from trading.orders.journal import Journal, holds_session
from trading.orders.journal_backup import verify

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")

_ROOT = Path(__file__).resolve().parents[3]
_STEPS = 4


def _run(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.trading.orders.journal_crashes", *arguments]
    return subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _expected(folder: Path, steps: int) -> list[dict[str, object]]:
    found = []
    with new_journal(folder / "expected") as journal:
        found.append(contents(journal))
        for number in range(steps):
            step(journal, number)
            found.append(contents(journal))
    return found


def test_killed_at_every_statement_and_around_every_commit(tmp_path: Path) -> None:
    expected = _expected(tmp_path, _STEPS)
    runs = tmp_path / "runs"
    runs.mkdir()
    process = _run("points", str(runs), str(_STEPS))
    _, errors = process.communicate()
    assert process.returncode == 0, errors

    files = sorted(runs.glob("*.sqlite"), key=lambda path: int(path.stem))
    before_there_is_a_session, ended_with = 0, set()
    for path in files:
        told = path.with_suffix(".told").stat().st_size
        try:
            journal = Journal.open(path)
        except (StateCorrupt, UsageError):
            assert not holds_session(path)
            before_there_is_a_session += 1
            assert told == 0
            Journal.create(path, FACTS).close()
            continue
        assert holds_session(path)
        with journal:
            steps = journal.order_count()
            # A kill after the commit and before it was told is the one instant at which more is there than was told.
            assert told <= steps <= told + 1
            assert contents(journal) == expected[steps]
            ended_with.add(steps - told)
            step(journal, steps)
            if steps < _STEPS:
                assert contents(journal) == expected[steps + 1]
        assert verify(path).orders == steps + 1
    assert before_there_is_a_session == 2
    assert ended_with == {0, 1}
    assert len(files) > 50


@pytest.mark.slow
def test_killed_at_random_instants_and_continued(tmp_path: Path) -> None:
    rng = random.Random(7)
    path = tmp_path / "j"
    new_journal(path).close()
    told = 0
    for _ in range(8):
        process = _run("forever", str(path))
        assert process.stdout is not None
        for _ in range(rng.randrange(1, 60)):
            told = int(process.stdout.readline())
        process.kill()
        # What it told between the last line read and its end counts as well.
        rest = process.stdout.read()
        process.communicate()
        told = max([told, *(int(line) for line in rest.splitlines() if line)])
        with Journal.read(path) as journal:
            assert told <= journal.order_count() <= told + 1
    with Journal.open(path) as journal:
        steps = journal.order_count()
        found = contents(journal)
    assert found == _expected(tmp_path, steps)[steps]
    assert verify(path).orders == steps
