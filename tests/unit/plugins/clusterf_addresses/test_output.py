from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clusterf.model.address import Address, Network
from clusterf.plugin import OutputUnavailable
from clusterf.testing import InstanceContext
from clusterf_addresses.output import AddressesOutput
from clusterf_addresses.settings import AddressesSettings
from clusterf_addresses.tunnels.receiving import SeenLink
from clusterf_addresses.world import Link
from tests.unit.plugins.clusterf_addresses.desired import View, entry, key, serving
from tests.unit.plugins.clusterf_addresses.fake_host import FakeHost

if TYPE_CHECKING:
    from collections.abc import Collection

    from clusterf.model.table import ServiceKey

VIP, OTHER = "192.0.2.10", "192.0.2.11"


def output(host: FakeHost, **settings: Any) -> AddressesOutput:
    context = InstanceContext(
        "outputs.vips", folder=Path(), managed=[Network.parse("192.0.2.0/24")]
    )
    return AddressesOutput(AddressesSettings.model_validate(settings), context, host)


async def follow(
    of: AddressesOutput, view: View, subjects: Collection[ServiceKey] | None
) -> list[str]:
    """Plan and carry out, as the engine does when the table changed; returns the errors."""
    plan = of.plan(view, subjects, 0.0)
    if not plan.operations:
        return []
    outcomes = await of.carry_out(plan.operations)
    return [outcome.error for outcome in outcomes if outcome.error]


async def look(of: AddressesOutput, view: View) -> list[str]:
    await of.observe(None)
    return await follow(of, view, None)


async def test_a_vip_comes_and_goes_with_its_service() -> None:
    host = FakeHost()
    of, view = output(host), View()
    assert await look(of, view) == []
    view.table[key(VIP)] = view.kernel[key(VIP)] = entry(VIP)
    assert await follow(of, view, {key(VIP)}) == []
    assert host.held == {(Address.parse(VIP), 32, "lo"): True}
    view.table.clear()
    assert await follow(of, view, {key(VIP)}) == []
    assert len(host.held) == 1, "the data plane still has its entry"
    view.kernel.clear()
    assert await follow(of, view, {key(VIP)}) == []
    assert host.held == {}


async def test_what_was_done_is_not_done_again() -> None:
    host = FakeHost()
    of = output(host)
    await look(of, serving(VIP))
    assert await follow(of, serving(VIP), None) == []
    assert await look(of, serving(VIP)) == []
    assert host.done == [f"ip address add {VIP}/32 dev lo"]


async def test_an_address_that_somebody_adds_first_is_not_ours() -> None:
    host = FakeHost()
    of = output(host)
    await of.observe(None)
    host.add_foreign(VIP, 32, "lo")
    assert await follow(of, serving(VIP), None) == []
    assert await follow(of, View(), None) == []
    assert host.held == {(Address.parse(VIP), 32, "lo"): False}


async def test_a_refused_address_leaves_the_others_alone_and_is_tried_again() -> None:
    host = FakeHost()
    host.refusing[Address.parse(VIP)] = "operation not permitted (EPERM)"
    of, view = output(host), serving(VIP, OTHER)
    assert await look(of, view) == ["operation not permitted (EPERM)"]
    assert host.held == {(Address.parse(OTHER), 32, "lo"): True}
    host.refusing.clear()
    assert await look(of, view) == []
    assert len(host.held) == 2


async def test_drift_is_repaired_at_the_next_look() -> None:
    host = FakeHost()
    of = output(host)
    await look(of, serving(VIP))
    host.remove(VIP, "lo")
    await look(of, serving(VIP))
    assert host.held == {(Address.parse(VIP), 32, "lo"): True}


async def test_a_missing_interface_makes_the_output_unavailable() -> None:
    host = FakeHost()
    with pytest.raises(OutputUnavailable, match="interface vips0 is missing") as caught:
        await output(host, interface="vips0").observe(None)
    assert "create = true" in caught.value.hint
    host.links["vips0"] = Link.DOWN
    with pytest.raises(OutputUnavailable, match="interface vips0 is down"):
        await output(host, interface="vips0").observe(None)


async def test_a_kernel_that_does_not_answer_makes_the_output_unavailable() -> None:
    host = FakeHost()
    of = output(host)
    await of.observe(None)
    host.gone = "rtnetlink: too many open files"
    with pytest.raises(OutputUnavailable):
        await follow(of, serving(VIP), None)
    host.gone = ""
    assert await look(of, serving(VIP)) == []
    assert len(host.held) == 1


async def test_sysctls_are_told_and_left_alone() -> None:
    host = FakeHost()
    host.sysctls = {"net.ipv4.ip_forward": 0}
    of = output(host)
    await look(of, serving(VIP))
    assert host.sysctls == {"net.ipv4.ip_forward": 0}
    [problem] = of.report().problems
    assert problem.startswith("net.ipv4.ip_forward is 0, but with masq the replies")
    assert problem.endswith("(hint: sysctl -w net.ipv4.ip_forward=1)")


async def test_sysctls_are_set_before_vips_come() -> None:
    host = FakeHost()
    host.sysctls = {"net.ipv4.ip_forward": 0, "net.ipv4.conf.all.arp_ignore": 0}
    of = output(host, sysctls="set", arp="silent")
    await look(of, serving(VIP))
    assert host.done == [
        "sysctl -w net.ipv4.ip_forward=1",
        "sysctl -w net.ipv4.conf.all.arp_ignore=1",
        f"ip address add {VIP}/32 dev lo",
    ]
    assert of.report().problems == []


async def test_a_sysctl_that_cannot_be_set_waits_for_the_next_look() -> None:
    host = FakeHost()
    host.sysctls = {"net.ipv4.ip_forward": 0}
    host.read_only = {"net.ipv4.ip_forward"}
    of, view = output(host, sysctls="set"), serving(VIP)
    assert len(await look(of, view)) == 1
    assert len(of.report().problems) == 1
    assert await follow(of, view, {key(VIP)}) == []
    host.read_only.clear()
    assert await look(of, view) == []
    assert host.sysctls == {"net.ipv4.ip_forward": 1}
    assert of.report().problems == []


async def test_a_new_service_brings_its_needs() -> None:
    host = FakeHost()
    host.sysctls = {"net.ipv4.ip_forward": 0}
    of, view = output(host), View()
    await look(of, view)
    assert of.report().problems == []
    view.table[key(VIP)] = entry(VIP)
    await follow(of, view, {key(VIP)})
    assert len(of.report().problems) == 1


async def test_the_report_counts_what_is_ours_and_what_is_not() -> None:
    host = FakeHost()
    of = output(host)
    assert of.report().detail == "this host has not been looked at yet"
    host.add_foreign("192.0.2.1", 24, "eth0")
    await look(of, serving(VIP, OTHER))
    assert of.report().detail == (
        "2 VIPs on lo; 1 managed addresses of this host are not ours and stay"
    )


async def test_a_probe_changes_nothing() -> None:
    host = FakeHost()
    host.capable = False
    [finding] = await output(host, interface="vips0", create=True).probe()
    assert "CAP_NET_ADMIN" in finding.message
    assert (host.links, host.done) == ({"lo": Link.UP}, [])


# --- tunnels -------------------------------------------------------------------------------------


IPIP = "clusterf-ipip"


async def test_tunnels_are_there_before_vips_come() -> None:
    host = FakeHost()
    await look(output(host, tunnels=["ipip"]), serving(VIP))
    vip = host.done.index(f"ip address add {VIP}/32 dev lo")
    assert host.done.index(f"ip link set {IPIP} up") < vip
    assert host.sysctls[f"net.ipv4.conf.{IPIP}.rp_filter"] == 2
    assert host.tunnels.table is not None


async def test_a_change_of_the_table_is_no_matter_of_tunnels() -> None:
    host = FakeHost()
    of = output(host, tunnels=["ipip"])
    await of.observe(None)
    assert await follow(of, serving(VIP), {key(VIP)}) == []
    assert host.done == [f"ip address add {VIP}/32 dev lo"]


async def test_what_was_done_about_tunnels_is_not_done_again() -> None:
    host = FakeHost()
    of = output(host, tunnels=["ipip", {"type": "gue", "port": 6080}])
    await look(of, View())
    host.done.clear()
    assert await follow(of, View(), None) == []
    assert await look(of, View()) == []
    assert host.done == []


async def test_what_somebody_does_to_tunnels_is_undone_at_the_next_look() -> None:
    host = FakeHost()
    of = output(host, tunnels=["ipip"])
    await look(of, View())
    host.tunnels.change(IPIP, up=False)
    host.tunnels.table = ()
    host.sysctls[f"net.ipv4.conf.{IPIP}.rp_filter"] = 1
    host.done.clear()
    await look(of, View())
    assert [one.partition(" {")[0] for one in host.done] == [
        f"sysctl -w net.ipv4.conf.{IPIP}.rp_filter=2",
        "nft table inet clusterf",
        f"ip link set {IPIP} up",
    ]


async def test_sysctls_of_a_stranger_s_device_are_told_and_left_alone() -> None:
    host = FakeHost()
    host.tunnels.links["tunl0"] = SeenLink("tunl0", "ipip", anybody=True)
    host.sysctls["net.ipv4.conf.tunl0.rp_filter"] = 1
    of = output(host, tunnels=["ipip"], underlay="ipv4")
    await look(of, View())
    assert host.sysctls["net.ipv4.conf.tunl0.rp_filter"] == 1
    [problem] = of.report().problems
    assert problem.endswith("(hint: sysctl -w net.ipv4.conf.tunl0.rp_filter=2)")


async def test_a_device_that_is_refused_leaves_the_others_alone() -> None:
    host = FakeHost()
    host.tunnels.lacking = {"ip6tnl"}
    of = output(host, tunnels=["ipip"])
    errors = await look(of, serving(VIP))
    assert "operation not supported (ENOTSUP)" in errors
    assert host.tunnels.links[IPIP].up
    assert host.held
    assert host.tunnels.table is not None


async def test_without_nftables_all_else_goes_on() -> None:
    host = FakeHost()
    host.tunnels.refused = 95
    of = output(host, tunnels=["ipip"])
    assert await look(of, serving(VIP)) == []
    assert host.tunnels.links[IPIP].up
    assert host.held
    [problem] = of.report().problems
    assert problem.startswith("nftables: ")


async def test_tunnels_leave_with_the_configuration_and_after_the_vips() -> None:
    host = FakeHost()
    await look(output(host, tunnels=["ipip"]), serving(VIP))
    host.done.clear()
    await look(output(host), View())
    assert host.done == [
        f"ip address delete {VIP}/32 dev lo",
        "ip link delete clusterf-ipip",
        "ip link delete clusterf-ip6tnl",
        "nft delete table inet clusterf",
    ]
    assert host.tunnels.names() == []
