"""A private copy that lies inside another repository is tested by its own configuration."""

from __future__ import annotations

from pathlib import Path

from automation.incidents.suites import run_suite, suite_settings


def test_the_configuration_of_a_repository_around_the_copy_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\npython_files = ["x_*"]\n')
    (tmp_path / "conftest.py").write_text("raise RuntimeError('not ours')\n")
    (tmp_path / "measure.py").write_text("def size():\n    return 1\n")
    copy = tmp_path / "home" / "copy"
    (copy / ".git").mkdir(parents=True)
    (copy / "measure.py").write_text("def size():\n    return 2\n")
    (copy / "test_measure.py").write_text("from measure import size\n\n\ndef test_size():\n    assert size() == 2\n")
    report = run_suite(copy, suite_settings(copy, copy, "-q"))
    assert report.passed == {"test_measure.py::test_size"}, report.problem
