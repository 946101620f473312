"""The network of an end-to-end test: clients, a director, and a Docker host behind it.

::

    clients ──── front ──── director ──── back ──── docker ──── containers
    .1       192.0.2.0/25    .126 / .254   .128/25   .129        203.0.113.0/24
    2001:db8:1::1/64         ::2           2001:db8:2::/64 ::1   2001:db8:4::/62

``front`` and ``back`` are bridges in a namespace that stands for the wires. Virtual IP addresses
are taken from 198.51.100.0/24 and 2001:db8:3::/64, which the clients reach through the director.
The Docker host routes back to the clients through the director too, as forwarding by ``masq``
needs: its replies must be seen by the kernel that translated the requests.

Whatever the director's kernel is, its interfaces are called ``front`` and ``back``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from tests.lab import scratch
from tests.lab.engine import Engine
from tests.lab.network import Networks
from tests.lab.wiring import Card, Wiring

if TYPE_CHECKING:
    from tests.lab.certificates import Certificates
    from tests.lab.kernel import Kernel

CLIENT = "192.0.2.1"
CLIENT6 = "2001:db8:1::1"
DIRECTOR_FRONT = "192.0.2.126"
DIRECTOR_FRONT6 = "2001:db8:1::2"
DIRECTOR_BACK = "192.0.2.254"
DIRECTOR_BACK6 = "2001:db8:2::2"
DOCKER = "192.0.2.129"
DOCKER6 = "2001:db8:2::1"

CLIENTS_NET, CLIENTS_NET6 = "192.0.2.0/25", "2001:db8:1::/64"
VIPS, VIPS6 = "198.51.100.0/24", "2001:db8:3::/64"
CONTAINERS, CONTAINERS6 = "203.0.113.0/24", "2001:db8:4::/62"

DOCKER_PORT = 2375
_FRONT_MAC, _BACK_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"


class LabNetwork:
    """The namespaces and wires, before there is a director or an engine."""

    def __init__(self) -> None:
        scratch.sweep()
        self.networks = Networks()
        try:
            self._wiring = Wiring(self.networks)
            self._front = self._wiring.segment("front")
            self._back = self._wiring.segment("back")
            self.clients = self.networks.namespace("clients")
            self.docker = self.networks.namespace("docker", forward=True)
            self._wire()
        except BaseException:
            self.close()
            raise

    def _wire(self) -> None:
        self.networks.plug(self.clients, "eth0", self._front, [f"{CLIENT}/25", f"{CLIENT6}/64"])
        self.networks.plug(self.docker, "eth0", self._back, [f"{DOCKER}/25", f"{DOCKER6}/64"])
        self.clients.ip(
            f"route add {VIPS} via {DIRECTOR_FRONT}",
            f"route add {VIPS6} via {DIRECTOR_FRONT6}",
        )
        self.docker.ip(
            f"route add {CLIENTS_NET} via {DIRECTOR_BACK}",
            f"route add {CLIENTS_NET6} via {DIRECTOR_BACK6}",
        )

    def director(self, *, memory: int = 512) -> Kernel:
        """Boot a director and connect it; one at a time. The caller closes it."""
        cards = [Card("front", self._front, _FRONT_MAC), Card("back", self._back, _BACK_MAC)]
        kernel = self._wiring.kernel("director", cards, memory=memory)
        try:
            self._address(kernel)
        except BaseException:
            kernel.close()
            raise
        return kernel

    def engine(
        self,
        *,
        tls: Certificates | None = None,
        live_restore: bool = True,
        port: int = DOCKER_PORT,
    ) -> Engine:
        """Start a Docker Engine whose containers the director reaches; the caller closes it.

        Its API is on a Unix socket, for us, and at ``DOCKER``:``port``, for the director.
        """
        tcp = f"{DOCKER}:{port}"
        return Engine(self.docker, tcp=tcp, tls=tls, live_restore=live_restore)

    def close(self) -> None:
        self.networks.close()

    @staticmethod
    def _address(kernel: Kernel) -> None:
        kernel.ip(
            f"address add {DIRECTOR_FRONT}/25 dev front",
            f"address add {DIRECTOR_FRONT6}/64 dev front nodad",
            f"address add {DIRECTOR_BACK}/25 dev back",
            f"address add {DIRECTOR_BACK6}/64 dev back nodad",
            f"route add {CONTAINERS} via {DOCKER}",
            f"route add {CONTAINERS6} via {DOCKER6}",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
