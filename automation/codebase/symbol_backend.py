"""The protocol of everything that finds and edits code by symbol: our own layer, and servers such as Serena."""

from __future__ import annotations

from typing import Protocol

from automation.codebase.patches import Patch
from automation.codebase.symbol_views import Reference, SymbolQuery, SymbolView


class SymbolBackend(Protocol):
    """Finds symbols of one repository and makes patches of edits; nothing of it writes into that repository.

    Every edit raises EditRefused when the symbol is missing or ambiguous, or the result would not parse or would touch
    anything but what was named.
    """

    name: str

    def overview(self, path: str, depth: int = 0) -> tuple[SymbolView, ...]:
        """Return what a file defines, with members as deep as asked."""
        ...

    def find(self, query: SymbolQuery) -> tuple[SymbolView, ...]:
        """Return the symbols that are wanted, by file and line."""
        ...

    def references(self, path: str, name_path: str) -> tuple[Reference, ...]:
        """Return the places that lead to a definition, by file and line."""
        ...

    def replace(self, path: str, name_path: str, body: str) -> Patch:
        """Replace a whole definition, its header too; decorators stay when the new text names none."""
        ...

    def insert_before(self, path: str, name_path: str, body: str) -> Patch:
        """Insert code before a definition."""
        ...

    def insert_after(self, path: str, name_path: str, body: str) -> Patch:
        """Insert code after a definition."""
        ...

    def rename(self, path: str, name_path: str, new_name: str) -> Patch:
        """Rename a definition and everything that refers to it."""
        ...

    def close(self) -> None:
        """Let go of what the backend holds."""
        ...
