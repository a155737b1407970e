"""A throw-away copy of a repository's Python files for a program that writes where it works."""

from __future__ import annotations

from pathlib import Path

from automation.codebase.files import python_files
from automation.codebase.folders import remove

_SETTINGS = """project_name: copy
language_servers:
- {language}
ls_specific_settings: {specific}
read_only: false
"""


class ProjectCopy:
    """A copy that is brought up to date before each use.

    Parameters
    ----------
    root : Path
        The repository, which is only read.
    folder : Path
        Where the copy is; made anew.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.folder = folder
        self._known: dict[str, bytes] = {}
        remove(folder)
        folder.mkdir(parents=True)

    def settle(self, language: str, server: Path | None) -> None:
        """Write the settings of the program that works here."""
        specific = f"{{python: {{ls_path: {server}}}}}" if server else "{}"
        file = self.folder / ".serena" / "project.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_SETTINGS.format(language=language, specific=specific), encoding="utf-8")

    def refresh(self) -> None:
        """Make the copy equal to the repository again, whatever was done in it."""
        wanted = {path: (self.root / path).read_bytes() for path in python_files(self.root)}
        present = {path: (self.folder / path).read_bytes() for path in python_files(self.folder)}
        for path in present.keys() - wanted.keys():
            (self.folder / path).unlink()
        for path, content in wanted.items():
            if present.get(path) != content:
                target = self.folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        self._known = wanted

    def changes(self) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """Return the Python files that differ from the repository as of the last refresh: before and after."""
        present = {path: (self.folder / path).read_bytes() for path in python_files(self.folder)}
        paths = {path for path in {*present, *self._known} if present.get(path) != self._known.get(path)}
        before = {path: self._known[path] for path in paths if path in self._known}
        return before, {path: present[path] for path in paths if path in present}
