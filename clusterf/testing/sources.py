"""A source at work: under the engine's supervision, but for its bugs, which end the test."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from clusterf.engine.supervisor import Health, PluginFault, expected, supervise
from clusterf.plugin.api import Source
from clusterf.testing.publishing import RecordingPublisher
from clusterf.testing.records import SOURCE

log = logging.getLogger(f"clusterf.{SOURCE}")


@asynccontextmanager
async def running(source: Source) -> AsyncIterator[RecordingPublisher]:
    """Run a source for as long as the block lasts; the block is given what hears it.

    When its world is away (`SourceUnavailable`) it is run again with back-off, as by the engine,
    and `RecordingPublisher.unavailable` says why. With pytest-trio's ``autojump_clock`` that costs
    no time; not for sources that use threads, which that clock does not wait for.

    Raises:
        ClusterfError: (in a group) a bug: the source raised anything else, which is the cause; or
            it returned and never said what it knows.
    """
    publish = RecordingPublisher()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_supervised, source, publish)
        yield publish
        nursery.cancel_scope.cancel()


async def _supervised(source: Source, publish: RecordingPublisher) -> None:
    broken = False

    async def work() -> None:
        nonlocal broken
        try:
            await source.run(publish)
        except Exception as error:
            failure = expected(error)
            broken = failure is None
            if failure is not None:
                publish.failed(str(failure))
            raise
        if not publish.synced:
            broken = True
            raise PluginFault("ended without having spoken", hint="call replace() once at least")

    await supervise(work, Health(), log, fail_at_start=lambda: broken)
