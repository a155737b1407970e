"""The bench of one optimisation: the private copy, the settings, the clock, and the files as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from time import monotonic

from automation.codebase.limits import Limits
from automation.codebase.sources import SourceFile, read_source
from automation.codebase.workspaces import Workspace, close_workspace, open_workspace, work_folder
from automation.config_sections import AutomationConfig
from automation.incidents.suites import SuiteSettings, suite_settings
from automation.tasks.optimize.requests import OptimizeRequest

# The whole suite runs twice when the change lands.
_SHARE = 0.75
_PROOF_SHARE, _LEAST_PROOF_S, _MOST_PROOF_S = 0.05, 1.0, 15.0


@dataclass(slots=True)
class Bench:
    """What the steps of one optimisation share.

    Parameters
    ----------
    request : OptimizeRequest
        What was asked for.
    workspace : Workspace
        The private copy.
    settings : SuiteSettings
        How its Python runs.
    end : float
        By the monotonic clock.
    """

    request: OptimizeRequest
    workspace: Workspace
    settings: SuiteSettings
    end: float
    _sources: dict[str, SourceFile] = field(default_factory=dict)

    @property
    def seconds_left(self) -> float:
        """Time that is left for the search."""
        return self.end - monotonic()

    @property
    def proof_s(self) -> float:
        """Time for the calls of one comparison."""
        return max(_LEAST_PROOF_S, min(_MOST_PROOF_S, _PROOF_SHARE * 60 * self.request.max_minutes))

    def source(self, path: str) -> SourceFile:
        """Return a file of the private copy."""
        if path not in self._sources:
            self._sources[path] = read_source(self.workspace.tree, path)
        return self._sources[path]


@contextmanager
def open_bench(request: OptimizeRequest, root: Path, home: Path, config: AutomationConfig) -> Iterator[Bench]:
    """Open a bench over a private copy of a repository, which goes at the end."""
    box = config.sandbox
    limits = Limits(
        wall_s=min(box.wall_s, max(10.0, request.max_minutes * 60)),
        cpu_s=round(box.cpu_s),
        memory_bytes=box.memory_mb << 20,
        file_bytes=box.file_mb << 20,
        processes=box.processes,
    )
    workspace = open_workspace(root, work_folder(home, f"optimize-{token_hex(6)}"))
    try:
        settings = suite_settings(
            workspace.tree,
            workspace.target,
            request.tests,
            request.python,
            test_timeout_s=config.repair.test_timeout_s,
            limits=limits,
        )
        yield Bench(request, workspace, settings, monotonic() + _SHARE * 60 * request.max_minutes)
    finally:
        close_workspace(workspace)
