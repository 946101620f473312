"""The receiving end of tunnels: what has to be there for packets of a first tier. Pure.

Which device takes what out of its envelope, by the protocol number of what is inside:

    =========  =============  ==============
    outer      inner IPv4     inner IPv6
    =========  =============  ==============
    IPv4       ipip           sit
    IPv6       ip6tnl         ip6tnl
    =========  =============  ==============

GUE takes off its own headers and hands the rest to the same devices as if it had come as IPIP
(net/ipv4/fou.c). GRE has one device for each outer family, for both inner ones.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Literal, NamedTuple

from clusterf.model.address import Family
from clusterf.model.table import Tunnel, TunnelType

Underlay = Literal["both", "ipv4", "ipv6"]

OURS = "clusterf-"
"""What the names of our devices begin with. By it they are known, and their packets guarded."""

_OUTER: dict[Underlay, tuple[Family, ...]] = {
    "both": (Family.INET, Family.INET6),
    "ipv4": (Family.INET,),
    "ipv6": (Family.INET6,),
}


ADDRESS = "192.0.0.8"
"""The dummy address of RFC 7600: for devices that need an IPv4 address and are never spoken to."""


class Device(NamedTuple):
    """A device that takes packets out of tunnels. ``checksums``: GRE packets must have one."""

    kind: str
    checksums: bool = False

    @property
    def takes_ipv4(self) -> bool:
        """Whether IPv4 packets come out of it."""
        return self.kind != "sit"

    @property
    def name(self) -> str:
        """Name of the one that we would make."""
        return OURS + self.kind


_MODULES = {"ip6tnl": "ip6_tunnel", "gre": "ip_gre", "ip6gre": "ip6_gre"}


def module(device: Device) -> str:
    """The kernel's module for a kind of devices."""
    return _MODULES.get(device.kind, device.kind)


class Port(NamedTuple):
    """A UDP port at which the kernel takes GUE."""

    family: Family
    number: int


class Receiving(NamedTuple):
    """What the configuration asks for. ``table``: whether there is to be one of nftables."""

    devices: tuple[Device, ...] = ()
    ports: tuple[Port, ...] = ()
    table: bool = False


def receiving(
    tunnels: Iterable[Tunnel], underlay: Underlay, inner: Collection[Family]
) -> Receiving:
    """Devices and ports for these tunnels. ``inner``: families of the VIPs."""
    tunnels = list(tunnels)
    devices = {device: None for one in tunnels for device in _devices(one, underlay, inner)}
    ports = {
        Port(family, one.port): None
        for one in tunnels
        if one.type is TunnelType.GUE
        for family in _OUTER[underlay]
    }
    return Receiving(tuple(devices), tuple(ports))


def _devices(tunnel: Tunnel, underlay: Underlay, inner: Collection[Family]) -> Iterator[Device]:
    for outer in _OUTER[underlay]:
        ipv4 = outer is Family.INET
        if tunnel.type is TunnelType.GRE:
            yield Device("gre" if ipv4 else "ip6gre", tunnel.flags == "csum")
        elif not ipv4:
            yield Device("ip6tnl")
        else:
            if Family.INET in inner:
                yield Device("ipip")
            if Family.INET6 in inner:
                yield Device("sit")


KINDS = frozenset({"ipip", "sit", "ip6tnl", "gre", "ip6gre"})

_NO_WAY_IN = KINDS | {"dummy", "gretap", "ip6gretap", "erspan", "ip6erspan", "vti", "vti6"}
"""Kinds of links by which the first tier's packets do not come, whatever their MTU."""


class SeenLink(NamedTuple):
    """A link of this host. ``anybody``: a tunnel device that is not for certain ends only.

    ``addressed``: it has an IPv4 address. Without one the kernel drops what comes by it as soon as
    rp_filter checks anything at all (``no_addr`` in net/ipv4/fib_frontend.c).
    """

    name: str
    kind: str = ""
    up: bool = True
    loopback: bool = False
    mtu: int = 1500
    enslaved: bool = False
    anybody: bool = False
    checksums: bool = False
    alias: str = ""
    addressed: bool = False

    @property
    def ours(self) -> bool:
        """Whether this program has made it, in this run or another."""
        return self.kind in KINDS and self.name == OURS + self.kind

    def serves(self, device: Device) -> bool:
        """Whether it takes what this device is wanted for."""
        return (
            (self.kind, self.checksums) == device
            and self.anybody
            and (self.up or self.name == device.name)
        )


def narrowest(links: Iterable[SeenLink]) -> int | None:
    """The smallest MTU of the links by which packets of a first tier may come; None: no such."""
    return min(
        (
            link.mtu
            for link in links
            if link.up and not (link.loopback or link.enslaved or link.kind in _NO_WAY_IN)
        ),
        default=None,
    )


_RECORD = re.compile(r"clusterf: gue((?: \d{1,5})+)")


def alias(ports: Iterable[int]) -> str:
    """How a device of ours tells which UDP ports we have opened for GUE of its outer family.

    The kernel keeps no mark of ours at a port itself.
    """
    listed = sorted(ports)
    return "clusterf: gue " + " ".join(map(str, listed)) if listed else ""


def recorded(words: str) -> frozenset[int]:
    """The ports that an alias tells."""
    match = _RECORD.fullmatch(words)
    return frozenset(map(int, match[1].split())) if match else frozenset()


def keepers(family: Family) -> tuple[str, ...]:
    """Names of the devices whose alias may tell the ports of an outer family; the first is used."""
    kinds = ("ipip", "sit") if family is Family.INET else ("ip6tnl",)
    return tuple(Device(kind).name for kind in kinds)
