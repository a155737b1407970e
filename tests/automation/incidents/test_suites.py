"""How a target's suite is run: in the tree that the sandbox shows, freshly compiled, and telling no secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from automation.codebase.isolation import isolation
from automation.errors import SandboxUnavailable
from automation.incidents.records import Outcome
from automation.incidents.suites import run_suite, suite_settings
from tests.automation.codebase.confined import sandbox_mode
from tests.automation.incidents.trees import LIMITS, result, run_tree, write_tree

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the sandbox needs POSIX")

PACKAGE = {
    "shop/__init__.py": "",
    "shop/price.py": "PRICE = 1\n",
    "tests/test_price.py": "from shop.price import PRICE\n\n\ndef test_price():\n    assert PRICE == 2\n",
}


@pytest.mark.parametrize("mode", ["namespaces", "limits"])
@pytest.mark.parametrize("layout", ["", "src/"])
def test_a_replaced_file_is_what_the_tests_import_wherever_the_sandbox_puts_the_tree(
    tmp_path: Path, mode: str, layout: str
) -> None:
    files = {name if name.startswith("tests") else layout + name: text for name, text in PACKAGE.items()}
    root = write_tree(tmp_path / "tree", files)
    with sandbox_mode(mode):
        settings = replace(suite_settings(root, root, limits=LIMITS), plugins={})
        before = run_suite(root, settings)
        after = run_suite(root, settings, files={f"{layout}shop/price.py": b"PRICE = 2\n"})
    assert result(before, "tests/test_price.py::test_price").outcome is Outcome.FAILED
    assert after.passed == {"tests/test_price.py::test_price"}


def test_settings_are_the_same_for_every_copy_of_a_target(tmp_path: Path) -> None:
    target = write_tree(tmp_path / "target", PACKAGE)
    asked = f"pytest -q {target / 'tests' / 'test_price.py'}::test_price"
    one, two = (suite_settings(write_tree(tmp_path / name, PACKAGE), target, asked) for name in ("one", "two"))
    assert one == two
    assert one.arguments == ("-q", "tests/test_price.py::test_price")
    assert run_suite(tmp_path / "one", replace(one, plugins={})).collected == ("tests/test_price.py::test_price",)


def test_a_hostile_target_runs_nowhere_without_kernel_isolation(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "tree", PACKAGE)
    with sandbox_mode("limits"):
        assert not isolation().namespaces
        settings = suite_settings(root, root, hostile=True)
        with pytest.raises(SandboxUnavailable, match="hostile"):
            run_suite(root, settings)


COMPILED = """\
    import numba

    from rates import rate


    @numba.njit(cache=True)
    def price(units):
        return units * rate()
    """
RATES = "import numba\n\n\n@numba.njit\ndef rate():\n    return {}\n"


def test_ruling_19_compiled_code_that_lies_in_the_tree_is_not_used(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    root = write_tree(
        tmp_path / "tree",
        {
            "prices.py": COMPILED,
            "rates.py": RATES.format(1),
            "test_prices.py": """\
                import os
                from pathlib import Path

                from prices import price


                def test_price():
                    folder = Path(os.environ["NUMBA_CACHE_DIR"])
                    assert not list(folder.rglob("*.nbi"))
                    assert price(3) == 6
                    assert any(folder.rglob("*.nbi"))
                """,
        },
    )
    # numba keeps machine code by the caller's own file, and so does not see that what it calls has changed
    _compile_in_place(root)
    assert list((root / "__pycache__").glob("prices.price-*.nbi"))
    (root / "rates.py").write_text(RATES.format(2), encoding="utf-8")
    # of the same size and perhaps in the same second: Python's own compiled file must not be taken for fresh
    os.utime(root / "rates.py", (2_000_000_000, 2_000_000_000))
    assert _compile_in_place(root) == "3"
    report = run_tree(root)
    assert report.passed == {"test_prices.py::test_price"}, report


def _compile_in_place(root: Path) -> str:
    code = "from prices import price; print(price(3))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={"HOME": str(root.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0"
VALUE = "correct-horse-battery"
LEAKING = f"""\
    import os
    import sys

    import pytest

    SECRET_TEXT = open("settings.txt").read()


    def test_prints():
        print("{TOKEN}", SECRET_TEXT)
        print("{TOKEN}", SECRET_TEXT, file=sys.stderr)
        assert ["{TOKEN}", SECRET_TEXT] == []


    def test_raises():
        shown = SECRET_TEXT
        raise ValueError("x" * 3990 + " {TOKEN} " + SECRET_TEXT + "y" * 4000)


    def test_long_values():
        half = "x" * 92 + " {TOKEN} " + "y" * 900
        other = "x" * 92 + " " + SECRET_TEXT + "y" * 900
        assert half == other


    @pytest.mark.xfail(strict=True, reason="{TOKEN}")
    def test_passes_in_spite_of_all():
        pass


    def test_crashes():
        os.write(2, ("{TOKEN} " + SECRET_TEXT).encode())
        os._exit(3)
    """


def test_no_secret_leaves_the_sandbox_in_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE_SECRET", VALUE)
    root = write_tree(tmp_path / "tree", {"test_leaks.py": LEAKING, "settings.txt": VALUE})
    report = run_tree(root, trace={"lines": True, "values": True, "only": None})
    assert len(report.failures) == 5
    told = json.dumps(asdict(report))
    assert "***" in told
    assert not [size for size in range(10, 25) if TOKEN[:size] in told]
    assert VALUE not in told


def test_no_secret_stays_in_why_a_suite_cannot_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE_SECRET", VALUE)
    wrong = f"[pytest]\naddopts = --no-such={TOKEN} --nor-such={VALUE}\n"
    root = write_tree(tmp_path / "tree", {"pytest.ini": wrong, "test_a.py": "def test_a():\n    pass\n"})
    report = run_tree(root)
    assert "***" in report.problem
    assert TOKEN not in report.problem
    assert VALUE not in report.problem


@pytest.mark.parametrize(
    ("file", "text", "tests", "skipped"),
    [
        ("pyproject.toml", '[tool.pytest.ini_options]\nmarkers = ["slow: takes long"]\n', "pytest -q", True),
        ("pytest.ini", "[pytest]\nmarkers =\n    slow: takes long\n", "", True),
        ("pytest.ini", "[pytest]\nmarkers =\n    slow: takes long\n", "-m slow", False),
        ("pytest.ini", "[pytest]\nmarkers =\n    slow: takes long\n", "test_a.py::test_b", False),
        ("pyproject.toml", "[tool.other]\nslow = 3\n", "pytest -q", False),
    ],
)
def test_a_suite_that_names_its_slow_tests_runs_without_them(tmp_path, file, text, tests, skipped):
    (tmp_path / file).write_text(text)
    (tmp_path / "test_a.py").write_text("def test_b():\n    pass\n")
    arguments = suite_settings(tmp_path, tmp_path, tests).arguments
    assert (arguments[-2:] == ("-m", "not slow")) is skipped
