"""UDP ports at which the kernel takes GUE: the generic netlink family "fou" (linux/fou.h)."""

from __future__ import annotations

import errno
import socket
import struct
from typing import Final

from clusterf.model.address import Family
from clusterf_addresses.attributes import be16, contents, text, u8
from clusterf_addresses.netlink import GENERIC, RefusedError, Talk, talk
from clusterf_addresses.tunnels.receiving import Port

_CONTROLLER = 16
_GETFAMILY, _FAMILY_ID, _FAMILY_NAME = 3, 1, 2
_ADD, _DELETE, _GET = 1, 2, 3
_PORT, _FAMILY, _TYPE = 1, 2, 4
_GUE = 2
"""FOU_ENCAP_GUE."""

_HEAD = struct.Struct("=BBxx")
_VERSION = 1

FAMILIES: Final = {Family.INET: int(socket.AF_INET), Family.INET6: int(socket.AF_INET6)}
_NAMES = {number: family for family, number in FAMILIES.items()}


def family_message() -> bytes:
    """Body of a request for the number of the family."""
    return _HEAD.pack(_GETFAMILY, _VERSION) + text(_FAMILY_NAME, "fou")


def family_number(body: bytes) -> int:
    """The number in the answer.

    Raises:
        DecodeError: it is not as the kernel's interface says.
    """
    found = contents(body[_HEAD.size :])
    return int(struct.unpack("=H", found[_FAMILY_ID])[0])


def list_message() -> bytes:
    """Body of a request for all ports."""
    return _HEAD.pack(_GET, _VERSION)


def add_message(port: Port) -> bytes:
    """Body of a request to take GUE at a port of one family."""
    return (
        _HEAD.pack(_ADD, _VERSION)
        + be16(_PORT, port.number)
        + u8(_FAMILY, FAMILIES[port.family])
        + u8(_TYPE, _GUE)
    )


def delete_message(port: Port) -> bytes:
    """Body of a request to take it no longer."""
    return (
        _HEAD.pack(_DELETE, _VERSION)
        + be16(_PORT, port.number)
        + u8(_FAMILY, FAMILIES[port.family])
    )


def seen(body: bytes) -> Port | None:
    """The port that an answer tells; None where it takes something else than GUE.

    Raises:
        DecodeError: it is not as the kernel's interface says.
    """
    found = contents(body[_HEAD.size :])
    family = _NAMES.get(int.from_bytes(found.get(_FAMILY, b"")))
    if family is None or int.from_bytes(found.get(_TYPE, b"")) != _GUE:
        return None
    return Port(family, int.from_bytes(found.get(_PORT, b"")))


class Ports:
    """The ports of this network namespace. The kernel loads the module when it is first asked.

    Raises:
        RefusedError: ENOENT where it has none.
        OutputUnavailable: the socket failed.
    """

    def __init__(self, kernel: Talk) -> None:
        self._kernel = kernel
        [answer] = kernel.ask(_CONTROLLER, family_message())
        self._family = family_number(answer)

    def all(self) -> frozenset[Port]:
        """Those that take GUE."""
        told = self._kernel.dump(self._family, list_message())
        return frozenset(port for one in told if (port := seen(one.body)) is not None)

    def open(self, port: Port) -> None:
        """Take GUE at a port.

        Raises:
            RefusedError: EADDRINUSE where somebody has the port, be it the kernel itself.
        """
        self._kernel.ask(self._family, add_message(port))

    def close(self, port: Port) -> None:
        """Take it no longer.

        Raises:
            RefusedError: EINVAL where the kernel does not take it.
        """
        self._kernel.ask(self._family, delete_message(port))


def ports() -> frozenset[Port] | None:
    """Ports that take GUE; None where this kernel cannot, or does not tell us (no CAP_NET_ADMIN).

    Raises:
        RefusedError, OutputUnavailable: the kernel does not tell.
    """
    try:
        with talk(GENERIC) as kernel:
            return Ports(kernel).all()
    except RefusedError as refused:
        if refused.code in {errno.ENOENT, errno.EPERM}:
            return None
        raise


def open_port(port: Port) -> None:
    """As `Ports.open`."""
    with talk(GENERIC) as kernel:
        Ports(kernel).open(port)


def close_port(port: Port) -> None:
    """As `Ports.close`."""
    with talk(GENERIC) as kernel:
        Ports(kernel).close(port)
