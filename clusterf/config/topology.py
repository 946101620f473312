"""Topology: what files foretell, taken through the pipeline, and what the pipeline refuses.

The rules are the pipeline's own: the same functions with the same policies as at run time.
"""

from __future__ import annotations

from collections.abc import Sequence

from clusterf.config.configuration import Configuration
from clusterf.config.judging import Certainty, Judge
from clusterf.config.known import Known
from clusterf.model.address import Network
from clusterf.model.defaults import Defaults
from clusterf.model.problem import Problem
from clusterf.model.provenance import Refusal
from clusterf.model.scope import Scope
from clusterf.model.service import Facts, Service
from clusterf.model.table import ServiceKey
from clusterf.pipeline.claims import Claims, taken
from clusterf.pipeline.decide import NamedPolicy, PolicyFailed, decide
from clusterf.pipeline.merge import merge
from clusterf.pipeline.resolve import Resolution, resolve
from clusterf.plugin.checking import Foretold

_EVERYTHING = Scope([Network.parse("0.0.0.0/0"), Network.parse("::/0")], range(2**32))


def topology_problems(
    configuration: Configuration,
    foretold: Sequence[Foretold],
    policies: Sequence[NamedPolicy],
    certainty: Certainty,
) -> list[Problem]:
    """All that the pipeline would refuse, each at its place. Pure."""
    scope = Scope(configuration.core.managed, configuration.core.managed_fwmarks)
    places = {name: index for index, name in enumerate(configuration.sources)}
    known = Known(sorted(foretold, key=lambda one: places.get(one.source, -1)))
    facts = Facts(routes=known.routes, method=configuration.defaults.method)
    judge = Judge(known, certainty)
    claims = Claims()
    resolved: list[tuple[Service, Resolution]] = []
    for name in known.services:
        service = merge(name, known.contributions(name, places))
        if service is None:
            continue
        try:
            outcome = decide(service, policies, facts)
        except PolicyFailed as failure:
            judge.failed(service, failure)
            continue
        if isinstance(outcome, Refusal):
            resolution = Resolution({}, (*service.refusals, outcome))
        else:
            resolution = _resolved(outcome, configuration.defaults, scope)
        claims.claim(name, service.order, resolution.entries)
        resolved.append((service, resolution))
    for service, resolution in sorted(resolved, key=lambda one: one[0].order):
        refusals, empty = list(resolution.refusals), list[ServiceKey]()
        for key, entry in resolution.entries.items():
            holder = claims.holder(key) or ""
            if holder != service.name:
                refusals.append(taken(service.name, key, holder, entry))
            elif service.backends and not entry.destinations:
                empty.append(key)
        for refusal in refusals:
            judge.refused(service, refusal, claims)
        for key in empty:
            judge.without_destination(service, key)
    return judge.problems


def _resolved(service: Service, defaults: Defaults, scope: Scope) -> Resolution:
    """As at run time; where VIPs are not ours, also what would be wrong if they were."""
    resolution = resolve(service, defaults, scope)
    if not any(refusal.reason == "outside_managed" for refusal in resolution.refusals):
        return resolution
    further = resolve(service, defaults, _EVERYTHING).refusals
    new = tuple(refusal for refusal in further if refusal not in resolution.refusals)
    return resolution._replace(refusals=(*resolution.refusals, *new))
