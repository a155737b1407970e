"""A failing test built from a session's recording; it counts only when it fails twice as the session did."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

import trading
from automation.incidents.classify import fingerprint, innermost_own, kind_of, title_of
from automation.incidents.records import Frame, Incident, TestResult
from automation.incidents.session_places import FOLDER, SUPPORT
from automation.incidents.session_records import FailedSession, Recipe, told_text
from automation.incidents.session_replay import PLAIN, Failure, SessionReplay, Told
from automation.incidents.suites import SuiteSettings, run_suite

_SUPPORT_SOURCE = Path(__file__).resolve().parent / "inside" / "told_again.py"
_RUNS = 2
_TEST_TIMEOUT_S = 60.0
_WIDTH = 116

Notify = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class SessionReproduction:
    """A pytest file that fails as a session did, and the inputs that it tells.

    Parameters
    ----------
    files : mapping of str to bytes
        Test, inputs and, where it is missing, what tells them; by path in the repository. Nothing is written.
    node_id : str
        The test that fails.
    recording : str
        Path of the inputs.
    inputs_before, inputs_after : int
        How many the session's recording has, and how many the test tells.
    tried : int
        Sequences that were run to leave out the others.
    minimal : bool
        Whether the failure needs every one of those that are left.
    compiled : bool
        Whether the failure shows only where the core is compiled.
    """

    files: Mapping[str, bytes]
    node_id: str
    recording: str
    inputs_before: int
    inputs_after: int
    tried: int
    minimal: bool
    compiled: bool

    def as_json(self) -> dict[str, object]:
        """Return all but the files' contents as plain JSON."""
        return {
            "test": self.node_id,
            "recording": self.recording,
            "inputs_before": self.inputs_before,
            "inputs_after": self.inputs_after,
            "sequences_tried": self.tried,
            "minimal": self.minimal,
            "compiled": self.compiled,
        }


@dataclass(frozen=True, slots=True)
class SessionFinding:
    """What a session's recording came to with the code of a tree.

    Parameters
    ----------
    incident : Incident or None
        The failure; None when there is none.
    reproduction : SessionReproduction or None
        The test; None when there is no failure, or none that comes back.
    reason : str
        Why there is no test, in one sentence.
    is_wrong : bool
        Whether anything is wrong at all.
    """

    incident: Incident | None
    reproduction: SessionReproduction | None
    reason: str = ""
    is_wrong: bool = True


def reproduce_session(
    session: FailedSession, tree: Path, settings: SuiteSettings, budget_s: float, notify: Notify
) -> SessionFinding:
    """Tell a session's recording to the code of a tree and, when it fails, make a test of the inputs that it takes.

    Plain Python is asked first: it starts at once, and it raises where compiled code reads past an array's end or
    divides by nothing in silence. What shows only when compiled is looked for after that.

    Parameters
    ----------
    session : FailedSession
        What it left.
    tree : Path
        A checkout's private copy; it is not written.
    settings : SuiteSettings
        How its code is run.
    budget_s : float
        Time for all of it, seconds.
    notify : callable
        Takes what is done, how much of it is done, and how much there is.
    """
    end = monotonic() + budget_s
    found = Told(None)
    for compiled in (False, True) if session.error is not None else (False,):
        replay = SessionReplay(session, tree, settings, compiled=compiled)
        try:
            notify("telling the recording again" + ", compiled" * compiled, 0, len(session.recording.inputs))
            found = replay.told(max(1.0, end - monotonic()))
            if found.failure is not None:
                made = _made(session, tree, settings, replay, found.failure, end, notify)
                incident = _incident(session, found.failure, made)
                reason = "" if made else "the failure does not come back in a process of its own"
                return SessionFinding(incident, made, reason)
        finally:
            replay.close()
    return _without_failure(session, found.differs_at)


def _without_failure(session: FailedSession, differs_at: int | None) -> SessionFinding:
    name = session.name
    if session.error is not None:
        reason = f"the code at hand no longer fails as session {name} did ({session.error})"
        return SessionFinding(None, None, reason, is_wrong=False)
    if differs_at is None:
        return SessionFinding(None, None, f"session {name} did not fail, and its recording holds", is_wrong=False)
    reason = f"session {name} did not fail, but the code at hand decides otherwise after input {differs_at:,}"
    if session.version == trading.__version__:
        return SessionFinding(None, None, f"{reason}; a recording does not tell which of the two is right")
    return SessionFinding(None, None, f"{reason}; it was recorded by another version", is_wrong=False)


def _made(
    session: FailedSession,
    tree: Path,
    settings: SuiteSettings,
    replay: SessionReplay,
    failure: Failure,
    end: float,
    notify: Notify,
) -> SessionReproduction | None:
    words = "leaving out what the failure does not need"
    reduced = replay.reduced(
        failure, max(0.0, end - monotonic()), lambda left, whole: notify(words, whole - left, whole)
    )
    notify("making a test of it", 0, 0)
    for recipe in (reduced.recipe, Recipe(kept=tuple(range(failure.needed)))):
        made = _reproduction(session, tree, failure, recipe)
        is_minimal = reduced.done and recipe is reduced.recipe
        made = replace(made, tried=reduced.tried, minimal=is_minimal, compiled=replay.compiled)
        if all(_fails_alike(made, tree, settings, failure) for _ in range(_RUNS)):
            return made
    return None


def _reproduction(session: FailedSession, tree: Path, failure: Failure, recipe: Recipe) -> SessionReproduction:
    stem = _free_name(tree, f"incident_{_fingerprint(failure)[:8]}")
    recording, test = f"{FOLDER}/{stem}.json", f"{FOLDER}/test_{stem}.py"
    count = len(recipe.kept or ())
    name = "test_the_core_gets_through_it"
    files = {
        test: _test_text(session, failure, stem, name, count).encode(),
        recording: told_text(session.told(recipe)).encode(),
    }
    if not (tree / SUPPORT).is_file():
        files[SUPPORT] = _SUPPORT_SOURCE.read_bytes()
    total = len(session.recording.inputs)
    return SessionReproduction(files, f"{test}::{name}", recording, total, count, 0, minimal=False, compiled=False)


def _fingerprint(failure: Failure) -> str:
    # what the books found has no frame in the code itself: only its words tell it apart
    return fingerprint(failure.chain, "" if _innermost(failure.chain[0].frames) else failure.mark)


def _free_name(tree: Path, name: str) -> str:
    # the same failure again is another incident: what was learned from the first one stays
    names = (name, *(f"{name}_{number}" for number in range(2, 1_000)))
    return next(free for free in names if not (tree / FOLDER / f"test_{free}.py").exists())


def _test_text(session: FailedSession, failure: Failure, stem: str, name: str, count: int) -> str:
    raised = failure.chain[0]
    kind = raised.type.rpartition(".")[2]
    place = innermost_own(failure.chain)
    where = f" in {place.function} ({place.path})" if place is not None else ""
    words = re.sub(r"[\\\"\s]+", " ", raised.message.split("\n", 1)[0]).strip()
    total = len(session.recording.inputs)
    account = f"{words[:200]}. Of the session's {total:,} inputs it takes {count:,}; they are in {stem}.json."
    lines = textwrap.wrap(account, _WIDTH, break_long_words=False, break_on_hyphens=False)
    first = f"Session {session.name} raised {kind}{where}."
    return "\n".join(
        [
            f'"""{first}',
            "",
            *lines,
            '"""',
            "",
            "from __future__ import annotations",
            "",
            "from pathlib import Path",
            "",
            "from tests.trading.incidents.told_again import told_again",
            "",
            f'INPUTS = Path(__file__).with_name("{stem}.json")',
            "",
            "",
            f"def {name}() -> None:",
            "    told_again(INPUTS)",
            "",
            "",
            "def test_up_to_its_last_input_nothing_was_wrong() -> None:",
            "    told_again(INPUTS, leave_out=1)",
            "",
        ]
    )


def _fails_alike(made: SessionReproduction, tree: Path, settings: SuiteSettings, failure: Failure) -> bool:
    environment = settings.environment if made.compiled else {**settings.environment, **PLAIN}
    settings = replace(settings, arguments=(), environment=environment, test_timeout_s=_TEST_TIMEOUT_S)
    report = run_suite(tree, settings, tests=[made.node_id.partition("::")[0]], files=made.files)
    return any(test.node_id == made.node_id and _is_alike(test, failure) for test in report.tests)


def _is_alike(test: TestResult, failure: Failure) -> bool:
    if not test.failed or not test.chain:
        return False
    places = [_innermost(chain[0].frames) for chain in (test.chain, failure.chain)]
    return test.chain[0].type == failure.chain[0].type and places[0] == places[1]


def _innermost(frames: tuple[Frame, ...]) -> tuple[str, str] | None:
    own = [frame for frame in frames if frame.own and not frame.test]
    return (own[-1].path, own[-1].function) if own else None


def _incident(session: FailedSession, failure: Failure, made: SessionReproduction | None) -> Incident:
    kind, confidence = kind_of(failure.chain)
    return Incident(
        _fingerprint(failure),
        kind,
        confidence,
        title_of(failure.chain),
        "session",
        (made.node_id,) if made is not None else (),
        failure.chain,
        first_seen=session.crashed_ms,
        last_seen=session.crashed_ms,
    )
