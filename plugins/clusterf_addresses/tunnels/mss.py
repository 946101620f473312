"""Which segment size fits through a tunnel: header lengths, and what is left of an MTU. Pure.

The reply of a VIP tells the client how long the segments may be that it sends (RFC 9293, 3.7.1);
these go through the tunnel, and what comes back does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from clusterf.model.address import Family
from clusterf.model.table import Tunnel, TunnelType
from clusterf_addresses.tunnels.receiving import Underlay

Mss = Literal["auto", "off"] | int

ETHERNET: Final = 1500
"""The way from the first tier is no wider than this, whatever the interfaces here can do."""

LEAST: Final = 500
"""No way from a first tier is so narrow that less would be needed (RFC 791: 576 bytes)."""

LARGEST: Final = 65_495
"""What an IPv4 packet can carry at most."""

_IP: Final = {Family.INET: 20, Family.INET6: 40}
_TCP: Final = 20
_GRE, _GRE_CHECKSUM = 4, 4
_UDP, _GUE, _REMOTE_CHECKSUM = 8, 4, 8
"""GUE without and with a private field of a remote checksum (include/net/gue.h)."""


def encapsulation(tunnel: Tunnel) -> int:
    """Bytes of a tunnel's headers between the outer and the inner IP header."""
    match tunnel.type:
        case TunnelType.GRE:
            return _GRE + (_GRE_CHECKSUM if tunnel.flags == "csum" else 0)
        case TunnelType.GUE:
            return _UDP + _GUE + (_REMOTE_CHECKSUM if tunnel.flags == "remcsum" else 0)
        case _:
            return 0


def segments(
    mss: Mss, tunnels: Iterable[Tunnel], underlay: Underlay, mtu: int | None
) -> Mapping[Family, int]:
    """The largest segments to advertise for VIPs of each family; empty: as they are.

    ``mtu``: of the narrowest way into this host. A number is that of IPv4, whose header is
    20 bytes shorter than the one of IPv6.
    """
    if isinstance(mss, int):
        return {family: mss + _IP[Family.INET] - _IP[family] for family in Family}
    largest = max(map(encapsulation, tunnels), default=None)
    if mss == "off" or largest is None:
        return {}
    outer = _IP[Family.INET if underlay == "ipv4" else Family.INET6]
    inside = min(mtu or ETHERNET, ETHERNET) - outer - largest
    return {family: max(LEAST, inside - _IP[family] - _TCP) for family in Family}
