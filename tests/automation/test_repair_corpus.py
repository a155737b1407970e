"""The repair corpus itself: correct programs pass all their tests, each bug fails visible and held-back ones."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, ModuleType

import pytest

from benchmarks.repair_corpus.corpus import Task, load_corpus, load_task

CORPUS = load_corpus()
# An endless loop is one of the patterns: a test that runs so many lines has failed.
MOST_LINES = 300_000


@contextmanager
def program(files: Mapping[str, str], root: Path) -> Iterator[None]:
    """Write the files and make them importable, and forget their modules afterwards."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    before, path_before = set(sys.modules), list(sys.path)
    sys.path[:0] = [str(root), str(root / "src")]
    try:
        yield
    finally:
        sys.path[:] = path_before
        for name in set(sys.modules) - before:
            if str(root) in (getattr(sys.modules[name], "__file__", None) or ""):
                del sys.modules[name]


@contextmanager
def line_limit() -> Iterator[None]:
    left = [MOST_LINES]

    def trace(frame: FrameType, event: str, argument: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise TimeoutError("too many lines")
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def results(files: Mapping[str, str], tests: Mapping[str, str], root: Path, *, limited: bool) -> dict[str, bool]:
    """Return whether each test passes; tests that cannot be imported all fail."""
    ((path, text),) = tests.items()
    functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    names = [function.name for function in functions if function.name.startswith("test_")]
    with program({**files, **tests}, root):
        module = ModuleType(Path(path).stem)
        try:
            exec(compile(text, path, "exec"), module.__dict__)
        except Exception:  # noqa: BLE001 - whatever a bug raises
            return dict.fromkeys(names, False)
        return {name: _passes(getattr(module, name), limited) for name in names}


def _passes(test, limited: bool) -> bool:
    marks = getattr(test, "pytestmark", [])
    ((parameter, values),) = [mark.args for mark in marks] or [("", [None])]
    try:
        for value in values:
            arguments = {parameter: value} if parameter else {}
            if limited:
                with line_limit():
                    test(**arguments)
            else:
                test(**arguments)
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - whatever a bug raises
        return False
    return True


@pytest.mark.parametrize("task", CORPUS, ids=lambda task: task.name)
def test_correct_program_passes_and_buggy_one_fails_both_kinds_of_tests(task: Task, tmp_path: Path):
    for name, tests in (("visible", task.visible), ("held_back", task.held_back)):
        correct = results(task.correct, tests, tmp_path / name / "correct", limited=False)
        assert correct
        assert [test for test, passed in correct.items() if not passed] == []
        buggy = results(task.buggy, tests, tmp_path / name / "buggy", limited=True)
        assert not all(buggy.values())


def test_corpus_is_as_large_and_as_mixed_as_it_should_be():
    assert len(CORPUS) >= 70
    assert len({task.name for task in CORPUS}) == len(CORPUS)
    share = sum(task.single_edit for task in CORPUS) / len(CORPUS)
    assert 0.55 <= share <= 0.75
    layouts = Counter(task.layout for task in CORPUS)
    assert min(layouts[layout] for layout in ("flat", "package", "src")) >= 3
    assert len({task.pattern for task in CORPUS}) >= 30
    assert len({task.topic for task in CORPUS}) >= 10


def test_most_bugs_leave_some_visible_test_passing(tmp_path: Path):
    # Passing tests are what tells suspicious lines from innocent ones; a program that cannot even start has none.
    without = []
    for task in CORPUS:
        found = results(task.buggy, task.visible, tmp_path / task.name, limited=True)
        assert len(found) >= 3
        if not any(found.values()):
            without.append(task.name)
    assert without == ["parse_json_path"]


EXAMPLE = """# add

- pattern: wrong operator
- edits: single

## add.py
```python
def add(a, b):
    return a + b
```

## bug in add.py
```diff
-    return a + b
+    return a - b
```

## visible tests
```python
def test_add(): ...
```

## held-back tests
```python
def test_more(): ...
```
"""


def written(text: str, folder: Path) -> Path:
    path = folder / "sums" / "add.md"
    path.parent.mkdir()
    path.write_text(text)
    return path


def test_task_file_is_read_in_all_its_parts(tmp_path: Path):
    task = load_task(written(EXAMPLE, tmp_path))
    assert (task.name, task.topic, task.pattern, task.single_edit) == ("add", "sums", "wrong operator", True)
    assert task.correct == {"add.py": "def add(a, b):\n    return a + b\n"}
    assert task.buggy == {"add.py": "def add(a, b):\n    return a - b\n"}
    assert list(task.visible) == ["test_add.py"]
    assert list(task.held_back) == ["test_add_held_back.py"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("-    return a + b", "-    return a * b", "0 times"),
        ("+    return a - b", "+    return a + b", "no bug"),
        ("## held-back tests", "## other tests", "held-back tests"),
        ("- edits: single", "- edits: some", "some"),
    ],
)
def test_broken_task_file_is_named_with_the_reason(tmp_path: Path, old: str, new: str, reason: str):
    with pytest.raises(ValueError, match=rf"add\.md.*{reason}"):
        load_task(written(EXAMPLE.replace(old, new), tmp_path))
