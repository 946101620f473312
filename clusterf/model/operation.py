"""Operations: edits of the world, each with its reason, and the plan that orders them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import partial
from itertools import repeat
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias, overload, runtime_checkable

from clusterf.model import notation
from clusterf.model.service import Ref
from clusterf.model.table import Destination, DestinationKey, ServiceKey, VirtualService

Subject: TypeAlias = ServiceKey | Ref
"""What an edit serves: an entry of the table, or a record, of outputs that publish those."""


class Stage(IntEnum):
    """Make before break: everything of a lower stage is carried out before a higher one."""

    ADD = 0
    EDIT = 1
    REMOVE = 2


@runtime_checkable
class Operation(Protocol):
    """One edit. ``subject`` is what it serves, None for things of the host."""

    @property
    def stage(self) -> Stage:
        """When in a plan it is carried out."""
        ...

    @property
    def subject(self) -> Subject | None:
        """The entry of the table, or the record, that it serves."""
        ...

    def describe(self) -> str:
        """One line, in the words of the tool an operator would use by hand."""
        ...

    def reason(self) -> str:
        """Why, in words; empty when there is nothing to add."""
        ...


class _Reasoned:
    """What gives its reason itself."""

    __slots__ = ()
    because: object

    def reason(self) -> str:
        """Why."""
        return str(self.because or "")


@dataclass(slots=True)
class AddService(_Reasoned):
    """Create a virtual service with all its destinations: one operation, however many they are.

    On the day of a cold start there are as many destinations as the cluster has. `steps` has
    them one by one.
    """

    stage: ClassVar[Stage] = Stage.ADD
    subject: ServiceKey
    service: VirtualService
    because: object = None

    def describe(self) -> str:
        """As ipvsadm -A, which is about the virtual service alone."""
        return notation.service("-A", self.subject, self.service)


@dataclass(slots=True)
class EditService(_Reasoned):
    """Change scheduler, flags or persistence of a live virtual service in place."""

    stage: ClassVar[Stage] = Stage.EDIT
    subject: ServiceKey
    service: VirtualService
    because: object = None

    def describe(self) -> str:
        """As ipvsadm -E."""
        return notation.service("-E", self.subject, self.service)


@dataclass(slots=True)
class DeleteService(_Reasoned):
    """Delete a virtual service, with whatever destinations it still has."""

    stage: ClassVar[Stage] = Stage.REMOVE
    subject: ServiceKey
    because: object = None

    def describe(self) -> str:
        """As ipvsadm -D."""
        return notation.service("-D", self.subject, None)


class _ReasonedByDestination:
    """What can leave its reason to the destination that it is about."""

    __slots__ = ()
    because: object
    destination: Destination

    def reason(self) -> str:
        """Why."""
        return str(self.because or self.destination.because or "")


@dataclass(slots=True)
class AddDestination(_ReasonedByDestination):
    """Create a destination in a virtual service that is there, or made before it."""

    stage: ClassVar[Stage] = Stage.ADD
    subject: ServiceKey
    key: DestinationKey
    destination: Destination
    because: object = None

    def describe(self) -> str:
        """As ipvsadm -a."""
        return notation.destination("-a", self.subject, self.key, self.destination)


@dataclass(slots=True)
class EditDestination(_ReasonedByDestination):
    """Change weight, method, thresholds or tunnel of a destination in place."""

    stage: ClassVar[Stage] = Stage.EDIT
    subject: ServiceKey
    key: DestinationKey
    destination: Destination
    because: object = None

    def describe(self) -> str:
        """As ipvsadm -e."""
        return notation.destination("-e", self.subject, self.key, self.destination)


@dataclass(slots=True)
class DeleteDestination(_Reasoned):
    """Delete a destination: the end of its drain."""

    stage: ClassVar[Stage] = Stage.REMOVE
    subject: ServiceKey
    key: DestinationKey
    because: object = None

    def describe(self) -> str:
        """As ipvsadm -d."""
        return notation.destination("-d", self.subject, self.key, None)


KernelOperation: TypeAlias = (
    AddService | EditService | DeleteService | AddDestination | EditDestination | DeleteDestination
)


@overload
def steps(operations: Iterable[KernelOperation]) -> Iterator[KernelOperation]: ...
@overload
def steps(operations: Iterable[Operation]) -> Iterator[Operation]: ...
def steps(operations: Iterable[Operation]) -> Iterator[Operation]:
    """The same operations, one for each entry of the kernel: as people read and count them.

    A virtual service that is created with its destinations becomes one without any, and them.
    """
    for operation in operations:
        if isinstance(operation, AddService) and operation.service.destinations:
            subject, service = operation.subject, operation.service
            yield replace(operation, service=replace(service, destinations={}))
            for key, destination in service.destinations.items():
                yield AddDestination(subject, key, destination)
        else:
            yield operation


def count(operations: Iterable[Operation]) -> int:
    """How many `steps` these are."""
    return sum(
        1 + len(operation.service.destinations) if isinstance(operation, AddService) else 1
        for operation in operations
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


_as_outcome: Callable[[tuple[object, ...]], Outcome] = partial(tuple.__new__, Outcome)


def successes(operations: Iterable[Operation]) -> Iterable[Outcome]:
    """Outcomes of operations that were all done; made without one call of Python code."""
    return map(_as_outcome, zip(operations, repeat(""), repeat(""), repeat(True), strict=False))


@dataclass(frozen=True, slots=True)
class Plan:
    """Operations in the order of their stages, and when to look again.

    ``wake`` maps subjects to a moment (engine clock, seconds): a drain that must be looked at
    again. ``held`` says of what is left alone on purpose, and why.
    """

    operations: Sequence[Operation] = ()
    # Subjects; a mapping of one kind of them is not one of all kinds to the type checker.
    wake: Mapping[Any, float] = field(default_factory=dict)
    held: Mapping[Any, str] = field(default_factory=dict)
