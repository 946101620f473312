"""What outputs implement, and what they are given of the engine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from typing_extensions import TypeVar

from clusterf.model.address import Address
from clusterf.model.operation import Operation, Outcome, Plan, Subject
from clusterf.model.service import Route, Service
from clusterf.model.table import Connections, DestinationKey, ServiceKey, VirtualService

S_contra = TypeVar("S_contra", contravariant=True, default=ServiceKey)
"""What an output is told of: entries of the table, or services by `ServiceRef`."""


class Statements(Protocol):
    """What sources say, with the operator's orders and before the policies.

    ``among`` picks sources by the name of their instance.
    """

    def services(self, among: Callable[[str], bool]) -> Collection[str]:
        """Names of the services that these sources know anything of."""
        ...

    def service(self, name: str, among: Callable[[str], bool]) -> Service | None:
        """What these sources say of one service; None: nothing."""
        ...

    def routes(self, among: Callable[[str], bool]) -> Sequence[Route]:
        """Their routes; of two with one name the earlier source's."""
        ...

    def unspoken(self, among: Callable[[str], bool]) -> Sequence[str]:
        """Which of them have not spoken yet: what they may own is unknown, not empty."""
        ...


class Desired(Protocol):
    """The engine's view that an output plans against. Read-only, and alive: do not keep parts."""

    @property
    def table(self) -> Mapping[ServiceKey, VirtualService]:
        """What should be."""
        ...

    @property
    def statements(self) -> Statements:
        """What sources say, for outputs that publish it."""
        ...

    @property
    def hold(self) -> str | None:
        """Why nothing may be removed now (a source has not spoken yet), or None."""
        ...

    def departed(self, key: ServiceKey, target: DestinationKey | None = None) -> bool:
        """Whether this entry was in the table in this run and left it: its removal is certain."""
        ...

    def serving(self, address: Address) -> bool:
        """Whether every data plane output here can serve a new connection to this VIP."""
        ...

    def held(self, address: Address) -> bool:
        """Whether a data plane output still has an entry for this VIP, be it only to drain."""
        ...


@dataclass(frozen=True, slots=True)
class OutputReport:
    """What an output tells ``clusterf status`` about itself.

    ``draining`` maps destinations to a sentence about their drain.
    """

    detail: str = ""
    problems: Sequence[str] = ()
    draining: Mapping[tuple[ServiceKey, DestinationKey], str] = field(default_factory=dict)


class Output(Protocol[S_contra]):
    """Makes one part of the world match the table, or what the sources say.

    The engine calls `observe`, `plan` and `carry_out` one after another, never two at once.
    """

    async def observe(self, subjects: Collection[S_contra] | None) -> None:
        """Look at the world: at these subjects, or (None) at everything managed.

        Raises:
            OutputUnavailable: nothing can be said of the world now.
        """
        ...

    def plan(self, desired: Desired, subjects: Collection[S_contra] | None, now: float) -> Plan:
        """Compare what was observed with what is desired, for these subjects or for all.

        Pure as far as the world goes. ``now`` is on the engine's clock.
        """
        ...

    async def carry_out(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """Carry out a plan in one batch; one outcome for each operation, in their order.

        An operation of several steps (`clusterf.model.operation.steps`) may have an outcome for
        each of them instead, where they did not all go well.

        Also folds the results into what is known of the world, so that the next plan needs
        no new look.
        """
        ...

    def report(self) -> OutputReport:
        """Say how things are, from memory."""
        ...


@runtime_checkable
class DataPlane(Protocol):
    """Optional on an output that forwards packets; outputs that announce wait for it."""

    def serving(self, key: ServiceKey) -> bool:
        """Whether the world has this entry with a destination of a weight above 0."""
        ...

    def entries(self) -> Collection[ServiceKey]:
        """The managed entries of the world, also those that only drain."""
        ...

    async def connections(self) -> Mapping[tuple[ServiceKey, DestinationKey], Connections]:
        """Counters of all managed destinations, fresh from the kernel.

        The one method that may be called while another one is at work.
        """
        ...

    def observed(self) -> Mapping[ServiceKey, VirtualService]:
        """The managed part of the world as last seen."""
        ...


@runtime_checkable
class Surveying(Protocol):
    """Optional on an output whose world is large: its periodic look goes slice by slice."""

    async def survey(self) -> Collection[ServiceKey]:
        """List the managed entries of the world: cheap, without their destinations.

        The engine then has them observed and planned in slices, so that changes do not wait.
        """
        ...


Again: TypeAlias = Callable[[Collection[Subject] | None], None]
"""Asks to have subjects planned again, for their world is not as it was; None: to look at all."""


@runtime_checkable
class Attending(Protocol):
    """Optional on an output that has something to do between plans: a lease, a session, a watch."""

    async def attend(self, again: Again) -> None:
        """Run beside the other methods until cancelled.

        Raises:
            OutputUnavailable: its world is away. The engine looks at everything when it is back.
        """
        ...


@runtime_checkable
class Withdrawing(Protocol):
    """Optional on an output whose world may outlive the program only for so long."""

    async def withdraw(self) -> None:
        """The program ends, or this instance has left the configuration; not called on a crash.

        Within a few seconds; then `Closing.close`.
        """
        ...


@runtime_checkable
class Closing(Protocol):
    """Optional on an output that holds something open."""

    async def close(self) -> None:
        """Let go of sockets and the like. Never changes the world."""
        ...
