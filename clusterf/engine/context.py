"""What an instance is given: its name, log, clock, paths, and threads that really end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

import trio

from clusterf.model.address import Network

P = ParamSpec("P")
R = TypeVar("R")

_THREADS = 4
"""Threads that one instance may keep busy at once."""


class InstanceContext:
    """Implements `clusterf.plugin.Context`."""

    def __init__(
        self,
        name: str,
        *,
        folder: Path,
        managed: Sequence[Network] = (),
        managed_fwmarks: Collection[int] = (),
    ) -> None:
        self.name = name
        self.log = logging.getLogger(f"clusterf.{name}")
        self.managed = managed
        self.managed_fwmarks = managed_fwmarks
        self._folder = folder
        self._limiter: trio.CapacityLimiter | None = None

    def clock(self) -> float:
        """Seconds of Trio's clock."""
        return trio.current_time()

    def path(self, path: Path) -> Path:
        """Resolve against the folder of the configuration."""
        return path if path.is_absolute() else self._folder / path

    async def run_blocking(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run in a thread and wait, also when cancelled."""
        if self._limiter is None:
            # Made here: a limiter belongs to a running Trio, an instance may be made before.
            self._limiter = trio.CapacityLimiter(_THREADS)
        return await trio.to_thread.run_sync(
            partial(function, *args, **kwargs), limiter=self._limiter
        )

    async def run_blocking_until_closed(
        self, function: Callable[[], R], close: Callable[[], None]
    ) -> R:
        """Run in a thread; on cancellation close what it blocks on, then wait for its end."""
        failure: Exception | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._close_on_cancel, close, ended := trio.Event())
            try:
                result = await self.run_blocking(function)
            except Exception as error:  # noqa: BLE001 - carried out of the nursery, raised below
                failure = error
            ended.set()
        if failure is not None:
            # What the closing made it raise is no news to the one who cancelled.
            await trio.lowlevel.checkpoint_if_cancelled()
            raise failure
        return result

    async def _close_on_cancel(self, close: Callable[[], None], ended: trio.Event) -> None:
        try:
            await ended.wait()
        except trio.Cancelled:
            if not ended.is_set():
                with trio.CancelScope(shield=True):
                    await trio.to_thread.run_sync(close)
            raise
