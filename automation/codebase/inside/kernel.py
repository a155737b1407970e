"""The Linux calls that Python's standard library lacks, through ctypes."""

from __future__ import annotations

import ctypes
import os

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 4096, 16384, 1 << 18

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER = 1, 4, 36
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, _INSTRUCTION_BYTES = 22, 2, 8
_LAST_CAPABILITY = 63
# these three have the same number on every architecture
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_AT_FDCWD, _AT_EMPTY_PATH, _AT_RECURSIVE = -100, 0x1000, 0x8000
_OPEN_TREE_CLONE, _MOVE_MOUNT_F_EMPTY_PATH = 1, 4
_MOUNT_ATTR_RDONLY, _MOUNT_ATTR_IDMAP = 1, 0x00100000

_libc = ctypes.CDLL(None, use_errno=True)


class _MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("attr_set", "attr_clr", "propagation", "userns_fd")]


class _Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Leave the namespaces named by flags for new ones."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str, flags: int = 0, data: str = "") -> None:
    """Mount a file system, or bind or change one, as mount(2)."""
    words = [os.fsencode(word) for word in (source, target, kind)]
    _checked(_libc.mount(*words, ctypes.c_ulong(flags), os.fsencode(data)), f"mount {kind or source} at {target}")


def bind(source: str, target: str) -> None:
    """Show a folder or file, with what is mounted below it, at a second place."""
    mount(source, target, "", MS_BIND | MS_REC)


def make_read_only(path: str, below: bool) -> None:
    """Make the mount at a path read-only, with all mounts below it when asked."""
    attributes = _MountAttributes(attr_set=_MOUNT_ATTR_RDONLY)
    _set_attributes(_AT_FDCWD, os.fsencode(path), _AT_RECURSIVE if below else 0, attributes)


def _set_attributes(folder: int, path: bytes, flags: int, attributes: _MountAttributes) -> None:
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    result = _libc.syscall(
        ctypes.c_long(_MOUNT_SETATTR), ctypes.c_int(folder), path, ctypes.c_uint(flags), ctypes.byref(attributes), size
    )
    _checked(result, f"mount_setattr {os.fsdecode(path)}")


def bind_with_owners(source: str, target: str, user_namespace: int) -> None:
    """Show a folder at a second place, read-only, with file owners changed as a user namespace maps them."""
    opened = _libc.syscall(
        ctypes.c_long(_OPEN_TREE),
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(source),
        ctypes.c_uint(_OPEN_TREE_CLONE | os.O_CLOEXEC),
    )
    tree = _checked(opened, f"open_tree {source}")
    try:
        attributes = _MountAttributes(attr_set=_MOUNT_ATTR_RDONLY | _MOUNT_ATTR_IDMAP, userns_fd=user_namespace)
        _set_attributes(tree, b"", _AT_EMPTY_PATH, attributes)
        moved = _libc.syscall(
            ctypes.c_long(_MOVE_MOUNT),
            ctypes.c_int(tree),
            b"",
            ctypes.c_int(_AT_FDCWD),
            os.fsencode(target),
            ctypes.c_uint(_MOVE_MOUNT_F_EMPTY_PATH),
        )
        _checked(moved, f"move_mount {target}")
    finally:
        os.close(tree)


def _control(option: int, value: int) -> int:
    zero = ctypes.c_ulong(0)
    return int(_libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero))


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends."""
    _checked(_control(_PR_SET_PDEATHSIG, 9), "prctl PDEATHSIG")


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    _checked(_control(_PR_SET_CHILD_SUBREAPER, 1), "prctl CHILD_SUBREAPER")


def allow_inspection(allowed: bool) -> None:
    """Say whether processes of the same user may read this one's memory and descriptors."""
    _checked(_control(_PR_SET_DUMPABLE, int(allowed)), "prctl DUMPABLE")


def forbid_new_privileges() -> None:
    """Let no program that is started from here on gain rights by its file's mode."""
    _checked(_control(_PR_SET_NO_NEW_PRIVS, 1), "prctl NO_NEW_PRIVS")


def set_call_filter(program: bytes) -> None:
    """Have the kernel judge every later call of this process and of all that it starts by a filter program."""
    instructions = ctypes.create_string_buffer(program, len(program))
    filter_ = _Filter(len(program) // _INSTRUCTION_BYTES, ctypes.cast(instructions, ctypes.c_void_p))
    zero = ctypes.c_ulong(0)
    result = _libc.prctl(
        ctypes.c_int(_PR_SET_SECCOMP), ctypes.c_ulong(_SECCOMP_MODE_FILTER), ctypes.byref(filter_), zero, zero
    )
    _checked(result, "prctl SECCOMP")


def drop_capabilities() -> None:
    """Give up every capability of this process and of all that it starts."""
    for capability in range(_LAST_CAPABILITY + 1):
        # refused for numbers that this kernel does not know and for who has none to give up
        _control(_PR_CAPBSET_DROP, capability)
    header = _CapabilityHeader(version=0x20080522)
    none = (ctypes.c_uint32 * 6)()
    _checked(_libc.capset(ctypes.byref(header), ctypes.byref(none)), "capset")
