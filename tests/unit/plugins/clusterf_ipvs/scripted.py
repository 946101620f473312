"""A scripted peer in place of the kernel, and the messages that it answers with."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from clusterf_ipvs.constants import NLMSG_ERROR, NLMSG_HEADER
from clusterf_ipvs.netlink_socket import NetlinkSocket

Answers = Callable[[list[int]], list[bytes]]
"""From the sequence numbers of the messages that came to the datagrams that go back."""


class _Near(socket.socket):
    """One end of a pair whose other end answers at once, as a kernel does."""

    answers: Answers
    far: socket.socket

    def send(self, data: bytes, flags: int = 0) -> int:  # type: ignore[override] # bytes are enough here
        del flags
        numbers, offset = [], 0
        while offset < len(data):
            length, _, _, number, _ = NLMSG_HEADER.unpack_from(data, offset)
            numbers.append(number)
            offset += length
        for datagram in self.answers(numbers):
            self.far.send(datagram)
        return len(data)


class Peer:
    """A netlink socket whose other end answers as it was told to."""

    def __init__(self) -> None:
        near, self._far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._near = _Near(fileno=near.detach())
        self._near.far = self._far
        self._near.setblocking(False)
        self.socket = NetlinkSocket(self._near, 5.0)

    def says(self, answers: Answers) -> NetlinkSocket:
        """From now on this is what it answers; returns the socket, to be talked to."""
        self._near.answers = answers
        return self.socket

    def answer(self, datagram: bytes) -> None:
        """An answer that comes late."""
        self._far.send(datagram)

    def close(self) -> None:
        self._near.close()
        self._far.close()


def message(kind: int, number: int, body: bytes = b"", flags: int = 0) -> bytes:
    return NLMSG_HEADER.pack(16 + len(body), kind, flags, number, 0) + body


def acknowledge(number: int, code: int = 0) -> bytes:
    return message(NLMSG_ERROR, number, struct.pack("=i", -code) + bytes(16))
