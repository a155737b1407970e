"""The HTML report of a run: hostile text stays text, and every ending gives a whole page."""

from __future__ import annotations

from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest

from automation.pipeline.nightly_report import NightlyResult, render_night, write_nightly
from automation.pipeline.report import counts_text, render_report, write_report
from automation.pipeline.result import FixResult
from automation.pipeline.state import Status
from trading.errors import Refused

HOSTILE = """</pre></style><script>alert("x")</script><img src=x onerror='y'>{{ 7 * 7 }}&amp;"""
VOID = {"meta", "link", "br", "img", "input", "hr"}
IN_SVG = {"path", "rect", "circle", "line"}


class Page(HTMLParser):
    """What a browser makes of a page: its tags, attributes and text; a tag that is not closed in order is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def full_result(text: str, status: Status = Status.FIXED) -> FixResult:
    """Return a result in which every text that may come from outside is the given one."""
    frame = {"path": text, "line": 3, "function": text, "own": True, "test": False, "values": {text: text}}
    raised = {"type": text, "message": text, "frames": [frame]}
    rival = {
        "proposer": text,
        "description": text,
        "place": text,
        "score": 0.5,
        "specialised": 0.1,
        "agreement": 0.5,
        "behaves_like": 1,
        "differs_on": [text, text],
    }
    return FixResult(
        run_id="20261121-093000-abcd",
        started_ms=1_790_000_000_000,
        target=text,
        folder="/runs/20261121-093000-abcd",
        status=status,
        reason=text,
        incident={"title": text, "kind": "logic", "tests": [text], "chain": [raised], "fingerprint": "f"},
        others=[text],
        diagnosis=[{"path": text, "line": n, "function": text, "score": 0.9, "reasons": [text]} for n in range(9)],
        patch=f"diff --git a/x b/x\n--- a/{text}\n+++ b/{text}\n@@ -1 +1 @@\n-{text}\n+{text}\n \n",
        chosen=[rival],
        alternatives=[rival, rival],
        landed={"how": "branch", "branch": text, "commit": "c", "path": None},
        approval="by policy",
        proposer=text,
        tried={text: 3},
        candidates_per_second=12.0,
        model=text,
        model_calls=1,
        model_tokens=9,
        seconds={"observe": 1.0, text: 2.0},
        tests_before={"passed": 1, "failed": 1},
        tests_after={"passed": 2, "failed": 0},
        guard_findings=[{"rule": text, "path": text, "line": 1, "message": text, "blocking": False}],
    )


@pytest.mark.parametrize("status", Status)
def test_hostile_text_stays_text_whatever_the_ending(status: Status) -> None:
    harmless, hostile = (Page(render_report(full_result(text, status))) for text in ("harmless", HOSTILE))
    assert hostile.open == harmless.open == []
    assert hostile.tags == harmless.tags
    assert [name for name, _ in hostile.attributes] == [name for name, _ in harmless.attributes]
    assert "script" not in hostile.tags
    assert HOSTILE in hostile.text
    assert status.value.replace("_", " ") in hostile.text
    addresses = [value or "" for name, value in hostile.attributes if name in ("href", "src")]
    assert all(address.startswith(("#", "data:")) for address in addresses)


@pytest.mark.parametrize("status", Status)
def test_a_run_that_ended_early_has_a_page_too(status: Status, tmp_path: Path) -> None:
    bare = FixResult("r", 0, "t", "/runs/r", status)
    write_report(bare, tmp_path / "report.html")
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert page.open == []
    assert "nothing to repair" in page.text
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_night_s_page_keeps_hostile_text_as_text(tmp_path: Path) -> None:
    check = {"name": HOSTILE, "ok": False, "detail": HOSTILE, "needed": True}
    failed_benchmark = {"command": HOSTILE, "problem": HOSTILE}
    night = NightlyResult(1_790_000_000_000, HOSTILE, 5, (check,), HOSTILE, full_result(HOSTILE), failed_benchmark, 3.0)
    written = write_nightly(night, tmp_path / "out")
    page = Page((written.folder / "report.html").read_text(encoding="utf-8"))
    assert page.open == []
    assert "script" not in page.tags
    assert HOSTILE in page.text
    assert Page(render_night(NightlyResult(0, "t", 5))).open == []


def test_a_report_s_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="choose another --out"):
        write_nightly(NightlyResult(0, "t", 5), tmp_path / "file" / "out")


def test_counts_are_told_in_words_without_those_that_are_none() -> None:
    assert counts_text({"passed": 41, "failed": 3, "error": 0}) == "41 passed, 3 failed"
    assert counts_text({"passed": 0}) == "none"


def test_a_result_is_told_as_text_for_people() -> None:
    from rich.console import Console

    for status in Status:
        console = Console(width=160, record=True, file=StringIO())
        console.print(full_result("[red]text[/red]", status).as_text(), markup=False)
        told = console.export_text()
        assert status.value.replace("_", " ") in told
        assert "[red]text[/red]" in told
