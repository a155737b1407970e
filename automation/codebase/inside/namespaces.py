"""Namespaces of processes, network, mounts and users."""

from __future__ import annotations

import fcntl
import os
import socket
import struct

from . import kernel  # noqa: TID252 - this folder is loaded under another name inside

_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_LAST_ID = 0xFFFFFFFF


def enter(with_user: bool) -> None:
    """Move this process into namespaces of its own; the next child becomes their first process.

    Parameters
    ----------
    with_user : bool
        Whether to make a user namespace first, as a process without root's rights must.
    """
    uid, gid = os.geteuid(), os.getegid()
    flags = kernel.CLONE_NEWPID | kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
    kernel.unshare(flags | (kernel.CLONE_NEWUSER if with_user else 0))
    if with_user:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")


def bring_loopback_up() -> None:
    """Let 127.0.0.1 work in a new network namespace, which has nothing else."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        fcntl.ioctl(probe, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))


def owner_swap(owner: tuple[int, int], job: tuple[int, int]) -> int:
    """Return a descriptor of a user namespace that swaps one user and group with another.

    Parameters
    ----------
    owner, job : tuple of (int, int)
        User and group id on disk, and as which they shall appear.
    """
    ready, release = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            kernel.unshare(kernel.CLONE_NEWUSER)
            os.write(ready[1], b"1")
            os.close(release[1])
            os.read(release[0], 1)
        finally:
            os._exit(0)
    try:
        os.close(ready[1])
        if os.read(ready[0], 1) != b"1":
            raise OSError("no user namespace could be made for the tree's owners")
        _write(f"/proc/{pid}/uid_map", _swap(owner[0], job[0]))
        _write(f"/proc/{pid}/gid_map", _swap(owner[1], job[1]))
        return os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        for descriptor in (ready[0], *release):
            os.close(descriptor)
        os.waitpid(pid, 0)


def _swap(one: int, other: int) -> str:
    """Return a map of all ids to themselves, but for two that change places."""
    low, high = sorted((one, other))
    if low == high:
        return f"0 0 {_LAST_ID}"
    spans = [(0, 0, low), (low, high, 1), (low + 1, low + 1, high - low - 1), (high, low, 1)]
    spans.append((high + 1, high + 1, _LAST_ID - high - 1))
    return "\n".join(f"{inside} {outside} {count}" for inside, outside, count in spans if count > 0)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
