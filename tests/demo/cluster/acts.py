"""What happens in `make demo-cluster`: under load, measured and checked as in the other demo."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.demo.cluster import senders
from tests.demo.cluster.configuration import TTL, URL6, WEIGHT
from tests.demo.cluster.network import DIRECTOR_MAC
from tests.demo.configuration import DRAIN, ENTRY, VIP
from tests.demo.container_acts import ContainerActs
from tests.demo.screen import span
from tests.lab import traffic

if TYPE_CHECKING:
    from tests.demo.cluster.hosts import DockerHost
    from tests.demo.cluster.stage import ClusterStage, Key
    from tests.demo.containers import Place
    from tests.demo.load import Load

_LONGEST = 30
"""Seconds that a dead host is believed, whatever happens to etcd in the meantime: a moment in which
it cannot be heard adds a grace to the TTL, so that all the living can speak again."""

_PACKETS = 400


class ClusterActs(ContainerActs):
    """In the order in which they are played."""

    def __init__(self, stage: ClusterStage, load: Load) -> None:
        super().__init__(stage, load)
        self._cluster = stage
        self._ended: set[str] = set()

    # --- only watching -----------------------------------------------------------------------

    def direct(self) -> None:
        """Who sends the answers."""
        client, hosts = self._cluster.client, self._cluster.hosts
        program = Path(senders.__file__)
        listening = client.spawn([sys.executable, "-I", "-S", program, "eth0", VIP, str(_PACKETS)])
        self._stage.until(lambda: listening.poll() is not None, "packets with answers")
        sent = json.loads(listening.output())
        shares = {host.name: sent.get(host.at.mac, 0) for host in hosts}
        self._claim(
            f"of {_PACKETS} packets that came to the client from {VIP}"
            f" {' and '.join(f'{name} has sent {n}' for name, n in shares.items())}, and the"
            f" director {sent.get(DIRECTOR_MAC, 0)}: the hosts answer the client directly",
            min(shares.values()) > 0 and sum(shares.values()) == _PACKETS,
            sent,
        )

    def ipv6(self) -> None:
        """The same service over IPv6, where no load is."""
        each, names = 10, self._placed
        answers = traffic.request(self._cluster.client, URL6, each * len(names), timeout=10)
        self._claim(
            f"of {each * len(names)} requests to {URL6} each container answered {each}",
            answers.answers == dict.fromkeys(names, each) and not answers.failures,
            answers,
        )

    # --- containers --------------------------------------------------------------------------

    def start(self, name: str, place: Place) -> float:
        healthy = super().start(name, place)
        self._told(healthy, "from Docker's event healthy to the director's kernel")
        return healthy

    def stop(self, name: str) -> float:
        start = super().stop(name)
        self._ended.add(name)
        self._told(start, "from docker stop to the director's kernel")
        return start

    def kill(self, name: str) -> float:
        start = super().kill(name)
        self._ended.add(name)
        self._told(start, "from docker kill to the director's kernel")
        return start

    def _told(self, since: float, what: str) -> None:
        """The director knows of a container's host as much as the host itself."""
        table, hosts = self._cluster.director.table, self._cluster.hosts
        sums = {host.name: WEIGHT * len(self._live(host)) for host in hosts}
        told = self._when(
            table, lambda weights: {h.name: h.weight(weights) for h in hosts} == sums, since, what
        )
        self._fact(what, told - since)
        shares = " and ".join(f"{name} has weight {weight}" for name, weight in sums.items())
        self._claim(
            f"in the director's kernel {shares}: {WEIGHT} for each container that serves",
            {host.name: host.weight(table.now[ENTRY]) for host in hosts} == sums,
            table.now,
        )

    def _live(self, host: DockerHost) -> set[str]:
        """The containers on a host that have not been stopped or killed."""
        here = {name for name, placed in self._placed.items() if placed.at is host.place}
        return here - self._ended

    # --- the machinery -----------------------------------------------------------------------

    def etcd_restart(self) -> None:
        """Kill etcd, and start it again."""
        stage = self._cluster
        known, before = stage.keys(), {one: len(one.log()) for one in stage.daemons.values()}
        self._screen.command("kill -9 $(pidof etcd)", "etcd")
        start = time.monotonic()
        stage.etcd.kill()
        self._stage.until(
            lambda: all("unavailable reason=" in one.log()[n:] for one, n in before.items()),
            "all to miss etcd",
        )
        self._fact(
            f"until all {len(before)} runs of clusterf had noticed", time.monotonic() - start
        )
        stage.watch_for(3)
        stage.director.clusterf.show("status")
        self._screen.command("etcd", "etcd")
        again = time.monotonic()
        stage.etcd.start()
        waiting = list(before)
        while waiting:
            stage.until(waiting.pop().settled, "a clusterf in service again", timeout=90)
        back = time.monotonic()
        stage.watch_for(1)
        window = self._window(start, time.monotonic())
        self._fact("without etcd", again - start)
        self._fact("from its start until all of them say that all is as before", back - again)
        self._none_failed(window)
        self._unchanged(start, "no kernel's table changed for a moment")
        self._same(known, "etcd has the same keys, none of which was gone for a moment")
        self._row("etcd killed, started", window, f"{span(back - again)} to be back, no write")

    def agent_restart(self, host: DockerHost) -> None:
        """Kill an agent, and start it again."""
        stage = self._cluster
        known = stage.keys()
        leases = {key.lease for key in known.values() if key.agent == host.name}
        comeback = self._kill_and_start(host.agent, away=0)
        self._unchanged(comeback.start, "no kernel's table changed for a moment")
        self._stage.until(
            lambda: not leases & {key.lease for key in stage.keys().values()},
            f"the keys of {host.name} under a lease of the new agent",
            timeout=TTL,
        )
        self._same(known, f"no key of {host.name} was gone for a moment; all have a new lease")
        took = f"{span(comeback.back - comeback.again)} to be back, nothing withdrawn"
        self._row(f"agent of {host.name} killed", comeback.window, took)

    def vanish(self, host: DockerHost) -> None:
        """A whole Docker host ends, and nobody is told."""
        stage, lost = self._cluster, sorted(self._live(host))
        start = time.monotonic()
        stage.crash(host)
        quiet = self._when(
            stage.director.table, lambda weights: not host.weight(weights), start, "it out"
        )
        stage.watch_for(3)
        window = self._window(start, time.monotonic())
        gone = self._when(
            stage.director.table, lambda weights: host.weight(weights) is None, quiet, "it gone"
        )
        self._ended.update(lost)
        failures = [one for one in window if one.error]
        self._fact("from its end to weight 0 in the director's kernel", quiet - start)
        self._fact(f"from its end to the end of its drain (at most {DRAIN} s)", gone - start)
        self._screen.fact("requests that failed", f"{len(failures)} of {len(window)}")
        self._claim(
            f"its last word counted for the TTL of {TTL} s, and for {_LONGEST} s at the very most",
            quiet - start <= _LONGEST,
            quiet - start,
        )
        self._none_after(lost, quiet, why="its weight was 0")
        self._none_failed_after(window, quiet)
        left = [name for name, key in stage.keys().items() if key.agent == host.name]
        self._claim(f"nothing that {host.name} has published is left in etcd", not left, left)
        self._row(f"{host.name} vanished", window, f"{span(quiet - start)} to weight 0")

    def _same(self, known: dict[str, Key], claim: str) -> None:
        """The keys in etcd are those of before, and none came to be since."""
        now = {name: key.created for name, key in self._cluster.keys().items()}
        self._claim(claim, now == {name: key.created for name, key in known.items()}, now)
