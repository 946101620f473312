"""Override: what an operator ordered by ``clusterf drain`` beats what sources and policies say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from clusterf.model.address import Family
from clusterf.model.service import Service


class Drained(NamedTuple):
    """An operator's order to quiesce a whole service (``backend`` empty) or one backend."""

    service: str
    backend: str = ""


def override(service: Service, drained: Mapping[Drained, str]) -> Service:
    """Quiesce what ``drained`` names; its values are the reasons shown with the destinations.

    A backend is named by its whole id: ``web-1`` that is gone does not stand for ``web-10``.
    It stands for what a policy splits it into, ``web-1/inet`` and ``web-1/inet6``.
    """
    if not drained:
        return service
    mine = {order: reason for order, reason in drained.items() if order.service == service.name}
    if not mine:
        return service
    backends = dict(service.backends)
    for order, reason in mine.items():
        whole = (order.backend, *(f"{order.backend}/{family}" for family in Family))
        for identity in whole if order.backend else service.backends:
            if identity in backends and backends[identity].quiesced is None:
                backends[identity] = backends[identity]._replace(quiesced=reason)
    return service.with_backends(backends)


def matching(backends: Mapping[str, object], name: str) -> list[str]:
    """Ids that an operator means by ``name``, as for container ids also by a unique beginning.

    All for an empty name; one or none otherwise.
    """
    if not name:
        return list(backends)
    if name in backends:
        return [name]
    found = [identity for identity in backends if identity.startswith(name)]
    return found if len(found) == 1 else []
