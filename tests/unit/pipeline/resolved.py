"""What a service resolves to, for the tests of the files that resolving is made of."""

from __future__ import annotations

from clusterf.model.defaults import Defaults
from clusterf.model.service import Backend, ServiceSpec
from clusterf.model.table import VirtualService
from clusterf.pipeline.resolve import Resolution, resolve
from tests.strategies import MANAGED, service

DEFAULTS = Defaults()


def resolved(one: ServiceSpec, *backends: Backend, defaults: Defaults = DEFAULTS) -> Resolution:
    return resolve(service(one, *backends), defaults, MANAGED)


def only(resolution: Resolution) -> VirtualService:
    [one] = resolution.entries.values()
    return one


def refused(resolution: Resolution) -> list[str]:
    return [refusal.reason for refusal in resolution.refusals]
