"""A small repository and a laboratory for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from automation.incidents.suites import suite_settings
from automation.tasks.generate_tests.laboratory import Laboratory

SHOP = '''\
"""Fees of a shop."""

from dataclasses import dataclass


def fee(weight: int) -> int:
    """Return the fee of a parcel.

    >>> fee(3)
    5

    Raises
    ------
    ValueError
        When there is nothing to ship.
    """
    if weight <= 0:
        raise ValueError("nothing to ship")
    return 5 if weight < 10 else weight


@dataclass
class Basket:
    items: dict[str, int]

    def add(self, name: str, count: int = 1) -> None:
        self.items[name] = self.items.get(name, 0) + count
'''

PARCEL = SHOP.partition("@dataclass")[0].replace("from dataclasses import dataclass\n\n\n", "\n").rstrip() + "\n"


def planted(folder: Path, files: Mapping[str, str]) -> Path:
    """Write a repository's files."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@contextmanager
def laboratory(tree: Path, path: str = "shop.py") -> Iterator[Laboratory]:
    """Open a laboratory that imports no plugin of pytest, which is most of what it costs to start."""
    found = suite_settings(tree, tree)
    settings = replace(found, plugins={}, environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    with Laboratory(tree, settings, workers=1, calls=150) as lab:
        assert lab.prepare(path.removesuffix(".py"), path) == ""
        yield lab
