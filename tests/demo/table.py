"""The kernel's IPVS table as the demo sees it change, by this machine's clock."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from tests.demo import watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.kernel import Kernel

Weights = dict[str, int]
"""Weight by destination, of one virtual service."""


@dataclass(frozen=True, slots=True)
class Change:
    """The table as it became, and the moment on our monotonic clock at which we heard of it.

    That is later than it was: by up to one look of watch.py, and by the way of the line to here.
    """

    at: float
    services: dict[str, Weights]


class KernelTable:
    """Every state of the table since the start, in order."""

    def __init__(self, kernel: Kernel) -> None:
        self._running = kernel.spawn(kernel.python("-I", "-S", Path(watch.__file__)))
        self._changes: list[Change] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def since(self, moment: float) -> list[Change]:
        """Changes after a moment."""
        return [change for change in self._changes if change.at > moment]

    @property
    def now(self) -> dict[str, Weights]:
        return self._changes[-1].services if self._changes else {}

    def when(self, service: str, ready: Callable[[Weights], bool], since: float) -> float | None:
        """The first moment after ``since`` at which a virtual service was as asked for."""
        for change in self.since(since):
            if ready(change.services.get(service, {})):
                return change.at
        return None

    def failed(self) -> str | None:
        """Why nothing more will be heard."""
        if self._running.poll() is None:
            return None
        return f"the look at the kernel's table ended: {self._running.errors()}"

    def _read(self) -> None:
        for number in count():
            line: str | None = None
            while True:
                try:
                    line = self._running.line(number, 3600)
                except TimeoutError:
                    continue
                break
            if line is None:
                return
            self._changes.append(Change(time.monotonic(), json.loads(line)))
