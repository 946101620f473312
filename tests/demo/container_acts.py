"""What happens to containers under load, whichever host they are on."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from tests.demo import containers
from tests.demo.configuration import DRAIN
from tests.demo.evidence import Evidence
from tests.demo.screen import UntrueError, span

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.demo.containers import Place, Placed
    from tests.demo.load import Load
    from tests.demo.stage import Stage
    from tests.demo.table import Weights


class ContainerActs(Evidence):
    """Start, stop, kill. Each returns the moment at which there was something to be told."""

    def __init__(self, stage: Stage, load: Load) -> None:
        super().__init__(stage, load)
        self._placed: dict[str, Placed] = {}

    def know(self, placed: Placed) -> None:
        """A container that takes part."""
        self._placed[placed.name] = placed

    def start(self, name: str, place: Place) -> float:
        """One more container."""
        self._screen.command(containers.command(name), place.prompt)
        start = time.monotonic()
        self.know(placed := place.start(name))
        begun = self._event(placed, "start", start)
        there = self._of(name, lambda weight: weight is not None, start, "in the kernel")
        self._of(name, bool, start, "with a weight")
        healthy = self._event(placed, "health_status: healthy", start)
        weighed = self._of(name, bool, start, "with a weight")
        first = self._stage.until(lambda: self._first_answer(name), f"an answer of {name}")
        self._stage.watch_for(2)
        window = self._window(start, time.monotonic())
        self._fact("from Docker's start event to the kernel, with weight 0", there - begun)
        self._fact("from then on until its health check passed", healthy - there)
        self._fact("from Docker's event healthy to a weight in the kernel", weighed - healthy)
        self._fact("from Docker's event healthy to its first answer", first.ended - healthy)
        self._fact("from Docker's start event to its first answer", first.ended - begun)
        self._claim(
            f"{name} got no request before Docker called it healthy", first.ended >= healthy
        )
        self._none_failed(window)
        took = f"{span(first.ended - healthy)} from Docker's healthy to its first answer"
        self._row(f"{name} started", window, took)
        return healthy

    def stop(self, name: str) -> float:
        """A planned end: docker stop."""
        placed = self._placed[name]
        self._screen.command(f"docker stop {name}", placed.at.prompt)
        start = time.monotonic()
        stopping = _Background(lambda: placed.container.stop(timeout=20))
        quiet = self._of(name, lambda weight: weight == 0, start, "at weight 0")
        self._stage.until(stopping.over, f"docker stop {name} to end")
        stopped = time.monotonic()
        gone = self._of(name, lambda weight: weight is None, quiet, "out of the kernel")
        window = self._window(start, time.monotonic())
        self._fact("from docker stop to weight 0 in the kernel", quiet - start)
        self._fact("from docker stop to the container's end", stopped - start)
        self._fact(f"from docker stop to the end of its drain (at most {DRAIN} s)", gone - start)
        self._claim("weight 0 came before the container's end", quiet < stopped)
        self._none_after([name], quiet, why="its weight was 0")
        self._none_failed(window)
        self._row(f"{name} stopped", window, f"{span(quiet - start)} to weight 0")
        return start

    def kill(self, name: str) -> float:
        """An accident: the container is gone before anybody can know."""
        placed = self._placed[name]
        self._screen.command(f"docker kill -s KILL {name}", placed.at.prompt)
        start = time.monotonic()
        placed.container.kill()
        quiet = self._of(name, lambda weight: not weight, start, "without weight")
        self._stage.watch_for(1)
        window = self._window(start, time.monotonic())
        gone = self._of(name, lambda weight: weight is None, quiet, "out of the kernel")
        failures = [one for one in window if one.error]
        last = max((one.begun - start for one in failures), default=None)
        self._fact("from docker kill to weight 0 in the kernel", quiet - start)
        self._fact("from docker kill to the end of its drain", gone - start)
        self._screen.fact(
            "requests sent into the gap, that failed", f"{len(failures)} of {len(window)}"
        )
        self._screen.fact(
            "the last of them began after", "-" if last is None else span(max(last, 0))
        )
        self._none_after([name], quiet, why="its weight was 0")
        self._none_failed_after(window, quiet)
        took = "none lost" if last is None else f"last loss {span(max(last, 0))} after"
        self._row(f"{name} killed", window, f"{span(quiet - start)} to weight 0, {took}")
        return start

    # --- what they are made of ---------------------------------------------------------------

    def _of(self, name: str, ready: Callable[[int | None], bool], since: float, what: str) -> float:
        """Wait for the weight of a container, None when it is no destination; tells when it was."""
        placed = self._placed[name]

        def as_asked(weights: Weights) -> bool:
            return ready(placed.weight(weights))

        return self._when(placed.at.table, as_asked, since, f"{name} {what}")

    @staticmethod
    def _event(placed: Placed, action: str, since: float) -> float:
        for seen, moment in placed.events(since):
            if seen == action:
                return moment
        raise UntrueError(f"Docker told nothing of {placed.name}: {action}")


class _Background:
    """A call in a thread of its own, while the demo looks on."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def over(self) -> bool:
        """Whether it is; raises what the call raised."""
        if self._error is not None:
            raise self._error
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._call()
        except BaseException as error:  # noqa: BLE001 # raised where it is waited for
            self._error = error
