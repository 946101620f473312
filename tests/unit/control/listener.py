"""The socket of a service manager, and what it hears."""

from __future__ import annotations

import socket
from contextlib import suppress

import trio


class Listener:
    """The socket of a service manager."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.setblocking(False)

    def close(self) -> None:
        self.socket.close()

    def heard(self) -> list[str]:
        """The lines of the oldest datagram."""
        return self.socket.recv(4096).decode().split("\n")

    async def hear(self, word: str) -> list[str]:
        """The lines of the next datagram with this word in it; those before it are dropped."""
        with trio.fail_after(20):
            while True:
                await trio.lowlevel.wait_readable(self.socket)
                with suppress(BlockingIOError):
                    if word in (lines := self.heard()):
                        return lines

    def all(self) -> list[list[str]]:
        """All datagrams that are there."""
        found = []
        with suppress(BlockingIOError):
            while True:
                found.append(self.heard())
        return found
