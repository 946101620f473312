"""Drain: the planned end of a destination: weight 0, wait for its connections, delete.

Only the moment at which a drain began is remembered. After a restart a destination of weight 0
that nobody wants is found in the kernel again and its deadline starts anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from clusterf.model.operation import DeleteDestination, EditDestination
from clusterf.model.table import (
    AddressKey,
    Connections,
    Destination,
    DestinationKey,
    Protocol,
    ServiceKey,
)

Drains: TypeAlias = dict[tuple[ServiceKey, DestinationKey], float]
"""When each drain under way began, on the engine's clock."""


class DrainRules(NamedTuple):
    """``deadline``: longest drain in seconds; ``poll``: how often its counters are read."""

    deadline: float = 300.0
    poll: float = 1.0


@dataclass(frozen=True, slots=True)
class Drain:
    """What is known of the drains under way."""

    connections: Mapping[tuple[ServiceKey, DestinationKey], Connections]
    began: Drains
    rules: DrainRules
    now: float

    def forget(self, key: ServiceKey, target: DestinationKey) -> None:
        """The destination is wanted again, or gone."""
        self.began.pop((key, target), None)


class Step(NamedTuple):
    """One step of a drain: its beginning, its end, or (neither) a moment to look again."""

    quiesce: EditDestination | None = None
    end: DeleteDestination | None = None
    again: float | None = None


def drain(world: Drain, key: ServiceKey, target: DestinationKey, have: Destination) -> Step:
    """Take one destination that nobody wants a step further.

    A destination of a UDP service goes at once: its counter of active connections is always 0
    and a steady client would keep it for ever (ip_vs_proto_udp.c; kubernetes issues 71514 and
    76664).
    """
    if isinstance(key, AddressKey) and key.protocol is Protocol.UDP:
        return _end(world, key, target, "left the service; udp has no connections to wait for")
    if world.rules.deadline <= 0:
        return _end(world, key, target, "left the service; drains are off")
    began = world.began.setdefault((key, target), world.now)
    deadline = began + world.rules.deadline
    again = min(deadline, world.now + world.rules.poll)
    if have.weight:
        because = f"left the service: drains for at most {world.rules.deadline:g}s"
        return Step(EditDestination(key, target, replace(have, weight=0), because), again=again)
    if world.now >= deadline:
        because = f"the drain's deadline of {world.rules.deadline:g}s has passed"
        return _end(world, key, target, because)
    counters = world.connections.get((key, target))
    if counters is not None and counters.active == counters.inactive == 0:
        return _end(world, key, target, "drained: no connections are left")
    return Step(again=again)


def _end(world: Drain, key: ServiceKey, target: DestinationKey, because: str) -> Step:
    world.forget(key, target)
    return Step(end=DeleteDestination(key, target, because))
