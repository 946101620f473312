"""`make demo`: watch clusterf balance real requests across real containers, in a real kernel.

    python -m tests.demo

Starts a private Docker Engine, an IPVS kernel and a client, each in network namespaces of its own,
and plays a few acts on them. Every sentence that it prints as true was checked. Ends with 0; with 1
and a sentence when something was not so or could not be shown; with 128 + N on signal N.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import traceback

from tests.demo import containers
from tests.demo.acts import Acts, Result
from tests.demo.configuration import URL
from tests.demo.screen import Screen, span
from tests.demo.stage import Stage, UntrueError
from tests.lab import choice, engine
from tests.lab.process import LabError

_NAMES = ("web1", "web2", "web3")
_LOG_LINES = 30


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


def main() -> int:
    # `su` without a dash leaves out where ip, ipvsadm and modprobe are.
    os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    screen, interruption = Screen(sys.stdout), Interruption()
    if reason := _impossible():
        screen.say(f"the demo cannot run here: {reason}", "red")
        return 1
    stage = Stage(screen, interruption.check)
    failure: BaseException | None = None
    log = ""
    try:
        _play(stage)
    except BaseException as error:  # noqa: BLE001 # everything is torn down, then it is told
        failure = error
    interruption.ignore()
    log = stage.log()
    try:
        stage.close()
    except Exception as error:  # noqa: BLE001 # what failed first matters more
        failure = failure or error
    if failure is None:
        screen.say("all of it is taken away: no process, namespace, mount or file is left")
        return 0
    # Whoever read our output may be why we end.
    with contextlib.suppress(OSError):
        _explain(screen, failure, log)
    return 128 + interruption.number if interruption.number else 1


def _impossible() -> str | None:
    chosen = choice.choose()
    if chosen.kind == "none":
        return chosen.reason
    if reason := engine.missing():
        return f"no private Docker Engine: {reason}"
    return None


def _play(stage: Stage) -> None:
    screen = stage.screen
    screen.title("clusterf: real requests, across real containers, through a real IPVS kernel")
    screen.say(
        "Three network namespaces are made for this, and taken away again: a client, a director and"
        " a Docker host. Nothing of this machine's own Docker, addresses or rules is touched."
    )
    started = time.monotonic()
    screen.step("Set up")
    stage.set_up()
    for line in stage.facts():
        screen.say(line)
    ready = time.monotonic()
    screen.say(f"set up in {span(ready - started)}; all times below are by this machine's clock")

    screen.step("Three containers in a private Docker Engine")
    first = []
    for name in _NAMES:
        screen.command(containers.command(name))
        first.append(stage.run(name))

    screen.step("The director's whole configuration, and what clusterf says of it")
    screen.text(stage.configuration.read_text())
    stage.clusterf("check")

    screen.step("clusterf runs")
    screen.command("clusterf run -c clusterf.toml")
    begun = time.monotonic()
    stage.start_clusterf()
    known = stage.until(stage.destinations(len(_NAMES)), "three destinations in the kernel", 90)
    screen.say(f"three destinations in the kernel after {span(known - begun)}")
    stage.until(lambda: stage.serving() == len(_NAMES), "three destinations serving", timeout=60)
    stage.clusterf("status")
    screen.command("ipvsadm -L -n")
    screen.text(stage.director.ipvsadm("-L", "-n"))

    acts = Acts(stage, stage.start_load())
    for container in first:
        acts.know(container)
    screen.step(f"A client asks {URL} about 150 times a second, each time over a new connection")
    acts.spread()
    screen.step(
        f"A container starts, under load; it is asked for its health every {containers.INTERVAL} s"
    )
    acts.start("web4")
    screen.step(
        f"One is stopped, under load; it finishes for {containers.GRACE} s, as a server should"
    )
    acts.stop("web2")
    screen.step("One is killed, under load; nobody can know before it is dead")
    acts.kill("web3")
    screen.step("clusterf itself is killed under load, and started again")
    acts.restart()
    screen.step("An operator drains one container, and takes that back")
    acts.drain("web1")
    _summary(stage, acts.results)
    screen.say(f"shown in {span(time.monotonic() - ready)}")


def _summary(stage: Stage, results: list[Result]) -> None:
    screen = stage.screen
    screen.step("What each did to the requests")
    screen.text(f"{'':<26} {'sent':>5} {'failed':>6}  the change took", "bold")
    for row in results:
        screen.text(f"{row.what:<26} {row.sent:>5} {row.failed:>6}  {row.took}", "")


def _explain(screen: Screen, failure: BaseException, log: str) -> None:
    if isinstance(failure, InterruptedDemoError):
        screen.say(f"{failure}; all of it is taken away", "red")
        return
    if log:
        screen.say("the end of clusterf's log:", "red")
        screen.text("\n".join(log.splitlines()[-_LOG_LINES:]))
    if isinstance(failure, UntrueError):
        screen.say(f"NOT TRUE: {failure}", "red")
    elif isinstance(failure, (LabError, TimeoutError)):
        screen.say(f"the demo broke: {failure}", "red")
    else:
        screen.text("".join(traceback.format_exception(failure)), "red")
        screen.say("the demo broke: that is a bug", "red")


if __name__ == "__main__":
    sys.exit(main())
