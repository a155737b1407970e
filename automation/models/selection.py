"""Which model answers: by role, by name, by file; Ollama when it answers and has it, else embedded, else none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from automation.config_sections import ROLES, AutomationConfig, RoleConfig
from automation.errors import ModelUnavailable
from automation.models.bound import BoundModel, ClosingBackend
from automation.models.budget import Budget
from automation.models.cache import ResponseCache
from automation.models.embedded_backend import EmbeddedBackend
from automation.models.files import ModelFiles
from automation.models.protocol import Generation, ModelInfo
from automation.models.transcript import TRANSCRIPT_NAME, Transcript
from trading.setting_sources import data_home

AUTO = "auto"
NONE = "none"
DEFAULT_ROLE = "debugger"


class FindingBackend(ClosingBackend, Protocol):
    """A backend that can be asked whether it has a model."""

    def find(self, model: str) -> ModelInfo | None:
        """Return what is known of a model, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Resolved:
    """The model that answers, the backend that runs it, and why that one."""

    backend: FindingBackend
    info: ModelInfo
    reason: str


def open_model(
    config: AutomationConfig,
    choice: str = AUTO,
    *,
    role: str = DEFAULT_ROLE,
    run: str | None = None,
    folder: Path | None = None,
    home: Path | None = None,
    notify: Callable[[str], None] | None = None,
) -> BoundModel | None:
    """Open the model that a choice means.

    Parameters
    ----------
    config : AutomationConfig
        Roles, backends, budget.
    choice : str
        A role, a model's name, a path that ends in ``.gguf``, ``auto`` or ``none``.
    role : str
        Whose settings hold when the choice is not a role itself.
    run : str, optional
        Run that the budget counts; None is a run of its own.
    folder : Path, optional
        Folder of the run, for the transcript; None is ``runs/<run>`` of the data folder when ``run`` is given.
    home : Path, optional
        Data folder; None is GridBot's own.
    notify : callable, optional
        Is told once which model was taken and why, or why none.

    Returns
    -------
    BoundModel or None
        None when the choice is ``none`` or nothing is there for a role.

    Raises
    ------
    ModelUnavailable
        When a model that was named is nowhere.
    ConfigInvalid
        When the role does not exist.
    """
    tell = notify or _unheard
    role = choice if choice in ROLES else role
    settings = config.role(role)
    if NONE in {choice, config.models.backend}:
        tell("no model: " + ("none was asked for" if choice == NONE else "models.backend is none"))
        return None
    backends = open_backends(config)
    by_role = choice in {AUTO, role}
    resolved = resolve_role(config, role, backends) if by_role else resolve_name(choice, backends)
    if resolved is None:
        tell(f"no model for {role}: {_why_none(backends, settings)}")
        return None
    tell(f"{resolved.info.name} ({resolved.backend.name}) {resolved.reason}")
    return _bound(config, settings, resolved, run, folder, data_home(home))


def open_backends(config: AutomationConfig, files: ModelFiles | None = None) -> tuple[FindingBackend, ...]:
    """Return the backends that the configuration allows, in the order in which they are asked."""
    models = config.models
    backends: list[FindingBackend] = []
    if models.backend in {"auto", "ollama"}:
        from automation.models.ollama_backend import OllamaBackend

        backends.append(OllamaBackend(models.ollama_url, models.keep_alive, models.timeout_s))
    if models.backend in {"auto", "embedded"}:
        backends.append(EmbeddedBackend(files, models.threads))
    return tuple(backends)


def resolve_role(config: AutomationConfig, role: str, backends: tuple[FindingBackend, ...]) -> Resolved | None:
    """Return the model that takes a role, or None.

    Parameters
    ----------
    config : AutomationConfig
        Names the role's model and its fallbacks.
    role : str
        Which role.
    backends : tuple of FindingBackend
        In the order in which they are asked.
    """
    settings = config.role(role)
    chosen = ModelFiles().choice(role)
    for backend in backends if chosen is not None else ():
        info = backend.find(chosen) if chosen is not None else None
        if info is not None:
            return Resolved(backend, info, f"takes the role {role}, as `gridbot models use` said")
    for backend in backends:
        for name, info in _found(backend, settings):
            fallback = "" if name == settings.model else f" in place of {settings.model}"
            return Resolved(backend, info, f"takes the role {role}{fallback}")
    return None


def _found(backend: FindingBackend, settings: RoleConfig) -> Iterator[tuple[str, ModelInfo]]:
    for name in (settings.model, *settings.fallbacks):
        info = backend.find(name)
        if info is not None:
            yield name, info


def resolve_name(name: str, backends: tuple[FindingBackend, ...]) -> Resolved:
    """Return the first backend that has a model, by its name or the path of its file.

    Raises
    ------
    ModelUnavailable
        When none has it.
    """
    for backend in backends:
        info = backend.find(name)
        if info is not None:
            return Resolved(backend, info, "was asked for")
    if name.endswith(".gguf"):
        raise ModelUnavailable(f"there is no model file {name}, or embedded llama.cpp is not installed")
    raise ModelUnavailable(f"no backend has the model {name}; get it with `gridbot models pull {name}`")


def _why_none(backends: tuple[FindingBackend, ...], settings: RoleConfig) -> str:
    reasons = "; ".join(backend.health().detail for backend in backends)
    wanted = " nor ".join((settings.model, *settings.fallbacks))
    return f"neither {wanted} is there ({reasons})" if settings.fallbacks else f"{wanted} is not there ({reasons})"


def _bound(
    config: AutomationConfig, settings: RoleConfig, resolved: Resolved, run: str | None, folder: Path | None, home: Path
) -> BoundModel:
    how = Generation(
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        context=settings.context,
        timeout_s=config.models.timeout_s,
    )
    place = folder or (None if run is None else home / "runs" / run)
    return BoundModel(
        resolved.backend,
        resolved.info,
        how,
        budget=Budget(home / "models" / "budget.sqlite", config.budget, run or uuid4().hex),
        cache=ResponseCache(home / "models" / "answers.sqlite"),
        transcript=None if place is None else Transcript(place / TRANSCRIPT_NAME),
    )


def _unheard(_: str) -> None:
    return None
