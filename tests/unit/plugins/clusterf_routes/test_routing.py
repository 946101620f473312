from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clusterf.model.address import Address, Family, Network
from clusterf.model.defaults import Defaults
from clusterf.model.scope import Scope
from clusterf.model.service import Frontend, Ports
from clusterf.model.table import AddressKey, DestinationKey, FwmarkKey, Method, Protocol
from clusterf.pipeline.resolve import Resolution, resolve
from clusterf_routes.lookup import Lookup
from clusterf_routes.routing import routed
from tests.unit.plugins.clusterf_routes.services import backend, route, service

if TYPE_CHECKING:
    from clusterf.model.service import Route, Service

HTTP4 = AddressKey(Protocol.TCP, Address.parse("198.51.100.1"), 80)
HTTP6 = AddressKey(Protocol.TCP, Address.parse("2001:db8:ffff::1"), 80)


ONLY4 = Frontend(ipv4=HTTP4.address, ports=Ports(tcp=80))
ONLY6 = Frontend(ipv6=HTTP6.address, ports=Ports(tcp=80))


def through(before: Service, *routes: Route, method: Method = Method.MASQ) -> Service:
    return routed(before, Lookup(routes), method)


def resolution(before: Service, *routes: Route, method: Method = Method.MASQ) -> Resolution:
    scope = Scope(
        prefixes=[Network.parse("198.51.100.0/24"), Network.parse("2001:db8:ffff::/64")],
        fwmarks=[7],
    )
    return resolve(through(before, *routes, method=method), Defaults(method=method), scope)


def at(resolved: Resolution, key: AddressKey | FwmarkKey) -> dict[str, tuple[str, int]]:
    """Destinations as text, each with its method and weight."""
    return {
        str(target): (str(one.method), one.weight)
        for target, one in resolved.entries[key].destinations.items()
    }


def test_a_service_that_no_route_concerns_is_the_same_object() -> None:
    before = service(backend("a", "192.0.2.1"))
    assert through(before, route("other", "203.0.113.0/24")) is before


def test_a_service_that_is_as_its_routes_want_it_is_the_same_object() -> None:
    before = service(backend("a", "192.0.2.1", method=Method.DROUTE))
    assert through(before, route("r", "192.0.2.0/24")) is before


def test_a_backend_that_does_not_change_is_not_copied() -> None:
    before = service(backend("a", "192.0.2.1"), backend("b", "203.0.113.1"))
    after = through(before, route("r", "192.0.2.0/24"))
    assert after.backends["b"] is before.backends["b"]
    assert after.backends["a"].method is Method.DROUTE
    assert list(after.backends) == ["a", "b"]


def test_no_match_keeps_the_default_method_and_the_own_port() -> None:
    before = service(backend("a", "192.0.2.1"))
    assert at(resolution(before, route("other", "203.0.113.0/24")), HTTP4) == {
        "192.0.2.1:8080": ("masq", 10)
    }


def test_a_gateway_is_the_destination_at_the_port_of_the_frontend() -> None:
    before = service(backend("a", "192.0.2.1", weight=7))
    assert at(resolution(before, route("r", "192.0.2.0/24", gateway="203.0.113.1")), HTTP4) == {
        "203.0.113.1:80": ("droute", 7)
    }


def test_backends_behind_one_gateway_merge_and_their_weights_add() -> None:
    before = service(
        backend("a", "192.0.2.1", weight=10),
        backend("b", "192.0.2.2", weight=0),
        backend("c", "192.0.2.3", weight=5),
        backend("d", "203.0.113.9"),
    )
    through_gateway = route("r", "192.0.2.0/24", Method.MASQ, "203.0.113.1")
    assert at(resolution(before, through_gateway), HTTP4) == {
        "203.0.113.1:80": ("masq", 15),
        "203.0.113.9:8080": ("masq", 10),
    }


def test_a_route_without_a_method_filters_out_and_says_which_it_was() -> None:
    before = service(backend("a", "192.0.2.1"), backend("b", "203.0.113.1"))
    after = through(before, route("rest", None, None), route("here", "203.0.113.0/24", Method.MASQ))
    assert list(after.backends) == ["b"]
    [refusal] = after.refusals
    assert refusal.subject == "service web backend a"
    assert refusal.reason == "filtered"
    assert 'route "rest" of sources.test rest' in refusal.detail


def test_many_filtered_backends_are_told_as_one_number() -> None:
    before = service(*(backend(f"b{n}", f"192.0.2.{n}") for n in range(1, 51)))
    after = through(before, route("rest", None, None))
    assert after.backends == {}
    [refusal] = after.refusals
    assert refusal.detail == 'route "rest" filters out 50 of its backends'


def test_one_route_for_both_families_keeps_one_backend() -> None:
    before = service(backend("a", "192.0.2.1", "2001:db8::1", port=80))
    after = through(before, route("all"))
    assert list(after.backends) == ["a"]
    resolved = resolution(before, route("all"))
    assert at(resolved, HTTP4) == {"192.0.2.1:80": ("droute", 10)}
    assert at(resolved, HTTP6) == {"[2001:db8::1]:80": ("droute", 10)}


def test_each_family_has_the_method_and_gateway_of_its_route() -> None:
    before = service(backend("a", "192.0.2.1", "2001:db8::1"))
    resolved = resolution(
        before,
        route("four", "192.0.2.0/24", Method.DROUTE, "203.0.113.1"),
        route("six", "2001:db8::/64", Method.TUNNEL, "2001:db8:1::1"),
    )
    assert at(resolved, HTTP4) == {"203.0.113.1:80": ("droute", 10)}
    assert at(resolved, HTTP6) == {"[2001:db8:1::1]:80": ("tunnel", 10)}
    assert resolved.refusals == ()


def test_a_family_without_a_route_stays_as_it_is() -> None:
    before = service(backend("a", "192.0.2.1", "2001:db8::1"))
    resolved = resolution(before, route("four", "192.0.2.0/24", Method.DROUTE, "203.0.113.1"))
    assert at(resolved, HTTP4) == {"203.0.113.1:80": ("droute", 10)}
    assert at(resolved, HTTP6) == {"[2001:db8::1]:8080": ("masq", 10)}


def test_a_tunnel_of_one_family_does_not_serve_the_other_one_too() -> None:
    before = service(backend("a", "192.0.2.1", "2001:db8::1"))
    routes = route("four", "192.0.2.0/24", Method.MASQ), route("six", "::/0", Method.TUNNEL)
    resolved = resolution(before, *routes)
    assert at(resolved, HTTP4) == {"192.0.2.1:8080": ("masq", 10)}
    assert at(resolved, HTTP6) == {"[2001:db8::1]:80": ("tunnel", 10)}


def test_one_family_filtered_out_leaves_a_backend_of_the_other() -> None:
    before = service(backend("a", "192.0.2.1", "2001:db8::1"))
    after = through(before, route("four", "192.0.2.0/24", None))
    assert after.backends["a"].ipv4 is None
    assert after.backends["a"].ipv6 == Address.parse("2001:db8::1")
    [refusal] = after.refusals
    assert "by its IPv4 address is filtered out" in refusal.detail


def test_ids_of_halves_do_not_hide_other_backends() -> None:
    before = service(backend("a/inet", "203.0.113.1"), backend("a", "192.0.2.1", "2001:db8::1"))
    after = through(before, route("four", "192.0.2.0/24"))
    assert list(after.backends) == ["a/inet", "a/inet+", "a/inet6"]
    assert all(identity == one.id for identity, one in after.backends.items())


def test_an_ignored_route_is_told_to_the_services_it_was_meant_for() -> None:
    bad = route("bad", "192.0.2.0/24", Method.DROUTE, "2001:db8::9")
    concerned = service(backend("a", "192.0.2.1"), backend("b", "192.0.2.2"))
    after = through(concerned, bad)
    assert after.backends == concerned.backends
    assert [refusal.subject for refusal in after.refusals] == ["route bad"]
    elsewhere = service(backend("a", "203.0.113.1"))
    assert through(elsewhere, bad) is elsewhere


def test_ipv4_through_an_ipv6_gateway_in_a_tunnel() -> None:
    before = service(backend("a", "192.0.2.1"))
    resolved = resolution(before, route("r", "192.0.2.0/24", Method.TUNNEL, "2001:db8::9"))
    key = DestinationKey(Address.parse("2001:db8::9"), 80)
    assert resolved.entries[HTTP4].destinations[key].method is Method.TUNNEL


# --- families that no frontend asks for -----------------------------------------------------------


@pytest.mark.parametrize(
    ("frontend", "routes", "target"),
    [
        (ONLY4, [route("four", "192.0.2.0/24", gateway="203.0.113.1")], "203.0.113.1:80"),
        (ONLY4, [route("four", "192.0.2.0/24", Method.MASQ)], "192.0.2.1:8080"),
        (ONLY4, [route("six", "2001:db8::/64", Method.TUNNEL)], "192.0.2.1:8080"),
        (ONLY4, [route("six", "2001:db8::/64", None)], "192.0.2.1:8080"),
        (ONLY6, [route("four", "192.0.2.0/24", gateway="203.0.113.1")], "[2001:db8::1]:8080"),
        (ONLY6, [route("six", "2001:db8::/64", gateway="2001:db8:1::1")], "[2001:db8:1::1]:80"),
        (
            ONLY6,
            [route("rest", None, None), route("six", "2001:db8::/64", Method.MASQ)],
            "[2001:db8::1]:8080",
        ),
    ],
)
def test_a_family_that_no_frontend_asks_for_is_not_told_of(
    frontend: Frontend, routes: list[Route], target: str
) -> None:
    before = service(backend("a", "192.0.2.1", "2001:db8::1"), frontend=frontend)
    resolved = resolution(before, *routes)
    assert resolved.refusals == ()
    [entry] = resolved.entries.values()
    assert [str(key) for key in entry.destinations] == [target]
    assert list(through(before, *routes).backends) == ["a"]


@pytest.mark.parametrize(
    ("family", "target"), [("inet", "203.0.113.1:0"), ("inet6", "[2001:db8::1]:8080")]
)
def test_a_firewall_mark_asks_for_its_own_family(family: str, target: str) -> None:
    mark = Frontend(fwmark=7, family=Family(family))
    before = service(backend("a", "192.0.2.1", "2001:db8::1"), frontend=mark)
    resolved = resolution(before, route("four", "192.0.2.0/24", gateway="203.0.113.1"))
    assert list(at(resolved, FwmarkKey(Family(family), 7))) == [target]
    assert resolved.refusals == ()


def test_a_mark_of_one_family_beside_a_vip_of_the_other_asks_for_both() -> None:
    mixed = Frontend(ipv4=HTTP4.address, ports=Ports(tcp=80), fwmark=7, family=Family.INET6)
    before = service(backend("a", "192.0.2.1", "2001:db8::1"), frontend=mixed)
    resolved = resolution(before, route("four", "192.0.2.0/24", gateway="203.0.113.1"))
    assert list(at(resolved, HTTP4)) == ["203.0.113.1:80"]
    assert list(at(resolved, FwmarkKey(Family.INET6, 7))) == ["[2001:db8::1]:8080"]
    assert resolved.refusals == ()


def test_the_family_that_is_asked_for_is_told_of_once_when_it_is_filtered_out() -> None:
    before = service(backend("a", "192.0.2.1", "2001:db8::1"), frontend=ONLY4)
    resolved = resolution(before, route("four", "192.0.2.0/24", None))
    assert at(resolved, HTTP4) == {}
    [refusal] = resolved.refusals
    assert (refusal.subject, refusal.reason) == ("service web backend a", "filtered")


def test_through_a_tunnel_the_other_family_stands_in_for_one_that_is_filtered_out() -> None:
    four = route("four", "192.0.2.0/24", None)
    before = service(backend("a", "192.0.2.1", "2001:db8::1", port=80), frontend=ONLY4)
    six = {"[2001:db8::1]:80": ("tunnel", 10)}
    by_route = resolution(before, four, route("six", "2001:db8::/64", Method.TUNNEL))
    assert at(by_route, HTTP4) == six
    assert [refusal.reason for refusal in by_route.refusals] == ["filtered"]
    assert at(resolution(before, four, method=Method.TUNNEL), HTTP4) == six
    tunnelled = service(*before.backends.values(), frontend=ONLY4, method=Method.TUNNEL)
    assert at(resolution(tunnelled, four), HTTP4) == six


def test_a_backend_of_the_other_family_alone_is_still_told_of() -> None:
    before = service(backend("a", None, "2001:db8::1"), frontend=ONLY4)
    resolved = resolution(before, route("four", "192.0.2.0/24"))
    assert [refusal.reason for refusal in resolved.refusals] == ["no_match"]


def test_a_tunnel_by_default_does_not_serve_the_other_family_beside_its_own() -> None:
    before = service(backend("a", "192.0.2.1", "2001:db8::1"))
    resolved = resolution(before, route("four", "192.0.2.0/24", Method.MASQ), method=Method.TUNNEL)
    assert at(resolved, HTTP4) == {"192.0.2.1:8080": ("masq", 10)}
    assert at(resolved, HTTP6) == {"[2001:db8::1]:80": ("tunnel", 10)}


def test_without_a_frontend_nothing_is_known_of_families() -> None:
    before = service(backend("a", "192.0.2.1", "2001:db8::1"), frontend=Frontend())
    after = through(before, route("four", "192.0.2.0/24"))
    assert list(after.backends) == ["a/inet", "a/inet6"]
