"""What plugins implement and what they are given: types, protocols, context.

Outputs, which have the most to implement, are in `clusterf.plugin.output`.

The engine owns supervision, back-off, ordering, deadlines and threads; a plugin owns meaning.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, runtime_checkable

from clusterf.model.address import Network
from clusterf.model.problem import Severity
from clusterf.model.provenance import Refusal
from clusterf.model.service import Facts, Record, Ref, Service
from clusterf.plugin.output import Output
from clusterf.plugin.settings import Settings

API_VERSION = "1.0"
"""Version of this API. A drop-in for a later minor or another major version is refused."""

C = TypeVar("C", bound=Settings)
C_contra = TypeVar("C_contra", bound=Settings, contravariant=True)
P = ParamSpec("P")
R = TypeVar("R")


class Context(Protocol):
    """What an instance is given at its creation. There is no other way to reach the engine."""

    name: str
    """Name of the instance as in the configuration: ``sources.local-docker``."""

    log: logging.Logger
    """Logger of the instance; put facts into the message as ``event key=value``."""

    managed: Sequence[Network]
    """VIP prefixes that clusterf owns. All else in the kernel is foreign."""

    managed_fwmarks: Collection[int]
    """Firewall marks that clusterf owns."""

    def clock(self) -> float:
        """Seconds of the engine's clock, monotonic."""
        ...

    def path(self, path: Path) -> Path:
        """Resolve a path of the configuration against the configuration's own folder."""
        ...

    async def run_blocking(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a blocking function in a thread of this instance and wait for it.

        Not abandoned on cancellation: give the function itself a deadline, or see
        `run_blocking_until_closed`.
        """
        ...

    async def run_blocking_until_closed(
        self, function: Callable[[], R], close: Callable[[], None]
    ) -> R:
        """Like `run_blocking`, for calls that may block for long.

        On cancellation ``close`` is called (from another thread) and must make ``function``
        return or raise; then the thread's end is awaited, so no thread outlives its task.
        """
        ...


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One finding of a probe: what is missing in the world, and what to do about it."""

    severity: Severity
    message: str
    hint: str = ""


@runtime_checkable
class Probe(Protocol):
    """Optional on a source, a policy or an output."""

    async def probe(self) -> Iterable[ProbeResult]:
        """Tell whether the world of this instance is there. Changes nothing in it."""
        ...


# --- sources -------------------------------------------------------------------------------


class Publisher(Protocol):
    """A source's way to the board. No method blocks, waits or raises for a valid record."""

    def put(self, *records: Record) -> None:
        """Add records or exchange those under the same refs. Equal ones mark nothing."""
        ...

    def drop(self, *refs: Ref) -> None:
        """Remove records. Unknown refs are ignored."""
        ...

    def replace(self, records: Iterable[Record]) -> None:
        """State all that the source knows: what is not among ``records`` is dropped.

        The first call makes the source *synced*. Before it the source is unknown, and nothing
        that it may own is removed anywhere. Marks only what differs.
        """
        ...

    def refuse(self, key: str, refusal: Refusal | None) -> None:
        """Report a reasoned "no" about an object of the source; None takes it back."""
        ...

    def degraded(self, reason: str | None) -> None:
        """Say that the source works on what it last knew, and why; None: all is well again."""
        ...


class Source(Protocol):
    """Discovers services, backends and routes."""

    async def run(self, publish: Publisher) -> None:
        """Publish until cancelled. Returning means: what was published is final.

        To return without ever having called `Publisher.replace` is a fault of the plugin: what
        the source may own would stay unknown for good.

        Raises:
            SourceUnavailable: its world is away. The engine keeps the records and runs it
                again with back-off, on the same object.
        """
        ...


# --- policies ------------------------------------------------------------------------------


class Policy(Protocol):
    """Decides, for one service at a time."""

    def apply(self, service: Service, facts: Facts) -> Service | Refusal:
        """Return the service as this policy wants it, or a refusal of the whole service.

        Pure: the same arguments give the same result. When it raises, the service stays as
        it was in the table.
        """
        ...


# --- types: what hooks register --------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceType(Generic[C]):
    """A kind of source: ``name`` is the value of ``type =``; ``create`` does no I/O."""

    name: str
    settings: type[C]
    create: Callable[[C, Context], Source]
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyType(Generic[C]):
    """A kind of policy."""

    name: str
    settings: type[C]
    create: Callable[[C, Context], Policy]
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputType(Generic[C]):
    """A kind of output.

    ``follows`` is True for outputs that announce or bind VIPs: they are planned again whenever
    a data plane output has made progress. ``publishes`` is True for outputs that tell others what
    sources here say: their subjects are services, by `ServiceRef`, and not entries of the table.
    ``alone`` is True for outputs that make a part of this host of which there is one: a second
    instance that is enabled is an error of the configuration.
    """

    name: str
    settings: type[C]
    create: Callable[[C, Context], Output[Any]]
    summary: str
    follows: bool = False
    publishes: bool = False
    alone: bool = False


AnyType = SourceType[Any] | PolicyType[Any] | OutputType[Any]
