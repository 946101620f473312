"""What any `Host` does about tunnels: the fake and the real one are held against this.

Each function is given a host on which nothing was done, with an interface to the outside.
"""

from __future__ import annotations

from clusterf.model.address import Family, Network
from clusterf.model.scope import Scope
from clusterf_addresses.host import Host
from clusterf_addresses.tunnels.operations import (
    AddressTunnel,
    ClosePort,
    CreateTunnel,
    OpenPort,
    RaiseTunnel,
    RemoveTunnel,
    TunnelOperation,
)
from clusterf_addresses.tunnels.receiving import Device, Port, Receiving, recorded
from clusterf_addresses.tunnels.world import TunnelWorld

MANAGED = Scope((Network.parse("192.0.2.0/24"),))
KINDS = ("ipip", "sit", "ip6tnl", "gre", "ip6gre")
DEVICES = tuple(map(Device, KINDS))
PORTS = tuple(Port(family, 6080) for family in Family)
ALL = Receiving(DEVICES, PORTS)
IPIP = Device("ipip")


def look(host: Host, wanted: Receiving = ALL) -> TunnelWorld:
    return host.look("lo", MANAGED, wanted).tunnels


def do(host: Host, *operations: TunnelOperation) -> list[str]:
    """Errors of the operations; empty words for those that were done."""
    return [outcome.error for outcome in host.carry_out(operations).outcomes]


def nothing_is_there(host: Host) -> None:
    world = look(host)
    assert [world.serving(device) for device in DEVICES] == [None] * len(DEVICES)
    assert world.ports == frozenset()


def what_was_never_asked_for_is_not_looked_at(host: Host) -> None:
    world = look(host, Receiving())
    assert (world.links, world.mtu, world.ports) == ((), None, None)


def devices_are_made_down_and_ours(host: Host) -> None:
    assert do(host, *map(CreateTunnel, DEVICES)) == [""] * len(DEVICES)
    world = look(host)
    for device in DEVICES:
        link = world.serving(device)
        assert link is not None
        assert (link.name, link.kind, link.ours) == (device.name, device.kind, True)
        assert (link.up, link.addressed, link.anybody, link.alias) == (False, False, True, "")


def devices_are_set_up_and_have_an_address(host: Host) -> None:
    for device in DEVICES:
        assert do(host, CreateTunnel(device), RaiseTunnel(device)) == ["", ""]
        if device.takes_ipv4:
            assert do(host, AddressTunnel(device)) == [""]
    for device in DEVICES:
        link = look(host).serving(device)
        assert link is not None
        assert (link.up, link.addressed) == (True, device.takes_ipv4)


def a_device_is_made_once(host: Host) -> None:
    assert do(host, CreateTunnel(IPIP)) == [""]
    [error] = do(host, CreateTunnel(IPIP))
    assert error == "file exists (EEXIST)"


def gre_with_checksums_is_another_device(host: Host) -> None:
    for kind in ("gre", "ip6gre"):
        plain, checked = Device(kind), Device(kind, checksums=True)
        assert do(host, CreateTunnel(checked)) == [""]
        assert look(host).serving(plain) is None
        assert look(host).serving(checked) is not None


def a_removed_device_is_gone_and_removing_twice_is_no_error(host: Host) -> None:
    assert do(host, CreateTunnel(IPIP), RemoveTunnel(IPIP), RemoveTunnel(IPIP)) == ["", "", ""]
    assert look(host).serving(IPIP) is None
    assert look(host, Receiving()).links == ()


def a_device_of_ours_is_seen_without_being_asked_for(host: Host) -> None:
    do(host, CreateTunnel(Device("gre")))
    assert [link.name for link in look(host, Receiving()).links if link.ours] == ["clusterf-gre"]


def ports_are_opened_and_recorded(host: Host) -> None:
    do(host, *map(CreateTunnel, DEVICES))
    inet, inet6 = PORTS
    opened = (
        OpenPort(inet, "clusterf-ipip", frozenset({6080})),
        OpenPort(inet6, "clusterf-ip6tnl", frozenset({6080})),
    )
    assert do(host, *opened) == ["", ""]
    for wanted in (ALL, Receiving()):
        world = look(host, wanted)
        assert world.ports == frozenset(PORTS)
        for name in ("clusterf-ipip", "clusterf-ip6tnl"):
            link = world.named(name)
            assert link is not None
            assert recorded(link.alias) == {6080}


def a_port_is_opened_once_and_closed(host: Host) -> None:
    do(host, CreateTunnel(IPIP))
    inet = PORTS[0]
    assert do(host, OpenPort(inet)) == [""]
    [error] = do(host, OpenPort(inet))
    assert error == "address already in use (EADDRINUSE)"
    close = ClosePort(inet, "clusterf-ipip")
    assert do(host, close, close) == ["", ""]
    assert look(host).ports == frozenset()


def the_narrowest_way_in_is_told(host: Host) -> None:
    assert look(host).mtu == 1500


ALL_BEHAVIOURS = (
    nothing_is_there,
    what_was_never_asked_for_is_not_looked_at,
    devices_are_made_down_and_ours,
    devices_are_set_up_and_have_an_address,
    a_device_is_made_once,
    gre_with_checksums_is_another_device,
    a_removed_device_is_gone_and_removing_twice_is_no_error,
    a_device_of_ours_is_seen_without_being_asked_for,
    ports_are_opened_and_recorded,
    a_port_is_opened_once_and_closed,
    the_narrowest_way_in_is_told,
)
