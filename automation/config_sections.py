"""The settings of the maintenance wing, section by section: their names, defaults, bounds and meanings."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from automation.errors import ConfigInvalid

ROLES = ("orchestrator", "debugger", "optimizer", "embedder")

Positive = Annotated[int, Field(ge=1)]
PositiveSeconds = Annotated[float, Field(gt=0)]
ModelName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$")]
_LOCAL_CODER = ("qwen2.5-coder:1.5b", "qwen2.5-coder:0.5b", "smollm2:135m")


def _inside_repository(path: str) -> str:
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\\" in path:
        raise ValueError("should be a path inside the repository with forward slashes, such as trading/engine")
    return path.rstrip("/")


RepositoryPath = Annotated[str, AfterValidator(_inside_repository)]


class Section(BaseModel):
    """A section of the configuration: frozen, and an unknown name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RoleConfig(Section):
    """One role of a language model, and how it writes."""

    model: ModelName = Field(description="model that takes this role, by its Ollama name")
    temperature: Annotated[float, Field(ge=0, le=2)] = Field(0.0, description="0 is greedy; more is more varied")
    max_tokens: Positive = Field(512, description="most tokens of one answer")
    context: Annotated[int, Field(ge=256)] = Field(4096, description="tokens of prompt and answer together")
    fallbacks: tuple[ModelName, ...] = Field((), description="models that are tried in this order when it is missing")


class RolesConfig(Section):
    """Who does what."""

    orchestrator: RoleConfig = RoleConfig(
        model="qwen3:1.7b", temperature=0.1, max_tokens=512, context=4096, fallbacks=_LOCAL_CODER
    )
    debugger: RoleConfig = RoleConfig(
        model="deepseek-coder", temperature=0.0, max_tokens=1024, context=8192, fallbacks=_LOCAL_CODER
    )
    optimizer: RoleConfig = RoleConfig(
        model="smollm2:1.7b", temperature=0.2, max_tokens=1024, context=8192, fallbacks=_LOCAL_CODER
    )
    embedder: RoleConfig = RoleConfig(model="all-minilm", temperature=0.0, max_tokens=1, context=512)


class ModelsConfig(Section):
    """Language models and how they are reached."""

    roles: RolesConfig = RolesConfig()
    backend: Literal["auto", "ollama", "embedded", "none"] = Field(
        "auto", description="auto takes Ollama when it answers and has the model, else embedded llama.cpp, else none"
    )
    ollama_url: str = Field(
        "http://127.0.0.1:11434", min_length=1, description="where Ollama listens; OLLAMA_HOST overrides it"
    )
    keep_alive: str = Field(
        "10m", pattern=r"^-?\d+(ms|s|m|h)?$", description="how long Ollama keeps a model in memory after a call"
    )
    timeout_s: PositiveSeconds = Field(120.0, description="patience with one call of a model, seconds")
    threads: Annotated[int, Field(ge=1)] | None = Field(
        None, description="threads of embedded llama.cpp; null is one fewer than the machine has cores"
    )


class BudgetConfig(Section):
    """What language models may cost."""

    tokens_per_run: Positive = Field(200_000, description="tokens read and written in one run")
    tokens_per_day: Positive = Field(2_000_000, description="tokens read and written in one day, UTC")
    minutes_per_run: PositiveSeconds = Field(30.0, description="minutes that models may work in one run")
    minutes_per_day: PositiveSeconds = Field(240.0, description="minutes that models may work in one day, UTC")


class RepairConfig(Section):
    """How long and how widely a repair is searched."""

    max_candidates: Positive = Field(4000, description="candidate patches tried for one incident")
    workers: Annotated[int, Field(ge=1)] | None = Field(
        None, description="processes that verify candidates; null is one for each core"
    )
    test_timeout_s: PositiveSeconds = Field(10.0, description="patience with one test, seconds")
    plausible_extra_s: Annotated[float, Field(ge=0)] = Field(
        5.0, description="search goes on this long after the first passing patch, to find a better one, seconds"
    )
    samples: Annotated[int, Field(ge=0)] = Field(8, description="whole functions that the model writes for one place")
    fim_samples: Annotated[int, Field(ge=0)] = Field(6, description="single lines that the model fills in at a place")
    memory: bool = Field(True, description="try first what fixed the same kind of failure before")


class SandboxConfig(Section):
    """What code under test may use."""

    memory_mb: Annotated[int, Field(ge=64)] = Field(2048, description="address space of one process, MiB")
    cpu_s: PositiveSeconds = Field(300.0, description="processor time of one process, seconds")
    processes: Positive = Field(128, description="processes and threads at once")
    file_mb: Positive = Field(256, description="size of one file that it writes, MiB")
    wall_s: PositiveSeconds = Field(600.0, description="time from start to kill, seconds")


class ApprovalConfig(Section):
    """Which patches a person must see before they land."""

    always_ask: tuple[RepositoryPath, ...] = Field(
        ("trading/engine", "trading/orders", "trading/brokers"),
        description="folders and files whose changes always wait for a person",
    )
    max_changed_lines: Positive = Field(60, description="a patch that changes more lines waits for a person")


class NightlyConfig(Section):
    """The unattended run."""

    minutes: PositiveSeconds = Field(120.0, description="time budget of the whole night, minutes")
    benchmarks: bool = Field(True, description="time the --benchmark command on the branch against HEAD")


class CleaningConfig(Section):
    """What `gridbot clean` takes for old."""

    logs_days: Positive = Field(30, description="age at which logs that were put aside may go, days")
    runs_days: Positive = Field(90, description="age at which settled runs and landed clones may go, days")
    caches_days: Positive = Field(30, description="age at which baselines and indexes that nobody used may go, days")
    backups_days: Positive = Field(30, description="age at which set-aside journals and backups may go, days")
    backups_keep: Annotated[int, Field(ge=0)] = Field(3, description="newest backups of a session that always stay")


class AutomationConfig(Section):
    """Everything that may be set of the maintenance wing."""

    models: ModelsConfig = ModelsConfig()
    budget: BudgetConfig = BudgetConfig()
    repair: RepairConfig = RepairConfig()
    sandbox: SandboxConfig = SandboxConfig()
    approval: ApprovalConfig = ApprovalConfig()
    nightly: NightlyConfig = NightlyConfig()
    cleaning: CleaningConfig = CleaningConfig()

    def role(self, name: str) -> RoleConfig:
        """Return a role's settings by its name; an unknown name raises ConfigInvalid."""
        if name not in ROLES:
            raise ConfigInvalid(f"there is no role {name!r}; the roles are {', '.join(ROLES)}")
        role: RoleConfig = getattr(self.models.roles, name)
        return role
