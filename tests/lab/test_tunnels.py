"""The receiving end of tunnels on a real kernel, in a network namespace of each test's own.

Whether packets come through is in tests/lab/two_tiers.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clusterf.model.address import Network
from clusterf.testing import InstanceContext
from clusterf_addresses.host import ThisHost
from clusterf_addresses.output import AddressesOutput
from clusterf_addresses.settings import AddressesSettings
from tests.lab.two_tiers.kernel import takes_tables
from tests.unit.plugins.clusterf_addresses.desired import View
from tests.unit.plugins.clusterf_addresses.tunnels import behaviours as tunnel_behaviours

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.network import Namespace

pytestmark = pytest.mark.lab

MANAGED = [Network.parse("192.0.2.0/24"), Network.parse("2001:db8::/64")]
GUE = {"type": "gue", "port": 6080}
EVERYTHING = ["ipip", "gre", GUE]
DEVICES = {f"clusterf-{kind}" for kind in ("ipip", "sit", "ip6tnl", "gre", "ip6gre")}


@pytest.fixture(autouse=True)
def eth0(netns: Namespace) -> None:
    """A way in: devices of the lab's guest that come with its modules do not count."""
    netns.ip("link add eth0 type veth peer name eth1", "link set eth0 up", "link set eth1 up")


def output(**settings: Any) -> AddressesOutput:
    """A fresh output: what a restart or a reload begins with."""
    context = InstanceContext("outputs.vips", folder=Path(), managed=MANAGED)
    return AddressesOutput(AddressesSettings.model_validate(settings), context)


async def look(of: AddressesOutput) -> list[str]:
    """Look, plan and carry out as the engine does; returns what was done, but for nftables."""
    await of.observe(None)
    operations = of.plan(View(), None, 0.0).operations
    outcomes = await of.carry_out(operations) if operations else ()
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    done = [operation.describe() for operation in operations]
    return [one for one in done if not one.startswith("nft ")]


def links(netns: Namespace, flags: str = "UP") -> set[str]:
    """Names of our devices that have a flag."""
    shown = netns.ip("link show")
    return set(re.findall(rf"\d+: (clusterf-\w+)@\S+ <[^>]*\b{flags}\b", shown))


def ports(netns: Namespace) -> set[str]:
    return set(netns.run(["ip", "fou", "show"]).stdout.splitlines())


@pytest.mark.parametrize(
    "behaviour", tunnel_behaviours.ALL_BEHAVIOURS, ids=lambda one: one.__name__
)
def test_this_host_behaves_as_a_host(behaviour: Callable[[Any], None]) -> None:
    behaviour(ThisHost())


async def test_devices_and_ports_are_made_and_guarded_before_they_are_up(
    netns: Namespace,
) -> None:
    netns.sysctl(ipv4__conf__default__rp_filter=1)
    done = await look(output(tunnels=EVERYTHING))
    for device in DEVICES:
        made = next(one for one in done if one.startswith(f"ip link add {device} "))
        loose = f"sysctl -w net.ipv4.conf.{device}.rp_filter=2"
        assert done.index(made) < done.index(loose) < done.index(f"ip link set {device} up")
    assert links(netns) == DEVICES
    assert ports(netns) == {"port 6080 gue", "port 6080 gue -6"}
    for device in DEVICES:
        addresses = re.findall(r"inet6? (\S+)", netns.ip(f"address show dev {device}"))
        assert addresses == (["192.0.0.8/32"] if device != "clusterf-sit" else [])
    assert "clusterf" not in netns.run(["ip", "-6", "route"]).stdout


async def test_a_second_look_and_a_restart_do_nothing(netns: Namespace) -> None:
    of = output(tunnels=EVERYTHING)
    await look(of)
    assert await look(of) == []
    assert await look(output(tunnels=EVERYTHING)) == []
    assert links(netns) == DEVICES


async def test_drift_is_repaired(netns: Namespace) -> None:
    of = output(tunnels=EVERYTHING)
    await look(of)
    netns.ip(
        "link delete clusterf-gre",
        "link set clusterf-ipip down",
        "address flush dev clusterf-ip6tnl",
    )
    netns.run(["ip", "fou", "del", "port", "6080"])
    netns.run(["sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/clusterf-ip6gre/rp_filter"])
    assert sorted(await look(of)) == sorted(
        [
            "sysctl -w net.ipv4.conf.clusterf-ip6gre.rp_filter=2",
            "ip link add clusterf-gre type gre external",
            "sysctl -w net.ipv4.conf.clusterf-gre.rp_filter=2",
            "ip address add 192.0.0.8/32 dev clusterf-gre scope link",
            "ip address add 192.0.0.8/32 dev clusterf-ip6tnl scope link",
            "ip link set clusterf-ipip up",
            "ip link set clusterf-gre up",
            "ip fou add port 6080 gue",
        ]
    )
    assert await look(of) == []
    assert links(netns) == DEVICES


async def test_what_the_configuration_no_longer_has_is_removed(netns: Namespace) -> None:
    await look(output(tunnels=EVERYTHING))
    done = await look(output(tunnels=["gre"]))
    assert links(netns) == {"clusterf-gre", "clusterf-ip6gre"}
    assert ports(netns) == set()
    assert len(done) == 5
    await look(output())
    assert links(netns) == set()
    assert await look(output()) == []


async def test_another_port_of_gue_is_opened_before_the_old_one_is_closed(
    netns: Namespace,
) -> None:
    await look(output(tunnels=[GUE]))
    done = await look(output(tunnels=[{"type": "gue", "port": 6081}]))
    assert done == [
        "ip fou add port 6081 gue",
        "ip fou add port 6081 -6 gue",
        "ip fou del port 6080",
        "ip fou del port 6080 -6",
    ]
    assert ports(netns) == {"port 6081 gue", "port 6081 gue -6"}
    assert await look(output(tunnels=[{"type": "gue", "port": 6081}])) == []


async def test_a_port_that_somebody_else_has_opened_stays(netns: Namespace) -> None:
    netns.run(["ip", "fou", "add", "port", "6080", "gue"])
    await look(output(tunnels=[{**GUE}], underlay="ipv4"))
    await look(output())
    assert ports(netns) == {"port 6080 gue"}


async def test_gre_with_checksums_takes_the_place_of_gre_without(netns: Namespace) -> None:
    await look(output(tunnels=["gre"], underlay="ipv4"))
    checked = output(tunnels=[{"type": "gre", "flags": "csum"}], underlay="ipv4")
    assert (await look(checked))[:2] == [
        "ip link delete clusterf-gre",
        "ip link add clusterf-gre type gre external icsum ocsum",
    ]
    assert await look(checked) == []
    assert "icsum" in netns.run(["ip", "-d", "link", "show", "dev", "clusterf-gre"]).stdout


async def test_a_device_of_the_host_that_takes_all_is_used_and_left_alone(
    netns: Namespace,
) -> None:
    netns.ip("link add theirs type ipip external", "link set theirs up", "link set sit0 up")
    of = output(tunnels=["ipip"], underlay="ipv4")
    assert await look(of) == []
    assert "theirs, which takes ipip here, is not ours" in of.report().detail
    assert "sit0, which takes sit here, is not ours" in of.report().detail
    netns.ip("link delete theirs", "link set sit0 down")
    await look(of)
    assert links(netns) == {"clusterf-ipip", "clusterf-sit"}
    await look(output())
    assert "UP" not in netns.ip("link show dev sit0").partition(">")[0]


async def test_a_device_of_the_host_for_two_ends_is_no_receiver_and_stays(
    netns: Namespace,
) -> None:
    netns.ip(
        "link add theirs type ipip local 192.0.2.77 remote 192.0.2.78",
        "link add mgre type gre local any remote any key 7",
        "link set theirs up",
        "link set mgre up",
    )
    await look(output(tunnels=["ipip", "gre"], underlay="ipv4"))
    assert links(netns) == {"clusterf-ipip", "clusterf-sit", "clusterf-gre"}
    await look(output())
    shown = netns.ip("link show")
    assert "theirs@" in shown
    assert "mgre@" in shown


async def test_the_narrowest_way_in_counts(netns: Namespace) -> None:
    of = output(tunnels=["ipip"])
    netns.ip("link add small type dummy", "link set small mtu 1000", "link set small up")
    netns.ip("link set eth1 mtu 1400")
    await look(of)
    tunnels = of._world.tunnels if of._world is not None else None
    assert tunnels is not None
    assert tunnels.mtu == 1400


async def test_without_nftables_that_is_told_and_the_rest_is_done(netns: Namespace) -> None:
    if takes_tables():
        pytest.skip("this kernel has nftables for IPv4 and IPv6")
    of = output(tunnels=EVERYTHING)
    await look(of)
    assert links(netns) == DEVICES
    [problem] = of.report().problems
    assert problem.startswith("nftables: operation not supported (ENOTSUP): packets to other")
    assert "CONFIG_NF_TABLES_INET" in problem
