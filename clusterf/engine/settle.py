"""Settle time: none for a single event, growing only while changes storm in."""

from __future__ import annotations

from collections.abc import Callable

import trio

_FIRST = 0.005
_QUIET = 0.1
"""A change this long after the last pass is a single event."""


class Settle:
    """How long the reconciler waits after a mark, so that a storm takes few batches."""

    def __init__(self, longest: Callable[[], float]) -> None:
        self._longest = longest
        self._next = 0.0
        self._last_pass = float("-inf")

    async def wait(self) -> None:
        """Wait for as long as the recent past asks for; at least once around the run loop."""
        if trio.current_time() - self._last_pass > _QUIET + self._next:
            self._next = 0.0
        else:
            self._next = min(max(self._next * 2, _FIRST), self._longest())
        if self._next:
            await trio.sleep(self._next)
        else:
            # Everything published in this same turn joins the pass.
            await trio.lowlevel.checkpoint()

    def passed(self) -> None:
        """A pass has ended now."""
        self._last_pass = trio.current_time()
