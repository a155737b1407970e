"""An interpreter with pytest and nothing else, as a target's own environment has it.

Ours has a dozen plugins of pytest, which each sandbox would import anew: half of what a small repair costs.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import venv
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

_WANTED = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")


@cache
def bare_python() -> Path:
    """Return an interpreter of its own for this process, made once and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="gridbot-bare-python-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    # sandboxed jobs run as another user
    folder.chmod(0o755)
    venv.create(folder, symlinks=True)
    [site] = folder.glob("lib/python*/site-packages")
    for name in _WANTED:
        files = distribution(name).files or ()
        for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            source = Path(str(distribution(name).locate_file(top)))
            if source.is_dir():
                shutil.copytree(source, site / top)
            else:
                shutil.copy2(source, site)
    return folder / "bin" / "python"
