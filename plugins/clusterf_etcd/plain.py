"""Plain values, which in a large cluster are nearly all: read without a model, and in C.

A plain value has addresses, ports, a weight and an agent in the order in which the original and
ours write them, with or without spaces behind commas and colons. Whatever is not plain, right or
wrong, comes to None here and goes by the models of `shape`, which alone know what to say about it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, partial
from socket import AF_INET, AF_INET6, inet_pton

from clusterf.model.address import UNICAST4, Address
from clusterf.model.provenance import Provenance
from clusterf.model.service import NO_LABELS, Backend, Frontend, Ports, ServiceSpec
from clusterf.model.table import WEIGHT_MAX

_SPACES = " \t\r\n"
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
_plain_tail = re.compile(_TAIL).fullmatch

_LONGEST = 512
"""Bytes of a plain value. Without spaces none has as many."""

_as_backend: Callable[[tuple[object, ...]], Backend] = partial(tuple.__new__, Backend)
_LOWEST, _BEYOND = UNICAST4


_Tail = tuple[Ports, int | None, str]
"""What stands behind the addresses of a value: its ports, its weight, its agent."""


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
    if found is None:
        return None
    ipv4, ipv6, (ports, weight, _) = found
    if weight is not None:
        return None
    return ServiceSpec(name, provenance, frontends=(Frontend(ipv4, ipv6, ports),))


def plain_agent(value: bytes) -> str | None:
    """The agent that published a plain value, empty if none did; None: the value is not plain."""
    found = _taken_apart(value)
    return None if found is None else found[2][2]


def _taken_apart(value: bytes) -> tuple[Address | None, Address | None, _Tail] | None:
    """Addresses and the rest of a plain value."""
    if len(value) > _LONGEST:
        return None
    ipv4 = ipv6 = None
    try:
        before, name, colon, text, rest = value.decode().split('"', 4)
        if before != "{":
            return None
        if name == "ipv4":
            ipv4 = Address(inet_pton(AF_INET, text))
            if '"ipv6"' in rest:
                if colon.rstrip(_SPACES) != ":":
                    return None
                before, name, colon, text, rest = rest.split('"', 4)
                if before.rstrip(_SPACES) != "," or name != "ipv6":
                    return None
        if name == "ipv6":
            ipv6 = Address(inet_pton(AF_INET6, text))
        elif ipv4 is None:
            return None
    except (ValueError, OSError):
        return None
    if colon != ":" and colon.rstrip(_SPACES) != ":":
        return None
    tail = _tail(rest)
    return None if tail is None else (ipv4, ipv6, tail)


@lru_cache(2**12)
def _tail(text: str) -> _Tail | None:
    """The rest of a plain value; most have the same, so it is read once."""
    found = _plain_tail(text)
    if found is None:
        return None
    tcp, udp, weight, agent = found.groups()
    number = None if weight is None else int(weight)
    ports = _ports(tcp, udp)
    if ports is None or (number is not None and number > WEIGHT_MAX):
        return None
    return ports, number, agent or ""


@lru_cache(2**12)
def _ports(tcp: str | None, udp: str | None) -> Ports | None:
    """Ports by their texts, if they are in range; equal ones are one object."""
    ports = Ports(None if tcp is None else int(tcp), None if udp is None else int(udp))
    return ports if (ports.tcp or 0) <= 65535 >= (ports.udp or 0) else None
