"""A source of type ``etcd`` that follows a real etcd, supervised as the engine does it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import trio

from clusterf.engine.supervisor import Health, supervise
from clusterf.testing import InstanceContext, RecordingPublisher
from clusterf_etcd.settings import EtcdSourceSettings
from clusterf_etcd.source import EtcdSource

WEB = "/clusterf/services/web"


@dataclass
class Follower:
    """The source, what it publishes, and how it is."""

    source: EtcdSource
    publish: RecordingPublisher
    health: Health

    def weights(self, service: str = "web") -> dict[str, int | None]:
        """Weights of a service's backends, by id."""
        return {key: one.weight for key, one in self.publish.backends(service).items()}

    async def until_weights(self, seconds: float = 20.0, **weights: int | None) -> None:
        """Wait until the backends of ``web`` are these."""
        await self.publish.until(lambda: self.weights() == weights, seconds)


def settings(endpoints: list[str], **facts: Any) -> EtcdSourceSettings:
    return EtcdSourceSettings.model_validate({"endpoints": endpoints, **facts})


@asynccontextmanager
async def following(endpoints: list[str], **facts: Any) -> AsyncIterator[Follower]:
    """Run it until the block ends."""
    context = InstanceContext("sources.under-test", folder=Path("/"))
    source = EtcdSource(settings(endpoints, **facts), context)
    publish, health = RecordingPublisher(), Health()

    async def run() -> None:
        health.running()
        await source.run(publish)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            partial(supervise, run, health, context.log, fail_at_start=lambda: False)
        )
        yield Follower(source, publish, health)
        nursery.cancel_scope.cancel()


async def away(doing: Callable[..., Any], *arguments: Any) -> Any:
    """Do something that blocks, while the source goes on."""
    return await trio.to_thread.run_sync(partial(doing, *arguments))
