"""Code that means harm meets every limit of both sandboxes; each test fails when its limit is taken away."""

from __future__ import annotations

import os
import signal
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from automation.codebase.sandbox import ForkServer
from tests.automation.codebase.confined import ENTRY, PYTHON, Confined, confined, processes_with, sandbox_mode

MODES = ("namespaces", "limits")


@pytest.fixture(scope="module", params=MODES)
def box(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Confined]:
    with confined(tmp_path_factory.mktemp("hostile"), request.param) as made:
        yield made


@pytest.fixture(scope="module")
def namespaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Confined]:
    with confined(tmp_path_factory.mktemp("kernel"), "namespaces") as made:
        yield made


def healthy(box: Confined) -> bool:
    """Whether the next job finds the tree and the sandbox as the first one did."""
    outcome = box.run("import package; emit({'value': package.VALUE, 'data': open('link.txt').read()})")
    return outcome.end == "done" and outcome.records == ({"value": 1, "data": "original\n"},)


# Endless use


def test_a_loop_meets_the_limit_on_processor_time(box: Confined) -> None:
    outcome = box.run("emit({'began': True})\nwhile True: pass", cpu_s=1)
    assert (outcome.end, outcome.signal, outcome.records) == ("timeout", signal.SIGXCPU, ({"began": True},))
    assert healthy(box)


def test_a_loop_that_ignores_the_first_warning_is_killed(box: Confined) -> None:
    outcome = box.run("import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass", cpu_s=1)
    assert (outcome.end, outcome.signal) == ("timeout", signal.SIGKILL)


def test_a_job_that_sleeps_forever_meets_the_limit_on_time(box: Confined) -> None:
    assert box.run("import time; time.sleep(1e6)", wall_s=0.5).end == "timeout"
    assert healthy(box)


def test_a_greedy_process_meets_the_limit_on_memory(box: Confined) -> None:
    outcome = box.run("hoard = bytearray(1 << 30)", memory_bytes=512 << 20)
    assert outcome.end == "memory"
    assert "MemoryError" in outcome.stderr


def test_many_processes_together_meet_the_limit_on_memory(box: Confined) -> None:
    code = """
        import os, time
        for _ in range(8):
            if os.fork() == 0:
                hoard = bytearray(b'x' * (60 << 20))
                time.sleep(1e6)
        time.sleep(1e6)
    """
    assert box.run(code, memory_bytes=256 << 20).end == "memory"
    assert healthy(box)


def test_a_file_cannot_grow_beyond_its_limit(box: Confined) -> None:
    code = """
        import errno
        try:
            with open('big', 'wb') as file:
                file.write(bytes(9 << 20))
        except OSError as error:
            emit({'error': errno.errorcode[error.errno]})
    """
    assert box.run(code).records == ({"error": "EFBIG"},)
    assert healthy(box)


def test_many_files_together_cannot_fill_the_disk(namespaces: Confined) -> None:
    code = """
        import errno
        try:
            for number in range(100):
                with open(f'part{number}', 'wb') as file:
                    file.write(bytes(1 << 20))
        except OSError as error:
            emit({'error': errno.errorcode[error.errno], 'parts': number})
    """
    [record] = namespaces.run(code).records
    assert record["error"] == "ENOSPC"
    assert record["parts"] <= 16
    assert healthy(namespaces)


def test_a_fork_bomb_is_bounded_and_nothing_of_it_is_left(box: Confined) -> None:
    word = uuid.uuid4().hex
    code = f"""
        import os, sys, time
        count = 0
        try:
            while count < 3_000:
                count += 1
                if os.fork() == 0:
                    os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(1e6)', '{word}'])
            emit({{'unbounded': count}})
        except BlockingIOError:
            emit({{'refused': count}})
    """
    outcome = box.run(code)
    assert outcome.end == "crash" or "refused" in outcome.records[0], outcome
    assert processes_with(word) == []
    assert healthy(box)


def test_a_fork_bomb_of_every_child_is_bounded(namespaces: Confined) -> None:
    outcome = namespaces.run("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", wall_s=3)
    assert outcome.end == "timeout"
    assert healthy(namespaces)


def test_one_gigabyte_of_output_is_cut_off(box: Confined) -> None:
    outcome = box.run("import os\nfor _ in range(1024): os.write(1, b'x' * (1 << 20))")
    assert outcome.end == "output"
    assert 0 < len(outcome.stdout) <= 64 << 10
    assert healthy(box)


def test_one_gigabyte_of_errors_is_cut_off(box: Confined) -> None:
    assert box.run("import sys\nwhile True: sys.stderr.write('x' * 10_000)").end == "output"


def test_a_flood_of_records_is_cut_off(box: Confined) -> None:
    assert box.run("while True: emit({'text': 'x' * (1 << 20)})").end == "output"
    assert healthy(box)


# The world outside


def test_no_other_machine_can_be_reached(box: Confined) -> None:
    code = """
        import socket
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            try:
                with socket.socket(socket.AF_INET, kind) as reach:
                    reach.connect(('192.0.2.1', 9))
                emit({'reached': True})
            except OSError as error:
                emit({'error': type(error).__name__})
        try:
            socket.getaddrinfo('example.org', 80)
        except OSError:
            emit({'error': 'name'})
    """
    records = box.run(code).records
    assert len(records) == 3
    assert not any("reached" in record for record in records)


def test_a_listener_of_this_machine_cannot_be_reached(namespaces: Confined) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        code = f"import socket; socket.create_connection(('127.0.0.1', {port}), timeout=5); emit({{'reached': True}})"
        outcome = namespaces.run(code)
    assert outcome.records == ()
    assert "ConnectionRefusedError" in outcome.stderr


def test_loopback_inside_works(box: Confined) -> None:
    code = """
        import socket
        with socket.create_server(('127.0.0.1', 0)) as server:
            with socket.create_connection(server.getsockname()) as one, server.accept()[0] as other:
                one.sendall(b'hello')
                emit({'got': other.recv(5).decode()})
    """
    assert box.run(code).records == ({"got": "hello"},)


def test_variables_of_the_caller_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, box: Confined) -> None:
    monkeypatch.setenv("EXCHANGE_SECRET", "hunter2")
    with confined(tmp_path, box.mode) as fresh:
        outcome = fresh.run("import os; emit(dict(os.environ))\nimport subprocess; subprocess.run(['env'])")
    assert "EXCHANGE_SECRET" not in outcome.records[0]
    assert "PATH=" in outcome.stdout
    assert "hunter2" not in outcome.stdout
    assert outcome.records[0]["HOME"] != os.environ.get("HOME")


def test_the_caller_s_home_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, tree = tmp_path / "someone", tmp_path / "tree"
    for folder in (home, tree):
        folder.mkdir()
        (folder / "keys").write_text("secret")
    monkeypatch.setenv("HOME", str(home))
    code = f"import os; emit({{'home': os.listdir({str(home)!r}), 'around': sorted(os.listdir({str(tmp_path)!r}))}})"
    # the folder around it is shown on purpose
    with sandbox_mode("namespaces"), ForkServer(tree, ENTRY, PYTHON, workers=1, show=[tmp_path]) as server:
        assert server.submit({"code": code}).result(60).records == ({"home": [], "around": _names(tmp_path)},)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_nothing_outside_can_be_written(namespaces: Confined) -> None:
    code = """
        import os
        library = os.path.dirname(os.__file__)
        for folder in ('/', '/etc', '/usr', '/var', '/run', '/home', '/dev', '/proc/sys/kernel', library):
            try:
                with open(os.path.join(folder, 'left-behind'), 'w'): pass
                emit({'wrote': folder})
            except OSError:
                pass
        emit({'writable': [name for name in ('/tmp', '/var/tmp', '/dev/shm', '.') if os.access(name, os.W_OK)]})
    """
    assert namespaces.run(code).records == ({"writable": ["/tmp", "/var/tmp", "/dev/shm", "."]},)


def test_other_processes_cannot_be_seen(namespaces: Confined) -> None:
    code = """
        import os
        emit({'pids': sorted(int(name) for name in os.listdir('/proc') if name.isdigit()), 'own': os.getpid()})
        for name in ('environ', 'mem', 'maps'):
            try:
                open(f'/proc/1/{name}', 'rb').read(1)
                emit({'read': name})
            except OSError:
                pass
        os.listdir('/proc/self/fd')
    """
    outcome = namespaces.run(code)
    assert (outcome.end, len(outcome.records)) == ("done", 1)
    assert outcome.records[0]["pids"] == [1, outcome.records[0]["own"]]


def test_the_sandbox_itself_cannot_be_killed(namespaces: Confined) -> None:
    code = """
        import os, signal
        # never on the machine itself
        assert b'inside/start.py' in open('/proc/1/cmdline', 'rb').read()
        for pid in (-1, 1):
            for number in (signal.SIGTERM, signal.SIGKILL):
                try: os.kill(pid, number)
                except OSError: pass
        emit({'survived': True})
    """
    assert namespaces.run(code).records == ({"survived": True},)
    assert healthy(namespaces)


def test_rights_cannot_be_won_back(namespaces: Confined) -> None:
    code = """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        tries = {
            'mount': lambda: libc.mount(b'tmpfs', b'/tmp', b'tmpfs', 0, None),
            'umount': lambda: libc.umount2(b'/home', 2),
            'unshare': lambda: libc.unshare(0x20000),
            'root': lambda: libc.setuid(0) if os.getuid() else -1,
        }
        emit({name: attempt() for name, attempt in tries.items()})
        status = open('/proc/self/status').read().split('\\n')
        emit({'held': [line for line in status if line.startswith(('CapEff', 'CapPrm', 'NoNewPrivs'))]})
    """
    first, second = namespaces.run(code).records
    assert set(first.values()) == {-1}
    assert second == {"held": ["CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"]}


@pytest.mark.skipif(os.uname().machine not in ("x86_64", "aarch64"), reason="no filter for this processor")
def test_calls_that_attacks_begin_with_are_refused_and_threads_still_work(box: Confined) -> None:
    code = """
        import ctypes, errno, os, subprocess, threading
        libc = ctypes.CDLL(None, use_errno=True)
        new_user, number = 0x10000000, {'x86_64': (56, 321, 298), 'aarch64': (220, 280, 241)}[os.uname().machine]
        tries = {
            'unshare': (libc.unshare, new_user),
            'clone': (libc.syscall, number[0], ctypes.c_ulong(new_user | 17), 0, 0, 0, 0),
            'bpf': (libc.syscall, number[1], 0, 0, 0),
            'perf': (libc.syscall, number[2], 0, 0, -1, -1, 0),
            'io_uring': (libc.syscall, 425, 1, 0),
            'clone3': (libc.syscall, 435, 0, 0),
        }
        for name, (call, *arguments) in tries.items():
            assert call(*arguments) == -1, name
            emit({name: errno.errorcode[ctypes.get_errno()]})
        thread = threading.Thread(target=lambda: emit({'thread': subprocess.run(['true']).returncode}))
        thread.start(); thread.join()
    """
    outcome = box.run(code)
    refused = [{name: "EPERM"} for name in ("unshare", "clone", "bpf", "perf", "io_uring")]
    assert outcome.records == (*refused, {"clone3": "ENOSYS"}, {"thread": 0}), outcome


def test_only_four_descriptors_are_open(box: Confined) -> None:
    code = "import os; emit({'open': [fd for fd in range(1024) if os.path.exists(f'/proc/self/fd/{fd}')]})"
    [record] = box.run(code).records
    assert record["open"] == [0, 1, 2, 200]


# The tree


def test_deleting_the_tree_hurts_this_job_only(box: Confined) -> None:
    code = "import os; os.system('rm -rf ./*'); emit({'left': os.listdir('.')})"
    assert box.run(code).records == ({"left": []},)
    assert (box.tree / "package" / "__init__.py").read_text() == "VALUE = 1\n"
    assert healthy(box)


def test_a_change_that_hides_its_traces_is_undone(box: Confined) -> None:
    code = """
        import os
        before = os.stat('data.txt')
        with open('data.txt', 'r+') as file: file.write('modified')
        os.utime('data.txt', ns=(before.st_atime_ns, before.st_mtime_ns))
        os.remove('link.txt'); os.mkdir('link.txt'); os.mkdir('new'); open('new/file', 'w').close()
        os.chmod('package', 0); emit({'text': open('data.txt').read()})
    """
    outcome = box.run(code)
    assert outcome.records == ({"text": "modified\n"},), outcome
    assert healthy(box)
    assert sorted(path.name for path in box.tree.iterdir()) == ["data.txt", "link.txt", "package"]
    assert box.run("import os; emit({'names': sorted(os.listdir('.'))})").records == (
        {"names": ["data.txt", "link.txt", "package"]},
    )


def test_lesson_30_a_process_that_outlives_its_job_is_dead(box: Confined) -> None:
    word = uuid.uuid4().hex
    code = f"""
        import os, subprocess, sys, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                code = "import time\\nwhile True: open('data.txt', 'a').write('late'); time.sleep(0.001)"
                os.execv(sys.executable, [sys.executable, '-c', code, '{word}'])
            os._exit(0)
        while not os.path.getsize('data.txt') > 20: time.sleep(0.001)
        emit({{'wrote': True}})
    """
    outcome = box.run(code)
    assert outcome.records == ({"wrote": True},)
    assert processes_with(word) == []
    assert healthy(box)


def test_what_a_job_leaves_in_shared_folders_is_gone(namespaces: Confined) -> None:
    left = "for name in ('/tmp/x', '/var/tmp/x', '/dev/shm/x'):"
    assert namespaces.run(f"{left} open(name, 'w').close()").end == "done"
    assert namespaces.run(f"import os\n{left} emit({{'left': os.path.exists(name)}})").records == ({"left": False},) * 3


def test_a_linked_folder_does_not_lead_a_change_out_of_the_tree(box: Confined, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "file").write_text("kept")
    outcome = box.run(f"import os; os.symlink({str(victim)!r}, 'out'); os.rename('out', 'package2')")
    assert outcome.end == "done"
    assert healthy(box)
    assert (victim / "file").read_text() == "kept"
