"""What is told of a symbol to whoever reads or edits by symbol: places, bodies, members, references."""

from __future__ import annotations

from dataclasses import dataclass

from automation.codebase.symbols import qualified


@dataclass(frozen=True, slots=True)
class SymbolView:
    """One definition as it is told.

    Parameters
    ----------
    path : str
        File, relative to the repository.
    name_path : str
        Qualified inside the file, with slashes: ``"Grid/decide"``.
    kind : str
        ``"function"``, ``"class"``, ``"method"``, ``"constant"``, or what another backend calls it.
    line, end_line : int
        First and last line, from 1.
    signature, doc : str
        Header without colon, and first line of the docstring; empty where the backend does not tell.
    body : str or None
        Source text from the first decorator on, None when it was not asked for.
    members : tuple of SymbolView
        What is defined inside, as deep as was asked for.
    """

    path: str
    name_path: str
    kind: str
    line: int
    end_line: int
    signature: str = ""
    doc: str = ""
    body: str | None = None
    members: tuple[SymbolView, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return it as plain JSON, without what is empty."""
        told: dict[str, object] = {
            "path": self.path,
            "name_path": self.name_path,
            "kind": self.kind,
            "line": self.line,
            "end_line": self.end_line,
        }
        for name in ("signature", "doc", "body"):
            if getattr(self, name):
                told[name] = getattr(self, name)
        if self.members:
            told["members"] = [member.as_json() for member in self.members]
        return told


@dataclass(frozen=True, slots=True)
class Reference:
    """One place that leads to a definition.

    Parameters
    ----------
    path : str
        File, relative to the repository.
    line : int
        From 1.
    text : str
        The line, without its margin.
    inside : str
        Name path of the function around it, ``""`` at module or class level.
    """

    path: str
    line: int
    text: str
    inside: str

    def as_json(self) -> dict[str, object]:
        """Return it as plain JSON."""
        return {"path": self.path, "line": self.line, "text": self.text, "inside": self.inside}


@dataclass(frozen=True, slots=True)
class SymbolQuery:
    """Which symbols are wanted.

    Parameters
    ----------
    name_path : str
        ``"decide"``, ``"Grid/decide"`` (any symbol whose name path ends so), ``"/Grid/decide"`` (exactly that one);
        dots instead of slashes mean the same.
    path : str
        Only in this file or below this folder; empty is the whole repository.
    depth : int
        How many levels of members are told too.
    with_body : bool
        Whether the source text is told.
    substring : bool
        The last part need only occur in a symbol's own name, small and capital letters alike.
    limit : int
        Most symbols that are told.
    """

    name_path: str
    path: str = ""
    depth: int = 0
    with_body: bool = False
    substring: bool = False
    limit: int = 50

    def fits(self, name: str) -> bool:
        """Say whether a qualified name, with dots, is wanted."""
        wanted = dotted(self.name_path)
        if self.substring:
            outer, _, own = wanted.rpartition(".")
            prefix, _, last = name.rpartition(".")
            return own.lower() in last.lower() and (not outer or f".{prefix}".endswith(f".{outer}"))
        if self.name_path.startswith("/"):
            return name == wanted
        return f".{name}".endswith(f".{wanted}")


def dotted(name_path: str) -> str:
    """Return a name path as the qualified name that the index knows: ``/Grid/decide`` is ``Grid.decide``."""
    return qualified(name_path.strip().strip("/").replace("/", "."))


def slashed(name: str) -> str:
    """Return a qualified name as a name path: ``Grid.decide`` is ``Grid/decide``."""
    return name.replace(".", "/")
