from __future__ import annotations

from typing import TYPE_CHECKING

from clusterf.model.address import Address
from clusterf.model.provenance import Provenance
from clusterf.model.table import Method, Tunnel, TunnelType
from clusterf_routes.lookup import Lookup, Reach
from tests.unit.plugins.clusterf_routes.services import route

if TYPE_CHECKING:
    from clusterf.model.service import Route

V4 = Address.parse("192.0.2.1")
V6 = Address.parse("2001:db8::1")


def found(address: Address, *routes: Route) -> str | None:
    way = Lookup(routes).ways.longest(address)
    return None if way is None else way.route.name


def test_the_longest_prefix_holds() -> None:
    routes = [route("all"), route("wide", "192.0.2.0/24"), route("host", "192.0.2.1/32")]
    assert found(V4, *routes) == "host"
    assert found(Address.parse("192.0.2.2"), *routes) == "wide"
    assert found(Address.parse("198.51.100.1"), *routes) == "all"


def test_of_equal_prefixes_the_first_holds() -> None:
    assert found(V4, route("b", "192.0.2.0/24"), route("a", "192.0.2.0/24")) == "b"
    assert found(V4, route("default"), route("zero", "0.0.0.0/0")) == "default"
    assert found(V4, route("zero", "0.0.0.0/0"), route("default")) == "zero"


def test_a_prefix_holds_for_its_own_family_only() -> None:
    assert found(V6, route("zero", "0.0.0.0/0")) is None
    assert found(V4, route("zero", "::/0")) is None


def test_the_default_route_is_of_both_families() -> None:
    assert found(V4, route("default")) == found(V6, route("default")) == "default"


def test_a_default_route_with_a_gateway_is_of_its_family() -> None:
    routes = [route("four", gateway="192.0.2.9"), route("six", gateway="2001:db8::9")]
    assert found(V4, *routes) == "four"
    assert found(V6, *routes) == "six"


def test_a_default_route_through_a_tunnel_is_of_both_families() -> None:
    tunnel = route("tunnel", method=Method.TUNNEL, gateway="192.0.2.9")
    assert found(V4, tunnel) == found(V6, tunnel) == "tunnel"


def test_a_gateway_of_the_wrong_family_ignores_the_route() -> None:
    bad = route("bad", "192.0.2.0/24", gateway="2001:db8::9")
    lookup = Lookup([bad, route("wide", "192.0.0.0/16")])
    way = lookup.ways.longest(V4)
    assert way is not None
    assert way.route.name == "wide"
    refusal = lookup.ignored.longest(V4)
    assert refusal is not None
    assert (refusal.subject, refusal.reason) == ("route bad", "family_mismatch")
    assert refusal.provenance == Provenance("sources.test", "bad")


def test_a_gateway_of_the_other_family_is_right_for_a_tunnel() -> None:
    lookup = Lookup([route("six", "192.0.2.0/24", Method.TUNNEL, "2001:db8::9")])
    assert not lookup.has_ignored
    assert lookup.ways.longest(V4) is not None


def test_a_route_without_a_method_reaches_nothing_whatever_else_it_says() -> None:
    lookup = Lookup([route("none", "192.0.2.0/24", None, "2001:db8::9")])
    way = lookup.ways.longest(V4)
    assert way is not None
    assert way.reach == Reach(None, None, None)


def test_an_encapsulation_counts_for_tunnels_only() -> None:
    gue = Tunnel(TunnelType.GUE, 6080)
    for method, tunnel in ((Method.DROUTE, None), (Method.TUNNEL, gue)):
        way = Lookup([route("r", None, method, tunnel=gue)]).ways.longest(V4)
        assert way is not None
        assert way.reach == Reach(method, None, tunnel)
