"""The table of modules in README.md, between two markers."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import PurePosixPath

from automation.tasks.review.ground import ParsedFile

BEGIN = "<!-- gridbot:modules -->"
END = "<!-- /gridbot:modules -->"
_MOST_ROWS = 40


def with_modules(text: str, files: Iterable[ParsedFile]) -> str:
    """Return a README with its table of modules written anew; a section is added at the end where there is none.

    Parameters
    ----------
    text : str
        The README as it is.
    files : iterable of ParsedFile
        The repository's files that are no tests; with more than 40, packages stand for their modules.
    """
    rows = _rows(list(files))
    if not rows:
        return text
    newline = "\r\n" if "\r\n" in text else "\n"
    block = newline.join([BEGIN, "| module | what it holds |", "|---|---|", *rows, END])
    start, end = text.find(BEGIN), text.find(END)
    if 0 <= start < end:
        return text[:start] + block + text[end + len(END) :]
    head = f"{text.rstrip()}{2 * newline}" if text.strip() else ""
    return f"{head}## Modules{2 * newline}{block}{newline}"


def _rows(files: list[ParsedFile]) -> list[str]:
    told = [(file.path, (ast.get_docstring(file.tree) or "").partition("\n")[0].strip()) for file in files]
    rows = sorted((path, line) for path, line in told if line and not PurePosixPath(path).name.startswith("_"))
    if len(rows) > _MOST_ROWS:
        packages = [(str(PurePosixPath(path).parent), line) for path, line in told if path.endswith("__init__.py")]
        rows = sorted((path, line) for path, line in packages if line)
        while len(rows) > _MOST_ROWS:
            deepest = max(path.count("/") for path, _ in rows)
            rows = [(path, line) for path, line in rows if path.count("/") < deepest]
    return [f"| `{path}` | {_cell(line)} |" for path, line in rows]


def _cell(line: str) -> str:
    return line.replace("|", "\\|")
