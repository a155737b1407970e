"""Small repositories with a failing test, run for real, and a model that answers from a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from automation.errors import ModelFailed
from automation.incidents.records import TestReport
from automation.incidents.suites import SuiteSettings, run_suite, suite_settings
from automation.models.protocol import Answer, Message
from automation.repair.localise import localise
from automation.repair.records import Place

Reply = str | Exception


@dataclass(frozen=True)
class Scene:
    """A repository on disk and what its tests came to."""

    tree: Path
    settings: SuiteSettings
    report: TestReport

    @property
    def failing(self) -> tuple[str, ...]:
        return tuple(test.node_id for test in self.report.failures)

    def places(self, recent: Mapping[str, Mapping[int, float]] | None = None) -> tuple[Place, ...]:
        return localise(self.report, self.tree, recent or {}, self.failing)


def scene(tree: Path, files: Mapping[str, str], *, test_timeout_s: float = 5.0) -> Scene:
    """Write a repository and run its tests with line traces."""
    for path, text in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    # no plugin of pytest: each sandbox would import them all anew
    settings = replace(suite_settings(tree, tree, test_timeout_s=test_timeout_s), plugins={})
    trace = {"lines": True, "values": True, "only": None}
    return Scene(tree, settings, run_suite(tree, settings, trace=trace))


@dataclass
class ScriptedModel:
    """Answers what it was told to, in order, and keeps what it was asked."""

    answers: Sequence[Reply] | Callable[[str, str], Reply]
    name: str = "scripted"
    backend: str = "script"
    fim: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)
    options: list[dict[str, object]] = field(default_factory=list)

    def complete(self, prefix: str, suffix: str, **how: object) -> Answer:
        return self._answer(prefix, suffix, how)

    def chat(self, messages: Sequence[Message], **how: object) -> Answer:
        return self._answer("\n".join(message.content for message in messages), "", how)

    def structured(self, messages: Sequence[Message], schema: Mapping[str, object], **how: object) -> Answer:
        return self._answer("\n".join(message.content for message in messages), str(dict(schema)), how)

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [[float(len(text))] for text in texts]

    def close(self) -> None:
        self.answers = ()

    def _answer(self, prefix: str, suffix: str, how: dict[str, object]) -> Answer:
        self.asked.append((prefix, suffix))
        self.options.append(how)
        if callable(self.answers):
            reply = self.answers(prefix, suffix)
        elif len(self.asked) <= len(self.answers):
            reply = self.answers[len(self.asked) - 1]
        else:
            reply = ModelFailed("the script is at its end")
        if isinstance(reply, Exception):
            raise reply
        return Answer(reply, len(prefix), len(reply), 0.01, self.name, self.backend)
