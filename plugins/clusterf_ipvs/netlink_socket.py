"""One netlink socket on Trio: batches of edits with one acknowledgement, lists and questions.

The kernel carries out all messages of a datagram inside the one system call that sends it
(netlink_rcv_skb), so after the call all answers are in the receive buffer. An error answers its
message at once and does not stop the rest; success is only told where NLM_F_ACK asks for it. So
the last message of a batch carries the flag, as a barrier: with its answer, and without errors
before it, all were done.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

import trio

from clusterf.plugin import OutputUnavailable
from clusterf_ipvs.attributes import DecodeError, enclose, message, outermost
from clusterf_ipvs.batch import count, datagram, index_of, number
from clusterf_ipvs.constants import (
    CTRL_ATTR_FAMILY_ID,
    CTRL_ATTR_FAMILY_NAME,
    CTRL_CMD_GETFAMILY,
    FAMILY_NAME,
    GENL_ID_CTRL,
    NETLINK_CAP_ACK,
    NETLINK_EXT_ACK,
    NETLINK_GENERIC,
    NLM_F_DUMP,
    NLM_F_DUMP_INTR,
    NLM_F_REQUEST,
    NLMSG_DONE,
    NLMSG_ERROR,
    NLMSG_HEADER,
    SO_RCVBUFFORCE,
    SO_SNDBUFFORCE,
    SOL_NETLINK,
)
from clusterf_ipvs.kernel import UNKNOWN, Messages, single

_RECEIVE = 1 << 16  # the kernel fills at most 32 kB at a time (netlink_dump)
_BUFFER = 4 << 20  # room for all the answers, should every message of a batch fail
_ACK_WAIT = 1.0  # answers are there when the call returns; -EINTR alone leaves one out for ever
_DUMP_TRIES = 3
_TURNS = 1 << 16

_ERRNO = struct.Struct("=i")


def open_socket() -> socket.socket:
    """A generic netlink socket with room for the answers to a whole batch.

    Not a `trio.socket`: that gives other tasks a turn at every send and receive, which takes
    longer than what the kernel has to do in them.

    Raises:
        OSError: the system gives none.
    """
    opened = socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_GENERIC
    )
    try:
        opened.setblocking(False)
        for forced, asked in (
            (SO_SNDBUFFORCE, socket.SO_SNDBUF),
            (SO_RCVBUFFORCE, socket.SO_RCVBUF),
        ):
            try:
                opened.setsockopt(socket.SOL_SOCKET, forced, _BUFFER)
            except OSError:  # without CAP_NET_ADMIN the system's limit holds
                opened.setsockopt(socket.SOL_SOCKET, asked, _BUFFER)
        for option in (NETLINK_CAP_ACK, NETLINK_EXT_ACK):
            with suppress(OSError):  # since 4.3 and 4.12; they only make answers shorter or richer
                opened.setsockopt(SOL_NETLINK, option, 1)
        opened.bind((0, 0))
    except BaseException:
        opened.close()
        raise
    return opened


class NetlinkSocket:
    """An open socket, and the number that the IPVS family has in this kernel.

    ``deadline`` in seconds bounds every wait for an answer that is due. Methods raise `OSError`
    with the errno of the kernel or of the socket, and `trio.TooSlowError`; after either, what is
    left in the socket is in disorder and it must be closed.
    """

    def __init__(self, opened: socket.socket, deadline: float) -> None:
        self._socket = opened
        self._deadline = deadline
        self._family = GENL_ID_CTRL
        self._turn = 0

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    async def look_up(self, *, again: bool = False) -> None:
        """Learn the family's number.

        Raises:
            OutputUnavailable: the answer makes no sense, or (again) the number is not the one of
                before.
        """
        name = enclose(CTRL_ATTR_FAMILY_NAME, FAMILY_NAME)
        before, self._family = self._family, GENL_ID_CTRL
        answer = await self.ask(message(CTRL_CMD_GETFAMILY, name))
        if isinstance(answer, int):
            raise _os_error(answer)
        try:
            self._family = CTRL_ATTR_FAMILY_ID.read(outermost(answer))
        except DecodeError as error:
            raise OutputUnavailable(
                "ipvs: the kernel's answer about its family makes no sense"
            ) from error
        if again and before != self._family:
            raise OutputUnavailable("ipvs: the kernel module was loaded anew")

    async def carry_out(self, batch: Messages) -> list[int]:
        """Send one datagram and gather its errors, as `Kernel.exchange` returns them."""
        size = count(batch)
        self._turn = (self._turn + 1) % _TURNS
        try:
            self._socket.send(datagram(batch, self._turn, self._family))
        except OSError as error:
            if error.errno not in (errno.EMSGSIZE, errno.ENOBUFS):
                raise
            # Larger than the send buffer, or than what the kernel could find memory for.
            if size == 1:
                return [error.errno]
            each, half = single(batch), size // 2
            return [*await self.carry_out(each[:half]), *await self.carry_out(each[half:])]
        return await self._answers(size)

    async def _answers(self, size: int) -> list[int]:
        results: dict[int, int] = {}
        complete = True
        while size - 1 not in results:
            try:
                data = await self._receive(_ACK_WAIT)
            except trio.TooSlowError:
                complete = False
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                # Answers were lost for want of room; those that are left can still be read.
                complete = False
                continue
            for kind, _, sequence, body in _messages(data):
                index = index_of(sequence, self._turn)
                if kind == NLMSG_ERROR and 0 <= index < size:
                    results[index] = -_ERRNO.unpack_from(body)[0]
        filled = [0 if complete else UNKNOWN] * size
        for index, result in results.items():
            filled[index] = result
        return filled

    async def dump(self, request: bytes) -> list[bytes]:
        """A list, whole; begun anew when the kernel says that it tore."""
        for _ in range(_DUMP_TRIES):
            entries, torn = await self._dump(request)
            if not torn:
                break
        return entries

    async def _dump(self, request: bytes) -> tuple[list[bytes], bool]:
        own = self._send(request, NLM_F_REQUEST | NLM_F_DUMP)
        entries: list[bytes] = []
        torn = False
        while True:
            for kind, flags, sequence, body in _messages(await self._receive(self._deadline)):
                if sequence != own:
                    continue
                torn = torn or bool(flags & NLM_F_DUMP_INTR)
                if kind in (NLMSG_DONE, NLMSG_ERROR):
                    if len(body) >= 4 and (code := -_ERRNO.unpack_from(body)[0]):
                        raise _os_error(code)
                    return entries, torn
                entries.append(body)

    async def ask(self, request: bytes) -> bytes | int:
        """Ask for one thing; returns it, or an errno other than those of permission."""
        own = self._send(request, NLM_F_REQUEST)
        while True:
            for kind, _, sequence, body in _messages(await self._receive(self._deadline)):
                if sequence != own:
                    continue
                if kind != NLMSG_ERROR:
                    return body
                code = -int(_ERRNO.unpack_from(body)[0])
                if code in (errno.EPERM, errno.EACCES):
                    raise _os_error(code)
                return code

    def _send(self, request: bytes, flags: int) -> int:
        self._turn = (self._turn + 1) % _TURNS
        sequence = number(self._turn)
        header = NLMSG_HEADER.pack(
            NLMSG_HEADER.size + len(request), self._family, flags, sequence, 0
        )
        self._socket.send(header + request)
        return sequence

    async def _receive(self, deadline: float) -> bytes:
        """Next datagram; almost always it is there already.

        Raises:
            OSError: ENOBUFS, after answers were lost.
            trio.TooSlowError: nothing came in time.
        """
        try:
            return self._socket.recv(_RECEIVE)
        except BlockingIOError:
            pass
        with trio.fail_after(deadline):
            while True:
                await trio.lowlevel.wait_readable(self._socket)
                with suppress(BlockingIOError):
                    return self._socket.recv(_RECEIVE)


def _messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Type, flags, sequence number and body of each message in a datagram."""
    offset, end = 0, len(data)
    while offset + 16 <= end:
        length, kind, flags, sequence, _ = NLMSG_HEADER.unpack_from(data, offset)
        if length < 16 or offset + length > end:
            raise OutputUnavailable("ipvs: the kernel's answer was cut short")
        yield kind, flags, sequence, data[offset + 16 : offset + length]
        offset += (length + 3) & ~3


def _os_error(code: int) -> OSError:
    return OSError(code, os.strerror(code))
