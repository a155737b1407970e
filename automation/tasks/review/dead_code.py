"""Dead code: what vulture finds unused, less what the repository names elsewhere or a base class calls."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from automation.tasks.review.findings import Finding, Findings, Severity, density_score
from automation.tasks.review.ground import Ground, ParsedFile
from automation.tasks.review.tools import Tools

_HALF = 5.0
_UNUSED_CODE = 3
_LINE = re.compile(r"(?P<path>.+?):(?P<line>\d+): (?P<message>.+) \((?P<sure>\d+)% confidence")
_KIND = re.compile(r"unused (?P<kind>\w+) '(?P<name>\w+)'")
_SURE = 80
# At 60% vulture also names fields of data classes, members of enums and attributes, which are data.
_DEFINITIONS = frozenset({"function", "class", "method", "property"})
_CALLED_BY_NAME = "visit_*,leave_*,test_*,setup*,teardown*,pytest_*,do_*,__*__"
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
        """Run vulture over the repository and keep what lies in the scope."""
        files = ground.require_product()
        arguments = ["--min-confidence", "60", "--ignore-names", _CALLED_BY_NAME, "--ignore-decorators", "@*.*"]
        paths = [path for path in ground.every_path if path not in ground.broken]
        output = tools.run("vulture", [*arguments, "--", *paths], ground.root, good=(0, _UNUSED_CODE))
        candidates = ground.inside(
            each for each in _reported(ground, output.text) if each.path in files and not _is_trivial(each)
        )
        found = tuple(_unnamed(ground, candidates))
        lines = ground.lines_of(files.values())
        figure = f"{len(found)} unused definitions or unreachable lines in {lines:,} lines"
        return Findings(self.name, self.weight, figure, density_score(found, lines, _HALF), found)


def _reported(ground: Ground, text: str) -> Iterator[Finding]:
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is not None:
            sure = int(match["sure"]) / 100
            path = ground.relative(match["path"])
            yield Finding(path, int(match["line"]), 1, Severity.WARNING, match["message"], "unused", sure)


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
        if kind is None or not (is_named or _base_may_call(ground.files[finding.path], finding.line, foreign)):
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
    for file in ground.around.values():
        for node in ast.walk(file.tree):
            if isinstance(node, ast.ClassDef):
                bases.setdefault(node.name, set()).update(map(_base_word, node.bases))
    foreign = {name for name, above in bases.items() if above - bases.keys() - _PLAIN_BASES}
    while more := {name for name, above in bases.items() if above & foreign} - foreign:
        foreign |= more
    return foreign


def _base_may_call(file: ParsedFile, line: int, foreign: set[str]) -> bool:
    return any(
        isinstance(node, ast.ClassDef) and node.name in foreign and node.lineno < line <= (node.end_lineno or line)
        for node in ast.walk(file.tree)
    )


def _base_word(base: ast.expr) -> str:
    named = base.value if isinstance(base, ast.Subscript) else base
    return named.attr if isinstance(named, ast.Attribute) else named.id if isinstance(named, ast.Name) else ""
