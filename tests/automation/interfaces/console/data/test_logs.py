"""Logs are read from their ends, followed through rotation, and never swallowed whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.interfaces.console.data.logs import LEVELS, LogLine, LogTail, log_files
from tests.automation.interfaces.console.console_home import write_log

Follow = Callable[[Path], LogTail]


@pytest.fixture
def follow() -> Iterator[Follow]:
    tails: list[LogTail] = []

    def opened(path: Path) -> LogTail:
        tails.append(LogTail(path))
        return tails[-1]

    yield opened
    for tail in tails:
        tail.close()


def _texts(lines: list[LogLine]) -> list[str]:
    return [line.text for line in lines]


def test_a_session_log_is_read_with_level_code_facts_and_action(tmp_path: Path, follow: Follow) -> None:
    path = write_log(tmp_path, "one")
    lines = follow(path).read()
    assert [line.level for line in lines] == list(LEVELS)
    assert lines[1].text == "order side=buy quantity=0.0099 price=30235.70"
    assert lines[2].text == "E003 feed stale seconds=12 (asking by REST)"
    assert lines[3].time.startswith("2023-11-15T08:14:00")


def test_what_is_added_comes_once_and_half_a_line_only_when_it_is_whole(tmp_path: Path, follow: Follow) -> None:
    path = tmp_path / "a.log"
    path.write_text("first\nsec")
    tail = follow(path)
    assert _texts(tail.read()) == ["first"]
    assert tail.read() == []
    with path.open("a") as file:
        file.write("ond\nthird\n")
    assert _texts(tail.read()) == ["second", "third"]


def test_rotation_loses_no_line_of_either_file(tmp_path: Path, follow: Follow) -> None:
    path = tmp_path / "a.log"
    path.write_text("one\n")
    tail = follow(path)
    tail.read()
    with path.open("a") as file:
        file.write("two\nthree without an end")
    path.rename(tmp_path / "a.log.1")
    # between the two files there is none for a moment
    assert _texts(tail.read()) == ["two"]
    path.write_text("four\n")
    assert _texts(tail.read()) == ["three without an end", "four"]


def test_a_file_emptied_in_place_is_read_from_its_new_beginning(tmp_path: Path, follow: Follow) -> None:
    path = tmp_path / "a.log"
    path.write_text("a long first line\nand a second one\n")
    tail = follow(path)
    tail.read()
    path.write_text("new\n")
    assert _texts(tail.read()) == ["new"]


def test_a_huge_file_is_read_from_its_end_only(tmp_path: Path, follow: Follow) -> None:
    path = tmp_path / "huge.log"
    with path.open("wb") as file:
        # sparse: three gigabytes that could not be read within the test
        file.seek(3_000_000_000)
        file.write(b"\nthe newest record\n")
    assert _texts(follow(path).read())[-1] == "the newest record"


def test_a_file_that_is_not_there_yet_is_found_when_it_comes(tmp_path: Path, follow: Follow) -> None:
    tail = follow(tmp_path / "later.log")
    assert tail.read() == []
    tail.path.write_text("WARNING it came\n")
    assert tail.read() == [LogLine("", "warning", "WARNING it came")]


def test_a_tracebacks_lines_have_the_level_of_their_record(tmp_path: Path, follow: Follow) -> None:
    path = tmp_path / "a.log"
    path.write_text('ERROR broken\nTraceback (most recent call last):\n  File x\nINFO fine\nnot {json\n{"torn\n')
    assert [line.level for line in follow(path).read()] == ["error", "error", "error", "info", "info", "info"]


@given(
    lines=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), min_size=1, max_size=12)),
    cuts=st.lists(st.integers(0, 200), max_size=6),
)
def test_however_the_bytes_arrive_the_lines_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    path: Path = folder / "a.log"
    path.touch()
    whole = "".join(f"x{line}\n" for line in lines).encode()
    tail, got, place = LogTail(path), [], 0
    for cut in [*sorted(cuts), len(whole)]:
        with path.open("ab") as file:
            file.write(whole[place : max(cut, place)])
        place = max(cut, place)
        got += tail.read()
    tail.close()
    assert len(got) == len(lines)


def test_files_are_listed_newest_first_and_vanished_ones_are_left_out(tmp_path: Path) -> None:
    session = write_log(tmp_path / "home" / "sessions" / "one", "one")
    other = tmp_path / "repo" / "service.log"
    other.parent.mkdir()
    other.write_text("hello\n")
    os.utime(session, (1, 1))
    (tmp_path / "repo" / "gone.log").symlink_to(tmp_path / "nowhere")
    files = log_files(tmp_path / "home", tmp_path / "repo")
    assert [file.label for file in files] == ["service.log", "sessions/one/log/session.jsonl"]


def test_filters_by_level_and_by_all_words(tmp_path: Path) -> None:
    line = LogLine("", "warning", "E003 feed stale")
    assert line.fits("warning", ("feed", "e003"))
    assert not line.fits("error", ())
    assert not line.fits("debug", ("feed", "order"))
