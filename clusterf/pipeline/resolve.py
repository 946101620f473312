"""Resolve: one service, after the policies, becomes virtual services with destinations.

Everything that was open is filled from the defaults here; what cannot work becomes a refusal,
so that one bad backend never takes the others with it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

from clusterf.model.address import Address, Family, Network
from clusterf.model.defaults import Defaults
from clusterf.model.provenance import Refusal
from clusterf.model.service import Backend, Frontend, Service, StickyClients
from clusterf.model.table import (
    SCHEDULERS,
    SERVICE_FLAGS,
    WEIGHT_MAX,
    AddressKey,
    Destination,
    DestinationKey,
    FwmarkKey,
    Method,
    Persistence,
    Protocol,
    ServiceKey,
    VirtualService,
)

FALLBACK = {"mh": "mh-fallback", "sh": "sh-fallback"}
"""Without it these schedulers refuse the clients of a quiesced destination (weight 0)."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What clusterf owns in the kernel: VIP prefixes and firewall marks."""

    prefixes: Sequence[Network] = ()
    fwmarks: Collection[int] = ()

    def owns(self, key: ServiceKey) -> bool:
        """Whether an entry is managed; all else is foreign."""
        if isinstance(key, FwmarkKey):
            return key.mark in self.fwmarks
        return any(key.address in prefix for prefix in self.prefixes)


class Merged(tuple[object, ...]):
    """What several backends behind one destination came from; as text, one after the other."""

    __slots__ = ()

    def __str__(self) -> str:
        return "; ".join(map(str, self))


_NOTHING = Destination(0, Method.MASQ)


@dataclass(frozen=True, slots=True)
class Resolution:
    """Entries of the table for one service, and what was refused on the way."""

    entries: Mapping[ServiceKey, VirtualService] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()


class _Settings(NamedTuple):
    """A service's settings with every gap filled."""

    scheduler: str
    flags: frozenset[str]
    persistence: StickyClients | None
    weight: int
    method: Method
    upper: int
    lower: int


def resolve(service: Service, defaults: Defaults, scope: Scope) -> Resolution:
    """Entries for one service. Never raises for what a source can say; refusals tell the rest."""
    refusals = list(service.refusals)
    settings = _settled(service, defaults, refusals)
    elide = defaults.elide if service.spec.elide is None else service.spec.elide
    entries: dict[ServiceKey, VirtualService] = {}
    usable = False
    used: set[str] = set()
    refused: set[str] = set()
    for key in _keys(service, refusals):
        if not scope.owns(key):
            refusals.append(_outside(service, key))
            continue
        if isinstance(key, AddressKey) and key.port == 0 and settings.persistence is None:
            refusals.append(
                _refuse(service, "port_zero", f"{key}: port 0 means all ports", "set persistence")
            )
            continue
        usable = True
        destinations = _destinations(service, key, settings, defaults, used, refused, refusals)
        if destinations or not elide:
            entries[key] = VirtualService(
                settings.scheduler,
                _flags_of(key, settings.flags),
                _persistence_of(key, settings.persistence),
                destinations,
                service.spec.provenance,
            )
    if usable:
        for identity, backend in service.backends.items():
            if identity not in used and identity not in refused:
                refusals.append(_unused(service, backend))
    elif not refusals and not service.spec.frontends:
        refusals.append(_refuse(service, "no_frontend", "no source gives it a frontend"))
    return Resolution(entries, tuple(refusals))


def _refuse(service: Service, reason: str, detail: str, hint: str = "") -> Refusal:
    return Refusal(f"service {service.name}", reason, detail, service.spec.provenance, hint)


def _outside(service: Service, key: ServiceKey) -> Refusal:
    return _refuse(service, "outside_managed", f"{key} is not managed", "see managed in [clusterf]")


def _unused(service: Service, backend: Backend) -> Refusal:
    return Refusal(
        f"service {service.name} backend {backend.id}",
        "no_match",
        "has no address and port that any frontend of the service could use",
        backend.provenance,
    )


def _settled(service: Service, defaults: Defaults, refusals: list[Refusal]) -> _Settings:
    """Fill the gaps; an unknown scheduler or flag falls back instead of emptying the service."""
    spec = service.spec
    scheduler = spec.scheduler or defaults.scheduler
    if scheduler not in SCHEDULERS:
        refusals.append(
            _refuse(
                service,
                "unknown_scheduler",
                f'scheduler "{scheduler}" is unknown, {defaults.scheduler} is used',
            )
        )
        scheduler = defaults.scheduler
    wanted = spec.flags if spec.flags is not None else defaults.flags
    fitting = wanted & (SCHEDULERS[scheduler] | SERVICE_FLAGS)
    if spec.flags is not None and fitting != wanted:
        names = ", ".join(sorted(wanted - fitting))
        refusals.append(
            _refuse(service, "unknown_flag", f"scheduler {scheduler} has no flag {names}")
        )
    if scheduler in FALLBACK:
        fitting |= {FALLBACK[scheduler]}
    return _Settings(
        scheduler,
        fitting,
        spec.persistence or defaults.persistence,
        defaults.weight if spec.weight is None else spec.weight,
        spec.method or defaults.method,
        defaults.upper_threshold if spec.upper_threshold is None else spec.upper_threshold,
        defaults.lower_threshold if spec.lower_threshold is None else spec.lower_threshold,
    )


def _flags_of(key: ServiceKey, flags: frozenset[str]) -> frozenset[str]:
    """One-packet scheduling exists for UDP only (ip_vs_core.c, ip_vs_schedule)."""
    if "ops" in flags and not (isinstance(key, FwmarkKey) or key.protocol is Protocol.UDP):
        return flags - {"ops"}
    return flags


def _persistence_of(key: ServiceKey, sticky: StickyClients | None) -> Persistence | None:
    if sticky is None:
        return None
    prefix = sticky.prefix4 if key.family is Family.INET else sticky.prefix6
    return Persistence(sticky.timeout, prefix)


def _keys(service: Service, refusals: list[Refusal]) -> Iterator[ServiceKey]:
    """Every entry that the frontends ask for, each once."""
    seen: set[ServiceKey] = set()
    for frontend in service.spec.frontends or ():
        keys = list(_frontend_keys(frontend))
        if not keys:
            refusals.append(
                _refuse(service, "no_vip", "a frontend needs an address and a port, or a fwmark")
            )
        for key in keys:
            if key not in seen:
                seen.add(key)
                yield key


def _frontend_keys(frontend: Frontend) -> Iterator[ServiceKey]:
    if frontend.fwmark is not None:
        yield FwmarkKey(frontend.family, frontend.fwmark)
    for address in (frontend.ipv4, frontend.ipv6):
        if address is None:
            continue
        for protocol in Protocol:
            port = frontend.ports.of(protocol)
            if port is not None:
                yield AddressKey(protocol, address, port)


def _destinations(
    service: Service,
    key: ServiceKey,
    settings: _Settings,
    defaults: Defaults,
    used: set[str],
    refused: set[str],
    refusals: list[Refusal],
) -> dict[DestinationKey, Destination]:
    """Destinations of one entry; backends behind one gateway merge, their weights add up."""
    destinations: dict[DestinationKey, Destination] = {}
    family = key.family
    service_method, service_weight = settings.method, settings.weight
    service_tunnel = service.spec.tunnel or defaults.tunnel
    by_nat = _by_nat(key)
    before: tuple[object, ...] = ()
    alike = _NOTHING
    for identity, backend in service.backends.items():
        method = backend.method or service_method
        if method is Method.MASQ and backend.gateway is None and by_nat is not None:
            # Nearly all destinations of a local director; the rest takes the long way.
            address, port = by_nat(backend)
            if address is None or port is None:
                continue
            target: DestinationKey | str | None = DestinationKey(address, port)
        else:
            target = _target(backend, key, family, method)
        if target is None:
            continue
        if isinstance(target, str):
            refused.add(identity)
            refusals.append(
                Refusal(
                    f"service {service.name} backend {identity}",
                    target,
                    _WHY[target].format(key=key, method=method, backend=backend),
                    backend.provenance,
                )
            )
            continue
        used.add(identity)
        if backend.quiesced is not None:
            weight = 0
        else:
            weight = service_weight if backend.weight is None else backend.weight
        upper = settings.upper if backend.upper_threshold is None else backend.upper_threshold
        lower = settings.lower if backend.lower_threshold is None else backend.lower_threshold
        tunnel = (backend.tunnel or service_tunnel) if method is Method.TUNNEL else None
        # Backends that are alike share one object: less memory, and equal at a glance.
        facts = (
            weight,
            method,
            upper,
            lower,
            tunnel,
            backend if backend.quiesced else backend.provenance,
        )
        if facts != before:
            before, alike = facts, Destination(*facts)
        destination = alike
        if target in destinations:
            destination = _joined(destinations[target], destination, service, backend, refusals)
        destinations[target] = destination
    return destinations


def _by_nat(
    key: ServiceKey,
) -> Callable[[Backend], tuple[Address | None, int | None]] | None:
    """Reads what `_target` comes to for ``masq`` without a gateway; None for a firewall mark."""
    if isinstance(key, FwmarkKey):
        return None
    family = "ipv4" if key.family is Family.INET else "ipv6"
    return attrgetter(family, f"ports.{key.protocol.value}")


_WHY = {
    "family_mismatch": "is of another address family than {key}: only a tunnel can do that",
    "port_rewrite_needs_masq": "its port differs from that of {key}: {method} cannot change ports",
}


def _target(
    backend: Backend, key: ServiceKey, family: Family, method: Method
) -> DestinationKey | str | None:
    """Where packets go; a reason word when they cannot; None: the backend does not offer this."""
    if isinstance(key, FwmarkKey):
        own_port = next((port for port in backend.ports if port is not None), 0)
        service_port = 0
    else:
        offered = backend.ports.of(key.protocol)
        if offered is None:
            return None
        own_port, service_port = offered, key.port
    if backend.gateway is not None:
        # The next tier has the same virtual service, so packets keep the frontend's port.
        if backend.address(family) is None:
            return None
        if backend.gateway.family is not family and method is not Method.TUNNEL:
            return "family_mismatch"
        return DestinationKey(backend.gateway, service_port)
    address: Address | None = backend.ipv4 if family is Family.INET else backend.ipv6
    if address is None:
        if method is not Method.TUNNEL:
            return None
        address = backend.ipv6 if family is Family.INET else backend.ipv4
        if address is None:
            return None
    if method is not Method.MASQ:
        if own_port not in (service_port, 0) and service_port != 0:
            return "port_rewrite_needs_masq"
        return DestinationKey(address, service_port)
    return DestinationKey(address, own_port)


def _joined(
    first: Destination,
    second: Destination,
    service: Service,
    backend: Backend,
    refusals: list[Refusal],
) -> Destination:
    """Two backends with one destination: weights add, the earlier one's method holds."""
    if (first.method, first.tunnel) != (second.method, second.tunnel):
        refusals.append(
            Refusal(
                f"service {service.name} backend {backend.id}",
                "method_conflict",
                f"shares its destination with others that are forwarded by {first.method}, "
                f"so {second.method} is not used",
                backend.provenance,
            )
        )
    before = first.because if isinstance(first.because, Merged) else Merged((first.because,))
    return Destination(
        min(first.weight + second.weight, WEIGHT_MAX),
        first.method,
        first.upper_threshold,
        first.lower_threshold,
        first.tunnel,
        Merged((*before, second.because)),
    )
