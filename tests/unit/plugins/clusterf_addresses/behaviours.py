"""What any `Host` does: the fake in unit tests and the real one in the lab are held against this.

Each function is given a host on which nothing was done, with lo up and no managed address.
"""

from __future__ import annotations

from clusterf.model.address import Address, Network
from clusterf.model.operation import Operation
from clusterf.model.scope import Scope
from clusterf_addresses.host import Host
from clusterf_addresses.operations import (
    AddAddress,
    CreateInterface,
    RaiseInterface,
    RemoveAddress,
    SetSysctl,
)
from clusterf_addresses.tunnels.receiving import Receiving
from clusterf_addresses.world import Found, Link, World

MANAGED = Scope((Network.parse("192.0.2.0/24"), Network.parse("2001:db8::/64")))
V4 = Address.parse("192.0.2.10")
V6 = Address.parse("2001:db8::10")
FORWARD = "net.ipv4.ip_forward"


def look(host: Host, interface: str = "lo") -> World:
    return host.look(interface, MANAGED, Receiving())


def do(host: Host, *operations: Operation) -> list[str]:
    """Errors of the operations; empty words for those that were done."""
    carried = host.carry_out(operations)
    assert [outcome.operation for outcome in carried.outcomes] == list(operations)
    return [outcome.error for outcome in carried.outcomes]


def an_empty_host(host: Host) -> None:
    world = look(host)
    assert (world.link, world.addresses, world.capable) == (Link.UP, {}, True)


def an_added_address_is_ours(host: Host) -> None:
    assert do(host, AddAddress(None, V4, "lo"), AddAddress(None, V6, "lo")) == ["", ""]
    assert look(host).addresses == {
        V4: (Found(V4, 32, "lo", ours=True),),
        V6: (Found(V6, 128, "lo", ours=True),),
    }


def adding_twice_is_no_error_and_is_told(host: Host) -> None:
    add = AddAddress(None, V4, "lo")
    assert host.carry_out([add]).found == frozenset()
    carried = host.carry_out([AddAddress(None, V6, "lo"), add])
    assert [outcome.error for outcome in carried.outcomes] == ["", ""]
    assert carried.found == {1}


def a_removed_address_is_gone_and_removing_twice_is_no_error(host: Host) -> None:
    do(host, AddAddress(None, V4, "lo"), AddAddress(None, V6, "lo"))
    removals = RemoveAddress(None, V4, 32, "lo"), RemoveAddress(None, V6, 128, "lo")
    assert do(host, *removals) == ["", ""]
    assert look(host).addresses == {}
    assert do(host, *removals) == ["", ""]


def what_is_not_managed_is_not_seen(host: Host) -> None:
    other = Address.parse("198.51.100.1")
    assert do(host, AddAddress(None, other, "lo")) == [""]
    assert look(host).addresses == {}


def a_dummy_device_is_made_up_and_made_once(host: Host) -> None:
    assert look(host, "vips0").link is Link.MISSING
    assert do(host, CreateInterface("vips0"), AddAddress(None, V4, "vips0")) == ["", ""]
    assert look(host, "vips0").link is Link.UP
    assert look(host).addresses == {V4: (Found(V4, 32, "vips0", ours=True),)}
    assert do(host, CreateInterface("vips0")) == [""]


def an_interface_that_is_missing_is_refused_and_the_rest_is_done(host: Host) -> None:
    errors = do(
        host,
        AddAddress(None, V4, "vips0"),
        RaiseInterface("vips0"),
        RemoveAddress(None, V4, 32, "vips0"),
        AddAddress(None, V6, "lo"),
    )
    assert ["(ENODEV)" in error for error in errors] == [True, True, False, False]
    assert list(look(host).addresses) == [V6]


def a_sysctl_is_set(host: Host) -> None:
    assert look(host).sysctls[FORWARD] == 0
    assert do(host, SetSysctl(FORWARD, 1)) == [""]
    assert look(host).sysctls[FORWARD] == 1


def a_sysctl_that_does_not_exist_is_an_error(host: Host) -> None:
    [error] = do(host, SetSysctl("net.ipv4.vs.no_such_thing", 1))
    assert "(ENOENT)" in error


ALL = (
    an_empty_host,
    an_added_address_is_ours,
    adding_twice_is_no_error_and_is_told,
    a_removed_address_is_gone_and_removing_twice_is_no_error,
    what_is_not_managed_is_not_seen,
    a_dummy_device_is_made_up_and_made_once,
    an_interface_that_is_missing_is_refused_and_the_rest_is_done,
    a_sysctl_is_set,
    a_sysctl_that_does_not_exist_is_an_error,
)
