"""The tree as people think of it: services with their frontends and backends, routes. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from clusterf.model.provenance import Refusal
from clusterf.model.service import Backend, BackendRef, Record, Route, ServiceRef, ServiceSpec
from clusterf_etcd.keys import KeyFault, ref_of
from clusterf_etcd.reading import agent_of, read
from clusterf_etcd.wire import KeyValue

R_co = TypeVar("R_co", bound=Record, covariant=True)


class Published(NamedTuple, Generic[R_co]):
    """One key that can be read. ``agent`` published it, or nobody says who."""

    record: R_co
    agent: str
    entry: KeyValue


class Unread(NamedTuple):
    """One key that a reader refuses, and why."""

    refusal: Refusal
    entry: KeyValue


@dataclass(slots=True)
class ServicePicture:
    """One service; ``unread`` are keys of it."""

    name: str
    frontend: Published[ServiceSpec] | None = None
    backends: list[Published[Backend]] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)


@dataclass(slots=True)
class Picture:
    """Everything, by name; ``unread`` are keys of no service."""

    services: list[ServicePicture] = field(default_factory=list)
    routes: list[Published[Route]] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    @property
    def keys(self) -> int:
        """How many keys it shows."""
        return (
            sum((one.frontend is not None) + len(one.backends) for one in self.services)
            + len(self.routes)
            + len(self.refused)
        )

    @property
    def refused(self) -> list[Unread]:
        """All keys that a reader refuses."""
        return [*(one for service in self.services for one in service.unread), *self.unread]


def picture(entries: Iterable[KeyValue], prefix: str, source: str) -> Picture:
    """Read and sort keys. ``source`` is who reads, for the reasons of what is refused."""
    services: dict[str, ServicePicture] = {}
    shown = Picture()
    for entry in sorted(entries):
        item = read(entry.key, entry.value, prefix, source)
        agent = agent_of(entry.value)
        match item:
            case Refusal():
                name = _service_of(entry.key, prefix)
                unread = shown.unread if name is None else _known(services, name).unread
                unread.append(Unread(item, entry))
            case Backend():
                backend = Published(item, agent, entry)
                _known(services, item.service).backends.append(backend)
            case ServiceSpec():
                _known(services, item.name).frontend = Published(item, agent, entry)
            case Route():
                shown.routes.append(Published(item, agent, entry))
    shown.services = [services[name] for name in sorted(services)]
    return shown


def _known(services: dict[str, ServicePicture], name: str) -> ServicePicture:
    return services.setdefault(name, ServicePicture(name))


def _service_of(key: str, prefix: str) -> str | None:
    """The service that a key is part of, where its name is fit to be shown."""
    try:
        ref = ref_of(key, prefix)
    except KeyFault:
        return None
    match ref:
        case BackendRef():
            return ref.service
        case ServiceRef():
            return ref.name
    return None
