"""What services and backends may say of their own, where ``[defaults]`` would speak otherwise.

A source's tables inherit from these, so that the same words mean the same in all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self, TypeVar

from pydantic import model_validator

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

Overridden = TypeVar("Overridden", ServiceSpec, Backend)


class BackendOverrides(Settings):
    """Base of a backend's table: how packets go to it. What is unset is the service's to say."""

    weight: WeightNumber | None = None
    method: MethodName | None = None
    tunnel: TunnelSettings | None = None
    upper_threshold: ThresholdNumber | None = None
    lower_threshold: ThresholdNumber | None = None

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

    scheduler: SchedulerName | None = None
    flags: FlagNames | None = None
    persistence: Sticky | None = None
    elide: bool | None = None

    def over_service(self, spec: ServiceSpec) -> ServiceSpec:
        """As `over`, with the fields that only a service has."""
        return self.over(spec)._replace(
            scheduler=self.scheduler,
            flags=self.flags,
            persistence=self.persistence,
            elide=self.elide,
        )
