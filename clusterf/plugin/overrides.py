"""What services and backends may say of their own, where ``[defaults]`` would speak otherwise.

A source's tables inherit from these, so that the same words mean the same in all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self, TypeVar

from pydantic import Field, model_validator

from clusterf.model.service import Backend, ServiceSpec
from clusterf.plugin.document import Fault
from clusterf.plugin.faults import raise_faults
from clusterf.plugin.forwarding import (
    FlagNames,
    MethodName,
    SchedulerName,
    Sticky,
    ThresholdNumber,
    TunnelSettings,
    forwarding_faults,
)
from clusterf.plugin.settings import Settings, WeightNumber

SCHEDULER = "scheduler of the kernel"
FLAGS = "flags of the scheduler, and ops: one-packet scheduling of UDP"
PERSISTENCE = "clients come back to the same destination within this time"
WEIGHT = "share of the connections; 0 gets no new ones"
METHOD = "how packets reach a backend: NAT, direct routing or a tunnel"
TUNNEL = "encapsulation of the method tunnel"
UPPER = "connections from which on a destination gets no new ones; 0 is no limit"
LOWER = "connections below which it gets new ones again"
ELIDE = "leave a virtual service without destinations out of the kernel"

Overridden = TypeVar("Overridden", ServiceSpec, Backend)


class BackendOverrides(Settings):
    """Base of a backend's table: how packets go to it. What is unset is the service's to say."""

    weight: Annotated[WeightNumber | None, Field(description=WEIGHT)] = None
    method: Annotated[MethodName | None, Field(description=METHOD)] = None
    tunnel: Annotated[TunnelSettings | None, Field(description=TUNNEL)] = None
    upper_threshold: Annotated[ThresholdNumber | None, Field(description=UPPER)] = None
    lower_threshold: Annotated[ThresholdNumber | None, Field(description=LOWER)] = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if faults := list(self.faults()):
            raise_faults(type(self).__name__, faults)
        return self

    def faults(self) -> Iterator[Fault]:
        """Contradictions between fields; a table with more fields adds those of its own."""
        yield from forwarding_faults(self)

    def over(self, record: Overridden) -> Overridden:
        """The record with these fields as they are here, unset ones too."""
        return record._replace(
            weight=self.weight,
            method=self.method,
            tunnel=self.tunnel,
            upper_threshold=self.upper_threshold,
            lower_threshold=self.lower_threshold,
        )


class ServiceOverrides(BackendOverrides):
    """Base of a service's table: how it schedules, and what holds for all its backends."""

    scheduler: Annotated[SchedulerName | None, Field(description=SCHEDULER)] = None
    flags: Annotated[FlagNames | None, Field(description=FLAGS)] = None
    persistence: Annotated[Sticky | None, Field(description=PERSISTENCE)] = None
    elide: Annotated[bool | None, Field(description=ELIDE)] = None

    def over_service(self, spec: ServiceSpec) -> ServiceSpec:
        """As `over`, with the fields that only a service has."""
        return self.over(spec)._replace(
            scheduler=self.scheduler,
            flags=self.flags,
            persistence=self.persistence,
            elide=self.elide,
        )
