"""The stage of `make demo-cluster`: etcd, a director, two Docker hosts; all of it torn down."""

from __future__ import annotations

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tests.demo import containers
from tests.demo.cluster.configuration import PREFIX, VIP6, WEIGHT
from tests.demo.cluster.hosts import Director, DockerHost
from tests.demo.cluster.network import CLIENT, ETCD, HOSTS, ClusterNetwork
from tests.demo.configuration import ENTRY, VIP
from tests.demo.stage import Stage, kernel_fact
from tests.etcd.server import Cluster
from tests.lab import scratch
from tests.lab.kernel import HostKernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.demo.cluster.network import Addresses
    from tests.demo.daemon import Daemon
    from tests.lab.engine import Engine

C = TypeVar("C", bound="AbstractContextManager[object]")


class Key(NamedTuple):
    """A key in etcd: the revision at which it came to be, its lease, and the agent who wrote it.

    One that is deleted and written again came to be at another revision.
    """

    created: int
    lease: int
    agent: str


class ClusterStage(Stage):
    """Everything that is slow to start is started at once."""

    def set_up(self) -> None:
        self._interrupted()
        scratch.sweep()
        network = self._exits.enter_context(ClusterNetwork())
        self.client = network.client
        entering = threading.Lock()

        def up(make: Callable[[], C]) -> C:
            made = make()
            # Also what comes up while something else fails is taken down.
            with entering:
                self._exits.enter_context(made)
            return made

        def engine(at: Addresses) -> Engine:
            made = up(lambda: network.engine(at))
            containers.build(made)
            return made

        with ThreadPoolExecutor(max_workers=8) as at_once:
            director = at_once.submit(up, network.director)
            kernels = [at_once.submit(up, lambda at=at: network.host(at)) for at in HOSTS]
            engines = [at_once.submit(engine, at) for at in HOSTS]
            etcd = at_once.submit(up, lambda: Cluster(place=network.etcd, host=ETCD))
        self._interrupted()
        self.etcd = etcd.result()
        self.director = Director(self, director.result())
        self.hosts = [
            DockerHost(
                self,
                at,
                kernel.result(),
                self._exits.enter_context(HostKernel(network.docker(at))),
                engine.result(),
            )
            for at, kernel, engine in zip(HOSTS, kernels, engines, strict=True)
        ]

    def facts(self) -> Iterator[str]:
        yield kernel_fact(
            "the kernel of the director and of each Docker host", self.director.kernel
        )
        yield (
            f"the Docker Engines: {self.hosts[0].version}, private, each in a namespace behind the"
            " kernel of its host, and an agent beside it"
        )
        version = self.etcd.ctl("version").stdout.split()[2]
        yield f"etcd {version} with one member, at {ETCD}"
        yield f"the client: {CLIENT}; the addresses that it asks: {VIP} and {VIP6}"

    def keys(self) -> dict[str, Key]:
        """What is in etcd now."""
        answer = json.loads(self.etcd.ctl("get", "--prefix", PREFIX, "-w", "json").stdout)
        return {
            base64.b64decode(entry["key"]).decode(): Key(
                entry["create_revision"],
                entry.get("lease", 0),
                json.loads(base64.b64decode(entry["value"])).get("agent", ""),
            )
            for entry in answer.get("kvs", ())
        }

    def serves(self, containers: int) -> bool:
        """Whether both tiers send to all containers, and every kernel has the VIP."""
        tables = [self.director.table, *(host.table for host in self.hosts)]
        first, *second = [sum(table.now.get(ENTRY, {}).values()) for table in tables]
        added = f"ip address add {VIP}/32 "
        # Asked of its log: whatever is run in a guest slows down the start.
        bound = all(added in one.log() for one in self._with_table())
        return first == sum(second) == containers * WEIGHT and bound

    def _with_table(self) -> list[Daemon]:
        return [self.director.clusterf, *(host.second_tier for host in self.hosts)]

    def crash(self, host: DockerHost) -> None:
        """A Docker host vanishes."""
        self.tables.remove(host.table)
        host.crash()
