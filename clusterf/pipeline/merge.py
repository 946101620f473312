"""Merge: what all sources say of one service becomes one service.

Sources count in the order of the configuration. An earlier source wins; a later one only fills
what the earlier ones left open, and a contradiction is reported with both provenances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from clusterf.model.provenance import Provenance, Refusal
from clusterf.model.service import Backend, Service, ServiceSpec

_MERGED = tuple(name for name in ServiceSpec._fields if name not in {"name", "order", "provenance"})
_facts = itemgetter(
    *(index for index, name in enumerate(Backend._fields) if name not in {"labels", "provenance"})
)
"""Everything of a backend that reaches the kernel."""

_NO_PLACE = 2**31
"""Order of a service that no source defines (only backends name it): after all that are defined."""


@dataclass(slots=True)
class Contribution:
    """All that one source says of one service. ``index``: place of the source in configuration."""

    index: int
    spec: ServiceSpec | None
    backends: dict[str, Backend]


def merge(name: str, contributions: Sequence[Contribution]) -> Service | None:
    """One service from its contributions, which come in the order of the configuration.

    None when nobody knows the service any more.
    """
    if not contributions:
        return None
    spec: ServiceSpec | None = None
    order = (_NO_PLACE, 0, name)
    refusals: list[Refusal] = []
    for contribution in contributions:
        if contribution.spec is None:
            continue
        if spec is None:
            spec = contribution.spec
            order = (contribution.index, spec.order, name)
        else:
            spec = _fill(spec, contribution.spec, refusals)
    if spec is None:
        spec = ServiceSpec(name=name, provenance=Provenance("merge"))
    backends = _join(contributions, refusals)
    return Service(name, order, spec, backends, tuple(refusals))


def _fill(spec: ServiceSpec, later: ServiceSpec, refusals: list[Refusal]) -> ServiceSpec:
    """Take from ``later`` what ``spec`` leaves open."""
    filled: dict[str, Any] = {}
    for attribute in _MERGED:
        ours, theirs = getattr(spec, attribute), getattr(later, attribute)
        if theirs is None or ours == theirs:
            continue
        if ours is None:
            filled[attribute] = theirs
        else:
            refusals.append(
                Refusal(
                    f"service {spec.name}",
                    "conflict",
                    f"{attribute.rstrip('s')} of {later.provenance} is not used: "
                    f"{spec.provenance} comes first and says otherwise",
                    later.provenance,
                    about=attribute,
                )
            )
    return spec._replace(**filled) if filled else spec


def _join(contributions: Sequence[Contribution], refusals: list[Refusal]) -> dict[str, Backend]:
    """Backends of all sources; of two with one id the earlier source's is kept.

    Within a source by id, so that nothing depends on which of them became known first.
    """
    backends = dict(sorted(contributions[0].backends.items()))
    for contribution in contributions[1:]:
        for identity, backend in sorted(contribution.backends.items()):
            kept = backends.setdefault(identity, backend)
            if kept is not backend and _facts(kept) != _facts(backend):
                refusals.append(
                    Refusal(
                        f"service {backend.service} backend {identity}",
                        "conflict",
                        f"as of {backend.provenance} is not used: "
                        f"{kept.provenance} comes first and says otherwise",
                        backend.provenance,
                    )
                )
    return backends
