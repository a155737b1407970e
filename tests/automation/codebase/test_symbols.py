"""The list of what a file defines."""

from __future__ import annotations

import pytest

from automation.codebase.sources import SourceFile
from automation.codebase.symbols import Symbol, symbols_of
from automation.errors import EditRefused

_TEXT = '''"""Doc."""
LIMIT: int = 3
_low, high = 1, 2

@cache
async def fetch(url: str, *, retries: int = 2) -> bytes:
    """Fetch it.

    Slowly.
    """
    seen = 1
    def inner(): ...
    class Box: ...

class Grid(Base[int], metaclass=Meta):
    """A grid."""
    step = 1
    if True:
        @property
        def price(self) -> int: ...
    def _hidden(self): ...
    def __len__(self): ...

try:
    def fallback(): ...
except ImportError:
    other = 1
'''


def _symbols() -> dict[str, Symbol]:
    return {symbol.name: symbol for symbol in symbols_of(SourceFile("pkg/a.py", _TEXT))}


def test_every_definition_is_listed_once_with_its_kind() -> None:
    assert [(symbol.name, symbol.kind) for symbol in symbols_of(SourceFile("pkg/a.py", _TEXT))] == [
        ("LIMIT", "constant"),
        ("_low", "constant"),
        ("high", "constant"),
        ("fetch", "function"),
        ("fetch.inner", "function"),
        ("fetch.Box", "class"),
        ("Grid", "class"),
        ("Grid.step", "constant"),
        ("Grid.price", "method"),
        ("Grid._hidden", "method"),
        ("Grid.__len__", "method"),
        ("fallback", "function"),
        ("other", "constant"),
    ]


def test_lines_signature_and_doc_are_told() -> None:
    fetch = _symbols()["fetch"]
    assert (fetch.line, fetch.end_line, fetch.doc) == (5, 13, "Fetch it.")
    assert fetch.signature == "async def fetch(url: str, *, retries: int=2) -> bytes"
    assert _symbols()["Grid"].signature == "class Grid(Base[int], metaclass=Meta)"
    assert _symbols()["LIMIT"].signature == "LIMIT: int"


def test_private_and_local_names_are_not_public() -> None:
    public = {name for name, symbol in _symbols().items() if symbol.public}
    assert public == {"LIMIT", "high", "fetch", "Grid", "Grid.step", "Grid.price", "Grid.__len__", "fallback", "other"}


def test_broken_file_is_refused_with_its_name() -> None:
    with pytest.raises(EditRefused, match=r"pkg/bad\.py does not parse"):
        symbols_of(SourceFile("pkg/bad.py", "def f(:\n"))
