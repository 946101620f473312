"""The daemon's side of the admin socket."""

from __future__ import annotations

import errno
import logging
import os
import socket
import stat
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import trio

from clusterf.control.protocol import (
    JSON,
    LONGEST_REQUEST,
    BadMessage,
    NotPermitted,
    decode,
    encode,
)
from clusterf.model.errors import ClusterfError

log = logging.getLogger("clusterf.control")

Handler = Callable[[JSON], Awaitable[JSON]]

_IDLE = 60.0
"""Seconds after which a silent client is let go."""


class AlreadyRunning(ClusterfError):
    """Another daemon owns the socket; two of them would undo each other's work."""

    exit_code = 75  # EX_TEMPFAIL


class NoSocket(ClusterfError):
    """No socket can be made where the configuration wants it."""

    exit_code = 78


async def listen(path: Path) -> trio.SocketListener:
    """Open the socket, for the owner only. A stale one is replaced, a living one is not.

    Raises:
        AlreadyRunning: somebody answers at the path.
        NotPermitted: its folder is another user's.
        NoSocket: it cannot be made there for another reason, such as a file at the path.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if await _answers(path):
            raise AlreadyRunning(f"another clusterf is running at {path}")
        _make_room(path)
        return await _bound(path)
    except OSError as error:
        kind = NotPermitted if isinstance(error, PermissionError) else NoSocket
        raise kind(
            f"control socket {path}: {error.strerror or error}", hint="see control in [clusterf]"
        ) from error


async def _bound(path: Path) -> trio.SocketListener:
    listener = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Bound in a draft of mode 0600 and renamed: at no moment can others connect. The draft's name
    # is short, since the name of a socket is limited, unix(7).
    draft = path.with_name(f".{os.getpid()}")
    with suppress(FileNotFoundError):
        draft.unlink()
    previous = os.umask(0o177)
    try:
        await listener.bind(str(draft))
        listener.listen(16)
        draft.rename(path)
    except BaseException:
        listener.close()
        draft.unlink(missing_ok=True)
        raise
    finally:
        os.umask(previous)
    return trio.SocketListener(listener)


async def _answers(path: Path) -> bool:
    with trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            await probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


async def serve(listener: trio.SocketListener, path: Path, handle: Handler) -> None:
    """Answer requests until cancelled; then remove the socket."""

    async def client(stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError):
            await _converse(stream, handle)

    try:
        await trio.serve_listeners(client, [listener])
    finally:
        _remove_stale(path)


def _make_room(path: Path) -> None:
    """Remove what a dead daemon left. What is no socket is somebody's file, and stays."""
    _remove_stale(path)
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, "there is a file that is no socket")


def _remove_stale(path: Path) -> None:
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        path.unlink()


async def _converse(stream: trio.SocketStream, handle: Handler) -> None:
    buffer = bytearray()
    while True:
        while (end := buffer.find(b"\n")) < 0:
            with trio.move_on_after(_IDLE) as waiting:
                chunk = await stream.receive_some(16384)
            if waiting.cancelled_caught or not chunk:
                return
            buffer += chunk
            if len(buffer) > LONGEST_REQUEST:
                await stream.send_all(encode({"error": "the request is too long"}))
                return
        line, buffer = bytes(buffer[:end]), buffer[end + 1 :]
        await stream.send_all(encode(await _answer(line, handle)))


async def _answer(line: bytes, handle: Handler) -> JSON:
    try:
        return await handle(decode(line))
    except BadMessage as error:
        return {"error": str(error)}
    except ClusterfError as error:
        reply: JSON = {"error": str(error.args[0]), "hint": error.hint}
        if error.exit_code != ClusterfError.exit_code:
            reply["exit_code"] = error.exit_code
        return reply
    except Exception as error:
        # One bad request must not end the daemon; it is a bug and is logged as one.
        log.exception("request failed bug=true")
        return {
            "error": f"a bug in clusterf: {type(error).__name__}: {error}",
            "exit_code": ClusterfError.exit_code,
        }
