"""The tables of clusterf.toml that belong to the core, as typed settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

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
from clusterf.plugin.overrides import (
    ELIDE,
    FLAGS,
    LOWER,
    METHOD,
    PERSISTENCE,
    SCHEDULER,
    TUNNEL,
    UPPER,
    WEIGHT,
)
from clusterf.plugin.settings import Duration, IPNetwork, PathName, Settings, WeightNumber

SOCKET_PATH_MAX = 107
"""Bytes in the name of a Unix socket, unix(7)."""

LONG = 3600.0
"""Seconds. A longer wait at start is hardly meant."""

FwmarkNumber = Annotated[int, Field(ge=1, le=2**32 - 1)]
Positive = Annotated[Duration, Field(gt=0)]

_CORE = Core()
_DEFAULTS = Defaults()


def _told(description: str, **bounds: Any) -> Any:
    return Field(description=description, **bounds)


class CoreTable(Settings):
    """What clusterf owns, and how the program runs."""

    managed: Annotated[
        tuple[IPNetwork, ...], _told("VIP prefixes that clusterf owns; [] owns none", strict=False)
    ]
    managed_fwmarks: Annotated[
        tuple[FwmarkNumber, ...], _told("firewall marks that clusterf owns", strict=False)
    ] = ()
    plugin_dirs: Annotated[
        tuple[PathName, ...], _told("directories of drop-in plugins", strict=False)
    ] = ()
    disable_plugins: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        _told("plugins that are left out, by name", strict=False),
    ] = ()
    control: Annotated[PathName, _told("socket that clusterf status, drain and reload talk to")] = (
        _CORE.control
    )
    state_dir: Annotated[PathName, _told("where orders of the operator survive a restart")] = (
        _CORE.state_dir
    )
    start_wait: Annotated[
        Duration, _told("how long the first pass waits for sources that have not spoken yet")
    ] = _CORE.start_wait
    settle_max: Annotated[Duration, _told("how long changes are gathered in a storm, at most")] = (
        _CORE.settle_max
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], _told("what is logged at least")
    ] = "info"
    log_format: Annotated[
        Literal["text", "json"], _told("lines of event key=value, or of JSON")
    ] = "text"

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
    """What holds for every service that does not say otherwise, in the words of ipvsadm(8)."""

    scheduler: Annotated[SchedulerName, _told(SCHEDULER)] = _DEFAULTS.scheduler
    flags: Annotated[FlagNames, _told(FLAGS)] = _DEFAULTS.flags
    persistence: Annotated[Sticky | None, _told(PERSISTENCE)] = None
    weight: Annotated[WeightNumber, _told(WEIGHT)] = _DEFAULTS.weight
    method: Annotated[MethodName, _told(METHOD)] = _DEFAULTS.method
    tunnel: Annotated[TunnelSettings, _told(TUNNEL)] = Tunnel()
    upper_threshold: Annotated[ThresholdNumber, _told(UPPER)] = 0
    lower_threshold: Annotated[ThresholdNumber, _told(LOWER)] = 0
    elide: Annotated[bool, _told(ELIDE)] = _DEFAULTS.elide

    @model_validator(mode="after")
    def _check(self) -> DefaultsTable:
        faults = list(forwarding_faults(self))
        if faults:
            raise_faults("defaults", faults)
        return self

    def value(self) -> Defaults:
        """As the pipeline takes it."""
        return Defaults(**dict(self))


_TYPE = _told("which plugin it is of: see clusterf plugins")
_ENABLED = _told("off: it is checked and not run")
_STARTUP = _told("its world is not there at start: end clusterf, or go on and try again")


class SourceKeys(Settings):
    """Keys of a source that the core owns; the rest is its plugin's."""

    type: Annotated[str, _TYPE]
    enabled: Annotated[bool, _ENABLED] = True
    startup_error: Annotated[Literal["fail", "retry"], _STARTUP] = "retry"


class PolicyKeys(Settings):
    """Keys of a policy that the core owns."""

    type: Annotated[str, _TYPE]
    enabled: Annotated[bool, _ENABLED] = True


class OutputKeys(Settings):
    """Keys of an output that the core owns."""

    type: Annotated[str, _TYPE]
    enabled: Annotated[bool, _ENABLED] = True
    startup_error: Annotated[Literal["fail", "retry"], _STARTUP] = "fail"
    look: Annotated[
        Positive, _told("how often it looks at its world for changes that others have made")
    ] = 30.0


def managed_faults(core: Core) -> Iterator[Fault]:
    """What is legal in ``[clusterf]`` and hardly meant."""
    seen: set[object] = set()
    for index, prefix in enumerate(core.managed):
        if prefix in seen:
            yield Fault(("managed", index), f"{prefix} is there twice", code=Code.CONTRADICTION)
        seen.add(prefix)
        if prefix.length == 0:
            yield Fault(
                ("managed", index),
                f"{prefix} is every address: whatever others have in the kernel would be removed",
                "name the prefixes of the VIPs",
                Code.ALL_MANAGED,
            ).as_warning()
        for other in core.managed:
            if other != prefix and other.length < prefix.length and prefix.address in other:
                message = f"{prefix} is a part of {other}, which is managed as a whole"
                fault = Fault(("managed", index), message, code=Code.CONTRADICTION)
                yield fault.as_warning()
                break
    if core.start_wait > LONG:
        yield Fault(
            ("start_wait",),
            f"{core.start_wait:g} seconds is more than an hour",
            'clients would wait as long; such as "10s"',
            Code.OUT_OF_RANGE,
        ).as_warning()
