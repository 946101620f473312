"""A real HTTP server on loopback that answers, byte for byte, what a test says.

For what real etcd does not do on command; what it does is tested in tests/etcd.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import trio

HEADER = {"cluster_id": "11", "member_id": "22", "revision": "7", "raft_term": "2"}

HANG = "hang"
"""Step of an answer: nothing more, and the connection stays."""

CLOSE = "close"
"""Step of an answer: the connection ends here."""

Step = bytes | str | trio.Event
Answer = Iterable[Step]


class Asked(NamedTuple):
    """One request, and the number of the connection that it came on."""

    path: str
    headers: dict[str, str]
    message: Any
    connection: int


class Stub:
    """What it was asked, and how often it was connected to."""

    def __init__(self, answer: Callable[[Asked], Answer]) -> None:
        self.asked: list[Asked] = []
        self.connections = 0
        self.open = 0
        self.url = ""
        self._answer = answer

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]

    async def serve(self, stream: trio.SocketStream) -> None:
        self.connections += 1
        self.open += 1
        number = self.connections
        try:
            async with stream:
                await self._serve(stream, number)
        except trio.BrokenResourceError:
            pass
        finally:
            self.open -= 1

    async def _serve(self, stream: trio.SocketStream, number: int) -> None:
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                if not (more := await stream.receive_some()):
                    return
                data += more
            head, _, data = data.partition(b"\r\n\r\n")
            first, *lines = head.decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines)
            while len(data) < int(headers["content-length"]):
                data += await stream.receive_some()
            body, data = (
                data[: int(headers["content-length"])],
                data[int(headers["content-length"]) :],
            )
            one = Asked(first.split()[1], headers, json.loads(body), number)
            self.asked.append(one)
            for step in self._answer(one):
                if step == CLOSE:
                    return
                if isinstance(step, trio.Event):
                    await step.wait()
                elif isinstance(step, str):
                    # Whoever is silent notices all the same when the other one leaves.
                    await stream.receive_some()
                    return
                else:
                    await stream.send_all(step)


def ok(message: dict[str, Any] | None = None, *, status: int = 200) -> list[Step]:
    """An answer of the gateway, with a header unless it has one."""
    body = json.dumps({"header": HEADER, **(message or {})}).encode()
    return raw(status, body)


def no(status: int, code: int, text: str) -> list[Step]:
    """An error of the gateway."""
    return raw(status, json.dumps({"error": text, "message": text, "code": code}).encode())


def raw(status: int, body: bytes) -> list[Step]:
    """Any answer with a length."""
    return [b"HTTP/1.1 %d Any\r\nContent-Length: %d\r\n\r\n" % (status, len(body)), body]


def stream(*pieces: bytes, end: Step = HANG) -> list[Step]:
    """The beginning of a stream, each piece a chunk."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return [head, *(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces), end]


def line(message: dict[str, Any]) -> bytes:
    """One message of a stream."""
    return json.dumps({"result": {"header": HEADER, **message}}).encode() + b"\n"


LAST = b"0\r\n\r\n"
"""The proper end of a stream."""


@asynccontextmanager
async def serving(answer: Callable[[Asked], Answer]) -> AsyncIterator[Stub]:
    """Run it until the block ends."""
    stub = Stub(answer)
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    stub.url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, stub.serve, [listener])
        yield stub
        nursery.cancel_scope.cancel()
