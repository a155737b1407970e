"""The parts of a review that need no tool of their own."""

from __future__ import annotations

import ast
import json
import os
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.codebase.scopes import resolve_scope
from automation.models.protocol import Answer, Message
from automation.tasks.review.checks import run_checks
from automation.tasks.review.complexity import complexity
from automation.tasks.review.coverage import CoverageCheck
from automation.tasks.review.dead_code import DeadCodeCheck
from automation.tasks.review.duplication import DuplicationCheck
from automation.tasks.review.findings import CheckSkipped, Finding, Findings, Severity, density_score, total_score
from automation.tasks.review.ground import Ground, ParsedFile
from automation.tasks.review.lint import LintCheck
from automation.tasks.review.remarks import remarks_of
from automation.tasks.review.requests import ReviewRequest
from automation.tasks.review.tools import Tools
from automation.tasks.review.type_checks import TypesCheck

_BLOCK = """
    total = 0
    for {row} in {rows}:
        price = float({row}["price"]) * float({row}["quantity"])
        fee = price * {rate}
        if price - fee > {least}:
            total += round(price - fee, 2)
        else:
            {kept}.append(round(price + fee, 2))
    return sorted([total, *({kept})], key=float, reverse=True)
"""


def ground_of(root: Path, target: str = "") -> Ground:
    return Ground(resolve_scope(root, target, home=root / "home"), root / "cache")


def block(**names: str) -> str:
    return _BLOCK.format(**names)


def finding(severity: Severity, confidence: float = 1.0) -> Finding:
    return Finding("a.py", 1, 1, severity, "something", "X1", confidence)


@given(
    st.lists(st.sampled_from(list(Severity)), max_size=50),
    st.integers(0, 10_000),
    st.floats(0.1, 100),
)
def test_score_stays_in_bounds_and_falls_with_every_finding(kinds: list[Severity], lines: int, half: float) -> None:
    findings = [finding(kind) for kind in kinds]
    score = density_score(findings, lines, half)
    assert 0 <= score <= 10
    assert density_score([*findings, finding(Severity.ERROR)], lines, half) <= score


def test_score_is_5_at_the_stated_density() -> None:
    assert density_score([finding(Severity.WARNING)] * 4, 1_000, 4.0) == 5.0


def test_skipped_parts_have_no_say_in_the_score() -> None:
    parts = [Findings("a", 1.0, score=8.0), Findings("b", 3.0, score=4.0), Findings("c", 9.0, skipped="no tool")]
    assert total_score(parts) == 5.0
    assert total_score(parts[2:]) is None


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ("    pass", 1),
        ("    if a:\n        pass\n    elif b:\n        pass\n    else:\n        pass", 3),
        ("    try:\n        pass\n    except OSError:\n        pass\n    else:\n        pass", 3),
        ("    match a:\n        case 1:\n            pass\n        case _:\n            pass", 2),
        ("    def inner():\n        while a:\n            pass", 3),
        ("    return a and b or c", 1),
    ],
)
def test_complexity_counts_as_the_linter_does(body: str, number: int) -> None:
    (function,) = ast.parse(f"def f(a, b, c):\n{body}\n").body
    assert isinstance(function, ast.FunctionDef)
    assert complexity(function) == number


def test_same_shape_under_other_names_is_told_once_and_only_in_the_later_file(tmp_path: Path) -> None:
    first = block(row="row", rows="rows", rate="0.1", least="3", kept="kept")
    second = block(row="entry", rows="book", rate="0.002", least="7", kept="rest")
    (tmp_path / "a.py").write_text(f"def a(rows, kept):{first}")
    (tmp_path / "b.py").write_text(f"def b(book, rest):{second}")
    found = DuplicationCheck().look(ground_of(tmp_path), Tools(10)).findings
    assert [each.path for each in found] == ["b.py"]
    assert "same shape as a.py:" in found[0].message


def test_other_work_of_the_same_form_is_no_duplicate(tmp_path: Path) -> None:
    text = block(row="row", rows="rows", rate="0.1", least="3", kept="kept")
    (tmp_path / "a.py").write_text(f"def a(rows, kept):{text}")
    (tmp_path / "b.py").write_text(f"def b(rows, kept):{text.replace('round(', 'abs(').replace('float(', 'int(')}")
    assert not DuplicationCheck().look(ground_of(tmp_path), Tools(10)).findings


def coverage_file(root: Path, lines: list[int]) -> Path:
    bits = bytearray(max(lines) // 8 + 1)
    for line in lines:
        bits[line // 8] |= 1 << line % 8
    file = root / ".coverage"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE file (id INTEGER, path TEXT)")
        database.execute("CREATE TABLE line_bits (file_id INTEGER, context_id INTEGER, numbits BLOB)")
        database.execute("CREATE TABLE arc (file_id INTEGER, context_id INTEGER, fromno INTEGER, tono INTEGER)")
        database.execute("INSERT INTO file VALUES (1, ?)", (str(root / "a.py"),))
        database.execute("INSERT INTO line_bits VALUES (1, 1, ?)", (bytes(bits),))
    database.close()
    return file


def test_coverage_file_is_read_by_statement_and_compiled_functions_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "def f(a):\n    if a:\n        return (\n            1\n        )\n    return 2\n\n\n"
        "def g():\n    return 3\n\n\n@njit\ndef h():\n    return 4\n"
    )
    coverage_file(tmp_path, [1, 2, 4, 9])
    part = CoverageCheck(ReviewRequest()).look(ground_of(tmp_path), Tools(10))
    assert part.score == pytest.approx(10 * 2 / 4)
    assert {(each.line, each.severity) for each in part.findings} == {(1, Severity.INFO), (9, Severity.WARNING)}


def test_a_file_that_does_not_parse_is_one_finding(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n<<<<<<< HEAD\ny = 2\n=======\ny = 3\n>>>>>>> b\n")
    (finding,) = LintCheck().look(ground_of(tmp_path), Tools(30)).findings
    assert (finding.path, finding.line, finding.severity) == ("a.py", 2, Severity.ERROR)


def test_what_was_found_out_of_a_file_holds_until_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("x = 1\n")
    asked: list[str] = []

    def lines(parsed: ParsedFile) -> int:
        asked.append(parsed.text)
        return len(parsed.lines)

    def told() -> dict[str, int]:
        ground = ground_of(tmp_path)
        return ground.facts("lines", ground.files.values(), lines)

    assert (told(), told()) == ({"a.py": 1}, {"a.py": 1})
    file.write_text("x = 1\ny = 2\n")
    assert told() == {"a.py": 2}
    assert asked == ["x = 1\n", "x = 1\ny = 2\n"]


def test_dead_code_is_what_no_file_uses_and_the_repositorys_own_settings_count(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def used():\n    pass\n\n\ndef gone():\n    pass\n\n\ndef hook_save():\n    pass\n")
    (tmp_path / "b.py").write_text("from a import used\n\nused()\n")
    (tmp_path / "pyproject.toml").write_text('[tool.vulture]\nignore_names = ["hook_*"]\n')
    for _ in range(2):
        findings = DeadCodeCheck().look(ground_of(tmp_path), Tools(30)).findings
        assert [(each.path, each.line) for each in findings] == [("a.py", 5)]
    (tmp_path / "b.py").write_text("import a\n\na.used()\na.gone()\n")
    assert not DeadCodeCheck().look(ground_of(tmp_path), Tools(30)).findings


def test_stale_coverage_file_is_no_measurement(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f():\n    return 1\n")
    file = coverage_file(tmp_path, [2])
    os.utime(file, (1, 1))
    with pytest.raises(CheckSkipped, match="older than"):
        CoverageCheck(ReviewRequest()).look(ground_of(tmp_path), Tools(10))


def test_plugin_out_of_the_repository_is_never_run(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "plugin.py").write_text("raise SystemExit('the target ran')\n")
    (tmp_path / "pyproject.toml").write_text('[tool.mypy]\nplugins = ["./plugin.py"]\n')
    with pytest.raises(CheckSkipped, match="plugin"):
        TypesCheck().look(ground_of(tmp_path), Tools(10))


def test_missing_tool_is_a_reason_and_not_a_ten(tmp_path: Path) -> None:
    with pytest.raises(CheckSkipped, match="not installed"):
        Tools(10).run("no_such_checker", [], tmp_path)


def test_failing_tool_is_a_reason_and_not_a_ten(tmp_path: Path) -> None:
    with pytest.raises(CheckSkipped, match="ended with 2"):
        Tools(10).run("json.tool", ["--no-such-option"], tmp_path)


def test_tool_that_hangs_is_ended(tmp_path: Path) -> None:
    with pytest.raises(CheckSkipped, match="did not end"):
        Tools(0.2).run("http.server", ["--bind", "127.0.0.1", "0"], tmp_path)


def test_tool_sees_no_secret_and_no_module_of_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDBOT_TEST_TOKEN", "do-not-tell")
    (tmp_path / "json.py").write_text("raise SystemExit('the target ran')\n")
    said = Tools(10).run("sysconfig", [], tmp_path)
    assert "do-not-tell" not in said.text


def test_scope_of_tests_alone_is_not_judged_as_product(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("def test_a():\n    assert 1\n")
    with pytest.raises(CheckSkipped, match="only tests"):
        ground_of(tmp_path).require_product()


def test_remarks_on_places_that_are_not_there_are_dropped_and_secrets_masked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENUE_TOKEN", "tok-5551234")
    (tmp_path / "a.py").write_text("x = 1\ny = 2\n")
    said = [("a.py", 2, " Shadows\n x. "), ("a.py", 9, "Beyond."), ("b.py", 1, "Elsewhere."), ("a.py", 1, "")]
    model = ScriptedModel([{"path": path, "line": line, "remark": text} for path, line, text in said])
    remarks = remarks_of(model, "y = 'tok-5551234'" + "z" * 9_000, ground_of(tmp_path))
    assert [(each.path, each.line, each.text) for each in remarks] == [("a.py", 2, "Shadows x.")]
    (question,) = model.questions
    assert "tok-5551234" not in question
    assert len(question) < 4_500


def test_interrupted_review_ends_its_tools_and_begins_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    tools = Tools(60)

    class Waiting:
        name, weight = "waiting", 1.0

        def look(self, ground: Ground, tools: Tools) -> Findings:
            began.set()
            tools.run("http.server", ["--bind", "127.0.0.1", "0"], tmp_path)
            raise AssertionError("the server ended by itself")

    began = threading.Event()
    work = run_checks([Waiting()], ground_of(tmp_path), tools)
    next(work)
    assert began.wait(30)
    work.close()
    with pytest.raises(CheckSkipped, match="interrupted"):
        tools.run("json.tool", [], tmp_path)


class ScriptedModel:
    """Gives the remarks that a test has written down."""

    name = "scripted"
    backend = "test"
    fim = False

    def __init__(self, remarks: list[dict[str, object]]) -> None:
        self.remarks = remarks
        self.questions: list[str] = []

    def structured(self, messages: Sequence[Message], schema: Mapping[str, object], **how: object) -> Answer:
        self.questions.append(messages[-1].content)
        return Answer(json.dumps({"remarks": self.remarks}), 1, 1, 0.0, self.name, self.backend)
