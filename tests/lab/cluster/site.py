"""One site: etcd, the agents of two hosts, and a director, all real programs.

Two services at one VIP, ``echo`` on port 7 and ``web`` on port 80, with two backends on each host:
four destinations each, of weight 10. People wrote the frontends, agents publish the backends.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from tests.demo.table import Weights
from tests.etcd.server import Cluster
from tests.lab import scratch
from tests.lab.cluster.network import HOSTS, ClusterNetwork, control, server
from tests.lab.cluster.programs import PATIENCE, Agent, Director
from tests.lab.polling import eventually

Table = dict[str, Weights]
"""Weights by destination, by virtual service: ``{"TCP 198.51.100.9:7": {...}}``."""

ECHO, WEB = 7, 80
PORTS = {"echo": ECHO, "web": WEB}
EACH = (1, 2)
"""Backends of a service on one host."""


class Site:
    """``number``, from 1 to 9, keeps it apart from other sites in the same network.

    Args:
        ttl, grace, drain: as in clusterf.toml; None leaves the default.
        size: members of etcd.
        options: of etcd(1).
    """

    def __init__(
        self,
        network: ClusterNetwork,
        folder: Path,
        number: int,
        *,
        ttl: str | None = None,
        grace: str | None = None,
        drain: str = "15s",
        size: int = 1,
        options: Sequence[str] = (),
    ) -> None:
        self.network = network
        self.number = number
        self.vip, self.other_vip = (f"198.51.100.{8 * number + last}" for last in (1, 2))
        self.etcd_place = network.controlled(f"etcd{number}", 10 + number)
        self.etcd = Cluster(
            size, place=self.etcd_place, host=control(10 + number), options=options, start=False
        )
        self.agents = {host: Agent(network.agents[host], folder / f"agent{host}") for host in HOSTS}
        # Its socket and its state belong to the director's kernel, its clusterf.toml is shared.
        self._private = Path(tempfile.gettempdir()) / scratch.name(f"site{number}")
        self.director = Director(
            network.director, network.director.shared / scratch.name(f"site{number}")
        )
        for host, agent in self.agents.items():
            text = self._agent(host, self._local(host), _line("ttl", ttl))
            agent.file.write_text(text, "utf-8")
        text = self._director(_line("grace", grace), drain)
        self.director.file.write_text(text, "utf-8")

    # --- its life ------------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything, and wait until the kernel has all of it."""
        self.etcd.start()
        self.put_frontends()
        for host, agent in self.agents.items():
            self.says(host)
            agent.start()
        self.director.start()
        self.wait_whole()
        self.director.wait_started()

    def mend(self) -> None:
        """Make it whole again, whatever a test that failed has left of it."""
        self.etcd_place.run(["iptables-legacy", "-F"])
        self.etcd_place.ip("link set eth0 up")
        for member in self.etcd.members:
            if member.running:
                member.thaw()
        self.etcd.start()
        if self.table != self.whole():
            self.put_frontends()
        for host, agent in self.agents.items():
            self.says(host)
            agent.start_again()
        self.director.start_again()
        self.wait_whole()

    def close(self) -> None:
        self.director.close()
        for agent in self.agents.values():
            agent.close()
        self.etcd.close()
        shutil.rmtree(self._private, ignore_errors=True)

    def put_frontends(self) -> None:
        """What people wrote."""
        for service, port in PORTS.items():
            self.put_frontend(service, ipv4=self.vip, tcp=port, scheduler="rr")

    def put_frontend(self, service: str, **value: Any) -> None:
        self.etcd.put(f"/clusterf/services/{service}/frontend", json.dumps(value))

    def says(self, host: int, *, weight: int | None = None, numbers: Sequence[int] = EACH) -> None:
        """Have a host's agent learn of its backends, with another weight, or other ones."""
        self.agents[host].says(
            "".join(
                f"[services.{service}]\nbackends = [\n"
                + "".join(
                    f'  {{ id = "host{host}-{number}", address = "{self._server(host, number)}",'
                    f" tcp = {port}{'' if weight is None else f', weight = {weight}'} }},\n"
                    for number in numbers
                )
                + "]\n"
                for service, port in PORTS.items()
            )
        )

    # --- the kernel's table ----------------------------------------------------------------------

    def whole(self, *hosts: int, weight: int = 10, numbers: Sequence[int] = EACH) -> Table:
        """The table with the backends of these hosts; without hosts, of all."""
        return {
            f"TCP {self.vip}:{port}": {
                f"{self._server(host, number)}:{port}": weight
                for host in hosts or HOSTS
                for number in numbers
            }
            for port in PORTS.values()
        }

    @property
    def table(self) -> Table:
        """What the kernel has of this site, as it was last seen."""
        return self._own(self.network.table.now)

    def tables(self, since: float) -> list[tuple[float, Table]]:
        """Every state after a moment of the monotonic clock, and the one that it found."""
        changes = self.network.table.since(0)
        before = [change for change in changes if change.at <= since][-1:]
        after = [change for change in changes if change.at > since]
        return [(change.at, self._own(change.services)) for change in (*before, *after)]

    def wait_table(self, wanted: Table, *, within: float = PATIENCE) -> float:
        """Wait until the kernel has this; returns the moment at which that was seen."""
        try:
            eventually(lambda: self.table == wanted, "the table", within=within, every=0.02)
        except TimeoutError as error:
            raise AssertionError(
                f"{error}\nwanted {wanted}\nis     {self.table}\n{self.logs()}"
            ) from None
        return time.monotonic()

    def wait_whole(self, *, within: float = PATIENCE) -> None:
        self.wait_table(self.whole(), within=within)

    def check_follows(self, *hosts: int, numbers: Sequence[int] = EACH) -> None:
        """A change on each of these hosts comes to the kernel, and its end too."""
        before = self.table
        changed = {entry: dict(weights) for entry, weights in before.items()}
        for host in hosts or HOSTS:
            self.says(host, weight=20, numbers=numbers)
            for entry, weights in self.whole(host, weight=20, numbers=numbers).items():
                changed[entry].update(weights)
        self.wait_table(changed)
        for host in hosts or HOSTS:
            self.says(host, numbers=numbers)
        self.wait_table(before)

    def serving(self) -> Table:
        """The table without what drains."""
        return {
            entry: {target: weight for target, weight in weights.items() if weight}
            for entry, weights in self.table.items()
        }

    def _own(self, services: Table) -> Table:
        return {
            entry: weights
            for entry, weights in services.items()
            if entry.startswith((f"TCP {self.vip}:", f"TCP {self.other_vip}:"))
        }

    def _server(self, host: int, number: int) -> str:
        return server(host, 10 * self.number + number)

    # --- etcd ------------------------------------------------------------------------------------

    @property
    def hosts(self) -> list[str]:
        """Addresses of the agents' hosts, for a partition."""
        return [control(host) for host in HOSTS]

    def keys(self) -> list[str]:
        """All keys of clusterf, asked where etcd runs."""
        found = self.etcd.ctl("get", "--prefix", "--keys-only", "/clusterf/").stdout
        return [key for key in found.splitlines() if key]

    def published(self) -> list[str]:
        """Keys of backends."""
        return [key for key in self.keys() if "/backends/" in key]

    def leases(self) -> int:
        """How many leases agents got, since their last starts: one more each when one ran out."""
        return sum(agent.log.count(" lease granted ") for agent in self.agents.values())

    # --- what it says ----------------------------------------------------------------------------

    def logs(self) -> str:
        """What all programs of ours wrote, for a test that failed."""
        return f"director:\n{self.director.log}\n" + "\n".join(
            f"agent {host}:\n{agent.log}" for host, agent in self.agents.items()
        )

    # --- its configuration -----------------------------------------------------------------------

    def _local(self, host: int) -> str:  # noqa: ARG002 - not all hosts are alike in other sites
        return 'type = "static"\npath = "services.d"'

    def _agent(self, host: int, local: str, ttl: str) -> str:
        return f"""\
[clusterf]
managed = []
control = "control.sock"
state_dir = "state"

[sources.local]
{local}

[outputs.cluster]
type = "etcd"
endpoints = {json.dumps(self.etcd.endpoints)}
sources = ["local"]
agent = "host{host}"
{ttl}
"""

    def _director(self, grace: str, drain: str) -> str:
        return f"""\
[clusterf]
managed = ["198.51.100.{8 * self.number}/29"]
control = "{self._private}/control.sock"
state_dir = "{self._private}/state"

[sources.cluster]
type = "etcd"
endpoints = {json.dumps(self.etcd.endpoints)}
{grace}

[outputs.kernel]
type = "ipvs"
drain = "{drain}"
"""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _line(key: str, value: str | None) -> str:
    return "" if value is None else f'{key} = "{value}"'
