"""``clusterf check`` for this plugin: sources that there are none of, and prefixes told twice."""

from __future__ import annotations

from collections.abc import Iterator

from clusterf.plugin import (
    Code,
    Configured,
    Document,
    Fault,
    Problem,
    never_holding,
    place_of,
    unpicking,
)
from clusterf_routes.settings import RouteSettings, RoutesSettings


def check_policies(configuration: Configured, document: Document) -> Iterator[Problem]:
    """Patterns of ``sources`` that pick none, and routes of a policy that never hold."""
    for policy in configuration.policies:
        if isinstance(policy.settings, RoutesSettings):
            at = place_of(policy)
            faults = [
                *(
                    fault.below((*at, "sources"))
                    for fault in unpicking(policy.settings.sources or (), document)
                ),
                *(fault.below((*at, "routes")) for fault in _twice(policy.settings.routes)),
            ]
            yield from document.problems(faults)


def _twice(routes: list[RouteSettings]) -> Iterator[Fault]:
    for route, holder in never_holding(routes):
        message = f'never holds: "{holder.name}" is of the same prefix and comes first'
        at = (routes.index(route), *(("prefix",) if route.prefix else ()))
        yield Fault(at, message, code=Code.CONTRADICTION).as_warning()
