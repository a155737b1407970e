"""The pages of the documentation as tests read them: blocks, prose, anchors, links, tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
GUIDE, SETTINGS, MAINTENANCE = (ROOT / "docs" / f"{name}.md" for name in ("guide", "settings", "maintenance"))
VSCODE = ROOT / "docs" / "vscode.md"
PAGES = (README, *sorted((ROOT / "docs").glob("*.md")))

FENCE = re.compile(r"^```(\S*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
REFERENCE = re.compile(r"^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
ELEMENT = re.compile(r"<\w+\b[^>]*?\b(?:href|src)=\"([^\"]+)\"")


class Block(NamedTuple):
    """A fenced block: its language, the rest of its first line, and what is in it."""

    language: str
    info: str
    text: str

    @property
    def file(self) -> str | None:
        """The file that the block shows whole."""
        found = re.search(r'title="([^"]+)"', self.info)
        return found[1] if found else None


def blocks(page: Path) -> list[Block]:
    return [Block(*found) for found in FENCE.findall(page.read_text(encoding="utf-8"))]


def commands(block: Block) -> list[str]:
    """Return the gridbot command lines of a shell block."""
    if block.language not in {"bash", "console", "powershell", "sh"}:
        return []
    lines = block.text.replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ") for line in lines if line.removeprefix("$ ").startswith("gridbot ")]


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def links(text: str) -> list[str]:
    """Return where a page's prose leads to: inline, by reference and by HTML."""
    return [found for kind in (INLINE, REFERENCE, ELEMENT) for found in kind.findall(text)]


def headings(page: Path) -> list[str]:
    """Return the anchors that a page's headings make, in order."""
    found = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found]


def region(page: Path, name: str) -> str:
    """Return what stands between the two comments of a generated part."""
    text = page.read_text(encoding="utf-8")
    found = re.search(rf"<!-- {name}: generated -->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
    assert found is not None, f"{page.name} has no generated part {name!r}"
    return found[1]


def table(name: str, page: Path = GUIDE) -> list[str]:
    """Return the names in the first column of the table after a comment ``<!-- table: NAME -->``."""
    return [found for row in table_rows(name, page) for found in re.findall(r"`([^`]+)`", row[0])]


def table_rows(name: str, page: Path) -> list[list[str]]:
    """Return the cells of the table after a comment ``<!-- table: NAME -->``, without its head."""
    _, comment, after = page.read_text(encoding="utf-8").partition(f"<!-- table: {name} -->")
    assert comment, f"{page.name} has no table {name!r}"
    lines = [line for line in after.strip().partition("\n\n")[0].splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
