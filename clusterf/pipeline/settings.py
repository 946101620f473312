"""Settings: what a service leaves open is filled from the defaults, what cannot be is refused."""

from __future__ import annotations

from typing import NamedTuple

from clusterf.model.address import Family
from clusterf.model.defaults import Defaults
from clusterf.model.provenance import Refusal
from clusterf.model.service import ServiceSpec, StickyClients
from clusterf.model.table import (
    SCHEDULERS,
    SERVICE_FLAGS,
    FwmarkKey,
    Method,
    Persistence,
    Protocol,
    ServiceKey,
    Tunnel,
)

FALLBACK = {"mh": "mh-fallback", "sh": "sh-fallback"}
"""Without it these schedulers refuse the clients of a quiesced destination (weight 0)."""


class Settings(NamedTuple):
    """A service's settings with every gap filled; ``weight`` and below are for its backends."""

    scheduler: str
    flags: frozenset[str]
    persistence: StickyClients | None
    elide: bool
    weight: int
    method: Method
    tunnel: Tunnel
    upper_threshold: int
    lower_threshold: int

    def flags_of(self, key: ServiceKey) -> frozenset[str]:
        """One-packet scheduling exists for UDP only (ip_vs_core.c, ip_vs_schedule)."""
        if "ops" in self.flags and not (isinstance(key, FwmarkKey) or key.protocol is Protocol.UDP):
            return self.flags - {"ops"}
        return self.flags

    def persistence_of(self, key: ServiceKey) -> Persistence | None:
        """Stickiness, with the prefix of the entry's family."""
        if self.persistence is None:
            return None
        timeout, prefix4, prefix6 = self.persistence
        return Persistence(timeout, prefix4 if key.family is Family.INET else prefix6)


def settle(spec: ServiceSpec, defaults: Defaults, refusals: list[Refusal]) -> Settings:
    """Fill the gaps; an unknown scheduler or flag falls back instead of emptying the service."""
    scheduler = spec.scheduler or defaults.scheduler
    if scheduler not in SCHEDULERS:
        refusals.append(
            refuse(
                spec,
                "unknown_scheduler",
                f'scheduler "{scheduler}" is unknown, {defaults.scheduler} is used',
                about="scheduler",
            )
        )
        scheduler = defaults.scheduler
    return Settings(
        scheduler,
        _fitting_flags(spec, scheduler, defaults, refusals),
        spec.persistence or defaults.persistence,
        defaults.elide if spec.elide is None else spec.elide,
        defaults.weight if spec.weight is None else spec.weight,
        spec.method or defaults.method,
        spec.tunnel or defaults.tunnel,
        defaults.upper_threshold if spec.upper_threshold is None else spec.upper_threshold,
        defaults.lower_threshold if spec.lower_threshold is None else spec.lower_threshold,
    )


def _fitting_flags(
    spec: ServiceSpec, scheduler: str, defaults: Defaults, refusals: list[Refusal]
) -> frozenset[str]:
    fitting = wanted = defaults.flags if spec.flags is None else spec.flags
    if wanted:
        fitting = wanted & (SCHEDULERS[scheduler] | SERVICE_FLAGS)
        if spec.flags is not None and fitting != wanted:
            names = ", ".join(sorted(wanted - fitting))
            named = f"{scheduler}, the default," if spec.scheduler is None else scheduler
            refusals.append(
                refuse(
                    spec,
                    "unknown_flag",
                    f"scheduler {named} has no flag {names}",
                    about="flags",
                )
            )
    if scheduler in FALLBACK:
        fitting |= {FALLBACK[scheduler]}
    return fitting


def refuse(
    spec: ServiceSpec,
    reason: str,
    detail: str,
    hint: str = "",
    about: ServiceKey | str | None = None,
) -> Refusal:
    """Make a refusal about a service, or about one of its entries or fields."""
    return Refusal(f"service {spec.name}", reason, detail, spec.provenance, hint, about)
