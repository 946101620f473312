"""A netlink socket: requests and what the kernel answers. Blocking; the errors of sockets end here.

For what pyroute2 does not speak: fou, metadata tunnels over IPv6, and nf_tables in a batch.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

from clusterf.plugin import OutputUnavailable

ROUTE = 0
NETFILTER = 12
GENERIC = 16

REQUEST = 0x1
ACK = 0x4
REPLACE = 0x100
EXCLUSIVE = 0x200
CREATE = 0x400
APPEND = 0x800
_DUMP = 0x300
_INTERRUPTED = 0x10

_ERROR = 2
_DONE = 3
_HEADER = struct.Struct("=IHHII")
_CODE = struct.Struct("=i")

_RECEIVE = 1 << 17
_DEADLINE = 10.0
"""Seconds; the kernel answers while the request is still being sent."""

_ATTEMPTS = 5
"""Dumps that the kernel says were interrupted by a change before we give up."""


class RefusedError(Exception):
    """The kernel's "no" to one request."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{os.strerror(code).lower()} ({errno.errorcode.get(code, code)})")
        self.code = code


class Message(NamedTuple):
    """A request, or an answer: its type, its flags, and what follows the netlink header."""

    kind: int
    flags: int
    body: bytes


class Talk:
    """An open socket of one netlink protocol, for one call in a worker thread; it is closed."""

    def __init__(self, opened: socket.socket) -> None:
        self._sequence = 0
        self._socket = opened
        self._socket.settimeout(_DEADLINE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, kind: int, body: bytes, flags: int = 0) -> list[bytes]:
        """Ask for one thing or change it; the bodies of what is told besides the ACK.

        Raises:
            RefusedError: from the kernel.
            OutputUnavailable: the socket failed.
        """
        [answers] = self.batch([Message(kind, flags | ACK, body)])
        return answers

    def batch(self, messages: Sequence[Message]) -> list[list[bytes]]:
        """Send all in one datagram, and wait for the ACK of each that asks for one.

        Raises:
            RefusedError: the first of the kernel's refusals.
            OutputUnavailable: the socket failed.
        """
        first = self._sequence + 1
        self._sequence += len(messages)
        data = b"".join(
            _HEADER.pack(16 + len(body), kind, flags | REQUEST, number, 0) + _padded(body)
            for number, (kind, flags, body) in enumerate(messages, first)
        )
        self._send(data)
        answers: list[list[bytes]] = [[] for _ in messages]
        waiting = {number for number, one in enumerate(messages, first) if one.flags & ACK}
        refused = 0
        while waiting:
            for number, message in self._receive():
                if message.kind == _ERROR:
                    code = -_CODE.unpack_from(message.body)[0]
                    refused = refused or code
                    waiting.discard(number)
                    if code and number == first and len(messages) > 1:
                        # Nobody takes such a batch: that is all that is said of it.
                        waiting.clear()
                elif first <= number < first + len(messages):
                    answers[number - first].append(message.body)
        if refused:
            raise RefusedError(refused)
        return answers

    def dump(self, kind: int, body: bytes) -> list[Message]:
        """List things; begun anew when the kernel says that they changed meanwhile.

        Raises:
            RefusedError: from the kernel.
            OutputUnavailable: the socket failed, or they change faster than they can be read.
        """
        for _ in range(_ATTEMPTS):
            self._sequence += 1
            own = self._sequence
            header = _HEADER.pack(16 + len(body), kind, REQUEST | _DUMP, own, 0)
            self._send(header + _padded(body))
            found, interrupted = self._rest_of_dump(own)
            if not interrupted:
                return found
        raise OutputUnavailable("netlink: the kernel's lists change faster than they can be read")

    def _rest_of_dump(self, own: int) -> tuple[list[Message], bool]:
        found: list[Message] = []
        interrupted = False
        while True:
            for number, message in self._receive():
                if number != own:
                    continue
                interrupted = interrupted or bool(message.flags & _INTERRUPTED)
                if message.kind in {_ERROR, _DONE}:
                    code = -_CODE.unpack_from(message.body)[0] if len(message.body) >= 4 else 0
                    if code:
                        raise RefusedError(code)
                    return found, interrupted
                found.append(message)

    def _send(self, data: bytes) -> None:
        try:
            self._socket.send(data)
        except OSError as error:
            raise _unavailable(error) from error

    def _receive(self) -> Iterator[tuple[int, Message]]:
        """Sequence numbers and messages of the next datagram."""
        try:
            data = self._socket.recv(_RECEIVE)
        except OSError as error:
            raise _unavailable(error) from error
        offset = 0
        while offset + 16 <= len(data):
            length, kind, flags, number, _ = _HEADER.unpack_from(data, offset)
            if length < 16 or offset + length > len(data):
                raise OutputUnavailable("netlink: the kernel's answer was cut short")
            yield number, Message(kind, flags, data[offset + 16 : offset + length])
            offset += (length + 3) & ~3


def talk(protocol: int) -> Talk:
    """Open a socket.

    Raises:
        RefusedError: the kernel does not have the protocol (EPROTONOSUPPORT); EMFILE and alike.
    """
    try:
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
    except OSError as error:
        raise RefusedError(error.errno or errno.EIO) from error
    return Talk(opened)


def _padded(body: bytes) -> bytes:
    return body + b"\0" * (-len(body) % 4)


def _unavailable(error: OSError) -> OutputUnavailable:
    return OutputUnavailable(f"netlink: {(error.strerror or str(error)).lower()}")
