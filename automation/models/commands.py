"""The model commands: list, pull, use, health, bench."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from automation.config import load_automation_config
from automation.config_sections import ROLES, AutomationConfig
from automation.errors import ModelUnavailable
from automation.models.bench import measure
from automation.models.catalog import CATALOG
from automation.models.files import ModelFiles
from automation.models.gguf import read_gguf_head
from automation.models.ollama_backend import OllamaBackend
from automation.models.pull import SOURCES, pull_model
from automation.models.requests import BenchRequest, HealthRequest, ListModelsRequest, PullRequest, UseRequest
from automation.models.results import (
    BenchResult,
    HealthResult,
    ListedModel,
    ModelList,
    PullResult,
    RoleHealth,
    UseResult,
)
from automation.models.selection import DEFAULT_ROLE, Resolved, open_backends, resolve_name, resolve_role
from trading.commands import Progress

_WRITING_ROLES = tuple(role for role in ROLES if role != "embedder")
_DEFAULT = "default"


def list_models(request: ListModelsRequest) -> Generator[Progress, None, ModelList]:
    """List the models of every backend, and those that can be pulled."""
    config = load_automation_config(request.config)
    yield Progress("asking the backends")
    listed = [
        ListedModel(info.name, backend.name, info.bytes, info.context, info.fim)
        for backend in open_backends(config)
        for info in backend.models()
    ]
    here = {model.name for model in listed if model.backend == "embedded"}
    listed += [
        ListedModel(model.name, None, model.bytes, model.context, model.fim)
        for model in CATALOG
        if model.name not in here
    ]
    return ModelList(tuple(listed), str(ModelFiles().folder))


def pull(request: PullRequest) -> Generator[Progress, None, PullResult]:
    """Get a model, verified."""
    config = load_automation_config(request.config)
    sources = _sources(config) if request.source == "auto" else (request.source,)
    models = config.models
    ollama = OllamaBackend(models.ollama_url, models.keep_alive, models.timeout_s) if "ollama" in sources else None
    return PullResult((yield from pull_model(request.name, sources, ModelFiles(), ollama)))


def use(request: UseRequest) -> Generator[Progress, None, UseResult]:
    """Prefer a model, or a file of the user's own, for some roles."""
    files = ModelFiles()
    yield Progress("reading the model")
    roles = _WRITING_ROLES if request.role is None else (request.role,)
    name: str | None = None
    if request.model.endswith(".gguf"):
        name = _register(request, files)
    elif request.model != _DEFAULT:
        name = resolve_name(request.model, open_backends(load_automation_config(request.config))).info.name
    for role in roles:
        files.choose(role, name)
    return UseResult(roles, name)


def health(request: HealthRequest) -> Generator[Progress, None, HealthResult]:
    """Say which backends work, and which model would take each role."""
    config = load_automation_config(request.config)
    backends = open_backends(config)
    reports = []
    for backend in backends:
        yield Progress(f"asking {backend.name}")
        reports.append((backend.name, backend.health()))
    roles = []
    for role in ROLES:
        yield Progress(f"looking for the {role}'s model")
        resolved = resolve_role(config, role, backends)
        found = (None, None) if resolved is None else (resolved.info.name, resolved.backend.name)
        roles.append(RoleHealth(role, config.role(role).model, *found))
    return HealthResult(tuple(reports), tuple(roles))


def bench(request: BenchRequest) -> Generator[Progress, None, BenchResult]:
    """Measure how fast models are here."""
    config = load_automation_config(request.config)
    measured = []
    for resolved in _to_measure(request, config):
        try:
            measured.append((yield from measure(resolved, request.tokens)))
        finally:
            resolved.backend.close(resolved.info.name)
    return BenchResult(tuple(measured))


def _to_measure(request: BenchRequest, config: AutomationConfig) -> list[Resolved]:
    backends = open_backends(config)
    if request.names:
        return [resolve_name(name, backends) for name in request.names]
    resolved = resolve_role(config, DEFAULT_ROLE, backends)
    if resolved is None:
        raise ModelUnavailable("there is no model to measure; get one with `gridbot models pull qwen2.5-coder:1.5b`")
    return [resolved]


def _register(request: UseRequest, files: ModelFiles) -> str:
    path = Path(request.model).expanduser().absolute()
    read_gguf_head(path)
    name = request.name or path.stem.lower()
    if any(name == model.name for model in CATALOG):
        raise ModelUnavailable(f"{name} is a model of the catalogue; give the file another name with --name")
    files.register(name, path)
    return name


def _sources(config: AutomationConfig) -> tuple[str, ...]:
    return SOURCES if config.models.backend in {"auto", "ollama"} else SOURCES[1:]
