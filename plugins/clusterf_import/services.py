"""What an import yields, whatever it came from: services, and what people are told of them. Pure.

In the words of clusterf, with every setting stated: nothing depends on the defaults of both sides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from clusterf.model.address import Address, endpoint
from clusterf.model.defaults import IPIP
from clusterf.model.service import Frontend, StickyClients
from clusterf.model.table import (
    AddressKey,
    FwmarkKey,
    Method,
    Protocol,
    ServiceKey,
    Tunnel,
)

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")
NAME_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedBackend:
    """One backend. ``origin`` is "file:line"; ``remarks`` is what stands above it as comments.

    ``port`` 0 is the port that the client asked for.
    """

    address: Address
    port: int
    weight: int
    method: Method
    tunnel: Tunnel = IPIP
    upper_threshold: int = 0
    lower_threshold: int = 0
    origin: str = ""
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return endpoint(self.address, self.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedService:
    """One service. ``title`` says in the words of the other side what it was."""

    name: str
    title: str
    frontends: tuple[Frontend, ...]
    scheduler: str
    flags: frozenset[str] = frozenset()
    persistence: StickyClients | None = None
    backends: tuple[ImportedBackend, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(slots=True)
class Imported:
    """Everything. ``remarks`` are of the file as a whole."""

    services: list[ImportedService] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def keys(frontend: Frontend) -> Iterator[ServiceKey]:
    """Entries of the kernel's table that a frontend asks for."""
    if frontend.fwmark is not None:
        yield FwmarkKey(frontend.family, frontend.fwmark)
    for address in (frontend.ipv4, frontend.ipv6):
        for protocol in Protocol if address is not None else ():
            port = frontend.ports.of(protocol)
            if port is not None and address is not None:
                yield AddressKey(protocol, address, port)


def name_of(key: ServiceKey) -> str:
    """A name for a service that has none: ``tcp-192-0-2-10-80``, ``fwmark-7-inet6``."""
    return plain_name(str(key))


def plain_name(text: str) -> str:
    """A name that needs no quotes anywhere: letters, digits, dashes and underscores."""
    return _NOT_IN_NAMES.sub("-", text).strip("-")[:NAME_MAX].strip("-") or "service"


def unique_name(name: str, taken: Iterable[str]) -> str:
    """The name, or the name with a number behind it."""
    others = set(taken)
    number, found = 1, name
    while found in others:
        number += 1
        found = f"{name}-{number}"
    return found
