"""The table: virtual services with their destinations, as the kernel identifies and edits them.

Key and settings are apart: a key identifies an entry in the kernel, everything else can be edited
in place. Equality ignores ``because``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from clusterf.model.address import Address, Family, endpoint

WEIGHT_MAX = 2**31 - 1
"""Largest weight the kernel takes; above it answers ERANGE."""

SCHEDULERS: Mapping[str, frozenset[str]] = {
    "rr": frozenset(),
    "wrr": frozenset(),
    "lc": frozenset(),
    "wlc": frozenset(),
    "lblc": frozenset(),
    "lblcr": frozenset(),
    "dh": frozenset(),
    "sh": frozenset({"sh-fallback", "sh-port"}),
    "mh": frozenset({"mh-fallback", "mh-port"}),
    "sed": frozenset(),
    "nq": frozenset(),
    "fo": frozenset(),
    "ovf": frozenset(),
    "twos": frozenset(),
}
"""Every scheduler of the kernel (net/netfilter/ipvs/ip_vs_*.c) with the flags it knows."""

SERVICE_FLAGS: frozenset[str] = frozenset({"ops"})
"""Flags of any scheduler; ``ops`` is one-packet scheduling, for UDP."""


class Protocol(StrEnum):
    """Transport protocol of a virtual service."""

    TCP = "tcp"
    UDP = "udp"
    SCTP = "sctp"

    # Enum's own is Python code, and this is part of the key of every mapping of entries.
    __hash__ = str.__hash__


class Method(StrEnum):
    """Forwarding method."""

    MASQ = "masq"
    DROUTE = "droute"
    TUNNEL = "tunnel"

    __hash__ = str.__hash__


class TunnelType(StrEnum):
    """Encapsulation of the method ``tunnel``."""

    IPIP = "ipip"
    GUE = "gue"
    GRE = "gre"


class Tunnel(NamedTuple):
    """Encapsulation: ``port`` is for GUE (UDP, host order), ``flags`` as ipvsadm names them.

    Flags: ``nocsum`` (default), ``csum``, ``remcsum``; at most one.
    """

    type: TunnelType = TunnelType.IPIP
    port: int = 0
    flags: str = "nocsum"


class Persistence(NamedTuple):
    """Stickiness of clients: ``timeout`` in seconds; ``prefix`` groups clients, in bits."""

    timeout: int
    prefix: int


class AddressKey(NamedTuple):
    """Identity of a virtual service at a VIP."""

    protocol: Protocol
    address: Address
    port: int

    @property
    def family(self) -> Family:
        """Family of the VIP."""
        return self.address.family

    def __str__(self) -> str:
        return f"{self.protocol} {endpoint(self.address, self.port)}"


class FwmarkKey(NamedTuple):
    """Identity of a virtual service for packets with a firewall mark."""

    family: Family
    mark: int

    def __str__(self) -> str:
        return f"fwmark {self.mark}" + (" inet6" if self.family is Family.INET6 else "")


ServiceKey: TypeAlias = AddressKey | FwmarkKey


class DestinationKey(NamedTuple):
    """Identity of a destination within its virtual service; not the method."""

    address: Address
    port: int

    def __str__(self) -> str:
        return endpoint(self.address, self.port)


@dataclass(frozen=True, slots=True)
class Destination:
    """Settings of a destination; alike ones may be one object.

    ``because``: where the backends behind it came from; for a quiesced one the backend itself.
    """

    weight: int
    method: Method
    upper_threshold: int = 0
    lower_threshold: int = 0
    tunnel: Tunnel | None = None
    because: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class VirtualService:
    """Settings of a virtual service and its destinations."""

    scheduler: str
    flags: frozenset[str] = frozenset()
    persistence: Persistence | None = None
    destinations: Mapping[DestinationKey, Destination] = field(default_factory=dict)
    because: object = field(default=None, compare=False, repr=False)

    @property
    def settings(self) -> tuple[str, frozenset[str], Persistence | None]:
        """What SET_SERVICE can edit."""
        return (self.scheduler, self.flags, self.persistence)

    @property
    def serves(self) -> bool:
        """Whether a new connection finds a destination."""
        return any(destination.weight for destination in self.destinations.values())


Table: TypeAlias = Mapping[ServiceKey, VirtualService]


class Connections(NamedTuple):
    """Counters of a destination, as ipvsadm's columns ActiveConn and InActConn."""

    active: int
    inactive: int
