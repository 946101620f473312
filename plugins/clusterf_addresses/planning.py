"""Plan: from what was seen and what is desired to operations. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from clusterf.model.address import Address
from clusterf.model.operation import Operation
from clusterf.model.scope import Scope
from clusterf.model.table import AddressKey, ServiceKey
from clusterf.plugin import Desired
from clusterf_addresses.operations import (
    AddAddress,
    CreateInterface,
    RaiseInterface,
    RemoveAddress,
)
from clusterf_addresses.world import Found, Link, World


class Rules(NamedTuple):
    """Where VIPs go, which ones are ours to touch, and whether the interface is ours to make."""

    interface: str
    managed: Scope
    create: bool


def plan_addresses(
    rules: Rules, world: World, desired: Desired, subjects: Collection[ServiceKey] | None
) -> list[Operation]:
    """Operations for the VIPs of these subjects, or for all. In the order of their stages.

    A VIP is added when a service at it can serve. It stays while an entry of the table or of
    a data plane is at it, and what this program has not added stays for good.
    """
    additions: list[Operation] = []
    removals: list[Operation] = []
    hold = desired.hold is not None
    wanted: set[Address] | None = None
    for address, subject in _about(world, desired, subjects).items():
        if not rules.managed.holds(address):
            continue
        present = world.addresses.get(address, ())
        ours = [found for found in present if found.ours]
        if desired.serving(address):
            if not _is_held(rules.interface, present):
                because = "" if subject is None else f"{subject} can serve"
                additions.append(AddAddress(subject, address, rules.interface, because))
            if not hold:
                removals += _moved(rules.interface, subject, ours)
        elif ours and not hold and not desired.held(address):
            if wanted is None:
                wanted = {key.address for key in desired.table if isinstance(key, AddressKey)}
            if address not in wanted:
                removals += (
                    RemoveAddress(
                        subject,
                        address,
                        found.length,
                        found.interface,
                        "no virtual service is at this VIP any more",
                    )
                    for found in ours
                )
    return [*_interface(rules, world, additions, subjects), *additions, *removals]


def _about(
    world: World, desired: Desired, subjects: Collection[ServiceKey] | None
) -> Mapping[Address, ServiceKey | None]:
    """The VIPs to look at, each with an entry that an operation can be said to serve."""
    about: dict[Address, ServiceKey | None] = {}
    for key in desired.table if subjects is None else subjects:
        if isinstance(key, AddressKey):
            about.setdefault(key.address, key)
    if subjects is None:
        for address in world.addresses:
            about.setdefault(address, None)
    return about


def _is_held(interface: str, present: Iterable[Found]) -> bool:
    """Whether this host has the VIP for good: on the interface, or from somebody else.

    Ours on another interface is what an earlier configuration left; it goes once it has moved.
    """
    return any(found.interface == interface or not found.ours for found in present)


def _moved(
    interface: str, subject: ServiceKey | None, ours: Iterable[Found]
) -> Iterable[RemoveAddress]:
    return [
        RemoveAddress(
            subject, found.address, found.length, found.interface, f"VIPs are on {interface} now"
        )
        for found in ours
        if found.interface != interface
    ]


def _interface(
    rules: Rules,
    world: World,
    additions: Collection[Operation],
    subjects: Collection[ServiceKey] | None,
) -> list[Operation]:
    """What has to be done to the interface first."""
    if not rules.create or world.link is Link.UP:
        return []
    if world.link is Link.MISSING:
        return [CreateInterface(rules.interface)] if additions else []
    in_use = any(
        found.interface == rules.interface for many in world.addresses.values() for found in many
    )
    if additions or (subjects is None and in_use):
        return [RaiseInterface(rules.interface)]
    return []
