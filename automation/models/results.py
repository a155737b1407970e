"""What the model commands hand back."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from automation.models.protocol import Health
from automation.models.pull import Pulled
from trading.errors import ExitCode


@dataclass(frozen=True, slots=True)
class ListedModel:
    """One model; ``backend`` is None when it can be pulled and is not here."""

    name: str
    backend: str | None
    bytes: int
    context: int
    fim: bool


@dataclass(frozen=True, slots=True)
class ModelList:
    """The models at hand, and those that can be pulled."""

    models: tuple[ListedModel, ...]
    folder: str

    @property
    def exit_code(self) -> ExitCode:
        """Always done."""
        return ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return the models and the folder of files."""
        return {"folder": self.folder, "models": [asdict(model) for model in self.models]}

    def as_text(self) -> RenderableType:
        """Return a table."""
        table = _table("model", "size", "context", "fills in", "where")
        for model in self.models:
            where = model.backend or "not here; gridbot models pull " + model.name
            table.add_row(
                model.name, _size(model.bytes), str(model.context or "-"), "yes" if model.fim else "no", where
            )
        return Group(table, Text(f"files in {self.folder}", style="dim"))


@dataclass(frozen=True, slots=True)
class PullResult:
    """A pulled model."""

    pulled: Pulled

    @property
    def exit_code(self) -> ExitCode:
        """Done, also when it was here already: what was asked for is so."""
        return ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return name, source, file and why other sources were passed over."""
        pulled = self.pulled
        path = None if pulled.path is None else str(pulled.path)
        return {"name": pulled.name, "source": pulled.source, "path": path, "notes": list(pulled.notes)}

    def as_text(self) -> RenderableType:
        """Return one line, and a line for each source that was passed over."""
        pulled = self.pulled
        where = "in Ollama" if pulled.path is None else str(pulled.path)
        how = "was here already" if pulled.source == "here" else f"came from {pulled.source} and is verified"
        notes = [Text(f"passed over {note}", style="dim") for note in pulled.notes]
        return Group(Text(f"{pulled.name} {how}: {where}"), *notes)


@dataclass(frozen=True, slots=True)
class UseResult:
    """Roles and the model that each now prefers; None is the configuration's."""

    roles: tuple[str, ...]
    model: str | None

    @property
    def exit_code(self) -> ExitCode:
        """Always done."""
        return ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return the roles and the model."""
        return {"roles": list(self.roles), "model": self.model}

    def as_text(self) -> RenderableType:
        """Return one line."""
        return f"{', '.join(self.roles)}: {self.model or 'the configured model again'}"


@dataclass(frozen=True, slots=True)
class RoleHealth:
    """Which model takes a role; None when none can."""

    role: str
    wanted: str
    model: str | None
    backend: str | None


@dataclass(frozen=True, slots=True)
class HealthResult:
    """Backends and roles."""

    backends: tuple[tuple[str, Health], ...]
    roles: tuple[RoleHealth, ...]

    @property
    def exit_code(self) -> ExitCode:
        """Done when at least one backend can be used."""
        return ExitCode.DONE if any(health.ok for _, health in self.backends) else ExitCode.FAILED

    def as_json(self) -> dict[str, object]:
        """Return backends and roles."""
        return {
            "backends": [{"name": name, "ok": health.ok, "detail": health.detail} for name, health in self.backends],
            "roles": [asdict(role) for role in self.roles],
        }

    def as_text(self) -> RenderableType:
        """Return a line for each backend and a table of roles."""
        lines = [
            Text.assemble(("ok   " if health.ok else "none ", "green" if health.ok else "yellow"), health.detail)
            for _, health in self.backends
        ]
        table = _table("role", "wanted", "takes it", "backend")
        for role in self.roles:
            table.add_row(role.role, role.wanted, role.model or "-", role.backend or "-")
        return Group(*(lines or [Text("no backend is allowed: models.backend is none", style="yellow")]), Text(), table)


@dataclass(frozen=True, slots=True)
class Measured:
    """How fast one model is here.

    Parameters
    ----------
    model, backend : str
        Which one.
    load_s : float
        Until its first answer, seconds.
    prompt_tokens_per_s, tokens_per_s : float
        Read and written.
    fim_s : float or None
        Median time to fill in one line, seconds; None when it cannot.
    """

    model: str
    backend: str
    load_s: float
    prompt_tokens_per_s: float
    tokens_per_s: float
    fim_s: float | None


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Measured models."""

    models: tuple[Measured, ...]

    @property
    def exit_code(self) -> ExitCode:
        """Always done."""
        return ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return one object a model."""
        return {"models": [asdict(model) for model in self.models]}

    def as_text(self) -> RenderableType:
        """Return a table."""
        table = _table("model", "backend", "first answer", "reads", "writes", "fills in a line")
        for one in self.models:
            fim = "-" if one.fim_s is None else f"{one.fim_s:.2f} s"
            reads, writes = f"{one.prompt_tokens_per_s:.0f} tokens/s", f"{one.tokens_per_s:.1f} tokens/s"
            table.add_row(one.model, one.backend, f"{one.load_s:.2f} s", reads, writes, fim)
        return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
