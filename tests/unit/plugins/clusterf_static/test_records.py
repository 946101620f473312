from __future__ import annotations

import tomllib
from typing import Any

import pytest

from clusterf.model.address import Address, Family, Network
from clusterf.model.provenance import Provenance
from clusterf.model.service import Ports, StickyClients
from clusterf.model.table import Method, Tunnel, TunnelType
from clusterf_static.records import Content, read_backends, read_content


def read(text: str) -> Content:
    return read_content(tomllib.loads(text), "sources.files", "a.toml")


def test_a_service_with_everything() -> None:
    content = read("""
[services.web]
frontends = [
  { ipv4 = "192.0.2.1", ipv6 = "2001:db8::1", tcp = 80, udp = 81, sctp = 82 },
  { fwmark = 7, family = "inet6" },
]
scheduler = "mh"
flags = ["mh-port"]
persistence = "5m"
weight = 5
method = "tunnel"
tunnel = { type = "gue", port = 6080 }
upper_threshold = 20
lower_threshold = 10
elide = false
backends = ["198.51.100.1:80", "[2001:DB8::0:1]:81", { address = "198.51.100.2", tcp = 82 }]
""")
    assert content.faults == []
    spec, backends = content.services["web"]
    assert spec.provenance == ("sources.files", "a.toml services.web")
    assert spec.frontends is not None
    first, second = spec.frontends
    assert (first.ipv4, first.ports) == (Address.parse("192.0.2.1"), Ports(80, 81, 82))
    assert (second.fwmark, second.family) == (7, Family.INET6)
    assert (spec.scheduler, spec.flags) == ("mh", frozenset({"mh-port"}))
    assert spec.persistence == StickyClients(300)
    assert (spec.weight, spec.method) == (5, Method.TUNNEL)
    assert spec.tunnel == Tunnel(TunnelType.GUE, 6080)
    assert (spec.upper_threshold, spec.lower_threshold, spec.elide) == (20, 10, False)
    assert list(backends) == ["198.51.100.1:80", "[2001:db8::1]:81", "198.51.100.2:82"]
    assert backends["198.51.100.1:80"].ports == Ports(80, 80, 80)
    assert backends["[2001:db8::1]:81"].ipv6 == Address.parse("2001:db8::1")
    assert backends["198.51.100.2:82"].ports == Ports(82)


def test_what_is_not_said_is_left_open() -> None:
    spec, backends = read("[services.web]").services["web"]
    assert spec.frontends is None
    assert (spec.scheduler, spec.flags, spec.weight, spec.method, spec.elide) == (None,) * 5
    assert not backends


def test_a_backend_with_everything() -> None:
    (backend,) = (
        read("""
[[services.web.backends]]
id = "one"
ipv4 = "198.51.100.1"
ipv6 = "2001:db8::1"
tcp = 1
udp = 2
sctp = 3
weight = 0
method = "droute"
tunnel = "gre"
upper_threshold = 2
lower_threshold = 1
""")
        .services["web"]
        .backends.values()
    )
    assert (backend.service, backend.id) == ("web", "one")
    assert (str(backend.ipv4), str(backend.ipv6)) == ("198.51.100.1", "2001:db8::1")
    assert backend.ports == Ports(1, 2, 3)
    assert (backend.weight, backend.method) == (0, Method.DROUTE)
    assert (backend.upper_threshold, backend.lower_threshold) == (2, 1)


def test_equal_ports_are_one_object() -> None:
    backends = read('[services.web]\nbackends = ["198.51.100.1:8080", "198.51.100.2:8080"]')
    first, second = backends.services["web"].backends.values()
    assert first.ports is second.ports


def test_one_bad_thing_leaves_the_others() -> None:
    content = read("""
[services.good]
backends = ["198.51.100.1:80", "nonsense", "198.51.100.2:80"]
[services.bad]
weight = -1
backends = ["also bad"]
[routes.good]
method = "masq"
[routes.bad]
method = "nat"
[other]
""")
    assert list(content.services) == ["good"]
    assert list(content.services["good"].backends) == ["198.51.100.1:80", "198.51.100.2:80"]
    assert content.names == ["good", "bad"]
    assert list(content.routes) == ["good"]
    assert [fault.at for fault in content.faults] == [
        ("other",),
        ("services", "good", "backends", 1),
        ("services", "bad", "weight"),
        ("services", "bad", "backends", 0),
        ("routes", "bad", "method"),
    ]


def test_routes() -> None:
    content = read("""
[routes.default]
[routes.rack]
prefix = "198.51.100.0/24"
method = "tunnel"
gateway = "2001:db8::1"
tunnel = "ipip"
""")
    assert content.faults == []
    assert (content.routes["default"].prefix, content.routes["default"].method) == (None, None)
    assert content.routes["rack"].prefix == Network.parse("198.51.100.0/24")
    assert content.routes["rack"].gateway == Address.parse("2001:db8::1")


@pytest.mark.parametrize(
    "item",
    [
        "", ":", ":80", "80", "198.51.100.1", "198.51.100.1:", "198.51.100.1:0", "198.51.100.1:080",
        "198.51.100.1:65536", "198.51.100.1:+80", "198.51.100.1: 80", " 198.51.100.1:80",
        "198.51.100.01:80", "198.51.100.1:80:80", "1:80", "::1:80", "[::1]", "[::1]:0", "[::1:80",
        "[198.51.100.1]:80", "[fe80::1%eth0]:80", "localhost:80", "0.0.0.0:80", "[::]:80",
        "255.255.255.255:80", "[ff02::1]:80", "198.51.100.1:\uff18\uff10",
        "\ud800:80", "\0:80", "[]:80",
        3, None, True, [], {},
    ],
)  # fmt: skip
def test_no_backend(item: Any) -> None:
    faults: list[Any] = []
    good = "198.51.100.9:80"
    backends = read_backends([item, good], "web", Provenance("x"), faults)
    assert list(backends) == [good]
    assert {fault.at[0] for fault in faults} == {0}
    assert all(fault.message for fault in faults)


def test_a_backend_with_the_port_of_the_client() -> None:
    content = read("""
[services.web]
backends = [{ address = "198.51.100.1", port = 0 }]
""")
    assert content.faults == []
    [one] = content.services["web"].backends.values()
    assert (one.id, one.ports) == ("198.51.100.1:0", Ports(0, 0, 0))


def test_a_backend_listed_twice_is_kept_once() -> None:
    content = read("""
[services.web]
backends = ["[2001:db8::1]:80", "[2001:db8:0::1]:80", { address = "2001:db8::1", port = 80 }]
""")
    assert len(content.services["web"].backends) == 1
    assert [fault.at[3] for fault in content.faults] == [1, 2]
