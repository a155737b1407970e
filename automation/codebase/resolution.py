"""What a name leads to, as jedi infers it from the source; nothing of the repository is executed."""

from __future__ import annotations

from pathlib import Path

import jedi

from automation.codebase.sources import read_source
from automation.codebase.uses import Use


class Resolver:
    """Follows uses of names to definitions inside a repository.

    Parameters
    ----------
    root : Path
        The repository's folder.
    cache : Path
        Folder for jedi's parsed files.
    """

    def __init__(self, root: Path, cache: Path) -> None:
        self._root = root.resolve()
        self._scripts: dict[str, jedi.Script] = {}
        jedi.settings.cache_directory = str(cache)
        layout = [str(folder) for folder in (self._root, self._root / "src") if folder.is_dir()]
        self._project = jedi.Project(str(self._root), added_sys_path=layout)
        self._environment = jedi.api.environment.InterpreterEnvironment()

    def targets(self, use: Use) -> tuple[tuple[str, int], ...]:
        """Return path and line of what a use leads to; empty when that cannot be told.

        A target outside the repository has an absolute path, a built-in one the path ``""``.
        """
        script = self._script(use.path)
        names = script.goto(use.line, use.column, follow_imports=True, follow_builtin_imports=False)
        return tuple((self._relative(name.module_path), name.line or 0) for name in names if name.name == use.name)

    def _script(self, path: str) -> jedi.Script:
        if path not in self._scripts:
            text = read_source(self._root, path).text
            self._scripts[path] = jedi.Script(
                text, path=str(self._root / path), project=self._project, environment=self._environment
            )
        return self._scripts[path]

    def _relative(self, path: Path | None) -> str:
        if path is None:
            return ""
        resolved = Path(path).resolve()
        return resolved.relative_to(self._root).as_posix() if resolved.is_relative_to(self._root) else str(resolved)
