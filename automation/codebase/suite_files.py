"""Which files of a repository belong to its tests, by pytest's own naming and the usual folders.

Only the standard library is imported, so that a sandboxed process can load this file by its path.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

TEST_NAMES = ("test_*.py", "*_test.py", "*_tests.py", "tests.py", "conftest.py")
# Not `testing`: that is where packages keep what they offer to the tests of others.
TEST_FOLDERS = ("tests", "test")


def is_test_path(path: str) -> bool:
    """Say whether a file, relative to its repository, is a test, a conftest, or lies in a folder of tests."""
    *folders, name = path.lower().split("/")
    return not set(folders).isdisjoint(TEST_FOLDERS) or any(fnmatchcase(name, pattern) for pattern in TEST_NAMES)
