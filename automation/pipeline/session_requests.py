"""What a request about a session leaves open: whose code is meant, and which of its tests judge."""

from __future__ import annotations

import shlex
from pathlib import Path

import trading
from automation.errors import RepositoryUnusable
from automation.incidents.session_places import CORE, FOLDER
from automation.pipeline.requests import FixRequest
from trading.errors import UsageError

_WHOLE = FixRequest.model_fields["tests"].default
_JUDGES = ("tests/trading/engine", "tests/trading/sessions/test_decider.py")


def about_session(request: FixRequest) -> FixRequest:
    """Return a request about a session with its places filled in: the checkout that runs when none is named.

    Raises
    ------
    UsageError
        When a log is named as well.
    RepositoryUnusable
        When there is no checkout, or the folder holds no trading core.
    """
    if request.log is not None:
        raise UsageError("--session and --log are two incidents; repair one after the other")
    path = request.path if "path" in request.model_fields_set else _running_checkout()
    if not (path / CORE).is_file():
        raise RepositoryUnusable(f"{path} holds no trading core ({CORE}); name a checkout of GridBot")
    session = str(request.session)
    if Path(session).is_file():
        session = str(Path(session).absolute())
    return request.model_copy(update={"path": path, "session": session})


def _running_checkout() -> Path:
    checkout = Path(trading.__file__).resolve().parents[1]
    if not (checkout / "pyproject.toml").is_file() or not (checkout / "tests").is_dir():
        raise RepositoryUnusable(
            "the GridBot that runs is an installed package; name a checkout of it: gridbot fix --session NAME PATH"
        )
    return checkout


def session_tests(request: FixRequest, tree: Path) -> str:
    """Return the tests that judge a change for a session: what was asked for, else the core's, and all its incidents.

    Parameters
    ----------
    request : FixRequest
        About a session.
    tree : Path
        The checkout's private copy.
    """
    if request.tests != _WHOLE:
        return f"{request.tests} {FOLDER}"
    judges = [path for path in _JUDGES if (tree / path).exists()]
    return shlex.join([*(judges or ["tests"]), FOLDER, "-m", "not slow"])
