"""The admin socket's place in the file system: one daemon has it at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from clusterf.control.protocol import NotPermitted
from clusterf.model.errors import ClusterfError


class AlreadyRunning(ClusterfError):
    """Another daemon owns the socket; two of them would undo each other's work."""

    exit_code = 75  # EX_TEMPFAIL


class NoSocket(ClusterfError):
    """No socket can be made where the configuration wants it."""

    exit_code = 78


def take(path: Path) -> socket.socket:
    """Make the socket, for the owner only, listening. A stale one is replaced, a living one not.

    Raises:
        AlreadyRunning: somebody answers at the path.
        NotPermitted: its folder is another user's.
        NoSocket: it cannot be made there for another reason, such as a file at the path.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone_in(path.parent):
            if _answers(path):
                raise AlreadyRunning(
                    f"another clusterf is running at {path}",
                    hint="stop it first: what is in the kernel stays; clusterf status shows it",
                )
            _remove(path)
            if os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, "there is a file that is no socket")
            return _bound(path)
    except OSError as error:
        kind = NotPermitted if isinstance(error, PermissionError) else NoSocket
        raise kind(
            f"control socket {path}: {error.strerror or error}", hint="see control in [clusterf]"
        ) from error


def give_back(path: Path) -> None:
    """Remove the socket after its daemon has closed it; one at which a successor answers stays."""
    with suppress(FileNotFoundError), _alone_in(path.parent):
        if not _answers(path):
            _remove(path)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep others out who would take or give back a place in the folder at this very moment."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except BlockingIOError:
            return True  # somebody who has many clients
    return True


def _remove(path: Path) -> None:
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        path.unlink()


def _bound(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Bound in a draft of mode 0600 and renamed: at no moment can others connect. The draft's name
    # is short, since the name of a socket is limited, unix(7).
    draft = path.with_name(f".{os.getpid()}")
    draft.unlink(missing_ok=True)
    previous = os.umask(0o177)
    try:
        listener.bind(str(draft))
        listener.listen(16)
        draft.rename(path)
    except BaseException:
        listener.close()
        draft.unlink(missing_ok=True)
        raise
    finally:
        os.umask(previous)
    return listener
