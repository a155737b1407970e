"""Known vulnerabilities of what a repository depends on, by pip-audit where it is installed and the network answers."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

from automation.tasks.review.declarations import Declared, normal, pinned_in
from automation.tasks.review.findings import CheckSkipped, Finding, Severity
from automation.tasks.review.ground import Ground
from automation.tasks.review.kept import Kept, digest_of
from automation.tasks.review.tools import Tools

_PATIENCE_S = 60.0
_REACHING_OUT = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
_ENVIRONMENTS = (".venv", "venv")


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit came to: vulnerabilities, and in a few words what was asked about, or why nothing was."""

    findings: tuple[Finding, ...]
    figure: str


def audited(ground: Ground, declared: Iterable[Declared], tools: Tools) -> Audit:
    """Look the versions that a repository pins, or has installed, up in the database of known vulnerabilities.

    Parameters
    ----------
    ground : Ground
        The repository.
    declared : iterable of Declared
        What it declares.
    tools : Tools
        Run pip-audit, which asks PyPI by name and version.
    """
    wanted = {each.name: each for each in declared}
    versions = _versions(ground.root, set(wanted))
    if find_spec("pip_audit") is None:
        return Audit((), "known vulnerabilities: not measured, pip-audit is not installed")
    if not versions:
        return Audit((), "known vulnerabilities: not measured, no version is pinned or installed in .venv")
    try:
        rows = _asked(ground, versions, tools)
    except (CheckSkipped, ValueError, KeyError) as reason:
        return Audit((), f"known vulnerabilities: not measured, {reason}")
    return judged(rows, wanted, len(versions))


def judged(rows: Iterable[Mapping[str, object]], wanted: Mapping[str, Declared], asked: int) -> Audit:
    """Judge what pip-audit answered.

    Parameters
    ----------
    rows : iterable of mapping
        Its list ``dependencies``.
    wanted : mapping
        What is declared, by name.
    asked : int
        How many versions it was asked about.
    """
    # without an answer it skips every package and still ends well
    answered = [row for row in rows if "vulns" in row]
    if not answered:
        return Audit((), "known vulnerabilities: not measured, the database did not answer")
    found = tuple(
        _finding(wanted.get(normal(str(row["name"]))), row, fault) for row in answered for fault in _rows(row["vulns"])
    )
    return Audit(found, f"{len(answered)} of {asked} versions audited, {len(found)} known vulnerabilities")


def _versions(root: Path, names: set[str]) -> dict[str, str]:
    """Return versions by name: all that is pinned, and of the rest what the repository's environment has."""
    folders = [str(found) for name in _ENVIRONMENTS for found in (root / name).glob("lib/python*/site-packages")]
    installed = {normal(each.name): each.version for each in distributions(path=folders)} if folders else {}
    return {name: installed[name] for name in names & installed.keys()} | pinned_in(root)


def _asked(ground: Ground, versions: Mapping[str, str], tools: Tools) -> list[Mapping[str, object]]:
    lines = "".join(f"{name}=={version}\n" for name, version in sorted(versions.items()))
    # what is known of a version today may be more tomorrow
    kept, digest = Kept(ground.kept_file, f"audit {datetime.now(UTC).date()}"), digest_of(lines)
    known = kept.get([digest]).get(digest)
    if known is not None:
        return _rows(known)
    with tempfile.TemporaryDirectory(prefix="gridbot-audit-") as folder:
        pins = Path(folder) / "pins.txt"
        pins.write_text(lines, encoding="utf-8")
        arguments = ["--no-deps", "--disable-pip", "--requirement", str(pins), "--format", "json"]
        arguments += ["--progress-spinner", "off", "--timeout", "5"]
        output = tools.run("pip_audit", arguments, Path(folder), good=(0, 1), also=_REACHING_OUT, timeout_s=_PATIENCE_S)
    rows = _rows(json.loads(output.text)["dependencies"])
    if any("vulns" in row for row in rows):
        kept.put({digest: rows})
    return rows


def _rows(value: object) -> list[Mapping[str, object]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _finding(declared: Declared | None, row: Mapping[str, object], fault: Mapping[str, object]) -> Finding:
    fixed = fault.get("fix_versions")
    versions = ", ".join(map(str, fixed)) if isinstance(fixed, list) else ""
    advice = f"take {versions}" if versions else "no release mends it yet"
    message = f"{row['name']} {row.get('version', '')} has the known vulnerability {fault.get('id', '')}; {advice}"
    path, line = (declared.path, declared.line) if declared is not None else ("pyproject.toml", 1)
    return Finding(path, line, 1, Severity.ERROR, message, "vulnerable")
