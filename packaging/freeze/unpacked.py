"""The folder that the one file unpacks itself to, and the process that has unpacked it.

The one file is two processes: the bootloader unpacks, waits and removes the folder; its child is
clusterf. Signals reach both, but for SIGKILL. When that ends the bootloader, the kernel sends the
child SIGTERM (bootloader/room.c), which ends in good order and removes the folder itself. When it
ends both, as a container's end or a full memory does, the folder stays until the next start: a
lock tells that nobody lives in it any more.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

PREFIX = "_MEI"
"""How PyInstaller's bootloader begins the folder's name."""

LOCK = "clusterf.lock"
"""Made by us in the folder: who holds a lock on it lives there. It names the bootloader."""


@contextlib.contextmanager
def held(folder: Path, unpacker: int) -> Iterator[None]:
    """Live in the folder, and leave nothing behind, also when the bootloader cannot see to it."""
    lock = _lock(folder, unpacker)
    # systemd-tmpfiles removes what is ten days old, but nothing below what has a lock of any kind,
    # tmpfiles.d(5): what was not needed until then may be needed later.
    aging = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    fcntl.flock(aging, fcntl.LOCK_SH)
    for one in abandoned(folder.parent):
        shutil.rmtree(one, ignore_errors=True)
    try:
        yield
    finally:
        if os.getppid() != unpacker:
            shutil.rmtree(folder, ignore_errors=True)
        os.close(aging)
        os.close(lock)


def abandoned(parent: Path) -> Iterator[Path]:
    """Folders of this user in which nobody lives any more, and which nobody is about to remove.

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
            if stat.S_IMODE(status.st_mode) == stat.S_IRWXU and _is_left(folder / LOCK):
                yield folder
        except OSError:
            continue  # it was removed meanwhile, or there is no lock yet


def _is_left(path: Path) -> bool:
    lock = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.kill(int(os.read(lock, 20)), 0)
    except BlockingIOError:
        return False
    except ProcessLookupError:
        return True
    else:
        return False  # the bootloader will see to it
    finally:
        os.close(lock)


def _lock(folder: Path, unpacker: int) -> int:
    """Take the lock before others can see it."""
    being_made = folder / f"{LOCK}.new"
    lock = os.open(being_made, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.write(lock, str(unpacker).encode())
    being_made.rename(folder / LOCK)
    return lock
