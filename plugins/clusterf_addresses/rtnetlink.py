"""Links and addresses by pyroute2; the only file that knows it, and its errors.

Blocking. pyroute2's synchronous sockets are bound to the thread that opened them, so a `Session` is
opened, used and closed within one call in a worker thread.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

from clusterf.model.address import Address
from clusterf.plugin import OutputUnavailable
from clusterf_addresses.marks import METRIC, PROTOCOL, Marks, label
from clusterf_addresses.netlink import RefusedError
from clusterf_addresses.world import Link

_IFF_UP = 1
_IFA_F_NODAD = 2
_SCOPE_LINK = 253
_ATTEMPTS = 5
"""Dumps that the kernel says were interrupted by a change (NLM_F_DUMP_INTR) before we give up."""


class Seen(NamedTuple):
    """An address as the kernel tells it, with the index of its interface."""

    address: Address
    length: int
    interface: int
    marks: Marks


class Session:
    """An open netlink socket, for one worker thread and one call."""

    def __init__(self) -> None:
        # Imported here: pyroute2 takes a tenth of a second, and only this output needs it.
        from pyroute2 import IPRoute  # noqa: PLC0415
        from pyroute2.netlink.exceptions import (  # noqa: PLC0415
            NetlinkDumpInterrupted,
            NetlinkError,
        )

        self._interrupted = NetlinkDumpInterrupted
        self._refused = NetlinkError
        try:
            self._route: Any = IPRoute()
        except OSError as error:
            raise OutputUnavailable(
                f"rtnetlink: {(error.strerror or str(error)).lower()}"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._route.close()

    def link(self, name: str) -> Link:
        """State of an interface."""
        try:
            [message] = self._ask(self._route.link, "get", ifname=name)
        except RefusedError as error:
            if error.code == errno.ENODEV:
                return Link.MISSING
            raise OutputUnavailable(f"interface {name}: {error}") from error
        return Link.UP if message["flags"] & _IFF_UP else Link.DOWN

    def addresses(self) -> Iterator[Seen]:
        """All addresses of this network namespace."""
        for message in self._dump():
            # IFA_ADDRESS is the other end where there is one; IPv6 has IFA_LOCAL only then.
            own = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
            if own is not None:
                marks = Marks(
                    message.get_attr("IFA_PROTO"),
                    message.get_attr("IFA_LABEL"),
                    message.get_attr("IFA_RT_PRIORITY"),
                )
                yield Seen(Address.parse(own), message["prefixlen"], message["index"], marks)

    def add(self, address: Address, interface: str) -> None:
        """Add a host address with our marks.

        IPv6: without duplicate address detection, which would keep it unusable for a second, and
        deprecated, as keepalived does it: the host does not speak in the VIP's name by itself.

        Raises:
            RefusedError: from the kernel; EEXIST where it is there already.
        """
        request: dict[str, Any] = {
            "index": self._index(interface),
            "address": str(address),
            "prefixlen": len(address) * 8,
            "proto": PROTOCOL,
        }
        if len(address) == 4:
            request |= {"family": socket.AF_INET}
            if (own := label(interface)) is not None:
                request |= {"label": own}
        else:
            request |= {
                "family": socket.AF_INET6,
                "flags": _IFA_F_NODAD,
                "preferred_lft": 0,
                "rt_priority": METRIC,
            }
        self._ask(self._route.addr, "add", **request)

    def remove(self, address: Address, length: int, interface: str) -> None:
        """Remove an address; of IPv4 only one that has our label, where it could have one.

        Raises:
            RefusedError: from the kernel; EADDRNOTAVAIL where there is none.
        """
        request: dict[str, Any] = {
            "index": self._index(interface),
            "family": socket.AF_INET if len(address) == 4 else socket.AF_INET6,
            "address": str(address),
            "prefixlen": length,
        }
        if len(address) == 4 and (own := label(interface)) is not None:
            request |= {"label": own}
        self._ask(self._route.addr, "del", **request)

    def create(self, interface: str) -> None:
        """Make a dummy device that is up.

        Raises:
            RefusedError: from the kernel; EEXIST where there is such an interface.
        """
        self._ask(self._route.link, "add", ifname=interface, kind="dummy", state="up")

    def set_up(self, interface: str) -> None:
        """Set an interface up.

        Raises:
            RefusedError: from the kernel.
        """
        self._ask(self._route.link, "set", index=self._index(interface), state="up")

    def delete(self, interface: str) -> None:
        """Delete an interface.

        Raises:
            RefusedError: from the kernel; ENODEV where there is none.
        """
        self._ask(self._route.link, "del", index=self._index(interface))

    def address(self, interface: str, address: str) -> None:
        """Add an IPv4 address that is of no meaning beyond the interface.

        Raises:
            RefusedError: from the kernel; EEXIST where it is there already.
        """
        self._ask(
            self._route.addr,
            "add",
            index=self._index(interface),
            family=socket.AF_INET,
            address=address,
            prefixlen=32,
            scope=_SCOPE_LINK,
        )

    def strip(self, interface: str) -> None:
        """Take all addresses from an interface.

        Raises:
            RefusedError: from the kernel.
        """
        index = self._index(interface)
        for seen in list(self.addresses()):
            if seen.interface == index:
                family = socket.AF_INET if len(seen.address) == 4 else socket.AF_INET6
                self._ask(
                    self._route.addr,
                    "del",
                    index=index,
                    family=family,
                    address=str(seen.address),
                    prefixlen=seen.length,
                )

    def _dump(self) -> list[Any]:
        for _ in range(_ATTEMPTS):
            try:
                return list(self._route.get_addr())
            except self._interrupted:
                continue
            except self._refused as error:
                raise OutputUnavailable(f"rtnetlink: {RefusedError(error.code)}") from error
            except OSError as error:
                raise OutputUnavailable(
                    f"rtnetlink: {(error.strerror or str(error)).lower()}"
                ) from error
        raise OutputUnavailable("rtnetlink: addresses change faster than they can be read")

    def _ask(self, call: Callable[..., Any], command: str, **request: Any) -> list[Any]:
        try:
            return list(call(command, **request))
        except self._refused as error:
            raise RefusedError(error.code) from error
        except OSError as error:
            raise OutputUnavailable(
                f"rtnetlink: {(error.strerror or str(error)).lower()}"
            ) from error

    @staticmethod
    def _index(interface: str) -> int:
        try:
            return socket.if_nametoindex(interface)
        except OSError as error:
            raise RefusedError(errno.ENODEV) from error


def interface_name(index: int) -> str:
    """Name of an interface; its number where it has just gone."""
    try:
        return socket.if_indextoname(index)
    except OSError:
        return f"#{index}"


def kernel_version() -> tuple[int, int]:
    """Version of the running Linux: (6, 1) for "6.1.0-18-amd64"."""
    parts = os.uname().release.split(".")
    numbers = [int(part) for part in parts[:2] if part.isascii() and part.isdigit()]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else (0, 0)
