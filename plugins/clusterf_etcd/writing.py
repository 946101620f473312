"""From a record to the value of its key: compact JSON, with the original's fields in its order.

What the original does not know comes after them, and is ignored by it. What a record leaves open
is left out, and so is what is for this host alone: order, labels, provenance, and the gateway of
a backend, which policies set.
"""

from __future__ import annotations

import json
from typing import Any

from clusterf.model.service import Backend, Frontend, Record, Route, ServiceSpec, StickyClients
from clusterf.model.table import Tunnel
from clusterf_etcd.field_types import TEXT_MAX, is_text

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def write(record: Record, *, agent: str = "") -> bytes:
    """The value for a record. ``agent``: the name of the agent that publishes it, if one does.

    Raises:
        ValueError: the agent's name is not a short printable text.
    """
    if agent and not is_text(agent):
        raise ValueError(f"{agent!r} is not the name of an agent")
    if isinstance(record, Backend):
        given = _backend(record)
    elif isinstance(record, ServiceSpec):
        given = _service(record)
    else:
        given = _route(record)
    if agent:
        given["agent"] = agent
    return _ENCODER.encode(_without_nothing(given)).encode()


def _backend(record: Backend) -> dict[str, Any]:
    quiesced = record.quiesced is not None
    return {
        "ipv4": _text(record.ipv4),
        "ipv6": _text(record.ipv6),
        "tcp": record.ports.tcp,
        "udp": record.ports.udp,
        "weight": 0 if quiesced else record.weight,
        "sctp": record.ports.sctp,
        "quiesced": _printable(record.quiesced or "") or None,
        "method": record.method,
        "tunnel": _tunnel(record.tunnel),
        "upper_threshold": record.upper_threshold,
        "lower_threshold": record.lower_threshold,
    }


def _service(record: ServiceSpec) -> dict[str, Any]:
    frontends = record.frontends
    first: dict[str, Any] = {}
    further = frontends
    if frontends and _can_be_first(frontends[0]):
        first = _frontend(frontends[0])
        further = frontends[1:] or None
    return {
        **first,
        "frontends": None
        if further is None
        else [_without_nothing(_frontend(one)) for one in further],
        "scheduler": record.scheduler,
        "flags": None if record.flags is None else sorted(record.flags),
        "persistence": _persistence(record.persistence),
        "weight": record.weight,
        "method": record.method,
        "tunnel": _tunnel(record.tunnel),
        "upper_threshold": record.upper_threshold,
        "lower_threshold": record.lower_threshold,
        "elide": record.elide,
    }


def _route(record: Route) -> dict[str, Any]:
    return {
        "Prefix": _text(record.prefix),
        "Gateway": _text(record.gateway),
        "IPVSMethod": record.method,
        "tunnel": _tunnel(record.tunnel),
    }


def _can_be_first(frontend: Frontend) -> bool:
    """Whether it can stand where the original has its only one, where port 0 says nothing."""
    return frontend != Frontend() and 0 not in frontend.ports


def _frontend(frontend: Frontend) -> dict[str, Any]:
    return {
        "ipv4": _text(frontend.ipv4),
        "ipv6": _text(frontend.ipv6),
        "tcp": frontend.ports.tcp,
        "udp": frontend.ports.udp,
        "sctp": frontend.ports.sctp,
        "fwmark": frontend.fwmark,
        "family": None if frontend.fwmark is None else frontend.family,
    }


def _persistence(sticky: StickyClients | None) -> Any:
    """Seconds, or all of it where it groups clients."""
    if sticky is None:
        return None
    timeout, prefix4, prefix6 = sticky
    if sticky == StickyClients(timeout):
        return timeout
    return {"timeout": timeout, "netmask": prefix4, "netmask6": prefix6}


def _tunnel(tunnel: Tunnel | None) -> Any:
    """A type, or all of it where it says more."""
    if tunnel is None:
        return None
    kind, port, flags = tunnel
    if tunnel == Tunnel(kind):
        return kind
    return _without_nothing({"type": kind, "port": port or None, "flags": flags})


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _printable(text: str) -> str:
    """A reason that `is_text`: sources may give any."""
    return "".join(char if char.isprintable() else "?" for char in text[:TEXT_MAX])


def _without_nothing(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}
