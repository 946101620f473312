"""Changes: the difference that verdicts about containers make to what is published. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from clusterf.model.provenance import Refusal
from clusterf.model.service import Backend, BackendRef
from clusterf_docker.records import Verdict


@dataclass(slots=True)
class Changes:
    """What to publish. A ref is in ``puts`` or in ``drops``, never in both.

    A backend that came and went since the last call is in ``drops``, too.
    """

    puts: dict[BackendRef, Backend] = field(default_factory=dict)
    drops: dict[BackendRef, Backend] = field(default_factory=dict)
    refusals: dict[str, Refusal | None] = field(default_factory=dict)

    def note(self, identifier: str, before: Verdict, after: Verdict) -> None:
        """Note what another verdict about one container changes."""
        old = {one.ref: one for one in before.backends}
        new = {one.ref: one for one in after.backends}
        for ref, backend in old.items():
            if ref not in new:
                self.puts.pop(ref, None)
                self.drops[ref] = backend
        for ref, backend in new.items():
            if old.get(ref) != backend:
                self.drops.pop(ref, None)
                self.puts[ref] = backend
        for key in before.refusals.keys() - after.refusals.keys():
            self.refusals[f"{identifier} {key}"] = None
        for key, refusal in after.refusals.items():
            if before.refusals.get(key) != refusal:
                self.refusals[f"{identifier} {key}"] = refusal
