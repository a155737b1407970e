"""Alerts reach the log, the journal and a command of the user's, and none of these can hurt the session."""

from __future__ import annotations

import json
import os
import shlex
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.klines_server import RecordingClock
from trading.errors import Action, ConnectionLost, UsageError
from trading.exchange.keys import SECRET_VARIABLES
from trading.sessions.alerts import ALERT_VARIABLE, Alert, AlertCommand, AlertDesk, Severity, alert_of, to_log
from trading.sessions.logs import SessionLog

ALERT = Alert(1_000, "feed", Severity.CRITICAL, "no candle for 3 min; look at the network", "E004", Action.FALL_BACK)


def python(program: str, *arguments: object) -> str:
    return shlex.join([sys.executable, "-c", program, *map(str, arguments)])


NOTE = (
    "import os, sys, json; "
    "open(sys.argv[1], 'a').write(json.dumps({'text': sys.stdin.read(), 'env': dict(os.environ)}) + chr(10))"
)


def test_an_alert_goes_to_every_sink_and_into_the_log(tmp_path: Path) -> None:
    journal: list[Alert] = []
    with SessionLog(tmp_path, "alpha", RecordingClock(0)) as log:
        desk = AlertDesk(to_log(log), journal.append)
        desk.raise_alert(ALERT)
        desk.raise_alert(Alert(2_000, "feed", Severity.INFO, "over: a candle came"))
        desk.raise_alert(Alert(3_000, "disk", Severity.WARNING, "900 MB are free; make room"))
    records = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert [(one["level"], one["code"], one["action"], one["kind"]) for one in records] == [
        ("error", "E004", "fall_back", "feed"),
        ("info", None, None, "feed"),
        ("warning", None, None, "disk"),
    ]
    assert [alert.kind for alert in journal] == ["feed", "feed", "disk"]
    assert desk.raised == {"feed": 1, "disk": 1}


def test_a_sink_that_fails_does_not_keep_the_others_from_it(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Alert] = []

    def broken(_: Alert) -> None:
        raise OSError("disk full")

    AlertDesk(broken, heard.append).raise_alert(ALERT)
    assert heard == [ALERT]
    assert "could not be handed on" in caplog.text


def test_an_error_becomes_an_alert_with_its_code_and_action() -> None:
    alert = alert_of(ConnectionLost("no answer for 60 s; check the connection"), "exchange", 5)
    assert alert.as_json() == {
        "time_ms": 5,
        "kind": "exchange",
        "severity": "warning",
        "sentence": "no answer for 60 s; check the connection",
        "code": "E001",
        "action": "reconnect",
    }


def test_the_command_gets_the_sentence_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*SECRET_VARIABLES, "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "hidden-value")
    monkeypatch.setenv("LC_TEST", "kept")
    monkeypatch.setenv(ALERT_VARIABLE, python(NOTE, tmp_path / "heard"))
    command = AlertCommand.from_environment()
    assert command is not None
    command(ALERT)
    command(Alert(2, "disk", Severity.WARNING, "second; with 'quotes' $(touch x) ünïcode"))
    command.close()
    first, second = [json.loads(line) for line in (tmp_path / "heard").read_text().splitlines()]
    assert first["text"] == ALERT.sentence + "\n"
    assert second["text"] == "second; with 'quotes' $(touch x) ünïcode\n"
    assert first["env"]["GRIDBOT_ALERT_KIND"] == "feed"
    assert first["env"]["GRIDBOT_ALERT_SEVERITY"] == "critical"
    assert first["env"]["GRIDBOT_ALERT_CODE"] == "E004"
    assert first["env"]["LC_TEST"] == "kept"
    assert first["env"]["PATH"] == os.environ["PATH"]
    assert "hidden-value" not in json.dumps(first)


def test_without_the_variable_there_is_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ALERT_VARIABLE, raising=False)
    assert AlertCommand.from_environment() is None
    monkeypatch.setenv(ALERT_VARIABLE, "  ")
    assert AlertCommand.from_environment() is None


@pytest.mark.parametrize("command", ["", "no-such-program-anywhere", "'unclosed", "/etc/hostname-none"])
def test_a_command_that_cannot_run_is_refused_at_once(command: str) -> None:
    with pytest.raises(UsageError, match=ALERT_VARIABLE):
        AlertCommand(command)


@pytest.mark.skipif(os.name != "posix", reason="needs process groups")
def test_a_command_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program = 'sleep 600 & echo $! > "$0"; wait'
    command = AlertCommand(shlex.join(["sh", "-c", program, str(tmp_path / "pid")]), timeout_s=2.0)
    command(ALERT)
    command.close()
    wait_until(lambda: "alert command ended" in caplog.text)
    child = int((tmp_path / "pid").read_text())
    wait_until(lambda: not alive(child))


def test_a_command_that_fails_is_logged_and_the_next_alert_still_goes_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program = (
        "import sys, pathlib; text = sys.stdin.read(); "
        "pathlib.Path(sys.argv[1]).write_text(text) if 'second' in text else sys.exit(3)"
    )
    command = AlertCommand(python(program, tmp_path / "heard"))
    command(ALERT)
    command(Alert(2, "disk", Severity.WARNING, "second"))
    command.close()
    assert (tmp_path / "heard").read_text() == "second\n"
    assert "exit=3" in caplog.text


@pytest.mark.skipif(os.name != "posix", reason="needs a named pipe")
def test_a_slow_command_never_holds_the_session_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    # each run waits until somebody opens the other end of the pipe
    command = AlertCommand(python("import sys; open(sys.argv[1]).read()", gate), timeout_s=30)
    for number in range(100):
        command(Alert(number, "flood", Severity.WARNING, "again"))
    assert "alert command is behind" in caplog.text
    opener = threading.Thread(target=feed, args=(gate, command), daemon=True)
    opener.start()
    opener.join(60)
    assert not opener.is_alive()


def feed(gate: Path, command: AlertCommand) -> None:
    closing = threading.Thread(target=command.close)
    closing.start()
    while closing.is_alive():
        try:
            os.close(os.open(gate, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            closing.join(0.005)


def wait_until(condition: Callable[[], bool]) -> None:
    waiting = threading.Event()
    while not condition():
        waiting.wait(0.01)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state.rpartition(")")[2].split()[0] != "Z"
