"""Instances: made from a configuration, all or none, and run under supervision one by one."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any, TypeVar

import trio

from clusterf.config.configuration import Configuration, Instance
from clusterf.engine.board import BoardPublisher
from clusterf.engine.context import InstanceContext
from clusterf.engine.runner import Runner
from clusterf.engine.supervisor import Health, PluginFault, supervise
from clusterf.model.errors import ClusterfError, PluginLoadError
from clusterf.pipeline.decide import NamedPolicy
from clusterf.plugin.api import AnyType, OutputType, Source
from clusterf.plugin.output import Closing, Output, Withdrawing

T = TypeVar("T")

_UNSPOKEN = "a bug in the plugin: a source must call replace() before it returns"

_CLOSE_WITHIN = 5.0
"""Seconds that an output may take to let go of its sockets."""


@dataclass(slots=True)
class Made:
    """Fresh objects for the instances of a configuration that are not kept."""

    sources: dict[str, Source] = field(default_factory=dict)
    policies: list[NamedPolicy] = field(default_factory=list)
    outputs: dict[str, Output] = field(default_factory=dict)


def make(configuration: Configuration, keep: Collection[str] = ()) -> Made:
    """Create the objects of all instances that are not named in ``keep``. Touches no world.

    Raises:
        ClusterfError: an instance could not be made; nothing has been started.
    """
    made = Made()
    for instance in configuration.sources.values():
        if instance.name not in keep:
            made.sources[instance.name] = _make(configuration, instance, instance.type.create)
    for policy in configuration.policies:
        made.policies.append(
            NamedPolicy(policy.name, _make(configuration, policy, policy.type.create))
        )
    for output in configuration.outputs.values():
        if output.name not in keep:
            made.outputs[output.name] = _make(configuration, output, output.type.create)
    return made


def _make(configuration: Configuration, instance: Instance[Any], create: Callable[..., T]) -> T:
    context = InstanceContext(
        instance.name,
        folder=configuration.path.parent,
        managed=configuration.core.managed,
        managed_fwmarks=configuration.core.managed_fwmarks,
    )
    try:
        return create(instance.settings, context)
    except ClusterfError:
        raise
    except Exception as error:
        raise PluginLoadError(
            f"{instance.name}: could not be made: {type(error).__name__}: {error}",
            hint=f"a bug in the plugin of type {instance.type.name}",
        ) from error


def unchanged(before: Configuration, after: Configuration) -> set[str]:
    """Names of sources and outputs that may go on running over a reload."""
    same_scope = (
        before.core.managed == after.core.managed
        and before.core.managed_fwmarks == after.core.managed_fwmarks
        and before.path.parent == after.path.parent
    )
    if not same_scope:
        return set()
    old = {instance.name: instance for instance in _running(before)}
    return {instance.name for instance in _running(after) if old.get(instance.name) == instance}


def _running(configuration: Configuration) -> list[Instance[Any]]:
    return [*configuration.sources.values(), *configuration.outputs.values()]


@dataclass(slots=True)
class Task:
    """One running instance; ``ended`` is set when nothing of it runs any more."""

    instance: Instance[Any]
    health: Health
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    ended: trio.Event = field(default_factory=trio.Event)

    async def run(
        self, work: Callable[[], Awaitable[None]], has_started: Callable[[], bool]
    ) -> None:
        """Supervise ``work`` until it ends or the scope is cancelled.

        Raises:
            ClusterfError: ``startup_error = "fail"`` and it failed before ``has_started()``.
        """
        log = logging.getLogger(f"clusterf.{self.instance.name}")
        fail = self.instance.startup_error == "fail"
        try:
            with self.scope:
                await supervise(
                    work, self.health, log, fail_at_start=lambda: fail and not has_started()
                )
        finally:
            self.ended.set()

    async def end(self) -> None:
        """Cancel and wait for the end."""
        self.scope.cancel()
        await self.ended.wait()


@dataclass(slots=True)
class SourceTask(Task):
    """A running source."""

    source: Source = field(kw_only=True)

    async def publish(self, publisher: BoardPublisher) -> None:
        """Run the source; what it leaves behind when it returns is final.

        Raises:
            PluginFault: it returned and never stated all that it knows. What it may own stays
                unknown, which is not empty: so it is run again, until it speaks.
        """
        await self.source.run(publisher)
        if not publisher.spoken:
            raise PluginFault("ended without having spoken", hint=_UNSPOKEN)


@dataclass(slots=True)
class OutputTask(Task):
    """A running output."""

    runner: Runner = field(kw_only=True)

    @property
    def follows(self) -> bool:
        """Whether this output waits for the data planes."""
        kind: AnyType = self.instance.type
        return isinstance(kind, OutputType) and kind.follows

    @property
    def publishes(self) -> bool:
        """Whether this output tells others what sources say, and has no part in the table."""
        kind: AnyType = self.instance.type
        return isinstance(kind, OutputType) and kind.publishes

    async def withdraw(self) -> None:
        """Have the output take back what must not outlive it, within a bounded time."""
        output = self.runner.output
        if isinstance(output, Withdrawing):
            with trio.move_on_after(_CLOSE_WITHIN, shield=True):
                try:
                    await output.withdraw()
                except Exception as error:  # noqa: BLE001 - told; the others end all the same
                    self.runner.log.warning("not withdrawn reason=%r", str(error))

    async def close(self) -> None:
        """Let go of what the output holds open, within a bounded time."""
        if isinstance(self.runner.output, Closing):
            with trio.move_on_after(_CLOSE_WITHIN, shield=True):
                await self.runner.output.close()
