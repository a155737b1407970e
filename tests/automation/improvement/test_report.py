"""The improvement report: figures from the ledger, as text, JSON and a page with a chart."""

from __future__ import annotations

import json
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from automation.improvement.commands import compare_two, report, since_in_ms
from automation.improvement.ledger import Ledger, ledger_path
from automation.improvement.page import chart_of, render_page
from automation.improvement.records import DAY_MS, Status, Success
from automation.improvement.registered import IMPROVEMENT_COMMANDS
from automation.improvement.report import improvement_report
from automation.improvement.requests import CompareRequest, ReportRequest
from automation.interfaces.command_line import run_command_line
from tests.automation.improvement.runs import START_MS, records, run
from trading.commands import Registry, result_of
from trading.errors import ExitCode, Refused, UsageError


def text_of(result) -> str:
    console = Console(width=160)
    with console.capture() as capture:
        console.print(result.as_text())
    return capture.get()


def three_runs() -> None:
    with Ledger(ledger_path()) as ledger:
        ledger.record(run(1, day=0, seconds={"propose": 10.0}))
        ledger.record(run(2, day=2, seconds={"propose": 30.0}, kind="type", model_tokens=700))
        ledger.record(run(3, Status.UNFIXED, day=3, seconds={"propose": 500.0, "localise": 1.0}))


def test_report_tells_rates_times_and_proposers(tmp_path):
    three_runs()
    found = result_of(report(ReportRequest(out=tmp_path)))
    plain = json.loads((tmp_path / "report.json").read_text())
    assert plain == json.loads(json.dumps(found.as_json()))
    assert plain["success"]["rate"] == pytest.approx(2 / 3)
    assert plain["median_repair_s"] == 20.0
    assert plain["by_kind"]["logic"]["rate"] == 0.5
    assert plain["model_tokens"] == 700
    assert plain["proposers"]["template:comparison"] == {"candidates": 36, "repairs": 2}
    assert plain["stages"] == {
        "propose": {"total_s": 540.0, "median_s": 30.0},
        "localise": {"total_s": 1.0, "median_s": 1.0},
    }
    assert [day["attempts"] for day in plain["over_time"]] == [1, 0, 1, 1]
    shown = text_of(found)
    for part in ("67%", "2 of 3 repaired", str(tmp_path / "report.html")):
        assert part in shown


def test_report_since_an_age_leaves_older_runs_out(tmp_path):
    three_runs()
    found = result_of(report(ReportRequest(out=tmp_path, since="2026-01-03")))
    assert [record.run_id for record in found.records] == ["run-002", "run-003"]


def test_report_without_runs_says_so_and_makes_no_ledger(tmp_path):
    found = result_of(report(ReportRequest(out=tmp_path)))
    assert found.exit_code is ExitCode.NOTHING_TO_DO
    assert "no repair runs" in text_of(found)
    assert "No repair runs" in (tmp_path / "report.html").read_text()
    assert not ledger_path().exists()


def test_report_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="--out"):
        result_of(report(ReportRequest(out=tmp_path / "file" / "below")))


class _Page(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@given(st.lists(records, max_size=5))
def test_page_is_self_contained_and_escapes_what_it_shows(written):
    hostile = [run(99, title="<script>alert(1)</script>", branch='"><img src=x>')]
    page = render_page(improvement_report(sorted([*written, *hostile], key=lambda r: r.started_ms), 0, START_MS))
    tags = _Page(page).tags
    assert not [tag for tag, _ in tags if tag in {"script", "img", "iframe", "object"}]
    links = [value for tag, attrs in tags for name, value in attrs.items() if name in {"src", "href"}]
    assert all(link.startswith(("#", "data:")) for link in links)


def test_chart_draws_each_outcome_in_proportion_and_the_line_breaks_at_days_without_runs():
    three_runs()
    with Ledger(ledger_path()) as ledger:
        found = improvement_report(ledger.records(), 0, START_MS + 4 * DAY_MS)
    page = render_page(found)
    svg = page[page.index('<svg class="outcomes"') : page.index("</svg>", page.index('<svg class="outcomes"')) + 6]
    root = ET.fromstring(svg)
    boxes = [(box.get("class"), float(box.get("y")), float(box.get("height"))) for box in root.iter("rect")]
    assert boxes == [("fixed", 0.0, 220.0), ("fixed", 0.0, 220.0), ("unfixed", 0.0, 220.0)]
    assert [dot.get("cy") for dot in root.iter("circle")] == ["0.0", "0.0", "220.0"]
    assert len(list(root.iter("polyline"))) == 1  # day 1 stands alone, days 3 and 4 are joined


successes = st.builds(Success, st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 5))


@given(st.lists(successes, max_size=60))
def test_chart_boxes_stack_without_overlap_inside_the_frame(stretches):
    chart = chart_of({START_MS + day * DAY_MS: success for day, success in enumerate(stretches)}, DAY_MS)
    for column, success in zip(chart.columns, stretches, strict=True):
        bottom = 220.0
        for _, top, height in column.boxes:
            assert top + height == pytest.approx(bottom, abs=0.05)
            bottom = top
        assert bottom >= -0.05
        assert sum(height for _, _, height in column.boxes) == pytest.approx(
            220.0 * success.attempts / chart.counts[-1][1], abs=0.05
        )
        assert 0 <= column.x <= column.x + column.width <= 1000
        assert (column.rate is None) == (success.rate is None)


def test_long_histories_are_drawn_in_longer_stretches():
    found = improvement_report([run(day, day=day) for day in range(400)], 0, START_MS)
    assert len(found.over_time) <= 60
    assert sum(success.attempts for success in found.over_time.values()) == 400


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, 0),
        ("30d", START_MS - 30 * DAY_MS),
        ("12h", START_MS - DAY_MS // 2),
        ("2w", START_MS - 14 * DAY_MS),
        ("2026-01-01", START_MS),
        ("2026-01-01T01:00+01:00", START_MS),
    ],
)
def test_since_takes_ages_and_dates(text, expected):
    assert since_in_ms(text, START_MS) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "30", "-3d", "2026-13-01"])
def test_since_that_is_neither_is_refused(text):
    with pytest.raises(UsageError, match="30d"):
        since_in_ms(text, START_MS)


def test_compare_command_accepts_only_what_the_interval_shows():
    work = f"{sys.executable} -S -c 'sum(range({{}}))'"
    found = result_of(compare_two(CompareRequest(a=work.format(4 * 10**6), b=work.format(10), pairs=6)))
    assert (found.accepted, found.exit_code) == (True, ExitCode.DONE)
    assert found.as_json()["cpu"]["low"] >= 0.01
    assert "accepted" in text_of(found)
    back = result_of(compare_two(CompareRequest(a=work.format(10), b=work.format(4 * 10**6), pairs=6)))
    assert (back.accepted, back.exit_code) == (False, ExitCode.FAILED)
    assert "not accepted" in text_of(back)


@pytest.mark.parametrize("command", ["", "python 'unclosed"])
def test_compare_refuses_commands_that_are_no_commands(command):
    with pytest.raises(UsageError):
        result_of(compare_two(CompareRequest(a=command, b="true")))


def test_commands_run_from_the_command_line(tmp_path, capsys):
    three_runs()
    registry = Registry(IMPROVEMENT_COMMANDS)
    code = run_command_line(
        registry, ["improvement", "report", "--since", "2026-01-01", "--out", str(tmp_path), "--json"]
    )
    assert code == 0
    assert json.loads(capsys.readouterr().out)["runs"] == 3
    assert run_command_line(registry, ["improvement", "compare", "true", "false", "--pairs", "6"]) == ExitCode.REFUSED
    assert "exit code 1" in capsys.readouterr().err
