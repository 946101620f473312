"""Plain values, which in a large cluster are nearly all: read without a model, and in C.

A plain value has addresses, ports, a weight and an agent in the order in which the original and
ours write them, with or without spaces behind commas and colons. Whatever is not plain, right or
wrong, comes to None here and goes by the models of `shape`, which alone know what to say about it.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

from clusterf.model.address import UNICAST4, Address
from clusterf.model.provenance import Provenance
from clusterf.model.service import NO_LABELS, Backend, Frontend, Ports, ServiceSpec
from clusterf.model.table import WEIGHT_MAX

_SPACES = b" \t\r\n"
_SPACE = r"[ \t\r\n]*+"


def _field(name: str, value: str) -> str:
    return f'"{name}":{_SPACE}{value}'


_FIELDS = (
    _field("tcp", "([1-9][0-9]{0,4})"),
    _field("udp", "([1-9][0-9]{0,4})"),
    _field("weight", "(0|[1-9][0-9]{0,9})"),
    _field("agent", r'"([ !#-\[\]-~]{1,255})"'),
)
_TAIL = "".join(f"(?:,{_SPACE}{one})?" for one in _FIELDS) + rf"\}}{_SPACE}"
_plain_tail: Callable[[bytes], re.Match[bytes] | None] = re.compile(_TAIL.encode()).fullmatch

_LONGEST = 512
"""Bytes of a plain value. Without spaces none has as many."""

_inet_pton4: Callable[[str], bytes] = partial(socket.inet_pton, socket.AF_INET)
_inet_pton6: Callable[[str], bytes] = partial(socket.inet_pton, socket.AF_INET6)
_as_backend: Callable[[tuple[object, ...]], Backend] = partial(tuple.__new__, Backend)
_LOWEST, _BEYOND = UNICAST4


class _Tail(NamedTuple):
    """What stands behind the addresses of a value."""

    ports: Ports
    weight: int | None
    agent: str


def plain_backend(
    service: str, identity: str, value: bytes, provenance: Provenance
) -> Backend | None:
    """A backend, if its value is plain."""
    found = _taken_apart(value)
    if found is None:
        return None
    ipv4, ipv6, (ports, weight, _) = found
    if ipv4 is not None and not _LOWEST <= ipv4 < _BEYOND:
        return None
    if ipv6 is not None and not ipv6.is_unicast:
        return None
    return _as_backend(
        (
            service,
            identity,
            ports,
            provenance,
            weight,
            None,  # quiesced
            None,  # method
            None,  # gateway
            None,  # tunnel
            None,  # upper threshold
            None,  # lower threshold
            ipv4,
            ipv6,
            NO_LABELS,
            False,  # only at VIPs
        )
    )


def plain_service(name: str, value: bytes, provenance: Provenance) -> ServiceSpec | None:
    """A service with one frontend, if its value is plain."""
    found = _taken_apart(value)
    if found is None or found[2].weight is not None:
        return None
    ipv4, ipv6, tail = found
    return ServiceSpec(name, provenance, frontends=(Frontend(ipv4, ipv6, tail.ports),))


def plain_agent(value: bytes) -> str | None:
    """The agent that published a plain value, empty if none did; None: the value is not plain."""
    found = _taken_apart(value)
    return None if found is None else found[2].agent


def _taken_apart(value: bytes) -> tuple[Address | None, Address | None, _Tail] | None:
    """Addresses and the rest of a plain value."""
    if len(value) > _LONGEST:
        return None
    ipv4 = ipv6 = None
    try:
        before, name, colon, text, rest = value.split(b'"', 4)
        if before != b"{":
            return None
        if name == b"ipv4":
            ipv4 = Address(_inet_pton4(text.decode()))
            if b'"ipv6"' in rest:
                if colon.rstrip(_SPACES) != b":":
                    return None
                before, name, colon, text, rest = rest.split(b'"', 4)
                if before.rstrip(_SPACES) != b"," or name != b"ipv6":
                    return None
        if name == b"ipv6":
            ipv6 = Address(_inet_pton6(text.decode()))
        elif ipv4 is None:
            return None
    except (ValueError, OSError):
        return None
    tail = _tail(rest) if colon.rstrip(_SPACES) == b":" else None
    return None if tail is None else (ipv4, ipv6, tail)


@lru_cache(2**12)
def _tail(text: bytes) -> _Tail | None:
    """The rest of a plain value; most have the same, so it is read once."""
    found = _plain_tail(text)
    if found is None:
        return None
    tcp, udp, weight, agent = found.groups()
    number = None if weight is None else int(weight)
    ports = _ports(tcp, udp)
    if ports is None or (number is not None and number > WEIGHT_MAX):
        return None
    return _Tail(ports, number, (agent or b"").decode())


@lru_cache(2**12)
def _ports(tcp: bytes | None, udp: bytes | None) -> Ports | None:
    """Ports by their texts, if they are in range; equal ones are one object."""
    ports = Ports(None if tcp is None else int(tcp), None if udp is None else int(udp))
    return ports if (ports.tcp or 0) <= 65535 >= (ports.udp or 0) else None
