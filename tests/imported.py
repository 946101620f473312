"""What the source ``static`` reads of an imported configuration, in the words of an import."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from clusterf.model.defaults import Defaults
from clusterf.model.service import Backend, ServiceSpec
from clusterf.model.table import Method, Tunnel
from clusterf_import.services import ImportedBackend, ImportedService
from clusterf_static.records import read_content


class Alike:
    """Equal to any text: where something came from is in comments, which nobody reads."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (str, tuple))

    def __hash__(self) -> int:
        return 0


ANY: str = Alike()  # type: ignore[assignment]
ANY_OF_THEM: tuple[str, ...] = Alike()  # type: ignore[assignment]


def read_back(text: str) -> list[ImportedService]:
    """Services of a whole clusterf.toml; it must have no faults."""
    data = tomllib.loads(text)
    content = read_content({"services": data["services"]}, "services")
    assert content.faults == []
    return [_service(section.spec, section.backends) for section in content.services.values()]


def _service(spec: ServiceSpec, backends: Mapping[str, Backend]) -> ImportedService:
    assert spec.scheduler is not None
    assert not backends or (spec.weight is not None and spec.method is not None)
    return ImportedService(
        name=spec.name,
        title=ANY,
        frontends=spec.frontends or (),
        scheduler=spec.scheduler,
        flags=spec.flags or frozenset(),
        persistence=spec.persistence,
        backends=tuple(_backend(one, spec) for one in backends.values()),
        remarks=ANY_OF_THEM,
    )


def _backend(backend: Backend, spec: ServiceSpec) -> ImportedBackend:
    method = backend.method or spec.method or Defaults().method
    address = backend.ipv4 or backend.ipv6
    assert address is not None
    [port] = set(backend.ports)
    tunnel = backend.tunnel or spec.tunnel or Tunnel()
    return ImportedBackend(
        address=address,
        port=port if port is not None else -1,
        weight=(spec.weight or 0) if backend.weight is None else backend.weight,
        method=method,
        tunnel=tunnel if method is Method.TUNNEL else Tunnel(),
        upper_threshold=backend.upper_threshold or 0,
        lower_threshold=backend.lower_threshold or 0,
        origin=ANY,
        remarks=ANY_OF_THEM,
    )
