"""What sources know: services, backends and routes, before policies. *None* means "no opinion".

These are the records of the board. Each has a ``ref``, the key under which its source can
put it again or drop it. There may be a hundred thousand of them, so they are tuples: made, compared
and taken apart in C. Name the fields all the same; ``_replace`` makes a changed copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from clusterf.model.address import Address, Family, Network
from clusterf.model.provenance import Provenance, Refusal
from clusterf.model.table import Method, Protocol, Tunnel

NO_LABELS: Mapping[str, str] = MappingProxyType({})


class Ports(NamedTuple):
    """One port for each protocol; None where the protocol is not offered."""

    tcp: int | None = None
    udp: int | None = None
    sctp: int | None = None

    def of(self, protocol: Protocol) -> int | None:
        """Port for a protocol."""
        if protocol is Protocol.TCP:
            return self.tcp
        return self.udp if protocol is Protocol.UDP else self.sctp


NO_PORTS = Ports()


class StickyClients(NamedTuple):
    """Persistence as configured: ``timeout`` in seconds, and how many bits group clients."""

    timeout: int
    prefix4: int = 32
    prefix6: int = 128


class ServiceRef(NamedTuple):
    """Key of a service record."""

    name: str


class BackendRef(NamedTuple):
    """Key of a backend record; ``id`` is unique within the service and the source."""

    service: str
    id: str


class RouteRef(NamedTuple):
    """Key of a route record."""

    name: str


Ref: TypeAlias = ServiceRef | BackendRef | RouteRef


class Frontend(NamedTuple):
    """Where clients reach a service: VIPs with ports, or a firewall mark of one family."""

    ipv4: Address | None = None
    ipv6: Address | None = None
    ports: Ports = NO_PORTS
    fwmark: int | None = None
    family: Family = Family.INET  # of the firewall mark only

    @property
    def families(self) -> frozenset[Family]:
        """Families by which clients come."""
        marked = {self.family} if self.fwmark is not None else set()
        inet = {Family.INET} if self.ipv4 is not None else set()
        inet6 = {Family.INET6} if self.ipv6 is not None else set()
        return frozenset(marked | inet | inet6)


class ServiceSpec(NamedTuple):
    """Record: what one source says about a service.

    ``order`` is the place among the services of this source: of two services that claim one VIP
    and port the earlier keeps it. ``weight`` and below are defaults for its backends.
    """

    name: str
    provenance: Provenance
    order: int = 0
    frontends: tuple[Frontend, ...] | None = None
    scheduler: str | None = None
    flags: frozenset[str] | None = None
    persistence: StickyClients | None = None
    elide: bool | None = None
    weight: int | None = None
    method: Method | None = None
    tunnel: Tunnel | None = None
    upper_threshold: int | None = None
    lower_threshold: int | None = None

    @property
    def ref(self) -> ServiceRef:
        """Key of this record."""
        return ServiceRef(self.name)

    @property
    def families(self) -> frozenset[Family]:
        """Families by which clients come; both where no frontend says."""
        asked = {family for one in self.frontends or () for family in one.families}
        return frozenset(asked or Family)


class Backend(NamedTuple):
    """Record: one candidate behind a service.

    ``quiesced`` is the reason for which it shall get no new connections (weight 0), in words:
    "unhealthy", "stopping". ``method`` and ``gateway`` are set by policies, seldom by sources:
    with a gateway the destination is the gateway, at the frontend's port. ``only_vips``: it is in
    no virtual service of a firewall mark.
    """

    service: str
    id: str
    ports: Ports
    provenance: Provenance
    weight: int | None = None
    quiesced: str | None = None
    method: Method | None = None
    gateway: Address | None = None
    tunnel: Tunnel | None = None
    upper_threshold: int | None = None
    lower_threshold: int | None = None
    ipv4: Address | None = None
    ipv6: Address | None = None
    labels: Mapping[str, str] = NO_LABELS
    only_vips: bool = False

    @property
    def ref(self) -> BackendRef:
        """Key of this record."""
        return BackendRef(self.service, self.id)

    def __str__(self) -> str:
        return f"{self.provenance}: {self.quiesced}" if self.quiesced else str(self.provenance)

    def address(self, family: Family) -> Address | None:
        """Own address of a family."""
        return self.ipv4 if family is Family.INET else self.ipv6


class Route(NamedTuple):
    """Record: backends in ``prefix`` (None: all) are reached by ``method``, through ``gateway``.

    A route without a method filters out the backends it matches.
    """

    name: str
    provenance: Provenance
    prefix: Network | None = None
    method: Method | None = None
    gateway: Address | None = None
    tunnel: Tunnel | None = None

    @property
    def ref(self) -> RouteRef:
        """Key of this record."""
        return RouteRef(self.name)


Record: TypeAlias = ServiceSpec | Backend | Route


class Service(NamedTuple):
    """All that is known of one service: what merge yields, policies change, resolve consumes.

    ``order`` sorts services by the configuration: source, place in it, name. ``sources`` are the
    provenances of the records that had a say.
    """

    name: str
    order: tuple[int, int, str]
    spec: ServiceSpec
    backends: Mapping[str, Backend]
    refusals: tuple[Refusal, ...] = ()
    sources: tuple[Provenance, ...] = ()

    def with_backends(self, backends: Mapping[str, Backend], *refusals: Refusal) -> Service:
        """Return a copy with other backends and further refusals."""
        return self._replace(backends=backends, refusals=self.refusals + refusals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What policies may know besides the service: routes in configuration order, and the time.

    ``method`` holds where neither a backend nor its service names one. ``now`` is in seconds on
    the engine's clock; it has no meaning across restarts.
    """

    routes: tuple[Route, ...] = ()
    method: Method = Method.MASQ
    now: float = 0.0
