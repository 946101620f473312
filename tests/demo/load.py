"""The demo's client: requests without end, and what became of each, as they come."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from tests.lab.network import Namespace

WORKERS = 8
INTERVAL = 0.05
"""Seconds that each worker waits between two requests: 160 a second at most, all together."""

PATIENCE = 3.0
"""Seconds after which a request without an answer has failed."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request that is over; moments in seconds on this machine's monotonic clock."""

    worker: int
    begun: float
    ended: float
    answer: str = ""
    error: str = ""


class Load:
    """Requests to ``url``, each over a fresh connection, until :meth:`close`."""

    def __init__(self, place: Namespace, url: str, interval: float = INTERVAL) -> None:
        self._running = place.spawn(
            [
                *(sys.executable, "-m", "tests.lab.client", "requests", url, "--tell", "--stdin"),
                *("--workers", str(WORKERS), "--interval", str(interval)),
                *("--timeout", str(PATIENCE)),
            ]
        )
        self._read = 0
        self.requests: list[Request] = []
        self.answers: Counter[str] = Counter()
        self.failed = 0
        self._running.wait_for("ready")

    def refresh(self) -> None:
        """Take in what ended since the last call."""
        text = self._running.output()
        end = text.rfind("\n") + 1
        for line in text[self._read : end].splitlines():
            message = json.loads(line)
            if message.pop("event") == "told":
                self._take(Request(**message))
        self._read = end

    def _take(self, request: Request) -> None:
        self.requests.append(request)
        if request.error:
            self.failed += 1
        else:
            self.answers[request.answer] += 1

    def ended(self) -> str | None:
        """Why no more requests are made; None while they are."""
        return None if self._running.poll() is None else self._running.errors()

    def begun(self, start: float, end: float = float("inf")) -> list[Request]:
        """Requests that began in a span of time, of those that are over."""
        return [one for one in self.requests if start <= one.begun < end]

    def settled(self, moment: float) -> bool:
        """Whether every request that began before ``moment`` is over."""
        later = {one.worker for one in self.requests if one.begun >= moment}
        return len(later) == WORKERS

    def rate(self) -> float:
        """Requests a second, over the last one."""
        if not self.requests:
            return 0
        last = self.requests[-1].ended
        return sum(one.ended > last - 1 for one in self.requests[-400:])

    def summary(self) -> str:
        """The live line: who answered how often since the start."""
        if not self.requests:
            return "no answer yet"
        names = "  ".join(f"{name} {number:>5}" for name, number in sorted(self.answers.items()))
        return f"answers  {names}   failed {self.failed}   {self.rate():.0f}/s"

    def close(self) -> None:
        self._running.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
