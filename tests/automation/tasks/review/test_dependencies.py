"""What a repository declares against what it imports, and what is known of the versions that it pins."""

from __future__ import annotations

from pathlib import Path

import pytest

from automation.codebase.scopes import resolve_scope
from automation.tasks.review.audit import judged
from automation.tasks.review.declarations import Declared, declared_in, pinned_in
from automation.tasks.review.dependencies import DependenciesCheck
from automation.tasks.review.findings import CheckSkipped
from automation.tasks.review.ground import Ground
from automation.tasks.review.tools import Tools


def ground_of(root: Path) -> Ground:
    return Ground(resolve_scope(root, "", home=root / "home"), root / "home/review")


def found(root: Path) -> set[tuple[str, str]]:
    findings = DependenciesCheck().look(ground_of(root), Tools(30)).findings
    return {(each.rule, each.message.partition(" ")[0]) for each in findings}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", '[project]\nname = "shop"\ndependencies = ["attrs>=1"]\n'),
        (
            "pyproject.toml",
            '[tool.poetry]\nname = "shop"\n[tool.poetry.dependencies]\npython = "^3.11"\nattrs = "^1"\n',
        ),
        ("setup.cfg", "[options]\ninstall_requires =\n    attrs>=1\n"),
        ("requirements.txt", "# what it needs\nattrs>=1 ; python_version > '3'\n"),
    ],
)
def test_what_is_declared_in_whatever_way_is_compared_with_the_imports(file: str, text: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text(text)
    (tmp_path / "shop.py").write_text("import attr\nimport requests\n")
    assert found(tmp_path) == {("undeclared", "requests")}
    (tmp_path / "shop.py").write_text("import json\n")
    assert found(tmp_path) == {("unused-dependency", "attrs")}


def test_tools_of_the_developers_are_declared_by_groups(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "shop"\n[dependency-groups]\ndev = ["ruff>=1", {include-group = "x"}]\n'
        '[tool.poetry.group.test.dependencies]\npytest = {version = "*"}\n'
    )
    declared = {(each.name, each.range, each.optional) for each in declared_in(ground_of(tmp_path))}
    assert declared == {("ruff", ">=1", True), ("pytest", "", True)}


def test_packages_of_the_repository_are_found_wherever_they_lie(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    for folder in ("src/shop", "python/books"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "__init__.py").write_text("")
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/near.py").write_text("import shop\n")
    (tmp_path / "tools/run.py").write_text("import near\nimport books.pages\nimport yaml\n")
    assert found(tmp_path) == {("undeclared", "yaml")}


def test_a_pin_in_the_constraints_bounds_what_has_no_range(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\ndependencies = ["attrs", "numpy"]\n')
    (tmp_path / "shop.py").write_text("import attr, numpy\n")
    (tmp_path / "constraints.txt").write_text("attrs==23.1.0 \\\n    --hash=sha256:00\nother>=2\n")
    assert pinned_in(tmp_path) == {"attrs": "23.1.0"}
    assert found(tmp_path) == {("unbounded", "numpy")}


def test_a_repository_that_declares_nothing_is_not_measured(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("import attr\n")
    with pytest.raises(CheckSkipped, match="declares"):
        DependenciesCheck().look(ground_of(tmp_path), Tools(30))


def test_an_audit_that_nobody_answered_is_no_clean_one() -> None:
    # what pip-audit 2.10 prints without a network, with exit code 0
    rows = [{"name": "requests", "skip_reason": "Dependency not found on PyPI and could not be audited: requests"}]
    audit = judged(rows, {}, 1)
    assert not audit.findings
    assert "not measured" in audit.figure


def test_a_known_vulnerability_is_an_error_where_the_package_is_declared() -> None:
    fault = {"id": "PYSEC-2018-28", "fix_versions": ["2.20.0"], "aliases": [], "description": ""}
    rows = [
        {"name": "requests", "version": "2.19.1", "vulns": [fault]},
        {"name": "attrs", "version": "23", "vulns": []},
    ]
    audit = judged(rows, {"requests": Declared("requests", ">=2", "setup.cfg", 7, False)}, 3)
    (finding,) = audit.findings
    assert (finding.path, finding.line, finding.rule) == ("setup.cfg", 7, "vulnerable")
    assert "PYSEC-2018-28; take 2.20.0" in finding.message
    assert audit.figure == "2 of 3 versions audited, 1 known vulnerabilities"
