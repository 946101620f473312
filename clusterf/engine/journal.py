"""The journal: what was done to the world, why, and whether it worked; in the log and in memory."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from clusterf.model.operation import Operation, Outcome, count, steps

_REMEMBERED = 500
_SPOKEN = 50
"""More operations than this in one batch are logged as one line, and singly at debug level."""


class Entry(NamedTuple):
    """One operation that was carried out or failed. ``at`` is on Trio's clock."""

    at: float
    output: str
    operation: Operation
    error: str


class Journal:
    """The last operations of all outputs."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=_REMEMBERED)
        self.done: dict[str, int] = {}
        self.failed: dict[str, int] = {}

    def record(
        self, output: str, outcomes: Sequence[Outcome], log: logging.Logger, at: float
    ) -> None:
        """Count, remember and log a batch. Repeated failures are the runner's to silence."""
        done = [outcome.operation for outcome in outcomes if not outcome.error]
        number, every = count(done), count(outcome.operation for outcome in outcomes)
        self.done[output] = self.done.get(output, 0) + number
        self.failed[output] = self.failed.get(output, 0) + every - number
        level = logging.INFO
        if number > _SPOKEN:
            log.info("done operations=%d", number)
            level = logging.DEBUG
        if log.isEnabledFor(level):
            for operation in steps(done):
                log.log(level, "done op=%r because=%r", operation.describe(), operation.reason())
        for outcome in outcomes[-_REMEMBERED:]:
            for step in steps([outcome.operation]):
                self.entries.append(Entry(at, output, step, outcome.error))
