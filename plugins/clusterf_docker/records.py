"""Deciding: one container becomes backends and refusals. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from clusterf.model.provenance import Provenance, Refusal
from clusterf.model.service import Backend, Ports
from clusterf.model.table import Protocol
from clusterf_docker import address, labels
from clusterf_docker.address import NotReachable, Place
from clusterf_docker.container import Container, Exposed
from clusterf_docker.labels import Joining, Objection, PortLabel, shown
from clusterf_docker.settings import DockerSettings


@dataclass(slots=True)
class Verdict:
    """What a container contributes. Refusals by a key that is unique within the container."""

    backends: list[Backend] = field(default_factory=list)
    refusals: dict[str, Refusal] = field(default_factory=dict)

    @property
    def records(self) -> Sequence[Backend]:
        """What it publishes."""
        return self.backends


@dataclass(frozen=True, slots=True)
class Decider:
    """Decides by the settings of one source, whose name is in the provenance of all it says."""

    settings: DockerSettings
    source: str

    def decide(self, container: Container, quiesced: str | None) -> Verdict:
        """Backends and refusals of a container whose processes run.

        ``quiesced``: why it shall get no new connections, in words.
        """
        verdict = Verdict()
        request = labels.read(container.labels, self.settings.services)
        for objection in request.objections:
            self._object(verdict, container, objection)
        joinings = [
            (joining, ports)
            for joining in request.joinings
            if (ports := self._exposed(verdict, container, joining))
        ]
        if not joinings:
            return verdict
        if self.settings.addressing == "published" and not container.on_host:
            places = [
                (joining, self._published(verdict, container, ports)) for joining, ports in joinings
            ]
        else:
            try:
                own = address.own(container, self.settings, request.network)
            except NotReachable as no:
                self._object(verdict, container, Objection("", no.reason, str(no), no.hint))
                return verdict
            places = [
                (joining, Place(own.ipv4, own.ipv6, _numbers(ports))) for joining, ports in joinings
            ]
        provenance = self.provenance(container.id, container.name)
        # All labels travel along: policies may know labels that this source does not.
        carried = MappingProxyType(dict(container.labels))
        verdict.backends = [
            Backend(
                service=joining.service,
                id=container.id,
                ipv4=place.ipv4,
                ipv6=place.ipv6,
                ports=place.ports,
                weight=joining.weight,
                quiesced=quiesced,
                labels=carried,
                provenance=provenance,
            )
            for joining, place in places
            if place.ipv4 is not None or place.ipv6 is not None
        ]
        return verdict

    def refusal(self, identifier: str, name: str, objection: Objection) -> Refusal:
        """A refusal about a container, or about one label of it."""
        detail = objection.detail
        if objection.label:
            label = objection.label
            tidy = label.isprintable() and len(label) <= 100
            detail = f"label {label if tidy else shown(label)}: {detail}"
        return Refusal(
            f"container {name}",
            objection.reason,
            detail,
            self.provenance(identifier, name),
            objection.hint,
        )

    def provenance(self, identifier: str, name: str) -> Provenance:
        """Where facts about a container come from."""
        return Provenance(self.source, f"container {name} ({identifier[:12]})")

    def _object(self, verdict: Verdict, container: Container, objection: Objection) -> None:
        # Two services may find the same fault with one label: it is one fault.
        key = f"{objection.label} {objection.reason} {objection.detail}"
        verdict.refusals[key] = self.refusal(container.id, container.name, objection)

    def _exposed(
        self, verdict: Verdict, container: Container, joining: Joining
    ) -> Mapping[Protocol, PortLabel]:
        """Ports of a joining that the container exposes; the others are refused."""
        ports = {}
        for protocol, label in joining.ports.items():
            if Exposed(label.port, protocol) in container.exposed:
                ports[protocol] = label
                continue
            detail = f"port {label.port}/{protocol} is not exposed"
            hint = f"{_offered(container.exposed)}; EXPOSE it in the image or docker run --expose"
            self._object(
                verdict, container, Objection(label.label, "port_not_exposed", detail, hint)
            )
        if not joining.ports and not joining.objected:
            self._object(verdict, container, _without_port(container, joining.service))
        return ports

    def _published(
        self, verdict: Verdict, container: Container, ports: Mapping[Protocol, PortLabel]
    ) -> Place:
        place, left_out = address.published(container, ports, self.settings)
        for label, no in left_out:
            objection = Objection(label.label, no.reason, f"port {label.port} {no}", no.hint)
            self._object(verdict, container, objection)
        return place


def quiesced(container: Container, *, stopping: bool, health: bool) -> str | None:
    """Why a running container shall get no new connections, or None. The gravest reason."""
    if stopping:
        return "stopping"
    if container.status == "paused":
        return "paused"
    if health and container.health in {"starting", "unhealthy"}:
        return container.health
    return None


def _numbers(ports: Mapping[Protocol, PortLabel]) -> Ports:
    return Ports(**{str(protocol): label.port for protocol, label in ports.items()})


def _offered(exposed: Sequence[Exposed] | frozenset[Exposed]) -> str:
    if not exposed:
        return "it exposes no port"
    listed = [f"{one.port}/{one.protocol}" for one in sorted(exposed)]
    more = f" and {len(listed) - 8} more" if len(listed) > 8 else ""
    return f"it exposes {', '.join(listed[:8])}{more}"


def _without_port(container: Container, service: str) -> Objection:
    """Joining without a port label is refused, with the label that could be written."""
    hint = f"{_offered(container.exposed)}; EXPOSE a port and name it with clusterf.backend.tcp"
    if container.exposed:
        first = min(container.exposed)
        hint = (
            f"{_offered(container.exposed)}; write clusterf.backend.{first.protocol}={first.port}"
        )
    return Objection("", "no_port", f"joins service {shown(service)} without naming a port", hint)
