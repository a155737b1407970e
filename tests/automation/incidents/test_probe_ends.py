"""Tests that hang, crash the interpreter, exhaust it or leave it: each is a result, and so is the rest."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from automation.incidents.records import Outcome
from tests.automation.incidents.trees import LIMITS, result, run_tree, write_tree

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the sandbox needs POSIX")

HANGS = """\
    import threading
    import time


    def spin():
        count = 0
        while True:
            count += 1


    def stubborn():
        while True:
            try:
                spin()
            except BaseException:
                pass
    """


def test_tight_loop_sleep_and_wait_end_at_the_tests_own_limit(tmp_path: Path) -> None:
    files = {
        "hangs.py": HANGS,
        "test_it.py": """\
            import threading
            import time

            from hangs import spin


            def test_spin():
                spin()


            def test_sleep():
                time.sleep(600)


            def test_wait():
                thread = threading.Thread(target=time.sleep, args=(600,), daemon=True)
                thread.start()
                thread.join()


            def test_swallows_once():
                try:
                    spin()
                except BaseException:
                    pass


            def test_after():
                pass
            """,
    }
    report = run_tree(write_tree(tmp_path, files), test_timeout_s=0.4)
    outcomes = {test.node_id.split("::")[1]: test.outcome for test in report.tests}
    late = dict.fromkeys(["test_spin", "test_sleep", "test_wait", "test_swallows_once"], Outcome.TIMEOUT)
    assert outcomes == {**late, "test_after": Outcome.PASSED}
    assert report.complete
    raised = result(report, "test_it.py::test_spin").chain[0]
    assert raised.type == "TestTimeout"
    assert (raised.frames[-1].path, raised.frames[-1].function) == ("hangs.py", "spin")
    assert int(raised.frames[-1].values["count"]) > 0
    assert result(report, "test_it.py::test_sleep").chain[0].frames[-1].line == 12


def test_test_that_swallows_every_interruption_is_a_timeout_and_ends_the_run(tmp_path: Path) -> None:
    files = {"hangs.py": HANGS, "test_it.py": "from hangs import stubborn\ndef test_it(): stubborn()\n"}
    report = run_tree(write_tree(tmp_path, files), test_timeout_s=0.3)
    test = result(report, "test_it.py::test_it")
    assert test.outcome is Outcome.TIMEOUT
    assert "spin" in [frame.function for frame in test.chain[0].frames]
    assert not report.complete


def test_test_that_blocks_all_signals_ends_at_the_runs_limit(tmp_path: Path) -> None:
    text = """\
        import signal


        def test_first():
            pass


        def test_deaf():
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            while True:
                pass
        """
    # of processor time: the first test must be reached within it, however busy the machine is
    report = run_tree(write_tree(tmp_path, {"test_it.py": text}), test_timeout_s=0.2, limits=replace(LIMITS, cpu_s=1))
    assert [test.outcome for test in report.tests] == [Outcome.PASSED, Outcome.TIMEOUT]
    assert not report.complete


@pytest.mark.parametrize(
    ("line", "said"),
    [("os._exit(0)", "leaving the interpreter"), ("ctypes.string_at(0)", "signal 11"), ("os.abort()", "signal 6")],
)
def test_crash_is_told_of_the_test_that_ran(tmp_path: Path, line: str, said: str) -> None:
    text = f"import ctypes, os\ndef test_first(): pass\ndef test_crash():\n    {line}\ndef test_never(): pass\n"
    report = run_tree(write_tree(tmp_path, {"test_it.py": text}))
    assert [(test.node_id, test.outcome) for test in report.tests] == [
        ("test_it.py::test_first", Outcome.PASSED),
        ("test_it.py::test_crash", Outcome.CRASHED),
    ]
    assert said in report.tests[1].chain[0].message
    assert not report.complete
    assert len(report.collected) == 3


def test_process_that_a_test_forks_tells_nothing(tmp_path: Path) -> None:
    text = """\
        import os


        def test_fork():
            pid = os.fork()
            if pid == 0:
                raise RuntimeError("in the child")
            os.waitpid(pid, 0)


        def test_after():
            pass
        """
    report = run_tree(write_tree(tmp_path, {"test_it.py": text}))
    assert [(test.node_id, test.outcome) for test in report.tests] == [
        ("test_it.py::test_fork", Outcome.PASSED),
        ("test_it.py::test_after", Outcome.PASSED),
    ]


def test_keyboard_interrupt_of_a_test_is_its_error(tmp_path: Path) -> None:
    text = "def test_first(): pass\ndef test_stop():\n    raise KeyboardInterrupt\n"
    report = run_tree(write_tree(tmp_path, {"test_it.py": text}))
    assert [(test.outcome, test.chain[0].type) for test in report.failures] == [(Outcome.ERROR, "KeyboardInterrupt")]
    assert not report.complete


def test_memory_error_is_a_failure_of_its_test(tmp_path: Path) -> None:
    text = "def test_big():\n    assert len(bytearray(1 << 42))\ndef test_after(): pass\n"
    report = run_tree(write_tree(tmp_path, {"test_it.py": text}))
    assert [test.chain[0].type for test in report.failures] == ["MemoryError"]
    assert "test_it.py::test_after" in report.passed
