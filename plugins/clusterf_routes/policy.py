"""The policy: asks the lookup for the addresses of every backend and makes the backends follow."""

from __future__ import annotations

from collections.abc import Sequence

from clusterf.model.provenance import Provenance
from clusterf.model.service import Facts, Route, Service
from clusterf.plugin import Among, Context
from clusterf_routes.lookup import Lookup
from clusterf_routes.routing import routed
from clusterf_routes.settings import RoutesSettings


class RoutesPolicy:
    """Implements `Policy`. Pure: what it keeps is only the lookup made of the last routes."""

    def __init__(self, settings: RoutesSettings, context: Context) -> None:
        self._own = tuple(
            Route(
                name=route.name,
                prefix=route.prefix,
                method=route.method,
                gateway=route.gateway,
                tunnel=route.tunnel,
                provenance=Provenance(context.name, f"routes[{index}]"),
            )
            for index, route in enumerate(settings.routes)
        )
        self._among = Among(settings.sources)
        self._made_of: Sequence[Route] = ()
        self._lookup = Lookup(self._own)

    def apply(self, service: Service, facts: Facts) -> Service:
        """Give each backend the method and gateway of its route; drop those filtered out."""
        if facts.routes is not self._made_of:
            # The engine hands out one tuple until a route changes.
            counting = (one for one in facts.routes if self._among(one.provenance.source))
            self._lookup = Lookup((*self._own, *counting))
            self._made_of = facts.routes
        if not self._lookup.size:
            return service
        return routed(service, self._lookup, facts.method)
