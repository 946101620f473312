"""A picture of the tree as a table for people, in the words of ``clusterf status``. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clusterf.model.address import Family, endpoint
from clusterf.model.counting import counted
from clusterf.model.service import Backend, Frontend, Ports, Route, ServiceSpec, StickyClients
from clusterf.model.table import Method, Protocol, Tunnel
from clusterf.plugin import Line
from clusterf_etcd.commands.picture import Picture, Published, ServicePicture, Unread
from clusterf_etcd.keys import shown_key
from clusterf_etcd.reading import old_names
from clusterf_etcd.wire import KeyValue

_ID = 12
"""Characters of a container's id that are shown, as docker(1) does."""

_FULL_ID = re.compile(r"[0-9a-f]{64}(?=-|\Z)")

_WIDEST = 44
"""Columns that a word of one row can make the others wait for: two addresses have room."""

_METHOD = {Method.MASQ: "Masq", Method.DROUTE: "Route", Method.TUNNEL: "Tunnel"}

Row = tuple[str, ...]


Lives = Mapping[int, int]
"""Seconds that leases still live; one that is gone has a number below 0."""


def lines(shown: Picture, lives: Lives) -> Iterator[Line]:
    """The table: services in their order, then routes, then keys of neither."""
    if shown.services:
        yield "Prot VIP:Port Scheduler Settings", "bold"
        head = ("Backend", "Address", "Ports", "Weight", "Agent", "Lease", "")
        rows = [_backend(one, lives) for service in shown.services for one in service.backends]
        first, *table = _aligned([head, *rows])
        yield f"  -> {first}", "bold"
        backends = iter(table)
        for service in shown.services:
            yield from _service(service, backends, lives)
    if shown.routes:
        if shown.services:
            yield "", ""
        head = ("Route", "Prefix", "Forward", "Gateway", "Agent", "Lease", "")
        first, *table = _aligned([head, *(_route(one, lives) for one in shown.routes)])
        yield first, "bold"
        for text, route in zip(table, shown.routes, strict=True):
            yield text, "" if route.record.method is not None else "yellow"
    for unread in shown.unread:
        yield f"refused: {_refusal(unread)}", "yellow"


def summary(shown: Picture) -> str:
    """``2 services, 3 backends, 1 route, 1 key refused``."""
    refused = len(shown.refused)
    words = [
        counted(len(shown.services), "service"),
        counted(sum(len(service.backends) for service in shown.services), "backend"),
        counted(len(shown.routes), "route"),
    ]
    if refused:
        words.append(f"{counted(refused, 'key')} refused")
    return ", ".join(words)


# --- services -------------------------------------------------------------------------------------


def _service(service: ServicePicture, backends: Iterator[str], lives: Lives) -> Iterator[Line]:
    yield service.name, "bold cyan"
    entries = [] if service.frontend is None else list(_entries(service.frontend, lives))
    for entry in entries:
        yield entry, ""
    if not entries:
        yield "no frontend", "yellow"
    for backend in service.backends:
        quiet = backend.record.quiesced is not None or backend.record.weight == 0
        yield f"  -> {next(backends)}", "yellow" if quiet else ""
    for unread in service.unread:
        yield f"  refused: {_refusal(unread)}", "yellow"


def _entries(published: Published[ServiceSpec], lives: Lives) -> Iterator[str]:
    spec = published.record
    settings = list(_settings(spec))
    if published.agent or published.entry.lease:
        settings.append(f"[agent {published.agent or '-'}, lease {_lease(published.entry, lives)}]")
    for frontend in spec.frontends or ():
        for entry in _places(frontend):
            yield " ".join([entry, *settings])
    if not spec.frontends and settings:
        yield " ".join(["no frontend", *settings])


def _places(frontend: Frontend) -> Iterator[str]:
    """``tcp  192.0.2.10:80``; what lacks an address or a port is shown as it is."""
    found = False
    for protocol in Protocol:
        port = frontend.ports.of(protocol)
        for address in (frontend.ipv4, frontend.ipv6):
            if port is not None and address is not None:
                found = True
                yield f"{protocol:<4} {endpoint(address, port)}"
    if frontend.fwmark is not None:
        inet6 = " inet6" if frontend.family is Family.INET6 else ""
        yield f"fwmark {frontend.fwmark}{inet6}"
    elif not found:
        vips = " ".join(str(one) for one in (frontend.ipv4, frontend.ipv6) if one is not None)
        yield f"{vips or 'no VIP'} {_ports(frontend.ports) or 'no port'}"


def _settings(spec: ServiceSpec) -> Iterator[str]:
    if spec.scheduler is not None:
        yield spec.scheduler
    if spec.flags:
        yield ",".join(sorted(spec.flags))
    if spec.persistence is not None:
        yield _persistence(spec.persistence)
    if spec.weight is not None:
        yield f"weight {spec.weight}"
    yield from _forwarding(spec)
    if spec.elide is not None:
        yield "elide" if spec.elide else "no elide"


def _backend(published: Published[Backend], lives: Lives) -> Row:
    backend = published.record
    more = list(_forwarding(backend))
    if backend.quiesced is not None:
        more.append(f"quiesced: {backend.quiesced}")
    return (
        _short(backend.id),
        " ".join(str(one) for one in (backend.ipv4, backend.ipv6) if one is not None) or "-",
        _ports(backend.ports) or "-",
        "-" if backend.weight is None else str(backend.weight),
        *_author(published, lives),
        ", ".join(more),
    )


def _forwarding(record: ServiceSpec | Backend) -> Iterator[str]:
    if record.method is not None:
        yield _METHOD[record.method]
    if record.tunnel is not None:
        yield _tunnel(record.tunnel)
    if record.upper_threshold is not None:
        yield f"upper {record.upper_threshold}"
    if record.lower_threshold is not None:
        yield f"lower {record.lower_threshold}"


# --- routes ---------------------------------------------------------------------------------------


def _route(published: Published[Route], lives: Lives) -> Row:
    route = published.record
    return (
        _short(route.name),
        "default" if route.prefix is None else str(route.prefix),
        "-" if route.method is None else _METHOD[route.method],
        "-" if route.gateway is None else str(route.gateway),
        *_author(published, lives),
        ", ".join(_remarks(published)),
    )


def _remarks(published: Published[Route]) -> Iterator[str]:
    route = published.record
    if route.tunnel is not None:
        yield _tunnel(route.tunnel)
    if route.method is None:
        yield "leaves its backends out"
    if names := old_names(published.entry.value):
        yield f"written as {' and '.join(names)}, which the original ignores since 0.5"


# --- words ----------------------------------------------------------------------------------------


def _author(published: Published[Any], lives: Lives) -> Row:
    return published.agent or "-", _lease(published.entry, lives)


def _lease(entry: KeyValue, lives: Lives) -> str:
    """How long it still lives."""
    if not entry.lease:
        return "-"
    left = lives[entry.lease]
    return f"{left}s" if left >= 0 else "gone"


def _ports(ports: Ports) -> str:
    return ",".join(
        f"{protocol} {port}" for protocol in Protocol if (port := ports.of(protocol)) is not None
    )


def _persistence(sticky: StickyClients) -> str:
    groups = [
        f"/{length}"
        for length, whole in ((sticky.prefix4, 32), (sticky.prefix6, 128))
        if length != whole
    ]
    return " ".join([f"persistent {sticky.timeout}", *groups])


def _tunnel(tunnel: Tunnel) -> str:
    return " ".join(
        [
            tunnel.type,
            *([f"port {tunnel.port}"] if tunnel.port else ()),
            *([tunnel.flags] if tunnel.flags != Tunnel().flags else ()),
        ]
    )


def _refusal(unread: Unread) -> str:
    refusal = unread.refusal
    hint = f" (hint: {refusal.hint})" if refusal.hint else ""
    return f"{shown_key(unread.entry.key)}: {refusal.detail}{hint}"


def _short(name: str) -> str:
    """The id of a container or a network as people know it, with what an agent put behind it."""
    found = _FULL_ID.match(name)
    return name if found is None else name[:_ID] + name[found.end() :]


def _aligned(rows: Sequence[Row]) -> list[str]:
    """Rows as lines, each column as wide as its words."""
    widths = [min(_WIDEST, max(len(row[at]) for row in rows)) for at in range(len(rows[0]))]
    return [
        " ".join(f"{word:<{width}}" for word, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
