"""Network namespaces of the calling thread, through the C library.

``os.setns`` and ``os.unshare`` come with Python 3.12 only. Both calls act on one *thread*: a
thread started later inherits the namespace, a thread that already runs keeps its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import functools
import os
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab import scratch

if TYPE_CHECKING:
    from collections.abc import Iterator

CLONE_NEWNET = 0x40000000
_MS_BIND = 4096
_MS_REC = 16384
_MS_SHARED = 1 << 20
_MNT_DETACH = 2
_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def current() -> str:
    """The path of the calling thread's network namespace, valid as long as the thread lives."""
    return "/proc/thread-self/ns/net"


def identity(path: str | os.PathLike[str] = "/proc/thread-self/ns/net") -> tuple[int, int]:
    """Two paths with the same identity are the same namespace."""
    status = Path(path).stat()
    return status.st_dev, status.st_ino


def enter(descriptor: int) -> None:
    """Move the calling thread into the network namespace behind ``descriptor``."""
    _checked(_libc.setns(descriptor, CLONE_NEWNET))


def leave_for_new() -> None:
    """Move the calling thread into a network namespace nobody else has."""
    _checked(_libc.unshare(CLONE_NEWNET))


def raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH22x", b"lo", 0)
        (flags,) = struct.unpack_from("H", fcntl.ioctl(control, _SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | _IFF_UP))


@contextlib.contextmanager
def fresh(label: str = "test") -> Iterator[str]:
    """Put the calling thread into a new, named namespace with loopback up; yields the name.

    The name makes ``ip netns exec NAME`` and ``ip link set DEV netns NAME`` work. Done without
    starting a program: in a user-mode kernel that is the difference between 2 and 50 ms.
    """
    name = scratch.name(label)
    path = scratch.NAMESPACES / name
    _prepare(path.parent)
    path.touch()
    home = os.open(current(), os.O_RDONLY | os.O_CLOEXEC)
    try:
        leave_for_new()
        try:
            raise_loopback()
            _checked(_libc.mount(current().encode(), str(path).encode(), None, _MS_BIND, None))
            try:
                yield name
            finally:
                _checked(_libc.umount2(str(path).encode(), _MNT_DETACH))
        finally:
            enter(home)
    finally:
        os.close(home)
        path.unlink()


@functools.cache
def _prepare(directory: Path) -> None:
    """Make the directory a shared mount of itself, as ``ip netns add`` does the first time.

    Left to ip, that happens on top of a mount of ours, which could then no longer be removed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    if str(directory) not in {line.split()[4] for line in mounts}:
        _mount(str(directory), str(directory), _MS_BIND | _MS_REC)
    _mount("", str(directory), _MS_SHARED | _MS_REC)


def _mount(source: str, target: str, flags: int) -> None:
    _checked(_libc.mount(source.encode(), target.encode(), None, flags, None))
