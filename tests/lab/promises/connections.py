"""Live connections of a client: they talk all the time, and it is known of each when it last did.

In rounds: every connection sends a line and has to get it back. So "nothing was lost" is not a
matter of waiting long enough: after a change, one whole round that began later has to succeed.
"""

from __future__ import annotations

import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.lab.network import Namespace
from tests.lab.promises.background import Background
from tests.lab.promises.servers import sockets_in

_PATIENCE = 8.0
"""Seconds in which an echo has to come; a lost packet is sent again after 0.2, 0.4, 0.8 s ..."""

_PAUSE = 0.1
"""Seconds between two rounds, unless somebody waits for the next one."""


class Connections:
    """``count`` TCP connections from ``place`` to an echo port. ``lost``: what broke, by number.

    ``pause``: seconds between two rounds.
    """

    def __init__(
        self, place: Namespace, address: str, port: int, count: int, *, pause: float = _PAUSE
    ) -> None:
        self.lost: dict[int, str] = {}
        self._pause = pause
        self._sockets = dict(enumerate(_connect(place, address, port, count)))
        self._changed = threading.Condition()
        self._begun = self._ended = self._wanted = 0
        self._one_round()
        self._background = Background(self._talk)

    def check(self) -> None:
        """Wait for a round that begins now; every connection must have come through it."""
        self._await_round()
        assert self.lost == {}

    def check_lost(self, count: int) -> None:
        """As `check`, where some have to be lost."""
        self._await_round()
        assert len(self.lost) == count

    def _await_round(self) -> None:
        with self._changed:
            self._wanted = self._begun + 1
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._ended >= self._wanted, 5 * _PATIENCE)

    def reset(self) -> None:
        """End them all with RST: the director forgets them after ten seconds, not two minutes."""
        self._background.end()
        for connection in self._sockets.values():
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        self._sockets.clear()

    def _talk(self, stopped: Callable[[], bool]) -> None:
        while not stopped():
            self._one_round()
            with self._changed:
                self._changed.wait_for(lambda: self._wanted > self._begun, self._pause)

    def _one_round(self) -> None:
        with self._changed:
            self._begun += 1
        message = b"%08d\n" % self._begun
        with selectors.DefaultSelector() as selector:
            for number, connection in self._sockets.items():
                if number not in self.lost and self._send(number, connection, message):
                    selector.register(connection, selectors.EVENT_READ, number)
            self._collect(selector, message)
        with self._changed:
            self._ended = self._begun
            self._changed.notify_all()

    def _send(self, number: int, connection: socket.socket, message: bytes) -> bool:
        try:
            connection.send(message)
        except OSError as error:
            self.lost[number] = str(error)
            return False
        return True

    def _collect(self, selector: selectors.BaseSelector, message: bytes) -> None:
        deadline = time.monotonic() + _PATIENCE
        replies: dict[int, bytes] = {}
        while selector.get_map() and (left := deadline - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                connection, number = key.fileobj, key.data
                assert isinstance(connection, socket.socket)
                try:
                    part = connection.recv(64)
                except OSError as error:
                    part, self.lost[number] = b"", str(error)
                replies[number] = replies.get(number, b"") + part
                if replies[number] == message:
                    selector.unregister(connection)
                elif not part or not message.startswith(replies[number]):
                    self.lost.setdefault(number, f"answered {replies[number]!r}")
                    selector.unregister(connection)
        for key in list(selector.get_map().values()):
            self.lost[key.data] = f"no answer in {_PATIENCE:g} s"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.reset()


def _connect(place: Namespace, address: str, port: int, count: int) -> list[socket.socket]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connections = sockets_in(place, count, family)
    for connection in connections:
        connection.settimeout(_PATIENCE)
        connection.connect((address, port))
    return connections
