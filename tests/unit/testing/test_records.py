from __future__ import annotations

import pytest

from clusterf.model.address import Address, Network
from clusterf.model.service import BackendRef, Frontend, Ports, RouteRef, ServiceRef
from clusterf.model.table import Method
from clusterf.testing import backend, route, service


@pytest.mark.parametrize(("text", "family"), [("192.0.2.1", "ipv4"), ("2001:db8::1", "ipv6")])
def test_the_address_says_its_family(text: str, family: str) -> None:
    address = Address.parse(text)
    assert service("web", text).frontends == (Frontend(**{family: address}, ports=Ports(tcp=80)),)
    assert getattr(backend("web", "a", text), family) == address


def test_what_is_given_is_kept() -> None:
    spec = service("web", "192.0.2.1", udp=53, scheduler="rr")
    assert spec.frontends is not None
    assert (spec.frontends[0].ports, spec.scheduler) == (Ports(udp=53), "rr")
    one = backend("web", "a", "192.0.2.9", tcp=0, weight=3, labels={"x": "y"})
    assert (one.ports, one.weight, one.labels) == (Ports(tcp=0), 3, {"x": "y"})


def test_a_service_without_a_vip_says_nothing_of_frontends() -> None:
    assert service("web").frontends is None


def test_a_route_speaks_the_words_of_the_configuration() -> None:
    one = route("rack", "198.51.100.0/24", method="droute", gateway="203.0.113.1")
    assert one.prefix == Network.parse("198.51.100.0/24")
    assert (one.method, one.gateway) == (Method.DROUTE, Address.parse("203.0.113.1"))
    assert route("none").prefix is route("none").method is route("none").gateway is None


def test_records_have_the_keys_that_they_are_put_under() -> None:
    assert service("web").ref == ServiceRef("web")
    assert backend("web", "a", "192.0.2.9").ref == BackendRef("web", "a")
    assert route("rack").ref == RouteRef("rack")
    assert {one.provenance.source for one in (service("web"), route("rack"))} == {
        "sources.under-test"
    }
