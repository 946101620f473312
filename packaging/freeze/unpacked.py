"""The folder that the one file unpacks itself to, and the process that has unpacked it.

The one file is two processes: the bootloader unpacks, waits and removes the folder; its child is
clusterf. Signals reach both, but for SIGKILL. When that ends the bootloader, the kernel tells the
child, which ends in good order and removes the folder itself. When it ends both, as a container's
end or a full memory does, the folder stays until the next start: a lock tells that nobody lives in
it any more.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

PREFIX = "_MEI"
"""How PyInstaller's bootloader begins the folder's name; its process follows in 8 hex digits."""

LOCK = "clusterf.lock"
"""Made by us in the folder: whoever holds a lock on it lives there."""

_PR_SET_PDEATHSIG = 1
"""linux/prctl.h"""


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Live in the folder: end with the bootloader, and leave nothing behind."""
    parent = _unpacker(folder)
    end_with(parent)
    lock = _lock(folder)
    for one in abandoned(folder.parent):
        shutil.rmtree(one, ignore_errors=True)
    try:
        yield
    finally:
        if os.getppid() != parent:
            shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def end_with(parent: int) -> None:
    """Have the kernel send SIGTERM when this process's parent ends; end if it has already."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def abandoned(parent: Path) -> Iterator[Path]:
    """Folders of this user in which nobody lives any more.

    One without a lock is left alone: it may just be in the making. So is one that others than
    its owner can enter: in a folder like /tmp it can be anybody's trap.
    """
    with os.scandir(parent) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(PREFIX)]
    for name in sorted(names):
        folder = parent / name
        try:
            status = folder.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
                continue
            if stat.S_IMODE(status.st_mode) != stat.S_IRWXU:
                continue
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue  # removed meanwhile by who lives there, or not locked yet
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            yield folder
        finally:
            os.close(lock)


def _unpacker(folder: Path) -> int:
    """The process that has made the folder."""
    digits = folder.name.removeprefix(PREFIX)[:8]
    return int(digits, 16)


def _lock(folder: Path) -> int:
    """Take the lock before others can see it."""
    being_made = folder / f"{LOCK}.new"
    lock = os.open(being_made, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    being_made.rename(folder / LOCK)
    return lock
