"""What a demo's claims rest on.

Two witnesses are heard, and clusterf is neither: the client, who knows when each request began and
what came of it, and the kernel's own table. Both speak by this machine's monotonic clock. We hear
of the table a little late, so "after the kernel's table had changed" is certain.
"""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.demo.configuration import ENTRY
from tests.demo.screen import UntrueError, span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tests.demo.daemon import Daemon
    from tests.demo.load import Load, Request
    from tests.demo.stage import Stage
    from tests.demo.table import KernelTable, Weights


@dataclass(frozen=True, slots=True)
class Result:
    """A row of the table at the end. ``took`` says what was measured, too."""

    what: str
    sent: int
    failed: int
    took: str


@dataclass(frozen=True, slots=True)
class Comeback:
    """A clusterf that was killed, and is back in service since ``back``."""

    start: float
    again: float
    back: float
    picture: dict[str, Any]
    window: list[Request]
    """The requests from ``start`` until a second after ``back``."""


class Evidence:
    """Measures, checks and says so. Acts are made of it."""

    def __init__(self, stage: Stage, load: Load) -> None:
        self._stage = stage
        self._screen = stage.screen
        self._load = load
        self.results: list[Result] = []

    # --- the kernel's table ------------------------------------------------------------------

    def _when(
        self, table: KernelTable, ready: Callable[[Weights], bool], since: float, what: str
    ) -> float:
        """Wait for a kernel's table to be as asked for, and tell when it was."""
        return self._stage.until(lambda: table.when(ENTRY, ready, since), what)

    # --- the client --------------------------------------------------------------------------

    def _window(self, start: float, end: float) -> list[Request]:
        """The requests that began between two moments, when all of them are over."""
        self._stage.until(lambda: self._load.settled(end), "the requests under way to end")
        self._screen.live(self._load.summary(), last=True)
        return self._load.begun(start, end)

    def _first_answer(self, name: str, since: float = 0) -> Request | None:
        return next((one for one in self._load.begun(since) if one.answer == name), None)

    # --- what is claimed ---------------------------------------------------------------------

    def _fact(self, name: str, seconds: float) -> None:
        self._screen.fact(name, span(seconds))

    def _claim(self, claim: str, true: bool, seen: object = "") -> None:  # noqa: FBT001 # it is one
        if not true:
            raise UntrueError(f"{claim}: not so{f': {seen}' if seen else ''}"[:2000])
        self._screen.held(claim)

    def _none_failed(self, window: list[Request], claim: str = "no request failed") -> None:
        failures = [one for one in window if one.error]
        self._claim(f"{claim} ({len(window)} sent)", not failures and bool(window), failures[:5])

    def _none_after(
        self, names: Collection[str], moment: float, end: float = float("inf"), *, why: str
    ) -> None:
        """No request that began after ``moment`` was answered by one of these containers."""
        later = self._load.begun(moment, end)
        wrong = [one for one in later if one.answer in names]
        self._claim(
            f"{' and '.join(names)} got none of the {len(later)} requests that began after {why}",
            not wrong and bool(later),
            wrong[:5],
        )

    def _none_failed_after(self, window: list[Request], moment: float) -> None:
        late = [one for one in window if one.error and one.begun >= moment]
        self._claim("no request that began after the kernel was told failed", not late, late)

    def _unchanged(self, since: float, claim: str) -> None:
        """No kernel's table changed."""
        changes = [change for table in self._stage.tables for change in table.since(since)]
        self._claim(claim, not changes, changes)

    def _row(self, what: str, window: list[Request], took: str) -> None:
        failed = sum(bool(one.error) for one in window)
        self.results.append(Result(what, len(window), failed, took))

    # --- acts that every demo has ------------------------------------------------------------

    def spread(self, names: Collection[str], what: str) -> None:
        """Only watch: every container answers, all alike."""
        start = time.monotonic()
        self._stage.watch_for(5)
        window = self._window(start, time.monotonic())
        counts = {name: sum(one.answer == name for one in window) for name in names}
        self._none_failed(window)
        self._claim(
            f"{', '.join(f'{name} answered {n}' for name, n in counts.items())} of {len(window)}:"
            " each its share",
            min(counts.values()) > 0 and max(counts.values()) - min(counts.values()) <= 5,
        )
        self._row(what, window, "-")

    def _kill_and_start(self, daemon: Daemon, away: float) -> Comeback:
        """Kill a clusterf, start it ``away`` seconds later, and wait for it to be in service."""
        run = daemon.line("run")
        self._screen.command(f"kill -9 $(pidof clusterf); {run}", daemon.prompt)
        start = time.monotonic()
        daemon.running.kill(signal.SIGKILL)
        daemon.running.wait()
        self._stage.watch_for(away)
        again = time.monotonic()
        daemon.start()
        picture = self._stage.until(daemon.settled, "clusterf in service again", timeout=90)
        back = time.monotonic()
        self._stage.watch_for(1)
        window = self._window(start, time.monotonic())
        self._fact("without this clusterf", again - start)
        self._fact("from its start to all as before", back - again)
        self._none_failed(window)
        return Comeback(start, again, back, picture, window)

    def restart(self, daemon: Daemon, what: str) -> None:
        """Kill a clusterf that has a table in its kernel, and start it again."""
        before = daemon.kernel.ipvsadm("-S", "-n")
        comeback = self._kill_and_start(daemon, away=2)
        written = sum(out["done"] + out["failed"] for out in comeback.picture["outputs"])
        self._unchanged(comeback.start, "the kernel's table did not change for a moment")
        self._claim("the new clusterf wrote nothing to the kernel", written == 0, written)
        after = daemon.kernel.ipvsadm("-S", "-n")
        self._claim("ipvsadm -S -n prints the same as before", before == after, after)
        took = f"{span(comeback.back - comeback.again)} to be back, no write"
        self._row(what, comeback.window, took)
