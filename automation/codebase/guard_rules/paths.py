"""Which files a repair may not touch, by their path."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from automation.codebase.suite_files import TEST_FOLDERS, TEST_NAMES

TESTS = (
    *TEST_NAMES,
    *(f"{folder}/**" for folder in TEST_FOLDERS),
    "testdata/**",
    "test_data/**",
    "__snapshots__/**",
    "*.snap",
    "*.ambr",
)
CONFIGURATION = (
    "pytest.ini",
    ".pytest.ini",
    "pytest.toml",
    ".pytest.toml",
    "tox.ini",
    "tox.toml",
    "noxfile.py",
    "setup.cfg",
    "pyproject.toml",
    ".coveragerc",
    "mypy.ini",
    ".mypy.ini",
    "ruff.toml",
    ".ruff.toml",
    "pyrightconfig.json",
    ".pre-commit-config.yaml",
    "sitecustomize.py",
    "usercustomize.py",
    "*.pth",
    ".gitattributes",
    ".gitignore",
    ".gitmodules",
    "automation_config.json",
    "gridbot.toml",
    "gridbot.example.toml",
)
CONTINUOUS_INTEGRATION = (
    ".github/**",
    ".gitlab/**",
    ".gitlab-ci.yml",
    ".circleci/**",
    ".ci/**",
    ".travis.yml",
    "azure-pipelines.yml",
    "Jenkinsfile",
    ".git/**",
)
GUARD = (
    "automation/codebase/guard.py",
    "automation/codebase/guard_rules/**",
    "automation/codebase/sandbox*",
    "automation/codebase/suite_files.py",
    "automation/pipeline/approval*",
    "automation/config*.py",
)


@dataclass(frozen=True, slots=True)
class GuardPolicy:
    """What the guard allows.

    A pattern without a slash is matched against a file's name anywhere; one that ends in ``/**`` against a run of
    folders anywhere; any other against the whole path or its end.

    Parameters
    ----------
    tests : tuple of str
        Patterns of tests and their data; only a task that writes tests may touch them.
    protected : tuple of str
        Patterns of configuration, automation of tests, and the guard itself; never to be touched.
    max_changed_lines : int
        Lines that a patch may add and remove in all.
    max_outside_lines : int
        Of those, lines outside the suspicious scope.
    max_files : int
        Files that a patch may touch.
    """

    tests: tuple[str, ...] = TESTS
    protected: tuple[str, ...] = (*CONFIGURATION, *CONTINUOUS_INTEGRATION, *GUARD)
    max_changed_lines: int = 120
    max_outside_lines: int = 12
    max_files: int = 4

    def is_test(self, path: str) -> bool:
        """Return whether a path belongs to the tests or their data."""
        return any(_matches(path, pattern) for pattern in self.tests)

    def is_protected(self, path: str) -> bool:
        """Return whether a path belongs to what no repair and no test task may touch."""
        return any(_matches(path, pattern) for pattern in self.protected)


def _matches(path: str, pattern: str) -> bool:
    path = path.lower()
    pattern = pattern.lower()
    if pattern.endswith("/**"):
        return f"/{pattern[:-2]}" in f"/{path}"
    if "/" not in pattern:
        return fnmatchcase(path.rpartition("/")[2], pattern)
    return fnmatchcase(path, pattern) or fnmatchcase(path, f"*/{pattern}")
