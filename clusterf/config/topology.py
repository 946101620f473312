"""Topology: what files foretell, taken through the pipeline, and what the pipeline refuses.

The rules are the pipeline's own: the same functions with the same policies as at run time.
"""

from __future__ import annotations

from collections.abc import Sequence

from clusterf.config.configuration import Configuration
from clusterf.config.judging import OF_BACKENDS, Certainty, Judge
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
        _tell(service, resolution, claims, judge)
    return judge.problems


def _tell(service: Service, resolution: Resolution, claims: Claims, judge: Judge) -> None:
    """Refusals of one service, and the entries that nothing is left for."""
    refusals, own = list(resolution.refusals), list[ServiceKey]()
    for key, entry in resolution.entries.items():
        holder = claims.holder(key) or ""
        if holder == service.name:
            own.append(key)
        else:
            refusals.append(taken(service.name, key, holder, entry))
    for refusal in refusals:
        # A frontend that was copied and not changed says nothing of the backends.
        if own or not resolution.entries or refusal.reason not in OF_BACKENDS:
            judge.refused(service, refusal, claims)
    if own and not service.backends:
        judge.without_backends(service)
        return
    for key in own:
        if not resolution.entries[key].destinations:
            judge.without_destination(service, key)


def _resolved(service: Service, defaults: Defaults, scope: Scope) -> Resolution:
    """As at run time; where VIPs are not ours, also what would be wrong if they were."""
    resolution = resolve(service, defaults, scope)
    if not any(refusal.reason == "outside_managed" for refusal in resolution.refusals):
        return resolution
    further = resolve(service, defaults, _EVERYTHING).refusals
    new = tuple(refusal for refusal in further if refusal not in resolution.refusals)
    return resolution._replace(refusals=(*resolution.refusals, *new))
