"""Model files on this machine: where they live, which may be used, and which a person chose."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Generator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from platformdirs import user_cache_path

from automation.errors import ModelUnavailable
from automation.models.catalog import CATALOG, catalog_model
from trading.commands import Progress, result_of

MODELS_VARIABLE = "GRIDBOT_MODELS"
_CHUNK = 1 << 22


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file that may be used.

    Parameters
    ----------
    name : str
        What it is asked for by.
    path : Path
        Where it is.
    """

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class _Stamp:
    # A file of a gigabyte is not hashed at every start: same size and time of change means same content.
    sha256: str
    size: int
    mtime_ns: int


def models_folder() -> Path:
    """Return the folder of model files: ``GRIDBOT_MODELS``, else a folder of the user's cache; it may not exist yet."""
    stated = os.environ.get(MODELS_VARIABLE)
    if stated:
        return Path(stated).expanduser().absolute()
    return user_cache_path("gridbot", appauthor=False) / "models"


def hashed(path: Path, label: str) -> Generator[Progress, None, str]:
    """Return a file's SHA-256 in hex, with progress by bytes."""
    total = path.stat().st_size
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            digest.update(block)
            done += len(block)
            yield Progress(label, done, total, "B")
    return digest.hexdigest()


class ModelFiles:
    """The model files of one folder.

    Parameters
    ----------
    folder : Path, optional
        Where they live; None is `models_folder`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or models_folder()

    def path(self, name: str) -> Path | None:
        """Return the file of a model, or None; a catalogue's file counts only when its hash matched.

        Parameters
        ----------
        name : str
            Name in the catalogue, name given by ``models use``, or a path that ends in ``.gguf``.

        Raises
        ------
        ModelUnavailable
            When the file is there and its content is not what the catalogue says.
        """
        if name.endswith(".gguf"):
            path = Path(name).expanduser().absolute()
            return path if path.is_file() else None
        known = catalog_model(name)
        if known is None:
            stated = self._registered().get(name)
            return Path(stated) if stated is not None and Path(stated).is_file() else None
        path = self.folder / known.filename
        if not path.is_file():
            return None
        if result_of(self.verification(path)) != known.sha256:
            raise ModelUnavailable(
                f"{path} is not {name}: its SHA-256 differs; get it anew with `gridbot models pull {name}`"
            )
        return path

    def verification(self, path: Path) -> Generator[Progress, None, str]:
        """Return a file's SHA-256, hashing it only when it changed since the last time."""
        stat = path.stat()
        stamp = self._stamp(path)
        if stamp is not None and (stamp.size, stamp.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
            return stamp.sha256
        digest = yield from hashed(path, f"checking {path.name}")
        self.record(path, digest)
        return digest

    def record(self, path: Path, sha256: str) -> None:
        """Remember a file's hash for as long as its size and time of change stay the same."""
        stat = path.stat()
        write_atomically(self._stamp_path(path), json.dumps(asdict(_Stamp(sha256, stat.st_size, stat.st_mtime_ns))))

    def installed(self) -> tuple[ModelFile, ...]:
        """List the files that may be used: of the catalogue, then those that a person registered."""
        found = [ModelFile(model.name, self.folder / model.filename) for model in CATALOG]
        found += [ModelFile(name, Path(path)) for name, path in self._registered().items()]
        return tuple(file for file in found if file.path.is_file())

    def register(self, name: str, path: Path) -> None:
        """Remember a person's own file under a name."""
        state = self._state()
        state["files"] = self._registered() | {name: str(path.absolute())}
        self._write(state)

    def choose(self, role: str, name: str | None) -> None:
        """Make a model the first choice of a role, or undo that with None."""
        chosen = self._choices()
        if name is None:
            chosen.pop(role, None)
        else:
            chosen[role] = name
        self._write(self._state() | {"roles": chosen})

    def choice(self, role: str) -> str | None:
        """Return the model that a person chose for a role, or None."""
        return self._choices().get(role)

    def _registered(self) -> dict[str, str]:
        return _texts(self._state().get("files"))

    def _choices(self) -> dict[str, str]:
        return _texts(self._state().get("roles"))

    def _state(self) -> dict[str, object]:
        try:
            state = json.loads((self.folder / "files.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ModelUnavailable(
                f"cannot read {self.folder / 'files.json'}: {error}; delete it to begin anew"
            ) from None
        return state if isinstance(state, dict) else {}

    def _write(self, state: dict[str, object]) -> None:
        write_atomically(self.folder / "files.json", json.dumps(state, indent=2))

    def _stamp_path(self, path: Path) -> Path:
        name = path.name if path.parent == self.folder else hashlib.sha256(str(path).encode()).hexdigest()
        return self.folder / f"{name}.verified"

    def _stamp(self, path: Path) -> _Stamp | None:
        try:
            return replace(_Stamp("", 0, 0), **json.loads(self._stamp_path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def write_atomically(path: Path, text: str) -> None:
    """Replace a small file so that a reader sees the old text or the new one, never a half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _texts(value: object) -> dict[str, str]:
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else {}
