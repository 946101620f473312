"""Builders of valid values for tests, and hypothesis strategies over them.

The pools are small on purpose: collisions (two services at one VIP, two backends behind one
gateway) are where the interesting behaviour is.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from clusterf.model.address import Address, Family, Network
from clusterf.model.provenance import Provenance
from clusterf.model.scope import Scope
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

EXAMPLES = int(os.environ.get("CLUSTERF_EXAMPLES", "40"))
"""Examples for each law; a longer search is a matter of one variable."""

# How long an example takes says nothing on a machine that others use as well.
settings.register_profile(
    "clusterf", deadline=None, max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("clusterf")

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


_plain = st.builds(
    Destination,
    weights,
    st.sampled_from([Method.MASQ, Method.DROUTE]),
    st.sampled_from([0, 100]),
    st.sampled_from([0, 50]),
)
_tunnelled = st.builds(Destination, weights, st.just(Method.TUNNEL), tunnel=tunnels)
_destinations = {
    Family.INET: st.dictionaries(
        st.builds(DestinationKey, hosts4, ports), _plain | _tunnelled, max_size=4
    ),
    Family.INET6: st.dictionaries(
        st.builds(DestinationKey, hosts6, ports), _plain | _tunnelled, max_size=4
    ),
}
_flagged = st.sampled_from(
    [
        ("rr", frozenset[str]()),
        ("wlc", frozenset[str]()),
        ("wlc", frozenset({"ops"})),
        ("sh", frozenset({"sh-fallback"})),
        ("mh", frozenset({"mh-fallback", "mh-port"})),
    ]
)
_persistence = st.none() | st.builds(Persistence, st.sampled_from([60, 300]), st.just(32))
_virtual_services = {
    family: st.builds(
        lambda flagged, persistence, of: VirtualService(flagged[0], flagged[1], persistence, of),
        _flagged,
        _persistence,
        _destinations[family],
    )
    for family in Family
}


def virtual_services(key: ServiceKey) -> st.SearchStrategy[VirtualService]:
    """Entries that the kernel would take under a key."""
    return _virtual_services[key.family]


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


_origins = st.sampled_from([SOURCE, Provenance("sources.other")])
frontends = st.sampled_from(
    [
        frontend(),
        frontend(),
        frontend("192.0.2.1", tcp=80, udp=53),
        frontend("192.0.2.2"),
        frontend("203.0.113.1"),
        Frontend(ipv4=ip("192.0.2.1"), ipv6=ip("2001:db8:1::1"), ports=Ports(tcp=80)),
        Frontend(fwmark=1),
        Frontend(ports=Ports(tcp=80)),
    ]
)
_gateways = st.sampled_from([None, None, ip("203.0.113.8"), ip("203.0.113.9")])


def specs(names: st.SearchStrategy[str] = service_names) -> st.SearchStrategy[ServiceSpec]:
    return st.builds(
        ServiceSpec,
        name=names,
        frontends=st.none() | st.lists(frontends, min_size=1, max_size=2).map(tuple),
        scheduler=st.sampled_from([None, "rr", "sh", "mh", "nonsense"]),
        flags=st.none() | st.frozensets(st.sampled_from(["sh-port", "mh-port", "ops", "x"])),
        persistence=st.sampled_from([None, StickyClients(300, 24)]),
        elide=st.sampled_from([None, True, False]),
        weight=st.none() | weights,
        method=st.none() | methods,
        order=st.integers(0, 2),
        provenance=_origins,
    )


def backends(names: st.SearchStrategy[str] = service_names) -> st.SearchStrategy[Backend]:
    return st.builds(
        Backend,
        service=names,
        id=backend_ids,
        ipv4=st.none() | hosts4,
        ipv6=st.none() | hosts6,
        ports=offers,
        weight=st.none() | weights,
        quiesced=st.sampled_from([None, None, "unhealthy"]),
        method=st.none() | methods,
        gateway=_gateways,
        tunnel=st.none() | tunnels,
        upper_threshold=st.sampled_from([None, 100]),
        provenance=_origins,
    )


routes = st.builds(
    Route,
    name=st.sampled_from(["r1", "r2"]),
    prefix=st.sampled_from([None, Network.parse("198.51.100.0/24")]),
    method=st.none() | methods,
    provenance=st.just(SOURCE),
)
records = specs() | backends() | routes
