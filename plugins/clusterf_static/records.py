"""From the values of a static file to records, with a fault for each thing that is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from pydantic import ValidationError

from clusterf.model.address import Address, endpoint
from clusterf.model.provenance import Provenance
from clusterf.model.service import Backend, Route, ServiceSpec
from clusterf.plugin import Code, Fault, did_you_mean, faults_of, shown
from clusterf_static.order import GAP
from clusterf_static.plain import every_protocol, plain_backends, plain_frontend
from clusterf_static.shape import BackendTable, RouteTable, ServiceTable

_NAME = re.compile(r"[^\s/\x00-\x1f\x7f]{1,253}")
_SECTIONS = ("services", "routes")


class Section(NamedTuple):
    """One service as one file has it. ``spec.order`` tells its place within the file."""

    spec: ServiceSpec
    backends: Mapping[str, Backend]


@dataclass(slots=True)
class Content:
    """What a file says. ``names``: all its services in their order, also those with faults."""

    services: dict[str, Section] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    routes: dict[str, Route] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def read_content(data: Mapping[str, Any], source: str, place: str = "") -> Content:
    """Records of a file. ``source`` is the instance, ``place`` the file's name in it."""
    content = Content()
    for key, value in data.items():
        if key not in _SECTIONS:
            hint = did_you_mean(key, _SECTIONS)
            content.faults.append(Fault((key,), "unknown key", hint, Code.UNKNOWN_KEY, on_key=True))
        elif not isinstance(value, dict):
            content.faults.append(_not_a_table((key,), value))
    services, routes = data.get("services"), data.get("routes")
    prefix = f"{place} " if place else ""
    if isinstance(services, dict):
        for name, table in services.items():
            _service(content, name, table, Provenance(source, f"{prefix}services.{name}"))
    if isinstance(routes, dict):
        for name, table in routes.items():
            _route(content, name, table, Provenance(source, f"{prefix}routes.{name}"))
    return content


def _not_a_table(at: tuple[str | int, ...], value: object) -> Fault:
    return Fault(at, f"must be a table, not {shown(value)}", code=Code.WRONG_TYPE)


def _service(content: Content, name: str, table: Any, provenance: Provenance) -> None:
    at = ("services", name)
    before = len(content.faults)
    content.names.append(name)
    if not isinstance(table, dict):
        content.faults.append(_not_a_table(at, table))
        return
    if not _NAME.fullmatch(name):
        hint = "no spaces, slashes and control characters, at most 253 characters"
        content.faults.append(Fault(at, "is not a name for a service", hint, on_key=True))
    items = table.get("backends", [])
    if not isinstance(items, list):
        message = f"must be an array, not {shown(items)}"
        content.faults.append(Fault((*at, "backends"), message, code=Code.WRONG_TYPE))
        items = []
    settings = {key: value for key, value in table.items() if key != "backends"}
    spec = None
    try:
        spec = _spec(name, settings, GAP * len(content.names), provenance)
    except ValidationError as error:
        content.faults.extend(fault.below(at) for fault in faults_of(error, ServiceTable, settings))
    right = spec is not None and len(content.faults) == before
    backends = plain_backends(items, name, provenance)
    if backends is None:
        faults: list[Fault] = []
        backends = read_backends(items, name, provenance, faults)
        content.faults.extend(fault.below((*at, "backends")) for fault in faults)
    if right and spec is not None:
        content.services[name] = Section(spec, backends)


def _spec(
    name: str, settings: Mapping[str, Any], order: int, provenance: Provenance
) -> ServiceSpec:
    if settings.keys() == {"frontend"}:
        frontend = plain_frontend(settings["frontend"])
        if frontend is not None:
            return ServiceSpec(name, provenance, order, (frontend,))
    table = ServiceTable.model_validate(settings)
    return table.over_service(ServiceSpec(name, provenance, order, table.values()))


def read_backends(
    items: list[Any], service: str, provenance: Provenance, faults: list[Fault]
) -> dict[str, Backend]:
    """Backends by id; what is wrong is left out and told by its index."""
    backends: dict[str, Backend] = {}
    for index, item in enumerate(items):
        if isinstance(item, str):
            backend = _from_string(item, service, provenance)
        else:
            backend = _from_table(item, service, provenance, faults, index)
        if isinstance(backend, Fault):
            if backend.message:
                faults.append(replace(backend, at=(index, *backend.at)))
        elif backends.setdefault(backend.id, backend) is not backend:
            faults.append(
                Fault(
                    (index,),
                    f"backend {shown(backend.id)} is listed twice",
                    code=Code.CONTRADICTION,
                )
            )
    return backends


_TOLD = Fault((), "")
"""Stands for a backend whose faults have been told already."""


def _from_string(text: str, service: str, provenance: Provenance) -> Backend | Fault:
    """``192.0.2.1:80`` or ``[2001:db8::1]:80``; the port is of every protocol."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    form = '"192.0.2.1:80" or "[2001:db8::1]:80"'
    if " " in text:
        return Fault((), f"{shown(text)} has a space in it", form)
    if not colon or not host or text.endswith("]"):
        return Fault((), f"{shown(text)} has no port", form)
    if ":" in host and not bracketed:
        return Fault((), f"{shown(text)} is not an address with a port", form)
    try:
        address = Address.parse(host[1:-1] if bracketed else host)
    except ValueError:
        return Fault((), f"{shown(host)} is not an IP address", form)
    if bracketed is not (len(address) == 16):
        return Fault((), f"{shown(text)} is not an address with a port", form)
    if not address.is_unicast:
        return Fault((), f"{address} is no address of a backend")
    try:
        ports = every_protocol[port]
    except KeyError:
        return Fault((), f"{shown(port)} is not a port", "from 1 to 65535", Code.OUT_OF_RANGE)
    if len(address) == 4:
        return Backend(service=service, id=text, ipv4=address, ports=ports, provenance=provenance)
    identity = endpoint(address, int(port))
    return Backend(service=service, id=identity, ipv6=address, ports=ports, provenance=provenance)


def _from_table(
    item: Any, service: str, provenance: Provenance, faults: list[Fault], index: int
) -> Backend | Fault:
    if not isinstance(item, dict):
        message = f"must be a string or a table, not {shown(item)}"
        return Fault((), message, '"192.0.2.1:80"', Code.WRONG_TYPE)
    try:
        table = BackendTable.model_validate(item)
    except ValidationError as error:
        faults.extend(fault.below((index,)) for fault in faults_of(error, BackendTable, item))
        return _TOLD
    ipv4, ipv6 = table.addresses()
    for key, address in (("ipv4", ipv4), ("ipv6", ipv6)):
        if address is not None and not address.is_unicast:
            at = "address" if table.address is not None else key
            return Fault((at,), f"{address} is no address of a backend")
    ports = table.ports()
    identity = table.id
    if identity is None:
        port = next(port for port in ports if port is not None)
        identity = endpoint(ipv4 or ipv6 or Address(), port)
    return table.over(Backend(service, identity, ports, provenance, ipv4=ipv4, ipv6=ipv6))


def _route(content: Content, name: str, table: Any, provenance: Provenance) -> None:
    at = ("routes", name)
    if not isinstance(table, dict):
        content.faults.append(_not_a_table(at, table))
        return
    try:
        route = RouteTable.model_validate(table)
    except ValidationError as error:
        content.faults.extend(fault.below(at) for fault in faults_of(error, RouteTable, table))
        return
    content.routes[name] = Route(
        name=name,
        prefix=route.prefix,
        method=route.method,
        gateway=route.gateway,
        tunnel=route.tunnel,
        provenance=provenance,
    )
