from __future__ import annotations

from typing import Any

import pytest

from clusterf.model.provenance import Provenance
from clusterf.model.service import Route, RouteRef
from clusterf.model.table import Method, Tunnel, TunnelType
from clusterf_docker.changes import Changes
from clusterf_docker.network import read
from clusterf_docker.routes import Routes, names
from clusterf_docker.settings import RoutesTable
from tests.strategies import ip
from tests.unit.plugins.clusterf_docker.fake_docker import JSON, identifier, network

FOUR, SIX = ip("192.0.2.11"), ip("2001:db8:1::11")
FRONT = network("front", 7, "203.0.113.160/28", "2001:db8:4:1::/64")
ID = identifier(7)


def states(**settings: Any) -> Routes:
    if not settings.keys() & {"gateway4", "gateway6"}:
        settings |= {"gateway4": str(FOUR), "gateway6": str(SIX)}
    return Routes(RoutesTable.model_validate(settings), "sources.docker")


def listed(*networks: JSON, **settings: Any) -> Routes:
    made = states(**settings)
    made.listed({one["Id"]: one for one in networks})
    return made


def prefixes(of: Routes) -> dict[str, str]:
    return {route.name: str(route.prefix) for route in of.records()}


def reasons(of: Routes) -> list[str]:
    return [one.reason for one in of.changes().refusals.values() if one is not None]


def test_each_subnet_is_a_route_with_the_gateway_of_its_family() -> None:
    of = listed(FRONT)
    four, six = of.records()
    place = Provenance("sources.docker", f"network front ({ID[:12]})")
    assert four == Route(ID, place, read(FRONT).subnets[0], Method.DROUTE, FOUR)
    assert six == Route(f"{ID}-inet6", place, read(FRONT).subnets[1], Method.DROUTE, SIX)
    assert of.changes() == Changes(puts={RouteRef(ID): four, RouteRef(f"{ID}-inet6"): six})


def test_names_do_not_depend_on_the_order_of_the_subnets() -> None:
    subnets = ["203.0.113.32/28", "2001:db8:4:2::/64", "203.0.113.16/28", "2001:db8:4:1::/64"]
    for order in (subnets, subnets[::-1]):
        named = dict(names(read(network("front", 7, *order))))
        assert {name: str(prefix) for name, prefix in named.items()} == {
            ID: "203.0.113.16/28",
            f"{ID}-2": "203.0.113.32/28",
            f"{ID}-inet6": "2001:db8:4:1::/64",
            f"{ID}-inet6-2": "2001:db8:4:2::/64",
        }
    [only] = names(read(network("front", 7, "2001:db8:4:1::/64")))
    assert only[0] == f"{ID}-inet6"


def test_a_family_without_a_gateway_is_refused_and_the_other_published() -> None:
    for settings, published in (({"gateway4": str(FOUR)}, ID), ({"gateway6": str(SIX)}, "-inet6")):
        of = listed(FRONT, **settings)
        [route] = of.records()
        assert route.name.endswith(published)
        [refusal] = of.changes().refusals.values()
        assert refusal is not None
        assert (refusal.subject, refusal.reason) == ("network front", "no_gateway")


def test_through_a_tunnel_either_gateway_leads_to_both_families() -> None:
    gue = {"type": "gue", "port": 6080}
    of = listed(FRONT, gateway6=str(SIX), method="tunnel", tunnel=gue)
    assert {(one.gateway, one.tunnel) for one in of.records()} == {
        (SIX, Tunnel(TunnelType.GUE, 6080))
    }
    both = listed(FRONT, method="tunnel")
    assert {one.gateway for one in both.records()} == {FOUR, SIX}
    assert reasons(of) == reasons(both) == []


def test_patterns_say_which_networks() -> None:
    rear = network("rear", 8, "203.0.113.176/28")
    for patterns, found in (
        (None, {"7", "8"}),
        (["*"], {"7", "8"}),
        (["front", "other"], {"7"}),
        (["[rs]ea?"], {"8"}),
        (["Front"], set()),
    ):
        of = listed(FRONT, rear, **({} if patterns is None else {"networks": patterns}))
        assert {name.removesuffix("-inet6")[-1] for name in prefixes(of)} == found, patterns
        assert reasons(of) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Driver": "macvlan"}, "macvlan driver"),
        ({"Driver": "overlay", "Scope": "swarm"}, "overlay driver"),
        ({"Driver": ""}, "no driver"),
        ({"Internal": True}, "internal"),
    ],
)
def test_what_this_host_does_not_lead_to_is_refused_to_who_asks_for_it(
    change: JSON, words: str
) -> None:
    assert (prefixes(listed({**FRONT, **change})), reasons(listed({**FRONT, **change}))) == ({}, [])
    of = listed({**FRONT, **change}, networks=["front"])
    assert prefixes(of) == {}
    [refusal] = of.changes().refusals.values()
    assert refusal is not None
    assert refusal.reason == "not_routable"
    assert words in refusal.detail


def test_what_has_no_subnet_and_templates_are_nothing_to_speak_of() -> None:
    of = listed(network("none", 8, Driver="null"), {**FRONT, "ConfigOnly": True}, networks=["*"])
    assert (prefixes(of), reasons(of)) == ({}, [])


# --- one list after another -----------------------------------------------------------------


def test_an_unchanged_list_changes_nothing() -> None:
    of = listed(FRONT, gateway4=str(FOUR))
    of.changes()
    of.listed({ID: FRONT})
    assert of.changes() == Changes()


def test_what_is_not_listed_any_more_is_gone_with_its_refusals() -> None:
    of = listed(FRONT, gateway4=str(FOUR))
    of.changes()
    of.listed({})
    changes = of.changes()
    assert list(changes.drops) == [RouteRef(ID)]
    assert list(changes.refusals.values()) == [None]
    assert of.records() == []


def test_a_network_that_becomes_unreadable_keeps_its_routes() -> None:
    of = listed(FRONT)
    before = list(of.records())
    of.changes()
    of.listed({ID: {"Id": ID, "Name": "front", "IPAM": 5}})
    assert list(of.records()) == before
    changes = of.changes()
    [refusal] = changes.refusals.values()
    assert changes == Changes(refusals=changes.refusals)
    assert refusal is not None
    assert refusal.reason == "unreadable"
    assert "IPAM" in refusal.detail
    of.listed({ID: FRONT})
    assert list(of.changes().refusals.values()) == [None]


def test_an_unreadable_network_does_not_keep_the_others_back() -> None:
    of = states()
    of.listed({identifier(8): {"Id": identifier(8), "Driver": 5}, ID: FRONT})
    assert set(prefixes(of)) == {ID, f"{ID}-inet6"}
    assert reasons(of) == ["unreadable"]
