"""A model of IPVS and an output on it, for the tests of the core.

Much simpler than the kernel, and much stricter: every edit of an entry that is not managed and
every connection that is lost is written down.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from clusterf.model.errors import OutputUnavailable
from clusterf.model.operation import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    EditDestination,
    EditService,
    Operation,
    Outcome,
    Plan,
    steps,
)
from clusterf.model.scope import Scope
from clusterf.model.table import (
    Connections,
    DestinationKey,
    ServiceKey,
    VirtualService,
)
from clusterf.pipeline.drain import DrainRules, Drains
from clusterf.pipeline.plan import plan_table
from clusterf.plugin.output import Desired, OutputReport
from tests.strategies import MANAGED

RULES = DrainRules(deadline=300.0, poll=1.0)

Pair = tuple[ServiceKey, DestinationKey]


@dataclass
class Kernel:
    """The table of a kernel, with the connections of each destination."""

    services: dict[ServiceKey, VirtualService] = field(default_factory=dict)
    connections: dict[Pair, int] = field(default_factory=dict)
    lost: list[Pair] = field(default_factory=list)
    """Destinations that were deleted while they had connections."""
    writes: list[Operation] = field(default_factory=list)
    """Edits that were done."""

    def write(self, operation: Operation) -> str:
        """Do one step; the error's name, or nothing."""
        error = self._write(operation)
        if not error:
            self.writes.append(operation)
        return error

    def _write(self, operation: Operation) -> str:
        key = operation.subject
        assert key is not None
        have = self.services.get(key)
        if isinstance(operation, AddService):
            if have is not None:
                return "EEXIST"
            assert not operation.service.destinations, "a kernel takes one step at a time"
            self.services[key] = replace(operation.service, because=None)
            return ""
        if have is None:
            return "ESRCH"
        match operation:
            case EditService():
                edited = replace(operation.service, destinations=have.destinations, because=None)
                self.services[key] = edited
            case DeleteService():
                for gone in have.destinations:
                    self._gone(key, gone)
                del self.services[key]
            case AddDestination() | EditDestination() | DeleteDestination():
                return self._write_destination(key, have, operation)
        return ""

    def _write_destination(
        self,
        key: ServiceKey,
        have: VirtualService,
        operation: AddDestination | EditDestination | DeleteDestination,
    ) -> str:
        destinations = dict(have.destinations)
        if isinstance(operation, AddDestination):
            if operation.key in destinations:
                return "EEXIST"
        elif operation.key not in destinations:
            return "ENOENT"
        if isinstance(operation, DeleteDestination):
            del destinations[operation.key]
            self._gone(key, operation.key)
        else:
            destinations[operation.key] = replace(operation.destination, because=None)
        self.services[key] = replace(have, destinations=destinations)
        return ""

    def _gone(self, key: ServiceKey, target: DestinationKey) -> None:
        if self.connections.pop((key, target), 0):
            self.lost.append((key, target))

    def weight(self, key: ServiceKey, target: DestinationKey) -> int | None:
        """Weight of a destination, None when there is none."""
        have = self.services.get(key)
        found = None if have is None else have.destinations.get(target)
        return None if found is None else found.weight


class KernelOutput:
    """Implements `clusterf.plugin.Output` and `DataPlane` on a model kernel."""

    def __init__(
        self, kernel: Kernel, *, rules: DrainRules = RULES, scope: Scope = MANAGED
    ) -> None:
        self.kernel = kernel
        self.known: dict[ServiceKey, VirtualService] = {}
        self.drains: Drains = {}
        self.fails: Callable[[Operation], str] = lambda _: ""
        self.away: OutputUnavailable | None = None
        self.looks: list[Collection[ServiceKey] | None] = []
        self.plans: list[Collection[ServiceKey] | None] = []
        self.closed = False
        self._rules = rules
        self._scope = scope

    async def observe(self, subjects: Collection[ServiceKey] | None) -> None:
        if self.away is not None:
            raise self.away
        self.looks.append(subjects if subjects is None else frozenset(subjects))
        self.look(subjects)

    def look(self, subjects: Collection[ServiceKey] | None = None) -> None:
        """`observe` without waiting."""
        services = self.kernel.services
        if subjects is None:
            self.known = {key: have for key, have in services.items() if self._scope.owns(key)}
            return
        for key in subjects:
            if key in services and self._scope.owns(key):
                self.known[key] = services[key]
            else:
                self.known.pop(key, None)

    def plan(self, desired: Desired, subjects: Collection[ServiceKey] | None, now: float) -> Plan:
        self.plans.append(subjects if subjects is None else frozenset(subjects))
        counters = {
            (key, target): Connections(self.kernel.connections.get((key, target), 0), 0)
            for key, have in self.known.items()
            for target in have.destinations
        }
        return plan_table(desired, self.known, counters, self.drains, self._rules, subjects, now)

    async def carry_out(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        return self.act(operations)

    def act(self, operations: Sequence[Operation]) -> list[Outcome]:
        """`carry_out` without waiting."""
        outcomes = []
        for operation in steps(operations):
            error = self.fails(operation) or self.kernel.write(operation)
            outcomes.append(Outcome(operation, error))
        self.look([op.subject for op in operations if op.subject is not None])
        return outcomes

    def report(self) -> OutputReport:
        return OutputReport()

    async def close(self) -> None:
        self.closed = True

    def serving(self, key: ServiceKey) -> bool:
        return key in self.known and self.known[key].serves

    def entries(self) -> Collection[ServiceKey]:
        return self.known

    async def connections(self) -> Mapping[Pair, Connections]:
        return {pair: Connections(count, 0) for pair, count in self.kernel.connections.items()}

    def observed(self) -> Mapping[ServiceKey, VirtualService]:
        return self.known


@dataclass
class Wanted:
    """Implements the part of `clusterf.plugin.Desired` that planning needs."""

    table: Mapping[ServiceKey, VirtualService] = field(default_factory=dict)
    hold: str | None = None
    gone: Collection[tuple[ServiceKey, DestinationKey | None]] = ()

    def departed(self, key: ServiceKey, target: DestinationKey | None = None) -> bool:
        return (key, target) in self.gone

    def serving(self, address: object) -> bool:
        raise NotImplementedError

    def held(self, address: object) -> bool:
        raise NotImplementedError
