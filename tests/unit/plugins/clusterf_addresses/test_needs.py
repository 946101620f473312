from __future__ import annotations

import pytest

from clusterf.model.address import Family
from clusterf.model.table import FwmarkKey, Method, Protocol, ServiceKey, VirtualService
from clusterf_addresses.needs import NAMES, Arp, Feature, features, needs, tunnelled, wrong
from tests.unit.plugins.clusterf_addresses.desired import entry, key

V4, V6 = "192.0.2.10", "2001:db8::10"
MODERN = (6, 1)
REUSE = {"net.ipv4.vs.conn_reuse_mode": 1}
SILENT = {"net.ipv4.conf.all.arp_ignore": 1, "net.ipv4.conf.all.arp_announce": 2}
GONE = {"net.ipv4.vs.expire_nodest_conn": 1}
LOOSE = {"net.ipv4.conf.all.rp_filter": 2}


def needed(
    *entries: tuple[ServiceKey, VirtualService], arp: Arp = "auto", kernel: tuple[int, int] = MODERN
) -> dict[str, int]:
    return {need.name: need.wanted for need in needs(features(entries), arp, kernel)}


@pytest.mark.parametrize(
    ("vip", "method", "expected"),
    [
        (V4, Method.MASQ, {"net.ipv4.ip_forward": 1}),
        (V6, Method.MASQ, {"net.ipv6.conf.all.forwarding": 1}),
        (V4, Method.DROUTE, SILENT | LOOSE | GONE),
        (V4, Method.TUNNEL, SILENT | LOOSE | GONE),
        (V6, Method.DROUTE, GONE),
        (V6, Method.TUNNEL, GONE),
    ],
)
def test_a_method_needs(vip: str, method: Method, expected: dict[str, int]) -> None:
    assert needed((key(vip), entry(vip, method=method))) == expected | REUSE


def test_an_empty_table_needs_nothing() -> None:
    assert needed() == needed(arp="silent") == {}


def test_persistence_needs_its_templates_to_expire() -> None:
    found = needed((key(V4), entry(V4, persistence=True)))
    assert found["net.ipv4.vs.expire_quiescent_template"] == 1
    assert "net.ipv4.vs.expire_quiescent_template" not in needed((key(V4), entry(V4)))


def test_udp_needs_entries_without_a_destination_to_expire() -> None:
    found = needed((key(V4, 53, Protocol.UDP), entry(V4)))
    assert found["net.ipv4.vs.expire_nodest_conn"] == 1
    assert "net.ipv4.vs.expire_nodest_conn" not in needed((key(V4), entry(V4)))


def test_reused_ports_are_left_alone_on_kernels_where_1_delays_them() -> None:
    one = (key(V4), entry(V4))
    assert "net.ipv4.vs.conn_reuse_mode" in needed(one, kernel=(5, 9))
    assert "net.ipv4.vs.conn_reuse_mode" not in needed(one, kernel=(5, 8))


def test_arp_is_the_operators_to_say() -> None:
    masq, droute = (key(V4), entry(V4)), (key(V4), entry(V4, method=Method.DROUTE))
    assert SILENT.items() <= needed(masq, arp="silent").items()
    assert not SILENT.keys() & needed(masq).keys()
    assert not SILENT.keys() & needed(droute, arp="answer").keys()
    assert not SILENT.keys() & needed((key(V6), entry(V6)), arp="silent").keys()


def test_a_firewall_mark_has_no_vip_but_a_method() -> None:
    mark = FwmarkKey(Family.INET, 7)
    assert needed((mark, entry(V4)), arp="silent") == {"net.ipv4.ip_forward": 1} | REUSE


def test_all_that_may_be_needed_is_read() -> None:
    everything = {need.name for need in needs(set(Feature), "silent", MODERN)}
    assert everything - LOOSE.keys() == set(NAMES)


def test_what_differs_is_wrong_and_says_what_sets_it_right() -> None:
    asked = needs({Feature.MASQ4}, "auto", MODERN)
    [found] = wrong(asked, {"net.ipv4.ip_forward": 0})
    assert found.command == "sysctl -w net.ipv4.ip_forward=1"
    assert str(found).startswith("net.ipv4.ip_forward is 0, but with masq")
    assert wrong(asked, {"net.ipv4.ip_forward": 1}) == []


def test_what_the_kernel_does_not_have_is_not_wrong() -> None:
    assert wrong(needs({Feature.MASQ4}, "auto", MODERN), {}) == []


@pytest.mark.parametrize(("value", "fits"), [(0, False), (1, True), (2, True), (3, False)])
def test_a_stricter_arp_ignore_is_as_good(value: int, fits: bool) -> None:  # noqa: FBT001
    asked = needs({Feature.VIP4}, "silent", MODERN)
    sysctls = {"net.ipv4.conf.all.arp_ignore": value, "net.ipv4.conf.all.arp_announce": 2}
    assert (wrong(asked, sysctls) == []) is fits


def rp_filter(**interfaces: int) -> list[str]:
    sysctls = {f"net.ipv4.conf.{name}.rp_filter": value for name, value in interfaces.items()}
    asked = needs({Feature.DIRECT4}, "answer", MODERN)
    return [found.command for found in wrong(asked, sysctls)]


def test_a_strict_filter_is_wrong_wherever_it_is() -> None:
    assert rp_filter(all=0, eth0=0) == rp_filter(all=0, eth0=2) == []
    assert rp_filter(all=0, eth0=1) == ["sysctl -w net.ipv4.conf.eth0.rp_filter=2"]
    assert rp_filter(all=1, eth0=0) == ["sysctl -w net.ipv4.conf.all.rp_filter=2"]


def test_a_loose_filter_for_all_makes_each_loose() -> None:
    assert rp_filter(all=2, eth0=1) == []


def test_a_device_by_which_tunnels_arrive_is_loose_whatever_holds_for_all() -> None:
    own = "net.ipv4.conf.clusterf-gre.rp_filter"
    everybody = "net.ipv4.conf.all.rp_filter"
    asked = needs(set(), "auto", MODERN, ["clusterf-gre"])
    for value, all_value, right in (
        (0, 0, True),
        (2, 0, True),
        (2, 1, True),
        (0, 2, True),
        (1, 0, False),
        (0, 1, False),
    ):
        found = wrong(asked, {own: value, everybody: all_value})
        assert [one.command for one in found] == ([] if right else [f"sysctl -w {own}=2"])
    assert wrong(asked, {everybody: 1}) == [], "it is not there yet"


def test_a_dot_in_a_name_is_a_slash_in_a_sysctl_s() -> None:
    assert tunnelled("tun.7").name == "net.ipv4.conf.tun/7.rp_filter"


def test_what_two_need_is_told_once() -> None:
    asked = needs({Feature.DIRECT4}, "answer", MODERN, ["clusterf-gre"])
    strict = {"net.ipv4.conf.all.rp_filter": 0, "net.ipv4.conf.clusterf-gre.rp_filter": 1}
    assert len(wrong(asked, strict)) == 1
