"""The checked configuration: what the engine is built from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from clusterf.config import places
from clusterf.model.address import Network
from clusterf.model.defaults import Defaults
from clusterf.plugin.api import AnyType, OutputType, PolicyType, SourceType
from clusterf.plugin.settings import Settings

T = TypeVar("T", bound=AnyType)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance(Generic[T]):
    """One configured plugin. Equal instances need no restart when the configuration is reloaded.

    ``name`` is its path in the file: ``sources.local-docker``, ``policies[0]``. ``look`` is the
    time in seconds between two looks of an output at its world.
    """

    name: str
    type: T
    settings: Settings
    startup_error: Literal["fail", "retry"] = "retry"
    look: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The table ``[clusterf]``; durations in seconds, paths as in the file."""

    managed: tuple[Network, ...] = ()
    managed_fwmarks: Sequence[int] = ()
    plugin_dirs: tuple[Path, ...] = ()
    disable_plugins: tuple[str, ...] = ()
    control: Path = places.CONTROL
    state_dir: Path = places.STATE
    start_wait: float = 5.0
    settle_max: float = 0.5
    log_level: str = "info"
    log_format: Literal["text", "json"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything that a checked file says; mappings and tuples are in the order of the file."""

    path: Path
    core: Core = field(default_factory=Core)
    defaults: Defaults = field(default_factory=Defaults)
    sources: Mapping[str, Instance[SourceType[Any]]] = field(default_factory=dict)
    policies: tuple[Instance[PolicyType[Any]], ...] = ()
    outputs: Mapping[str, Instance[OutputType[Any]]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """What relative paths in the file are relative to."""
        return self.path.parent

    @property
    def tabled(self) -> bool:
        """Whether any output wants a table; False on a host that only publishes."""
        return not self.outputs or not all(one.type.publishes for one in self.outputs.values())
