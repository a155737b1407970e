"""The git program, called without a shell and without the user's hooks, signing, prompts or background work."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from automation.errors import WorkspaceFailed

_KEPT_VARIABLES = ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "SYSTEMROOT", "TEMP", "TMP")
_VARIABLES = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "LC_ALL": "C",
}
_SETTINGS = (
    ("safe.directory", "*"),
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.quotePath", "false"),
    ("core.safecrlf", "false"),
    ("commit.gpgSign", "false"),
    ("tag.gpgSign", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("protocol.file.allow", "always"),
    ("init.defaultBranch", "main"),
    ("advice.detachedHead", "false"),
    ("user.name", "GridBot"),
    ("user.email", "gridbot@localhost"),
)


@dataclass(frozen=True, slots=True)
class Git:
    """How to call git: from where, and on which repository.

    Parameters
    ----------
    folder : Path
        Working directory of the calls.
    variables : mapping of str to str
        ``GIT_DIR``, ``GIT_WORK_TREE``, ``GIT_INDEX_FILE`` and the like, on top of the isolated environment.
    settings : tuple of (str, str)
        Configuration values beside GridBot's own.
    timeout_s : float
        Of each call.
    """

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    settings: tuple[tuple[str, str], ...] = ()
    timeout_s: float = 300.0

    def on(self, **variables: Path | str) -> Git:
        """Return the same with more variables, such as ``GIT_INDEX_FILE``."""
        return replace(self, variables={**self.variables, **{name: str(value) for name, value in variables.items()}})

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run one git command and return what it prints.

        Raises
        ------
        WorkspaceFailed
            When git is missing, fails, or does not end in time.
        """
        done = self.attempt(*arguments, stdin=stdin)
        if done.returncode:
            said = os.fsdecode(done.stderr).strip().splitlines()
            reason = next((line for line in said if line.startswith(("fatal:", "error:"))), said[-1] if said else "")
            reason = reason or f"it ended with {done.returncode}"
            raise WorkspaceFailed(f"git {arguments[0]} failed in {self.folder}: {reason}")
        return done.stdout

    def attempt(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run one git command whose failure is an answer too; the caller looks at the return code.

        Raises
        ------
        WorkspaceFailed
            When git is missing or does not end in time.
        """
        settings = [part for name, value in (*_SETTINGS, *self.settings) for part in ("-c", f"{name}={value}")]
        return _call(
            ["git", *settings, *arguments], self.folder, {**_VARIABLES, **self.variables}, stdin, self.timeout_s
        )

    def text(self, *arguments: str) -> str:
        """Return what a git command prints, without the last line end."""
        return os.fsdecode(self.run(*arguments)).removesuffix("\n")

    def names(self, *arguments: str) -> list[str]:
        """Return what a git command with ``-z`` prints, as a list."""
        return [os.fsdecode(part) for part in self.run(*arguments).split(b"\0") if part]

    def ignores(self, path: str) -> bool:
        """Return whether the rules of the work tree leave a path out, tracked or not.

        Raises
        ------
        WorkspaceFailed
            When git cannot tell.
        """
        # This one command takes no literal paths: a leading "./" keeps a colon from being read as magic.
        git = self.on(GIT_LITERAL_PATHSPECS="0")
        arguments = ("check-ignore", "--quiet", "--no-index", "--", f"./{path}")
        if (code := git.attempt(*arguments).returncode) > 1:
            git.run(*arguments)
        return code == 0


def user_settings(folder: Path, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return the values of some configuration keys as the user's own git sees them in a repository.

    Parameters
    ----------
    folder : Path
        Inside the repository.
    names : iterable of str
        Full keys in small letters, such as ``core.autocrlf``.
    """
    command = ["git", "-c", "safe.directory=*", "config", "-z", "--list", "--includes"]
    variables = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    wanted = set(names)
    found: dict[str, str] = {}
    for entry in os.fsdecode(_call(command, folder, variables, b"", 60.0).stdout).split("\0"):
        name, _, value = entry.partition("\n")
        if name.lower() in wanted:
            found[name.lower()] = value or "true"
    return tuple(sorted(found.items()))


def joined(names: Iterable[str]) -> bytes:
    """Return names as git reads them with ``-z``."""
    return b"".join(os.fsencode(name) + b"\0" for name in names)


def _call(
    command: Sequence[str], folder: Path, variables: Mapping[str, str], stdin: bytes, timeout_s: float
) -> subprocess.CompletedProcess[bytes]:
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    try:
        return subprocess.run(  # noqa: S603 - a fixed program with arguments as a list, never a shell
            command,
            cwd=folder,
            env={**environment, **variables},
            input=stdin,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        if not folder.is_dir():
            raise WorkspaceFailed(f"{folder} is no folder any more") from error
        raise WorkspaceFailed("the git program is not on PATH; install git") from error
    except subprocess.TimeoutExpired as error:
        raise WorkspaceFailed(
            f"git took longer than {timeout_s:.0f} s in {folder}: {' '.join(command[-3:])}"
        ) from error
    except OSError as error:
        raise WorkspaceFailed(f"git cannot be started in {folder}: {error}") from error
