"""Start the sandbox's first process under any interpreter, wherever this folder lies and whatever it is called."""

from __future__ import annotations

import sys

NAME = "gridbot_inside"


def main() -> None:
    """Load this folder as a package of its own name, so that a package `automation` of the target stays free."""
    del sys.path[0]
    import importlib
    import importlib.util
    from pathlib import Path

    folder = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        NAME, str(folder / "__init__.py"), submodule_search_locations=[str(folder)]
    )
    if spec is None:
        raise ImportError(f"{folder} cannot be loaded")
    sys.modules[NAME] = importlib.util.module_from_spec(spec)
    importlib.import_module(NAME + ".zygote").main()


if __name__ == "__main__":
    main()
