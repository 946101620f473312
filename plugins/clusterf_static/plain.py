"""Plain services, which in a large file are nearly all: read without a model, and in C.

A plain frontend is an IPv4 address with ports, a plain backend is ``"192.0.2.1:80"``. Whatever is
not plain, right or wrong, comes to None here and goes by the models of `shape`, which alone know
what to say about it.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Collection
from functools import partial
from itertools import repeat
from typing import Any

from clusterf.model.address import UNICAST4, Address
from clusterf.model.provenance import Provenance
from clusterf.model.service import Backend, Frontend, Ports

_PORT = re.compile(r"[1-9][0-9]{0,4}")
_FRONTEND = frozenset({"ipv4", "tcp", "udp", "sctp"})

_said_by_none = {name: repeat(Backend._field_defaults.get(name)) for name in Backend._fields}
_as_backend: Callable[[tuple[object, ...]], Backend] = partial(tuple.__new__, Backend)
_inet_pton: Callable[[str], bytes] = partial(socket.inet_pton, socket.AF_INET)


class _PortTexts(dict[str, Ports]):
    """Text of a port to the one value that all its backends share; at most 65535 of them."""

    def __missing__(self, text: str) -> Ports:
        if not _PORT.fullmatch(text) or int(text) > 65535:
            raise KeyError(text)
        number = int(text)
        return self.setdefault(text, Ports(number, number, number))


every_protocol = _PortTexts()
"""Ports of a backend whose port is of every protocol. A text that is no port is a KeyError."""


def plain_frontend(table: object) -> Frontend | None:
    """A frontend, if it is a plain one."""
    if not isinstance(table, dict) or not table.keys() <= _FRONTEND:
        return None
    ports = Ports(table.get("tcp"), table.get("udp"), table.get("sctp"))
    if ports == (None, None, None):
        return None
    for port in ports:
        if port is not None and not (type(port) is int and 0 <= port <= 65535):
            return None
    try:
        return Frontend(Address(_inet_pton(table["ipv4"])), None, ports)
    except (KeyError, TypeError, ValueError, OSError):
        return None


def plain_backends(
    items: Collection[Any], service: str, provenance: Provenance
) -> dict[str, Backend] | None:
    """Backends by id in the order of the file, if they are plain all of them, and all different."""
    if not items:
        return {}
    try:
        hosts, _, texts = zip(*map(str.rpartition, items, repeat(":")), strict=True)
        # inet_pton takes one spelling of an address only, so an item itself is the id.
        addresses = list(map(Address, map(_inet_pton, hosts)))
        ports = list(map(every_protocol.__getitem__, texts))
    except (KeyError, TypeError, ValueError, OSError):
        return None
    if min(addresses) < UNICAST4[0] or max(addresses) >= UNICAST4[1]:
        return None
    said = {
        "service": repeat(service),
        "id": items,
        "ports": ports,
        "provenance": repeat(provenance),
        "ipv4": addresses,
    }
    rows = zip(*(_said_by_none | said).values(), strict=False)
    backends = dict(zip(items, map(_as_backend, rows), strict=True))
    return backends if len(backends) == len(items) else None
