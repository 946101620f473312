"""Real servers in this process: sockets that were made inside other namespaces, and one thread.

A program for each would have to be started, which costs a user-mode kernel seconds.
"""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Callable, Iterable

from tests.lab import namespaces
from tests.lab.network import Namespace
from tests.lab.promises.background import Background


def sockets_in(
    place: Namespace,
    count: int,
    family: socket.AddressFamily = socket.AF_INET,
    kind: socket.SocketKind = socket.SOCK_STREAM,
) -> list[socket.socket]:
    """New sockets inside a namespace: a socket stays in the one it was made in."""
    home = os.open(namespaces.current(), os.O_RDONLY | os.O_CLOEXEC)
    there = os.open(place.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        namespaces.enter(there)
        return [socket.socket(family, kind) for _ in range(count)]
    finally:
        namespaces.enter(home)
        os.close(home)
        os.close(there)


class Servers:
    """In each place, under its name: an echo on port 7, and HTTP on port 80 that says the name."""

    def __init__(self, places: Iterable[tuple[str, Namespace]]) -> None:
        self._selector = selectors.DefaultSelector()
        for name, place in places:
            answer = name.encode() + b"\n"
            head = b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer)
            self._listen(place, 7, lambda data: data)
            self._listen(place, 80, lambda _, reply=head + answer: reply)  # type: ignore[misc]
        self._background = Background(self._serve)

    def close(self) -> None:
        self._background.end()
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()

    def _listen(self, place: Namespace, port: int, answer: Callable[[bytes], bytes]) -> None:
        (listener,) = sockets_in(place, 1, socket.AF_INET6)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(("::", port))
        listener.listen(512)
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ, (True, answer))

    def _serve(self, stopped: Callable[[], bool]) -> None:
        while not stopped():
            for key, _ in self._selector.select(0.2):
                is_listener, answer = key.data
                assert isinstance(key.fileobj, socket.socket)
                if is_listener:
                    connection, _ = key.fileobj.accept()
                    self._selector.register(connection, selectors.EVENT_READ, (False, answer))
                elif not _answer(key.fileobj, answer):
                    self._selector.unregister(key.fileobj)
                    key.fileobj.close()


def _answer(connection: socket.socket, answer: Callable[[bytes], bytes]) -> bool:
    """False when the client has gone, which is its own business."""
    try:
        data = connection.recv(4096)
        if data:
            connection.sendall(answer(data))
    except OSError:
        return False
    return bool(data)


def ask_name(place: Namespace, address: str, port: int = 80, *, timeout: float = 8) -> str:
    """Make one HTTP request from a place; returns the name of the server that answered."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    (connection,) = sockets_in(place, 1, family)
    with connection:
        connection.settimeout(timeout)
        connection.connect((address, port))
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        _, _, body = connection.recv(4096).partition(b"\r\n\r\n")
        return body.decode().strip()
