"""One netlink socket on Trio: batches of edits with one acknowledgement, and dumps.

The kernel carries out all messages of a datagram inside the one system call that sends it
(netlink_rcv_skb), so after the call all answers are in the receive buffer. An error answers its
message at once and does not stop the rest; success is only told where NLM_F_ACK asks for it. So
the last message of a batch carries the flag, as a barrier: with its answer, and without errors
before it, all were done.

All errors of sockets end here.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

import trio

from clusterf.plugin import OutputUnavailable
from clusterf_ipvs import decode
from clusterf_ipvs.batch import batches, count, datagram, index_of, number
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
    attribute_header,
)
from clusterf_ipvs.kernel import UNKNOWN, Messages, single

T = TypeVar("T")

_RECEIVE = 1 << 16  # the kernel fills at most 32 kB at a time (netlink_dump)
_BUFFER = 4 << 20  # room for all the answers, should every message of a batch fail
_ACK_WAIT = 1.0  # answers are there when the call returns; -EINTR alone leaves one out for ever
_OTHERS = 32  # calls that did not have to wait, between two turns of the program's other tasks
_DUMP_TRIES = 3
_TURNS = 1 << 16

_ERRNO = struct.Struct("=i")


class NetlinkKernel:
    """`Kernel` over a generic netlink socket, opened at the first use.

    ``batch`` is the number of messages in one datagram; ``deadline`` in seconds bounds every
    wait for an answer that is due.
    """

    def __init__(self, batch: int = 512, deadline: float = 10.0) -> None:
        self._batch = batch
        self._deadline = deadline
        self._socket: _Socket | None = None
        self._lock = trio.Lock()
        self._calls = 0

    async def exchange(self, messages: Messages) -> Sequence[int]:
        """Carry out edits, see `Kernel.exchange`."""

        async def work(opened: _Socket) -> list[int]:
            results: list[int] = []
            for batch in batches(messages, self._batch):
                await trio.lowlevel.checkpoint()
                results += await opened.carry_out(batch)
            if errno.ENOENT in results:
                # Also the answer where IPVS itself is gone or has come back with another number.
                await opened.look_up(again=True)
            return results

        return await self._run(work)

    async def dump(self, message: bytes) -> list[bytes]:
        """List entries, see `Kernel.dump`."""
        return await self._run(lambda opened: opened.dump(message))

    async def ask(self, message: bytes) -> bytes | int:
        """Get one thing, see `Kernel.ask`."""
        return await self._run(lambda opened: opened.ask(message))

    async def close(self) -> None:
        """Close the socket."""
        self._drop()
        await trio.lowlevel.checkpoint()

    async def _run(self, work: Callable[[_Socket], Awaitable[T]]) -> T:
        """One at a time; whatever ends early leaves no half-read answer to the next one."""
        self._calls += 1
        if self._calls % _OTHERS == 0:
            await trio.lowlevel.checkpoint()
        try:
            self._lock.acquire_nowait()
        except trio.WouldBlock:
            await self._lock.acquire()
        try:
            if self._socket is None:
                self._socket = _Socket(self._deadline)
                await self._socket.look_up()
            return await work(self._socket)
        except OSError as error:
            self._drop()
            raise _unavailable(error.errno or 0) from error
        except trio.TooSlowError as error:
            self._drop()
            raise OutputUnavailable(
                f"ipvs: the kernel has not answered within {self._deadline:g}s"
            ) from error
        except BaseException:
            self._drop()
            raise
        finally:
            self._lock.release()

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Socket:
    """The socket itself, and the number that the IPVS family has in this kernel.

    Not a `trio.socket`: that gives other tasks a turn at every send and receive, which takes
    longer than what the kernel has to do in them.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._family = GENL_ID_CTRL
        self._turn = 0
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_GENERIC
        )
        try:
            self._prepare()
        except BaseException:
            self._socket.close()
            raise

    def _prepare(self) -> None:
        self._socket.setblocking(False)
        for forced, asked in (
            (SO_SNDBUFFORCE, socket.SO_SNDBUF),
            (SO_RCVBUFFORCE, socket.SO_RCVBUF),
        ):
            try:
                self._socket.setsockopt(socket.SOL_SOCKET, forced, _BUFFER)
            except OSError:  # without CAP_NET_ADMIN the system's limit holds
                self._socket.setsockopt(socket.SOL_SOCKET, asked, _BUFFER)
        for option in (NETLINK_CAP_ACK, NETLINK_EXT_ACK):
            with suppress(OSError):  # since 4.3 and 4.12; they only make answers shorter or richer
                self._socket.setsockopt(SOL_NETLINK, option, 1)
        self._socket.bind((0, 0))

    def close(self) -> None:
        self._socket.close()

    async def look_up(self, *, again: bool = False) -> None:
        """Learn the family's number.

        Raises:
            OutputUnavailable: there is no IPVS, or (again) it is not the one of before.
        """
        name = struct.pack("=I", attribute_header(len(FAMILY_NAME), CTRL_ATTR_FAMILY_NAME))
        request = struct.pack("=BBH", CTRL_CMD_GETFAMILY, 1, 0) + name + FAMILY_NAME
        request += bytes(-len(request) % 4)
        before, self._family = self._family, GENL_ID_CTRL
        answer = await self.ask(request)
        if isinstance(answer, int):
            raise _unavailable(answer)
        number = decode.attributes(answer[4:]).get(CTRL_ATTR_FAMILY_ID, b"")
        if len(number) != 2:
            raise OutputUnavailable("ipvs: the kernel's answer about its family makes no sense")
        self._family = struct.unpack("=H", number)[0]
        if again and before != self._family:
            raise OutputUnavailable("ipvs: the kernel module was loaded anew")

    async def carry_out(self, batch: Messages) -> list[int]:
        """Send one datagram and gather its errors."""
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

    async def dump(self, message: bytes) -> list[bytes]:
        """A list, whole; begun anew when the kernel says that it tore."""
        for _ in range(_DUMP_TRIES):
            entries, torn = await self._dump(message)
            if not torn:
                break
        return entries

    async def _dump(self, message: bytes) -> tuple[list[bytes], bool]:
        own = self._send(message, NLM_F_REQUEST | NLM_F_DUMP)
        entries: list[bytes] = []
        torn = False
        while True:
            for kind, flags, sequence, body in _messages(await self._receive(self._deadline)):
                if sequence != own:
                    continue
                torn = torn or bool(flags & NLM_F_DUMP_INTR)
                if kind in (NLMSG_DONE, NLMSG_ERROR):
                    if len(body) >= 4 and (code := -_ERRNO.unpack_from(body)[0]):
                        raise _unavailable(code)
                    return entries, torn
                entries.append(body)

    async def ask(self, message: bytes) -> bytes | int:
        own = self._send(message, NLM_F_REQUEST)
        while True:
            for kind, _, sequence, body in _messages(await self._receive(self._deadline)):
                if sequence != own:
                    continue
                if kind != NLMSG_ERROR:
                    return body
                code = -int(_ERRNO.unpack_from(body)[0])
                if code in (errno.EPERM, errno.EACCES):
                    raise _unavailable(code)
                return code

    def _send(self, message: bytes, flags: int) -> int:
        self._turn = (self._turn + 1) % _TURNS
        sequence = number(self._turn)
        header = NLMSG_HEADER.pack(16 + len(message), self._family, flags, sequence, 0)
        self._socket.send(header + message)
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


def _unavailable(code: int) -> OutputUnavailable:
    name = errno.errorcode.get(code, str(code))
    if code in (errno.EPERM, errno.EACCES):
        return OutputUnavailable(
            f"ipvs: the kernel lets us neither read nor write ({name})",
            hint="run as root, or with CAP_NET_ADMIN in this network namespace",
        )
    if code in (errno.ENOENT, errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT):
        return OutputUnavailable(f"ipvs: the kernel has no IPVS ({name})", hint="modprobe ip_vs")
    return OutputUnavailable(f"ipvs: the kernel cannot be asked: {os.strerror(code)} ({name})")
