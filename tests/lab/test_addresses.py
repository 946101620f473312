"""The output ``addresses`` on a real kernel, in a network namespace of each test's own."""

from __future__ import annotations

import ctypes
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clusterf.model.address import Network
from clusterf.model.scope import Scope
from clusterf.model.table import Method
from clusterf.testing import InstanceContext
from clusterf_addresses.host import ThisHost
from clusterf_addresses.marks import METRIC
from clusterf_addresses.output import AddressesOutput
from clusterf_addresses.settings import AddressesSettings
from clusterf_addresses.tunnels.receiving import Receiving
from tests.lab import choice
from tests.unit.plugins.clusterf_addresses import behaviours
from tests.unit.plugins.clusterf_addresses.desired import View, entry, key, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from clusterf.model.table import ServiceKey
    from tests.lab.network import Namespace

pytestmark = pytest.mark.lab

VIP, OTHER, VIP6 = "192.0.2.10", "192.0.2.11", "2001:db8::10"
MANAGED = [Network.parse("192.0.2.0/24"), Network.parse("2001:db8::/64")]


def output(host: ThisHost | None = None, **settings: Any) -> AddressesOutput:
    """A fresh output: what a restart begins with."""
    context = InstanceContext("outputs.vips", folder=Path(), managed=MANAGED)
    return AddressesOutput(AddressesSettings.model_validate(settings), context, host)


async def follow(
    of: AddressesOutput, view: View, subjects: Collection[ServiceKey] | None = None
) -> list[str]:
    """Plan and carry out as the engine does; returns what was done."""
    operations = of.plan(view, subjects, 0.0).operations
    outcomes = await of.carry_out(operations) if operations else ()
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    return [operation.describe() for operation in operations]


async def look(of: AddressesOutput, view: View) -> list[str]:
    await of.observe(None)
    return await follow(of, view)


def addresses(netns: Namespace, interface: str = "lo") -> set[str]:
    """As ip(8) shows them, without those that every interface has."""
    found = set(re.findall(r" inet6? (\S+)", netns.ip(f"address show dev {interface}")))
    return {one for one in found if not one.startswith(("127.", "::1", "fe80:"))}


@pytest.mark.parametrize("behaviour", behaviours.ALL, ids=lambda one: one.__name__)
def test_this_host_behaves_as_a_host(behaviour: Callable[[Any], None]) -> None:
    behaviour(ThisHost())


@pytest.mark.parametrize("behaviour", behaviours.ALL, ids=lambda one: one.__name__)
def test_so_it_does_where_only_labels_and_metrics_tell(
    behaviour: Callable[[Any], None],
) -> None:
    behaviour(ThisHost(kernel=lambda: (5, 15)))


async def test_vips_come_and_go(netns: Namespace) -> None:
    of, view = output(), serving(VIP, VIP6)
    assert await look(of, view) == [
        f"ip address add {VIP}/32 dev lo",
        f"ip address add {VIP6}/128 dev lo nodad preferred_lft 0",
    ]
    assert addresses(netns) == {f"{VIP}/32", f"{VIP6}/128"}
    assert await follow(of, view) == await look(of, view) == []
    view.table.clear()
    assert await follow(of, view, {key(VIP), key(VIP6)}) == []
    view.kernel.clear()
    await follow(of, view, {key(VIP), key(VIP6)})
    assert addresses(netns) == set()


async def test_a_vip_is_usable_at_once_and_no_source_of_our_own_packets(netns: Namespace) -> None:
    await look(output(), serving(VIP, VIP6))
    shown = netns.ip("address show dev lo")
    assert "tentative" not in shown
    assert f"inet {VIP}/32 scope global lo:clusterf" in shown
    assert re.search(rf"inet6 {VIP6}/128 .*scope global .*\bdeprecated\b", shown)
    netns.run(["busybox", "ping", "-c1", "-W2", VIP])
    netns.run(["busybox", "ping", "-c1", "-W2", VIP6])


async def test_what_somebody_else_added_stays(netns: Namespace) -> None:
    netns.ip(
        f"address add {VIP}/32 dev lo",
        f"address add {VIP6}/128 dev lo",
        "link add eth0 type dummy",
        f"address add {OTHER}/24 dev eth0",
        "address add 198.51.100.7/32 dev lo",
    )
    before = addresses(netns)
    of = output()
    assert await look(of, serving(VIP, VIP6, OTHER)) == []
    assert await look(of, View()) == []
    assert addresses(netns) == before
    assert addresses(netns, "eth0") == {f"{OTHER}/24"}


async def test_an_address_with_our_label_but_not_our_mark_stays(netns: Namespace) -> None:
    netns.ip(
        f"address add {VIP}/32 dev lo label lo:clusterf",
        f"address add {VIP6}/128 dev lo metric {METRIC}",
    )
    assert await look(output(), View()) == []
    assert addresses(netns) == {f"{VIP}/32", f"{VIP6}/128"}


async def test_an_address_that_somebody_adds_between_look_and_addition_stays(
    netns: Namespace,
) -> None:
    of = output()
    await of.observe(None)
    netns.ip(f"address add {VIP}/32 dev lo", f"address add {VIP6}/128 dev lo")
    assert len(await follow(of, serving(VIP, VIP6))) == 2
    assert await follow(of, View()) == await look(of, View()) == []
    assert addresses(netns) == {f"{VIP}/32", f"{VIP6}/128"}


async def test_an_address_that_somebody_put_in_the_place_of_ours_stays(netns: Namespace) -> None:
    of = output()
    await look(of, serving(VIP))
    netns.ip(f"address delete {VIP}/32 dev lo", f"address add {VIP}/32 dev lo")
    await follow(of, View())
    assert addresses(netns) == {f"{VIP}/32"}


@pytest.mark.parametrize("version", [(6, 1), (5, 15)])
async def test_after_a_restart_ours_are_still_ours(
    netns: Namespace, version: tuple[int, int]
) -> None:
    """Nothing was closed or written down: the same holds after a kill -9."""
    host = ThisHost(kernel=lambda: version)
    await look(output(host), serving(VIP, OTHER, VIP6))
    netns.ip("address add 192.0.2.99/32 dev lo")
    again, waiting = output(host), serving(VIP)
    waiting.hold = "sources.etcd has not spoken yet"
    assert await look(again, waiting) == []
    waiting.hold = None
    await follow(again, waiting)
    assert addresses(netns) == {f"{VIP}/32", "192.0.2.99/32"}


async def test_drift_is_repaired(netns: Namespace) -> None:
    of, view = output(), serving(VIP, VIP6)
    await look(of, view)
    netns.ip(f"address delete {VIP}/32 dev lo")
    assert await look(of, view) == [f"ip address add {VIP}/32 dev lo"]
    netns.ip("link set lo down", "link set lo up")  # takes all IPv6 addresses away
    assert await look(of, view) == [f"ip address add {VIP6}/128 dev lo nodad preferred_lft 0"]
    assert addresses(netns) == {f"{VIP}/32", f"{VIP6}/128"}


async def test_a_dummy_device_is_made_when_it_is_needed(netns: Namespace) -> None:
    of = output(interface="vips0", create=True)
    assert await look(of, View()) == []
    assert "vips0" not in netns.ip("link show")
    await look(of, serving(VIP, VIP6))
    assert addresses(netns, "vips0") == {f"{VIP}/32", f"{VIP6}/128"}
    shown = netns.ip("link show dev vips0")
    assert "NOARP" in shown
    assert "UP" in shown
    netns.ip("link set vips0 down")
    assert "ip link set vips0 up" in await look(of, serving(VIP, VIP6))
    assert await look(of, serving(VIP, VIP6)) == []
    assert addresses(netns, "vips0") == {f"{VIP}/32", f"{VIP6}/128"}


async def test_vips_move_with_the_configuration(netns: Namespace) -> None:
    await look(output(), serving(VIP, VIP6))
    await look(output(interface="vips0", create=True), serving(VIP, VIP6))
    assert addresses(netns) == set()
    assert addresses(netns, "vips0") == {f"{VIP}/32", f"{VIP6}/128"}


async def test_ipv6_that_is_switched_off_is_told_with_a_hint(netns: Namespace) -> None:
    netns.sysctl(ipv6__conf__lo__disable_ipv6=1)
    of = output()
    await of.observe(None)
    operations = of.plan(serving(VIP, VIP6), None, 0.0).operations
    good, bad = await of.carry_out(operations)
    assert good.error == ""
    assert "EACCES" in bad.error
    assert bad.hint == "sysctl -w net.ipv6.conf.lo.disable_ipv6=0"
    assert addresses(netns) == {f"{VIP}/32"}


def sysctl(netns: Namespace, name: str) -> int:
    path = "/proc/sys/" + name.replace(".", "/")
    return int(netns.run(["cat", path]).stdout)


async def test_sysctls_are_checked(netns: Namespace) -> None:
    of = output()
    assert await look(of, serving(VIP, VIP6)) == [
        f"ip address add {VIP}/32 dev lo",
        f"ip address add {VIP6}/128 dev lo nodad preferred_lft 0",
    ]
    commands = {problem.rpartition("hint: ")[2].rstrip(")") for problem in of.report().problems}
    assert commands == {
        "sysctl -w net.ipv4.ip_forward=1",
        "sysctl -w net.ipv6.conf.all.forwarding=1",
    }
    assert sysctl(netns, "net.ipv4.ip_forward") == 0
    netns.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1)
    await look(of, serving(VIP, VIP6))
    assert of.report().problems == []


async def test_sysctls_are_set_when_asked_to(netns: Namespace) -> None:
    netns.ip("link add eth0 type dummy", "link add link eth0 name eth0.7 type vlan id 7")
    netns.run(["sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/eth0.7/rp_filter"])
    of = output(sysctls="set")
    view = View({key(VIP): entry(VIP, method=Method.DROUTE, persistence=True)})
    netns.sysctl(ipv4__vs__conn_reuse_mode=0)
    done = await look(of, view)
    assert done == [
        "sysctl -w net.ipv4.conf.all.arp_ignore=1",
        "sysctl -w net.ipv4.conf.all.arp_announce=2",
        "sysctl -w net.ipv4.conf.eth0/7.rp_filter=2",
        "sysctl -w net.ipv4.vs.expire_quiescent_template=1",
        "sysctl -w net.ipv4.vs.expire_nodest_conn=1",
        "sysctl -w net.ipv4.vs.conn_reuse_mode=1",
    ]
    assert sysctl(netns, "net.ipv4.conf.all.arp_ignore") == 1
    assert sysctl(netns, "net.ipv4.vs.expire_quiescent_template") == 1
    assert sysctl(netns, "net.ipv4.ip_forward") == 0, "nothing is forwarded by masq"
    assert await look(of, view) == []
    assert of.report().problems == []


async def test_a_probe_finds_this_host_ready(netns: Namespace) -> None:
    assert await output().probe() == []
    [finding] = await output(interface="vips0").probe()
    assert finding.message == "interface vips0 is missing"
    assert addresses(netns) == set()


def _without_net_admin(function: Callable[[], Any]) -> Any:
    """Call in a thread whose effective capabilities lack CAP_NET_ADMIN; see capset(2)."""

    def run() -> Any:
        libc = ctypes.CDLL(None, use_errno=True)
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        data = (ctypes.c_uint32 * 6)()
        assert libc.capget(header, data) == 0
        data[0] &= ~(1 << 12)
        assert libc.capset(header, data) == 0
        return function()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


async def test_without_the_capability_each_addition_is_refused(netns: Namespace) -> None:
    of = output(sysctls="set")
    await of.observe(None)
    operations = of.plan(serving(VIP), None, 0.0).operations
    outcomes = _without_net_admin(lambda: ThisHost().carry_out(operations).outcomes)
    assert [one.operation.describe() for one in outcomes if one.error] == [
        "sysctl -w net.ipv4.ip_forward=1",
        f"ip address add {VIP}/32 dev lo",
    ]
    assert "EPERM" in outcomes[-1].error
    assert "CAP_NET_ADMIN" in outcomes[-1].hint
    seen = Scope(MANAGED), Receiving()
    assert not _without_net_admin(lambda: ThisHost().look("lo", *seen)).capable
    assert ThisHost().look("lo", *seen).capable
    assert addresses(netns) == set()


def test_a_look_where_nothing_is_configured_asks_for_no_modules(tmp_path: Path) -> None:
    if not choice.inside():
        pytest.skip("how a host's kernel loads modules is not ours to change")
    loader, asked = Path("/proc/sys/kernel/modprobe"), tmp_path / "asked"
    script = tmp_path / "modprobe"
    script.write_text(f'#!/bin/sh\necho "$@" >> {asked}\n')
    script.chmod(0o755)
    before = loader.read_text()
    loader.write_text(str(script))
    try:
        ThisHost().look("lo", Scope(MANAGED), Receiving())
        assert not asked.exists(), asked.read_text()
        with pytest.raises(OSError, match="no interface"):
            socket.if_nametoindex("clusterf-none")
        assert "clusterf-none" in asked.read_text()
    finally:
        loader.write_text(before)
