"""What was seen of this host: the interface, managed addresses, sysctls. Frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from clusterf.model.address import Address
from clusterf.model.operation import Operation
from clusterf_addresses.operations import (
    AddAddress,
    CreateInterface,
    RaiseInterface,
    RemoveAddress,
    SetSysctl,
)
from clusterf_addresses.tunnels.operations import TunnelOperation
from clusterf_addresses.tunnels.world import TunnelWorld, after_tunnel


class Link(StrEnum):
    """State of the interface, as an administrator set it."""

    MISSING = "missing"
    DOWN = "down"
    UP = "up"


class Found(NamedTuple):
    """An address of this host. ``ours``: this program has added it, in this run or another."""

    address: Address
    length: int
    interface: str
    ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One look. ``addresses`` has the managed ones of all interfaces; an absent sysctl is unknown.

    ``capable``: whether this process has CAP_NET_ADMIN. ``kernel``: Linux version.
    """

    link: Link
    addresses: Mapping[Address, tuple[Found, ...]] = field(default_factory=dict)
    sysctls: Mapping[str, int] = field(default_factory=dict)
    capable: bool = True
    kernel: tuple[int, int] = (6, 1)
    tunnels: TunnelWorld = field(default_factory=TunnelWorld)


def after(world: World, operation: Operation, *, found: bool = False) -> World:
    """The world after an operation that was done; ``found``: the address was there already."""
    if isinstance(operation, (CreateInterface, RaiseInterface)):
        return replace(world, link=Link.UP)
    if isinstance(operation, TunnelOperation):
        return replace(world, tunnels=after_tunnel(world.tunnels, operation))
    if isinstance(operation, SetSysctl):
        return replace(world, sysctls={**world.sysctls, operation.name: operation.value})
    addresses = dict(world.addresses)
    if isinstance(operation, AddAddress):
        new = Found(operation.address, operation.length, operation.interface, not found)
        addresses[operation.address] = (*addresses.get(operation.address, ()), new)
    elif isinstance(operation, RemoveAddress):
        left = tuple(
            one
            for one in addresses.pop(operation.address, ())
            if (one.interface, one.length) != (operation.interface, operation.length)
        )
        if left:
            addresses[operation.address] = left
    return replace(world, addresses=addresses)
