"""A receiver of posts on loopback: real HTTP, as much as a webhook needs."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import h11
import trio


@dataclass
class Receiver:
    """Remembers what was posted. ``status`` is what it answers; 0: it takes it and says nothing."""

    port: int = 0
    status: int = 204
    posts: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    _came: trio.Event = field(default_factory=trio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/secret"

    @property
    def changes(self) -> list[str]:
        """The lines of all changes, in order."""
        return [change["line"] for post in self.posts for change in post["changes"]]

    async def until(self, condition: Callable[[], object]) -> None:
        with trio.fail_after(30):
            while not condition():
                await self._came.wait()

    async def serve(self, stream: trio.abc.Stream) -> None:
        """One connection, one post: it is closed after the answer."""
        async with stream:
            machine = h11.Connection(h11.SERVER)
            body = b""
            while True:
                event = machine.next_event()
                if event is h11.NEED_DATA:
                    machine.receive_data(await stream.receive_some())
                elif isinstance(event, h11.Request):
                    self.headers.append({k.decode(): v.decode() for k, v in event.headers})
                elif isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    break
                else:
                    return  # somebody who only looked whether we are here
            status = self.status
            if not status:
                await trio.sleep_forever()
            if 200 <= status < 300:
                self.posts.append(json.loads(body))
            headers = [("content-length", "0"), ("connection", "close")]
            head = h11.Response(status_code=status, headers=headers)
            await stream.send_all(machine.send(head) or b"")
        self._came.set()
        self._came = trio.Event()


@asynccontextmanager
async def listening(
    port: int = 0, *, secured: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A receiver for as long as the block lasts, on any port or on this one."""
    receiver = Receiver()
    serve = receiver.serve
    if secured is not None:
        serve = partial(_secured, secured, receiver)
    async with trio.open_nursery() as nursery:
        [listener] = await trio.open_tcp_listeners(port, host="127.0.0.1")
        receiver.port = listener.socket.getsockname()[1]
        nursery.start_soon(partial(trio.serve_listeners, serve, [listener]))
        yield receiver
        nursery.cancel_scope.cancel()


async def _secured(context: ssl.SSLContext, receiver: Receiver, stream: trio.SocketStream) -> None:
    """A client that does not trust us hangs up in the middle of it."""
    try:
        await receiver.serve(
            trio.SSLStream(stream, context, server_side=True, https_compatible=True)
        )
    except trio.BrokenResourceError:
        await stream.aclose()
