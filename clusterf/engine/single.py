"""A single application: the engine of ``clusterf run --once`` and of ``clusterf plan``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import trio

from clusterf.config.configuration import Instance
from clusterf.engine.desired import PreviewDesired
from clusterf.engine.engine import Engine
from clusterf.engine.instances import OutputTask
from clusterf.engine.supervisor import State
from clusterf.model.operation import Outcome, Plan
from clusterf.model.provenance import Refusal
from clusterf.plugin.api import OutputType
from clusterf.plugin.output import Closing, Output

_PATIENCE = 20
"""Times ``start_wait`` that a single application waits for sources that are still at work."""


class Preview(NamedTuple):
    """What would be done, by output; why nothing would be removed; what is refused."""

    plans: dict[str, Plan]
    hold: str | None
    refusals: list[Refusal]


class SingleEngine(Engine):
    """Applies or plans its configuration once, and ends. Made for one call of one of the two."""

    async def once(self) -> tuple[list[Outcome], bool]:
        """Apply the configuration and end. Drains are begun; another run ends them.

        Returns all outcomes, and whether every source has spoken.

        Raises:
            OutputUnavailable: an output's world is away.
        """
        outcomes: list[Outcome] = []
        async with self._table_made() as complete:
            for instance, output in self._data_planes_first():
                runner = self.make_runner(instance, output)
                task = OutputTask(instance, runner.health, runner=runner)
                self.outputs[instance.name] = task
                outcomes += await runner.once()
        for task in self.outputs.values():
            await task.close()
        return outcomes, complete

    async def preview(self) -> Preview:
        """Plan without carrying out.

        Raises:
            OutputUnavailable: an output's world is away.
        """
        desired = PreviewDesired(self.reconciler, self.planes, self.planes_known)
        plans: dict[str, Plan] = {}
        async with self._table_made():
            for instance, output in self._data_planes_first():
                await output.observe(None)
                plans[instance.name] = output.plan(desired, None, trio.current_time())
                if isinstance(output, Closing):
                    await output.close()
        refusals = [one for many in self.reconciler.refusals.values() for one in many]
        refusals += [one for slot in self.board.slots.values() for one in slot.refusals.values()]
        return Preview(plans, desired.hold, refusals)

    @asynccontextmanager
    async def _table_made(self) -> AsyncIterator[bool]:
        """Run the sources until the table is made and the block ends."""
        self.reconciler.drained = self.orders.load()
        async with trio.open_nursery() as sources:
            self._sources = sources
            self._put_in_force(self.configuration, self._made)
            yield await self.first_pass()
            sources.cancel_scope.cancel()

    def _data_planes_first(self) -> list[tuple[Instance[OutputType[Any]], Output]]:
        made = self._made.outputs
        instances = sorted(
            self.configuration.outputs.values(), key=lambda instance: instance.type.follows
        )
        return [(instance, made[instance.name]) for instance in instances]

    async def _first_words(self) -> None:
        """Wait longer for sources that are still at work: who comes once has nothing else to do."""
        await super()._first_words()
        for _ in range(_PATIENCE):
            if not self._still_starting():
                return
            await super()._first_words()

    def _still_starting(self) -> bool:
        """Whether a source that has not spoken is at work, and has not said that it cannot."""
        return any(
            self.sources[name].health.state is State.STARTING
            for name in self.board.unsynced()
            if name in self.sources
        )
