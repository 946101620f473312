from __future__ import annotations

import pytest

from clusterf.model.address import Address, Family
from clusterf.model.service import BackendRef, Ref, RouteRef, ServiceRef, ServiceSpec
from clusterf.model.table import AddressKey, FwmarkKey, Protocol, ServiceKey
from clusterf.plugin import Document
from clusterf_static.part import At, Part, either
from clusterf_static.records import read_content

TEXT = b"""
[deep.services.web]
frontends = [
  { ipv4 = "192.0.2.1", ipv6 = "2001:db8::1", tcp = 80, udp = 0 },
  { fwmark = 7, family = "inet6" },
]
backends = ["nonsense", "198.51.100.1:80", { id = "b", address = "198.51.100.2", port = 1 }]
[deep.services.api]
frontend = { ipv4 = "192.0.2.1", tcp = 443 }
[deep.routes.rack]
method = "droute"
"""
WEB = ("deep", "services", "web")
API = ("deep", "services", "api")


@pytest.fixture
def part() -> Part:
    document = Document.parse("a.toml", TEXT)
    content = read_content(document.data["deep"], "sources.a")
    return Part("sources.a", document, content, ("deep",))


def key(text: str, protocol: Protocol, port: int) -> AddressKey:
    return AddressKey(protocol, Address.parse(text), port)


@pytest.mark.parametrize(
    ("ref", "about", "place"),
    [
        (ServiceRef("web"), None, WEB),
        (ServiceRef("web"), "scheduler", (*WEB, "scheduler")),
        (ServiceRef("web"), "frontends", (*WEB, "frontends")),
        (ServiceRef("api"), "frontends", (*API, "frontend")),
        (ServiceRef("web"), key("192.0.2.1", Protocol.TCP, 80), (*WEB, "frontends", 0, "ipv4")),
        (ServiceRef("web"), key("2001:db8::1", Protocol.TCP, 80), (*WEB, "frontends", 0, "ipv6")),
        (ServiceRef("web"), key("192.0.2.1", Protocol.UDP, 0), (*WEB, "frontends", 0, "udp")),
        (ServiceRef("web"), FwmarkKey(Family.INET6, 7), (*WEB, "frontends", 1, "fwmark")),
        (ServiceRef("web"), FwmarkKey(Family.INET, 7), WEB),
        (ServiceRef("web"), key("192.0.2.9", Protocol.TCP, 80), WEB),
        (ServiceRef("api"), key("192.0.2.1", Protocol.TCP, 443), (*API, "frontend", "ipv4")),
        (BackendRef("web", "198.51.100.1:80"), None, (*WEB, "backends", 1)),
        (BackendRef("web", "b"), None, (*WEB, "backends", 2)),
        (RouteRef("rack"), None, ("deep", "routes", "rack")),
    ],
)
def test_places(part: Part, ref: Ref, about: ServiceKey | str | None, place: At) -> None:
    assert part.place(ref, about) == place


def test_services_are_numbered_one_after_the_other(part: Part) -> None:
    specs = [record for record in part.records(5) if isinstance(record, ServiceSpec)]
    assert [(spec.name, spec.order) for spec in specs] == [("web", 5), ("api", 6)]


def test_either() -> None:
    assert (either(None, 3), either(0, 3)) == (3, 0)
