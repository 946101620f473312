"""What happens in the demo. Each act does one thing under load, measures it, and checks its claims.

Two witnesses are heard, and clusterf is neither: the client, who knows when each request began and
what came of it, and the kernel's own table. Both speak by this machine's monotonic clock. We hear
of the table a little late, so "after the kernel's table had changed" is certain.
"""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tests.demo import containers
from tests.demo.configuration import DRAIN, ENTRY
from tests.demo.screen import span
from tests.demo.stage import Stage, UntrueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from docker.models.containers import Container

    from tests.demo.load import Load, Request
    from tests.demo.table import Weights

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Result:
    """A row of the table at the end. ``took`` says what was measured, too."""

    what: str
    sent: int
    failed: int
    took: str


class Acts:
    """The acts, in the order in which they are played."""

    def __init__(self, stage: Stage, load: Load) -> None:
        self._stage = stage
        self._screen = stage.screen
        self._load = load
        self._containers: dict[str, Container] = {}
        self._endpoints: dict[str, str] = {}
        self.results: list[Result] = []

    def know(self, container: Container) -> None:
        """A container that takes part."""
        name = str(container.name)
        self._containers[name] = container
        self._endpoints[name] = self._stage.endpoint(container)

    # --- the acts ----------------------------------------------------------------------------

    def spread(self) -> None:
        """Only watch: every container answers, all alike."""
        start = time.monotonic()
        self._stage.watch_for(5)
        window = self._window(start, time.monotonic())
        counts = {name: sum(one.answer == name for one in window) for name in self._containers}
        self._none_failed(window, "no request failed")
        self._claim(
            f"{', '.join(f'{name} answered {n}' for name, n in counts.items())} of {len(window)}:"
            " each its share",
            min(counts.values()) > 0 and max(counts.values()) - min(counts.values()) <= 5,
        )
        self._row("three containers", window, "-")

    def start(self, name: str) -> None:
        """One more container."""
        self._screen.command(containers.command(name))
        start = time.monotonic()
        self.know(container := self._stage.run(name))
        begun = self._event(container, "start", start)
        there = self._when(lambda w: self._of(name, w) is not None, start, f"{name} in the kernel")
        self._when(lambda w: bool(self._of(name, w)), start, f"{name} with a weight")
        healthy = self._event(container, "health_status: healthy", start)
        weighed = self._when(lambda w: bool(self._of(name, w)), start, f"{name} with a weight")
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
        self._none_failed(window, "no request failed")
        took = f"{span(first.ended - healthy)} from Docker's healthy to its first answer"
        self._row(f"{name} started", window, took)

    def stop(self, name: str) -> None:
        """A planned end: docker stop."""
        self._screen.command(f"docker stop {name}")
        container = self._containers[name]
        start = time.monotonic()
        stopping = _Background(lambda: container.stop(timeout=20))
        quiet = self._when(lambda w: self._of(name, w) == 0, start, f"{name} at weight 0")
        self._stage.until(stopping.over, f"docker stop {name} to end")
        stopped = time.monotonic()
        gone = self._when(lambda w: self._of(name, w) is None, quiet, f"{name} out of the kernel")
        window = self._window(start, time.monotonic())
        self._fact("from docker stop to weight 0 in the kernel", quiet - start)
        self._fact("from docker stop to the container's end", stopped - start)
        self._fact(f"from docker stop to the end of its drain (at most {DRAIN} s)", gone - start)
        self._claim("weight 0 came before the container's end", quiet < stopped)
        self._none_after(name, quiet)
        self._none_failed(window, "no request failed")
        self._row(f"{name} stopped", window, f"{span(quiet - start)} to weight 0")

    def kill(self, name: str) -> None:
        """An accident: the container is gone before anybody can know."""
        self._screen.command(f"docker kill -s KILL {name}")
        start = time.monotonic()
        self._containers[name].kill()
        quiet = self._when(lambda w: not self._of(name, w), start, f"{name} without weight")
        self._stage.watch_for(1)
        window = self._window(start, time.monotonic())
        failures = [one for one in window if one.error]
        gone = self._when(lambda w: self._of(name, w) is None, quiet, f"{name} out of the kernel")
        last = max((one.begun - start for one in failures), default=None)
        self._fact("from docker kill to weight 0 in the kernel", quiet - start)
        self._fact("from docker kill to the end of its drain", gone - start)
        self._screen.fact(
            "requests sent into the gap, that failed", f"{len(failures)} of {len(window)}"
        )
        self._screen.fact(
            "the last of them began after", "-" if last is None else span(max(last, 0))
        )
        self._none_after(name, quiet)
        late = [one for one in window if one.error and one.begun >= quiet]
        self._claim("no request that began after the kernel was told failed", not late, late)
        took = "none lost" if last is None else f"last loss {span(max(last, 0))} after"
        self._row(f"{name} killed", window, f"{span(quiet - start)} to weight 0, {took}")

    def restart(self) -> None:
        """Kill clusterf itself, and start it again."""
        stage = self._stage
        before = stage.director.ipvsadm("-S", "-n")
        self._screen.command("kill -9 $(pidof clusterf); clusterf run -c clusterf.toml")
        start = time.monotonic()
        running = stage.running
        running.kill(signal.SIGKILL)
        running.wait()
        stage.watch_for(2)
        again = time.monotonic()
        stage.start_clusterf()
        picture = stage.until(stage.settled, "clusterf in service again", timeout=90)
        back = time.monotonic()
        stage.watch_for(1)
        window = self._window(start, time.monotonic())
        written = sum(output["done"] + output["failed"] for output in picture["outputs"])
        self._fact("without any clusterf", again - start)
        self._fact("from its start to all as before", back - again)
        self._none_failed(window, "no request failed")
        changes = stage.table.since(start)
        self._claim("the kernel's table did not change for a moment", not changes, changes)
        self._claim("the new clusterf wrote nothing to the kernel", written == 0, written)
        after = stage.director.ipvsadm("-S", "-n")
        self._claim("ipvsadm -S -n prints the same as before", before == after, after)
        self._row("clusterf killed, started", window, f"{span(back - again)} to be back, no write")

    def drain(self, name: str) -> None:
        """An operator takes one container out, and back in."""
        stage, identifier = self._stage, str(self._containers[name].id)[:12]
        start = time.monotonic()
        stage.clusterf("drain", "web", identifier)
        quiet = self._when(lambda w: self._of(name, w) == 0, start, f"{name} at weight 0")
        stage.watch_for(2)
        window = self._window(start, time.monotonic())
        stage.clusterf("status", "web")
        end = time.monotonic()
        self._none_after(name, quiet, end)
        self._none_failed(window, "no request failed")
        self._row(
            f"{name} drained", window, f"{span(quiet - start)}, the command's own start included"
        )
        start = time.monotonic()
        stage.clusterf("undrain", "web", identifier)
        weighed = self._when(lambda w: bool(self._of(name, w)), start, f"{name} with a weight")
        first = stage.until(lambda: self._first_answer(name, start), f"an answer of {name}")
        stage.watch_for(1)
        window = self._window(start, time.monotonic())
        self._claim(f"{name} answers again", first.answer == name)
        self._none_failed(window, "no request failed")
        self._row(f"{name} undrained", window, f"{span(weighed - start)}, the same")

    # --- what they are made of ---------------------------------------------------------------

    def _of(self, name: str, weights: Weights) -> int | None:
        """The weight of a container; None when it is no destination."""
        return weights.get(self._endpoints[name])

    def _when(self, ready: Callable[[Weights], bool], since: float, what: str) -> float:
        """Wait for the kernel's table to be as asked for, and tell when it was."""
        stage = self._stage
        return stage.until(lambda: stage.table.when(ENTRY, ready, since), what)

    def _event(self, container: Container, action: str, since: float) -> float:
        for seen, moment in containers.events(self._stage.engine, container, since):
            if seen == action:
                return moment
        raise UntrueError(f"Docker told nothing of {container.name}: {action}")

    def _first_answer(self, name: str, since: float = 0) -> Request | None:
        return next((one for one in self._load.begun(since) if one.answer == name), None)

    def _window(self, start: float, end: float) -> list[Request]:
        """The requests that began between two moments, when all of them are over."""
        self._stage.until(lambda: self._load.settled(end), "the requests under way to end")
        self._screen.live(self._load.summary(), last=True)
        return self._load.begun(start, end)

    def _fact(self, name: str, seconds: float) -> None:
        self._screen.fact(name, span(seconds))

    def _claim(self, claim: str, true: bool, seen: object = "") -> None:  # noqa: FBT001 # it is one
        if not true:
            raise UntrueError(f"{claim}: not so{f': {seen}' if seen else ''}"[:2000])
        self._screen.held(claim)

    def _none_failed(self, window: list[Request], claim: str) -> None:
        failures = [one for one in window if one.error]
        self._claim(f"{claim} ({len(window)} sent)", not failures and bool(window), failures[:5])

    def _none_after(self, name: str, moment: float, end: float = float("inf")) -> None:
        """No request that began after ``moment`` was answered by a container."""
        later = self._load.begun(moment, end)
        wrong = [one for one in later if one.answer == name]
        self._claim(
            f"{name} got none of the {len(later)} requests that began after its weight was 0",
            not wrong and bool(later),
            wrong[:5],
        )

    def _row(self, what: str, window: list[Request], took: str) -> None:
        failed = sum(bool(one.error) for one in window)
        self.results.append(Result(what, len(window), failed, took))


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
