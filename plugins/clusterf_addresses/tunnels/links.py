"""Links as the kernel lists them, and the devices that take packets out of tunnels.

Over netlink by ourselves: of a host's many links only a few attributes are wanted, and pyroute2
does not know metadata tunnels over IPv6. Numbers: linux/if_link.h, linux/if_tunnel.h.
"""

from __future__ import annotations

import errno
import socket
import struct
from typing import Final, NamedTuple

from clusterf_addresses.attributes import (
    attribute,
    be16,
    contents,
    nest,
    number,
    text,
    u8,
    u32,
    words,
)
from clusterf_addresses.netlink import CREATE, EXCLUSIVE, ROUTE, RefusedError, talk
from clusterf_addresses.tunnels.receiving import Device, SeenLink

_NEWLINK, _GETLINK = 16, 18
_LINK = struct.Struct("=BxHiII")
"""struct ifinfomsg: family, type, index, flags, mask of flags."""

_IFF_UP, _IFF_LOOPBACK = 1, 8
_IFLA_IFNAME, _IFLA_MTU, _IFLA_LINK, _IFLA_MASTER = 3, 4, 5, 10
_IFLA_LINKINFO, _IFLA_IFALIAS, _IFLA_AF_SPEC, _IFLA_EXT_MASK = 18, 20, 26, 29
_INFO_KIND, _INFO_DATA = 1, 2
_INET6_ADDR_GEN_MODE, _NO_ADDRESSES = 8, 1
_SKIP_STATISTICS = 1 << 3
"""RTEXT_FILTER_SKIP_STATS."""

_INFO_LINK, _LOOPBACK = 1, 1
"""IFLA_IPTUN_LINK; the loopback device of every network namespace (LOOPBACK_IFINDEX)."""

_GRE_CSUM: Final = 0x8000
_GRE_KEY: Final = 0x2000


class _Data(NamedTuple):
    """Numbers of a kind's own attributes: IFLA_IPTUN_*, IFLA_GRE_*."""

    local: int
    remote: int
    collect: int
    flags: int = 0
    protocol: int = 0


_IPTUN = _Data(local=2, remote=3, collect=19, protocol=9)
_GRE = _Data(local=6, remote=7, collect=18, flags=2)
_KINDS: Final = {"ipip": _IPTUN, "sit": _IPTUN, "ip6tnl": _IPTUN, "gre": _GRE, "ip6gre": _GRE}


def list_message() -> bytes:
    """Body of a request for all links."""
    return _LINK.pack(0, 0, 0, 0, 0) + u32(_IFLA_EXT_MASK, _SKIP_STATISTICS)


def seen(body: bytes) -> SeenLink:
    """What an answer says of a link.

    Raises:
        DecodeError: it is not as the kernel's interface says.
    """
    flags = _LINK.unpack_from(body)[3]
    found = contents(body[_LINK.size :])
    info = contents(found.get(_IFLA_LINKINFO, b""))
    kind = words(info.get(_INFO_KIND, b""))
    data = contents(info.get(_INFO_DATA, b"")) if kind in _KINDS else {}
    numbers = _KINDS.get(kind)
    return SeenLink(
        name=words(found.get(_IFLA_IFNAME, b"")),
        kind=kind,
        up=bool(flags & _IFF_UP),
        loopback=bool(flags & _IFF_LOOPBACK),
        mtu=number(found.get(_IFLA_MTU, b"")),
        enslaved=_IFLA_MASTER in found,
        anybody=numbers is not None and _takes_from_anybody(kind, numbers, data),
        checksums=numbers is not None and bool(_flags(numbers, data) & _GRE_CSUM),
        alias=words(found.get(_IFLA_IFALIAS, b"")),
    )


def _takes_from_anybody(kind: str, numbers: _Data, data: dict[int, bytes]) -> bool:
    """Whether it is not for certain ends, or for some of the packets only."""
    if _flags(numbers, data) & _GRE_KEY:
        return False
    if kind == "ip6tnl" and any(data.get(numbers.protocol, b"")):
        return False  # for one inner family
    return numbers.collect in data or not any(
        any(data.get(end, b"")) for end in (numbers.local, numbers.remote)
    )


def _flags(numbers: _Data, data: dict[int, bytes]) -> int:
    """Those of GRE, which are in network order; other kinds have none."""
    return int.from_bytes(data.get(numbers.flags, b"")) if numbers.flags else 0


def create_message(device: Device) -> bytes:
    """Body of a request for a device that is down.

    ``external`` (metadata) devices take what no other device of the host wants; there can be one
    of a kind. sit has no such mode: there a device without addresses comes before sit0, from
    which it must differ by its link (ipip6_tunnel_locate and ipip6_tunnel_lookup in
    net/ipv6/sit.c).
    """
    numbers = _KINDS[device.kind]
    sit = device.kind == "sit"
    data = [u32(_INFO_LINK, _LOOPBACK) if sit else attribute(numbers.collect)]
    if device.checksums and numbers.flags:
        data += [be16(numbers.flags, _GRE_CSUM), be16(numbers.flags + 1, _GRE_CSUM)]
    return (
        _LINK.pack(0, 0, 0, 0, 0)
        + text(_IFLA_IFNAME, device.name)
        + nest(_IFLA_LINKINFO, text(_INFO_KIND, device.kind), nest(_INFO_DATA, *data))
    )


def without_addresses_message(name: str) -> bytes:
    """Body of a request that a link shall make itself no link-local address."""
    family = nest(socket.AF_INET6, u8(_INET6_ADDR_GEN_MODE, _NO_ADDRESSES))
    return _named(name) + nest(_IFLA_AF_SPEC, family)


def alias_message(name: str, words: str) -> bytes:
    """Body of a request that gives a link an alias, or (empty) takes it."""
    return _named(name) + attribute(_IFLA_IFALIAS, words.encode())


def _named(name: str) -> bytes:
    return _LINK.pack(0, 0, 0, 0, 0) + text(_IFLA_IFNAME, name)


def links() -> list[SeenLink]:
    """All links of this network namespace.

    Raises:
        RefusedError, OutputUnavailable: the kernel does not tell.
    """
    with talk(ROUTE) as kernel:
        return [seen(message.body) for message in kernel.dump(_GETLINK, list_message())]


def create(device: Device) -> None:
    """Make a device, down and without addresses.

    Raises:
        RefusedError: from the kernel; EEXIST where the host has such a device already.
    """
    with talk(ROUTE) as kernel:
        kernel.ask(_NEWLINK, create_message(device), CREATE | EXCLUSIVE)
        try:
            kernel.ask(_NEWLINK, without_addresses_message(device.name))
        except RefusedError as refused:
            # Without IPv6 there are no addresses to be made.
            if refused.code != errno.EAFNOSUPPORT:
                raise


def set_alias(name: str, words: str) -> None:
    """Give a link an alias.

    Raises:
        RefusedError: from the kernel; ENODEV where there is no such link.
    """
    with talk(ROUTE) as kernel:
        kernel.ask(_NEWLINK, alias_message(name, words))
