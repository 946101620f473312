"""Plan the receiving end of tunnels: from what was seen to operations. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from clusterf.model.address import Family, Network
from clusterf.model.operation import Operation
from clusterf.model.table import Tunnel
from clusterf_addresses.needs import tunnelled
from clusterf_addresses.operations import SetSysctl
from clusterf_addresses.tunnels import operations
from clusterf_addresses.tunnels.modules import Modules
from clusterf_addresses.tunnels.mss import Mss, segments
from clusterf_addresses.tunnels.nft_codec import marks
from clusterf_addresses.tunnels.receiving import (
    KINDS,
    OURS,
    Device,
    Port,
    Receiving,
    Underlay,
    keepers,
    receiving,
    recorded,
)
from clusterf_addresses.tunnels.ruleset import Ruleset, ruleset
from clusterf_addresses.tunnels.world import TunnelWorld


@dataclass(frozen=True, slots=True)
class TunnelRules:
    """What the configuration says; ``prefixes`` are the managed ones."""

    tunnels: tuple[Tunnel, ...] = ()
    underlay: Underlay = "both"
    mss: Mss = "auto"
    prefixes: tuple[Network, ...] = ()

    @property
    def wanted(self) -> Receiving:
        """Devices, ports and whether there is to be a table."""
        families = {prefix.family for prefix in self.prefixes}
        found = receiving(self.tunnels, self.underlay, families)
        return found._replace(table=bool(self.rules(None).rules))

    def rules(self, mtu: int | None) -> Ruleset:
        """The table for a narrowest way in of this MTU."""
        largest = segments(self.mss, self.tunnels, self.underlay, mtu)
        return ruleset(OURS if self.tunnels else "", self.prefixes, largest)

    def asking(self, modules: Modules) -> Receiving:
        """Of what is wanted, what the kernel can be asked about without loading anything."""
        wanted = self.wanted
        return wanted._replace(
            ports=wanted.ports if "fou" in modules.running else (),
            table=wanted.table and "nf_tables" in modules.running,
        )

    def receivers(self, seen: TunnelWorld) -> list[str]:
        """Names of the devices by which packets come out of these tunnels."""
        serving = (seen.serving(device) for device in self.wanted.devices)
        return [link.name for link in serving if link is not None]

    @staticmethod
    def makes(sysctl: str) -> bool:
        """Whether it is of a device that we make ourselves."""
        return sysctl in {tunnelled(OURS + kind).name for kind in KINDS}


class TunnelPlan(NamedTuple):
    """What comes before VIPs are added, and what after they are removed."""

    first: list[Operation]
    last: list[Operation]


def plan_tunnels(rules: TunnelRules, seen: TunnelWorld) -> TunnelPlan:
    """All that is not as configured.

    A device is guarded by its sysctl and by the table before it is set up.
    """
    wanted = rules.wanted
    table = rules.rules(seen.mtu)
    first = [
        *_devices(wanted, seen),
        *_table(table, seen),
        *_raised(wanted, seen),
        *_opened(wanted, seen),
    ]
    last: list[Operation] = [*_closed(wanted, seen), *_unwanted(wanted, seen)]
    if seen.table is not None and not table.rules:
        last.append(operations.RemoveTable())
    return TunnelPlan(first, last)


def _devices(wanted: Receiving, seen: TunnelWorld) -> Iterator[Operation]:
    for device in wanted.devices:
        serving = seen.serving(device)
        if serving is None:
            there = seen.named(device.name)
            if there is not None and there.ours:
                yield operations.RemoveTunnel(device, replaced=True)
            yield operations.CreateTunnel(device)
            need = tunnelled(device.name)
            yield SetSysctl(need.name, need.wanted, need.why)
        if device.takes_ipv4 and (serving is None or (serving.ours and not serving.addressed)):
            yield operations.AddressTunnel(device)


def _raised(wanted: Receiving, seen: TunnelWorld) -> Iterator[Operation]:
    for device in wanted.devices:
        serving = seen.serving(device)
        if serving is None or not serving.up:
            yield operations.RaiseTunnel(device)


def _table(table: Ruleset, seen: TunnelWorld) -> Iterator[Operation]:
    if not table.rules or seen.refused or seen.table == marks(table):
        return
    because = "there is none" if seen.table is None else "it is not as the configuration wants it"
    yield operations.ExchangeTable(table, because)


def _opened(wanted: Receiving, seen: TunnelWorld) -> Iterator[Operation]:
    for port in _missing(wanted, seen):
        device = _keeper(port.family, wanted, seen)
        yield operations.OpenPort(port, device, _recorded(device, seen) | {port.number})


def _missing(wanted: Receiving, seen: TunnelWorld) -> list[Port]:
    return [port for port in wanted.ports if port not in (seen.ports or ())]


def _keeper(family: Family, wanted: Receiving, seen: TunnelWorld) -> str:
    """The device of ours that is, or will be, there for records; empty where there is none."""
    for device in wanted.devices:
        serving = seen.serving(device)
        if device.name in keepers(family) and (serving is None or serving.ours):
            return device.name
    return ""


def _recorded(device: str, seen: TunnelWorld) -> frozenset[int]:
    link = seen.named(device)
    return recorded(link.alias) if link is not None and link.ours else frozenset()


def _closed(wanted: Receiving, seen: TunnelWorld) -> Iterator[Operation]:
    """Also of ports that somebody has closed before: so that their record goes."""
    for family in Family:
        keep = {port.number for port in wanted.ports if port.family is family}
        opened = {port.number for port in _missing(wanted, seen) if port.family is family}
        for device in keepers(family):
            ours = _recorded(device, seen)
            # What this very plan opens is recorded by then.
            left = ours | opened if device == _keeper(family, wanted, seen) else ours
            for number in sorted(ours - keep):
                left -= {number}
                yield operations.ClosePort(Port(family, number), device, left)


def _unwanted(wanted: Receiving, seen: TunnelWorld) -> Iterator[Operation]:
    names = {device.name for device in wanted.devices}
    for link in seen.links:
        if link.ours and link.name not in names:
            yield operations.RemoveTunnel(Device(link.kind, link.checksums))
