"""Changes: the difference that containers and networks make to what is published. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from clusterf.model.provenance import Refusal
from clusterf.model.service import Backend, BackendRef, Route, RouteRef

Published: TypeAlias = Backend | Route


class Contribution(Protocol):
    """What one container or network contributes; refusals by a key that is unique within it."""

    @property
    def records(self) -> Sequence[Published]:
        """What it publishes."""
        ...

    @property
    def refusals(self) -> Mapping[str, Refusal]:
        """What it does not, and why."""
        ...


@dataclass(slots=True)
class Changes:
    """What to publish. A ref is in ``puts`` or in ``drops``, never in both.

    A record that came and went since the last call is in ``drops``, too.
    """

    puts: dict[BackendRef | RouteRef, Published] = field(default_factory=dict)
    drops: dict[BackendRef | RouteRef, Published] = field(default_factory=dict)
    refusals: dict[str, Refusal | None] = field(default_factory=dict)

    def note(self, identifier: str, before: Contribution, after: Contribution) -> None:
        """Note what another word about one container or network changes."""
        old = {one.ref: one for one in before.records}
        new = {one.ref: one for one in after.records}
        for ref, record in old.items():
            if ref not in new:
                self.puts.pop(ref, None)
                self.drops[ref] = record
        for ref, record in new.items():
            if old.get(ref) != record:
                self.drops.pop(ref, None)
                self.puts[ref] = record
        for key in before.refusals.keys() - after.refusals.keys():
            self.refusals[f"{identifier} {key}"] = None
        for key, refusal in after.refusals.items():
            if before.refusals.get(key) != refusal:
                self.refusals[f"{identifier} {key}"] = refusal
