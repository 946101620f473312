"""A director without a world: records go through the pipeline, one output is given the table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import trio

from clusterf.engine.board import Board
from clusterf.engine.desired import EngineDesired
from clusterf.engine.reconciler import Reconciler, Rules
from clusterf.model.address import Network
from clusterf.model.counting import counted
from clusterf.model.operation import Operation, Outcome, Plan, Subject, count
from clusterf.model.provenance import Refusal
from clusterf.model.scope import Scope
from clusterf.model.service import Route, ServiceRef
from clusterf.model.table import ServiceKey, VirtualService
from clusterf.pipeline.decide import NamedPolicy
from clusterf.plugin.api import Policy
from clusterf.plugin.output import DataPlane, Output
from clusterf.testing.publishing import RecordingPublisher

_EVERYTHING = ("0.0.0.0/0", "::/0")


class Director:
    """Treats one output as the engine does, step by step; nothing happens between the steps.

    What the sources know is said through ``publish``: as long as its `replace` was not called, what
    they know is unknown, and ``desired.hold`` says so. ``publishes`` as of the `OutputType`.
    """

    def __init__(
        self,
        output: Output[Any],
        *,
        policies: Iterable[Policy] = (),
        managed: Iterable[str] = _EVERYTHING,
        publishes: bool = False,
    ) -> None:
        board = Board()
        self.publish = RecordingPublisher(board)
        self.plan = Plan()
        """The plan that was made last."""
        self._board = board
        self._output = output
        self._publishes = publishes
        self._pending: set[Subject] = set()
        self._everything = True
        self._looked = False
        self._routes: tuple[Route, ...] = ()
        self._reconciler = Reconciler(board, self._pending.update)
        named = [NamedPolicy(f"policies[{at}]", one) for at, one in enumerate(policies)]
        prefixes = tuple(map(Network.parse, managed))
        self._reconciler.configure(Rules(named, scope=Scope(prefixes), tabled=not publishes))
        planes = [output] if isinstance(output, DataPlane) else []
        self.desired = EngineDesired(self._reconciler, lambda: planes, lambda: True)

    @property
    def table(self) -> Mapping[ServiceKey, VirtualService]:
        """What should be."""
        return self._reconciler.table

    @property
    def refusals(self) -> Mapping[str, Sequence[Refusal]]:
        """What was refused on the way, by service."""
        return self._reconciler.refusals

    async def follow(self) -> Sequence[Outcome]:
        """Take what was published to the table, and have the output plan and carry out.

        The first time it looks at its world and is asked about everything; later about what has
        changed, and not at all when nothing has. What it raises comes out as it is.

        Raises:
            AssertionError: the output broke its word.
        """
        unknown = self.desired.hold is not None
        await self._reconcile()
        if unknown and self.desired.hold is None:
            self._everything = True
        if self._everything and not self._looked:
            return await self.look()
        subjects = None if self._everything else set(self._pending)
        if subjects is not None and not subjects:
            return ()
        return await self._round(subjects)

    async def look(self) -> Sequence[Outcome]:
        """The same after a look at the whole world: as at the start, and from time to time."""
        await self._reconcile()
        await self._output.observe(None)
        self._looked = True
        return await self._round(None)

    async def again(self, subjects: Collection[Subject]) -> Sequence[Outcome]:
        """Have these looked at and planned again: what the engine does at a plan's ``wake``."""
        await self._output.observe(subjects)
        return await self._round(subjects)

    async def _reconcile(self) -> None:
        taken = self._board.take()
        await self._reconciler.reconcile(taken)
        if self._publishes:
            self._pending.update(map(ServiceRef, taken))
            self._everything |= self._routes != self._board.routes()
            self._routes = self._board.routes()

    async def _round(self, subjects: Collection[Subject] | None) -> Sequence[Outcome]:
        self._pending.clear()
        self._everything = False
        self.plan = self._output.plan(self.desired, subjects, trio.current_time())
        operations = self.plan.operations
        _hold_to(operations)
        if not operations:
            return ()
        outcomes = await self._output.carry_out(operations)
        told, asked = count(one.operation for one in outcomes), count(operations)
        if told != asked:
            raise AssertionError(f"{counted(told, 'outcome')} for {counted(asked, 'operation')}")
        return outcomes


def _hold_to(operations: Sequence[Operation]) -> None:
    """Operations come in the order of their stages, and each says what it does."""
    stages = [operation.stage for operation in operations]
    if stages != sorted(stages):
        raise AssertionError(f"the operations are not in the order of their stages: {stages}")
    for operation in operations:
        if not operation.describe() or "\n" in operation.describe():
            raise AssertionError(f"{operation!r} does not describe itself in one line")
