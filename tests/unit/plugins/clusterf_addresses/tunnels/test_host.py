"""What needs no kernel of the lab; the rest is in test_tunnels.py and test_nftables.py there."""

from __future__ import annotations

import errno

import pytest

from clusterf.model.address import Family
from clusterf.model.operation import Operation
from clusterf_addresses.tunnels import host
from clusterf_addresses.tunnels.operations import CreateTunnel, OpenPort, RaiseTunnel
from clusterf_addresses.tunnels.receiving import Device, Port, Receiving

INET, INET6 = Port(Family.INET, 6080), Port(Family.INET6, 6080)


def test_what_was_never_asked_for_is_not_looked_at() -> None:
    world = host.look(Receiving())
    assert (world.links, world.mtu, world.ports, world.table) == ((), None, None, None)


def test_looking_needs_no_lab() -> None:
    world = host.look(Receiving(devices=(Device("ipip"),)))
    assert not any(link.ours for link in world.links)


@pytest.mark.parametrize(
    ("code", "operation", "expected"),
    [
        (errno.EOPNOTSUPP, CreateTunnel(Device("gre")), "modprobe ip_gre"),
        (
            errno.EOPNOTSUPP,
            CreateTunnel(Device("ip6tnl")),
            'modprobe ip6_tunnel, or underlay = "ipv4"',
        ),
        (
            errno.EEXIST,
            CreateTunnel(Device("ipip")),
            "the host has another ipip device for packets from anybody: set it up, or delete it",
        ),
        (errno.ENOENT, OpenPort(INET), "modprobe fou"),
        (errno.EAFNOSUPPORT, OpenPort(INET6), 'modprobe fou, or underlay = "ipv4"'),
        (errno.EADDRINUSE, OpenPort(INET), "ss -lunp sport = :6080"),
        (errno.EIO, RaiseTunnel(Device("ipip")), ""),
    ],
)
def test_a_refusal_comes_with_a_hint(code: int, operation: Operation, expected: str) -> None:
    assert host.hint(code, operation) == expected
