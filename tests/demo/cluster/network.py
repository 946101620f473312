"""The network of `make demo-cluster`: one Ethernet with two Docker hosts, and what is behind them.

::

    client .1 ───┬─── director .10
    etcd   .2 ───┤
                 ├─── host1 .11 ─── docker1 ─── containers 203.0.113.0/26   2001:db8:4:1::/64
                 └─── host2 .12 ─── docker2 ─── containers 203.0.113.64/26  2001:db8:4:2::/64
           192.0.2.0/24
           2001:db8:1::/64

Virtual IP addresses are taken from 198.51.100.0/24 and 2001:db8:3::/64. The client sends to them by
way of the director; the hosts answer it directly.

A Docker host is two parts, since its own kernel may have to be a guest: a kernel with IPVS, which
has the host's addresses (``host1``), and behind it the namespace of the engine, its containers, and
the agent (``docker1``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tests.lab.engine import Engine
from tests.lab.network import Networks
from tests.lab.wiring import Card, Wiring

if TYPE_CHECKING:
    from tests.lab.kernel import Kernel
    from tests.lab.network import Bridge, Namespace

CLIENT, CLIENT6 = "192.0.2.1", "2001:db8:1::1"
DIRECTOR_MAC = "02:00:00:00:00:0a"
ETCD = "192.0.2.2"
DIRECTOR, DIRECTOR6 = "192.0.2.10", "2001:db8:1::10"
VIPS, VIPS6 = "198.51.100.0/24", "2001:db8:3::/64"

_MEMORY = 384
"""MiB of each kernel that is a guest."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """What the Docker host with this number, from 1, is at."""

    number: int

    @property
    def name(self) -> str:
        return f"host{self.number}"

    @property
    def mac(self) -> str:
        """Of its card in the Ethernet."""
        return f"02:00:00:00:00:1{self.number}"

    @property
    def host(self) -> str:
        return f"192.0.2.1{self.number}"

    @property
    def host6(self) -> str:
        return f"2001:db8:1::1{self.number}"

    @property
    def inside(self) -> str:
        """The host, for its containers' namespace."""
        return f"203.0.113.{125 + 4 * self.number}"

    @property
    def between(self) -> str:
        """The prefix of what is between the two parts."""
        return f"203.0.113.{124 + 4 * self.number}/30"

    @property
    def inside6(self) -> str:
        return f"2001:db8:2:{self.number}::1"

    @property
    def engine(self) -> str:
        """The containers' namespace, for the host."""
        return f"203.0.113.{126 + 4 * self.number}"

    @property
    def engine6(self) -> str:
        return f"2001:db8:2:{self.number}::2"

    @property
    def api(self) -> str:
        """The engine's API."""
        return f"{self.engine}:2375"

    @property
    def bridge(self) -> str:
        """The containers' first router, with the length of their prefix."""
        return f"203.0.113.{64 * self.number - 63}/26"

    @property
    def containers(self) -> str:
        return f"203.0.113.{64 * self.number - 64}/26"

    @property
    def containers6(self) -> str:
        return f"2001:db8:4:{self.number}::/64"


HOSTS = (Addresses(1), Addresses(2))


class ClusterNetwork:
    """The namespaces and wires, and what can be put on them, several at once.

    Whoever is given something closes it.
    """

    def __init__(self) -> None:
        self._networks = Networks()
        try:
            self._wiring = Wiring(self._networks)
            self._lan = self._wiring.segment("lan")
            self._inside: dict[Addresses, Bridge] = {}
            self._docker: dict[Addresses, Namespace] = {}
            self.client = self._networks.namespace("client")
            self.etcd = self._networks.namespace("etcd")
            self._wire()
            for at in HOSTS:
                self._wire_host(at)
        except BaseException:
            self.close()
            raise

    def _wire(self) -> None:
        self._networks.plug(self.client, "eth0", self._lan, [f"{CLIENT}/24", f"{CLIENT6}/64"])
        self._networks.plug(self.etcd, "eth0", self._lan, [f"{ETCD}/24"])
        self.client.ip(f"route add {VIPS} via {DIRECTOR}", f"route add {VIPS6} via {DIRECTOR6}")

    def _wire_host(self, at: Addresses) -> None:
        self._inside[at] = inside = self._wiring.segment(f"inside{at.number}")
        self._docker[at] = docker = self._networks.namespace(f"docker{at.number}", forward=True)
        self._networks.plug(docker, "eth0", inside, [f"{at.engine}/30", f"{at.engine6}/64"])
        docker.ip(f"route add default via {at.inside}", f"route add default via {at.inside6}")
        self.etcd.ip(f"route add {at.between} via {at.host}")

    def director(self) -> Kernel:
        card = Card("lan", self._lan, DIRECTOR_MAC)
        director = self._wiring.kernel("director", [card], memory=_MEMORY)
        return _addressed(
            director,
            f"address add {DIRECTOR}/24 dev lan",
            f"address add {DIRECTOR6}/64 dev lan nodad",
        )

    def host(self, at: Addresses) -> Kernel:
        cards = [
            Card("lan", self._lan, at.mac),
            Card("inside", self._inside[at], f"02:00:00:00:00:2{at.number}"),
        ]
        return _addressed(
            self._wiring.kernel(at.name, cards, memory=_MEMORY),
            f"address add {at.host}/24 dev lan",
            f"address add {at.host6}/64 dev lan nodad",
            f"address add {at.inside}/30 dev inside",
            f"address add {at.inside6}/64 dev inside nodad",
            f"route add {at.containers} via {at.engine}",
            f"route add {at.containers6} via {at.engine6}",
        )

    def docker(self, at: Addresses) -> Namespace:
        """Where the engine and the agent of a host are."""
        return self._docker[at]

    def engine(self, at: Addresses) -> Engine:
        """Start the private Docker Engine of a host; the host finds it at :attr:`Addresses.api`."""
        return Engine(self._docker[at], tcp=at.api, bridge=at.bridge, bridge6=at.containers6)

    def close(self) -> None:
        self._networks.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _addressed(kernel: Kernel, *commands: str) -> Kernel:
    try:
        kernel.ip(*commands)
    except BaseException:
        kernel.close()
        raise
    return kernel
