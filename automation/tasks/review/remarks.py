"""What a model remarks on the code: shown with its place, never scored."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from automation.codebase.git import Git
from automation.codebase.masking import masked
from automation.config import load_automation_config
from automation.errors import AutomationError
from automation.models.protocol import Message, Model
from automation.models.selection import open_model
from automation.tasks.review.ground import Ground

_log = logging.getLogger(__name__)

_MOST_CHARACTERS = 4_000
_MOST_TOKENS = 300
_PATIENCE_S = 45.0
_MOST_REMARKS = 5
_LONGEST_REMARK = 240
_SYSTEM = (
    "You review Python code. Name only real faults that you can point to: wrong results, unhandled cases, leaks. "
    "No praise, no style, no summary. Answer with JSON."
)
_SCHEMA: Mapping[str, object] = {
    "type": "object",
    "properties": {
        "remarks": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "path": {"type": "string"},
                    "line": {"type": "integer"},
                    "remark": {"type": "string"},
                },
                "required": ["path", "line", "remark"],
            },
        }
    },
    "required": ["remarks"],
}


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark of a model on a line of the scope."""

    path: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Remarks:
    """What a model said, who it was, and why there is nothing when there is nothing."""

    remarks: tuple[Remark, ...] = ()
    model: str = ""
    note: str = ""


def ask_for_remarks(ground: Ground, choice: str, home: Path | None) -> Remarks:
    """Let a model remark on what is new in the scope, or on the one file that it is about.

    Parameters
    ----------
    ground : Ground
        What is reviewed.
    choice : str
        Which model, as `open_model` takes it.
    home : Path or None
        The data home.
    """
    code = _code(ground)
    if not code:
        return Remarks(note="nothing to remark on: there is no diff, and more than one file is meant")
    notes: list[str] = []
    model = open_model(load_automation_config(), choice, home=home, notify=notes.append)
    if model is None:
        return Remarks(note=notes[-1] if notes else "no model")
    try:
        return Remarks(remarks_of(model, code, ground), model.name, _cut_note(code))
    except AutomationError as error:
        _log.warning("event=remarks_failed reason=%s", error)
        return Remarks(model=model.name, note=f"the model gave no remarks: {error}")
    finally:
        model.close()


def remarks_of(model: Model, code: str, ground: Ground) -> tuple[Remark, ...]:
    """Ask a model for its remarks, and keep those on lines of the scope.

    Parameters
    ----------
    model : Model
        Which one.
    code : str
        A diff, or one file with its line numbers; secrets are masked here, and no more than 4,000 characters shown.
    ground : Ground
        The scope.

    Raises
    ------
    ModelFailed
        When it gives no answer that fits.
    """
    shown = masked(code)[:_MOST_CHARACTERS]
    question = (
        f"Faults in this code, at most {_MOST_REMARKS}, each with its file, line and one sentence:\n\n{shown}\n\n"
        'Answer {"remarks": []} when you see none.'
    )
    messages = [Message("system", _SYSTEM), Message("user", question)]
    answer = model.structured(messages, _SCHEMA, max_tokens=_MOST_TOKENS, timeout_s=_PATIENCE_S)
    given = json.loads(answer.text)["remarks"]
    remarks = [Remark(str(one["path"]), int(one["line"]), _one_line(str(one["remark"]))) for one in given]
    return tuple(remark for remark in remarks if _is_placed(remark, ground) and remark.text)[:_MOST_REMARKS]


def _code(ground: Ground) -> str:
    git = Git(ground.root)
    if not git.attempt("rev-parse", "--verify", "-q", "HEAD").returncode and ground.scope.files:
        arguments = ("diff", "HEAD", "--no-color", "--no-ext-diff", "--no-textconv", "--relative", "--unified=6")
        names = ("*.py",) if ground.is_whole else ground.scope.files
        # the glob of `*.py` needs git's own reading of paths
        diff = git.on(GIT_LITERAL_PATHSPECS="0" if ground.is_whole else "1").text(*arguments, "--", *names)
        if diff.strip():
            return diff
    if len(ground.files) != 1:
        return ""
    (file,) = ground.files.values()
    numbered = (
        f"{number:>5} {line}" for number, line in enumerate(file.lines, 1) if ground.scope.holds(file.path, number)
    )
    return f"{file.path}\n" + "\n".join(numbered)


def _cut_note(code: str) -> str:
    return f"it saw the first {_MOST_CHARACTERS:,} of {len(code):,} characters" if len(code) > _MOST_CHARACTERS else ""


def _is_placed(remark: Remark, ground: Ground) -> bool:
    # a remark on a file or line that is not there was made up
    file = ground.files.get(remark.path)
    return file is not None and 1 <= remark.line <= len(file.lines) and ground.scope.holds(remark.path, remark.line)


def _one_line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST_REMARK else words[: _LONGEST_REMARK - 1] + "…"
