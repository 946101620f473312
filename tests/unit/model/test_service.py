from __future__ import annotations

import pytest

from clusterf.model.address import Family
from clusterf.model.provenance import Refusal
from clusterf.model.service import BackendRef, Frontend, Ports, RouteRef, ServiceRef
from clusterf.model.table import Protocol
from tests.strategies import backend, frontend, ip, route, service, spec


def test_ports_are_told_by_protocol() -> None:
    ports = Ports(tcp=80, udp=53, sctp=9)
    assert [ports.of(protocol) for protocol in Protocol] == [80, 53, 9]
    assert Ports().of(Protocol.UDP) is None


def test_each_record_has_the_key_under_which_it_is_dropped() -> None:
    assert spec("web").ref == ServiceRef("web")
    assert backend("b1", service="web").ref == BackendRef("web", "b1")
    assert route("r").ref == RouteRef("r")


def test_a_backend_has_an_address_for_each_family() -> None:
    six = ip("2001:db8:2::1")
    one = backend(ipv6=six)
    assert one.address(Family.INET) == ip("198.51.100.1")
    assert one.address(Family.INET6) == six


def test_as_text_a_backend_is_its_provenance_and_why_it_is_quiesced() -> None:
    assert str(backend()) == "sources.test"
    assert str(backend(quiesced="unhealthy")) == "sources.test: unhealthy"


def test_a_service_with_other_backends_keeps_its_refusals() -> None:
    old, new = Refusal("a", "x", "d"), Refusal("b", "y", "d")
    before = service(spec("web"), backend("b1"), refusals=(old,))
    after = before.with_backends({}, new)
    assert (after.backends, after.refusals) == ({}, (old, new))
    assert (list(before.backends), before.refusals) == (["b1"], (old,))


@pytest.mark.parametrize(
    ("one", "families"),
    [
        (Frontend(), ""),
        (frontend(), "inet"),
        (Frontend(ipv6=ip("2001:db8:1::1")), "inet6"),
        (Frontend(fwmark=1), "inet"),
        (Frontend(fwmark=1, family=Family.INET6), "inet6"),
        (Frontend(fwmark=1, family=Family.INET6, ipv4=ip("192.0.2.1")), "inet inet6"),
    ],
)
def test_a_frontend_knows_by_which_families_clients_come(one: Frontend, families: str) -> None:
    assert one.families == {Family(word) for word in families.split()}


def test_a_service_knows_by_which_families_clients_come() -> None:
    four, six = frontend(), Frontend(fwmark=1, family=Family.INET6)
    assert spec("web").families == set(Family)
    assert spec("web", four).families == {Family.INET}
    assert spec("web", four, six).families == set(Family)
