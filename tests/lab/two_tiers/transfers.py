"""Transfers with an exact comparison of bytes, between sockets in the namespaces of a test.

A client says how much it sends and how much it wants. What is sent follows from its size, so both
ends can tell whether it came whole. Everything is in this process: to start a program for each
transfer would cost a user-mode kernel seconds.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Self

from tests.lab.network import Namespace
from tests.lab.promises.background import Background
from tests.lab.promises.servers import sockets_in

_HEAD = struct.Struct(">II")
_DIGEST = hashlib.sha256().digest_size
_PATIENCE = 20.0


class Size(NamedTuple):
    """Bytes that the client sends, and that it gets."""

    up: int
    down: int


def content(size: int) -> bytes:
    """Bytes in which none can be missing or in another place without notice."""
    return random.Random(size).randbytes(size)  # noqa: S311


class Answerer:
    """Answers in a namespace: what it got is told by its digest, then comes what was asked for."""

    def __init__(self, place: Namespace, port: int) -> None:
        (self._listener,) = sockets_in(place, 1, socket.AF_INET6)
        self._listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self._listener.bind(("::", port))
        self._listener.listen(64)
        self._listener.settimeout(0.2)
        self._threads: list[threading.Thread] = []
        self._background = Background(self._serve)

    def _serve(self, stopped: Callable[[], bool]) -> None:
        while not stopped():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=_answer, args=(connection,), daemon=True)
                thread.start()
                self._threads.append(thread)

    def close(self) -> None:
        self._background.end()
        self._listener.close()
        for thread in self._threads:
            thread.join(_PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _answer(connection: socket.socket) -> None:
    connection.settimeout(_PATIENCE)
    # A client that goes away, or whose packets do not come, is its own business.
    with connection, contextlib.suppress(OSError, EOFError):
        up, down = _HEAD.unpack(_read(connection, _HEAD.size))
        got = hashlib.sha256(_read(connection, up)).digest()
        connection.sendall(got + content(down))


def _read(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = connection.recv(min(size - len(data), 1 << 16))
        if not part:
            raise EOFError(f"ended after {len(data)} of {size} bytes")
        data += part
    return bytes(data)


@dataclass(frozen=True, slots=True)
class Transfer:
    """What became of one. ``segment``: the largest that the other end had asked for."""

    segment: int


def transfer(
    place: Namespace, address: str, port: int, size: Size, *, timeout: float = _PATIENCE
) -> Transfer:
    """Send and get; both came whole when this returns.

    Raises:
        OSError, EOFError: no connection, or no answer in time.
        AssertionError: other bytes came than were sent.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    (connection,) = sockets_in(place, 1, family)
    with connection:
        connection.settimeout(timeout)
        # What does not come through must not be sent again and again when this is over.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.connect((address, port))
        segment = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
        sent = content(size.up)
        connection.sendall(_HEAD.pack(*size) + sent)
        got = _read(connection, _DIGEST)
        assert got == hashlib.sha256(sent).digest(), "other bytes arrived than were sent"
        assert _read(connection, size.down) == content(size.down)
        assert connection.recv(1) == b"", "more came than was asked for"
    return Transfer(segment)
