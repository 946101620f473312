"""Plan: the operations that make the observed table equal the desired one, each with its reason.

Pure, and level-triggered: nothing but the two tables, the drains under way and the time counts,
so a lost event, a failed operation or a stranger's edit is healed by planning again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from clusterf.model.operation import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    EditDestination,
    EditService,
    Operation,
    Plan,
)
from clusterf.model.table import (
    Connections,
    Destination,
    DestinationKey,
    ServiceKey,
    VirtualService,
)
from clusterf.pipeline.drain import Drain, DrainRules, Drains, drain


class _Desired(Protocol):
    """The part of `clusterf.plugin.Desired` that planning needs."""

    @property
    def table(self) -> Mapping[ServiceKey, VirtualService]: ...
    @property
    def hold(self) -> str | None: ...
    def departed(self, key: ServiceKey, target: DestinationKey | None = None) -> bool: ...


def plan_table(
    desired: _Desired,
    observed: Mapping[ServiceKey, VirtualService],
    connections: Mapping[tuple[ServiceKey, DestinationKey], Connections],
    drains: Drains,
    rules: DrainRules,
    subjects: Collection[ServiceKey] | None,
    now: float,
) -> Plan:
    """Plan for some entries, or (None) for all that are desired or observed.

    ``connections`` are counters that were read after the destination got weight 0; ``drains``
    holds when each drain began and is brought up to date.
    """
    table = desired.table
    if drains:
        _forget_vanished(drains, observed, None if subjects is None else set(subjects))
    if subjects is None:
        subjects = [*table, *(key for key in observed if key not in table)]
    sheet = _Sheet(Drain(connections, drains, rules, now), desired, desired.hold)
    for key in subjects:
        want, have = table.get(key), observed.get(key)
        if want is have:
            # Shared after it was carried out, or None twice: equal by construction.
            continue
        if want is None:
            _dismiss(sheet, key, have)  # type: ignore[arg-type] # not None, or they were the same
        elif have is None:
            sheet.adds.append(AddService(key, want, want.because))
        else:
            _change(sheet, key, want, have)
    return Plan([*sheet.adds, *sheet.edits, *sheet.removals], sheet.wake, sheet.held)


@dataclass(slots=True)
class _Sheet:
    """A plan being written."""

    world: Drain
    desired: _Desired
    hold: str | None
    adds: list[Operation] = field(default_factory=list)
    edits: list[Operation] = field(default_factory=list)
    removals: list[Operation] = field(default_factory=list)
    wake: dict[ServiceKey, float] = field(default_factory=dict)
    held: dict[ServiceKey, str] = field(default_factory=dict)

    def drain(
        self, key: ServiceKey, target: DestinationKey, have: Destination
    ) -> list[DeleteDestination]:
        """Take a drain one step further; the deletion that ends it is left to the caller.

        Nothing begins to drain while it is uncertain whether somebody wants it.
        """
        certain = (key, target) in self.world.began or self.desired.departed(key, target)
        if self.hold is not None and not certain:
            self.held[key] = self.hold
            return []
        step = drain(self.world, key, target, have)
        if step.quiesce is not None:
            self.edits.append(step.quiesce)
        if step.again is not None:
            self.wake[key] = min(step.again, self.wake.get(key, step.again))
        return [] if step.end is None else [step.end]


def _forget_vanished(
    drains: Drains,
    observed: Mapping[ServiceKey, VirtualService],
    subjects: set[ServiceKey] | None,
) -> None:
    """A drain that a stranger ended is over: if the destination comes again, it begins anew."""
    for key, target in list(drains):
        if subjects is not None and key not in subjects:
            continue
        if key not in observed or target not in observed[key].destinations:
            del drains[key, target]


def _change(sheet: _Sheet, key: ServiceKey, want: VirtualService, have: VirtualService) -> None:
    if want.settings != have.settings:
        sheet.edits.append(EditService(key, want, _differences(want, have)))
    theirs = have.destinations
    for target, destination in want.destinations.items():
        existing = theirs.get(target)
        if existing is None:
            sheet.adds.append(AddDestination(key, target, destination))
        elif existing is not destination:
            sheet.world.forget(key, target)
            if existing != destination:
                sheet.edits.append(_edit(key, target, destination, existing))
    for target, destination in theirs.items():
        if target in want.destinations:
            continue
        sheet.removals.extend(sheet.drain(key, target, destination))


def _dismiss(sheet: _Sheet, key: ServiceKey, have: VirtualService) -> None:
    """A virtual service that nobody wants any more goes when its last destination has drained."""
    ends: list[DeleteDestination] = []
    for target, destination in have.destinations.items():
        ends += sheet.drain(key, target, destination)
    if not have.destinations and sheet.hold is not None and not sheet.desired.departed(key):
        sheet.held[key] = sheet.hold
    if key in sheet.wake or key in sheet.held:
        sheet.removals.extend(ends)
    else:
        sheet.removals.append(DeleteService(key, "no service claims it any more"))


def _edit(
    key: ServiceKey, target: DestinationKey, want: Destination, have: Destination
) -> EditDestination:
    changes = ", ".join(
        f"{name} {getattr(have, name)} -> {getattr(want, name)}"
        for name in ("weight", "method", "upper_threshold", "lower_threshold", "tunnel")
        if getattr(have, name) != getattr(want, name)
    )
    return EditDestination(
        key, target, want, f"{changes}; {want.because}" if want.because else changes
    )


def _differences(want: VirtualService, have: VirtualService) -> str:
    words = []
    if want.scheduler != have.scheduler:
        words.append(f"scheduler {have.scheduler} -> {want.scheduler}")
    if want.flags != have.flags:
        words.append(f"flags {_flags(have)} -> {_flags(want)}")
    if want.persistence != have.persistence:
        words.append(f"persistence {_sticky(have)} -> {_sticky(want)}")
    return ", ".join(words)


def _flags(service: VirtualService) -> str:
    return ",".join(sorted(service.flags)) or "none"


def _sticky(service: VirtualService) -> str:
    if service.persistence is None:
        return "none"
    return f"{service.persistence.timeout}s/{service.persistence.prefix}"
