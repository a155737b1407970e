"""Types: the type checker that the repository has set up, mypy or pyright."""

from __future__ import annotations

import configparser
import contextlib
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from automation.codebase.suite_files import is_test_path
from automation.tasks.review.findings import CheckSkipped, Finding, Findings, Severity, density_score
from automation.tasks.review.ground import Ground
from automation.tasks.review.tools import Tools

_HALF = 10.0
_MYPY_FILES = ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg")
# They tell of packages that are not installed beside GridBot, not of the code.
_ENVIRONMENT = frozenset(
    {"import-not-found", "import-untyped", "import", "reportMissingImports", "reportMissingModuleSource"}
)
_OWN_PATHS = ("files", "packages", "modules")


@dataclass(frozen=True, slots=True)
class TypesCheck:
    """Findings of the repository's own type checker; none is chosen for it."""

    name: str = "types"
    weight: float = 2.0

    def look(self, ground: Ground, tools: Tools) -> Findings:
        """Run mypy or pyright as the repository configured it."""
        files = ground.require_product()
        found = _mypy_setup(ground)
        if found is not None:
            reported, program = _run_mypy(ground, tools, *found), "mypy"
        elif _has_pyright(ground):
            reported, program = _run_pyright(ground, tools), "pyright"
        else:
            raise CheckSkipped("neither mypy nor pyright is set up in this repository")
        kept = [each for each in reported if each.rule not in _ENVIRONMENT and not is_test_path(each.path)]
        inside = ground.inside(kept)
        lines = ground.lines_of(files.values())
        figure = f"{program}: {len(inside)} findings in {lines:,} lines"
        return Findings(self.name, self.weight, figure, density_score(inside, lines, _HALF), inside)


def _mypy_setup(ground: Ground) -> tuple[str, Mapping[str, object]] | None:
    for name in _MYPY_FILES:
        file = ground.root / name
        if name == "pyproject.toml":
            table = ground.tool("mypy")
            if table:
                return name, table
            continue
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, configparser.Error):
            continue
        if parser.has_section("mypy"):
            return name, dict(parser["mypy"])
    return None


def _run_mypy(ground: Ground, tools: Tools, config: str, settings: Mapping[str, object]) -> tuple[Finding, ...]:
    plugins = settings.get("plugins", ())
    names = plugins.replace(",", " ").split() if isinstance(plugins, str) else map(str, _listed(plugins))
    if any(name.endswith(".py") for name in names):
        raise CheckSkipped("mypy would run a plugin out of the repository itself, which a review never does")
    folder = ground.cache / "mypy" / hashlib.sha256(str(ground.root).encode()).hexdigest()[:16]
    is_lent = _lent(ground.root, folder)
    arguments = ["--config-file", config, "--output", "json", "--cache-dir", str(folder)]
    # without these, notes about follow-ups and colours would mix with the JSON
    arguments += ["--no-pretty", "--no-error-summary", "--no-color-output"]
    configured = any(settings.get(name) for name in _OWN_PATHS)
    named = [*arguments, "--", *sorted(ground.product)]
    # a part alone is quicker than all that the configuration names
    ways = [arguments] if configured and ground.is_whole else [named, arguments] if configured else [named]
    try:
        return tuple(_of_mypy(ground, _first_answer(ground, tools, ways)))
    except CheckSkipped:
        if not is_lent:
            raise
        # what another mypy left may be what this one stumbles over
        shutil.rmtree(folder, ignore_errors=True)
        return tuple(_of_mypy(ground, _first_answer(ground, tools, ways)))


def _first_answer(ground: Ground, tools: Tools, ways: Sequence[Sequence[str]]) -> str:
    for arguments in ways[:-1]:
        with contextlib.suppress(CheckSkipped):
            return tools.run("mypy", arguments, ground.root, good=(0, 1)).text
    return tools.run("mypy", ways[-1], ground.root, good=(0, 1)).text


def _lent(root: Path, folder: Path) -> bool:
    """Begin with a copy of what mypy keeps in the repository, which spares the first review most of its time.

    mypy compares times and hashes of every file, so that what is out of date does no harm.
    """
    name = f"{sys.version_info.major}.{sys.version_info.minor}"
    own = root / ".mypy_cache" / name
    if folder.exists() or not own.is_dir() or own.is_symlink():
        return False
    try:
        shutil.copytree(
            own, folder / name, ignore=lambda here, names: [n for n in names if (Path(here) / n).is_symlink()]
        )
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        return False
    return True


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _of_mypy(ground: Ground, text: str) -> Iterator[Finding]:
    for line in text.splitlines():
        if not line.startswith("{"):
            continue
        entry = json.loads(line)
        if entry["severity"] != "error":
            continue
        path, rule = ground.relative(entry["file"]), entry["code"] or "mypy"
        message = str(entry["message"]).partition("\n")[0]
        yield Finding(path, max(entry["line"], 1), max(entry["column"] + 1, 1), Severity.ERROR, message, rule)


def _has_pyright(ground: Ground) -> bool:
    return bool(ground.tool("pyright")) or (ground.root / "pyrightconfig.json").is_file()


def _run_pyright(ground: Ground, tools: Tools) -> tuple[Finding, ...]:
    # without files it takes those of the repository's own configuration
    arguments = ["--outputjson", "--pythonpath", sys.executable]
    output = tools.run("pyright", arguments, ground.root, good=(0, 1))
    try:
        reported = json.loads(output.text)["generalDiagnostics"]
    except (ValueError, KeyError):
        raise CheckSkipped("pyright gave no answer that can be read") from None
    return tuple(_of_pyright(ground, entry) for entry in reported if entry["severity"] != "information")


def _of_pyright(ground: Ground, entry: Mapping[str, object]) -> Finding:
    place = entry.get("range")
    start = place.get("start", {}) if isinstance(place, dict) else {}
    severity = Severity.ERROR if entry["severity"] == "error" else Severity.WARNING
    message = str(entry["message"]).partition("\n")[0]
    path = ground.relative(str(entry["file"]))
    rule = str(entry.get("rule") or "pyright")
    return Finding(path, start.get("line", 0) + 1, start.get("character", 0) + 1, severity, message, rule)
