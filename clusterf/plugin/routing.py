"""Routes in settings and in files: what one of them must not say, and which of two holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from clusterf.model.address import Address, Family, Network
from clusterf.model.problem import Code
from clusterf.model.table import Method, Tunnel
from clusterf.plugin.document import Fault


class RouteLike(Protocol):
    """What `clusterf.model.service.Route` and a table of settings have in common."""

    @property
    def prefix(self) -> Network | None:
        """Which backends; None: all."""
        ...

    @property
    def method(self) -> Method | None:
        """How; None: not at all."""
        ...

    @property
    def gateway(self) -> Address | None:
        """Through what."""
        ...

    @property
    def tunnel(self) -> Tunnel | None:
        """In which encapsulation."""
        ...


R = TypeVar("R", bound=RouteLike)


def route_faults(route: RouteLike) -> Iterator[Fault]:
    """What in it excludes each other."""
    prefix, gateway = route.prefix, route.gateway
    if gateway is not None and route.method is None:
        yield Fault(
            ("gateway",),
            "is of no use without a method: such a route filters out its backends",
            'add method = "droute" or "tunnel"',
            Code.CONTRADICTION,
        )
    elif (
        gateway is not None
        and prefix is not None
        and gateway.family is not prefix.family
        and route.method is not Method.TUNNEL
    ):
        yield Fault(
            ("gateway",),
            f"is of another address family than {prefix}",
            "only a tunnel can do that",
            Code.FAMILY_MISMATCH,
        )
    if route.tunnel is not None and route.method is not Method.TUNNEL:
        yield Fault(("tunnel",), 'is for method = "tunnel" only', code=Code.CONTRADICTION)


def never_holding(routes: Iterable[R]) -> Iterator[tuple[R, R]]:
    """Each route that another one of the same prefix comes before, and that one.

    A default route with a gateway is of the gateway's family.
    """
    first: dict[tuple[Network | None, Family | None], R] = {}
    for route in routes:
        default = route.gateway if route.prefix is None else None
        family = None if default is None else default.family
        holder = first.setdefault((route.prefix, family), route)
        if holder is not route:
            yield route, holder
