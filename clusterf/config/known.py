"""What is known of services before anything runs, and where in the files it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from clusterf.model.provenance import Provenance
from clusterf.model.service import Ref, Route, ServiceSpec
from clusterf.pipeline.merge import Contribution
from clusterf.plugin.checking import Foretold


class Known:
    """Records by service, and the places of whatever a refusal can be about."""

    def __init__(self, foretold: Iterable[Foretold]) -> None:
        self.services: dict[str, dict[str, Contribution]] = {}
        self.routes: tuple[Route, ...] = ()
        self._places: dict[tuple[str, Provenance | None], tuple[Foretold, Ref]] = {}
        routes: dict[str, Route] = {}
        for one in foretold:
            for record in one.records:
                if isinstance(record, Route):
                    routes.setdefault(record.name, record)
                    self._note(f"route {record.name}", record.provenance, one, record.ref)
                elif isinstance(record, ServiceSpec):
                    self._of(record.name, one.source).spec = record
                    self._note(f"service {record.name}", record.provenance, one, record.ref)
                else:
                    self._of(record.service, one.source).backends[record.id] = record
                    subject = f"service {record.service} backend {record.id}"
                    self._note(subject, record.provenance, one, record.ref)
        self.routes = tuple(routes.values())

    def contributions(self, name: str, places: Mapping[str, int]) -> list[Contribution]:
        """What the sources say of a service, in the order of the configuration."""
        found = [
            replace(contribution, index=places.get(source, -1))
            for source, contribution in self.services[name].items()
        ]
        return sorted(found, key=lambda contribution: contribution.index)

    def place(self, subject: str, provenance: Provenance | None) -> tuple[Foretold, Ref] | None:
        """Where a subject stands: as of this provenance if it is in several files."""
        return self._places.get((subject, provenance)) or self._places.get((subject, None))

    def _of(self, service: str, source: str) -> Contribution:
        sources = self.services.setdefault(service, {})
        return sources.setdefault(source, Contribution(-1, None, {}))

    def _note(self, subject: str, provenance: Provenance, one: Foretold, ref: Ref) -> None:
        self._places[subject, provenance] = (one, ref)
        self._places.setdefault((subject, None), (one, ref))
