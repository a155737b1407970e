"""The command on small repositories of its own: the sandbox runs examples, and the change takes the one road."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from automation.codebase.landing import Land
from automation.tasks.document.commands import document
from automation.tasks.document.examples import ExampleDesk, is_pure
from automation.tasks.document.planning import add_examples
from automation.tasks.document.readme import BEGIN, END, with_modules
from automation.tasks.document.requests import DocumentRequest
from automation.tasks.document.results import DocumentResult
from tests.automation.codebase.repositories import git, make_repository
from tests.automation.tasks.document.scenes import planner_of
from trading.commands import result_of
from trading.errors import ExitCode

_CODE = b"""import random


def share(part: float, whole: float) -> float:
    return part / whole


def thrown(sides: int) -> int:
    return random.randint(1, sides) + 1


def send(order):
    order.go()
"""
_TESTS = b"from shares import share\n\n\ndef test_share():\n    assert share(1.0, 4.0) == 0.25\n"


def test_examples_are_observed_and_checked_in_the_sandbox(tmp_path: Path) -> None:
    (tmp_path / "shares.py").write_bytes(_CODE)
    planner = planner_of(tmp_path)
    plan = planner.plan(planner.ground.files["shares.py"])
    desk = ExampleDesk(tmp_path)
    assert add_examples(planner, plan, desk, {"share": ["share(1.0, 4.0)", "share(1.0, 0.0)"]}) == ""
    text = planner.text(plan).text
    assert '    Examples\n    --------\n    >>> share(1.0, 4.0)\n    0.25\n    """' in text
    assert text.count(">>>") == 1
    assert desk.passing("shares.py", text.encode(), ["share"]) == {"share"}
    assert desk.passing("shares.py", text.replace("0.25", "0.26").encode(), ["share"]) == frozenset()


@pytest.mark.parametrize(
    ("body", "pure"),
    [
        ("return sorted(a)[0] + 1", True),
        ("return a.strip().upper()", True),
        ("if not a:\n        raise Refused(told(a))\n    return a", True),
        ("return Order(a)", False),
        ("return open(a)", False),
        ("return a.send()", False),
        ("global b\n    b = a\n    return a", False),
        ("print(a)\n    return a", False),
        ("return a + state", False),
    ],
)
def test_only_functions_without_effects_are_called_for_examples(body: str, pure: bool) -> None:
    import ast

    (function,) = ast.parse(f"def f(a):\n    {body}\n").body
    assert isinstance(function, ast.FunctionDef)
    assert is_pure(function) is pure


def test_table_of_modules_is_put_between_its_markers_and_nothing_else_changes(tmp_path: Path) -> None:
    (tmp_path / "shares.py").write_text('"""Shares | parts."""\n')
    files = list(planner_of(tmp_path).ground.around.values())
    first = with_modules("# Title\n\nText.\n", files)
    assert first.startswith("# Title\n\nText.\n\n## Modules\n")
    assert "| `shares.py` | Shares \\| parts. |" in first
    assert with_modules(first, files) == first
    moved = f"Above\n{BEGIN}\noutdated\n{END}\nbelow\n"
    assert with_modules(moved, files).startswith("Above\n")
    assert with_modules(moved, files).endswith("\nbelow\n")
    assert "outdated" not in with_modules(moved, files)


def test_nothing_to_write_ends_with_6(tmp_path: Path) -> None:
    make_repository(tmp_path / "r", {"a.py": b'"""Documented."""\n\n\ndef _own():\n    return 1\n'})
    result = result_of(document(DocumentRequest(path=tmp_path / "r", home=tmp_path / "home", model="none")))
    assert result.exit_code is ExitCode.NOTHING_TO_DO


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repository(
        tmp_path_factory.mktemp("documented") / "shares", {"shares.py": _CODE, "test_shares.py": _TESTS}
    )


def test_change_lands_on_a_branch_after_the_tests(repository: Path) -> None:
    request = DocumentRequest(path=repository, model="none", approve=True, land=Land.BRANCH, readme=True)
    result = result_of(document(request))
    assert isinstance(result, DocumentResult)
    assert result.exit_code is ExitCode.DONE
    assert (result.before.documented, result.after.documented, result.after.total) == (0, 3, 4)
    assert [each.name for each in result.open] == ["send"]
    branch = json.loads(json.dumps(result.as_json()))["run"]["branch"]
    assert '"""Return ``part / whole``.' in git(repository, "show", f"{branch}:shares.py")
    assert "| `shares.py` | " in git(repository, "show", f"{branch}:README.md")
    assert git(repository, "status", "--short") == ""
    said = subprocess.run(["git", "diff", "--stat", "HEAD", branch], cwd=repository, capture_output=True, text=True)
    assert "test_shares.py" not in said.stdout
