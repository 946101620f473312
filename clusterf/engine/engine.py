"""The engine: builds instances from a configuration, runs them, exchanges them on reload.

The nesting of the nurseries is the order of the end: sources first, then the reconciler,
then the outputs. Ending changes nothing in the world.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

import trio

from clusterf.config.configuration import Configuration, Instance
from clusterf.engine.board import Board
from clusterf.engine.desired import EngineDesired
from clusterf.engine.instances import Made, OutputTask, SourceTask, make, unchanged
from clusterf.engine.journal import Journal
from clusterf.engine.orders import Orders
from clusterf.engine.reconciler import Reconciler, Rules
from clusterf.engine.runner import Runner
from clusterf.engine.settle import Settle
from clusterf.engine.supervisor import Health
from clusterf.model.operation import Subject
from clusterf.model.scope import Scope
from clusterf.model.service import Route, ServiceRef
from clusterf.model.table import ServiceKey
from clusterf.pipeline.override import Drained
from clusterf.plugin.api import OutputType
from clusterf.plugin.output import DataPlane, Output

log = logging.getLogger("clusterf.engine")


class Engine:
    """Owns the board, the table and every running instance."""

    def __init__(self, configuration: Configuration) -> None:
        """Make every instance, start none.

        Raises:
            ClusterfError: an instance could not be made.
        """
        self.configuration = configuration
        self.board = Board()
        self.reconciler = Reconciler(self.board, self._table_changed)
        self.journal = Journal()
        self.orders = Orders(configuration.folder / configuration.core.state_dir)
        self.sources: dict[str, SourceTask] = {}
        self.outputs: dict[str, OutputTask] = {}
        self.started = trio.Event()
        self.started_at = 0.0
        self.at_rest = trio.Event()
        """Set while no pass is under way."""
        self.desired = EngineDesired(self.reconciler, self.planes, self.planes_known)
        self._made = make(configuration)
        self._complete = False
        self._ending = False
        self._routes: tuple[Route, ...] = ()
        self._sources: trio.Nursery | None = None
        self._outputs: trio.Nursery | None = None

    # --- life ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run until `stop` is called or the surrounding scope is cancelled.

        Raises:
            ClusterfError: an instance with ``startup_error = "fail"`` could not start.
        """
        self.started_at = trio.current_time()
        self.reconciler.drained = self.orders.load()
        try:
            async with trio.open_nursery() as outputs:
                async with trio.open_nursery() as deciding:
                    async with trio.open_nursery() as sources:
                        self._sources, self._outputs = sources, outputs
                        self._put_in_force(self.configuration, self._made)
                        deciding.start_soon(self._decide)
                        # Sources alone would let this block end once all of them are final.
                        sources.start_soon(trio.sleep_forever)
                    deciding.cancel_scope.cancel()
                outputs.cancel_scope.cancel()
        finally:
            for task in self.outputs.values():
                if self._ending:
                    await task.withdraw()
                await task.close()

    def stop(self) -> None:
        """End in order. What is in the kernel stays."""
        self._ending = True
        if self._sources is not None:
            self._sources.cancel_scope.cancel()

    # --- configuration -----------------------------------------------------------------------

    async def exchange(self, configuration: Configuration) -> None:
        """Go over to a checked configuration: only what differs is stopped and started.

        A source that is replaced keeps its records until its successor has spoken.

        Raises:
            ClusterfError: a new instance could not be made; everything is as it was.
        """
        # What has not started yet is made anew.
        keep = unchanged(self.configuration, configuration) & {*self.sources, *self.outputs}
        made = make(configuration, keep)
        stay = {instance.name for instance in configuration.outputs.values()}
        coming = len(made.sources) + len(made.outputs)
        going_sources = [task for name, task in self.sources.items() if name not in keep]
        going_outputs = [task for name, task in self.outputs.items() if name not in keep]
        for source in going_sources:
            await source.end()
            del self.sources[source.instance.name]
        for output in going_outputs:
            await output.end()
            if output.instance.name not in stay:
                await output.withdraw()
            await output.close()
            del self.outputs[output.instance.name]
        self._put_in_force(configuration, made)
        log.info(
            "configuration in force started=%d ended=%d",
            coming,
            len(going_sources) + len(going_outputs),
        )

    def _put_in_force(self, configuration: Configuration, made: Made) -> None:
        self.configuration, self._made = configuration, made
        # A new source may speak before the next pass, and outputs may plan before it speaks.
        self._complete = False
        self.board.arrange([instance.name for instance in configuration.sources.values()])
        core = configuration.core
        scope = Scope(core.managed, frozenset(core.managed_fwmarks))
        self.reconciler.configure(
            Rules(made.policies, configuration.defaults, scope, configuration.tabled)
        )
        self._start_sources()
        if self.started.is_set():
            self._start_outputs(reloaded=True)

    # --- operator's orders -------------------------------------------------------------------

    def drain(self, order: Drained, reason: str) -> None:
        """Quiesce what an operator names; survives a restart.

        Raises:
            ClusterfError: the order holds, but could not be written down.
        """
        self.reconciler.drained[order] = reason
        self.board.mark(order.service)
        self.orders.save(self.reconciler.drained)

    def undrain(self, order: Drained) -> bool:
        """Take an order back; False when there was none.

        Raises:
            ClusterfError: the order is taken back, but that could not be written down.
        """
        if self.reconciler.drained.pop(order, None) is None:
            return False
        self.board.mark(order.service)
        self.orders.save(self.reconciler.drained)
        return True

    # --- deciding ----------------------------------------------------------------------------

    async def first_pass(self) -> bool:
        """Wait for the sources and fill the table.

        Returns False when something is unknown, such as a silent source: nothing may be removed
        yet.
        """
        await self._first_words()
        await self._pass()
        self._complete = self.desired.hold is None
        return self._complete

    async def _decide(self) -> None:
        await self.first_pass()
        self.started.set()
        self._start_outputs(reloaded=False)
        settle = Settle(lambda: self.configuration.core.settle_max)
        while True:
            await self.board.changed.wait()
            await settle.wait()
            await self._pass()
            settle.passed()
            was_complete, self._complete = self._complete, self.desired.hold is None
            if self._complete and not was_complete:
                # The last source has spoken: what nobody wants may be removed now.
                for runner in self.runners():
                    runner.mark_everything()

    async def _pass(self) -> None:
        """Take what changed to the table, and to the outputs that publish what sources say."""
        self.at_rest = trio.Event()
        taken = self.board.take()
        routes, self._routes = self._routes, self.board.routes()
        await self.reconciler.reconcile(taken)
        for task in self.outputs.values():
            if task.publishes and routes != self._routes:
                task.runner.mark_everything()
            elif task.publishes:
                task.runner.mark(map(ServiceRef, taken))
        self.at_rest.set()

    async def _first_words(self) -> None:
        """Wait until every source has spoken, at most ``start_wait``."""
        with trio.move_on_after(self.configuration.core.start_wait):
            while self.board.unsynced():
                await self.board.changed.wait()
                if self.board.unsynced():
                    # The marks stay; only the bell is wound up again.
                    self.board.changed = trio.Event()

    def _table_changed(self, keys: Collection[ServiceKey]) -> None:
        for task in self.outputs.values():
            if not task.publishes:
                task.runner.mark(keys)

    # --- instances ---------------------------------------------------------------------------

    def runners(self) -> Sequence[Runner]:
        """Runners of all outputs, in the order of the configuration."""
        return [task.runner for task in self.outputs.values()]

    def planes(self) -> Sequence[DataPlane]:
        """The outputs that forward packets."""
        return [runner.output for runner in self.runners() if isinstance(runner.output, DataPlane)]

    def planes_known(self) -> bool:
        """Whether every data plane has looked at its world: until then it may hold anything."""
        tasks = [
            self.outputs.get(instance.name)
            for instance in self.configuration.outputs.values()
            if not instance.type.follows
        ]
        return all(
            task is not None
            and (task.runner.adopted or not isinstance(task.runner.output, DataPlane))
            for task in tasks
        )

    def _start_sources(self) -> None:
        if self._sources is None:
            raise RuntimeError("sources start inside run()")
        for instance in self.configuration.sources.values():
            if (source := self._made.sources.pop(instance.name, None)) is None:
                continue
            task = SourceTask(instance, Health(), source=source)
            self.sources[instance.name] = task
            publisher = self.board.publisher(instance.name, task.health.running)
            slot = self.board.slots[instance.name]
            has_started = _always if self.started.is_set() else partial(getattr, slot, "synced")
            self._sources.start_soon(task.run, partial(task.publish, publisher), has_started)

    def _start_outputs(self, *, reloaded: bool) -> None:
        if self._outputs is None:
            raise RuntimeError("outputs start inside run()")
        for instance in self.configuration.outputs.values():
            if (output := self._made.outputs.pop(instance.name, None)) is None:
                continue
            runner = self.make_runner(instance, output)
            task = OutputTask(instance, runner.health, runner=runner)
            self.outputs[instance.name] = task
            has_started = _always if reloaded else partial(getattr, runner, "adopted")
            self._outputs.start_soon(task.run, runner.run, has_started)

    def make_runner(self, instance: Instance[OutputType[Any]], output: Output[Any]) -> Runner:
        """Make the runner of an output, not yet running."""
        desired = EngineDesired(self.reconciler, self.planes, self.planes_known)
        progressed = _unheard if instance.type.publishes else self._progressed
        return Runner(
            instance.name,
            output,
            desired,
            self.journal,
            look=instance.look,
            progressed=progressed,
        )

    def _progressed(self, keys: Collection[Subject] | None) -> None:
        """A data plane moved on: outputs that announce or bind VIPs look at these entries, or all.

        All (None) when it has seen its world for the first time.
        """
        for task in self.outputs.values():
            if task.follows and keys is None:
                task.runner.mark_everything()
            elif task.follows:
                task.runner.mark(keys or ())


def _unheard(_: Collection[Subject] | None) -> None:
    """Stand in for `progressed` of an output that is no data plane to anybody."""


def _always() -> bool:
    """Stand in for `has_started` on a reload: ``startup_error`` is about the program's start."""
    return True
