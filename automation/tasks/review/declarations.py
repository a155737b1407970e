"""What a repository declares that it needs: pyproject.toml, setup.cfg and files of requirements."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from automation.tasks.review.ground import Ground

_NAME = re.compile(r"\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(?P<range>[^;#]*)")
_PINNED = re.compile(
    r"^\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*===?\s*(?P<version>[\w.!+-]+)\s*(?:$|[;#\\ ])"
)
_FOLDED = re.compile(r"\\\s*$")
_REQUIREMENTS = ("requirements*.txt", "requirements/*.txt")
_PINS = ("constraints*.txt", *_REQUIREMENTS)


@dataclass(frozen=True, slots=True)
class Declared:
    """One requirement.

    Parameters
    ----------
    name : str
        In small letters with dashes.
    range : str
        The versions that fit; empty for any.
    path : str
        The file that declares it.
    line : int
        From 1.
    optional : bool
        Whether the code gets along without it: an extra, or a tool of the developers'.
    """

    name: str
    range: str
    path: str
    line: int
    optional: bool


def declared_in(ground: Ground) -> tuple[Declared, ...]:
    """Return what a repository declares, in whatever way."""
    return (*_of_project(ground), *_of_poetry(ground), *_of_setup(ground.root), *_of_requirements(ground.root))


def declares_anything(ground: Ground) -> bool:
    """Say whether a repository has a place in which it declares what it needs, even if that is nothing."""
    return isinstance(ground.settings.get("project"), dict) or bool(ground.tool("poetry"))


def pinned_in(root: Path) -> dict[str, str]:
    """Return the versions that constraints or requirements pin, by name; they stand for what is installed."""
    found: dict[str, str] = {}
    for pattern in _PINS:
        for file in sorted(root.glob(pattern)):
            for line in _text(file).splitlines():
                pinned = _PINNED.match(_FOLDED.sub("", line))
                if pinned is not None:
                    found.setdefault(normal(pinned["name"]), pinned["version"])
    return found


def normal(name: str) -> str:
    """Return a distribution's name as indexes compare it: small letters, dashes."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _of_project(ground: Ground) -> Iterator[Declared]:
    text = _text(ground.root / "pyproject.toml")
    project = ground.settings.get("project")
    table = project if isinstance(project, dict) else {}
    for entry in _listed(table.get("dependencies")):
        yield from _requirement(entry, "pyproject.toml", text, optional=False)
    groups = [table.get("optional-dependencies"), ground.settings.get("dependency-groups")]
    for group in groups:
        for entries in group.values() if isinstance(group, dict) else ():
            for entry in _listed(entries):
                yield from _requirement(entry, "pyproject.toml", text, optional=True)


def _of_poetry(ground: Ground) -> Iterator[Declared]:
    text = _text(ground.root / "pyproject.toml")
    poetry = ground.tool("poetry")
    tables = [(poetry.get("dependencies"), False), (poetry.get("dev-dependencies"), True)]
    groups = poetry.get("group")
    named = groups.values() if isinstance(groups, dict) else ()
    tables += [(group.get("dependencies"), True) for group in named if isinstance(group, dict)]
    for table, optional in tables:
        for name, wanted in table.items() if isinstance(table, dict) else ():
            version = wanted.get("version", "") if isinstance(wanted, dict) else wanted
            found = re.search(rf"^\s*\"?{re.escape(name)}\"?\s*=", text, re.MULTILINE)
            line = 1 if found is None else text.count("\n", 0, found.start()) + 1
            if name != "python":
                bounded = "" if version in {"*", ""} else str(version)
                yield Declared(normal(name), bounded, "pyproject.toml", line, optional)


def _of_setup(root: Path) -> Iterator[Declared]:
    text = _text(root / "setup.cfg")
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    if parser.has_option("options", "install_requires"):
        for entry in parser["options"]["install_requires"].splitlines():
            yield from _requirement(entry, "setup.cfg", text, optional=False)
    if parser.has_section("options.extras_require"):
        for entries in parser["options.extras_require"].values():
            for entry in entries.splitlines():
                yield from _requirement(entry, "setup.cfg", text, optional=True)


def _of_requirements(root: Path) -> Iterator[Declared]:
    for pattern in _REQUIREMENTS:
        for file in sorted(root.glob(pattern)):
            path = file.relative_to(root).as_posix()
            for number, line in enumerate(_text(file).splitlines(), 1):
                if line.strip() and not line.lstrip().startswith(("#", "-")):
                    for each in _requirement(line, path, "", optional=path != "requirements.txt"):
                        yield Declared(each.name, each.range, path, number, each.optional)


def _requirement(entry: str, path: str, text: str, *, optional: bool) -> Iterator[Declared]:
    match = _NAME.match(entry)
    if match is not None:
        lines = text.splitlines()
        line = next((number for number, one in enumerate(lines, 1) if entry.strip() in one), 1)
        yield Declared(normal(match["name"]), match["range"].strip(), path, line, optional)


def _listed(value: object) -> list[str]:
    # a group may include another by a table
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
