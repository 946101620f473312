"""Builders of valid values for tests, and hypothesis strategies over them.

The pools are small on purpose: collisions (two services at one VIP, two backends behind one
gateway) are where the interesting behaviour is.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from clusterf.model.address import Address, Family, Network
from clusterf.model.provenance import Provenance
from clusterf.model.service import (
    Backend,
    Frontend,
    Ports,
    Route,
    Service,
    ServiceSpec,
    StickyClients,
)
from clusterf.model.table import (
    SCHEDULERS,
    AddressKey,
    Destination,
    DestinationKey,
    FwmarkKey,
    Method,
    Persistence,
    Protocol,
    ServiceKey,
    Tunnel,
    TunnelType,
    VirtualService,
)
from clusterf.pipeline.resolve import Scope

SOURCE = Provenance("sources.test")

MANAGED = Scope(
    prefixes=(Network.parse("192.0.2.0/24"), Network.parse("2001:db8:1::/64")), fwmarks=range(1, 9)
)
"""What the tests let clusterf own."""

# --- builders ------------------------------------------------------------------------------------


def ip(text: str) -> Address:
    return Address.parse(text)


def tcp(text: str = "192.0.2.1", port: int = 80) -> AddressKey:
    return AddressKey(Protocol.TCP, ip(text), port)


def udp(text: str = "192.0.2.1", port: int = 53) -> AddressKey:
    return AddressKey(Protocol.UDP, ip(text), port)


def target(number: int = 1, port: int = 8080) -> DestinationKey:
    return DestinationKey(ip(f"198.51.100.{number}"), port)


def destination(weight: int = 10, method: Method = Method.MASQ, **settings: Any) -> Destination:
    return Destination(weight, method, **settings)


def entry(*weights: int, scheduler: str = "wlc", **settings: Any) -> VirtualService:
    """Make a virtual service whose destinations are ``target(1)`` and up, with these weights."""
    return VirtualService(
        scheduler,
        destinations={target(i): destination(weight) for i, weight in enumerate(weights, 1)},
        **settings,
    )


def frontend(address: str = "192.0.2.1", **ports: int) -> Frontend:
    return Frontend(ipv4=ip(address), ports=Ports(**(ports or {"tcp": 80})))


def spec(name: str = "web", *frontends: Frontend, **settings: Any) -> ServiceSpec:
    settings.setdefault("provenance", SOURCE)
    return ServiceSpec(name=name, frontends=frontends or None, **settings)


def backend(identity: str = "b1", number: int = 1, service: str = "web", **facts: Any) -> Backend:
    facts.setdefault("ipv4", ip(f"198.51.100.{number}"))
    facts.setdefault("ports", Ports(tcp=8080))
    facts.setdefault("provenance", SOURCE)
    return Backend(service=service, id=identity, **facts)


def service(one: ServiceSpec, *backends: Backend, **facts: Any) -> Service:
    facts.setdefault("order", (0, one.order, one.name))
    return Service(name=one.name, spec=one, backends={b.id: b for b in backends}, **facts)


def route(name: str = "r", prefix: str | None = None, **facts: Any) -> Route:
    facts.setdefault("provenance", SOURCE)
    return Route(name=name, prefix=None if prefix is None else Network.parse(prefix), **facts)


# --- values --------------------------------------------------------------------------------------

addresses4 = st.binary(min_size=4, max_size=4).map(Address)
addresses6 = st.binary(min_size=16, max_size=16).map(Address)
addresses = addresses4 | addresses6


@st.composite
def networks(draw: st.DrawFn) -> Network:
    address = draw(addresses)
    bits = address.family.bits
    length = draw(st.integers(0, bits))
    number = int.from_bytes(address) >> (bits - length) << (bits - length)
    return Network(Address(number.to_bytes(bits // 8)), length)


vips4 = st.integers(1, 3).map(lambda n: ip(f"192.0.2.{n}"))
vips6 = st.integers(1, 2).map(lambda n: ip(f"2001:db8:1::{n}"))
foreign_vips = st.integers(1, 3).map(lambda n: ip(f"203.0.113.{n}"))
hosts4 = st.integers(1, 4).map(lambda n: ip(f"198.51.100.{n}"))
hosts6 = st.integers(1, 4).map(lambda n: ip(f"2001:db8:2::{n}"))
ports = st.sampled_from([53, 80, 443])
weights = st.sampled_from([0, 1, 10, 100, 2**31 - 1])
methods = st.sampled_from(Method)
protocols = st.sampled_from(Protocol)
tunnels = st.builds(
    Tunnel,
    type=st.sampled_from(TunnelType),
    port=st.sampled_from([0, 6080]),
    flags=st.sampled_from(["nocsum", "csum", "remcsum"]),
)

# --- tables --------------------------------------------------------------------------------------

managed_keys: st.SearchStrategy[ServiceKey] = st.one_of(
    st.builds(AddressKey, protocols, vips4 | vips6, ports),
    st.builds(FwmarkKey, st.sampled_from(Family), st.integers(1, 3)),
)
foreign_keys: st.SearchStrategy[ServiceKey] = st.one_of(
    st.builds(AddressKey, protocols, foreign_vips, ports),
    st.builds(FwmarkKey, st.sampled_from(Family), st.integers(100, 103)),
)


@st.composite
def destinations(draw: st.DrawFn) -> Destination:
    method = draw(methods)
    return Destination(
        draw(weights),
        method,
        draw(st.sampled_from([0, 100])),
        draw(st.sampled_from([0, 50])),
        draw(tunnels) if method is Method.TUNNEL else None,
    )


@st.composite
def virtual_services(draw: st.DrawFn, key: ServiceKey) -> VirtualService:
    scheduler = draw(st.sampled_from(sorted(SCHEDULERS)))
    persistence = st.builds(Persistence, st.sampled_from([60, 300]), st.integers(0, 32))
    hosts = hosts4 if key.family is Family.INET else hosts6
    return VirtualService(
        scheduler,
        frozenset(
            draw(st.sets(st.sampled_from(sorted(SCHEDULERS[scheduler]))))
            if SCHEDULERS[scheduler]
            else ()
        ),
        draw(st.none() | persistence),
        draw(st.dictionaries(st.builds(DestinationKey, hosts, ports), destinations(), max_size=4)),
    )


@st.composite
def tables(
    draw: st.DrawFn, keys: st.SearchStrategy[ServiceKey] = managed_keys, max_size: int = 5
) -> dict[ServiceKey, VirtualService]:
    chosen = draw(st.lists(keys, unique=True, max_size=max_size))
    return {key: draw(virtual_services(key)) for key in chosen}


# --- records -------------------------------------------------------------------------------------

service_names = st.sampled_from(["api", "dns", "web"])
backend_ids = st.sampled_from(["b1", "b2", "b3", "b4"])
offers = st.builds(
    Ports,
    tcp=st.none() | st.sampled_from([80, 8080]),
    udp=st.none() | st.just(53),
    sctp=st.none() | st.just(9),
)


@st.composite
def frontends(draw: st.DrawFn) -> Frontend:
    if draw(st.integers(0, 4)) == 0:
        return Frontend(fwmark=draw(st.integers(1, 2)), family=draw(st.sampled_from(Family)))
    return Frontend(
        ipv4=draw(st.none() | vips4 | foreign_vips),
        ipv6=draw(st.none() | vips6),
        ports=Ports(tcp=draw(st.none() | ports), udp=draw(st.none() | st.just(53))),
    )


@st.composite
def specs(draw: st.DrawFn, names: st.SearchStrategy[str] = service_names) -> ServiceSpec:
    scheduler = draw(st.none() | st.sampled_from([*sorted(SCHEDULERS), "nonsense"]))
    return ServiceSpec(
        name=draw(names),
        frontends=draw(st.none() | st.lists(frontends(), max_size=2).map(tuple)),
        scheduler=scheduler,
        flags=draw(st.none() | st.frozensets(st.sampled_from(["sh-port", "mh-port", "ops", "x"]))),
        persistence=draw(st.none() | st.builds(StickyClients, st.just(300), st.just(24))),
        elide=draw(st.none() | st.booleans()),
        weight=draw(st.none() | weights),
        method=draw(st.none() | methods),
        order=draw(st.integers(0, 2)),
        provenance=draw(st.sampled_from([SOURCE, Provenance("sources.other")])),
    )


@st.composite
def backends(draw: st.DrawFn, names: st.SearchStrategy[str] = service_names) -> Backend:
    return Backend(
        service=draw(names),
        id=draw(backend_ids),
        ipv4=draw(st.none() | hosts4),
        ipv6=draw(st.none() | hosts6),
        ports=draw(offers),
        weight=draw(st.none() | weights),
        quiesced=draw(st.none() | st.just("unhealthy")),
        method=draw(st.none() | methods),
        gateway=draw(st.none() | st.integers(1, 2).map(lambda n: ip(f"192.0.2.{200 + n}"))),
        tunnel=draw(st.none() | tunnels),
        upper_threshold=draw(st.none() | st.just(100)),
        provenance=draw(st.sampled_from([SOURCE, Provenance("sources.other")])),
    )


routes = st.builds(
    Route,
    name=st.sampled_from(["r1", "r2"]),
    prefix=st.none() | networks(),
    method=st.none() | methods,
    provenance=st.just(SOURCE),
)
records = specs() | backends() | routes
