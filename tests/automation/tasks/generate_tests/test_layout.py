"""Where tests lie: beside those that a module has, mirrored, or in the one folder that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from automation.tasks.generate_tests.layout import files_with_tests, formatted, generated_path, related_tests


@pytest.mark.parametrize(
    ("path", "tests", "expected"),
    [
        ("shop.py", [], "tests/test_shop_generated.py"),
        ("shop.py", ["test_shop.py"], "test_shop_generated.py"),
        ("shop/cart.py", ["tests/unit/test_cart.py"], "tests/unit/test_cart_generated.py"),
        ("shop/cart.py", ["tests/test_other.py"], "tests/test_cart_generated.py"),
        ("shop/a/cart.py", ["tests/shop/b/test_x.py"], "tests/shop/a/test_cart_generated.py"),
        ("shop/a/cart.py", ["tests/a/test_x.py"], "tests/a/test_cart_generated.py"),
        ("src/shop/cart.py", ["tests/shop/test_x.py"], "tests/shop/test_cart_generated.py"),
        ("one/cart.py", ["tests/test_cart.py", "tests/two/test_x.py"], "tests/test_cart_generated.py"),
        ("two/cart.py", ["tests/one/test_cart_generated.py"], "tests/test_two_cart_generated.py"),
    ],
)
def test_generated_tests_lie_where_such_tests_lie(path: str, tests: list[str], expected: str):
    python_path = ("src", ".") if path.startswith("src/") else (".",)
    assert generated_path(path, tests, python_path) == expected


def test_a_file_of_another_module_is_never_taken():
    taken = ["tests/test_cart_generated.py"]
    assert generated_path("two/cart.py", taken, taken=taken) == "tests/test_two_cart_generated.py"
    tests = ["tests/test_cart.py", *taken]
    assert generated_path("two/cart.py", tests, taken=taken) == "tests/test_two_cart_generated.py"


def test_files_with_tests_are_known_by_their_names():
    assert files_with_tests(["a.py", "test_a.py", "t/a_test.py", "t/conftest.py"]) == ("test_a.py", "t/a_test.py")


def test_related_tests_name_the_module_or_what_is_in_it(tmp_path: Path):
    texts = {f"test_{number}.py": "import other\n" for number in range(30)}
    texts |= {"test_direct.py": "from shop.cart import total\n", "test_named.py": "assert total(1)\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    found = related_tests(tmp_path, sorted(texts), "shop/cart.py", "shop.cart", ["total"])
    assert found == ("test_direct.py", "test_named.py")


def test_a_file_is_written_as_the_repository_formats(tmp_path: Path):
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 40\n")
    text = formatted(
        "import os\nimport re\n\nassert re.match('a', 'aaaaaaaaaaaaaaaaaaaaaaaaa')\n", "test_a.py", tmp_path
    )
    assert text == 'import re\n\nassert re.match(\n    "a", "aaaaaaaaaaaaaaaaaaaaaaaaa"\n)\n'
