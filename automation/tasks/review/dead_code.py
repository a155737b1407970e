"""Dead code: what vulture finds unused, less what the repository names elsewhere or a base class calls."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.metadata import version
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from automation.tasks.review.findings import CheckSkipped, Finding, Findings, Severity, density_score
from automation.tasks.review.ground import Ground, ParsedFile
from automation.tasks.review.kept import digest_of
from automation.tasks.review.tools import Tools

if TYPE_CHECKING:
    from vulture import Vulture
    from vulture.core import Item

_HALF = 5.0
_KIND = re.compile(r"unused (?P<kind>\w+) '(?P<name>\w+)'")
_SURE, _LEAST_SURE = 80, 60
# At 60% vulture also names fields of data classes, members of enums and attributes, which are data.
_DEFINITIONS = frozenset({"function", "class", "method", "property"})
_CALLED_BY_NAME = ("visit_*", "leave_*", "test_*", "setup*", "teardown*", "pytest_*", "do_*", "__*__")
_DECORATED = ("@*.*",)
_CLASSES = "classes 1"
_OTHER_TEXTS = (".toml", ".cfg", ".ini", ".json", ".yaml", ".yml", ".html", ".js", ".md", ".rst", ".txt")
_MOST_TEXT_BYTES = 1_000_000
_WORD = re.compile(r"[A-Za-z_]\w*")
_PLAIN_BASES = frozenset({"object", "ABC", "Protocol", "Generic", "Enum", "StrEnum", "IntEnum", "NamedTuple"})


@dataclass(frozen=True, slots=True)
class DeadCodeCheck:
    """Definitions whose name occurs nowhere else, unreachable code, and what vulture is at least 80% sure of."""

    name: str = "dead code"
    weight: float = 1.0

    def look(self, ground: Ground, tools: Tools) -> Findings:
        """Let vulture look at every file of the repository and keep what lies in the scope."""
        files = ground.require_product()
        if find_spec("vulture") is None:
            raise CheckSkipped("vulture is not installed; `pip install vulture` beside GridBot")
        candidates = ground.inside(
            each for each in _reported(ground, tools) if each.path in files and not _is_trivial(each)
        )
        found = tuple(_unnamed(ground, candidates))
        lines = ground.lines_of(files.values())
        figure = f"{len(found)} unused definitions or unreachable lines in {lines:,} lines"
        return Findings(self.name, self.weight, figure, density_score(found, lines, _HALF), found)


class _Item(NamedTuple):
    """What a file defines, or cannot reach."""

    name: str
    line: int
    message: str
    confidence: int


def _reported(ground: Ground, tools: Tools) -> Iterator[Finding]:
    """Yield what no file uses; what a file defines and uses holds until it changes."""
    names, decorators = _listed(ground, "ignore_names"), _listed(ground, "ignore_decorators")

    def scanned(file: ParsedFile) -> tuple[list[_Item], list[str], list[str]]:
        tools.require_running()
        scan = _scanner((*_CALLED_BY_NAME, *names), (*_DECORATED, *decorators))
        scan.scan(file.text, filename=file.path)
        items = [_Item(str(each.name), each.first_lineno, each.message, each.confidence) for each in _defined(scan)]
        imported = sorted({str(each.name) for each in scan.defined_imports})
        return [each for each in items if each.confidence >= _LEAST_SURE], sorted(scan.used_names), imported

    topic = f"vulture {version('vulture')} {digest_of(repr((names, decorators)))[:12]}"
    facts = ground.facts(topic, ground.every_file(), scanned)
    imports = {name for *_, imported in facts.values() for name in imported}
    used = {name for _, names, _ in facts.values() for name in names} | _known_to_vulture(imports)
    left_out = _listed(ground, "exclude")
    for path, (items, *_) in facts.items():
        if any(fnmatchcase(path, pattern if "*" in pattern else f"*{pattern}*") for pattern in left_out):
            continue
        for row in items:
            item = _Item(*row)
            if item.message.startswith("unreachable") or item.name not in used:
                yield Finding(path, item.line, 1, Severity.WARNING, item.message, "unused", item.confidence / 100)


def _listed(ground: Ground, name: str) -> tuple[str, ...]:
    """Return a list of the repository's own settings for vulture."""
    value = ground.tool("vulture").get(name)
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _scanner(names: Sequence[str] = (), decorators: Sequence[str] = ()) -> Vulture:
    from vulture import Vulture

    return Vulture(ignore_names=list(names), ignore_decorators=list(decorators))


def _defined(scan: Vulture) -> Iterator[Item]:
    return chain(
        scan.defined_attrs, scan.defined_classes, scan.defined_funcs, scan.defined_imports, scan.defined_methods,
        scan.defined_props, scan.defined_vars, scan.unreachable_code,
    )  # fmt: skip


def _known_to_vulture(imports: set[str]) -> set[str]:
    """Return what the modules that are imported call by name, as vulture's own lists have it."""
    scan = _scanner()
    scan.scan("".join(f"import {name}\n" for name in sorted(imports) if name.isidentifier()))
    scan.used_names.clear()
    scan.scavenge([])
    return set(scan.used_names)


def _is_trivial(finding: Finding) -> bool:
    kind = _KIND.match(finding.message)
    return finding.confidence * 100 < _SURE and (kind is None or kind["kind"] not in _DEFINITIONS)


def _unnamed(ground: Ground, findings: tuple[Finding, ...]) -> Iterator[Finding]:
    if not findings:
        return
    words = _words(ground)
    foreign = _foreign_classes(ground)
    for finding in findings:
        kind = _KIND.match(finding.message)
        sure = finding.confidence * 100 >= _SURE
        is_named = kind is not None and not sure and words[kind["name"]] > 1
        if kind is None or not (is_named or _base_may_call(ground, finding, foreign)):
            yield finding


def _words(ground: Ground) -> Counter[str]:
    """Count the words of the repository: a name in a registry, a page or a configuration is a use as well."""
    words: Counter[str] = Counter()
    for path in (*ground.every_path, *_other_texts(ground.root)):
        file = ground.root / path
        if file.stat().st_size <= _MOST_TEXT_BYTES:
            words.update(_WORD.findall(file.read_text(encoding="utf-8", errors="replace")))
    return words


def _other_texts(root: Path) -> Iterator[str]:
    for pattern in ("*", "docs/*", "*/*/assets/*", "*/*/*/assets/*"):
        for file in root.glob(pattern):
            if file.is_file() and file.suffix in _OTHER_TEXTS:
                yield file.relative_to(root).as_posix()


def _foreign_classes(ground: Ground) -> set[str]:
    """Return the classes with an ancestor from outside the repository, which may call what they define."""
    bases: dict[str, set[str]] = {}
    for rows in ground.facts(_CLASSES, ground.around.values(), _classes).values():
        for name, _, _, above in rows:
            bases.setdefault(name, set()).update(above)
    foreign = {name for name, above in bases.items() if above - bases.keys() - _PLAIN_BASES}
    while more := {name for name, above in bases.items() if above & foreign} - foreign:
        foreign |= more
    return foreign


def _classes(file: ParsedFile) -> list[tuple[str, int, int, list[str]]]:
    """Return name, first and last line of each class, and the words of its bases."""
    return [
        (node.name, node.lineno, node.end_lineno or node.lineno, [_base_word(base) for base in node.bases])
        for node in ast.walk(file.tree)
        if isinstance(node, ast.ClassDef)
    ]


def _base_may_call(ground: Ground, finding: Finding, foreign: set[str]) -> bool:
    rows = ground.facts(_CLASSES, [ground.files[finding.path]], _classes)[finding.path]
    return any(name in foreign and first < finding.line <= last for name, first, last, _ in rows)


def _base_word(base: ast.expr) -> str:
    named = base.value if isinstance(base, ast.Subscript) else base
    return named.attr if isinstance(named, ast.Attribute) else named.id if isinstance(named, ast.Name) else ""
