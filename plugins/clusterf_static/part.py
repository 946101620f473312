"""A part of what a source says: one document, or a table of one, with the places of its records."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from clusterf.model.service import BackendRef, Frontend, Record, Ref, RouteRef, ServiceSpec
from clusterf.model.table import FwmarkKey, ServiceKey
from clusterf.plugin import Document
from clusterf_static.records import Content, read_backends

At = tuple[str | int, ...]


class Part:
    """``content`` stands in ``document`` below ``at``."""

    def __init__(self, source: str, document: Document, content: Content, at: At = ()) -> None:
        self.source = source
        self.document = document
        self.content = content
        self.at = at
        self._indices: dict[str, dict[str, int]] = {}

    def records(self, after: int) -> Iterator[Record]:
        """Everything in it; services are numbered from ``after`` on, as a source's parts follow."""
        for order, section in enumerate(self.content.services.values(), after):
            yield section.spec._replace(order=order)
            yield from section.backends.values()
        yield from self.content.routes.values()

    def service(self, name: str) -> At:
        """Place of a service."""
        return (*self.at, "services", name)

    def backend(self, service: str, identity: str) -> At:
        """Place of a backend in the file's own list, which may hold others that were refused."""
        if service not in self._indices:
            self._indices[service] = self._index(service)
        return (*self.service(service), "backends", self._indices[service].get(identity, 0))

    def place(self, ref: Ref, about: ServiceKey | str | None) -> At:
        """As `clusterf.plugin.Foretold.place`."""
        if isinstance(ref, RouteRef):
            return (*self.at, "routes", ref.name)
        if isinstance(ref, BackendRef):
            return self.backend(ref.service, ref.id)
        at = self.service(ref.name)
        if isinstance(about, str):
            alone = "frontends" if "frontends" in self._raw(ref.name) else "frontend"
            return (*at, alone if about == "frontends" else about)
        return at if about is None else (*at, *self._frontend(ref.name, about))

    def _index(self, service: str) -> dict[str, int]:
        spec: ServiceSpec = self.content.services[service].spec
        found: dict[str, int] = {}
        for index, item in enumerate(self._raw(service).get("backends", [])):
            for identity in read_backends([item], service, spec.provenance, []):
                found.setdefault(identity, index)
        return found

    def _frontend(self, service: str, key: ServiceKey) -> At:
        """Where a frontend asks for this entry: a port 0 at the port, all else at the address."""
        many = "frontends" in self._raw(service)
        for index, frontend in enumerate(self.content.services[service].spec.frontends or ()):
            name = _asks(frontend, key)
            if name:
                return ("frontends", index, name) if many else ("frontend", name)
        return ()

    def _raw(self, service: str) -> dict[str, Any]:
        data: Any = self._table
        return dict(data["services"][service])

    @cached_property
    def _table(self) -> Any:
        data: Any = self.document.data
        for part in self.at:
            data = data[part]
        return data


def _asks(frontend: Frontend, key: ServiceKey) -> str:
    """Key of a frontend's table by which it asks for an entry; nothing if it does not."""
    if isinstance(key, FwmarkKey):
        wanted = (frontend.fwmark, frontend.family) == (key.mark, key.family)
        return "fwmark" if wanted else ""
    if frontend.ports.of(key.protocol) != key.port:
        return ""
    if key.address not in (frontend.ipv4, frontend.ipv6):
        return ""
    return str(key.protocol) if key.port == 0 else f"ipv{4 if len(key.address) == 4 else 6}"


def either(value: int | None, default: int) -> int:
    """A value, or what holds without one."""
    return default if value is None else value
