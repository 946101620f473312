from __future__ import annotations

import pytest

from clusterf.model.address import Family, Network
from clusterf.model.defaults import Defaults
from clusterf.model.provenance import Refusal
from clusterf.model.scope import Scope
from clusterf.model.service import Frontend, Ports, StickyClients
from clusterf.model.table import (
    Destination,
    DestinationKey,
    FwmarkKey,
    Method,
    VirtualService,
)
from clusterf.pipeline.resolve import resolve
from tests.strategies import MANAGED, SOURCE, backend, frontend, ip, service, spec, target, tcp
from tests.unit.pipeline.resolved import DEFAULTS, only, refused, resolved

# --- frontends ----------------------------------------------------------------------------------


def test_a_backend_becomes_a_destination() -> None:
    found = resolved(spec("web", frontend()), backend("b1"))
    assert found.entries == {
        tcp(): VirtualService("wlc", destinations={target(1): Destination(10, Method.MASQ)})
    }
    assert found.refusals == ()


def test_each_entry_and_destination_says_where_it_is_from() -> None:
    one = backend("b1", quiesced="unhealthy")
    found = only(resolved(spec("web", frontend()), one))
    assert found.because == SOURCE
    assert str(found.destinations[target(1)].because) == "sources.test: unhealthy"


def test_there_is_an_entry_for_each_family_and_protocol() -> None:
    both = Frontend(
        ipv4=ip("192.0.2.1"), ipv6=ip("2001:db8:1::1"), ports=Ports(tcp=80, udp=53, sctp=9)
    )
    found = resolved(
        spec("web", both),
        backend("b1", ipv6=ip("2001:db8:2::1"), ports=Ports(tcp=8080, udp=5353)),
    )
    assert {str(key): [str(t) for t in e.destinations] for key, e in found.entries.items()} == {
        "tcp 192.0.2.1:80": ["198.51.100.1:8080"],
        "udp 192.0.2.1:53": ["198.51.100.1:5353"],
        "sctp 192.0.2.1:9": [],
        "tcp [2001:db8:1::1]:80": ["[2001:db8:2::1]:8080"],
        "udp [2001:db8:1::1]:53": ["[2001:db8:2::1]:5353"],
        "sctp [2001:db8:1::1]:9": [],
    }
    assert refused(found) == []


def test_several_frontends_share_the_backends_and_repeated_ones_count_once() -> None:
    one = spec("web", frontend(), frontend("192.0.2.2", tcp=80, udp=80), frontend())
    found = resolved(one, backend("b1"))
    assert [str(key) for key in found.entries] == [
        "tcp 192.0.2.1:80",
        "tcp 192.0.2.2:80",
        "udp 192.0.2.2:80",
    ]
    assert [len(one.destinations) for one in found.entries.values()] == [1, 1, 0]


def test_a_firewall_mark_takes_the_backend_s_first_port() -> None:
    one = spec("web", Frontend(fwmark=3))
    found = resolved(one, backend("b1", ports=Ports(udp=5353, sctp=9)))
    assert list(found.entries) == [FwmarkKey(Family.INET, 3)]
    assert list(only(found).destinations) == [target(1, 5353)]


def test_a_firewall_mark_without_rewriting_keeps_all_ports() -> None:
    one = spec("web", Frontend(fwmark=3), method=Method.DROUTE)
    assert list(only(resolved(one, backend("b1"))).destinations) == [target(1, 0)]
    plain = spec("web", Frontend(fwmark=3))
    assert list(only(resolved(plain, backend("b1", ports=Ports()))).destinations) == [target(1, 0)]


def test_a_firewall_mark_has_a_family_of_its_own() -> None:
    one = spec("web", Frontend(fwmark=3, family=Family.INET6))
    found = resolved(one, backend("b1", ipv6=ip("2001:db8:2::1")))
    assert list(found.entries) == [FwmarkKey(Family.INET6, 3)]
    assert list(only(found).destinations) == [DestinationKey(ip("2001:db8:2::1"), 8080)]


def test_a_mark_and_an_address_in_one_frontend_are_two_entries() -> None:
    both = Frontend(fwmark=3, ipv4=ip("192.0.2.1"), ports=Ports(tcp=80))
    assert len(resolved(spec("web", both), backend("b1")).entries) == 2


# --- refusals of a whole entry -------------------------------------------------------------------


@pytest.mark.parametrize(
    "empty", [Frontend(), Frontend(ipv4=ip("192.0.2.1")), Frontend(ports=Ports(tcp=80))]
)
def test_a_frontend_without_a_place_is_refused(empty: Frontend) -> None:
    found = resolved(spec("web", empty, frontend()), backend("b1"))
    assert refused(found) == ["no_vip"]
    assert list(found.entries) == [tcp()]


def test_without_a_frontend_the_service_is_refused() -> None:
    found = resolved(spec("web"), backend("b1"))
    assert (refused(found), found.entries) == (["no_frontend"], {})


def test_what_was_refused_before_is_kept_and_explains_a_missing_frontend() -> None:
    before = Refusal("service web", "conflict", "x")
    found = resolve(service(spec("web"), refusals=(before,)), DEFAULTS, MANAGED)
    assert found.refusals == (before,)


@pytest.mark.parametrize(
    "outside", [frontend("203.0.113.1"), Frontend(fwmark=99), frontend("2001:db8:1::1")]
)
def test_what_is_not_managed_is_refused(outside: Frontend) -> None:
    found = resolve(
        service(spec("web", outside, frontend()), backend("b1")),
        DEFAULTS,
        Scope(MANAGED.prefixes[:1], MANAGED.fwmarks),
    )
    assert refused(found) == ["outside_managed"]
    assert list(found.entries) == [tcp()]


@pytest.mark.parametrize("vip", ["224.0.0.18", "255.255.255.255", "0.0.0.0", "ff02::1", "::"])
def test_what_no_host_can_have_is_no_vip(vip: str) -> None:
    address = ip(vip)
    family = {"ipv4": address} if len(address) == 4 else {"ipv6": address}
    found = resolve(
        service(spec("web", Frontend(ports=Ports(tcp=80), **family), frontend()), backend("b1")),
        DEFAULTS,
        Scope([Network.parse("0.0.0.0/0"), Network.parse("::/0")]),
    )
    assert refused(found) == ["not_unicast"]
    assert list(found.entries) == [tcp()]


def test_port_0_needs_persistence() -> None:
    bare = resolved(spec("web", frontend(tcp=0)), backend("b1"))
    assert (refused(bare), bare.entries) == (["port_zero"], {})
    sticky = spec("web", frontend(tcp=0), persistence=StickyClients(60))
    found = resolved(sticky, backend("b1"))
    assert refused(found) == []
    assert list(found.entries) == [tcp(port=0)]


# --- elide --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "default", "there"),
    [(None, False, True), (None, True, False), (True, False, False), (False, True, True)],
)
def test_an_entry_without_destinations_may_be_left_out(
    own: bool | None,  # noqa: FBT001 - a table of cases
    default: bool,  # noqa: FBT001
    there: bool,  # noqa: FBT001
) -> None:
    found = resolved(spec("web", frontend(), elide=own), defaults=Defaults(elide=default))
    assert bool(found.entries) is there
    assert refused(found) == []


def test_an_entry_with_destinations_is_never_left_out() -> None:
    assert only(resolved(spec("web", frontend(), elide=True), backend("b1", weight=0)))


def test_a_backend_that_fits_nowhere_is_told_also_when_the_entry_is_left_out() -> None:
    useless = backend("b1", ports=Ports(udp=53))
    assert refused(resolved(spec("web", frontend(), elide=False), useless)) == ["no_match"]
    assert refused(resolved(spec("web", frontend(), elide=True), useless)) == ["no_match"]
