"""The network of these tests: clients, a director, hosts, and a segment for what is said of them.

::

    client ── front ── director ── back ── host1 host2       what the clients' packets take
                          └────── control ── agent1 agent2   what agents and etcd say
                                         └── etcd of each site

An agent is in a namespace without any traffic, as on a host with a network card for management. So
etcd can be cut off from whomever a test likes, and no packet of a client takes another way.

The director is a kernel with IPVS; all else is on the kernel that runs the tests.
"""

from __future__ import annotations

from typing import Self

from tests.demo.table import KernelTable
from tests.lab.kernel import Kernel
from tests.lab.network import Namespace, Networks
from tests.lab.polling import eventually
from tests.lab.promises.servers import Servers
from tests.lab.wiring import Card, Wiring

CLIENT, FRONT = "192.0.2.1", "192.0.2.62"
BACK = "203.0.113.254"
DIRECTOR = "192.0.2.126"
"""The director in the segment of control; its cards are in the order of the picture."""

VIPS = "198.51.100.0/24"
HOSTS = (1, 2)
CONTAINERS = {"bridge": "192.0.2.129/26", "pool": "base=192.0.2.192/26,size=28"}
"""Of an engine on host 1."""


def control(number: int) -> str:
    """An address in the segment of control: 1 to 9 are agents, the others etcd."""
    return f"192.0.2.{64 + number}"


def server(host: int, number: int) -> str:
    """An address of a host's server, 1 to 99. It answers alike at all of them."""
    return f"203.0.113.{100 * (host - 1) + number}"


class ClusterNetwork:
    """The namespaces, the director's kernel, and a real server on each host, for all tests."""

    def __init__(self) -> None:
        self.networks = Networks()
        self._answering: Servers | None = None
        self._director: Kernel | None = None
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    @property
    def director(self) -> Kernel:
        assert self._director is not None
        return self._director

    def _build(self) -> None:
        networks = self.networks
        wiring = Wiring(networks)
        front, back = wiring.segment("front"), wiring.segment("back")
        self._control = wiring.segment("control")
        self.client = networks.namespace("client")
        networks.plug(self.client, "eth0", front, [f"{CLIENT}/26"])
        self.client.ip(f"route add {VIPS} via {FRONT}")
        self.agents = {host: self.controlled(f"agent{host}", host) for host in HOSTS}
        self.hosts: dict[int, Namespace] = {}
        for host in HOSTS:
            place = self.hosts[host] = networks.namespace(f"host{host}", forward=True)
            networks.plug(place, "eth0", back, [f"{server(host, n)}/24" for n in range(1, 100)])
            place.ip(f"route add default via {BACK}")
        self._answering = Servers((f"host{host}", place) for host, place in self.hosts.items())
        cards = [
            Card(name, segment, f"02:00:00:00:00:0{number}")
            for number, (name, segment) in enumerate(
                (("front", front), ("back", back), ("control", self._control)), 1
            )
        ]
        self._director = wiring.kernel("director", cards)
        self._director.ip(
            f"address add {FRONT}/26 dev front",
            f"address add {BACK}/24 dev back",
            f"address add {DIRECTOR}/26 dev control",
            f"route add 192.0.2.128/25 via {server(1, 1)}",
            *(f"address add 198.51.100.{last}/32 dev lo" for last in range(1, 100)),
        )
        self.table = KernelTable(self._director)
        eventually(lambda: self.table.since(0), "the first look at the table", within=20)

    def controlled(self, label: str, number: int) -> Namespace:
        """A new namespace in the segment of control, at `control` (number)."""
        place = self.networks.namespace(label)
        self.networks.plug(place, "eth0", self._control, [f"{control(number)}/26"])
        return place

    def close(self) -> None:
        if self._director is not None:
            self._director.close()
        if self._answering is not None:
            self._answering.close()
        self.networks.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
