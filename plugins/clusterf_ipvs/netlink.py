"""`Kernel` over netlink: one socket, one call at a time, and what the system's errors mean.

Here the errors of sockets end; how messages and answers go over a socket is in `netlink_socket`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import trio

from clusterf.plugin import OutputNotPermitted, OutputUnavailable
from clusterf_ipvs.batch import batches
from clusterf_ipvs.kernel import Messages
from clusterf_ipvs.netlink_socket import NetlinkSocket, open_socket

T = TypeVar("T")

_OTHERS = 32  # calls that did not have to wait, between two turns of the program's other tasks


class NetlinkKernel:
    """`Kernel` over a generic netlink socket, opened at the first use.

    ``batch`` is the number of messages in one datagram; ``deadline`` in seconds bounds every
    wait for an answer that is due.
    """

    def __init__(self, batch: int = 512, deadline: float = 10.0) -> None:
        self._batch = batch
        self._deadline = deadline
        self._socket: NetlinkSocket | None = None
        self._lock = trio.Lock()
        self._calls = 0

    async def exchange(self, messages: Messages) -> Sequence[int]:
        """Carry out edits, see `Kernel.exchange`."""

        async def work(opened: NetlinkSocket) -> list[int]:
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

    async def _run(self, work: Callable[[NetlinkSocket], Awaitable[T]]) -> T:
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
                self._socket = NetlinkSocket(open_socket(), self._deadline)
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


def _unavailable(code: int) -> OutputUnavailable:
    name = errno.errorcode.get(code, str(code))
    if code in (errno.EPERM, errno.EACCES):
        return OutputNotPermitted(
            f"ipvs: the kernel lets us neither read nor write ({name})",
            hint="run as root, or with CAP_NET_ADMIN in this network namespace",
        )
    if code in (errno.ENOENT, errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT):
        return OutputUnavailable(f"ipvs: the kernel has no IPVS ({name})", hint="modprobe ip_vs")
    return OutputUnavailable(f"ipvs: the kernel cannot be asked: {os.strerror(code)} ({name})")
