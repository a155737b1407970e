"""The one road for a change that somebody proposes: a task, a model, a program over MCP, or a person."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field

from automation.codebase.patches import Patch
from automation.codebase.workspaces import sweep
from automation.errors import EditRefused, RepositoryUnusable
from automation.improvement.records import CHANGE_KINDS
from automation.pipeline.change import encoded
from automation.pipeline.requests import FixRequest
from automation.pipeline.result import FixResult
from automation.pipeline.running import run_new
from automation.pipeline.runs import RunStore
from automation.pipeline.state import Chosen
from trading.commands import Progress
from trading.setting_sources import data_home


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that is ready, and what speaks for it.

    Parameters
    ----------
    kind : str
        ``tests`` (writes tests only), ``document`` (leaves the code as it is), ``optimize`` (same behaviour, less
        time) or ``edit`` (anything else).
    title : str
        One line in the imperative: ``Add 7 tests for trading/market/timeframes.py``.
    patch : Patch
        Relative to the target's folder, made for its present files.
    edits : tuple of Chosen
        What each edit does: proposer, description, place (``path:line``).
    evidence : mapping of str to object
        Plain JSON; shown in the run's report and by ``runs show``.

    Raises
    ------
    EditRefused
        When it changes nothing, its kind is unknown, its title is not one line or its evidence is no plain JSON.
    """

    kind: str
    title: str
    patch: Patch
    edits: tuple[Chosen, ...] = ()
    evidence: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what no run could weigh."""
        if self.kind not in CHANGE_KINDS:
            raise EditRefused(f"a change of kind {self.kind!r} is unknown; the kinds are {', '.join(CHANGE_KINDS)}")
        if not self.patch.changes:
            raise EditRefused(f"{self.title!r} changes nothing; propose a change that does")
        if not self.title.strip() or "\n" in self.title:
            raise EditRefused(f"the title of a change is one line; shorten {self.title[:60]!r}")
        try:
            json.dumps(dict(self.evidence), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise EditRefused(f"the evidence of {self.title!r} is no plain JSON: {error}") from error

    def as_json(self) -> dict[str, object]:
        """Return everything as plain JSON, contents in base64."""
        changes = self.patch.changes
        return {
            "kind": self.kind,
            "title": self.title,
            "before": {each.path: encoded(each.before) for each in changes if each.before is not None},
            "after": {each.path: encoded(each.after) for each in changes if each.after is not None},
            "edits": [dict(each) for each in self.edits],
            "evidence": dict(self.evidence),
        }


def land_proposal(proposal: Proposal, request: FixRequest) -> Generator[Progress, None, FixResult]:
    """Weigh a proposed change and land it, as a run like any other.

    Guard, the whole suite without and with the change in the sandbox, the approval policy, the landing, the ledger and
    the report. A change of which a run says no ends as ``refused`` with its reason in one sentence; it never lands.

    Parameters
    ----------
    proposal : Proposal
        The change.
    request : FixRequest
        Where and how: ``path``, ``tests``, ``land``, ``approve``, ``python``, ``max_minutes``.

    Raises
    ------
    RepositoryUnusable
        When the request's path is no folder.
    """
    if not request.path.is_dir():
        raise RepositoryUnusable(f"{request.path} is no folder; name the one that the change was made for")
    store = RunStore(data_home())
    sweep(store.home, store.resumable())
    asked = request.model_copy(update={"log": None, "session": None, "model": "none"})
    return (yield from run_new(store, store.create(asked, proposal.as_json())))
