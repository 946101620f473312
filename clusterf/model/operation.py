"""Operations: single edits of the world, each with its reason, and the plan that orders them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from itertools import repeat
from typing import ClassVar, NamedTuple, Protocol, TypeAlias, runtime_checkable

from clusterf.model import notation
from clusterf.model.table import Destination, DestinationKey, ServiceKey, VirtualService


class Stage(IntEnum):
    """Make before break: everything of a lower stage is carried out before a higher one."""

    ADD = 0
    EDIT = 1
    REMOVE = 2


@runtime_checkable
class Operation(Protocol):
    """One edit. ``subject`` is the virtual service it belongs to, None for things of the host."""

    @property
    def stage(self) -> Stage:
        """When in a plan it is carried out."""
        ...

    @property
    def subject(self) -> ServiceKey | None:
        """The entry of the table that it serves."""
        ...

    def describe(self) -> str:
        """One line, in the words of the tool an operator would use by hand."""
        ...

    def reason(self) -> str:
        """Why, in words; empty when there is nothing to add."""
        ...


@dataclass(slots=True)
class AddService:
    """Create a virtual service, without its destinations."""

    stage: ClassVar[Stage] = Stage.ADD
    subject: ServiceKey
    service: VirtualService
    because: object = None

    def describe(self) -> str:
        """As ipvsadm -A."""
        return notation.service("-A", self.subject, self.service)

    def reason(self) -> str:
        """Why."""
        return str(self.because or "")


@dataclass(slots=True)
class EditService:
    """Change scheduler, flags or persistence of a live virtual service in place."""

    stage: ClassVar[Stage] = Stage.EDIT
    subject: ServiceKey
    service: VirtualService
    because: object = None

    def describe(self) -> str:
        """As ipvsadm -E."""
        return notation.service("-E", self.subject, self.service)

    def reason(self) -> str:
        """Why."""
        return str(self.because or "")


@dataclass(slots=True)
class DeleteService:
    """Delete a virtual service, with whatever destinations it still has."""

    stage: ClassVar[Stage] = Stage.REMOVE
    subject: ServiceKey
    because: object = None

    def describe(self) -> str:
        """As ipvsadm -D."""
        return notation.service("-D", self.subject, None)

    def reason(self) -> str:
        """Why."""
        return str(self.because or "")


class _Addition(NamedTuple):
    subject: ServiceKey
    key: DestinationKey
    destination: Destination
    because: object = None


class AddDestination(_Addition):
    """Create a destination.

    A tuple, because there are as many as destinations on the day of a cold start: see `additions`.
    """

    __slots__ = ()
    stage: ClassVar[Stage] = Stage.ADD

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AddDestination) and tuple.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        # A tuple has one of its own, that would not ask the one above.
        return not self == other

    def __hash__(self) -> int:
        return tuple.__hash__(self)

    def describe(self) -> str:
        """As ipvsadm -a."""
        return notation.destination("-a", self.subject, self.key, self.destination)

    def reason(self) -> str:
        """Why."""
        return str(self.because or self.destination.because or "")


_as_addition: Callable[[tuple[object, ...]], AddDestination] = partial(
    tuple.__new__,
    AddDestination,
)


def additions(
    subject: ServiceKey, destinations: Mapping[DestinationKey, Destination]
) -> Iterable[AddDestination]:
    """All destinations of a new virtual service; made without one call of Python code."""
    rows = zip(repeat(subject), destinations, destinations.values(), repeat(None), strict=False)
    return map(_as_addition, rows)


@dataclass(slots=True)
class EditDestination:
    """Change weight, method, thresholds or tunnel of a destination in place."""

    stage: ClassVar[Stage] = Stage.EDIT
    subject: ServiceKey
    key: DestinationKey
    destination: Destination
    because: object = None

    def describe(self) -> str:
        """As ipvsadm -e."""
        return notation.destination("-e", self.subject, self.key, self.destination)

    def reason(self) -> str:
        """Why."""
        return str(self.because or self.destination.because or "")


@dataclass(slots=True)
class DeleteDestination:
    """Delete a destination: the end of its drain."""

    stage: ClassVar[Stage] = Stage.REMOVE
    subject: ServiceKey
    key: DestinationKey
    because: object = None

    def describe(self) -> str:
        """As ipvsadm -d."""
        return notation.destination("-d", self.subject, self.key, None)

    def reason(self) -> str:
        """Why."""
        return str(self.because or "")


KernelOperation: TypeAlias = (
    AddService | EditService | DeleteService | AddDestination | EditDestination | DeleteDestination
)


class Outcome(NamedTuple):
    """Result of one operation: ``error`` is empty when it was done.

    ``error`` is the sentence for people (with the errno's name), ``hint`` what they can do.
    ``retry`` is False where trying again cannot help until something else changes.
    """

    operation: Operation
    error: str = ""
    hint: str = ""
    retry: bool = True


_as_outcome: Callable[[tuple[object, ...]], Outcome] = partial(
    tuple.__new__,
    Outcome,
)


def successes(operations: Iterable[Operation]) -> Iterable[Outcome]:
    """Outcomes of operations that were all done; made without one call of Python code."""
    return map(_as_outcome, zip(operations, repeat(""), repeat(""), repeat(True), strict=False))


@dataclass(frozen=True, slots=True)
class Plan:
    """Operations in the order of their stages, and when to look again.

    ``wake`` maps virtual services to a moment (engine clock, seconds): a drain that must be
    looked at again. ``held`` says of what is left alone on purpose, and why.
    """

    operations: Sequence[Operation] = ()
    wake: Mapping[ServiceKey, float] = field(default_factory=dict)
    held: Mapping[ServiceKey, str] = field(default_factory=dict)
