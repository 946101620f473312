"""`make demo-cluster`: two Docker hosts, one director, and etcd between them.

    python -m tests.demo.cluster

The two tiers of clusterf with real parts: the director sends each request to a Docker host
(``droute``), whose kernel maps the port to a container (``masq``), which answers the client
directly. Each of the three has an IPVS kernel of its own. As strict as `make demo`, and it ends
alike: with 0; with 1 and a sentence when something was not so; with 128 + N on signal N.
"""

from __future__ import annotations

import shlex
import sys
import time
from typing import TYPE_CHECKING

from tests.demo import containers
from tests.demo.cluster.acts import ClusterActs
from tests.demo.cluster.configuration import FRONTEND
from tests.demo.cluster.stage import ClusterStage
from tests.demo.configuration import PORT, URL, VIP
from tests.demo.performance import ending, opening, perform
from tests.demo.screen import span
from tests.etcd import server

if TYPE_CHECKING:
    from tests.demo.containers import Placed

_INTERVAL = 0.1
"""Seconds that each worker of the client waits between two requests."""


def _play(stage: ClusterStage) -> None:
    ready = opening(
        stage,
        "clusterf: two tiers, one etcd, and containers that come and go on two hosts",
        "A client, etcd, a director and two Docker hosts are made for this, in network namespaces,"
        " and taken away again. Nothing of this machine's own Docker, addresses or rules is"
        " touched.",
    )
    screen = stage.screen
    first = _begin(stage)

    acts = ClusterActs(stage, stage.start_load(stage.client, URL, _INTERVAL))
    for placed in first:
        acts.know(placed)
    one, two = stage.hosts
    screen.step(f"A client asks {URL} about 70 times a second, each time over a new connection")
    acts.spread([placed.name for placed in first], "containers on two hosts")
    acts.direct()
    acts.ipv6()
    screen.step("etcd is killed under load, and started again")
    acts.etcd_restart()
    screen.step("A container starts on host2, under load")
    acts.start("web5", two.place)
    screen.step(f"One is stopped on host1; it finishes for {containers.GRACE} s")
    acts.stop("web1")
    screen.step("One is killed on host2; nobody can know before it is dead")
    acts.kill("web3")
    screen.step("The agent of host1 is killed under load, and started again")
    acts.agent_restart(one)
    screen.step("host2 vanishes: kernel, engine, containers and agent, all at once")
    acts.vanish(two)
    screen.step("The director's clusterf is killed under load, and started again")
    acts.restart(stage.director.clusterf, "director killed, started")
    ending(stage, acts.results, ready)


def _begin(stage: ClusterStage) -> list[Placed]:
    """The first containers, and all of clusterf; returns when they serve."""
    screen, director, hosts = stage.screen, stage.director, stage.hosts
    screen.step("Two containers on each Docker host")
    first = []
    for number, host in enumerate(hosts):
        for name in (f"web{2 * number + 1}", f"web{2 * number + 2}"):
            screen.command(containers.command(name), host.name)
            first.append(host.place.start(name))

    screen.step("What is written by hand: one key in etcd, and three kinds of files")
    hosts[0].agent.show("etcd put", *FRONTEND)
    for title, daemon in (
        ("the agent of host1", hosts[0].agent),
        ("the second tier on host1", hosts[0].second_tier),
        ("the director", director.clusterf),
    ):
        screen.say(f"{title}:")
        screen.text(daemon.configuration.read_text())
    screen.say("host2 has the same, with its own addresses")

    screen.step("clusterf runs, on the director and twice on each Docker host")
    begun = time.monotonic()
    for daemon in stage.daemons.values():
        screen.command(daemon.line("run"), daemon.prompt)
        daemon.start()
    stage.until(lambda: stage.serves(len(first)), "all containers in both tiers", timeout=120)
    screen.say(f"both tiers serve after {span(time.monotonic() - begun)}")
    hosts[0].agent.show("status")
    hosts[0].agent.show("etcd get")
    for machine in (director, *hosts):
        shown = ("-L", "-n", "-t", f"{VIP}:{PORT}")
        screen.command(shlex.join(["ipvsadm", *shown]), machine.name)
        screen.text(machine.kernel.ipvsadm(*shown))
    return first


def _no_etcd() -> str | None:
    reason = server.missing()
    return f"no etcd: {reason}" if reason else None


if __name__ == "__main__":
    sys.exit(perform(ClusterStage, _play, _no_etcd))
