"""The policy ``routes`` against an oracle that knows only ipaddress and a linear scan."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from clusterf.model.address import Address, Family, Network
from clusterf.model.defaults import Defaults
from clusterf.model.provenance import Provenance
from clusterf.model.scope import Scope
from clusterf.model.service import Backend, Facts, Frontend, Ports, Route, Service, ServiceSpec
from clusterf.model.table import AddressKey, Method, Protocol
from clusterf.pipeline.resolve import resolve
from clusterf.testing import InstanceContext
from clusterf_routes.policy import RoutesPolicy
from clusterf_routes.settings import RoutesSettings

HERE = Provenance("sources.test")
VIPS = {
    Family.INET: Address.parse("198.51.100.1"),
    Family.INET6: Address.parse("2001:db8:ffff::1"),
}
SCOPE = Scope(prefixes=[Network.parse("198.51.100.1"), Network.parse("2001:db8:ffff::1")])
POLICY = RoutesPolicy(RoutesSettings(), InstanceContext("policies[0]", folder=Path()))

# Few bits that differ, at both ends and in the middle, so that prefixes nest and meet.
_BITS4 = st.sampled_from([0, 1, 2, 3, 64, 127, 128, 129, 192, 255])
_BITS6 = st.sampled_from([0, 1, 2, 1 << 16, (1 << 16) + 1, 1 << 63, 1 << 64, (1 << 64) + 3])
ipv4 = _BITS4.map(lambda bits: Address((0xC0000200 + bits).to_bytes(4)))
ipv6 = _BITS6.map(lambda bits: Address(((0x20010DB8 << 96) + bits).to_bytes(16)))


def _network(address: Address, length: int) -> Network:
    bits = address.family.bits
    length = min(length, bits)
    number = int.from_bytes(address) >> (bits - length) << (bits - length)
    return Network(Address(number.to_bytes(len(address))), length)


networks = st.builds(
    _network, ipv4, st.sampled_from([0, 1, 8, 24, 25, 26, 30, 31, 32])
) | st.builds(_network, ipv6, st.sampled_from([0, 1, 32, 64, 65, 112, 127, 128]))


@st.composite
def route_lists(draw: st.DrawFn) -> tuple[Route, ...]:
    count = draw(st.integers(0, 8))
    return tuple(
        Route(
            name=f"r{index}",
            prefix=draw(st.none() | networks),
            method=draw(st.none() | st.sampled_from(Method)),
            gateway=draw(st.none() | ipv4 | ipv6),
            provenance=HERE,
        )
        for index in range(count)
    )


def _frontend(family: Family) -> Frontend:
    if family is Family.INET:
        return Frontend(ipv4=VIPS[family], ports=Ports(tcp=80))
    return Frontend(ipv6=VIPS[family], ports=Ports(tcp=80))


def asked(service: Service) -> set[Family]:
    return {family for one in service.spec.frontends or () for family in one.families}


@st.composite
def services(draw: st.DrawFn) -> Service:
    backends = {}
    for index in range(draw(st.integers(0, 8))):
        first, second = draw(
            st.one_of(st.tuples(ipv4, st.none()), st.tuples(st.none(), ipv6), st.tuples(ipv4, ipv6))
        )
        backends[f"b{index}"] = Backend(
            service="web",
            id=f"b{index}",
            ipv4=first,
            ipv6=second,
            ports=Ports(tcp=draw(st.sampled_from([80, 8080]))),
            weight=draw(st.none() | st.integers(0, 20)),
            provenance=HERE,
        )
    families = draw(st.sets(st.sampled_from(Family), min_size=1))
    frontends = tuple(_frontend(family) for family in sorted(families))
    spec = ServiceSpec(name="web", frontends=frontends, provenance=HERE)
    return Service(name="web", order=(0, 0, "web"), spec=spec, backends=backends)


class Told(NamedTuple):
    """What the oracle says of one address: ``route`` None where none holds."""

    route: Route | None
    method: Method | None


def oracle(address: Address, routes: tuple[Route, ...]) -> Told:
    """Longest prefix by linear scan; the first of equal ones; what cannot work does not count."""
    own = ipaddress.ip_address(bytes(address))
    best, length = None, -1
    for route in routes:
        plain = route.method not in {None, Method.TUNNEL}
        gateway = ipaddress.ip_address(bytes(route.gateway)) if route.gateway else None
        if route.prefix is not None:
            prefix = ipaddress.ip_network(str(route.prefix))
            if plain and gateway is not None and gateway.version != prefix.version:
                continue
            holds = own in prefix
        else:
            prefix = None
            holds = not (plain and gateway is not None and gateway.version != own.version)
        bits = prefix.prefixlen if prefix is not None else 0
        if holds and bits > length:
            best, length = route, bits
    return Told(best, Method.MASQ if best is None else best.method)


def expected(service: Service, routes: tuple[Route, ...], family: Family) -> dict[str, int]:
    """Destinations of the VIP of a family, with weights, as sections 2.4 and 2.5 would have it."""
    destinations: dict[str, int] = {}
    for backend in service.backends.values():
        told = {
            own.family: (own, oracle(own, routes))
            for own in (backend.ipv4, backend.ipv6)
            if own is not None
        }
        told = {kind: one for kind, one in told.items() if one[1].method is not None}
        if family in told:
            own, (route, method) = told[family]
        elif told:
            # Only a tunnel crosses families, and with a gateway even that needs an own address.
            [(own, (route, method))] = told.values()
            if method is not Method.TUNNEL or (route is not None and route.gateway is not None):
                continue
        else:
            continue
        port = backend.ports.tcp
        if route is not None and route.gateway is not None:
            target = f"{ipaddress.ip_address(bytes(route.gateway))} 80"
        elif method is Method.MASQ:
            target = f"{ipaddress.ip_address(bytes(own))} {port}"
        elif port == 80 or (method is Method.TUNNEL and _differ(told) and len(asked(service)) == 2):
            # A tunnelled half of a backend whose families differ has no port to contradict.
            target = f"{ipaddress.ip_address(bytes(own))} 80"
        else:
            continue
        weight = 10 if backend.weight is None else backend.weight
        destinations[target] = destinations.get(target, 0) + weight
    return destinations


def _differ(told: dict[Family, tuple[Address, Told]]) -> bool:
    ways = {(of.method, of.route and of.route.gateway) for _, of in told.values()}
    return len(ways) > 1


@given(services(), route_lists())
def test_every_vip_gets_the_destinations_that_a_linear_scan_finds(
    service: Service, routes: tuple[Route, ...]
) -> None:
    after = POLICY.apply(service, Facts(routes=routes))
    table = resolve(after, Defaults(), SCOPE).entries
    for family in asked(service):
        entry = table[AddressKey(Protocol.TCP, VIPS[family], 80)]
        found = {
            f"{key.address} {key.port}": destination.weight
            for key, destination in entry.destinations.items()
        }
        assert found == expected(service, routes, family)


@given(services(), route_lists())
def test_the_method_is_that_of_the_route_that_holds(
    service: Service, routes: tuple[Route, ...]
) -> None:
    after, families = POLICY.apply(service, Facts(routes=routes)), asked(service)
    for backend in after.backends.values():
        for own in (backend.ipv4, backend.ipv6):
            if own is not None and own.family in families:
                route, method = oracle(own, routes)
                assert method is not None
                assert backend.method is (None if route is None else method)


@given(services(), route_lists())
def test_what_is_missing_was_filtered_out_by_a_route(
    service: Service, routes: tuple[Route, ...]
) -> None:
    after = POLICY.apply(service, Facts(routes=routes))
    left = {own for one in after.backends.values() for own in (one.ipv4, one.ipv6)}
    for backend in service.backends.values():
        for own in (backend.ipv4, backend.ipv6):
            if own is not None and own.family in asked(service):
                assert (own in left) == (oracle(own, routes).method is not None)


@given(services(), route_lists())
def test_only_what_serves_no_client_that_asks_is_told_of(
    service: Service, routes: tuple[Route, ...]
) -> None:
    after = POLICY.apply(service, Facts(routes=routes))
    refusals = resolve(after, Defaults(), SCOPE).refusals
    for backend in service.backends.values():
        own = {one for one in (backend.ipv4, backend.ipv6) if one and one.family in asked(service)}
        named = f"backend {backend.id}"
        told = {refusal.reason for refusal in refusals if named in refusal.subject}
        if own and all(oracle(one, routes).method is not None for one in own):
            assert told <= {"port_rewrite_needs_masq", "method_conflict"}
        if own:
            assert "no_match" not in told


@given(services(), route_lists())
def test_the_policy_is_pure_and_copies_only_what_changes(
    service: Service, routes: tuple[Route, ...]
) -> None:
    facts = Facts(routes=routes)
    once = POLICY.apply(service, facts)
    assert once == POLICY.apply(service, Facts(routes=(*routes,)))
    for identity, backend in once.backends.items():
        before = service.backends.get(identity)
        assert backend is before or backend != before
