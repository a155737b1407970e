"""Sources to document, and what is planned for them."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from automation.codebase.scopes import resolve_scope
from automation.codebase.sources import read_source
from automation.models.protocol import Answer, Message
from automation.tasks.document.drafts import Drafter
from automation.tasks.document.insertion import require_same_code
from automation.tasks.document.knowledge import Knowledge
from automation.tasks.document.planning import FilePlan, Planner
from automation.tasks.document.requests import Style
from automation.tasks.document.words import Writer
from automation.tasks.review.ground import Ground


class ScriptedModel:
    """Answers what a test has written down, by the name in the question."""

    name = "scripted"
    backend = "test"
    fim = False

    def __init__(self, answers: Mapping[str, Mapping[str, object]]) -> None:
        self.answers = answers
        self.questions: list[str] = []

    def structured(self, messages: Sequence[Message], schema: Mapping[str, object], **how: object) -> Answer:
        self.questions.append(messages[-1].content)
        name = messages[-1].content.rpartition("Document `")[2].partition("`")[0]
        return Answer(json.dumps(self.answers[name]), 1, 1, 0.0, self.name, self.backend)


def planner_of(root: Path, style: Style = Style.NUMPY, writer: Writer | None = None, width: int = 100) -> Planner:
    ground = Ground(resolve_scope(root, home=root / ".gridbot"), root / ".gridbot")
    return Planner(ground, Drafter(Knowledge(ground), writer), style, width)


def planned(root: Path, text: str, style: Style = Style.NUMPY, writer: Writer | None = None) -> FilePlan:
    (root / "code.py").write_text(text)
    planner = planner_of(root, style, writer)
    return planner.plan(planner.ground.files["code.py"])


def documented(root: Path, text: str, style: Style = Style.NUMPY, writer: Writer | None = None) -> str:
    """Return the text with everything written and mended; code that changed is an error."""
    plan = planned(root, text, style, writer)
    before = read_source(root, "code.py")
    after = planner_of(root, style, writer).text(plan)
    require_same_code(before, after)
    return after.text


def docs(text: str) -> dict[str, str]:
    """Return the docstrings of a text by name; the module's under an empty one."""
    found = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            doc = ast.get_docstring(node)
            if doc is not None:
                found[getattr(node, "name", "")] = doc
    return found
