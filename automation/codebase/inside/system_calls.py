"""Refuse the calls of the kernel that no test suite needs and most attacks on the kernel begin with."""

from __future__ import annotations

import contextlib
import errno
import platform
import struct
import sys
from collections.abc import Sequence

from . import kernel  # noqa: TID252 - this folder is loaded under another name inside

# Instructions of the kernel's packet filter: load a word, jump if equal, if any bit is set, if at least; return.
_LOAD, _EQUAL, _ANY_BIT, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_NUMBER_AT, _MACHINE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_CLONE3 = 435
# io_uring, and the calls that mount by descriptor: numbered alike everywhere
_COMMON = (425, 426, 427, 428, 429, 430, 431, 432, 433, 442)
# Calls of other widths, which would go around a filter by number, start here on x86-64.
_OTHER_WIDTH = 0x40000000


class _Machine:
    """Numbers of one processor family.

    ``refused``: mount, umount2, pivot_root, keyctl, add_key, request_key, bpf, perf_event_open, userfaultfd,
    open_by_handle_at, kexec_load, init_module, finit_module, delete_module, setns.
    """

    def __init__(self, name: int, clone: int, unshare: int, refused: Sequence[int]) -> None:
        self.name, self.clone, self.unshare = name, clone, unshare
        self.refused = (*refused, *_COMMON)


_MACHINES = {
    "x86_64": _Machine(
        0xC000003E, 56, 272, (165, 166, 155, 250, 248, 249, 321, 298, 323, 304, 246, 175, 313, 176, 308)
    ),
    "aarch64": _Machine(0xC00000B7, 220, 97, (40, 39, 41, 219, 217, 218, 280, 241, 282, 265, 104, 105, 273, 106, 268)),
}


def refuse_dangerous_calls() -> None:
    """Refuse these calls from here on, where the processor is known; new privileges must be forbidden already."""
    machine = _MACHINES.get(platform.machine())
    if machine is not None and sys.maxsize > 1 << 32:
        # a kernel built without filters has none to set
        with contextlib.suppress(OSError):
            kernel.set_call_filter(_program(machine))


def _program(machine: _Machine) -> bytes:
    allow, refuse = [_step(_RETURN, _ALLOW)], [_step(_RETURN, _REFUSE | errno.EPERM)]
    steps = [
        _step(_LOAD, _MACHINE_AT),
        _step(_EQUAL, machine.name, 1, 0),
        *refuse,
        _step(_LOAD, _NUMBER_AT),
        _step(_AT_LEAST, _OTHER_WIDTH, 0, 1),
        *refuse,
        # its flags lie where a filter cannot look; the C library goes back to the older call
        _step(_EQUAL, _CLONE3, 0, 1),
        _step(_RETURN, _REFUSE | errno.ENOSYS),
    ]
    for number in machine.refused:
        steps += [_step(_EQUAL, number, 0, 1), *refuse]
    for number in (machine.clone, machine.unshare):
        steps += [
            _step(_EQUAL, number, 0, 4),
            _step(_LOAD, _FIRST_ARGUMENT_AT),
            _step(_ANY_BIT, kernel.CLONE_NEWUSER, 0, 1),
            *refuse,
            *allow,
        ]
    return b"".join([*steps, *allow])


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
