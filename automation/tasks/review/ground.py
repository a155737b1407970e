"""What all checks look at: the scope's files, parsed once, and the settings of their repository."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar, cast

from automation.codebase.files import python_files
from automation.codebase.scopes import Scope
from automation.codebase.sources import SourceFile, read_source
from automation.codebase.suite_files import is_test_path
from automation.codebase.symbols import tree_of
from automation.errors import EditRefused
from automation.tasks.review.findings import CheckSkipped, Finding, Severity
from automation.tasks.review.kept import Kept, digest_of

_Fact = TypeVar("_Fact")
_SYNTAX = f"syntax {sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class ParsedFile:
    """One file's text, which parses; its syntax tree is made when somebody asks for it."""

    source: SourceFile

    @property
    def path(self) -> str:
        """The file, relative to the repository."""
        return self.source.path

    @property
    def text(self) -> str:
        """What it holds."""
        return self.source.text

    @cached_property
    def lines(self) -> list[str]:
        """Its lines, without their ends."""
        return self.text.splitlines()

    @cached_property
    def digest(self) -> str:
        """The hash of its place and its text, in hex: what is found out of a file may depend on its name."""
        return digest_of(f"{self.path}\n{self.text}")

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return tree_of(self.source)


class Ground:
    """The scope of a review and the repository around it.

    Parameters
    ----------
    scope : Scope
        What is judged.
    cache : Path
        Folder where tools may keep what makes them faster the next time; nothing is written into the repository.
    """

    def __init__(self, scope: Scope, cache: Path) -> None:
        self.scope = scope
        self.root = scope.root
        self.cache = cache
        self.kept_file = cache / "kept.sqlite"
        self.files, self.broken = self._parsed(scope.files)
        self.product = {path: file for path, file in self.files.items() if not is_test_path(path)}

    @cached_property
    def every_path(self) -> tuple[str, ...]:
        """The Python files of the whole repository."""
        return python_files(self.root)

    @cached_property
    def is_whole(self) -> bool:
        """Whether the scope is the whole repository."""
        return not self.scope.symbols and not self.scope.lines and self.scope.files == self.every_path

    @cached_property
    def around(self) -> Mapping[str, ParsedFile]:
        """The repository's files that are no tests, with those of the scope."""
        others = [path for path in self.every_path if path not in self.files and not is_test_path(path)]
        return {**self._parsed(others)[0], **self.product}

    def every_file(self) -> Iterator[ParsedFile]:
        """Yield the repository's files that parse, tests too."""
        known = self.around
        yield from known.values()
        yield from self._parsed([path for path in self.every_path if path not in known])[0].values()

    def facts(self, topic: str, files: Iterable[ParsedFile], find: Callable[[ParsedFile], _Fact]) -> dict[str, _Fact]:
        """Return what is found out of each file, by its path; unchanged files are not looked at again.

        Parameters
        ----------
        topic : str
            What is found out; another name when it is found out otherwise.
        files : iterable of ParsedFile
            Which ones.
        find : callable
            Takes a file and returns plain JSON data: lists, texts and numbers.
        """
        kept = Kept(self.kept_file, topic)
        wanted = tuple(files)
        known = kept.get(file.digest for file in wanted)
        fresh = {file.digest: find(file) for file in wanted if file.digest not in known}
        kept.put(fresh)
        found = known | fresh
        return {file.path: cast("_Fact", found[file.digest]) for file in wanted}

    def _parsed(self, paths: Iterable[str]) -> tuple[dict[str, ParsedFile], dict[str, tuple[int, str]]]:
        files: dict[str, ParsedFile] = {}
        broken: dict[str, tuple[int, str]] = {}
        for path in paths:
            try:
                files[path] = ParsedFile(read_source(self.root, path))
            except EditRefused as error:
                broken[path] = (1, str(error))
            except OSError as error:
                broken[path] = (1, f"cannot be read: {error.strerror}")
        for path, fault in self.facts(_SYNTAX, files.values(), _fault_of).items():
            if fault:
                line, reason = fault
                del files[path]
                broken[path] = (int(line), str(reason))
        return files, broken

    @cached_property
    def settings(self) -> Mapping[str, object]:
        """What ``pyproject.toml`` says; empty where there is none that can be read."""
        try:
            return tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def tool(self, name: str) -> Mapping[str, object]:
        """Return a tool's table of ``pyproject.toml``, empty where there is none."""
        tools = self.settings.get("tool")
        table = tools.get(name) if isinstance(tools, dict) else None
        return table if isinstance(table, dict) else {}

    def require_product(self) -> Mapping[str, ParsedFile]:
        """Return the scope's files that are no tests.

        Raises
        ------
        CheckSkipped
            When there are none.
        """
        if not self.product:
            raise CheckSkipped("only tests are meant, which it does not judge")
        return self.product

    def lines_of(self, files: Iterable[ParsedFile]) -> int:
        """Return how many lines of code the scope holds in some files, without blank ones and comments."""
        return sum(self._line_counts[file.path] for file in files)

    @cached_property
    def _line_counts(self) -> dict[str, int]:
        whole = not self.scope.symbols
        return {
            path: sum(
                1
                for number, line in enumerate(file.lines, 1)
                if line.strip()
                and not line.lstrip().startswith("#")
                and ((whole and path not in self.scope.lines) or self.scope.holds(path, number))
            )
            for path, file in self.files.items()
        }

    def inside(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Return the findings that lie in the scope, the most serious first."""
        held = {each for each in findings if self.scope.holds(each.path, each.line, each.end_line or each.line)}
        return tuple(sorted(held, key=lambda each: each.order))

    def relative(self, path: str) -> str:
        """Return a path as a tool writes it, relative to the repository where it lies inside."""
        full = (self.root / path).resolve()
        return full.relative_to(self.root).as_posix() if full.is_relative_to(self.root) else path

    def broken_findings(self) -> Iterator[Finding]:
        """Yield one finding for each file of the scope that does not parse."""
        for path, (line, reason) in self.broken.items():
            yield Finding(path, line, 1, Severity.ERROR, reason, "syntax")


def decorator_word(decorator: ast.expr) -> str:
    """Return the last word of a decorator's name: ``njit`` of ``@numba.njit(cache=True)``."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""


def outer_functions(around: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the functions and methods that do not lie in another function."""
    for child in ast.iter_child_nodes(around):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
        else:
            yield from outer_functions(child)


def _fault_of(file: ParsedFile) -> list[int | str]:
    """Return line and reason of what keeps a file from being parsed, nothing when it can be."""
    try:
        _ = file.tree
    except EditRefused as error:
        cause = error.__cause__
        line = cause.lineno if isinstance(cause, SyntaxError) and cause.lineno else 1
        return [line, f"does not parse: {getattr(cause, 'msg', None) or error}"]
    return []
