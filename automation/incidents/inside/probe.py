"""One run of pytest in this process, told as plain records while it goes; loaded by file path inside the sandbox."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from automation.incidents.inside import arguments, comparisons, describe, time_limit, tracing
else:

    def _sibling(name: str) -> ModuleType:
        # by path: the target may hold a package of the same name as ours
        known = sys.modules.get(f"_gridbot_{name}")
        if known is not None:
            return known
        spec = importlib.util.spec_from_file_location(f"_gridbot_{name}", Path(__file__).with_name(f"{name}.py"))
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module

    # in this order: comparisons takes the loaded describe
    describe, comparisons, arguments = map(_sibling, ("describe", "comparisons", "arguments"))
    time_limit, tracing = map(_sibling, ("time_limit", "tracing"))

CAPTURED_LIMIT = 4000
STUCK_EXIT = 70
_OURS = ("_gridbot_", "gridbot_entry", "gridbot_inside")

Record = dict[str, object]
Emit = Callable[[Record], None]


@dataclass
class _Test:
    node_id: str
    outcome: str = "passed"
    phase: str = "call"
    duration_s: float = 0.0
    chain: list[Record] = field(default_factory=list)
    operands: list[tuple[str, str]] = field(default_factory=list)
    assertion: str = ""
    captured: str = ""
    lines: dict[str, list[int]] = field(default_factory=dict)
    values: dict[str, list[str]] = field(default_factory=dict)

    @property
    def failing(self) -> bool:
        return self.outcome not in ("passed", "skipped")


class _Probe:
    """The plugin of one run.

    Parameters
    ----------
    job : mapping
        As `run` takes it.
    emit : callable
        Takes each record.
    """

    def __init__(self, job: Mapping[str, object], emit: Emit) -> None:
        self._pid = os.getpid()
        self._plugins = arguments.Plugins(cast("Mapping[str, str]", job.get("plugins") or {}))
        self._emit_record = emit
        self._places = describe.Places(str(job["root"]))
        self._tests = _names(job.get("tests"))
        self._wanted = frozenset(self._tests or ())
        self._conftests = tuple(name[: -len("conftest.py")] for name in self._wanted if _is_conftest(name))
        self._deselect = frozenset(_names(job.get("deselect")) or ())
        seconds = float(cast("float", job.get("test_timeout_s") or 0))
        self._limit = time_limit.TimeLimit(seconds, self._note_timeout, self._end_stuck)
        self._values: tracing.ValueLog | None = None
        self._tracer = self._make_tracer(cast("Mapping[str, object] | None", job.get("trace")))
        self._test: _Test | None = None
        self._collecting = ""
        self._compared = comparisons.Comparisons(self._places)
        self._told: set[str] = set()
        self.stopped = False

    # what is told

    def emit(self, event: str, **values: object) -> None:
        """Tell one record, unless this is a process that the target forked."""
        if os.getpid() == self._pid:
            self._emit_record({"event": event, **values})

    def tell_session(self) -> None:
        """Tell what runs the tests."""
        versions = {"python": sys.version.split()[0], "pytest": pytest.__version__}
        self.emit("session", broken_plugins=self._plugins.broken, **versions)

    def _tell(self, test: _Test) -> None:
        self._told.add(test.node_id)
        self.emit("result", **asdict(test))

    def tell_modules(self) -> None:
        """Tell the modules from outside the repository that are imported by now."""
        self.emit(
            "modules", third_party=[name for name, module in sys.modules.copy().items() if self._foreign(name, module)]
        )

    def _foreign(self, name: str, module: object) -> bool:
        spec = getattr(module, "__spec__", None)
        origin = getattr(spec, "origin", None)
        if not isinstance(origin, str) or getattr(spec, "name", None) != name or not Path(origin).is_absolute():
            return False
        return not name.startswith(_OURS) and self._places.own(origin) is None

    # lines and values

    def _make_tracer(self, trace: Mapping[str, object] | None) -> tracing.Tracer | None:
        if not trace or not trace.get("lines"):
            return None
        only = _names(trace.get("only"))
        if trace.get("values"):
            self._values = tracing.ValueLog(describe.shown_locals)

        def wanted(filename: str) -> str | None:
            path = self._places.own(filename)
            if path is None or describe.is_test_path(path) or (only is not None and path not in only):
                return None
            return path

        return tracing.line_tracer(wanted, self._values)

    def start_tracing(self) -> None:
        """Begin to record what runs at import."""
        if self._tracer is not None:
            self._tracer.start()

    # before the first test

    def pytest_addoption(self, parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
        self._plugins.register(parser, pluginmanager)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(self) -> Generator[None, object, None]:
        outcome = yield
        error = getattr(outcome, "excinfo", None)
        if error is not None:
            self._tell_collect_error("conftest.py", error[1])

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        arguments.restore_autoload()
        arguments.add_standin_markers(config)
        arguments.silence(config)
        if self._tests is not None:
            config.args[:] = dict.fromkeys(_collected_from(name) for name in self._tests)

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        self._collecting = collector.nodeid

    def pytest_exception_interact(self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[object]) -> None:
        if isinstance(node, pytest.Collector) and call.excinfo is not None:
            self._tell_collect_error(node.nodeid, call.excinfo.value)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        kept: list[pytest.Item] = []
        dropped: list[pytest.Item] = []
        for item in items:
            chosen = self._is_wanted(item.nodeid) and item.nodeid not in self._deselect
            (kept if chosen else dropped).append(item)
        if dropped:
            items[:] = kept
            config.hook.pytest_deselected(items=dropped)

    def _is_wanted(self, node_id: str) -> bool:
        if self._tests is None or node_id in self._wanted or node_id.split("::", 1)[0] in self._wanted:
            return True
        return any(node_id.startswith(folder) for folder in self._conftests)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.emit("collected", node_ids=[item.nodeid for item in session.items])
        for name in self._tests or ():
            if _is_conftest(name) and name not in self._told:
                self._tell(_Test(name, phase="collect"))
        if self._tests is None:
            self.tell_modules()
        if self._tracer is not None:
            self.emit("session_lines", lines=self._tracer.take())
            self._take_values()

    def _take_values(self) -> dict[str, list[str]]:
        return {} if self._values is None else self._values.take()

    def _tell_collect_error(self, node_id: str, error: BaseException) -> None:
        path = getattr(error, "path", None)
        if type(error).__name__ == "ConftestImportFailure" and path is not None:
            node_id = self._places.own(str(path)) or node_id
        cause = getattr(error, "cause", None) or error.__cause__
        if type(error).__name__ in ("CollectError", "ConftestImportFailure") and isinstance(cause, BaseException):
            error = cause
        name = node_id.split("::", 1)[0]
        if name not in self._told:
            self._tell(_Test(name, "error", "collect", chain=describe.chain_of(error, self._places)))

    # one test

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._test = _Test(nodeid)
        self._compared.begin()
        self._limit.begin()
        self.emit("start", node_id=nodeid)
        if self._tracer is not None:
            self._tracer.start()

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Generator[None, object, None]:
        with self._limit.phase():
            yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, object, None]:
        with self._limit.phase():
            yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, None]:
        with self._limit.phase():
            yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[object]) -> Generator[None, object, None]:
        outcome = yield
        report = cast("pytest.TestReport", outcome.get_result())  # type: ignore[attr-defined]
        test = self._test
        if test is None:
            return
        test.duration_s += call.duration
        if self._limit.passed:
            # also a test that swallowed the interruption and went on has used up its time
            test.outcome = "timeout"
        if report.failed and (not test.failing or self._limit.passed):
            self._note_failure(test, call, report)
        elif report.skipped and not test.failing:
            test.outcome, test.phase = "skipped", call.when

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        test, self._test = self._test, None
        if test is None:
            return
        if self._tracer is not None:
            test.lines = self._tracer.take()
            test.values = self._take_values()
        self._tell(test)

    @pytest.hookimpl(tryfirst=True)
    def pytest_assertrepr_compare(self, left: object, right: object) -> None:
        self._compared.note(left, right, sys._getframe(1))  # noqa: SLF001

    def _note_failure(self, test: _Test, call: pytest.CallInfo[object], report: pytest.TestReport) -> None:
        test.phase = call.when
        captured = describe.masked(report.capstdout + report.capstderr)
        test.captured = captured[-CAPTURED_LIMIT:]
        if self._limit.passed:
            return
        test.outcome = "failed" if call.when == "call" else "error"
        if call.excinfo is None:
            test.assertion = describe.masked_cut(str(report.longrepr), describe.MESSAGE_LIMIT)
            test.chain = [{"type": "Failed", "message": test.assertion, "frames": []}]
            return
        error = call.excinfo.value
        test.chain = describe.chain_of(error, self._places)
        if isinstance(error, AssertionError) or type(error).__name__ == "Failed":
            test.assertion = cast("str", test.chain[0]["message"])
            test.operands = self._compared.operands(error)

    def _note_timeout(self, frame: FrameType | None) -> None:
        if self._test is not None:
            frames = describe.stack_of(frame, self._places)
            self._test.chain = [{"type": "TestTimeout", "message": self._limit.words, "frames": frames}]

    def _end_stuck(self) -> None:
        if self._test is not None:
            self._test.outcome = "timeout"
            self._tell(self._test)
        os._exit(STUCK_EXIT)

    # the end

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self._tell_broken(excinfo.value)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self._tell_broken(excinfo.value)

    def _tell_broken(self, error: BaseException) -> None:
        test, self._test = self._test, None
        if test is None:
            self._tell_collect_error(self._collecting, error)
            return
        test.outcome, test.chain = "error", describe.chain_of(error, self._places)
        self._tell(test)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self.stopped = bool(session.shouldstop or session.shouldfail)
        if self._tracer is not None:
            self._tracer.stop()


def _names(value: object) -> list[str] | None:
    return None if value is None else [str(name) for name in cast("Sequence[object]", value)]


def _is_conftest(name: str) -> bool:
    return name.rsplit("/", maxsplit=1)[-1] == "conftest.py"


def _collected_from(name: str) -> str:
    # what a broken conftest keeps from running is the tests of its folder
    path = name.split("::", 1)[0]
    return str(Path(path).parent) if _is_conftest(path) else path


def run(job: dict[str, object], emit: Emit) -> None:
    """Run the tests of a tree once and tell what happens.

    Parameters
    ----------
    job : dict
        ``root`` (the tree, and the working directory), ``arguments`` (the user's, for pytest), ``tests`` (node ids, or
        None for what the arguments select), ``deselect`` (node ids), ``stop_after`` (failures, 0 for none),
        ``test_timeout_s`` (0 for none), ``python_path`` (folders put before the rest, relative to the
        root), ``trace`` (None, or ``lines``, ``values`` and ``only``, a list of paths), ``plugins`` (pytest's entry
        points, names to modules).
    emit : callable
        Takes records, each with its name under ``event``: session, collected, modules, session_lines, start, result and
        end.
    """
    began = time.monotonic()
    # what was imported before the fork is neither searched for garbage nor copied for it
    gc.freeze()
    root = os.path.abspath(str(job["root"]))  # noqa: PTH100 - links stay as they are
    os.chdir(root)
    # two candidates of one size within one second would share compiled files
    sys.dont_write_bytecode = True
    paths = [os.path.normpath(os.path.join(root, path)) for path in _names(job.get("python_path")) or []]  # noqa: PTH118
    sys.path[:] = [*paths, *(path for path in sys.path if path not in paths)]
    probe = _Probe(job, emit)
    probe.tell_session()
    arguments.settle_hypothesis(shrink=bool(job.get("trace")))
    user = _names(job.get("arguments")) or []
    words = arguments.pytest_arguments(user, root, int(cast("int", job.get("stop_after") or 0)))
    probe.start_tracing()
    with arguments.without_autoload():
        exit_code = int(pytest.main(words, plugins=[probe]))
    probe.emit("end", exit=exit_code, seconds=time.monotonic() - began, stopped=probe.stopped)
