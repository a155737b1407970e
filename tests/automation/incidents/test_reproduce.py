"""Failing tests built from tracebacks in logs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from automation.incidents.log_incidents import incidents_in
from automation.incidents.records import Incident, Outcome
from automation.incidents.reproduce import Reproduction, reproduction_for
from automation.incidents.suites import SuiteSettings, suite_settings
from tests.automation.incidents.trees import LIMITS, run_tree, write_tree

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the sandbox needs POSIX")


def _settings(root: Path) -> SuiteSettings:
    return replace(suite_settings(root, root, limits=LIMITS), plugins={})


def _incident(root: Path, program: str) -> Incident:
    """Run a program in a folder of its own, so that the tree holds nothing but the code, and read what it logged."""
    folder = root.parent / "elsewhere"
    folder.mkdir(exist_ok=True)
    (folder / "program.py").write_text(program, encoding="utf-8")
    path = f"{root / 'src'}:{root}" if (root / "src").is_dir() else str(root)
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=folder, env={"PYTHONPATH": path}, capture_output=True, text=True, timeout=60
    )
    log = folder / "service.log"
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    (found,) = incidents_in(log, root)
    return found


def _check(root: Path, made: Reproduction | None, exception: str) -> Reproduction:
    assert made is not None
    assert not (root / made.path).exists()
    write_tree(root, {made.path: made.text})
    (failure,) = run_tree(root, tests=[made.node_id]).failures
    assert (failure.outcome, failure.chain[0].type) == (Outcome.FAILED, exception)
    return made


STRUCTLOG = """
import structlog, shop
from structlog.processors import JSONRenderer, add_log_level, dict_tracebacks
structlog.configure(processors=[add_log_level, dict_tracebacks, JSONRenderer()])
try:
    shop.price({"unit": 3}, discount=1)
except Exception:
    structlog.get_logger().exception("failed")
"""


def test_values_of_a_structured_log_become_the_call(tmp_path: Path) -> None:
    files = {"shop.py": "def price(order, discount=0):\n    return order['unit'] * order['count'] - discount\n"}
    root = write_tree(tmp_path / "tree", files)
    made = _check(root, reproduction_for(_incident(root, STRUCTLOG), root, _settings(root)), "KeyError")
    assert "price(order={'unit': 3}, discount=1)" in made.text
    write_tree(root, {"shop.py": "def price(order, discount=0):\n    return order['unit'] * order.get('count', 1)\n"})
    assert run_tree(root, tests=[made.node_id]).passed == {made.node_id}


def test_lesson_33_a_call_that_ends_the_interpreter_does_not_discard_those_behind_it(tmp_path: Path) -> None:
    files = {
        "table.py": """\
            import os

            ROWS = {1: "one"}


            def row(number: int):
                if number == 0:
                    os._exit(3)
                return ROWS[number]
            """
    }
    root = write_tree(tmp_path / "tree", files)
    incident = _incident(root, "import table\ntable.row(int('2'))\n")
    made = _check(root, reproduction_for(incident, root, _settings(root)), "KeyError")
    assert "row(2)" in made.text


def test_calls_of_the_repository_itself_are_tried_for_a_plain_traceback(tmp_path: Path) -> None:
    files = {
        "src/shop/__init__.py": "",
        "src/shop/cart.py": """\
            class Cart:
                def __init__(self, rate):
                    self.rate = rate

                def total(self, prices):
                    return sum(prices) / (len(prices) - 1) * self.rate


            if __name__ == "__main__":
                Cart(2).total([5])
            """,
        "tests/test_cart.py": "def test_nothing(): pass\n",
    }
    root = write_tree(tmp_path / "tree", files)
    program = "from shop.cart import Cart\nCart(9).total([4])\n"
    made = _check(root, reproduction_for(_incident(root, program), root, _settings(root)), "ZeroDivisionError")
    assert made.path.startswith("tests/test_log_")
    assert "subject.Cart(2).total([5])" in made.text


def test_doctest_examples_are_calls_too(tmp_path: Path) -> None:
    text = 'def half(n):\n    """Halve.\n\n    >>> half("12")\n    6\n    """\n    return n // 2\n'
    root = write_tree(tmp_path / "tree", {"shop.py": text})
    made = _check(
        root, reproduction_for(_incident(root, "import shop\nshop.half('9')\n"), root, _settings(root)), "TypeError"
    )
    assert "half('12')" in made.text


@pytest.mark.parametrize(
    ("body", "call", "exception"),
    [
        ("def number(text: str) -> int:\n    return int(text.strip())\n", "number(' 3x')", "ValueError"),
        ("def first(rows: list[int]) -> int:\n    return rows[0]\n", "first([])", "IndexError"),
        ("def share(a, b):\n    return a / b\n", "share(7, 0)", "ZeroDivisionError"),
        (
            "async def later(n: int):\n    return 1 // n\n",
            "__import__('asyncio').run(shop.later(0))",
            "ZeroDivisionError",
        ),
        ("def parts(n: int):\n    yield 1 // n\n", "next(shop.parts(0))", "ZeroDivisionError"),
    ],
)
def test_guessed_arguments_count_when_the_message_is_the_logs(
    tmp_path: Path, body: str, call: str, exception: str
) -> None:
    root = write_tree(tmp_path / "tree", {"shop.py": body})
    called = call if "shop." in call else f"shop.{call}"
    program = f"import shop\n{called}\n"
    _check(root, reproduction_for(_incident(root, program), root, _settings(root)), exception)


def test_module_that_fails_at_import_is_imported(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "tree", {"shop.py": "RATES = {}\nRATE = RATES['EUR']\n"})
    made = _check(root, reproduction_for(_incident(root, "import shop\n"), root, _settings(root)), "KeyError")
    assert 'importlib.import_module("shop")' in made.text


def test_cause_is_reproduced_where_the_outer_call_cannot_be(tmp_path: Path) -> None:
    files = {
        "shop.py": """\
            def rate(name: str) -> float:
                return {"EUR": 1.0}[name]


            def serve(connection):
                try:
                    return rate(connection.read())
                except KeyError as error:
                    raise RuntimeError("no rate") from error
            """
    }
    root = write_tree(tmp_path / "tree", files)
    program = "import io, shop\nshop.serve(io.StringIO('GBP'))\n"
    made = _check(root, reproduction_for(_incident(root, program), root, _settings(root)), "KeyError")
    assert "rate('GBP')" in made.text


def test_nothing_is_made_up_when_no_call_fails_as_the_log_says(tmp_path: Path) -> None:
    files = {"shop.py": "def serve(connection):\n    return connection.read()['rate']\n"}
    root = write_tree(tmp_path / "tree", files)
    program = "import shop\nclass C:\n    def read(self): return {}\nshop.serve(C())\n"
    assert reproduction_for(_incident(root, program), root, _settings(root)) is None


def test_masked_and_cut_values_are_never_passed(tmp_path: Path) -> None:
    files = {"shop.py": "def login(user, api_key):\n    return {}[user]\n"}
    root = write_tree(tmp_path / "tree", files)
    program = STRUCTLOG.replace('shop.price({"unit": 3}, discount=1)', 'shop.login(object(), "abc123def456")')
    incident = _incident(root, program)
    assert incident.chain[0].frames[-1].values["api_key"] == "***"
    assert reproduction_for(incident, root, _settings(root)) is None
