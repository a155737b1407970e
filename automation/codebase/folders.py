"""Folders that tests wrote in, removed whatever they left."""

from __future__ import annotations

import shutil
from pathlib import Path


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all in it; what is not there is no error."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        try:
            shutil.rmtree(path)
        except PermissionError:
            # Hostile or careless tests leave folders that their owner may not enter.
            _unlock_folders(path)
            shutil.rmtree(path)


def _unlock_folders(folder: Path) -> None:
    folder.chmod(0o700)
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            _unlock_folders(path)
