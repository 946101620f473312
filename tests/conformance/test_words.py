"""What we program, in the words of ipvsadm; and what ipvsadm programs, in ours."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from clusterf.model import notation
from clusterf.model.address import Address, Family
from clusterf.model.table import (
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
from tests.conformance.conftest import MARK6, ONE, ONE6, TWO, connect
from tests.conformance.test_laws import make_output, reach

if TYPE_CHECKING:
    from clusterf.model.table import Table
    from tests.conformance.conftest import World
    from tests.lab.network import Namespace

pytestmark = pytest.mark.lab

VIP = Address.parse("192.0.2.80")
VIP6 = Address.parse("2001:db8:1::80")
FLAGS = frozenset({"mh-fallback", "mh-port"})
TABLE: Table = {
    AddressKey(Protocol.TCP, VIP, 80): VirtualService(
        "wlc",
        frozenset(),
        Persistence(360, 24),
        {
            ONE: Destination(10, Method.MASQ, 100, 50),
            TWO: Destination(0, Method.MASQ),
        },
    ),
    AddressKey(Protocol.UDP, VIP, 53): VirtualService(
        "rr",
        frozenset({"ops"}),
        None,
        {DestinationKey(ONE.address, 53): Destination(1, Method.DROUTE)},
    ),
    AddressKey(Protocol.SCTP, VIP, 99): VirtualService("sed"),
    AddressKey(Protocol.TCP, VIP6, 80): VirtualService(
        "mh",
        FLAGS,
        Persistence(60, 64),
        {
            DestinationKey(ONE6.address, 80): Destination(3, Method.MASQ),
            DestinationKey(ONE.address, 80): Destination(
                2, Method.TUNNEL, tunnel=Tunnel(TunnelType.GUE, 6080, "remcsum")
            ),
        },
    ),
    FwmarkKey(Family.INET, 7): VirtualService(
        "sh",
        frozenset({"sh-port"}),
        None,
        {
            DestinationKey(ONE.address, 0): Destination(
                1, Method.TUNNEL, tunnel=Tunnel(TunnelType.GRE, 0, "csum")
            ),
            DestinationKey(TWO.address, 0): Destination(70000, Method.TUNNEL, tunnel=Tunnel()),
        },
    ),
    FwmarkKey(Family.INET6, 8): VirtualService("lc", frozenset(), Persistence(300, 128)),
}


def ipvsadm(*arguments: str) -> list[str]:
    found = subprocess.run(["ipvsadm", *arguments], check=True, capture_output=True, text=True)
    return found.stdout.splitlines()


@pytest.fixture
def kind(netns: Namespace) -> str:
    connect(netns)
    return "real"


async def test_ipvsadm_lists_what_we_programmed_in_our_words(world: World) -> None:
    output = make_output(world)
    await output.observe(None)
    assert await reach(output, TABLE) == 13
    ours = set()
    for key, service in TABLE.items():
        ours.add(notation.service("-A", key, service))
        for target, destination in service.destinations.items():
            # ipvsadm -S forgets thresholds.
            plain = replace(destination, upper_threshold=0, lower_threshold=0)
            ours.add(notation.destination("-a", key, target, plain))
    theirs = {line.strip() for line in ipvsadm("-S", "-n")}
    assert {_same(line) for line in theirs} == {_same(line) for line in ours}


def _same(line: str) -> tuple[str, ...]:
    """Words of a line, without those that only one of the two writes."""
    words = line.split(" ")
    return tuple(sorted(word for word in words if word not in ("--tun-type", "ipip")))


async def test_ipvsadms_listing_has_the_methods_weights_and_ports(world: World) -> None:
    output = make_output(world)
    await output.observe(None)
    await reach(output, TABLE)
    listing = "\n".join(" ".join(line.split()) for line in ipvsadm("-L", "-n"))
    for words in (
        "TCP 192.0.2.80:80 wlc persistent 360 mask 255.255.255.0",
        "-> 198.51.100.1:8080 Masq 10 0 0",
        "UDP 192.0.2.80:53 rr ops",
        "-> 198.51.100.1:53 Route 1 0 0",
        "SCTP 192.0.2.80:99 sed",
        "TCP [2001:db8:1::80]:80 mh (mh-fallback,mh-port) persistent 60 mask 64",
        "-> [2001:db8:1::1]:80 Masq 3 0 0",
        "-> 198.51.100.1:80 Tunnel 2 0 0",
        "FWM 7 sh (sh-port)",
        "FWM 8 IPv6 lc persistent 300",
    ):
        assert words in listing
    thresholds = "\n".join(" ".join(line.split()) for line in ipvsadm("-L", "-n", "--thresholds"))
    assert "-> 198.51.100.1:8080 100 50 0 0" in thresholds


async def test_what_ipvsadm_programs_is_adopted_as_it_is(world: World) -> None:
    for line in (
        "-A -t 192.0.2.80:80 -s mh -b mh-port,mh-fallback -p 90 -M 255.255.0.0",
        "-a -t 192.0.2.80:80 -r 198.51.100.1:8080 -m -w 5 -x 10 -y 3",
        "-a -t 192.0.2.80:80 -r 198.51.100.2:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum",
        "-A -u [2001:db8:1::80]:53 -s sh -b sh-fallback -o",
        "-a -u [2001:db8:1::80]:53 -r [2001:db8:1::1]:53 -g -w 2",
        "-A -f 7 -6 -s ovf",
    ):
        ipvsadm(*line.split())
    output = make_output(world)
    await output.observe(None)
    wanted: Table = {
        AddressKey(Protocol.TCP, VIP, 80): VirtualService(
            "mh",
            FLAGS,
            Persistence(90, 16),
            {
                ONE: Destination(5, Method.MASQ, 10, 3),
                DestinationKey(TWO.address, 80): Destination(
                    1, Method.TUNNEL, tunnel=Tunnel(TunnelType.GUE, 6080, "csum")
                ),
            },
        ),
        AddressKey(Protocol.UDP, VIP6, 53): VirtualService(
            "sh",
            frozenset({"sh-fallback", "ops"}),
            None,
            {DestinationKey(ONE6.address, 53): Destination(2, Method.DROUTE)},
        ),
        MARK6: VirtualService("ovf"),
    }
    assert output.observed() == wanted
    assert await reach(output, wanted) == 0


async def test_the_foreign_of_ipvsadm_survives_whatever_we_do(world: World) -> None:
    ipvsadm(*["-A", "-t", "203.0.113.1:80", "-s", "rr"])
    ipvsadm(*["-a", "-t", "203.0.113.1:80", "-r", "198.51.100.9:80", "-g", "-w", "7"])
    before = ipvsadm("-S", "-n")
    output = make_output(world)
    await output.observe(None)
    await reach(output, TABLE)
    await reach(output, {})
    assert ipvsadm("-S", "-n") == before


async def test_somebody_clears_the_table_behind_our_back(world: World) -> None:
    output = make_output(world)
    await output.observe(None)
    await reach(output, TABLE)
    ipvsadm("-C")
    await output.observe(None)
    await reach(output, TABLE)
    fresh = make_output(world)
    await fresh.observe(None)
    assert fresh.observed() == TABLE
