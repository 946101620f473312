"""The edits of the receiving end of tunnels, in the words of ip(8) and nft(8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from clusterf.model.address import Family
from clusterf.model.operation import Stage
from clusterf_addresses.tunnels.receiving import ADDRESS, Device, Port
from clusterf_addresses.tunnels.ruleset import TABLE, Ruleset


class _OfTheHost:
    """No virtual service's own: all that come through tunnels need it."""

    __slots__ = ()
    stage: ClassVar[Stage] = Stage.ADD
    subject: ClassVar[None] = None


@dataclass(frozen=True, slots=True)
class CreateTunnel(_OfTheHost):
    """Make a device that takes packets out of tunnels; it is down at first."""

    device: Device

    def describe(self) -> str:
        """As ip link add."""
        how = "dev lo" if self.device.kind == "sit" else "external"
        checksums = " icsum ocsum" * self.device.checksums
        return f"ip link add {self.device.name} type {self.device.kind} {how}{checksums}"

    def reason(self) -> str:
        """Why."""
        return "nothing takes such packets out of their tunnel"


@dataclass(frozen=True, slots=True)
class AddressTunnel(_OfTheHost):
    """Give such a device an address, of no meaning to anybody."""

    device: Device

    def describe(self) -> str:
        """As ip address add."""
        return f"ip address add {ADDRESS}/32 dev {self.device.name} scope link"

    def reason(self) -> str:
        """Why."""
        return "rp_filter drops packets that come by a device without an IPv4 address"


@dataclass(frozen=True, slots=True)
class RaiseTunnel(_OfTheHost):
    """Set such a device up, and take the IPv6 addresses away that the kernel then gives to sit."""

    device: Device

    def describe(self) -> str:
        """As ip link set."""
        return f"ip link set {self.device.name} up"

    def reason(self) -> str:
        """Why."""
        return "the tunnel device is down"


@dataclass(frozen=True, slots=True)
class RemoveTunnel:
    """Remove a device that this program has made. ``replaced``: to be made anew at once."""

    subject: ClassVar[None] = None
    device: Device
    replaced: bool = False

    @property
    def stage(self) -> Stage:
        """After all else, unless another one comes into its place."""
        return Stage.ADD if self.replaced else Stage.REMOVE

    def describe(self) -> str:
        """As ip link delete."""
        return f"ip link delete {self.device.name}"

    def reason(self) -> str:
        """Why."""
        if self.replaced:
            return "it is not as the configuration wants it"
        return "the configuration has no such tunnel any more"


@dataclass(frozen=True, slots=True)
class OpenPort(_OfTheHost):
    """Take GUE at a UDP port.

    ``device`` has an alias that tells what this program has opened, ``recorded``; empty: none has.
    """

    port: Port
    device: str = ""
    recorded: frozenset[int] = frozenset()

    def describe(self) -> str:
        """As ip fou add."""
        return f"ip fou add port {_port(self.port)} gue"

    def reason(self) -> str:
        """Why."""
        return "nothing takes GUE at this port"


@dataclass(frozen=True, slots=True)
class ClosePort:
    """Take GUE no longer at a port that this program has opened."""

    stage: ClassVar[Stage] = Stage.REMOVE
    subject: ClassVar[None] = None
    port: Port
    device: str
    recorded: frozenset[int] = frozenset()

    def describe(self) -> str:
        """As ip fou del."""
        return f"ip fou del port {_port(self.port)}"

    def reason(self) -> str:
        """Why."""
        return "the configuration has another port, or no GUE any more"


@dataclass(frozen=True, slots=True)
class ExchangeTable(_OfTheHost):
    """Put a table of nftables in the place of ours, in one moment."""

    rules: Ruleset
    because: str = ""

    def describe(self) -> str:
        """As nft -f would read it."""
        chains = (
            f"chain {chain.name} {{ "
            + "; ".join(str(rule) for rule in self.rules.rules if rule.chain == chain)
            + " }"
            for chain in self.rules.chains
        )
        return f"nft table inet {TABLE} {{ {' '.join(chains)} }}"

    def reason(self) -> str:
        """Why."""
        return self.because


@dataclass(frozen=True, slots=True)
class RemoveTable:
    """Remove our table of nftables."""

    stage: ClassVar[Stage] = Stage.REMOVE
    subject: ClassVar[None] = None

    def describe(self) -> str:
        """As nft delete."""
        return f"nft delete table inet {TABLE}"

    def reason(self) -> str:
        """Why."""
        return "the configuration has no tunnels and no segment size any more"


TunnelOperation: TypeAlias = (
    CreateTunnel
    | AddressTunnel
    | RaiseTunnel
    | RemoveTunnel
    | OpenPort
    | ClosePort
    | ExchangeTable
    | RemoveTable
)


def _port(port: Port) -> str:
    return f"{port.number}{' -6' if port.family is Family.INET6 else ''}"
