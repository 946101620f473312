"""The daemon's side of the admin socket."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import trio

from clusterf.control import place
from clusterf.control.protocol import JSON, LONGEST_REQUEST, BadMessage, decode, encode
from clusterf.model.errors import ClusterfError

log = logging.getLogger("clusterf.control")

Handler = Callable[[JSON], Awaitable[JSON]]

_IDLE = 60.0
"""Seconds after which a client is let go that neither asks nor takes its answer."""


async def listen(path: Path) -> trio.SocketListener:
    """Open the socket.

    Raises:
        AlreadyRunning: see `clusterf.control.place.take`, also for the others.
    """
    listener = trio.socket.from_stdlib_socket(place.take(path))
    await trio.lowlevel.checkpoint()
    return trio.SocketListener(listener)


async def serve(listener: trio.SocketListener, path: Path, handle: Handler) -> None:
    """Answer requests until cancelled; then remove the socket."""

    async def client(stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError):
            await _converse(stream, handle)

    try:
        await trio.serve_listeners(client, [listener])
    finally:
        place.give_back(path)


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
                await _send(stream, {"error": "the request is too long"})
                return
        line, buffer = bytes(buffer[:end]), buffer[end + 1 :]
        if not await _send(stream, await _answer(line, handle)):
            return


async def _send(stream: trio.SocketStream, reply: JSON) -> bool:
    """Send a reply; False when the client does not take it."""
    with trio.move_on_after(_IDLE) as waiting:
        await stream.send_all(encode(reply))
    return not waiting.cancelled_caught


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
