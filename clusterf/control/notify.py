"""The service manager's socket: sd_notify(3), one datagram for each thing said.

Of our own, since it is a dozen lines and must not block the event loop: the packages for it are
bindings of libsystemd, which a bare host need not have, or are not kept up (sdnotify, 2017).
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import MutableMapping
from dataclasses import dataclass, field

import trio

log = logging.getLogger("clusterf.notify")

_SOCKET = "NOTIFY_SOCKET"
_WATCHDOG = "WATCHDOG_USEC"
_WATCHED = "WATCHDOG_PID"

_PATIENCE = 5.0
"""Seconds that a manager may take to read; a full queue of its must not hold us up."""


@dataclass(slots=True)
class ServiceManager:
    """Who has started us and wants to be told; nobody, where ``address`` is empty.

    ``watchdog``: seconds within which it wants to hear that we live; None: it does not.
    """

    address: str = ""
    watchdog: float | None = None
    _complaint: str = field(default="", init=False)

    @classmethod
    def taken_from(cls, environment: MutableMapping[str, str]) -> ServiceManager:
        """Who is named there, and taken out: what plugins start must not speak for us."""
        address = environment.pop(_SOCKET, "")
        interval = environment.pop(_WATCHDOG, "")
        watched = environment.pop(_WATCHED, "")
        # Of the one file the process that was started, and is watched, is our parent.
        ours = watched in {"", str(os.getpid()), str(os.getppid())}
        if not (ours and interval.isdecimal() and int(interval)):
            return cls(address)
        return cls(address, int(interval) / 1e6)

    async def tell(self, **said: str | int) -> None:
        """Say ``READY=1`` and the like. That it is not heard is logged, and hinders nobody."""
        if not self.address:
            return
        lines = "\n".join(f"{name}={_one_line(value)}" for name, value in said.items())
        try:
            await _send(self.address, lines.encode())
        except OSError as error:
            if self._complaint != str(error):
                self._complaint = str(error)
                log.warning("service manager not told socket=%r error=%r", self.address, str(error))
        else:
            self._complaint = ""


async def _send(address: str, datagram: bytes) -> None:
    # Opened anew each time, as libsystemd does: the manager may have made its socket anew.
    with trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_DGRAM) as sender:
        with trio.move_on_after(_PATIENCE):
            # "@": a name of Linux's abstract namespace, unix(7).
            await sender.connect("\0" + address[1:] if address.startswith("@") else address)
            await sender.send(datagram)
            return
        raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))


def _one_line(value: str | int) -> str:
    return " ".join(str(value).split())
