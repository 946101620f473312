from __future__ import annotations

import pytest

from clusterf.model.address import Address, Network
from clusterf.model.problem import Code
from clusterf.model.provenance import Provenance
from clusterf.model.service import Route
from clusterf.model.table import Method, Tunnel
from clusterf.plugin.routing import never_holding, route_faults

HERE = Provenance("test")
V4, V6 = Address.parse("192.0.2.1"), Address.parse("2001:db8::1")
NET4, NET6 = Network.parse("192.0.2.0/24"), Network.parse("2001:db8::/32")
DROUTE, TUNNEL = Method.DROUTE, Method.TUNNEL


@pytest.mark.parametrize(
    ("route", "found"),
    [
        (Route("r", HERE), []),
        (Route("r", HERE, NET4, DROUTE, V4), []),
        (Route("r", HERE, NET4, TUNNEL, V6, Tunnel()), []),
        (Route("r", HERE, NET4, gateway=V6), [(("gateway",), Code.CONTRADICTION)]),
        (Route("r", HERE, NET4, DROUTE, V6), [(("gateway",), Code.FAMILY_MISMATCH)]),
        (Route("r", HERE, tunnel=Tunnel()), [(("tunnel",), Code.CONTRADICTION)]),
        (
            Route("r", HERE, NET6, DROUTE, V4, Tunnel()),
            [(("gateway",), Code.FAMILY_MISMATCH), (("tunnel",), Code.CONTRADICTION)],
        ),
    ],
)
def test_what_excludes_each_other(route: Route, found: list[object]) -> None:
    assert [(fault.at, fault.code) for fault in route_faults(route)] == found


def test_of_two_routes_with_one_prefix_the_first_holds() -> None:
    a, b, c = (Route(name, HERE, NET4) for name in "abc")
    assert list(never_holding([a, b, Route("d", HERE, NET6), c])) == [(b, a), (c, a)]


def test_a_default_route_with_a_gateway_is_of_its_family() -> None:
    four, six = Route("4", HERE, None, DROUTE, V4), Route("6", HERE, None, DROUTE, V6)
    assert list(never_holding([four, six, Route("none", HERE)])) == []
    assert list(never_holding([six, six._replace(name="again")])) == [
        (six._replace(name="again"), six)
    ]
