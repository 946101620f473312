from __future__ import annotations

from typing import Any

import pytest

from clusterf.model.address import Family
from clusterf.model.defaults import Defaults
from clusterf.model.provenance import Refusal
from clusterf.model.service import Backend, Frontend, Ports, ServiceSpec, StickyClients
from clusterf.model.table import (
    SCHEDULERS,
    WEIGHT_MAX,
    AddressKey,
    Destination,
    DestinationKey,
    FwmarkKey,
    Method,
    Persistence,
    Protocol,
    Tunnel,
    TunnelType,
    VirtualService,
)
from clusterf.pipeline.resolve import Resolution, Scope, resolve
from tests.strategies import MANAGED, SOURCE, backend, frontend, ip, service, spec, target, tcp

DEFAULTS = Defaults()
SIX = AddressKey(Protocol.TCP, ip("2001:db8:1::1"), 80)
GATEWAY = ip("203.0.113.9")


def resolved(one: ServiceSpec, *backends: Backend, defaults: Defaults = DEFAULTS) -> Resolution:
    return resolve(service(one, *backends), defaults, MANAGED)


def only(resolution: Resolution) -> VirtualService:
    [one] = resolution.entries.values()
    return one


def refused(resolution: Resolution) -> list[str]:
    return [refusal.reason for refusal in resolution.refusals]


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


def test_a_scope_owns_prefixes_and_marks() -> None:
    assert MANAGED.owns(tcp())
    assert not MANAGED.owns(tcp("203.0.113.1"))
    assert MANAGED.owns(FwmarkKey(Family.INET, 8))
    assert not MANAGED.owns(FwmarkKey(Family.INET, 9))
    assert not Scope().owns(tcp())


def test_port_0_needs_persistence() -> None:
    bare = resolved(spec("web", frontend(tcp=0)), backend("b1"))
    assert (refused(bare), bare.entries) == (["port_zero"], {})
    sticky = spec("web", frontend(tcp=0), persistence=StickyClients(60))
    found = resolved(sticky, backend("b1"))
    assert refused(found) == []
    assert list(found.entries) == [tcp(port=0)]


# --- settings -----------------------------------------------------------------------------------


def test_settings_come_from_the_service_and_then_from_the_defaults() -> None:
    defaults = Defaults(
        scheduler="rr", weight=3, method=Method.DROUTE, upper_threshold=8, lower_threshold=4
    )
    open_ = only(resolved(spec("web", frontend(tcp=8080)), backend("b1"), defaults=defaults))
    assert open_.scheduler == "rr"
    assert open_.destinations == {target(1): Destination(3, Method.DROUTE, 8, 4)}
    said = spec(
        "web", frontend(tcp=8080), scheduler="lc", weight=0, method=Method.MASQ,
        upper_threshold=0, lower_threshold=0,
    )  # fmt: skip
    own = only(resolved(said, backend("b1"), defaults=defaults))
    assert own.scheduler == "lc"
    assert own.destinations == {target(1): Destination(0, Method.MASQ)}


def test_a_backend_s_own_settings_come_first() -> None:
    one = spec("web", frontend(tcp=8080), weight=3, upper_threshold=9, lower_threshold=9)
    own = backend("b1", weight=7, method=Method.DROUTE, upper_threshold=2, lower_threshold=1)
    assert only(resolved(one, own)).destinations == {target(1): Destination(7, Method.DROUTE, 2, 1)}


def test_a_quiesced_backend_has_weight_0_whatever_it_says() -> None:
    found = resolved(spec("web", frontend(), weight=5), backend("b1", weight=7, quiesced="sick"))
    assert only(found).destinations[target(1)].weight == 0


def test_an_unknown_scheduler_falls_back_and_is_told() -> None:
    found = resolved(spec("web", frontend(), scheduler="wlcc"), backend("b1"))
    assert refused(found) == ["unknown_scheduler"]
    assert only(found).scheduler == "wlc"
    assert only(found).destinations


def test_flags_that_the_scheduler_does_not_have_are_told() -> None:
    one = spec("web", frontend(), scheduler="sh", flags=frozenset({"sh-port", "mh-port", "x"}))
    found = resolved(one, backend("b1"))
    assert refused(found) == ["unknown_flag"]
    assert "mh-port, x" in found.refusals[0].detail
    assert only(found).flags == {"sh-port", "sh-fallback"}


def test_default_flags_that_do_not_fit_are_left_out_silently() -> None:
    defaults = Defaults(flags=frozenset({"mh-port"}))
    found = resolved(spec("web", frontend()), backend("b1"), defaults=defaults)
    assert (refused(found), only(found).flags) == ([], frozenset())


@pytest.mark.parametrize("scheduler", sorted(SCHEDULERS))
def test_hashing_schedulers_always_fall_back_from_a_quiesced_destination(scheduler: str) -> None:
    found = only(resolved(spec("web", frontend(), scheduler=scheduler), backend("b1")))
    forced = {f"{scheduler}-fallback"} if scheduler in {"mh", "sh"} else set()
    assert found.flags == forced


def test_one_packet_scheduling_is_for_udp_only() -> None:
    both = spec("web", frontend(tcp=80, udp=80, sctp=80), Frontend(fwmark=1),
                flags=frozenset({"ops"}))  # fmt: skip
    found = resolved(both, backend("b1", ports=Ports(tcp=80, udp=80, sctp=80)))
    assert {str(key): set(one.flags) for key, one in found.entries.items()} == {
        "tcp 192.0.2.1:80": set(),
        "udp 192.0.2.1:80": {"ops"},
        "sctp 192.0.2.1:80": set(),
        "fwmark 1": {"ops"},
    }
    assert refused(found) == []


def test_persistence_groups_clients_by_the_prefix_of_the_family() -> None:
    both = Frontend(ipv4=ip("192.0.2.1"), ipv6=ip("2001:db8:1::1"), ports=Ports(tcp=80))
    found = resolved(spec("web", both, persistence=StickyClients(300, 24, 64)), backend("b1"))
    assert found.entries[tcp()].persistence == Persistence(300, 24)
    assert found.entries[SIX].persistence == Persistence(300, 64)


def test_default_persistence_holds_where_the_service_is_silent() -> None:
    defaults = Defaults(persistence=StickyClients(60))
    found = resolved(spec("web", frontend()), backend("b1"), defaults=defaults)
    assert only(found).persistence == Persistence(60, 32)


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


# --- destinations --------------------------------------------------------------------------------


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
