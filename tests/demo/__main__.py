"""`make demo`: watch clusterf balance real requests across real containers, in a real kernel.

    python -m tests.demo

Starts a private Docker Engine, an IPVS kernel and a client, each in network namespaces of its own,
and plays a few acts on them. Every sentence that it prints as true was checked. Ends with 0; with 1
and a sentence when something was not so or could not be shown; with 128 + N on signal N.
"""

from __future__ import annotations

import sys
import time

from tests.demo import containers
from tests.demo.acts import Acts
from tests.demo.configuration import URL
from tests.demo.one_host import OneHost
from tests.demo.performance import ending, opening, perform
from tests.demo.screen import span

_NAMES = ("web1", "web2", "web3")


def _play(stage: OneHost) -> None:
    ready = opening(
        stage,
        "clusterf: real requests, across real containers, through a real IPVS kernel",
        "Three network namespaces are made for this, and taken away again: a client, a director and"
        " a Docker host. Nothing of this machine's own Docker, addresses or rules is touched.",
    )
    screen = stage.screen
    screen.step("Three containers in a private Docker Engine")
    first = []
    for name in _NAMES:
        screen.command(containers.command(name))
        first.append(stage.place.start(name))

    screen.step("The director's whole configuration, and what clusterf says of it")
    screen.text(stage.clusterf.configuration.read_text())
    stage.clusterf.show("check")

    screen.step("clusterf runs")
    screen.command(stage.clusterf.line("run"))
    begun = time.monotonic()
    stage.clusterf.start()
    known = stage.until(stage.destinations(len(_NAMES)), "three destinations in the kernel", 90)
    screen.say(f"three destinations in the kernel after {span(known - begun)}")
    serving = stage.clusterf.serving
    stage.until(lambda: serving() == len(_NAMES), "three destinations serving", timeout=60)
    stage.clusterf.show("status")
    screen.command("ipvsadm -L -n")
    screen.text(stage.director.ipvsadm("-L", "-n"))

    acts = Acts(stage, stage.start_load(stage.clients, URL))
    for placed in first:
        acts.know(placed)
    screen.step(f"A client asks {URL} about 150 times a second, each time over a new connection")
    acts.spread(_NAMES, "three containers")
    screen.step(
        f"A container starts, under load; it is asked for its health every {containers.INTERVAL} s"
    )
    acts.start("web4", stage.place)
    screen.step(
        f"One is stopped, under load; it finishes for {containers.GRACE} s, as a server should"
    )
    acts.stop("web2")
    screen.step("One is killed, under load; nobody can know before it is dead")
    acts.kill("web3")
    screen.step("clusterf itself is killed under load, and started again")
    acts.restart(stage.clusterf, "clusterf killed, started")
    screen.step("An operator drains one container, and takes that back")
    acts.drain("web1")
    ending(stage, acts.results, ready)


if __name__ == "__main__":
    sys.exit(perform(OneHost, _play))
