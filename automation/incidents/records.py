"""What a test run and an incident are, as plain data that travels between stages and into JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What sort of fault an incident shows."""

    SYNTAX = "syntax"
    IMPORT = "import"
    NAME = "name"
    TYPE = "type"
    VALUE = "value"
    LOGIC = "logic"
    RESOURCE = "resource"
    TIMEOUT = "timeout"
    CRASH = "crash"
    EXTERNAL = "external"


class Outcome(StrEnum):
    """How one test ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    TIMEOUT = "timeout"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a traceback.

    Parameters
    ----------
    path : str
        Relative to the repository with forward slashes when ``own``, else absolute.
    line : int
        From 1.
    function : str
        Qualified name where known.
    own : bool
        Whether the file belongs to the repository.
    test : bool
        Whether the file is a test or a conftest.
    values : mapping of str to str
        Local names to bounded, masked reprs.
    """

    path: str
    line: int
    function: str
    own: bool
    test: bool = False
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Raised:
    """One exception of a chain, innermost cause last in `TestResult.chain`'s order of raising reversed.

    Parameters
    ----------
    type : str
        Qualified name, without ``builtins.``.
    message : str
        Bounded and masked.
    frames : tuple of Frame
        Outermost first.
    """

    type: str
    message: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test of a run.

    Parameters
    ----------
    node_id : str
        pytest's, relative to the repository. A file that cannot be collected has its path here.
    outcome : Outcome
        How it ended.
    phase : str
        ``setup``, ``call``, ``teardown`` or ``collect``.
    duration_s : float
        Of all phases.
    chain : tuple of Raised
        The exception first, then its causes.
    operands : tuple of (str, str)
        Left and right of a failed comparison as reprs, outermost comparison first.
    assertion : str
        The failing assertion as pytest explains it, bounded.
    captured : str
        The end of its stdout and stderr, bounded and masked.
    lines : mapping of str to tuple of int
        Own, non-test file to the lines that ran; empty unless traced.
    values : mapping of str to tuple of str
        ``"path:line"`` to ``name=repr`` snapshots; empty unless traced with values.
    """

    __test__ = False

    node_id: str
    outcome: Outcome
    phase: str = "call"
    duration_s: float = 0.0
    chain: tuple[Raised, ...] = ()
    operands: tuple[tuple[str, str], ...] = ()
    assertion: str = ""
    captured: str = ""
    lines: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether it counts against the code: failed, error, timeout or crash."""
        return self.outcome not in (Outcome.PASSED, Outcome.SKIPPED)


@dataclass(frozen=True, slots=True)
class TestReport:
    """One run of a suite or a part of it.

    Parameters
    ----------
    tests : tuple of TestResult
        In the order in which they ran; collection errors among them with phase ``collect``.
    collected : tuple of str
        Node ids that were selected to run.
    complete : bool
        Whether the run reached its end; False after a crash, a kill, or a stop at the first failure.
    seconds : float
        Wall time.
    third_party : tuple of str
        Top-level and dotted modules from outside the repository that the run imported.
    problem : str
        Why pytest could not run at all (usage error, no pytest, killed before the first test), else empty.
    """

    __test__ = False

    tests: tuple[TestResult, ...]
    collected: tuple[str, ...]
    complete: bool
    seconds: float
    third_party: tuple[str, ...] = ()
    problem: str = ""

    @property
    def failures(self) -> tuple[TestResult, ...]:
        """Tests that failed, in order."""
        return tuple(test for test in self.tests if test.failed)

    @property
    def passed(self) -> frozenset[str]:
        """Node ids that passed."""
        return frozenset(test.node_id for test in self.tests if test.outcome is Outcome.PASSED)

    def counts(self) -> dict[str, int]:
        """Return how many tests ended in each way."""
        found = {outcome.value: 0 for outcome in Outcome}
        for test in self.tests:
            found[test.outcome.value] += 1
        return found


@dataclass(frozen=True, slots=True)
class Incident:
    """One fault that was seen, whatever it was seen by.

    Parameters
    ----------
    fingerprint : str
        Stable hash of exception type and own frames without line numbers.
    kind : Kind
        What sort of fault.
    confidence : float
        Of ``kind``, 0..1.
    title : str
        One line for people.
    source : str
        ``test``, ``log`` or ``session``.
    tests : tuple of str
        Node ids that show it; empty for a log incident without a reproduction.
    chain : tuple of Raised
        A representative exception.
    count : int
        How often it was seen.
    first_seen, last_seen : int
        Milliseconds UTC; 0 where unknown.
    severity : str
        ``error``, ``critical`` or ``warning``.
    """

    fingerprint: str
    kind: Kind
    confidence: float
    title: str
    source: str
    tests: tuple[str, ...] = ()
    chain: tuple[Raised, ...] = ()
    count: int = 1
    first_seen: int = 0
    last_seen: int = 0
    severity: str = "error"
