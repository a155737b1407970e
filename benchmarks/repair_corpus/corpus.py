"""The repair corpus: small programs with a written bug, tests that a repairer sees, and tests that it never sees.

A task is one Markdown file: its title is its name; a list says the bug's pattern and whether one small edit can repair
it; then come the correct files, the bug as a diff of them, the visible and the held-back tests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
_SECTION = re.compile(r"^## (?P<title>[^\n]+)\n+```\w*\n(?P<body>.*?)^```\n?", re.MULTILINE | re.DOTALL)
_FACT = re.compile(r"^- (\w+): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Task:
    """One program to repair.

    Parameters
    ----------
    name : str
        Unique in the corpus.
    topic : str
        What the program is about.
    pattern : str
        What sort of bug it is.
    single_edit : bool
        Whether one small edit of the usual kinds repairs it, judged by hand; a lost term or line has to be made up.
    correct, buggy : mapping of str to str
        Text by path.
    visible, held_back : mapping of str to str
        Test files: one text by its path each.
    """

    name: str
    topic: str
    pattern: str
    single_edit: bool
    correct: Mapping[str, str]
    buggy: Mapping[str, str]
    visible: Mapping[str, str]
    held_back: Mapping[str, str]

    @property
    def layout(self) -> str:
        """``flat``, ``package`` or ``src``."""
        folder = next(iter(self.correct)).rpartition("/")[0]
        return "flat" if not folder else "src" if folder.startswith("src/") else "package"


def load_corpus(folder: Path = FOLDER) -> tuple[Task, ...]:
    """Return every task, by topic and name."""
    return tuple(load_task(path) for path in sorted(folder.glob("*/*.md")))


def load_task(path: Path) -> Task:
    """Read one task.

    Raises
    ------
    ValueError
        When a section is missing or the bug does not fit the correct files; it names the file.
    """
    text = path.read_text(encoding="utf-8")
    facts = dict(_FACT.findall(text[: text.index("\n## ")]))
    sections = {match["title"]: match["body"] for match in _SECTION.finditer(text)}
    try:
        visible, held_back = sections.pop("visible tests"), sections.pop("held-back tests")
        correct = {title: body for title, body in sections.items() if not title.startswith("bug in ")}
        bugs = {title.removeprefix("bug in "): sections[title] for title in sections if title not in correct}
        buggy = {**correct, **{name: _with_bug(correct[name], diff) for name, diff in bugs.items()}}
        single_edit = {"single": True, "several": False}[facts["edits"]]
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path} is no task: {error}") from error
    if buggy == correct:
        raise ValueError(f"{path} is no task: it has no bug")
    tests = "" if all("/" not in name for name in correct) else "tests/"
    return Task(
        name=path.stem,
        topic=path.parent.name,
        pattern=facts["pattern"],
        single_edit=single_edit,
        correct=correct,
        buggy=buggy,
        visible={f"{tests}test_{path.stem}.py": visible},
        held_back={f"{tests}test_{path.stem}_held_back.py": held_back},
    )


def _with_bug(text: str, diff: str) -> str:
    for hunk in re.split(r"^@@.*\n", diff, flags=re.MULTILINE):
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        if text.count(before) != 1:
            raise ValueError(f"the lines {before!r} are there {text.count(before)} times, not once")
        text = text.replace(before, after)
    return text
