"""Resolve: one service, after the policies, becomes virtual services with destinations.

What cannot work becomes a refusal, so that one bad backend never takes the others with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from clusterf.model.defaults import Defaults
from clusterf.model.provenance import Refusal
from clusterf.model.scope import Scope
from clusterf.model.service import Service, ServiceSpec
from clusterf.model.table import AddressKey, FwmarkKey, Protocol, ServiceKey, VirtualService
from clusterf.pipeline.destinations import Tally, destinations_of, has_port
from clusterf.pipeline.settings import refuse, settle

_PROTOCOLS = tuple(Protocol)
"""In the order of `Ports`."""


class Resolution(NamedTuple):
    """Entries of the table for one service, and what was refused on the way."""

    entries: Mapping[ServiceKey, VirtualService]
    refusals: tuple[Refusal, ...] = ()


def resolve(service: Service, defaults: Defaults, scope: Scope) -> Resolution:
    """Entries for one service. Never raises for what a source can say; refusals tell the rest."""
    spec = service.spec
    tally = Tally(service.name, refusals=list(service.refusals))
    refusals = tally.refusals
    settings = settle(spec, defaults, refusals)
    entries: dict[ServiceKey, VirtualService] = {}
    usable: list[ServiceKey] = []
    for key in _keys(spec, refusals):
        if not scope.owns(key):
            outside, see = f"{key} is not managed", "see managed in [clusterf]"
            refusals.append(refuse(spec, "outside_managed", outside, see, key))
            continue
        if isinstance(key, AddressKey) and not key.address.is_unicast:
            no_vip = f"{key}: packets to such an address are never balanced"
            refusals.append(refuse(spec, "not_unicast", no_vip, about=key))
            continue
        if isinstance(key, AddressKey) and key.port == 0 and settings.persistence is None:
            all_ports = f"{key}: port 0 means all ports"
            refusals.append(refuse(spec, "port_zero", all_ports, "set persistence", key))
            continue
        usable.append(key)
        destinations = destinations_of(service, key, settings, tally)
        if destinations or not settings.elide:
            entries[key] = VirtualService(
                settings.scheduler,
                settings.flags_of(key),
                settings.persistence_of(key),
                destinations,
                spec.provenance,
            )
    if usable:
        _tell_unused(service, usable, tally)
    elif not refusals and not spec.frontends:
        refusals.append(refuse(spec, "no_frontend", "no source gives it a frontend"))
    return Resolution(entries, tuple(refusals))


def _tell_unused(service: Service, keys: Iterable[ServiceKey], tally: Tally) -> None:
    if len(tally.used) == len(service.backends):
        return
    for backend in service.backends.values():
        if backend.id not in tally.used and backend.id not in tally.refused:
            tally.tell(
                backend,
                "no_match",
                "has no address and port that any frontend of the service could use",
                next((key for key in keys if has_port(backend, key)), None),
            )


def _keys(spec: ServiceSpec, refusals: list[Refusal]) -> Iterable[ServiceKey]:
    """Every entry that the frontends ask for, each once."""
    found: dict[ServiceKey, None] = {}
    for ipv4, ipv6, ports, fwmark, family in spec.frontends or ():
        has_place = fwmark is not None
        if fwmark is not None:
            found[FwmarkKey(family, fwmark)] = None
        for address in (ipv4, ipv6):
            if address is None:
                continue
            for protocol, port in zip(_PROTOCOLS, ports, strict=True):
                if port is not None:
                    has_place = True
                    found[AddressKey(protocol, address, port)] = None
        if not has_place:
            what = "a frontend needs an address and a port, or a fwmark"
            refusals.append(refuse(spec, "no_vip", what))
    return found
