"""Clients and real servers of a test, typed; the program behind them is client.py."""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from tests.lab.process import LabError

if TYPE_CHECKING:
    from tests.lab.process import Argv, Running


class Place(Protocol):
    """Where programs can be started: a namespace, or a kernel."""

    def spawn(self, argv: Argv) -> Running: ...


@dataclass(frozen=True, slots=True)
class Failure:
    """One request or connection that went wrong, ``at`` seconds after the start."""

    at: float
    error: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What many requests brought: how often each server answered, and every failure."""

    answers: dict[str, int]
    failures: list[Failure]
    times: list[float]
    seconds: float

    @property
    def total(self) -> int:
        return sum(self.answers.values())

    @property
    def median(self) -> float:
        """Seconds that an answered request took."""
        return statistics.median(self.times)


@dataclass(frozen=True, slots=True)
class Held:
    """What became of connections that were held open."""

    connected: int
    broken: list[Failure]
    echoes: int


class _Program:
    """One run of client.py; the first line it writes has been read."""

    def __init__(self, place: Place, *arguments: str) -> None:
        command = [sys.executable, "-m", "tests.lab.client", *arguments, "--stdin"]
        self.running = place.spawn(command)
        self._lines = 0
        self.ready = self._read("ready", 30)

    def finish(self, timeout: float) -> dict[str, Any]:
        result = self._read("result", timeout)
        self.running.wait(10)
        return result

    def end(self) -> None:
        self.running.close_input()

    def _read(self, event: str, timeout: float) -> dict[str, Any]:
        while (line := self.running.line(self._lines, timeout)) is not None:
            self._lines += 1
            message: dict[str, Any] = json.loads(line)
            if message["event"] == event:
                return message
        raise LabError(f"the client ended without {event}:\n{self.running.errors()}")


class Load:
    """Requests one after the other, each over a fresh connection, until :meth:`stop`."""

    def __init__(
        self,
        place: Place,
        url: str,
        *,
        count: int | None = None,
        seconds: float | None = None,
        workers: int = 1,
        interval: float = 0,
        timeout: float = 3,
    ) -> None:
        self._program = _Program(
            place,
            *("requests", url, "--workers", str(workers)),
            *("--interval", str(interval), "--timeout", str(timeout)),
            *(("--count", str(count)) if count is not None else ()),
            *(("--seconds", str(seconds)) if seconds is not None else ()),
        )

    def wait_for_failure(self, timeout: float = 30) -> None:
        """Wait until a request has failed."""
        self._program.running.wait_for('"failed"', timeout)

    def result(self, timeout: float = 60) -> Answers:
        """Wait for the ``count`` or the ``seconds`` to be over."""
        message = self._program.finish(timeout)
        return Answers(
            answers=message["answers"],
            failures=[Failure(**failure) for failure in message["failures"]],
            times=message["times"],
            seconds=message["seconds"],
        )

    def stop(self) -> Answers:
        self._program.end()
        return self.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._program.running.stop()


class Hold:
    """Connections that send and expect an echo every ``interval`` seconds, until :meth:`stop`."""

    def __init__(
        self,
        place: Place,
        address: str,
        port: int,
        *,
        connections: int = 1,
        interval: float = 0.2,
        timeout: float = 3,
    ) -> None:
        host = f"[{address}]" if ":" in address else address
        self._program = _Program(
            place,
            *("hold", f"{host}:{port}", "--connections", str(connections)),
            *("--interval", str(interval), "--timeout", str(timeout)),
        )
        self.connected: int = self._program.ready["connected"]
        """How many of them came into being; all that will."""

    def wait_for_broken(self, timeout: float = 30) -> None:
        """Wait until one breaks."""
        self._program.running.wait_for('"broken"', timeout)

    def stop(self) -> Held:
        self._program.end()
        message = self._program.finish(30)
        broken = [Failure(at=one["at"], error=one["error"]) for one in message["broken"]]
        return Held(connected=message["connected"], broken=broken, echoes=message["echoes"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._program.running.stop()


class Server:
    """A real server that answers HTTP with ``name`` and echoes on the echo port."""

    def __init__(
        self, place: Place, name: str, *, http: int | None = 80, echo: int | None = 7
    ) -> None:
        self._program = _Program(
            place,
            *("serve", name),
            *(("--http", str(http)) if http else ()),
            *(("--echo", str(echo)) if echo else ()),
        )

    def stop(self) -> None:
        self._program.running.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def request(place: Place, url: str, count: int = 1, *, timeout: float = 3) -> Answers:
    """Make ``count`` requests and wait for them all."""
    return Load(place, url, count=count, timeout=timeout).result(30 + count * timeout)
