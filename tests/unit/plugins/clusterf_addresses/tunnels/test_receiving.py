from __future__ import annotations

import pytest

from clusterf.model.address import Family
from clusterf.model.table import Tunnel, TunnelType
from clusterf_addresses.tunnels.receiving import (
    Device,
    Port,
    SeenLink,
    Underlay,
    alias,
    keepers,
    module,
    narrowest,
    receiving,
    recorded,
)

IPIP, GRE = Tunnel(TunnelType.IPIP), Tunnel(TunnelType.GRE)
GUE = Tunnel(TunnelType.GUE, 6080)
BOTH = set(Family)


def kinds(
    tunnel: Tunnel, underlay: Underlay = "both", inner: set[Family] | None = None
) -> list[str]:
    return [device.kind for device in receiving([tunnel], underlay, inner or BOTH).devices]


@pytest.mark.parametrize("tunnel", [IPIP, GUE])
def test_inner_packets_have_a_device_for_each_pair_of_families(tunnel: Tunnel) -> None:
    assert kinds(tunnel) == ["ipip", "sit", "ip6tnl"]
    assert kinds(tunnel, "ipv4") == ["ipip", "sit"]
    assert kinds(tunnel, "ipv6") == ["ip6tnl"]
    assert kinds(tunnel, "both", {Family.INET}) == ["ipip", "ip6tnl"]
    assert kinds(tunnel, "ipv4", {Family.INET6}) == ["sit"]


def test_gre_has_one_for_each_outer_family() -> None:
    assert kinds(GRE) == ["gre", "ip6gre"]
    assert kinds(GRE, "ipv4", {Family.INET6}) == ["gre"]


def test_gre_with_checksums_is_another_device() -> None:
    checked = Tunnel(TunnelType.GRE, 0, "csum")
    assert receiving([checked], "ipv4", BOTH).devices == (Device("gre", checksums=True),)


def test_gue_has_a_port_for_each_outer_family() -> None:
    assert receiving([GUE], "both", BOTH).ports == (
        Port(Family.INET, 6080),
        Port(Family.INET6, 6080),
    )
    assert receiving([GUE], "ipv6", BOTH).ports == (Port(Family.INET6, 6080),)
    assert receiving([IPIP, GRE], "both", BOTH).ports == ()


def test_each_device_is_wanted_once() -> None:
    found = receiving([IPIP, GUE, GRE], "both", BOTH).devices
    assert [device.kind for device in found] == ["ipip", "sit", "ip6tnl", "gre", "ip6gre"]


def test_nothing_is_wanted_without_tunnels() -> None:
    assert receiving([], "both", BOTH) == ((), (), False)


def test_names_fit_and_are_known_again() -> None:
    for kind in ("ipip", "sit", "ip6tnl", "gre", "ip6gre"):
        assert len(Device(kind).name) <= 15
        assert SeenLink(Device(kind).name, kind).ours
    assert not SeenLink("clusterf-gre", "dummy").ours
    assert not SeenLink("gre1", "gre").ours


def test_a_stranger_s_device_serves_while_it_is_up_and_ours_will_be() -> None:
    wanted = Device("ipip")
    assert SeenLink("tunl0", "ipip", anybody=True).serves(wanted)
    assert not SeenLink("tunl0", "ipip", anybody=True, up=False).serves(wanted)
    assert not SeenLink("tun1", "ipip", anybody=False).serves(wanted)
    assert not SeenLink("gre0", "gre", anybody=True).serves(wanted)
    assert SeenLink(wanted.name, "ipip", anybody=True, up=False).serves(wanted)
    assert not SeenLink("gre0", "gre", anybody=True).serves(Device("gre", checksums=True))


def test_the_narrowest_way_in_is_no_device_that_nobody_comes_by() -> None:
    found = [
        SeenLink("lo", loopback=True, mtu=500),
        SeenLink("vips0", "dummy", mtu=501),
        SeenLink("clusterf-gre", "gre", mtu=502),
        SeenLink("gretap0", "gretap", mtu=503),
        SeenLink("eth1", up=False, mtu=504),
        SeenLink("eth2", enslaved=True, mtu=505),
    ]
    assert narrowest(found) is None
    found += [SeenLink("eth0", mtu=9000), SeenLink("wg0", "wireguard", mtu=1420)]
    assert narrowest(found) == 1420


@pytest.mark.parametrize("ports", [set(), {6080}, {1, 65535}])
def test_an_alias_tells_what_was_written_into_it(ports: set[int]) -> None:
    assert recorded(alias(ports)) == ports


@pytest.mark.parametrize("words", ["", "uplink", "clusterf", "clusterf: gue", "clusterf: gue x"])
def test_an_alias_of_somebody_else_tells_nothing(words: str) -> None:
    assert recorded(words) == frozenset()


def test_a_module_goes_by_its_device() -> None:
    found = [module(Device(kind)) for kind in ("ipip", "sit", "ip6tnl", "gre", "ip6gre")]
    assert found == ["ipip", "sit", "ip6_tunnel", "ip_gre", "ip6_gre"]


def test_ports_are_recorded_at_devices_of_their_outer_family() -> None:
    assert keepers(Family.INET) == ("clusterf-ipip", "clusterf-sit")
    assert keepers(Family.INET6) == ("clusterf-ip6tnl",)
