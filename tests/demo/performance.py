"""How a demo is run: it can be interrupted, all of it is taken away, and what broke it is told."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING, TypeVar

from tests.demo.screen import Screen, UntrueError, span
from tests.demo.stage import Stage
from tests.lab import choice, engine
from tests.lab.process import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tests.demo.evidence import Result

_LOG_LINES = 40
"""Of all logs together."""

S = TypeVar("S", bound=Stage)


class InterruptedDemoError(Exception):
    """Somebody wants the demo to end."""


class Interruption:
    """Signals that ask us to end, noted and acted upon where nothing is half made.

    A second one of them does not wait for such a place.
    """

    def __init__(self) -> None:
        self.number = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, number: int, _: object) -> None:
        if self.number:
            raise KeyboardInterrupt
        self.number = number

    def check(self) -> None:
        if self.number:
            raise InterruptedDemoError(f"interrupted by {signal.Signals(self.number).name}")

    def ignore(self) -> None:
        """From here on nothing keeps us from tearing down."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)


def perform(
    make: Callable[[Screen, Callable[[], None]], S],
    play: Callable[[S], None],
    *missing: Callable[[], str | None],
) -> int:
    """Play on a stage, and take it away; returns the exit code.

    ``missing`` tell why what this demo needs, beside a kernel and an engine, cannot run here.
    """
    # `su` without a dash leaves out where ip, ipvsadm and modprobe are.
    os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    screen, interruption = Screen(sys.stdout), Interruption()
    for reason in (look() for look in (_no_kernel, _no_engine, *missing)):
        if reason:
            screen.say(f"the demo cannot run here: {reason}", "red")
            return 1
    stage = make(screen, interruption.check)
    failure: BaseException | None = None
    try:
        play(stage)
    except BaseException as error:  # noqa: BLE001 # everything is torn down, then it is told
        failure = error
    interruption.ignore()
    logs = stage.logs()
    try:
        stage.close()
    except Exception as error:  # noqa: BLE001 # what failed first matters more
        failure = failure or error
    if failure is None:
        screen.say("all of it is taken away: no process, namespace, mount or file is left")
        return 0
    # Whoever read our output may be why we end.
    with contextlib.suppress(OSError):
        _explain(screen, failure, logs)
    return 128 + interruption.number if interruption.number else 1


def opening(stage: Stage, title: str, text: str) -> float:
    """Say what it is, and set it up; returns the moment at which that was done."""
    screen, started = stage.screen, time.monotonic()
    screen.title(title)
    screen.say(text)
    screen.step("Set up")
    stage.set_up()
    for line in stage.facts():
        screen.say(line)
    ready = time.monotonic()
    screen.say(f"set up in {span(ready - started)}; all times below are by this machine's clock")
    return ready


def ending(stage: Stage, results: Collection[Result], ready: float) -> None:
    """The table of all acts, and how long they took since ``ready``."""
    screen = stage.screen
    screen.step("What each did to the requests")
    screen.text(f"{'':<26} {'sent':>5} {'failed':>6}  the change took", "bold")
    for row in results:
        screen.text(f"{row.what:<26} {row.sent:>5} {row.failed:>6}  {row.took}", "")
    screen.say(f"shown in {span(time.monotonic() - ready)}")


def _no_kernel() -> str | None:
    chosen = choice.choose()
    return chosen.reason if chosen.kind == "none" else None


def _no_engine() -> str | None:
    reason = engine.missing()
    return f"no private Docker Engine: {reason}" if reason else None


def _explain(screen: Screen, failure: BaseException, logs: dict[str, str]) -> None:
    if isinstance(failure, InterruptedDemoError):
        screen.say(f"{failure}; all of it is taken away", "red")
        return
    for name, log in logs.items():
        if log:
            screen.say(f"the end of the log of {name}:", "red")
            screen.text("\n".join(log.splitlines()[-_LOG_LINES // len(logs) :]))
    if isinstance(failure, UntrueError):
        screen.say(f"NOT TRUE: {failure}", "red")
    elif isinstance(failure, (LabError, TimeoutError)):
        screen.say(f"the demo broke: {failure}", "red")
    else:
        screen.text("".join(traceback.format_exception(failure)), "red")
        screen.say("the demo broke: that is a bug", "red")
