"""The receiving end of tunnels in memory: devices, ports and a table of nftables."""

from __future__ import annotations

from clusterf_addresses.tunnels.nft_codec import marks
from clusterf_addresses.tunnels.operations import (
    AddressTunnel,
    ClosePort,
    CreateTunnel,
    ExchangeTable,
    OpenPort,
    RaiseTunnel,
    RemoveTable,
    RemoveTunnel,
    TunnelOperation,
)
from clusterf_addresses.tunnels.receiving import (
    Port,
    Receiving,
    SeenLink,
    alias,
    narrowest,
    recorded,
)
from clusterf_addresses.tunnels.world import Marks, TunnelWorld, tunnel_devices


class FakeTunnels:
    """What somebody else may do to it are its attributes. ``lacking``: kinds the kernel has not."""

    def __init__(self) -> None:
        self.links: dict[str, SeenLink] = {"eth0": SeenLink("eth0")}
        self.ports: set[Port] = set()
        self.table: Marks | None = None
        self.refused = 0
        self.lacking: set[str] = set()

    def names(self) -> list[str]:
        """Of the tunnel devices."""
        return [link.name for link in tunnel_devices(self.links.values())]

    def change(self, name: str, **changes: bool | str | int) -> None:
        """What somebody else does to a link."""
        self.links[name] = self.links[name]._replace(**changes)  # type: ignore[arg-type]

    def look(self, wanted: Receiving) -> TunnelWorld:
        ours = any(link.ours for link in self.links.values())
        found = list(self.links.values()) if wanted.devices or wanted.table or ours else []
        records = any(recorded(link.alias) for link in found)
        return TunnelWorld(
            links=tunnel_devices(found),
            mtu=narrowest(found),
            ports=frozenset(self.ports) if wanted.ports or records else None,
            table=self.table,
            refused=self.refused if wanted.table else 0,
        )

    def carry_out(self, operation: TunnelOperation) -> str:
        """Returns what went wrong."""
        match operation:
            case OpenPort() | ClosePort():
                return self._port(operation)
            case ExchangeTable(rules):
                if self.refused:
                    return "operation not supported (ENOTSUP)"
                self.table = marks(rules)
                return ""
            case RemoveTable():
                self.table = None
                return ""
            case _:
                return self._device(operation)

    def _device(self, operation: CreateTunnel | AddressTunnel | RaiseTunnel | RemoveTunnel) -> str:
        kind, checksums = operation.device
        name = operation.device.name
        if isinstance(operation, CreateTunnel):
            if kind in self.lacking:
                return "operation not supported (ENOTSUP)"
            if name in self.links:
                return "file exists (EEXIST)"
            self.links[name] = SeenLink(name, kind, up=False, anybody=True, checksums=checksums)
        elif isinstance(operation, RemoveTunnel):
            self.links.pop(name, None)
        elif name not in self.links:
            return "no such device (ENODEV)"
        elif isinstance(operation, AddressTunnel):
            self.change(name, addressed=True)
        else:
            self.change(name, up=True)
        return ""

    def _port(self, operation: OpenPort | ClosePort) -> str:
        if operation.device:
            self.change(operation.device, alias=alias(operation.recorded))
        if isinstance(operation, ClosePort):
            self.ports.discard(operation.port)
        elif operation.port in self.ports:
            return "address already in use (EADDRINUSE)"
        else:
            self.ports.add(operation.port)
        return ""
