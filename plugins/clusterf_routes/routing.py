"""Backends after their routes: reached by the route's method, filtered out, or left alone.

Each family of a backend has a route of its own, and those count by which clients come. Where two
that count differ, the backend becomes one of each family, because a backend has one method and
one gateway.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from clusterf.model.address import Family
from clusterf.model.provenance import Refusal
from clusterf.model.service import Backend, Service
from clusterf.model.table import Method
from clusterf_routes.lookup import Lookup, Reach, Way

_NAMED = 8
"""Backends that one route filters out of one service by name; more are told as a number.

The original's whitelist (a default route without a method) filters nearly the whole cluster.
"""

_FILTERED = Reach()


@dataclass(slots=True)
class _Routing:
    """One service on its way. ``method`` holds for backends that name none."""

    service: Service
    method: Method
    backends: dict[str, Backend] = field(default_factory=dict)
    filtered: list[tuple[Backend, Way, str]] = field(default_factory=list)


def routed(service: Service, lookup: Lookup, method: Method) -> Service:
    """The service with its backends as the routes want them; the same object if they all are.

    ``method`` is that of backends without one, in a service without one.
    """
    longest = lookup.ways.longest
    run = _Routing(service, service.spec.method or method)
    backends = run.backends
    same = True
    for identity, backend in service.backends.items():
        ipv4, ipv6 = backend.ipv4, backend.ipv6
        way4 = None if ipv4 is None else longest(ipv4)
        way6 = None if ipv6 is None else longest(ipv6)
        way = way4 or way6
        if way is None:
            backends[identity] = backend
        elif ipv4 is not None and ipv6 is not None and _reach(way4) != _reach(way6):
            _follow_each(run, backend, {Family.INET: way4, Family.INET6: way6})
            same = same and backends.get(identity) is backend
        elif way.reach == _FILTERED:
            run.filtered.append((backend, way, "is"))
            same = False
        else:
            backends[identity] = following = _follow(backend, way)
            same = same and following is backend
    if same and not lookup.has_ignored:
        return service
    refusals = (*_filtered(service, run.filtered), *_ignored(service, lookup))
    if same and not refusals:
        return service
    return service.with_backends(backends, *refusals)


def _reach(way: Way | None) -> Reach | None:
    return None if way is None else way.reach


def _follow(backend: Backend, way: Way | None) -> Backend:
    if way is None:
        return backend
    method, gateway, tunnel = way.reach
    tunnel = tunnel or backend.tunnel
    if (backend.method, backend.gateway, backend.tunnel) == (method, gateway, tunnel):
        return backend
    return backend._replace(method=method, gateway=gateway, tunnel=tunnel)


def _follow_each(run: _Routing, backend: Backend, ways: dict[Family, Way | None]) -> None:
    """Take in a backend whose families have different routes: one backend, or one of each."""
    asked = run.service.spec.families
    left: dict[Family, Way | None] = {}
    for family, way in ways.items():
        if _reach(way) != _FILTERED:
            left[family] = way
        elif way is not None and family in asked:
            words = "IPv4" if family is Family.INET else "IPv6"
            run.filtered.append((backend, way, f"by its {words} address is"))
    wanted = [family for family in left if family in asked]
    if len(wanted) == 2:
        for half in _halves(run, backend, left):
            run.backends[half.id] = half
    elif wanted and len(asked) == 1:
        # The other address stays; packets never go to it while there is one of their own family.
        run.backends[backend.id] = _follow(backend, left[wanted[0]])
    elif left:
        [(family, way)] = left.items()
        half = _follow(_only(backend, family), way)
        if wanted or _crosses_families(run, half):
            run.backends[backend.id] = half


def _halves(run: _Routing, backend: Backend, ways: dict[Family, Way | None]) -> Iterator[Backend]:
    for family, way in ways.items():
        half = _follow(_only(backend, family), way)
        identity = f"{backend.id}/{family}"
        while identity in run.service.backends:
            identity += "+"
        if _crosses_families(run, half):
            # This half would serve the virtual services of the other family too, beside the
            # other half. As its own gateway it does not, and with a tunnel the port is the
            # frontend's either way.
            yield half._replace(id=identity, gateway=half.address(family))
        else:
            yield half._replace(id=identity)


def _crosses_families(run: _Routing, half: Backend) -> bool:
    """Only a tunnel does, and through a gateway only for an address of the clients' family."""
    return (half.method or run.method) is Method.TUNNEL and half.gateway is None


def _only(backend: Backend, family: Family) -> Backend:
    if family is Family.INET:
        return backend._replace(ipv6=None)
    return backend._replace(ipv4=None)


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
