"""Dependencies: what is imported against what ``pyproject.toml`` or ``requirements.txt`` declares."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from automation.tasks.review.audit import audited
from automation.tasks.review.declarations import Declared, declared_in, declares_anything, normal, pinned_in
from automation.tasks.review.findings import CheckSkipped, Finding, Findings, Severity, density_score
from automation.tasks.review.ground import Ground, ParsedFile
from automation.tasks.review.tools import Tools

_HALF = 2.0
# For packages that are not installed beside GridBot and are imported under another name.
_IMPORTED_AS = {
    "beautifulsoup4": "bs4", "opencv-python": "cv2", "pillow": "pil", "pyjwt": "jwt", "python-dateutil": "dateutil",
    "python-dotenv": "dotenv", "pyyaml": "yaml", "scikit-image": "skimage", "scikit-learn": "sklearn",
    "ta-lib": "talib", "xgboost-cpu": "xgboost",
}  # fmt: skip
_IMPORTS = "imports 1"
_STANDARD = sys.stdlib_module_names | {"__future__"}
_SPELLED = "names 1"
# what a program that is run may be called
_SPELT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,60}")


@dataclass(frozen=True, slots=True)
class _Imported:
    """A third-party module that is imported, and whether the code gets along without it."""

    module: str
    path: str
    line: int
    guarded: bool


@dataclass(frozen=True, slots=True)
class DependenciesCheck:
    """Undeclared and unused packages, those without any range, and known vulnerabilities where somebody answers."""

    name: str = "dependencies"
    weight: float = 1.0

    def look(self, ground: Ground, tools: Tools) -> Findings:
        """Compare the scope's imports with the declaration; the declaration itself only for the whole repository."""
        files = ground.require_product()
        declared = declared_in(ground)
        if not declared and not declares_anything(ground):
            raise CheckSkipped("neither pyproject.toml, setup.cfg nor requirements.txt declares what it needs")
        imported = list(_foreign_imports(ground))
        names = {each.name for each in declared} | {_own_name(ground)}
        found = list(_undeclared(imported, names))
        modules = len({each.module for each in imported})
        figure = f"{len({each.name for each in declared})} declared, {modules} imported"
        if ground.is_whole:
            found += _unused(declared, imported, _spelled_out(ground))
            found += _unbounded(declared, _own_name(ground), pinned_in(ground.root))
            audit = audited(ground, declared, tools)
            found += audit.findings
            figure += f"; {audit.figure}"
        lines = ground.lines_of(files.values())
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


def _unused(declared: tuple[Declared, ...], imported: list[_Imported], spelled: set[str]) -> Iterator[Finding]:
    used = {name for each in imported for name in _distributions(each.module)}
    for each in declared:
        # extras hold tools that are run, not imported
        if each.name not in used | spelled and not each.optional:
            message = f"{each.name} is declared and imported nowhere; drop it unless a program runs it"
            yield Finding(each.path, each.line, 1, Severity.INFO, message, "unused-dependency", 0.5)


def _spelled_out(ground: Ground) -> set[str]:
    """Return the texts of the code that may name a program to run, as ``bandit`` in ``[python, "-m", "bandit"]``."""
    facts = ground.facts(_SPELLED, ground.around.values(), _names)
    return {name for names in facts.values() for name in names}


def _names(file: ParsedFile) -> list[str]:
    texts = {
        node.value for node in ast.walk(file.tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return sorted({normal(text) for text in texts if _SPELT.fullmatch(text)})


def _foreign_imports(ground: Ground) -> Iterator[_Imported]:
    top = _own_packages(ground)
    near: dict[PurePosixPath, set[str]] = {}
    facts = ground.facts(_IMPORTS, ground.product.values(), _imports)
    for path, rows in facts.items():
        folder = PurePosixPath(path).parent
        if folder not in near:
            near[folder] = _neighbours(ground, folder)
        for module, line, guarded in rows:
            # no package on an index has a name that begins with an underscore
            is_package = module not in top and module not in near[folder] and not module.startswith("_")
            if is_package and ground.scope.holds(path, line):
                yield _Imported(module, path, line, guarded)


def _unbounded(declared: tuple[Declared, ...], own_name: str, pinned: Mapping[str, str]) -> Iterator[Finding]:
    for each in declared:
        if not each.range and each.name != own_name and each.name not in pinned:
            message = f"{each.name} has no version range, so that any release may break it"
            yield Finding(each.path, each.line, 1, Severity.WARNING, message, "unbounded")


def _own_name(ground: Ground) -> str:
    project = ground.settings.get("project")
    return normal(str(project.get("name", ""))) if isinstance(project, dict) else ""


def _own_packages(ground: Ground) -> set[str]:
    """Return what can be imported of the repository from anywhere: what lies at its top, in src, and its packages."""
    paths = [PurePosixPath(path.removeprefix("src/")) for path in ground.every_path]
    packages = {path.parent for path in map(PurePosixPath, ground.every_path) if path.name == "__init__.py"}
    tops = {package.name for package in packages if package.parent not in packages}
    return {path.parts[0].removesuffix(".py") for path in paths} | tops


def _neighbours(ground: Ground, folder: PurePosixPath) -> set[str]:
    """Return what a script can import of the files and folders beside it."""
    if (ground.root / folder / "__init__.py").is_file():
        return set()
    start = "" if folder == PurePosixPath() else f"{folder}/"
    near = (path.removeprefix(start) for path in ground.every_path if path.startswith(start))
    return {path.partition("/")[0].removesuffix(".py") for path in near}


def _imports(file: ParsedFile) -> list[tuple[str, int, bool]]:
    """Return the modules of other packages that a file imports, their lines, and whether it gets along without."""
    found: list[tuple[str, int]] = []
    guarded: set[int] = set()
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.module, node.lineno)] if node.module and not node.level else []
        elif isinstance(node, ast.Try) or (isinstance(node, ast.If) and _is_for_types(node.test)):
            guarded.update(line for one in node.body for line in range(one.lineno, (one.end_lineno or one.lineno) + 1))
    modules = [(name.partition(".")[0], line) for name, line in found]
    return [(name, line, line in guarded) for name, line in modules if name not in _STANDARD]


def _is_for_types(test: ast.expr) -> bool:
    return (test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else "") == (
        "TYPE_CHECKING"
    )


def _distributions(module: str) -> frozenset[str]:
    known = {normal(name) for name in _installed().get(module, ())}
    spelled = {distribution for distribution, name in _IMPORTED_AS.items() if name == module.lower()}
    return frozenset(known | spelled | {normal(module)})


@cache
def _installed() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()
