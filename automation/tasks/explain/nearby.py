"""What was probably meant: names near the one that is missing, and the package that brings a module."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from automation.codebase.files import python_files
from automation.codebase.sources import read_source
from automation.codebase.symbols import tree_of
from automation.errors import EditRefused
from automation.incidents.classify import innermost_own
from automation.incidents.records import Frame, Raised

if TYPE_CHECKING:
    from automation.codebase.index import SymbolIndex

_MOST = 3
_CLOSE = 0.6
# short names of packages look alike, and most have nothing to do with each other
_CLOSE_MODULE = 0.8
_KEYS = re.compile(r"['\"]([^'\"]{1,60})['\"]\s*:")
_SUGGESTED = re.compile(r"Did you mean:? '(?P<name>[^']+)'")
_OTHER_PACKAGES: Mapping[str, str] = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "Crypto": "pycryptodome",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "git": "gitpython",
    "google.protobuf": "protobuf",
    "jose": "python-jose",
    "jwt": "pyjwt",
    "magic": "python-magic",
    "multipart": "python-multipart",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "psycopg2": "psycopg2-binary",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "talib": "ta-lib",
    "telegram": "python-telegram-bot",
    "websocket": "websocket-client",
    "xgboost": "xgboost-cpu",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}


def install_command(module: str) -> str:
    """Return the command that installs what brings a module.

    Parameters
    ----------
    module : str
        Dotted; the packages that are usually named otherwise than their modules are known.
    """
    top = module.partition(".")[0]
    known = _OTHER_PACKAGES.get(module) or _OTHER_PACKAGES.get(top)
    return f"pip install {known or top.replace('_', '-')}"


def likely_names(raised: Raised, chain: Iterable[Raised], root: Path, home: Path | None) -> tuple[str, ...]:
    """Return what an error's missing name was probably meant to be, the likeliest first.

    Parameters
    ----------
    raised : Raised
        The exception.
    chain : iterable of Raised
        All of them, for the place.
    root : Path
        The repository.
    home : Path, optional
        The data home, for the symbol index.
    """
    suggested = _SUGGESTED.search(raised.message)
    if suggested is not None:
        return (suggested["name"],)
    place = innermost_own(tuple(chain))
    own = raised.type.rpartition(".")[2]
    for kinds, pattern, candidates in _READERS:
        found = pattern.search(raised.message) if own in kinds else None
        if found is not None:
            wanted = found["wanted"].strip("'\"")
            names = dict.fromkeys(candidates(found, place, root, home))
            names.pop(wanted, None)
            cutoff = _CLOSE_MODULE if candidates is _modules else _CLOSE
            near = get_close_matches(wanted, names, n=_MOST, cutoff=cutoff)
            # hardly anybody misspells the first letter
            return tuple(sorted(near, key=lambda name: name[:1] != wanted[:1]))
    return ()


def is_own_module(name: str, root: Path) -> bool:
    """Say whether a module at the top, or a package, is the repository's own, also below ``src``."""
    return any(
        file.exists()
        for folder in (root, root / "src")
        for file in (folder / f"{name}.py", folder / name / "__init__.py")
    ) or any(path.startswith((f"{name}/", f"src/{name}/")) for path in python_files(root))


def _keys(_: re.Match[str], place: Frame | None, root: Path, __: Path | None) -> Iterator[str]:
    """Yield keys that the frame's values show, then texts of its file."""
    if place is None:
        return
    for text in place.values.values():
        yield from _KEYS.findall(text)
    tree = _tree(root, place.path)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.strip():
            yield node.value


def _file_names(_: re.Match[str], place: Frame | None, root: Path, __: Path | None) -> Iterator[str]:
    tree = None if place is None else _tree(root, place.path)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
    yield from dir(builtins)


def _members(found: re.Match[str], _: Frame | None, root: Path, home: Path | None) -> Iterator[str]:
    """Yield attributes and methods of the repository's classes of that name."""
    with _index(root, home) as index:
        for owner in index.definitions(found["owner"].rpartition(".")[2]):
            if owner.kind == "class":
                inside = f"{owner.name}."
                yield from (each.own_name for each in index.symbols_in(owner.path) if each.name.startswith(inside))
                yield from _assigned(root, owner.path, owner.name)


def _assigned(root: Path, path: str, name: str) -> Iterator[str]:
    tree = _tree(root, path)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.ClassDef) and node.name == name.rpartition(".")[2]:
            for child in ast.walk(node):
                if isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name) and child.value.id == "self":
                    yield child.attr


def _module_names(found: re.Match[str], _: Frame | None, root: Path, home: Path | None) -> Iterator[str]:
    """Yield what one of the repository's own modules defines."""
    stem = found["owner"].replace(".", "/")
    ends = (f"{stem}.py", f"{stem}/__init__.py")
    with _index(root, home) as index:
        # the folder that is imported from may lie below the repository's, such as src
        for path in (each for each in python_files(root) if f"/{each}".endswith((f"/{ends[0]}", f"/{ends[1]}"))):
            yield from (each.name for each in index.symbols_in(path) if "." not in each.name)


def _modules(found: re.Match[str], _: Frame | None, root: Path, __: Path | None) -> Iterator[str]:
    if found["wanted"] in _OTHER_PACKAGES:
        return
    for path in python_files(root):
        pure = PurePosixPath(path).with_suffix("")
        parts = pure.parts[:-1] if pure.name == "__init__" else pure.parts
        parts = parts[1:] if parts[:1] == ("src",) else parts
        yield ".".join(parts)
        yield from parts[:1]
    installed = (each.name for each in iter_modules())
    yield from (name for name in (*sys.stdlib_module_names, *installed) if not name.startswith("_"))


def _parameters(found: re.Match[str], _: Frame | None, root: Path, home: Path | None) -> Iterator[str]:
    """Yield the parameters of the repository's functions of that name; of a class, those of what makes it."""
    name = found["owner"].rpartition(".<locals>.")[2].removesuffix(".__init__")
    with _index(root, home) as index:
        for symbol in index.definitions(name):
            inits = [each for each in index.symbols_in(symbol.path) if each.name == f"{symbol.name}.__init__"]
            yield from _arguments((inits or [symbol])[0].signature)
            if symbol.kind == "class":
                # a dataclass or a model takes its fields
                fields = (each for each in index.symbols_in(symbol.path) if each.kind == "constant")
                yield from (each.own_name for each in fields if each.name.startswith(f"{symbol.name}."))


def _arguments(signature: str) -> Iterator[str]:
    try:
        tree = ast.parse(f"{signature}: ...")
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.arg not in {"self", "cls"}:
            yield node.arg


def _index(root: Path, home: Path | None) -> SymbolIndex:
    # what resolves references takes half a second to import, and few errors need the index
    from automation.codebase.scopes import repository_index

    return repository_index(root, home)


def _tree(root: Path, path: str) -> ast.Module | None:
    try:
        return tree_of(read_source(root, path))
    except (EditRefused, OSError):
        return None


_READERS = (
    ({"KeyError"}, re.compile(r"^\s*(?P<wanted>'[^']+'|\"[^\"]+\")\s*$"), _keys),
    ({"NameError"}, re.compile(r"name '(?P<wanted>\w+)' is not defined"), _file_names),
    ({"AttributeError"}, re.compile(r"module '(?P<owner>[\w.]+)' has no attribute '(?P<wanted>\w+)'"), _module_names),
    ({"AttributeError"}, re.compile(r"'(?P<owner>[\w.]+)' object has no attribute '(?P<wanted>\w+)'"), _members),
    ({"AttributeError"}, re.compile(r"type object '(?P<owner>[\w.]+)' has no attribute '(?P<wanted>\w+)'"), _members),
    ({"ImportError"}, re.compile(r"cannot import name '(?P<wanted>\w+)' from '(?P<owner>[\w.]+)'"), _module_names),
    ({"ModuleNotFoundError"}, re.compile(r"No module named '(?P<wanted>[\w.]+)'"), _modules),
    (
        {"TypeError"},
        re.compile(r"(?P<owner>[\w.<>]+)\(\) got an unexpected keyword argument '(?P<wanted>\w+)'"),
        _parameters,
    ),
)
