"""The tables of clusterf.toml that belong to the core, as typed settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from clusterf.config.configuration import Core
from clusterf.model.defaults import Defaults
from clusterf.model.problem import Code
from clusterf.model.table import Tunnel
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
from clusterf.plugin.settings import Duration, IPNetwork, PathName, Settings, WeightNumber

SOCKET_PATH_MAX = 107
"""Bytes in the name of a Unix socket, unix(7)."""

FwmarkNumber = Annotated[int, Field(ge=1, le=2**32 - 1)]
Positive = Annotated[Duration, Field(gt=0)]

_CORE = Core()
_DEFAULTS = Defaults()


class CoreTable(Settings):
    """``[clusterf]``."""

    managed: Annotated[tuple[IPNetwork, ...], Field(strict=False)]
    managed_fwmarks: Annotated[tuple[FwmarkNumber, ...], Field(strict=False)] = ()
    plugin_dirs: Annotated[tuple[PathName, ...], Field(strict=False)] = ()
    disable_plugins: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...], Field(strict=False)
    ] = ()
    control: PathName = _CORE.control
    state_dir: PathName = _CORE.state_dir
    start_wait: Duration = _CORE.start_wait
    settle_max: Duration = _CORE.settle_max
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"

    @model_validator(mode="after")
    def _check(self) -> CoreTable:
        if len(bytes(self.control)) > SOCKET_PATH_MAX:
            message = f"is longer than the {SOCKET_PATH_MAX} bytes that a Unix socket may have"
            raise_faults("clusterf", [Fault(("control",), message, code=Code.OUT_OF_RANGE)])
        return self

    def value(self) -> Core:
        """As the engine takes it."""
        return Core(**dict(self))


class DefaultsTable(Settings):
    """``[defaults]``."""

    scheduler: SchedulerName = _DEFAULTS.scheduler
    flags: FlagNames = _DEFAULTS.flags
    persistence: Sticky | None = None
    weight: WeightNumber = _DEFAULTS.weight
    method: MethodName = _DEFAULTS.method
    tunnel: TunnelSettings = Tunnel()
    upper_threshold: ThresholdNumber = 0
    lower_threshold: ThresholdNumber = 0
    elide: bool = _DEFAULTS.elide

    @model_validator(mode="after")
    def _check(self) -> DefaultsTable:
        faults = list(forwarding_faults(self))
        if faults:
            raise_faults("defaults", faults)
        return self

    def value(self) -> Defaults:
        """As the pipeline takes it."""
        return Defaults(**dict(self))


class SourceKeys(Settings):
    """Keys of a source that the core owns; the rest is its plugin's."""

    type: str
    enabled: bool = True
    startup_error: Literal["fail", "retry"] = "retry"


class PolicyKeys(Settings):
    """Keys of a policy that the core owns."""

    type: str
    enabled: bool = True


class OutputKeys(Settings):
    """Keys of an output that the core owns."""

    type: str
    enabled: bool = True
    startup_error: Literal["fail", "retry"] = "fail"
    look: Positive = 30.0


def managed_faults(core: Core) -> Iterator[Fault]:
    """What is legal in ``[clusterf]`` and hardly meant."""
    seen: set[object] = set()
    for index, prefix in enumerate(core.managed):
        if prefix in seen:
            yield Fault(("managed", index), f"{prefix} is there twice", code=Code.CONTRADICTION)
        seen.add(prefix)
