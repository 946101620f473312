"""Backends after their routes: reached by the route's method, filtered out, or left alone.

Each family of a backend has a route of its own. Where the two differ, the backend becomes one of
each family, because a backend has one method and one gateway.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from clusterf.model.address import Family
from clusterf.model.provenance import Refusal
from clusterf.model.service import Backend, Service
from clusterf.model.table import Method
from clusterf_routes.lookup import Lookup, Reach, Way

_NAMED = 8
"""Backends that one route filters out of one service by name; more are told as a number.

The original's whitelist (a default route without a method) filters nearly the whole cluster.
"""


def routed(service: Service, lookup: Lookup) -> Service:
    """The service with its backends as the routes want them; the same object if they all are."""
    longest = lookup.ways.longest
    backends: dict[str, Backend] = {}
    filtered: list[tuple[Backend, Way, str]] = []
    same = True
    for identity, backend in service.backends.items():
        ipv4, ipv6 = backend.ipv4, backend.ipv6
        way4 = None if ipv4 is None else longest(ipv4)
        way6 = None if ipv6 is None else longest(ipv6)
        way = way4 or way6
        if way is None:
            backends[identity] = backend
            continue
        if ipv4 is None or ipv6 is None or _reach(way4) == _reach(way6):
            if way.reach.method is None:
                filtered.append((backend, way, "is"))
                same = False
                continue
            backends[identity] = following = _follow(backend, way.reach)
            same = same and following is backend
            continue
        same = False
        for half in _halves(service, backend, way4, way6, filtered):
            backends[half.id] = half
    if same and not lookup.has_ignored:
        return service
    refusals = (*_filtered(service, filtered), *_ignored(service, lookup))
    if same and not refusals:
        return service
    return service.with_backends(backends, *refusals)


def _reach(way: Way | None) -> Reach | None:
    return None if way is None else way.reach


def _follow(backend: Backend, reach: Reach) -> Backend:
    method, gateway, tunnel = reach
    tunnel = tunnel or backend.tunnel
    if (backend.method, backend.gateway, backend.tunnel) == (method, gateway, tunnel):
        return backend
    return replace(backend, method=method, gateway=gateway, tunnel=tunnel)


def _halves(
    service: Service,
    backend: Backend,
    way4: Way | None,
    way6: Way | None,
    filtered: list[tuple[Backend, Way, str]],
) -> Iterator[Backend]:
    """What is left of a backend whose families have different routes.

    With one family filtered out it is a backend of the other one and keeps its id.
    """
    families = {Family.INET: way4, Family.INET6: way6}
    left: dict[Family, Backend] = {}
    for family, way in families.items():
        if way is not None and way.reach.method is None:
            words = "IPv4" if family is Family.INET else "IPv6"
            filtered.append((backend, way, f"by its {words} address is"))
            continue
        half = _only(backend, family)
        left[family] = half if way is None else _follow(half, way.reach)
    if len(left) == 1:
        yield from left.values()
        return
    for family, half in left.items():
        identity = f"{backend.id}/{family}"
        while identity in service.backends:
            identity += "+"
        method = half.method or service.spec.method
        if method is Method.TUNNEL and half.gateway is None:
            # A tunnel crosses families: without a gateway this half would serve the virtual
            # services of the other family too, beside the other half. As its own gateway it
            # does not, and with a tunnel the port is the frontend's either way.
            yield replace(half, id=identity, gateway=half.address(family))
        else:
            yield replace(half, id=identity)


def _only(backend: Backend, family: Family) -> Backend:
    if family is Family.INET:
        return replace(backend, ipv6=None)
    return replace(backend, ipv4=None)


def _filtered(service: Service, filtered: list[tuple[Backend, Way, str]]) -> Iterator[Refusal]:
    """One refusal for each backend, or one for all where a route filters out many."""
    by_route: dict[int, list[tuple[Backend, Way, str]]] = {}
    for one in filtered:
        by_route.setdefault(id(one[1].route), []).append(one)
    for group in by_route.values():
        route = group[0][1].route
        if len(group) > _NAMED:
            yield Refusal(
                f"service {service.name}",
                "filtered",
                f'route "{route.name}" filters out {len(group)} of its backends',
                route.provenance,
            )
            continue
        for backend, _, words in group:
            yield Refusal(
                f"service {service.name} backend {backend.id}",
                "filtered",
                f'{words} filtered out by route "{route.name}" of {route.provenance}',
                backend.provenance,
            )


def _ignored(service: Service, lookup: Lookup) -> Iterator[Refusal]:
    """Routes that cannot work and would have held for a backend of this service, each once."""
    if not lookup.has_ignored:
        return
    seen: set[str] = set()
    for backend in service.backends.values():
        for address in (backend.ipv4, backend.ipv6):
            refusal = None if address is None else lookup.ignored.longest(address)
            if refusal is not None and refusal.subject not in seen:
                seen.add(refusal.subject)
                yield refusal
