"""Fetch one file of the model hub: run as a process of its own, so that it can be watched, silenced and ended."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

_PATIENCE_S = 5


def main(arguments: list[str]) -> int:
    """Download ``REPOSITORY FILENAME FOLDER`` and return 0, or say on stderr why not and return 1."""
    repository, filename, folder = arguments
    from huggingface_hub import constants, hf_hub_download

    try:
        # The library itself tries again for half a minute where there is no network.
        _reach(constants.ENDPOINT)
        hf_hub_download(repository, filename, local_dir=Path(folder), etag_timeout=_PATIENCE_S)
    except Exception as error:  # noqa: BLE001 - whatever it is, the next source is tried
        sys.stderr.write(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}\n")
        return 1
    return 0


def _reach(endpoint: str) -> None:
    try:
        urlopen(endpoint, timeout=_PATIENCE_S).close()  # noqa: S310 - the library's own https address
    except HTTPError as refusal:
        # It answers, if only to refuse its front page.
        refusal.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
