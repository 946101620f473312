from __future__ import annotations

from dataclasses import replace

from clusterf.model.address import Family, Network
from clusterf.model.table import Tunnel, TunnelType
from clusterf_addresses.tunnels.modules import Modules
from clusterf_addresses.tunnels.nft_codec import marks
from clusterf_addresses.tunnels.planning import TunnelRules, plan_tunnels
from clusterf_addresses.tunnels.receiving import Port, SeenLink, alias
from clusterf_addresses.tunnels.world import TunnelWorld

V4, V6 = Network.parse("192.0.2.0/24"), Network.parse("2001:db8::/64")
IPIP, GRE = Tunnel(TunnelType.IPIP), Tunnel(TunnelType.GRE)
GUE = Tunnel(TunnelType.GUE, 6080)
OLD = TunnelRules((IPIP,), "ipv4", "off", (V4,))
"""IPv4 only."""


def planned(rules: TunnelRules, seen: TunnelWorld) -> tuple[list[str], list[str]]:
    first, last = plan_tunnels(rules, seen)
    return [one.describe() for one in first], [one.describe() for one in last]


def link(kind: str, **changes: bool | str) -> SeenLink:
    """A device of ours as it should be."""
    made = SeenLink(f"clusterf-{kind}", kind, anybody=True, addressed=kind != "sit")
    return made._replace(**changes)  # type: ignore[arg-type]


def ready(rules: TunnelRules, *links: SeenLink, ports: tuple[Port, ...] = ()) -> TunnelWorld:
    """A world in which nothing is left to do but what is changed in it."""
    table = marks(rules.rules(1500))
    return TunnelWorld(links=links, mtu=1500, ports=frozenset(ports) or None, table=table or None)


def test_nothing_is_wanted_and_nothing_is_there() -> None:
    assert planned(TunnelRules(), TunnelWorld()) == ([], [])


def test_a_device_is_guarded_before_it_is_up() -> None:
    first, last = planned(OLD, TunnelWorld())
    assert [one.partition(" {")[0] for one in first] == [
        "ip link add clusterf-ipip type ipip external",
        "sysctl -w net.ipv4.conf.clusterf-ipip.rp_filter=2",
        "ip address add 192.0.0.8/32 dev clusterf-ipip scope link",
        "nft table inet clusterf",
        "ip link set clusterf-ipip up",
    ]
    assert last == []


def test_what_is_there_is_left_alone() -> None:
    assert planned(OLD, ready(OLD, link("ipip"))) == ([], [])


def test_a_device_for_ipv6_only_needs_no_address() -> None:
    rules = replace(OLD, prefixes=(V6,))
    first, _ = planned(rules, TunnelWorld())
    assert first[0] == "ip link add clusterf-sit type sit dev lo"
    assert not any(one.startswith("ip address") for one in first)


def test_drift_is_repaired() -> None:
    down = link("ipip", up=False)
    assert planned(OLD, ready(OLD, down)) == (["ip link set clusterf-ipip up"], [])
    bare = link("ipip", addressed=False)
    assert planned(OLD, ready(OLD, bare)) == (
        ["ip address add 192.0.0.8/32 dev clusterf-ipip scope link"],
        [],
    )
    other = replace(ready(OLD, link("ipip")), table=(("arriving", "somebody's"),))
    [first], last = planned(OLD, other)
    assert first.startswith("nft table inet clusterf { chain arriving")
    assert last == []


def test_what_is_not_as_configured_is_made_anew() -> None:
    rules = replace(OLD, tunnels=(Tunnel(TunnelType.GRE, 0, "csum"),))
    first, _ = planned(rules, ready(rules, link("gre")))
    assert first[:2] == [
        "ip link delete clusterf-gre",
        "ip link add clusterf-gre type gre external icsum ocsum",
    ]
    assert first[-1] == "ip link set clusterf-gre up"


def test_a_stranger_s_device_that_takes_all_is_used() -> None:
    theirs = SeenLink("tunl0", "ipip", anybody=True)
    assert planned(OLD, ready(OLD, theirs)) == ([], [])
    assert OLD.receivers(ready(OLD, theirs)) == ["tunl0"]


def test_a_stranger_with_our_name_stays() -> None:
    theirs = SeenLink("clusterf-ipip", "dummy")
    first, last = planned(OLD, ready(OLD, theirs))
    assert "ip link add clusterf-ipip type ipip external" in first, "the kernel will refuse it"
    assert last == []


def test_what_is_configured_no_longer_goes_last() -> None:
    rules = TunnelRules(prefixes=(V4,))
    seen = ready(OLD, link("ipip", alias=alias([6080])), ports=(Port(Family.INET, 6080),))
    assert planned(rules, seen) == (
        [],
        [
            "ip fou del port 6080",
            "ip link delete clusterf-ipip",
            "nft delete table inet clusterf",
        ],
    )


def test_ports_of_gue_are_opened_when_their_devices_are_up() -> None:
    rules = replace(OLD, tunnels=(GUE,), underlay="both")
    first, _ = planned(rules, TunnelWorld())
    assert first[-2:] == ["ip fou add port 6080 gue", "ip fou add port 6080 -6 gue"]
    kept = {one.device for one in plan_tunnels(rules, TunnelWorld()).first if hasattr(one, "port")}
    assert kept == {"clusterf-ipip", "clusterf-ip6tnl"}


def test_another_port_is_opened_and_ours_is_closed() -> None:
    rules = replace(OLD, tunnels=(Tunnel(TunnelType.GUE, 6081),))
    opened = Port(Family.INET, 6080)
    seen = ready(rules, link("ipip", alias=alias([6080])), ports=(opened,))
    assert planned(rules, seen) == (["ip fou add port 6081 gue"], ["ip fou del port 6080"])
    [first], [last] = plan_tunnels(rules, seen)
    assert first.recorded == {6080, 6081}  # type: ignore[attr-defined]
    assert last.recorded == {6081}  # type: ignore[attr-defined]


def test_a_port_that_we_have_not_opened_stays() -> None:
    rules = TunnelRules(prefixes=(V4,))
    seen = TunnelWorld(ports=frozenset({Port(Family.INET, 6080)}))
    assert planned(rules, seen) == ([], [])


def test_a_stranger_s_port_that_is_wanted_too_is_not_recorded() -> None:
    rules = replace(OLD, tunnels=(GUE,))
    theirs = Port(Family.INET, 6080)
    seen = ready(rules, link("ipip", alias=alias([6081])), ports=(theirs,))
    first, [last] = plan_tunnels(rules, seen)
    assert first == []
    assert last.describe() == "ip fou del port 6081"
    assert last.recorded == frozenset()  # type: ignore[attr-defined]


def test_with_ipv6_vips_only_sit_keeps_the_record() -> None:
    rules = replace(OLD, tunnels=(GUE,), prefixes=(V6,))
    [opened] = [one for one in plan_tunnels(rules, TunnelWorld()).first if hasattr(one, "port")]
    assert opened.device == "clusterf-sit"
    seen = ready(rules, link("sit", alias=alias([6080])), ports=(Port(Family.INET, 6080),))
    _, last = planned(TunnelRules(), seen)
    assert last[0] == "ip fou del port 6080"


def test_where_a_stranger_s_device_serves_nothing_is_recorded() -> None:
    rules = replace(OLD, tunnels=(GUE,))
    seen = ready(rules, SeenLink("tunl0", "ipip", anybody=True))
    [opened] = plan_tunnels(rules, seen).first
    assert opened.describe() == "ip fou add port 6080 gue"
    assert opened.device == ""  # type: ignore[attr-defined]


def test_a_record_of_a_port_that_somebody_has_closed_goes() -> None:
    seen = ready(OLD, link("ipip", alias=alias([6080])))
    assert planned(OLD, seen) == ([], ["ip fou del port 6080"])


def test_where_nftables_are_refused_no_table_is_planned() -> None:
    seen = TunnelWorld(links=(link("ipip"),), refused=95)
    assert planned(OLD, seen) == ([], [])


def test_the_mtu_decides_about_the_table() -> None:
    rules = replace(OLD, mss="auto")
    seen = ready(rules, link("ipip"))
    assert planned(rules, seen) == ([], [])
    [first], _ = planned(rules, replace(seen, mtu=1400))
    assert "size set 1340" in first


def test_a_size_alone_is_a_table_without_devices() -> None:
    rules = TunnelRules(mss=1300, prefixes=(V4, V6))
    assert rules.wanted == ((), (), True)
    [first], last = planned(rules, TunnelWorld())
    assert "arriving" not in first
    assert last == []


def test_a_kernel_is_asked_about_what_it_has_loaded_only() -> None:
    rules = replace(OLD, tunnels=(GUE,))
    asked = rules.asking(Modules(frozenset({"nf_tables"})))
    assert (asked.devices, asked.ports, asked.table) == (rules.wanted.devices, (), True)
    asked = rules.asking(Modules(frozenset({"fou"})))
    assert (asked.ports, asked.table) == (rules.wanted.ports, False)


def test_sysctls_of_our_devices_are_ours() -> None:
    assert TunnelRules.makes("net.ipv4.conf.clusterf-gre.rp_filter")
    assert not TunnelRules.makes("net.ipv4.conf.gre0.rp_filter")
    assert not TunnelRules.makes("net.ipv4.ip_forward")
