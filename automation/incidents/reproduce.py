"""A failing test built from a log's traceback; it counts only when it fails as the log says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from automation.codebase.suite_files import TEST_FOLDERS
from automation.incidents.call_arguments import Trial, trials
from automation.incidents.records import Frame, Incident, Raised, TestReport, TestResult
from automation.incidents.subjects import module_name, subject_of
from automation.incidents.suites import SuiteSettings, run_suite

TRIAL_TIMEOUT_S = 2.0
_MOST_FRAMES = 4


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A pytest file that fails as a log says.

    Parameters
    ----------
    path : str
        Where it belongs, relative to the repository; it is not written.
    text : str
        Its source.
    node_id : str
        The test in it.
    """

    path: str
    text: str
    node_id: str


@dataclass(frozen=True, slots=True)
class _Attempt:
    module: str
    trial: Trial
    frame: Frame
    raised: Raised


def reproduction_for(incident: Incident, root: Path, settings: SuiteSettings) -> Reproduction | None:
    """Build a test that fails as an incident of a log did.

    The functions of the traceback are called, innermost first, with the values that the log has, with what the
    repository itself passes to them, or with the few values that types and message suggest.

    Parameters
    ----------
    incident : Incident
        With the exception and its frames.
    root : Path
        The private copy of the repository; it is not written.
    settings : SuiteSettings
        How its tests are run.

    Returns
    -------
    Reproduction or None
        Verified: the same exception type from the same function. None when no call tried fails like that.
    """
    path = _path_for(root, incident, settings)
    settings = replace(settings, arguments=(), test_timeout_s=TRIAL_TIMEOUT_S)
    for attempts in _attempts(incident, root, settings):
        found = _first_alike(root, settings, path, attempts)
        if found is None:
            continue
        made = _reproduction(path, found)
        report = _run(root, settings, path, made.text)
        if any(test.node_id == made.node_id and _fails_alike(found, test) for test in report.tests):
            return made
    return None


def _path_for(root: Path, incident: Incident, settings: SuiteSettings) -> str:
    asked = (word.split("::", 1)[0].rstrip("/") for word in settings.arguments if not word.startswith("-"))
    folders = [folder for folder in (*asked, *TEST_FOLDERS) if (root / folder).is_dir()]
    name = f"test_log_{incident.fingerprint[:8]}.py"
    relative = Path(folders[0]) if folders else Path()
    if relative.is_absolute():
        relative = relative.relative_to(root) if relative.is_relative_to(root) else Path()
    return (relative / name).as_posix()


def _attempts(incident: Incident, root: Path, settings: SuiteSettings) -> Iterator[list[_Attempt]]:
    for raised in incident.chain:
        own = [frame for frame in raised.frames if frame.own and not frame.test]
        distinct = dict.fromkeys((frame.path, frame.function) for frame in reversed(own))
        for key in list(distinct)[:_MOST_FRAMES]:
            frame = next(frame for frame in reversed(own) if (frame.path, frame.function) == key)
            found = list(_attempts_at(root, settings, frame, raised))
            if found:
                yield found


def _attempts_at(root: Path, settings: SuiteSettings, frame: Frame, raised: Raised) -> Iterator[_Attempt]:
    if frame.function == "":
        module = module_name(root, frame.path, settings.python_path)
        if module is not None:
            yield _Attempt(module, Trial("", True), frame, raised)
        return
    subject = subject_of(root, frame, settings.python_path)
    if subject is not None:
        yield from (_Attempt(subject.module, trial, frame, raised) for trial in trials(root, subject, frame, raised))


def _first_alike(root: Path, settings: SuiteSettings, path: str, attempts: Sequence[_Attempt]) -> _Attempt | None:
    while attempts:
        report = _run(root, settings, path, _trial_file(attempts))
        told = list(_paired(attempts, report))
        found = next((each for each, test in told if _fails_alike(each, test)), None)
        if found is not None or report.complete or not told:
            return found
        # A call that ends the interpreter must not take those behind it along.
        judged = {id(each) for each, _ in told}
        attempts = [each for each in attempts if id(each) not in judged]
    return None


def _trial_file(attempts: Sequence[_Attempt]) -> str:
    tests = [f"def test_{number}():\n{_body(each)}" for number, each in enumerate(attempts)]
    return "import asyncio\nimport importlib\n\n\n" + "\n\n\n".join(tests) + "\n"


def _body(attempt: _Attempt) -> str:
    if not attempt.trial.call:
        return f'    importlib.import_module("{attempt.module}")'
    return f'    subject = importlib.import_module("{attempt.module}")\n    {attempt.trial.call}'


def _run(root: Path, settings: SuiteSettings, path: str, text: str) -> TestReport:
    return run_suite(root, settings, tests=[path], files={path: text.encode()})


def _paired(attempts: Sequence[_Attempt], report: TestReport) -> Iterator[tuple[_Attempt, TestResult]]:
    results = {test.node_id.rpartition("::test_")[2]: test for test in report.tests if "::test_" in test.node_id}
    for number, attempt in enumerate(attempts):
        if str(number) in results:
            yield attempt, results[str(number)]


def _fails_alike(attempt: _Attempt, test: TestResult) -> bool:
    if not test.failed:
        return False
    wanted = _innermost(attempt.raised)
    for raised in test.chain:
        same = raised.type.rpartition(".")[2] == attempt.raised.type.rpartition(".")[2]
        if same and wanted == _innermost(raised):
            return attempt.trial.seen or raised.message.strip() == attempt.raised.message.strip()
    return False


def _innermost(raised: Raised) -> tuple[str, str] | None:
    own = [frame for frame in raised.frames if frame.own and not frame.test]
    return (own[-1].path, own[-1].function.rpartition(".")[2]) if own else None


def _reproduction(path: str, attempt: _Attempt) -> Reproduction:
    kind = attempt.raised.type.rpartition(".")[2]
    function = attempt.frame.function.strip("<>") or "import"
    name = re.sub(r"\W+", "_", f"test_{function}_does_not_raise_{kind}_as_the_log_shows").lower()
    imports = "import asyncio\nimport importlib\n" if "asyncio." in attempt.trial.call else "import importlib\n"
    words = f'"""A log shows {kind} in {function} ({attempt.frame.path}) for this call."""'
    text = f"{words}\n\n{imports}\n\ndef {name}():\n{_body(attempt)}\n"
    return Reproduction(path, text, f"{path}::{name}")
