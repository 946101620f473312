from __future__ import annotations

from clusterf.model.address import Address
from clusterf_addresses.operations import (
    AddAddress,
    CreateInterface,
    RaiseInterface,
    RemoveAddress,
    SetSysctl,
)
from clusterf_addresses.tunnels.operations import CreateTunnel
from clusterf_addresses.tunnels.receiving import Device
from clusterf_addresses.world import Found, Link, World, after

VIP = Address.parse("192.0.2.10")
ADD = AddAddress(None, VIP, "lo")


def test_an_addition_is_known_without_another_look() -> None:
    world = after(World(link=Link.UP), ADD)
    assert world.addresses == {VIP: (Found(VIP, 32, "lo", ours=True),)}


def test_what_was_there_already_is_not_ours() -> None:
    world = after(World(link=Link.UP), ADD, found=True)
    assert world.addresses == {VIP: (Found(VIP, 32, "lo", ours=False),)}


def test_a_removal_takes_only_what_it_names() -> None:
    on_eth0 = Found(VIP, 24, "eth0", ours=False)
    ours = Found(VIP, 32, "lo", ours=True)
    world = World(link=Link.UP, addresses={VIP: (on_eth0, ours)})
    removal = RemoveAddress(None, VIP, 32, "lo")
    assert after(world, removal).addresses == {VIP: (on_eth0,)}
    assert world.addresses == {VIP: (on_eth0, ours)}


def test_the_last_removal_leaves_nothing() -> None:
    world = after(World(link=Link.UP), ADD)
    assert after(world, RemoveAddress(None, VIP, 32, "lo")).addresses == {}


def test_an_interface_made_or_raised_is_up() -> None:
    assert after(World(link=Link.MISSING), CreateInterface("vips0")).link is Link.UP
    assert after(World(link=Link.DOWN), RaiseInterface("vips0")).link is Link.UP


def test_a_sysctl_has_its_new_value() -> None:
    world = World(link=Link.UP, sysctls={"net.ipv4.ip_forward": 0, "other": 3})
    done = after(world, SetSysctl("net.ipv4.ip_forward", 1))
    assert done.sysctls == {"net.ipv4.ip_forward": 1, "other": 3}


def test_what_is_of_tunnels_is_in_their_part() -> None:
    done = after(World(link=Link.UP), CreateTunnel(Device("gre")))
    assert [link.name for link in done.tunnels.links] == ["clusterf-gre"]
