"""What was seen of the receiving end of tunnels. Frozen values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from clusterf_addresses.tunnels import operations
from clusterf_addresses.tunnels.nft_codec import marks
from clusterf_addresses.tunnels.operations import TunnelOperation
from clusterf_addresses.tunnels.receiving import KINDS, Device, Port, SeenLink, alias

Marks = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelWorld:
    """One look.

    ``links``: tunnel devices of all kinds; ``mtu``: of the narrowest way into this host, None
    where there is none. ``ports``: those that take GUE; None: this kernel cannot, or was not
    asked. ``table``: chain and comment of each rule of ours; None: there is no such table.
    ``refused``: the errno with which the kernel refuses such a table.
    """

    links: tuple[SeenLink, ...] = ()
    mtu: int | None = None
    ports: frozenset[Port] | None = None
    table: Marks | None = None
    refused: int = 0

    def named(self, name: str) -> SeenLink | None:
        """The tunnel device of this name."""
        return next((link for link in self.links if link.name == name), None)

    def serving(self, device: Device) -> SeenLink | None:
        """What takes packets for this, ours first."""
        found = [link for link in self.links if link.serves(device)]
        return next((link for link in found if link.ours), found[0] if found else None)


def tunnel_devices(links: Iterable[SeenLink]) -> tuple[SeenLink, ...]:
    """Those that may take packets out of tunnels."""
    return tuple(link for link in links if link.kind in KINDS)


def after_tunnel(world: TunnelWorld, operation: TunnelOperation) -> TunnelWorld:
    """The world after an operation that was done."""
    match operation:
        case operations.CreateTunnel(device):
            kind, checksums = device
            link = SeenLink(device.name, kind, up=False, anybody=True, checksums=checksums)
            return replace(world, links=(*world.links, link))
        case operations.AddressTunnel(device):
            return _with_link(world, device.name, addressed=True)
        case operations.RaiseTunnel(device):
            return _with_link(world, device.name, up=True)
        case operations.RemoveTunnel(device):
            left = tuple(link for link in world.links if link.name != device.name)
            return replace(world, links=left)
        case operations.OpenPort(port, device, kept):
            opened = replace(world, ports=(world.ports or frozenset()) | {port})
            return _with_link(opened, device, alias=alias(kept))
        case operations.ClosePort(port, device, kept):
            closed = replace(world, ports=(world.ports or frozenset()) - {port})
            return _with_link(closed, device, alias=alias(kept))
        case operations.ExchangeTable(rules):
            return replace(world, table=marks(rules))
        case operations.RemoveTable():
            return replace(world, table=None)


def _with_link(world: TunnelWorld, name: str, **changes: bool | str) -> TunnelWorld:
    links = tuple(
        link._replace(**changes) if link.name == name else link  # type: ignore[arg-type]
        for link in world.links
    )
    return replace(world, links=links)
