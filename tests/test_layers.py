"""The house's order: import-linter's contracts hold, and would notice when they do not; no private name travels."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WINGS = ("trading", "automation")
LINTER = [
    sys.executable,
    "-c",
    "import sys; from importlinter.cli import lint_imports_command as main; sys.exit(main())",
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*LINTER, "--no-cache"], cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of both wings that a test may spoil."""
    for wing in WINGS:
        shutil.copytree(ROOT / wing, tmp_path / wing, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_files_import_only_from_below() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("trading/market/spoiled.py", "import trading.sessions", "import only folders below them"),
        ("trading/engine/spoiled.py", "from trading.orders import ledger", "import only folders below them"),
        ("trading/errors.py", "import trading.market.candles", "import only folders below them"),
        ("trading/signals/spoiled.py", "import automation.interfaces", "never imports the automation wing"),
        ("automation/interfaces/spoiled.py", "import automation.cli", "import only folders below them"),
    ],
)
def test_a_wrong_import_is_noticed(house: Path, file: str, line: str, contract: str) -> None:
    with (house / file).open("a") as text:
        text.write(f"\n{line}\n")
    done = lint(house)
    assert done.returncode == 1
    assert contract in done.stdout
    assert Path(file).stem in done.stdout


def test_a_new_folder_must_be_given_its_place(house: Path) -> None:
    (house / "trading" / "attic").mkdir()
    (house / "trading" / "attic" / "__init__.py").touch()
    assert lint(house).returncode == 1


def private_imports(file: Path, root: Path) -> Iterator[str]:
    """Yield each import in a file of a private name from another folder of ours."""
    folder = ".".join(file.relative_to(root).parent.parts)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in WINGS:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.split(".")[0] in WINGS]
        else:
            continue
        for name in names:
            private = any(part.startswith("_") and not part.startswith("__") for part in name.split("."))
            home = name.split("._")[0]
            if private and not (home == folder or home.rpartition(".")[0] == folder):
                yield f"{file.relative_to(root)}:{node.lineno} imports {name}"


def test_no_private_name_leaves_its_folder() -> None:
    files = [file for wing in WINGS for file in (ROOT / wing).rglob("*.py")]
    assert files
    assert [found for file in files for found in private_imports(file, ROOT)] == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from trading.market.candles import _columns", True),
        ("from trading.market import _private", True),
        ("import trading.market._private", True),
        ("from trading.engine.grid import _levels", False),
        ("from trading import __version__", False),
        ("from trading.market.candles import Candles", False),
    ],
)
def test_a_private_import_is_noticed(tmp_path: Path, line: str, found: bool) -> None:
    file = tmp_path / "trading" / "engine" / "spoiled.py"
    file.parent.mkdir(parents=True)
    file.write_text(line)
    assert bool(list(private_imports(file, tmp_path))) is found
