from __future__ import annotations

from typing import Any

import pytest

from clusterf.model.defaults import Defaults
from clusterf.model.provenance import Provenance
from clusterf.model.service import Backend, Frontend, Ports, StickyClients
from clusterf.model.table import (
    WEIGHT_MAX,
    Destination,
    DestinationKey,
    Method,
    Tunnel,
    TunnelType,
)
from clusterf.pipeline.destinations import Common
from tests.strategies import backend, frontend, ip, spec, target
from tests.unit.pipeline.resolved import only, refused, resolved

GATEWAY = ip("203.0.113.9")


def test_a_backend_s_own_settings_come_first() -> None:
    one = spec("web", frontend(tcp=8080), weight=3, upper_threshold=9, lower_threshold=9)
    own = backend("b1", weight=7, method=Method.DROUTE, upper_threshold=2, lower_threshold=1)
    assert only(resolved(one, own)).destinations == {target(1): Destination(7, Method.DROUTE, 2, 1)}


def test_a_quiesced_backend_has_weight_0_whatever_it_says() -> None:
    found = resolved(spec("web", frontend(), weight=5), backend("b1", weight=7, quiesced="sick"))
    assert only(found).destinations[target(1)].weight == 0


@pytest.mark.parametrize(
    "facts",
    [
        {"ports": Ports(udp=53)},
        {"ipv4": None},
        {"ipv4": None, "ipv6": ip("2001:db8:2::1")},
        {"ipv4": None, "method": Method.TUNNEL},
        {"ipv4": None, "ipv6": ip("2001:db8:2::1"), "gateway": GATEWAY},
    ],
)
def test_a_backend_that_no_frontend_can_use_is_told_and_takes_nothing_with_it(
    facts: dict[str, Any],
) -> None:
    found = resolved(spec("web", frontend()), backend("b1", **facts), backend("b2", 2))
    assert refused(found) == ["no_match"]
    assert found.refusals[0].subject == "service web backend b1"
    assert list(only(found).destinations) == [target(2)]


@pytest.mark.parametrize("method", Method)
def test_a_backend_without_the_protocol_or_the_family_is_told_for_every_method(
    method: Method,
) -> None:
    other = backend("b1", ports=Ports(udp=80), method=method)
    assert refused(resolved(spec("web", frontend()), other)) == ["no_match"]
    nowhere = backend("b1", ipv4=None, ports=Ports(tcp=80), method=method)
    for where in (frontend(), Frontend(fwmark=1)):
        assert refused(resolved(spec("web", where), nowhere)) == ["no_match"]


def test_a_backend_that_one_frontend_uses_is_not_told() -> None:
    one = spec("web", frontend(), frontend("192.0.2.2", udp=53))
    assert refused(resolved(one, backend("b1"))) == []


@pytest.mark.parametrize("method", [Method.DROUTE, Method.TUNNEL])
def test_only_masq_can_change_ports(method: Method) -> None:
    found = resolved(spec("web", frontend(), method=method), backend("b1"), backend("b2", 2))
    assert refused(found) == ["port_rewrite_needs_masq"] * 2
    assert f"{method} cannot change ports" in found.refusals[0].detail
    assert only(found).destinations == {}


@pytest.mark.parametrize("own", [80, 0])
def test_without_rewriting_packets_keep_the_frontend_s_port(own: int) -> None:
    one = spec("web", frontend(), method=Method.DROUTE)
    found = resolved(one, backend("b1", ports=Ports(tcp=own)))
    assert list(only(found).destinations) == [target(1, 80)]
    assert refused(found) == []


def test_a_service_of_all_ports_can_be_routed_to_any_backend() -> None:
    one = spec("web", frontend(tcp=0), method=Method.DROUTE, persistence=StickyClients(60))
    assert list(only(resolved(one, backend("b1"))).destinations) == [target(1, 0)]


def test_only_a_tunnel_reaches_a_backend_of_the_other_family() -> None:
    six = backend("b1", ipv4=None, ipv6=ip("2001:db8:2::1"), ports=Ports(tcp=80))
    assert refused(resolved(spec("web", frontend()), six)) == ["no_match"]
    found = resolved(spec("web", frontend(), method=Method.TUNNEL), six)
    assert only(found).destinations == {
        DestinationKey(ip("2001:db8:2::1"), 80): Destination(10, Method.TUNNEL, tunnel=Tunnel())
    }
    four = Frontend(ipv6=ip("2001:db8:1::1"), ports=Ports(tcp=80))
    found = resolved(spec("web", four, method=Method.TUNNEL), backend("b1", ports=Ports(tcp=80)))
    assert list(only(found).destinations) == [target(1, 80)]


def test_a_tunnel_prefers_the_family_of_the_frontend() -> None:
    both = backend("b1", ipv6=ip("2001:db8:2::1"), ports=Ports(tcp=80))
    found = resolved(spec("web", frontend(), method=Method.TUNNEL), both)
    assert list(only(found).destinations) == [target(1, 80)]


def test_encapsulation_comes_from_the_backend_the_service_or_the_defaults() -> None:
    gue, gre = Tunnel(TunnelType.GUE, 6080), Tunnel(TunnelType.GRE)
    own = backend("b1", tunnel=gue, method=Method.TUNNEL, ports=Ports(tcp=80))
    plain = backend("b2", 2, method=Method.TUNNEL, ports=Ports(tcp=80))
    masq = backend("b3", 3, tunnel=gue)
    found = only(resolved(spec("web", frontend(), tunnel=gre), own, plain, masq))
    assert [one.tunnel for one in found.destinations.values()] == [gue, gre, None]
    found = only(resolved(spec("web", frontend()), plain, defaults=Defaults(tunnel=gue)))
    assert found.destinations[target(2, 80)].tunnel == gue


# --- gateways ------------------------------------------------------------------------------------


def behind(identity: str, number: int, **facts: Any) -> Backend:
    facts.setdefault("gateway", GATEWAY)
    facts.setdefault("method", Method.DROUTE)
    return backend(identity, number, **facts)


def test_a_gateway_chains_to_the_frontend_s_port_and_weights_add_up() -> None:
    found = resolved(spec("web", frontend()), behind("b1", 1, weight=3), behind("b2", 2, weight=4))
    assert only(found).destinations == {DestinationKey(GATEWAY, 80): Destination(7, Method.DROUTE)}
    assert refused(found) == []


@pytest.mark.parametrize(
    ("first", "second", "total"),
    [(0, 10, 10), (10, 0, 10), (0, 0, 0), (WEIGHT_MAX, 10, WEIGHT_MAX)],
)
def test_weights_of_merged_backends(first: int, second: int, total: int) -> None:
    found = resolved(
        spec("web", frontend()), behind("b1", 1, weight=first), behind("b2", 2, weight=second)
    )
    assert only(found).destinations[DestinationKey(GATEWAY, 80)].weight == total


def test_a_quiesced_backend_behind_a_gateway_only_takes_its_own_weight_away() -> None:
    found = resolved(spec("web", frontend()), behind("b1", 1, quiesced="sick"), behind("b2", 2))
    assert only(found).destinations[DestinationKey(GATEWAY, 80)].weight == 10


def test_a_merged_destination_tells_all_its_backends() -> None:
    three = [behind(f"b{i}", i, quiesced=f"q{i}") for i in (1, 2, 3)]
    found = only(resolved(spec("web", frontend()), *three))
    because = found.destinations[DestinationKey(GATEWAY, 80)].because
    assert str(because) == "sources.test: q1; sources.test: q2; sources.test: q3"


def test_a_firewall_mark_behind_a_gateway_keeps_all_ports() -> None:
    found = resolved(spec("web", Frontend(fwmark=1)), behind("b1", 1))
    assert list(only(found).destinations) == [DestinationKey(GATEWAY, 0)]


def test_a_gateway_of_the_other_family_needs_a_tunnel() -> None:
    six = ip("2001:db8:9::9")
    found = resolved(spec("web", frontend()), behind("b1", 1, gateway=six), behind("b2", 2))
    assert refused(found) == ["family_mismatch"]
    assert "only a tunnel" in found.refusals[0].detail
    assert list(only(found).destinations) == [DestinationKey(GATEWAY, 80)]
    found = resolved(spec("web", frontend()), behind("b1", 1, gateway=six, method=Method.TUNNEL))
    assert list(only(found).destinations) == [DestinationKey(six, 80)]


@pytest.mark.parametrize("other", [{"method": Method.MASQ}, {"method": Method.TUNNEL}])
def test_of_two_methods_for_one_destination_the_first_holds(other: dict[str, Any]) -> None:
    found = resolved(spec("web", frontend()), behind("b1", 1), behind("b2", 2, **other))
    assert refused(found) == ["method_conflict"]
    assert found.refusals[0].subject == "service web backend b2"
    assert only(found).destinations[DestinationKey(GATEWAY, 80)] == Destination(20, Method.DROUTE)


def test_two_backends_at_one_address_are_one_destination() -> None:
    found = resolved(spec("web", frontend()), backend("b1", 1), backend("b2", 1))
    assert only(found).destinations == {target(1): Destination(20, Method.MASQ)}


# --- runs ----------------------------------------------------------------------------------------


def objects(*backends: Backend, **settings: Any) -> list[int]:
    """The destinations by their first place, so that equal numbers are one object."""
    entry = only(resolved(spec("web", frontend(), **settings), *backends))
    found = list(entry.destinations.values())
    return [next(i for i, one in enumerate(found) if one is each) for each in found]


@pytest.mark.parametrize("method", Method)
def test_backends_that_are_alike_share_one_destination_object(method: Method) -> None:
    three = [backend(f"b{i}", i, ports=Ports(tcp=80)) for i in (1, 2, 3)]
    assert objects(*three, method=method) == [0, 0, 0]


@pytest.mark.parametrize(
    "facts",
    [
        {"weight": 3},
        {"quiesced": "unhealthy"},
        {"method": Method.DROUTE},
        {"method": Method.TUNNEL},
        {"upper_threshold": 5},
        {"lower_threshold": 5},
        {"provenance": Provenance("sources.other")},
    ],
)
def test_one_that_differs_ends_the_run(facts: dict[str, Any]) -> None:
    backends = [backend(f"b{i}", i, ports=Ports(tcp=80)) for i in (1, 2, 3, 4, 5)]
    backends[2] = backends[2]._replace(**facts)
    assert objects(*backends) == [0, 0, 2, 3, 3]


def test_labels_do_not_end_a_run() -> None:
    assert objects(backend("b1", labels={"a": "b"}), backend("b2", 2)) == [0, 0]


def test_each_quiesced_backend_says_why_for_itself() -> None:
    sick = [backend(f"b{i}", i, quiesced="unhealthy") for i in (1, 2)]
    found = only(resolved(spec("web", frontend()), *sick))
    assert [one.because for one in found.destinations.values()] == sick


def test_in_a_run_those_without_an_address_or_a_port_are_left_out() -> None:
    backends = [backend("b1", 1), backend("b2", ipv4=None), backend("b3", 3, ports=Ports(udp=1))]
    found = resolved(spec("web", frontend()), *backends)
    assert list(only(found).destinations) == [target(1)]
    assert [refusal.subject[-2:] for refusal in found.refusals] == ["b2", "b3"]


def test_of_a_run_those_at_one_address_merge_and_the_others_do_not() -> None:
    found = resolved(spec("web", frontend()), backend("b1"), backend("b2"), backend("b3", 3))
    weights = {key: one.weight for key, one in only(found).destinations.items()}
    assert weights == {target(1): 20, target(3): 10}


def test_two_runs_with_one_address_merge_there() -> None:
    other = backend("b2", 1, weight=5)
    found = resolved(spec("web", frontend()), backend("b1", 1), other, backend("b3", 3, weight=5))
    weights = {key: one.weight for key, one in only(found).destinations.items()}
    assert weights == {target(1): 15, target(3): 5}


def test_the_fields_of_a_run_stand_in_a_row() -> None:
    first = Backend._fields.index(Common._fields[0])
    assert Backend._fields[first : first + len(Common._fields)] == Common._fields


def test_a_backend_of_vips_only_is_in_no_entry_of_a_mark() -> None:
    one = spec("web", frontend(), Frontend(fwmark=7))
    found = resolved(one, backend("b1", 1, only_vips=True), backend("b2", 2))
    assert {str(key): set(entry.destinations) for key, entry in found.entries.items()} == {
        "tcp 192.0.2.1:80": {target(1), target(2)},
        "fwmark 7": {target(2)},
    }
    assert found.refusals == ()
