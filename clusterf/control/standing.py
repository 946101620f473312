"""How the daemon stands, for its service manager: ready or not, waiting for what, and alive.

Ready is when all that is known has been applied: the sources have spoken or had ``start_wait`` for
it, and every output has brought its world in line or has failed at that once. A director whose etcd
or Docker is away is ready, and says what it waits for.

The watchdog hears of a life in which the event loop turns and no pass over the table goes on for
ever: a plugin that holds the loop, or work that never ends, is what only a restart can mend. An
output that waits for its world is not: it has its own back-off, and `status` tells.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import trio

from clusterf.control.notify import ServiceManager
from clusterf.engine.engine import Engine
from clusterf.engine.supervisor import State
from clusterf.model.errors import ClusterfError

FIRST_ROUND = 30.0
"""Seconds that outputs are waited for: one that hangs must not keep us from being ready."""

_SLACK = 30.0
"""Seconds of a start beyond what is waited for: for a large table on a slow machine."""

_BEAT = 10.0
"""Seconds between two looks at how things are, where no watchdog asks for more."""


async def first_round(engine: Engine) -> None:
    """Wait until each output has done or failed what there was to do at the start."""
    await engine.started.wait()
    with trio.move_on_after(FIRST_ROUND):
        for runner in engine.runners():
            await runner.health.tried.wait()


class Standing:
    """Tells the service manager, from the start to the end."""

    def __init__(self, engine: Engine, manager: ServiceManager) -> None:
        self._engine = engine
        self._manager = manager
        self._ready = False
        self._refused = False

    async def tell(self) -> None:
        """Tell it until cancelled."""
        if not self._manager.address:
            return
        longest = self._engine.configuration.core.start_wait + FIRST_ROUND + _SLACK
        await self._manager.tell(
            EXTEND_TIMEOUT_USEC=int(longest * 1e6), STATUS="waits for the sources to speak"
        )
        await first_round(self._engine)
        self._ready = True
        await self._manager.tell(READY=1, STATUS=self._status())
        watchdog = self._manager.watchdog
        while True:
            # Half of what it allows: one beat may be late, sd_watchdog_enabled(3).
            await trio.sleep(min(_BEAT, watchdog / 2) if watchdog else _BEAT)
            await self._engine.at_rest.wait()
            await self._manager.tell(WATCHDOG=1, STATUS=self._status())

    @asynccontextmanager
    async def reloading(self) -> AsyncIterator[None]:
        """Tell of a reload and of how it ended, whoever has asked for it."""
        if self._ready:
            now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            await self._manager.tell(
                RELOADING=1, MONOTONIC_USEC=now, STATUS="reads its configuration"
            )
        try:
            yield
        except ClusterfError:
            self._refused = True
            raise
        else:
            self._refused = False
        finally:
            if self._ready:
                await self._manager.tell(READY=1, STATUS=self._status())

    async def stopping(self) -> None:
        """Tell that this is the end."""
        await self._manager.tell(STOPPING=1, STATUS="stops; the kernel's table stays")

    def _status(self) -> str:
        return "; ".join(_parts(self._engine, refused=self._refused))


def _parts(engine: Engine, *, refused: bool) -> Iterator[str]:
    """What one line can say of everything: `systemctl status` shows it, `clusterf status` more."""
    if engine.reconciler.tabled:
        yield f"virtual services: {len(engine.reconciler.table)}"
    else:
        yield f"services published: {len(engine.board.services())}"
    if silent := engine.board.unsynced():
        yield f"waits for {', '.join(silent)}"
    for name, task in {**engine.sources, **engine.outputs}.items():
        if task.health.state is State.DOWN:
            yield f"{name}: {task.health.reason}"
    failing = sum(len(runner.failing) for runner in engine.runners())
    if failing:
        yield f"entries that fail: {failing}"
    if refused:
        yield "the last reload was refused"
