"""Which route holds for an address: the longest prefix, of equal ones the first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from clusterf.model.address import Address, Family, Network, PrefixTable
from clusterf.model.provenance import Refusal
from clusterf.model.service import Route
from clusterf.model.table import Method, Tunnel

_EVERYTHING = {
    Family.INET: Network(Address(bytes(4)), 0),
    Family.INET6: Network(Address(bytes(16)), 0),
}


class Reach(NamedTuple):
    """How a backend is reached; all None: not at all."""

    method: Method | None = None
    gateway: Address | None = None
    tunnel: Tunnel | None = None


class Way(NamedTuple):
    """What a route says, and which route it is."""

    reach: Reach
    route: Route


class Lookup:
    """Routes in their order, ready to be asked for addresses.

    ``ignored`` has the routes that cannot work, by the prefix that they ask for.
    """

    __slots__ = ("has_ignored", "ignored", "size", "ways")

    def __init__(self, routes: Iterable[Route]) -> None:
        self.ways: PrefixTable[Way] = PrefixTable()
        self.ignored: PrefixTable[Refusal] = PrefixTable()
        self.has_ignored = False
        self.size = 0
        for route in routes:
            self.size += 1
            if _misses_its_prefix(route):
                self.has_ignored = True
                self.ignored.add(route.prefix, _refusal(route))  # type: ignore[arg-type] # has one
                continue
            way = Way(_reach(route), route)
            for prefix in _prefixes(route):
                self.ways.add(prefix, way)


def _reach(route: Route) -> Reach:
    if route.method is None:
        return Reach()
    tunnel = route.tunnel if route.method is Method.TUNNEL else None
    return Reach(route.method, route.gateway, tunnel)


def _prefixes(route: Route) -> list[Network]:
    """The default route is one of both families, or of its gateway's where it has one.

    Packets of the other family could not reach that gateway, except in a tunnel.
    """
    if route.prefix is not None:
        return [route.prefix]
    if route.gateway is None or route.method in {None, Method.TUNNEL}:
        return list(_EVERYTHING.values())
    return [_EVERYTHING[route.gateway.family]]


def _misses_its_prefix(route: Route) -> bool:
    return (
        route.prefix is not None
        and route.gateway is not None
        and route.gateway.family is not route.prefix.family
        and route.method not in {None, Method.TUNNEL}
    )


def _refusal(route: Route) -> Refusal:
    return Refusal(
        f"route {route.name}",
        "family_mismatch",
        f"is not used: its gateway {route.gateway} is of another address family than "
        f"its prefix {route.prefix}",
        route.provenance,
        "only a tunnel can do that",
    )
