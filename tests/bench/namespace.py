"""A network namespace of its own for every sample, and the certainty that the one before is gone.

IPVS keeps what was deleted for two minutes in the namespace's trash, which every later add walks
through; and a dying namespace frees its table in a kernel thread and in RCU callbacks, which would
run into the next sample's time. Two events say that this is over (net/core/net_namespace.c,
cleanup_net): a veth pair reaches into the namespace, and its outer end vanishes after the table
went, because a namespace's parts end in the reverse order of their registration and IPVS registers
after the devices; then a second, empty namespace is made and ends, which the kernel begins only
when it has waited for the RCU callbacks of the first.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import socket
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLONE_NEWNET: Final = 0x40000000
_RTMGRP_LINK: Final = 1
_RTM_DELLINK: Final = 17
_IFINFOMSG: Final = struct.Struct("=BxHiII")
_NLMSGHDR: Final = struct.Struct("=IHHII")
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_OUTER: Final = "bench-outer"
_INNER: Final = "bench-inner"
_LONGEST_END: Final = 300.0  # seconds; 110,000 entries take a few


@contextlib.contextmanager
def fresh() -> Iterator[None]:
    """Have this process in a new namespace in which every destination has a route.

    Children started inside are in it too. On the way out, wait until all of it is gone.
    """
    with _ending(), Path("/proc/self/ns/net").open() as home:
        with Path(f"/run/netns/{_name()}").open() as there:
            _enter(there.fileno())
        try:
            for device in ("lo", _INNER):
                _ip("link", "set", device, "up")
            # Without a route to it, a new destination is EINVAL.
            _ip("route", "add", "default", "dev", _INNER)
            yield
        finally:
            _enter(home.fileno())
    with _ending():
        pass


@contextlib.contextmanager
def _ending() -> Iterator[None]:
    """Make a namespace; at the end of the block end it, and wait until its devices are gone."""
    _ip("netns", "add", _name())
    try:
        _ip("link", "add", _OUTER, "type", "veth", "peer", "name", _INNER, "netns", _name())
        index = socket.if_nametoindex(_OUTER)
        yield
    finally:
        listener = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        listener.bind((0, _RTMGRP_LINK))
        _ip("netns", "delete", _name())
    with listener:
        _wait_deleted(listener, index)


def _name() -> str:
    return f"clusterf-bench-{os.getpid()}"


def entries() -> tuple[int, int]:
    """Virtual services and destinations that the kernel has in this process's namespace."""
    services = destinations = 0
    with Path("/proc/self/net/ip_vs").open() as table:
        for line in table:
            services += line.startswith(("TCP", "UDP", "FWM"))
            # The third line of the head begins with an arrow as well.
            destinations += line.startswith("  ->") and "RemoteAddress" not in line
    return services, destinations


def _enter(namespace: int) -> None:
    if _LIBC.setns(namespace, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "setns")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def _wait_deleted(listener: socket.socket, index: int) -> None:
    while select.select([listener], [], [], _LONGEST_END)[0]:
        data = listener.recv(65536)
        while data:
            size, kind, *_ = _NLMSGHDR.unpack_from(data)
            _, _, which, _, _ = _IFINFOMSG.unpack_from(data, _NLMSGHDR.size)
            if kind == _RTM_DELLINK and which == index:
                return
            data = data[(size + 3) & ~3 :]
    raise TimeoutError("the namespace of the last sample does not end")
