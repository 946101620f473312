"""A view of the engine for the tests of this plugin: a table, and what a data plane says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from clusterf.model.address import Address
from clusterf.model.table import (
    AddressKey,
    Destination,
    DestinationKey,
    Method,
    Persistence,
    Protocol,
    ServiceKey,
    VirtualService,
)

REAL = {4: Address.parse("203.0.113.1"), 16: Address.parse("2001:db8:2::1")}


def key(vip: str, port: int = 80, protocol: Protocol = Protocol.TCP) -> AddressKey:
    return AddressKey(protocol, Address.parse(vip), port)


def entry(
    vip: str,
    *,
    weight: int = 1,
    method: Method = Method.MASQ,
    persistence: bool = False,
) -> VirtualService:
    """A virtual service with one destination of the VIP's family."""
    target = DestinationKey(REAL[len(Address.parse(vip))], 80)
    return VirtualService(
        "wlc",
        persistence=Persistence(300, 32) if persistence else None,
        destinations={target: Destination(weight, method)},
    )


@dataclass
class View:
    """Implements `clusterf.plugin.Desired`: ``kernel`` are the entries of the data plane."""

    table: dict[ServiceKey, VirtualService] = field(default_factory=dict)
    kernel: dict[ServiceKey, VirtualService] = field(default_factory=dict)
    hold: str | None = None

    def departed(self, key: ServiceKey, target: DestinationKey | None = None) -> bool:
        return key not in self.table and target is None

    def serving(self, address: Address) -> bool:
        return any(
            one.serves and service in self.kernel for service, one in _at(self.table, address)
        )

    def held(self, address: Address) -> bool:
        return any(True for _ in _at(self.kernel, address))


def _at(
    entries: Mapping[ServiceKey, VirtualService], address: Address
) -> Iterable[tuple[ServiceKey, VirtualService]]:
    for service, one in entries.items():
        if isinstance(service, AddressKey) and service.address == address:
            yield service, one


def serving(*vips: str) -> View:
    """A view in which these VIPs can serve."""
    table: dict[ServiceKey, VirtualService] = {key(vip): entry(vip) for vip in vips}
    return View(table, dict(table))
