from __future__ import annotations

from clusterf.model.address import Family
from clusterf_addresses.tunnels.nft_codec import marks
from clusterf_addresses.tunnels.operations import (
    AddressTunnel,
    ClosePort,
    CreateTunnel,
    ExchangeTable,
    OpenPort,
    RaiseTunnel,
    RemoveTable,
    RemoveTunnel,
)
from clusterf_addresses.tunnels.receiving import Device, Port, SeenLink, recorded
from clusterf_addresses.tunnels.ruleset import ARRIVING, Rule, Ruleset
from clusterf_addresses.tunnels.world import TunnelWorld, after_tunnel, tunnel_devices

IPIP = Device("ipip")
PORT = Port(Family.INET, 6080)


def test_a_device_is_known_without_another_look() -> None:
    made = after_tunnel(TunnelWorld(), CreateTunnel(IPIP))
    link = made.serving(IPIP)
    assert link is not None
    assert (link.ours, link.up, link.addressed) == (True, False, False)
    ready = after_tunnel(after_tunnel(made, AddressTunnel(IPIP)), RaiseTunnel(IPIP))
    link = ready.serving(IPIP)
    assert link is not None
    assert (link.up, link.addressed) == (True, True)
    assert after_tunnel(ready, RemoveTunnel(IPIP)).links == ()


def test_a_port_is_known_and_recorded() -> None:
    world = after_tunnel(TunnelWorld(), CreateTunnel(IPIP))
    opened = after_tunnel(world, OpenPort(PORT, IPIP.name, frozenset({6080})))
    assert opened.ports == {PORT}
    link = opened.named(IPIP.name)
    assert link is not None
    assert recorded(link.alias) == {6080}
    closed = after_tunnel(opened, ClosePort(PORT, IPIP.name))
    assert closed.ports == frozenset()
    assert closed.named(IPIP.name) == world.named(IPIP.name)


def test_a_table_is_known() -> None:
    rules = Ruleset((Rule(ARRIVING, drop=True),))
    made = after_tunnel(TunnelWorld(), ExchangeTable(rules))
    assert made.table == marks(rules)
    assert after_tunnel(made, RemoveTable()).table is None


def test_ours_serves_before_a_stranger_s() -> None:
    theirs = SeenLink("tunl0", "ipip", anybody=True)
    ours = SeenLink(IPIP.name, "ipip", anybody=True, up=False)
    assert TunnelWorld(links=(theirs, ours)).serving(IPIP) == ours
    assert TunnelWorld(links=(theirs,)).serving(IPIP) == theirs
    assert TunnelWorld().serving(IPIP) is None


def test_only_tunnel_devices_count() -> None:
    found = [SeenLink("eth0"), SeenLink("gre1", "gre"), SeenLink("v", "veth")]
    assert tunnel_devices(found) == (SeenLink("gre1", "gre"),)
