from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.codebase.guard import Finding, GuardPolicy, check_patch
from automation.codebase.patches import FileChange, Patch


def patch_of(before: str | None, after: str | None, path: str = "pkg/m.py") -> Patch:
    texts = (None if text is None else dedent(text).lstrip("\n").encode() for text in (before, after))
    return Patch((FileChange(path, *texts),))


def rules_of(before: str | None, after: str | None, path: str = "pkg/m.py", **options: object) -> list[str]:
    return sorted({finding.rule for finding in check_patch(patch_of(before, after, path), **options)})  # type: ignore[arg-type]


BASE = """
    import os
    import sys
    import time
    import pickle
    import config


    def work(value, items):
        total = 0
        for item in items:
            total += item * value
        return total
"""


def with_line(line: str) -> str:
    return BASE.replace("        total = 0\n", f"        {line}\n        total = 0\n")


def with_top(line: str) -> str:
    return BASE.replace("    import os\n", f"    import os\n    {line}\n", 1)


VIOLATIONS = [
    ("dangerous-call", with_line("total = eval(value)")),
    ("dangerous-call", with_line("exec(value)")),
    ("dangerous-call", with_line("compile(value, '', 'exec')")),
    ("dangerous-call", with_line("__import__('os')")),
    ("dangerous-call", with_line("run = eval; run(value)")),
    ("dangerous-call", with_line("os.system('ls')")),
    ("dangerous-call", with_line("os.popen('ls')")),
    ("dangerous-call", with_line("os._exit(0)")),
    ("dangerous-call", with_line("os.execvp('ls', [])")),
    ("dangerous-call", with_line("getattr(os, 'sys' + 'tem')('ls')")),
    ("dangerous-call", with_line("__builtins__['eval'](value)")),
    ("dangerous-call", with_line("pickle.loads(value)")),
    ("dangerous-call", with_top("import subprocess")),
    ("dangerous-call", with_top("import subprocess as ordinary")),
    ("dangerous-call", with_top("from os import system as ordinary")),
    ("dangerous-call", with_top("from pickle import loads")),
    ("dangerous-call", with_top("import socket")),
    ("dangerous-call", with_top("import ctypes")),
    ("dangerous-call", with_top("import builtins")),
    ("dangerous-call", with_top("from importlib import import_module")),
    ("dangerous-call", with_line("import subprocess")),
    ("dangerous-call", with_top("from os import *")),
    ("dangerous-call", with_line("value.__class__.__base__.__subclasses__()")),
    ("dangerous-call", with_line("work.__globals__['x']")),
    ("test-awareness", with_line("if 'PYTEST_CURRENT_TEST' in config.names: return 1")),
    ("test-awareness", with_line("if 'pytest' in sys.modules: return 1")),
    ("test-awareness", with_line("sys._getframe(1)")),
    ("test-awareness", with_top("from sys import modules")),
    ("test-awareness", with_top("from inspect import stack as s")),
    ("test-awareness", with_top("from inspect import currentframe")),
    ("test-awareness", with_line("debug = os.environ.get('DEBUG')")),
    ("test-awareness", with_line("debug = os.getenv('DEBUG')")),
    ("test-awareness", with_line("if 'tests' in __file__: return 1")),
    ("test-awareness", with_line("name = value.__class__.frame.f_back")),
    ("test-awareness", with_line("import pytest")),
    ("test-awareness", with_line("if sys.argv[0].endswith('x'): return 1")),
    ("sleep", with_line("time.sleep(1)")),
    ("sleep", with_top("from time import sleep as pause") + "\n\n    def more():\n        pause(2)\n"),
    ("monkeypatch", with_line("sys.maxsize = 3")),
    ("monkeypatch", with_line("time.time = lambda: 0")),
    ("monkeypatch", with_line("del os.sep")),
    ("monkeypatch", BASE + "\n    def sum(values):\n        return 3\n"),
    ("monkeypatch", BASE + "\n    len = max\n"),
    ("module-state", with_line("globals()['work'] = None")),
    ("module-state", with_line("setattr(config, 'debug', True)")),
    ("module-state", with_line("vars(config)['debug'] = True")),
    ("always-equal", BASE + "\n    class Same:\n        def __eq__(self, other):\n            return True\n"),
    ("broad-except", with_line("try: total = value\n        except Exception: pass")),
    ("broad-except", with_line("try: total = value\n        except: pass")),
    ("broad-except", with_line("try: total = value\n        except (ValueError, BaseException): pass")),
    ("broad-except", with_top("from contextlib import suppress\n    with suppress(Exception): x = 1")),
    ("silencing-comment", with_line("total = 1  # type: ignore")),
    ("silencing-comment", with_line("total = 1  # type:ignore[arg-type]")),
    ("silencing-comment", with_line("total = 1  # noqa: E501")),
    ("silencing-comment", with_line("total = 1  # NOQA")),
    ("silencing-comment", with_line("total = 1  # pragma: no cover")),
    ("silencing-comment", with_line("total = 1  # nosec")),
    ("silencing-comment", with_line("total = 1  # pylint: disable=all")),
    ("skip-test", with_line("raise unittest.SkipTest")),
    ("parses", with_line("total = (1")),
    ("parses", BASE + "\n    return 1\n"),
    ("parses", BASE + "\n    def f():\n        await f()\n"),
    ("removed-public-name", BASE.replace("def work", "def worked")),
    ("removed-public-name", BASE.replace("(value, items)", "(value)").replace("items:", "[1]:")),
    ("removed-public-name", BASE.replace("value", "amount")),
]


@pytest.mark.parametrize(("rule", "after"), VIOLATIONS, ids=lambda value: None if "\n" in str(value) else value)
def test_violation_is_found(rule: str, after: str) -> None:
    found = check_patch(patch_of(BASE, after))
    assert rule in {finding.rule for finding in found}
    assert all(finding.blocking and finding.path == "pkg/m.py" and finding.line >= 1 for finding in found)


@pytest.mark.parametrize(
    "after", [after for rule, after in VIOLATIONS if rule not in {"parses", "removed-public-name"}]
)
def test_what_was_there_before_does_not_count(after: str) -> None:
    fixed = after.replace("return total", "return total + 1")
    assert fixed != after
    assert rules_of(after, fixed) == []
    assert rules_of(after, "\n    # moved\n\n" + after) == []


HARMLESS = [
    with_line("total = re.compile(value)"),
    with_line("model.eval()"),
    with_line("total = value.system"),
    with_line("total = os.path.join(value, 'x')"),
    with_line("value.sleeping()"),
    with_line("total = getattr(value, 'count', 0)"),
    with_line("total = value.modules"),
    with_line("value.total = 1"),
    with_line("self_sum = sum(items)"),
    with_line("try: total = value\n        except ValueError: pass"),
    with_line("try: total = value\n        except (KeyError, IndexError): pass"),
    with_line("total = 1  # the type is ignored here on purpose: see below"),
    with_line("total = '# noqa'"),
    with_line("id = 3"),
    with_line("parser.skip(value)"),
    with_line("total = 'the latest contest'"),
    with_line("total = sys.maxsize"),
    with_line("total = time.monotonic()"),
    with_top("import math"),
    with_top("from collections import OrderedDict"),
    BASE + "\n    class Pattern:\n        def compile(self):\n            return self.compile()\n",
    BASE + "\n    def user(compile):\n        return compile(1)\n",
    BASE + "\n    class Point:\n        def __eq__(self, other):\n            return self.x == other.x\n",
    BASE.replace("def work(value, items)", "def work(value, items, start=0)"),
]


@pytest.mark.parametrize("after", HARMLESS)
def test_harmless_neighbour_passes(after: str) -> None:
    assert check_patch(patch_of(BASE, after)) == ()


@pytest.mark.parametrize(
    "path",
    [
        "test_x.py",
        "pkg/test_x.py",
        "pkg/x_test.py",
        "tests/helper.py",
        "tests/data/case.json",
        "pkg/tests/golden.csv",
        "conftest.py",
        "pkg/conftest.py",
        "pytest.ini",
        "tox.ini",
        "setup.cfg",
        "pyproject.toml",
        ".github/workflows/ci.yml",
        ".gitlab-ci.yml",
        ".ci/run",
        ".git/hooks/pre-commit",
        "automation_config.json",
        "automation/codebase/guard.py",
        "automation/codebase/guard_rules/paths.py",
        "automation/pipeline/approval.py",
        "sitecustomize.py",
        "Tests/Helper.py",
        "pkg/__snapshots__/a.ambr",
    ],
)
def test_protected_file_is_not_touched(path: str) -> None:
    assert "protected-file" in rules_of("x = 1\n", "x = 2\n", path)
    assert "protected-file" in rules_of(None, "x = 2\n", path)


@pytest.mark.parametrize(
    "path", ["contest.py", "pkg/latest.py", "pkg/testing_utils.py", "attest.py", "pkg/protest.py", "pkg/testimony/x.py",
             "pkg/setup.py", "guard.py", "config.py", "pkg/greatest_tests_of_all.py"]
)  # fmt: skip
def test_file_that_only_sounds_like_a_test_may_be_repaired(path: str) -> None:
    assert rules_of("x = 1\n", "x = 2\n", path) == []


def test_writing_tests_may_touch_tests_but_neither_configuration_nor_existing_assertions() -> None:
    before = "def test_a():\n    assert f() == 1\n"
    more = before + "\n\ndef test_b():\n    import pytest\n\n    with pytest.raises(ValueError):\n        f(-7)\n"
    assert rules_of(before, more, "tests/test_x.py", writes_tests=True) == []
    assert rules_of(before, more, "tests/test_x.py") == ["protected-file"]
    assert rules_of("[pytest]\n", "[pytest]\nx = 1\n", "pytest.ini", writes_tests=True) == ["protected-file"]
    weaker = "def test_a():\n    assert f()\n    f()\n"
    assert rules_of(before, weaker, "tests/test_x.py", writes_tests=True) == []
    for gone in (
        "def test_a():\n    f()\n",
        "def test_a():\n    assert True\n",
        "def test_a():\n    assert f() == 1 or True\n",
    ):
        assert rules_of(before, gone, "tests/test_x.py", writes_tests=True) == ["deleted-assertion"]
    for skip in ("@pytest.mark.skip", "@pytest.mark.xfail(strict=False)", "@unittest.skipIf(True, '')"):
        skipped = f"import pytest, unittest\n\n\n{skip}\n{before}"
        assert rules_of(before, skipped, "tests/test_x.py", writes_tests=True) == ["skip-test"]
    assert "removed-public-name" in rules_of(
        before, "def test_b():\n    assert f() == 1\n", "tests/test_x.py", writes_tests=True
    )


def test_assertions_in_code_are_kept_too() -> None:
    before = "def f(x):\n    assert x > 0\n    return x\n"
    assert rules_of(before, "def f(x):\n    assert x >= 0\n    return x\n") == []
    assert rules_of(before, "def f(x):\n    return x\n") == ["deleted-assertion"]
    broken = "def f(x)\n    assert x > 0\n    return x\n"
    assert rules_of(broken, before) == []
    assert rules_of(broken, "def f(x):\n    return x\n") == ["deleted-assertion"]


def test_names_that_only_move_or_are_private_may_go() -> None:
    before = """
        __all__ = ["a", "b"]
        LIMIT, _SPARE = 1, 2

        def a(x, *rest, y=1, **more):
            return x

        def _private(z):
            return z

        class Thing:
            size = 1

            def method(self, x):
                return x

            def _own(self):
                return 1
    """
    assert (
        rules_of(before, before.replace("_private", "_other").replace("_own", "_mine").replace("_SPARE", "_REST")) == []
    )
    gone = [
        ('"a", "b"', '"a"'),
        ("LIMIT", "BOUND"),
        ("x, *rest", "x"),
        (", y=1", ""),
        (", **more", ""),
        ("size = 1", "length = 1"),
        ("def method(self, x)", "def method(self, z)"),
        ("def method", "def _method"),
        ("class Thing", "class _Thing"),
    ]
    for old, new in gone:
        assert rules_of(before, before.replace(old, new)) == ["removed-public-name"], (old, new)
    assert len(check_patch(patch_of(before, before.replace("class Thing", "class Thong")))) == 1
    assert rules_of(before, None) == ["removed-public-name"]
    assert rules_of("from a import b\n", "from a import c\n", "pkg/__init__.py") == ["removed-public-name"]
    assert rules_of("from a import b\n", "from a import c\n") == []


SCORE = """
    def score(n, name):
        total = n * 3
        return total
"""
INPUTS = ("7", "21", "'bob'", "0", "1", "''", "[3, 5]", "(4, 6)", "-8")


def scored(line: str) -> str:
    return SCORE.replace("        total", f"        {line}\n        total", 1)


@pytest.mark.parametrize(
    "after",
    [
        scored("if n == 7: return 21"),
        scored("if 7 == n: return 21"),
        scored("if n == -8: return 21"),
        scored("if n in (7, 99): return 21"),
        scored("if n is 7: return 21"),
        scored("if name == 'bob': return 'x'"),
        scored("if n == [3, 5]: return [1]"),
        scored("if n > 2 and n == 7: return 21"),
        scored("if n == 7:\n            n = 12"),
        scored("n = 12 if n == 7 else n"),
        scored("n = n + 2 * (n == 7)"),
        scored("n = (n == 7 and 12) or n"),
        scored("n = (n, 12)[n == 7]").replace("(n, 12)", "(5, 12)"),
        scored("n = {7: 21}.get(n, n)"),
        scored("n = {7: 21}[n]"),
        scored("match n:\n            case 7: return 21"),
        scored("match name:\n            case 'ann' | 'bob': return 21"),
        scored("if n != 7:\n            n = n\n        else:\n            return 21"),
        SCORE + "\n    TABLE = {7: 21, 21: 63}\n",
        SCORE.replace("return total", "return 21").replace("        total = n * 3\n", ""),
    ],
)
def test_answer_made_for_the_tests_own_input_is_found(after: str) -> None:
    assert rules_of(SCORE, after, test_inputs=INPUTS) == ["special-case"]


@pytest.mark.parametrize("line", ["if n == 7: return 21", "n = {7: 21}.get(n, n)", "n = n + 2 * (n == 7)"])
def test_fixed_answer_for_what_no_failing_test_names_passes(line: str) -> None:
    assert rules_of(SCORE, scored(line), test_inputs=("12345",)) == []


@pytest.mark.parametrize(
    "after",
    [
        scored("if n == 0: return 0"),
        scored("if n == 1: return 1"),
        scored("if name == '': return 0"),
        scored("if n is None: return 0"),
        scored("if not name: return 0"),
        scored("if n > 7: return 7"),
        scored("if n == 7: raise ValueError(n)"),
        scored("if n == 7: return n * 2"),
        scored("if n == 8: return 21"),
        scored("if n < 0:\n            n = 0"),
        scored("names = {'a': 1}"),
        SCORE.replace("n * 3", "n * 7"),
    ],
)
def test_honest_condition_passes(after: str) -> None:
    assert rules_of(SCORE, after, test_inputs=INPUTS) == []


def test_literal_of_an_existing_case_may_be_corrected() -> None:
    before = "def days(month):\n    if month == 12:\n        return 28\n    return {4: 31}.get(month, 31)\n"
    after = "def days(month):\n    if month == 7:\n        return 28\n    return {9: 30}.get(month, 31)\n"
    assert rules_of(before, after, test_inputs=("7", "9")) == []


def lines(count: int, changed: dict[int, str] | None = None) -> str:
    return "".join((changed or {}).get(number, f"x{number} = {number}\n") for number in range(1, count + 1))


def test_changes_away_from_the_suspicious_lines_are_limited() -> None:
    policy = GuardPolicy(max_outside_lines=4)
    before = lines(60)
    near = lines(60, {number: f"x{number} = 0\n" for number in range(20, 30)})
    far = lines(60, {number: f"x{number} = 0\n" for number in range(40, 43)})
    few = lines(60, {number: f"x{number} = 0\n" for number in range(40, 42)})
    scope = {"pkg/m.py": [(20, 29)]}
    assert rules_of(before, near, allowed=scope, policy=policy) == []
    assert rules_of(before, few, allowed=scope, policy=policy) == []
    assert rules_of(before, far, allowed=scope, policy=policy) == ["outside-scope"]
    assert rules_of(before, near, allowed={"other.py": [(20, 29)]}, policy=policy) == ["outside-scope"]
    assert rules_of(before, far, allowed=None, policy=policy) == []
    inserted = before.replace("x29 = 29\n", "x29 = 29\n" + "".join(f"y{number} = 1\n" for number in range(9)))
    assert rules_of(before, inserted, allowed=scope, policy=policy) == []
    imports = "import a\nfrom b import (\n    c,\n    d,\n    e,\n)\n\n# why\n" + before
    assert rules_of(before, imports, allowed=scope, policy=policy) == []


def test_size_is_limited() -> None:
    big = lines(200, {number: f"x{number} = 0\n" for number in range(1, 100)})
    assert rules_of(lines(200), big) == ["too-large"]
    assert rules_of(lines(200), big, policy=GuardPolicy(max_changed_lines=400)) == []
    many = Patch(tuple(FileChange(f"m{number}.py", b"x = 1\n", b"x = 2\n") for number in range(5)))
    assert [finding.rule for finding in check_patch(many)] == ["too-large"]
    assert check_patch(Patch(many.changes[:4])) == ()


REPAIRS = {
    "comparison": ("if a < b:\n    x = 1\n", "if a <= b:\n    x = 1\n"),
    "boundary": ("for i in range(n): f(i)\n", "for i in range(n + 1): f(i)\n"),
    "operator": ("def f(a, b):\n    return a - b\n", "def f(a, b):\n    return a + b\n"),
    "constant": ("def f(a):\n    return a * 10\n", "def f(a):\n    return a * 100\n"),
    "none guard": (
        "def f(a):\n    return a.b\n",
        "def f(a):\n    if a is None:\n        return None\n    return a.b\n",
    ),
    "empty guard": ("def f(a):\n    return a[0]\n", "def f(a):\n    if not a:\n        return []\n    return a[0]\n"),
    "length guard": (
        "def f(a):\n    return a[1]\n",
        "def f(a):\n    if len(a) < 2:\n        return 0\n    return a[1]\n",
    ),
    "zero guard": (
        "def f(a, b):\n    return a / b\n",
        "def f(a, b):\n    if b == 0:\n        return 0.0\n    return a / b\n",
    ),
    "missing return": ("def f(a):\n    a + 1\n", "def f(a):\n    return a + 1\n"),
    "wrong return": ("def f(a):\n    b = a\n    return a\n", "def f(a):\n    b = a\n    return b\n"),
    "swapped arguments": ("def f(a, b):\n    return g(b, a)\n", "def f(a, b):\n    return g(a, b)\n"),
    "wrong variable": ("def f(a, b):\n    return a + a\n", "def f(a, b):\n    return a + b\n"),
    "negation": ("def f(a):\n    return not a.ok\n", "def f(a):\n    return a.ok\n"),
    "dropped condition": ("if a and b: c()\n", "if a: c()\n"),
    "wrong method": ("def f(a):\n    return a.append(1)\n", "def f(a):\n    return a.extend(1)\n"),
    "unwrapped call": ("def f(a):\n    return list(a)\n", "def f(a):\n    return sorted(list(a))\n"),
    "slice": ("def f(a):\n    return a[1:-1]\n", "def f(a):\n    return a[1:]\n"),
    "initial value": ("def f(a):\n    t = 1\n    return t + a\n", "def f(a):\n    t = 0\n    return t + a\n"),
    "order": ("def f(a):\n    g(a)\n    h(a)\n", "def f(a):\n    h(a)\n    g(a)\n"),
    "missing import": ("def f(a):\n    return math.pi\n", "import math\n\n\ndef f(a):\n    return math.pi\n"),
    "missing os import": ("def f(a):\n    return os.sep\n", "import os\n\n\ndef f(a):\n    return os.sep\n"),
    "wrong import": ("from json import load\n", "from json import loads\n"),
    "wrong exception": ("try:\n    a()\nexcept KeyError:\n    b()\n", "try:\n    a()\nexcept IndexError:\n    b()\n"),
    "narrower exception": ("try:\n    a()\nexcept:\n    b()\n", "try:\n    a()\nexcept OSError:\n    b()\n"),
    "raised instead": ("def f(a):\n    return None\n", "def f(a):\n    raise ValueError(a)\n"),
    "missing await": ("async def f():\n    return g()\n", "async def f():\n    return await g()\n"),
    "awaited sleep": (
        "import asyncio\nasync def f():\n    asyncio.sleep(1)\n",
        "import asyncio\nasync def f():\n    await asyncio.sleep(1)\n",
    ),
    "mutable default": (
        "def f(a, b=[]):\n    b.append(a)\n    return b\n",
        "def f(a, b=None):\n    if b is None:\n        b = []\n    b.append(a)\n    return b\n",
    ),
    "missing colon": ("def f(a)\n    return a\n", "def f(a):\n    return a\n"),
    "missing bracket": ("def f(a):\n    return g(a\n", "def f(a):\n    return g(a)\n"),
    "indentation": ("def f(a):\n  if a:\n  return a\n", "def f(a):\n  if a:\n    return a\n"),
    "unclosed text": ("x = 'a\ny = 2\n", "x = 'a'\ny = 2\n"),
    "colon at an existing broad handler": (
        "try:\n    a()\nexcept Exception\n    b()  # noqa\n",
        "try:\n    a()\nexcept Exception:\n    b()  # noqa\n",
    ),
    "colon below existing danger": (
        "import subprocess\nimport os\nk = os.environ\ndef f(a)\n    return eval(a)\n",
        "import subprocess\nimport os\nk = os.environ\ndef f(a):\n    return eval(a)\n",
    ),
    "environment default": ("import os\nk = os.environ['A']\n", "import os\nk = os.environ.get('A', '')\n"),
    "mistyped name": ("def f(count):\n    return conut\n", "def f(count):\n    return count\n"),
    "missing self": (
        "class A:\n    def f(self):\n        return x\n",
        "class A:\n    def f(self):\n        return self.x\n",
    ),
    "missing parameter": ("def f(a):\n    return a + b\n", "def f(a, b=0):\n    return a + b\n"),
    "base case": (
        "def fib(n):\n    return fib(n - 1) + fib(n - 2)\n",
        (
            "def fib(n):\n    if n == 0:\n        return 0\n    if n == 1:\n        return 1\n"
            "    return fib(n - 1) + fib(n - 2)\n"
        ),
    ),
    "entry of a table": ("T = {'I': 1, 'V': 5}\n", "T = {'I': 1, 'V': 5, 'X': 10}\n"),
    "wrong entry": ("T = {'I': 1, 'V': 6}\n", "T = {'I': 1, 'V': 5}\n"),
    "leap year": (
        "def leap(y):\n    return y % 4 == 0\n",
        "def leap(y):\n    return y % 4 == 0 and (y % 100 != 0 or y % 400 == 0)\n",
    ),
    "wrong literal in a condition": (
        "def f(s):\n    if s == 'opn':\n        return 1\n    return 0\n",
        "def f(s):\n    if s == 'open':\n        return 1\n    return 0\n",
    ),
    "copied default": ("def f(a):\n    b = a\n    b.sort()\n", "def f(a):\n    b = a.copy()\n    b.sort()\n"),
    "attribute default": ("def f(a):\n    return a.n\n", "def f(a):\n    return getattr(a, 'n', None)\n"),
    "private helper inlined": (
        "def _g(a):\n    return a\n\n\ndef f(a):\n    return _g(a)\n",
        "def f(a):\n    return a\n",
    ),
    "restored constant answer": ("def f(a):\n    return True\n", "def f(a):\n    return False\n"),
    "latin text": ("x = 'é'\n", "x = 'è'\n"),
}


@pytest.mark.parametrize("repair", REPAIRS)
def test_honest_repair_passes(repair: str) -> None:
    before, after = REPAIRS[repair]
    inputs = ("3", "10", "'X'", "'I'", "5", "'open'", "100", "400", "1900", "[]", "None")
    assert check_patch(patch_of(before, after), test_inputs=inputs, allowed={"pkg/m.py": [(1, 3)]}) == ()


def test_syntax_repair_that_smuggles_is_found() -> None:
    broken = "def f(a)\n    return a\n"
    for smuggled, rule in (
        ("def f(a):\n    import subprocess\n    return a\n", "dangerous-call"),
        ("def f(a):\n    try:\n        return a\n    except Exception:\n        pass\n", "broad-except"),
        ("def f(a):\n    if a == 77:\n        return 5\n    return a\n", "special-case"),
        ("def f(a):\n    return a  # type: ignore\n", "silencing-comment"),
        ("def g(a):\n    return a\n", "removed-public-name"),
    ):
        assert rule in rules_of(broken, smuggled, test_inputs=("77",))


def test_findings_are_sorted_and_name_their_lines() -> None:
    after = "import subprocess\n\n\ndef f(a):\n    try:\n        return eval(a)  # nosec\n"
    after += "    except Exception:\n        pass\n"
    found = check_patch(patch_of("def f(a):\n    return a\n", after))
    assert [(finding.line, finding.rule) for finding in found] == [
        (1, "dangerous-call"),
        (6, "dangerous-call"),
        (6, "silencing-comment"),
        (7, "broad-except"),
    ]
    assert isinstance(found[0], Finding)


@pytest.mark.parametrize(
    "content",
    [
        b"\x00",
        b"\xff\xfe\x00",
        b"# coding: nonsense\n",
        b"(" * 500,
        b"x = " + b"1+" * 30000 + b"1\n",
        b"'''",
        b"\\",
        b"",
        b"\xef\xbb\xbfx = 1\n",
        b"# coding: latin-1\nx = '\xe9'\n",
        b"if 1:\n\tx\n        y\n",
        b"x = '\\d'\n",
        b"x is 1\n",
    ],
)
def test_broken_content_never_raises(content: bytes) -> None:
    for before, after in ((b"x = 1\n", content), (content, b"x = 1\n"), (None, content), (content, None)):
        for path in ("m.py", "data.bin", "tests/test_m.py"):
            check_patch(Patch((FileChange(path, before, after),)), allowed={}, test_inputs=("1",), writes_tests=True)


@given(before=st.binary(max_size=60), after=st.binary(max_size=60))
def test_arbitrary_bytes_never_raise(before: bytes, after: bytes) -> None:
    check_patch(Patch((FileChange("m.py", before, after),)), allowed={"m.py": [(1, 1)]}, test_inputs=("1",))


def test_empty_patch_has_no_findings() -> None:
    assert check_patch(Patch(()), allowed={}) == ()
