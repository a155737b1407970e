"""Asking a running session through its socket, from other threads and processes; and the kill file."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import ExitCode, GridBotError, Refused, RiskRefused
from trading.sessions.control import ControlRequest, ControlServer, KillFile, StopRequest, connect
from trading.sessions.control_address import Address, read_address, socket_path, write_address
from trading.sessions.control_client import SessionNotRunning, SessionSilent, ask, events, is_running

STATUS = ControlRequest(command="status")
TRANSPORTS = [False, True] if hasattr(socket, "AF_UNIX") else [True]
Scene = Callable[[ControlServer], Awaitable[None]]


class Session:
    """A session's side: notes what it is asked and answers."""

    def __init__(self) -> None:
        self.asked: list[ControlRequest] = []
        self.failure: Exception | None = None
        self.stuck: asyncio.Event | None = None

    async def __call__(self, request: ControlRequest) -> Mapping[str, object]:
        self.asked.append(request)
        if self.stuck is not None:
            await self.stuck.wait()
        if self.failure is not None:
            raise self.failure
        return {"session": "alpha", "equity": Decimal("1000.10"), "ok": "overwritten"}


def play(folder: Path, session: Session, scene: Scene, **options: object) -> None:
    """Run a scene while the session listens."""

    async def run() -> None:
        async with ControlServer(folder, session, **options) as server:  # type: ignore[arg-type]
            await scene(server)

    asyncio.run(run())


@pytest.mark.parametrize("tcp", TRANSPORTS)
def test_a_request_reaches_the_session_and_its_answer_comes_back(tmp_path: Path, tcp: bool) -> None:
    session = Session()

    async def scene(_: ControlServer) -> None:
        answer = await asyncio.to_thread(ask, tmp_path, STATUS)
        assert answer == {"session": "alpha", "equity": "1000.10"}
        await asyncio.to_thread(ask, tmp_path, ControlRequest(command="stop", flatten=True))

    play(tmp_path, session, scene, tcp=tcp)
    assert [(one.command, one.flatten, one.cancel_orders) for one in session.asked] == [
        ("status", False, False),
        ("stop", True, False),
    ]


@pytest.mark.skipif(os.name != "posix", reason="Windows has other permissions")
@pytest.mark.parametrize("tcp", TRANSPORTS)
def test_lesson_20_only_the_owner_can_reach_the_socket(tmp_path: Path, tcp: bool) -> None:
    async def scene(server: ControlServer) -> None:
        address = read_address(tmp_path)
        assert address == server.address is not None
        assert stat.S_IMODE((tmp_path / "control.json").stat().st_mode) == 0o600
        if address.path is not None:
            assert stat.S_IMODE(address.path.stat().st_mode) == 0o600
        else:
            assert address.token is not None
            assert len(address.token) >= 43
            assert address.token not in f"{address} {address!r}"

    play(tmp_path, Session(), scene, tcp=tcp)


def test_lesson_20_over_tcp_nobody_is_heard_without_the_token(tmp_path: Path) -> None:
    session = Session()

    async def scene(server: ControlServer) -> None:
        address = server.address
        assert address is not None
        for token in (None, "guess", "gu\u00e9ss", (address.token or "")[:-1]):
            write_address(tmp_path, address.model_copy(update={"token": token}))
            with pytest.raises(Refused, match="lacks the token"):
                await asyncio.to_thread(ask, tmp_path, STATUS)
        host = server._server.sockets[0].getsockname()[0]  # type: ignore[union-attr]
        assert host == "127.0.0.1"

    play(tmp_path, session, scene, tcp=True)
    assert session.asked == []


def test_what_the_session_refuses_is_told_with_its_words(tmp_path: Path) -> None:
    session = Session()
    session.failure = RiskRefused("no checkpoint while orders are in flight; ask again")

    async def scene(_: ControlServer) -> None:
        with pytest.raises(Refused, match="no checkpoint while orders are in flight"):
            await asyncio.to_thread(ask, tmp_path, ControlRequest(command="checkpoint"))

    play(tmp_path, session, scene)


def test_a_failing_answer_does_not_end_the_session(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    session = Session()
    session.failure = ZeroDivisionError("a secret thing")

    async def scene(_: ControlServer) -> None:
        with pytest.raises(Refused, match="status failed with ZeroDivisionError") as error:
            await asyncio.to_thread(ask, tmp_path, STATUS)
        assert "secret thing" not in str(error.value)
        session.failure = None
        assert (await asyncio.to_thread(ask, tmp_path, STATUS))["session"] == "alpha"

    play(tmp_path, session, scene)
    assert "control request failed" in caplog.text


async def exchange(server: ControlServer, raw: bytes, lines: int = 1) -> list[bytes]:
    assert server.address is not None
    reader, writer = await asyncio.open_unix_connection(str(server.address.path))
    writer.write(raw)
    answers = [await reader.readline() for _ in range(lines)]
    writer.close()
    return answers


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")
@pytest.mark.parametrize(
    "raw",
    [
        b"\n", b"{}\n", b"[]\n", b"null\n", b"not json\n", b'{"command":"sell everything"}\n', b"\xff\xfe\n",
        b'{"command":"stop","flatten":"perhaps"}\n', b'{"command":"status","extra":1}\n', b"x" * 100_000 + b"\n",
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_and_changes_nothing(tmp_path: Path, raw: bytes) -> None:
    session = Session()

    async def scene(server: ControlServer) -> None:
        [answer] = await exchange(server, raw)
        assert json.loads(answer)["ok"] is False
        assert (await asyncio.to_thread(ask, tmp_path, STATUS))["session"] == "alpha"

    play(tmp_path, session, scene)
    assert len(session.asked) == 1


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")
def test_several_requests_go_over_one_connection_in_order(tmp_path: Path) -> None:
    session = Session()

    async def scene(server: ControlServer) -> None:
        raw = b'{"command":"reconcile"}\n{"command":"checkpoint"}\n{"command":"status"}\n'
        answers = await exchange(server, raw, lines=3)
        assert all(json.loads(answer)["ok"] is True for answer in answers)

    play(tmp_path, session, scene)
    assert [one.command for one in session.asked] == ["reconcile", "checkpoint", "status"]


def test_a_session_that_hangs_is_told_and_the_kill_file_is_named(tmp_path: Path) -> None:
    session = Session()

    async def scene(_: ControlServer) -> None:
        session.stuck = asyncio.Event()
        with pytest.raises(SessionSilent, match="a file named STOP"):
            await asyncio.to_thread(ask, tmp_path, STATUS, 0.05)
        session.stuck.set()

    play(tmp_path, session, scene)


def test_a_session_that_never_was_or_ended_is_told(tmp_path: Path) -> None:
    with pytest.raises(SessionNotRunning, match="does not exist") as error:
        ask(tmp_path / "never", STATUS)
    assert error.value.exit_code is ExitCode.NOTHING_TO_DO

    async def scene(_: ControlServer) -> None:
        assert await asyncio.to_thread(is_running, tmp_path)

    play(tmp_path, Session(), scene)
    assert not is_running(tmp_path)
    with pytest.raises(SessionNotRunning, match="is not running"):
        ask(tmp_path, STATUS)
    assert not (tmp_path / "control.sock").exists()
    assert not (tmp_path / "control.json").exists()


CHILD = """
import asyncio, sys
from pathlib import Path
from trading.sessions.control import ControlServer
async def answer(request): return {"session": "child"}
async def run():
    async with ControlServer(Path(sys.argv[1]), answer, tcp=sys.argv[2] == "True"):
        print("listening", flush=True)
        await asyncio.Event().wait()
asyncio.run(run())
"""


@pytest.mark.parametrize("tcp", TRANSPORTS)
def test_the_socket_of_a_killed_session_is_recognised_and_replaced(tmp_path: Path, tcp: bool) -> None:
    arguments = [sys.executable, "-c", CHILD, str(tmp_path), str(tcp)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "listening\n"
        assert ask(tmp_path, STATUS) == {"session": "child"}
        with pytest.raises(Refused, match=f"runs already, as process {child.pid}"):
            play(tmp_path, Session(), nothing, tcp=tcp)
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert (tmp_path / "control.json").exists()
    assert not is_running(tmp_path)
    with pytest.raises(SessionNotRunning, match="died and left its socket behind"):
        ask(tmp_path, STATUS)

    async def scene(_: ControlServer) -> None:
        assert (await asyncio.to_thread(ask, tmp_path, STATUS))["session"] == "alpha"

    play(tmp_path, Session(), scene, tcp=tcp)


async def nothing(_: ControlServer) -> None:
    pytest.fail("two sessions listened in one folder")


def test_another_programs_port_is_not_taken_for_the_dead_session(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        write_address(tmp_path, Address(pid=1, port=stranger.getsockname()[1], token="old"))

        async def scene(_: ControlServer) -> None:
            assert (await asyncio.to_thread(ask, tmp_path, STATUS))["session"] == "alpha"

        play(tmp_path, Session(), scene, tcp=True)


def test_an_unreadable_address_is_told(tmp_path: Path) -> None:
    (tmp_path / "control.json").write_text('{"pid": "me", "token": "hidden-token"}')
    with pytest.raises(GridBotError, match="cannot be read") as error:
        ask(tmp_path, STATUS)
    assert "hidden-token" not in str(error.value)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")
def test_a_folder_too_deep_for_a_socket_gets_one_in_a_short_private_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = Path("/tmp") / f"gb-{os.getpid()}"
    runtime.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    deep = tmp_path / ("d" * 60) / ("e" * 60)

    async def scene(server: ControlServer) -> None:
        assert server.address is not None
        assert server.address.path is not None
        assert server.address.path.parent.parent == runtime
        assert server.address.path.parent.stat().st_mode & 0o077 == 0
        assert (await asyncio.to_thread(ask, deep, STATUS))["session"] == "alpha"

    try:
        play(deep, Session(), scene)
        short = runtime / f"gridbot-{os.getuid()}"
        assert list(short.iterdir()) == []
        assert socket_path(deep) != socket_path(deep.parent / ("f" * 60))
        short.chmod(0o755)
        with pytest.raises(Refused, match="not a private folder"):
            socket_path(deep)
    finally:
        (runtime / f"gridbot-{os.getuid()}").rmdir()
        runtime.rmdir()


def test_a_listener_gets_every_event_in_order_and_the_end(tmp_path: Path) -> None:
    heard: list[dict[str, object]] = []

    async def scene(server: ControlServer) -> None:
        listening = asyncio.create_task(asyncio.to_thread(lambda: heard.extend(events(tmp_path, 20))))
        await until(lambda: server.listeners == 1)
        for number in range(200):
            server.publish({"event": "tick", "number": number})
        await server.close()
        await listening

    play(tmp_path, Session(), scene)
    assert [event["number"] for event in heard] == list(range(200))


def test_a_listener_that_does_not_read_is_dropped_and_the_session_goes_on(tmp_path: Path) -> None:
    async def scene(server: ControlServer) -> None:
        assert server.address is not None
        with connect(server.address, 5.0) as deaf:
            token = f',"token":"{server.address.token}"' if server.address.token else ""
            deaf.sendall(f'{{"command":"events"{token}}}\n'.encode())
            await until(lambda: server.listeners == 1)
            published = 0
            while server.listeners:
                server.publish({"event": "tick", "text": "x" * 10_000})
                published += 1
                await asyncio.sleep(0)
                assert published < 10_000
            assert published > 5
        assert (await asyncio.to_thread(ask, tmp_path, STATUS))["session"] == "alpha"

    play(tmp_path, Session(), scene, queued_events=5)


def test_a_listener_that_leaves_is_forgotten(tmp_path: Path) -> None:
    async def scene(server: ControlServer) -> None:
        def one() -> dict[str, object]:
            stream = events(tmp_path, 20)
            event = next(stream)
            stream.close()
            return event

        listening = asyncio.create_task(asyncio.to_thread(one))
        await until(lambda: server.listeners == 1)
        server.publish({"event": "tick"})
        assert await listening == {"event": "tick"}
        await until(lambda: server.listeners == 0)
        server.publish({"event": "unheard"})

    play(tmp_path, Session(), scene)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")
def test_too_many_connections_are_sent_away_and_the_rest_served(tmp_path: Path) -> None:
    session = Session()

    async def scene(server: ControlServer) -> None:
        assert server.address is not None
        open_ones = [await asyncio.open_unix_connection(str(server.address.path)) for _ in range(33)]
        refused = await open_ones[-1][0].readline()
        assert "too many" in json.loads(refused)["error"]
        open_ones[0][1].write(b'{"command":"status"}\n')
        assert json.loads(await open_ones[0][0].readline())["ok"] is True
        for _, writer in open_ones:
            writer.close()

    play(tmp_path, session, scene)


def test_lesson_22_many_ask_while_the_session_works_and_none_holds_it_up(tmp_path: Path) -> None:
    session = Session()

    async def scene(server: ControlServer) -> None:
        asking = [asyncio.create_task(asyncio.to_thread(ask, tmp_path, STATUS, 20)) for _ in range(20)]
        worked = 0
        while not all(task.done() for task in asking):
            server.publish({"event": "candle", "number": worked})
            worked += 1
            await asyncio.sleep(0)
        assert [(await task)["session"] for task in asking] == ["alpha"] * 20
        assert worked > 20

    play(tmp_path, session, scene)
    assert len(session.asked) == 20


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("text", "cancel_orders", "flatten"),
    [
        ("", False, False),
        ("now!\n", False, False),
        ("cancel", True, False),
        ("Cancel-Orders\n", True, False),
        ("flatten", True, True),
        ("--flatten\n", True, True),
        ("cancel, flatten", True, True),
    ],
)
def test_a_kill_file_asks_for_a_stop_with_what_it_says(
    tmp_path: Path, text: str, cancel_orders: bool, flatten: bool
) -> None:
    folder = tmp_path / "sessions" / "alpha"
    folder.mkdir(parents=True)
    kill = KillFile(folder, tmp_path)
    assert kill.wanted() is None
    (folder / "STOP").write_text(text)
    assert kill.wanted() == StopRequest(cancel_orders, flatten, f"kill file {folder / 'STOP'}")
    (folder / "STOP").unlink()
    assert kill.wanted() is None


def test_a_kill_file_in_the_home_stops_every_session(tmp_path: Path) -> None:
    (tmp_path / "STOP").write_text("cancel")
    for name in ("alpha", "beta"):
        wanted = KillFile(tmp_path / "sessions" / name, tmp_path).wanted()
        assert wanted == StopRequest(True, False, f"kill file {tmp_path / 'STOP'}")


def test_two_kill_files_ask_for_the_stronger_stop(tmp_path: Path) -> None:
    folder = tmp_path / "alpha"
    folder.mkdir()
    (tmp_path / "STOP").write_text("flatten")
    (folder / "STOP").touch()
    wanted = KillFile(folder, tmp_path).wanted()
    assert wanted is not None
    assert wanted.flatten
    assert wanted.cancel_orders


def test_anything_of_that_name_stops_even_when_it_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "STOP").mkdir()
    assert KillFile(tmp_path / "alpha", tmp_path).wanted() is not None


@given(st.binary(max_size=2000))
def test_a_kill_file_of_any_bytes_is_a_stop(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    home = tmp_path_factory.mktemp("home")
    (home / "STOP").write_bytes(content)
    assert KillFile(home / "alpha", home).wanted() is not None


@pytest.mark.parametrize(("cancel_orders", "flatten"), [(False, False), (True, False), (False, True), (True, True)])
def test_a_written_kill_file_says_what_was_wanted(tmp_path: Path, cancel_orders: bool, flatten: bool) -> None:
    kill = KillFile(tmp_path, tmp_path / "home")
    kill.write(cancel_orders=cancel_orders, flatten=flatten)
    wanted = kill.wanted()
    assert wanted is not None
    assert (wanted.cancel_orders, wanted.flatten) == (cancel_orders or flatten, flatten)
