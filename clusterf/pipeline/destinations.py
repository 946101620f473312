"""Destinations: where the packets of one entry of the table go, from the backends behind it.

Backends come in runs that differ in nothing but name, address and ports. A run is handled as one:
its destinations are one and the same object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from clusterf.model.address import Address, Family
from clusterf.model.provenance import Provenance, Refusal
from clusterf.model.service import Backend, Ports, Service
from clusterf.model.table import (
    WEIGHT_MAX,
    Destination,
    DestinationKey,
    FwmarkKey,
    Method,
    Protocol,
    ServiceKey,
    Tunnel,
)
from clusterf.pipeline.settings import Settings

_WHY = {
    "family_mismatch": "is of another address family than {key}: only a tunnel can do that",
    "port_rewrite_needs_masq": "its port {port} is not that of {key}: {method} cannot change ports",
}


class Merged(tuple[object, ...]):
    """What several backends behind one destination came from; as text, one after the other."""

    __slots__ = ()

    def __str__(self) -> str:
        return "; ".join(map(str, self))


@dataclass(slots=True)
class Tally:
    """What became of the backends of ``service``: those neither used nor refused fit nowhere."""

    service: str
    used: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    refusals: list[Refusal] = field(default_factory=list)

    def tell(
        self, backend: Backend, reason: str, detail: str, about: ServiceKey | None = None
    ) -> None:
        """Add a refusal about one backend; ``about``: the entry that it would have served."""
        subject = f"service {self.service} backend {backend.id}"
        self.refusals.append(Refusal(subject, reason, detail, backend.provenance, about=about))


class Common(NamedTuple):
    """What backends of one run have in common: some fields of `Backend` that stand in a row."""

    provenance: Provenance
    weight: int | None
    quiesced: str | None
    method: Method | None
    gateway: Address | None
    tunnel: Tunnel | None
    upper_threshold: int | None
    lower_threshold: int | None


_first = Backend._fields.index(Common._fields[0])
_facts: Callable[[Backend], Common] = itemgetter(slice(_first, _first + len(Common._fields)))
_id = itemgetter(Backend._fields.index("id"))
_ports = itemgetter(Backend._fields.index("ports"))
_address = {
    4: itemgetter(Backend._fields.index("ipv4")),
    16: itemgetter(Backend._fields.index("ipv6")),
}
_port = {protocol: itemgetter(Ports._fields.index(protocol.value)) for protocol in Protocol}
_as_key: Callable[[tuple[object, ...]], DestinationKey] = partial(tuple.__new__, DestinationKey)


def destinations_of(
    service: Service, key: ServiceKey, settings: Settings, tally: Tally
) -> dict[DestinationKey, Destination]:
    """Destinations of one entry; backends behind one gateway merge, their weights add up."""
    found: dict[DestinationKey, Destination] = {}
    for facts, run in groupby(service.backends.values(), _facts):
        provenance, weight, quiesced, method, gateway, tunnel, upper, lower = facts
        backends = list(run)
        method = method or settings.method
        if weight is None:
            weight = settings.weight
        alike = Destination(
            weight if quiesced is None else 0,
            method,
            settings.upper_threshold if upper is None else upper,
            settings.lower_threshold if lower is None else lower,
            (tunnel or settings.tunnel) if method is Method.TUNNEL else None,
            provenance,
        )
        own: dict[DestinationKey, Destination] = {}
        if method is Method.MASQ and gateway is None and quiesced is None:
            # Nearly all destinations of a local director; what is left goes one by one.
            own = _own(backends, key, alike)
        if len(own) == len(backends) and found.keys().isdisjoint(own):
            found |= own
            tally.used.update(map(_id, backends))
        else:
            _add(found, backends, key, alike, tally)
    return found


def _own(
    backends: Sequence[Backend], key: ServiceKey, alike: Destination
) -> dict[DestinationKey, Destination]:
    """Backends at their own addresses and ports; nothing unless each of them has both."""
    if isinstance(key, FwmarkKey):
        return {}
    addresses = list(map(_address[len(key.address)], backends))
    ports = list(map(_port[key.protocol], map(_ports, backends)))
    if not (all(addresses) and all(ports)):
        return {}
    return dict.fromkeys(map(_as_key, zip(addresses, ports, strict=True)), alike)


def _add(
    found: dict[DestinationKey, Destination],
    backends: Sequence[Backend],
    key: ServiceKey,
    alike: Destination,
    tally: Tally,
) -> None:
    """Add the backends of a run one by one; two at one target are joined."""
    for backend in backends:
        target = target_of(backend, key, alike.method)
        if target is None:
            continue
        if isinstance(target, str):
            tally.refused.add(backend.id)
            port = None if isinstance(key, FwmarkKey) else backend.ports.of(key.protocol)
            why = _WHY[target].format(key=key, method=alike.method, port=port)
            tally.tell(backend, target, why, key)
            continue
        tally.used.add(backend.id)
        destination = alike if backend.quiesced is None else replace(alike, because=backend)
        if target in found:
            destination = _joined(found[target], destination, backend, tally)
        found[target] = destination


def target_of(backend: Backend, key: ServiceKey, method: Method) -> DestinationKey | str | None:
    """Where packets go; a reason word when they cannot; None: the backend does not offer this."""
    family = key.family
    if isinstance(key, FwmarkKey):
        first = next((port for port in backend.ports if port is not None), 0)
        own_port, service_port = None if backend.only_vips else first, 0
    else:
        own_port, service_port = backend.ports.of(key.protocol), key.port
    if own_port is None:
        return None
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


def has_port(backend: Backend, key: ServiceKey) -> bool:
    """Whether a backend offers what an entry is of, at an address of whatever family."""
    if isinstance(key, FwmarkKey):
        return not backend.only_vips
    return backend.ports.of(key.protocol) is not None


def _joined(first: Destination, second: Destination, backend: Backend, tally: Tally) -> Destination:
    """Two backends with one destination: weights add, the earlier one's method holds."""
    if (first.method, first.tunnel) != (second.method, second.tunnel):
        tally.tell(
            backend,
            "method_conflict",
            f"shares its destination with others that are forwarded by {first.method}, "
            f"so {second.method} is not used",
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
