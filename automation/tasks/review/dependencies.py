"""Dependencies: what is imported against what ``pyproject.toml`` or ``requirements.txt`` declares."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from automation.tasks.review.findings import CheckSkipped, Finding, Findings, Severity, density_score
from automation.tasks.review.ground import Ground, ParsedFile
from automation.tasks.review.tools import Tools

_HALF = 2.0
_NAME = re.compile(r"\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(?P<range>[^;#]*)")
# For packages that are not installed beside GridBot and are imported under another name.
_IMPORTED_AS = {
    "beautifulsoup4": "bs4", "opencv-python": "cv2", "pillow": "pil", "pyjwt": "jwt", "python-dateutil": "dateutil",
    "python-dotenv": "dotenv", "pyyaml": "yaml", "scikit-image": "skimage", "scikit-learn": "sklearn",
    "ta-lib": "talib", "xgboost-cpu": "xgboost",
}  # fmt: skip
_NOT_AUDITED = "known vulnerabilities: not audited, which needs a network"


@dataclass(frozen=True, slots=True)
class _Declared:
    """One requirement: its name in small letters with dashes, its range, and where it stands."""

    name: str
    range: str
    path: str
    line: int
    optional: bool


@dataclass(frozen=True, slots=True)
class _Imported:
    """A third-party module that is imported, and whether the code gets along without it."""

    module: str
    path: str
    line: int
    guarded: bool


@dataclass(frozen=True, slots=True)
class DependenciesCheck:
    """Undeclared and unused packages, and those without any range; vulnerabilities are not audited, and it says so."""

    name: str = "dependencies"
    weight: float = 1.0

    def look(self, ground: Ground, tools: Tools) -> Findings:
        """Compare the scope's imports with the declaration; the declaration itself only for the whole repository."""
        files = ground.require_product()
        declared = tuple(_declared(ground))
        if not declared and not isinstance(ground.settings.get("project"), dict):
            raise CheckSkipped("neither pyproject.toml nor requirements.txt declares what it needs")
        imported = list(_foreign_imports(ground))
        names = {each.name for each in declared} | {_own_name(ground)}
        found = list(_undeclared(imported, names))
        if ground.is_whole:
            found += _unused(declared, imported, _spelled_out(ground))
            found += _unbounded(declared, _own_name(ground))
        lines = ground.lines_of(files.values())
        modules = len({each.module for each in imported})
        figure = f"{len(declared)} declared, {modules} imported; {_NOT_AUDITED}"
        findings = tuple(sorted(found, key=lambda each: each.order))
        return Findings(self.name, self.weight, figure, density_score(findings, lines, _HALF), findings)


def _undeclared(imported: list[_Imported], names: set[str]) -> Iterator[Finding]:
    places: dict[str, list[_Imported]] = {}
    for each in imported:
        if not names.intersection(_distributions(each.module)):
            places.setdefault(each.module, []).append(each)
    for module, uses in places.items():
        guarded = all(each.guarded for each in uses)
        first = next(each for each in uses if each.guarded == guarded)
        others = len({each.path for each in uses}) - 1
        where = f" (also in {others} other files)" if others else ""
        message = f"{module} is imported and declared nowhere{where}; add it to the dependencies"
        severity = Severity.INFO if guarded else Severity.ERROR
        yield Finding(first.path, first.line, 1, severity, message, "undeclared")


def _unused(declared: tuple[_Declared, ...], imported: list[_Imported], spelled: set[str]) -> Iterator[Finding]:
    used = {name for each in imported for name in _distributions(each.module)}
    for each in declared:
        # extras hold tools that are run, not imported
        if each.name not in used | spelled and not each.optional:
            message = f"{each.name} is declared and imported nowhere; drop it unless a program runs it"
            yield Finding(each.path, each.line, 1, Severity.INFO, message, "unused-dependency", 0.5)


def _spelled_out(ground: Ground) -> set[str]:
    """Return the texts of the code that may name a program to run, as ``bandit`` in ``[python, "-m", "bandit"]``."""
    return {
        _normal(node.value)
        for file in ground.around.values()
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isprintable()
    }


def _foreign_imports(ground: Ground) -> Iterator[_Imported]:
    own: dict[PurePosixPath, set[str]] = {}
    for file in ground.product.values():
        folder = PurePosixPath(file.path).parent
        if folder not in own:
            own[folder] = _own_modules(ground, folder)
        for each in _imports(file):
            # no package on an index has a name that begins with an underscore
            is_package = each.module not in own[folder] and not each.module.startswith("_")
            if is_package and ground.scope.holds(each.path, each.line):
                yield each


def _unbounded(declared: tuple[_Declared, ...], own_name: str) -> Iterator[Finding]:
    for each in declared:
        if not each.range.strip() and each.name != own_name:
            message = f"{each.name} has no version range, so that any release may break it"
            yield Finding(each.path, each.line, 1, Severity.WARNING, message, "unbounded")


def _declared(ground: Ground) -> Iterator[_Declared]:
    project = ground.settings.get("project")
    text = _text(ground.root / "pyproject.toml")
    if isinstance(project, dict):
        for entry in project.get("dependencies", ()):
            yield from _requirement(str(entry), "pyproject.toml", text, optional=False)
        for group in project.get("optional-dependencies", {}).values():
            for entry in group:
                yield from _requirement(str(entry), "pyproject.toml", text, optional=True)
    for file in sorted(ground.root.glob("requirements*.txt")):
        lines = _text(file).splitlines()
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.lstrip().startswith(("#", "-")):
                optional = file.name != "requirements.txt"
                for each in _requirement(line, file.name, "", optional=optional):
                    yield _Declared(each.name, each.range, file.name, number, optional)


def _requirement(entry: str, path: str, text: str, *, optional: bool) -> Iterator[_Declared]:
    match = _NAME.match(entry)
    if match is not None:
        lines = text.splitlines()
        line = next((number for number, one in enumerate(lines, 1) if entry in one), 1)
        yield _Declared(_normal(match["name"]), match["range"], path, line, optional)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _own_name(ground: Ground) -> str:
    project = ground.settings.get("project")
    return _normal(str(project.get("name", ""))) if isinstance(project, dict) else ""


def _own_modules(ground: Ground, folder: PurePosixPath) -> set[str]:
    """Return what a file in a folder can import of the repository: packages at its top, and a script's neighbours."""
    paths = [PurePosixPath(path.removeprefix("src/")) for path in ground.every_path]
    own = {PurePosixPath(path.parts[0]).stem for path in paths}
    if not (ground.root / folder / "__init__.py").is_file():
        near = [path.relative_to(folder) for path in paths if path.is_relative_to(folder)]
        own |= {PurePosixPath(path.parts[0]).stem for path in near}
    return own


def _imports(file: ParsedFile) -> Iterator[_Imported]:
    found: list[tuple[str, int]] = []
    guarded: set[int] = set()
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.module, node.lineno)] if node.module and not node.level else []
        elif isinstance(node, ast.Try) or (isinstance(node, ast.If) and _is_for_types(node.test)):
            guarded.update(line for one in node.body for line in range(one.lineno, (one.end_lineno or one.lineno) + 1))
    for name, line in found:
        module = name.partition(".")[0]
        if module not in sys.stdlib_module_names and module != "__future__":
            yield _Imported(module, file.path, line, line in guarded)


def _is_for_types(test: ast.expr) -> bool:
    return (test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else "") == (
        "TYPE_CHECKING"
    )


def _distributions(module: str) -> frozenset[str]:
    known = {_normal(name) for name in _installed().get(module, ())}
    spelled = {distribution for distribution, name in _IMPORTED_AS.items() if name == module.lower()}
    return frozenset(known | spelled | {_normal(module)})


@cache
def _installed() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
