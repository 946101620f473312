"""The network of these tests: clients, real servers, and a director that each test has fresh.

    client ── front ── director ── back ── web1 web2 web3    default route: the director (masq)
       └───────────────────────────  back ── direct          answers clients itself (droute, tunnel)

Clients and real servers stay for all tests. A director is a network namespace with an IPVS table,
a connection table and a trash of its own, so no test sees what another one left in the kernel.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Self

from tests.lab.network import Bridge, Namespace, Networks
from tests.lab.polling import eventually
from tests.lab.process import Completed
from tests.lab.promises.servers import Servers

CLIENT, CLIENT6 = "192.0.2.1", "2001:db8:1::1"
CLIENT_BACK = "203.0.113.1"
FRONT, FRONT6 = "192.0.2.254", "2001:db8:1::fe"
BACK, BACK6 = "203.0.113.254", "2001:db8:2::fe"
WEB = {name: f"203.0.113.{number}" for number, name in enumerate(("web1", "web2", "web3"), 11)}
WEB6 = {name: f"2001:db8:2::{number}" for number, name in enumerate(("web1", "web2", "web3"), 11)}
DIRECT, DIRECT6 = "203.0.113.14", "2001:db8:2::14"
VIPS, VIPS6 = "198.51.100.0/24", "2001:db8:3::/64"
VIP, VIP6 = "198.51.100.1", "2001:db8:3::1"

WEB_SERVICE = f"""\
[services.web]
frontend = {{ ipv4 = "{VIP}", tcp = 80 }}
scheduler = "wrr"
backends = [
  {{ id = "web-1", address = "{WEB["web1"]}", tcp = 80, weight = 4 }},
  {{ id = "web-2", address = "{WEB["web2"]}", tcp = 80, weight = 4 }},
]
"""
VIP_DROUTE, VIP_TUNNEL = "198.51.100.2", "198.51.100.3"

MANAGED = '["198.51.100.0/25", "2001:db8:3::/112"]'
FOREIGN = """\
-A -t 198.51.100.200:80 -s wrr
-a -t 198.51.100.200:80 -r 203.0.113.77:8080 -m -w 3 -x 9 -y 4
-a -t 198.51.100.200:80 -r 203.0.113.78:8080 -m -w 0
-A -u 192.0.2.254:53 -s sh -p 77 -M 255.255.255.0
-a -u 192.0.2.254:53 -r 203.0.113.79:53 -g -w 1
-A -t [2001:db8:3::1:1]:443 -s mh -b mh-port
-a -t [2001:db8:3::1:1]:443 -r [2001:db8:2::77]:443 -m -w 5
-A -f 99 -s rr
-a -f 99 -r 203.0.113.77:0 -i -w 1 --tun-type ipip
"""
"""Virtual services of somebody else: at VIPs and a firewall mark outside of what is managed."""

PATIENCE = 40.0
"""Seconds in which whatever clusterf has to do is done, on the slowest machine."""


class Director:
    """A namespace that forwards from front to back, with the VIPs on its loopback."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self._foreign: list[str] = []

    def ipvsadm(self, *arguments: str, check: bool = True) -> str:
        return self.namespace.run(["ipvsadm", *arguments], check=check).stdout

    def load(self, rules: str) -> None:
        """Rules in the form of ``ipvsadm -S``. That it took them all is for the caller to see."""
        self.namespace.run(["ipvsadm", "-R"], text=rules)

    def load_foreign(self) -> None:
        """Somebody else's virtual services."""
        self.load(FOREIGN)
        self._foreign = self.foreign()
        assert set(self._foreign) == FOREIGN_LINES

    def check_foreign(self) -> None:
        """Theirs are as they were loaded, before clusterf was there."""
        assert self._foreign
        assert self.foreign() == self._foreign

    def rules(self) -> list[str]:
        """The whole table as ``ipvsadm -S -n`` prints it."""
        return [line.strip() for line in self.ipvsadm("-S", "-n").splitlines()]

    def table(self) -> list[str]:
        """As `rules`, and with the thresholds, which ``ipvsadm -S`` leaves out."""
        thresholds = _thresholds(self.ipvsadm("-L", "-n", "--thresholds"))
        lines = self.rules()
        places = [index for index, line in enumerate(lines) if line.startswith("-a")]
        for index, (upper, lower) in zip(places, thresholds, strict=True):
            lines[index] += f" -x {upper}" * bool(upper) + f" -y {lower}" * bool(lower)
        return lines

    def managed(self) -> list[str]:
        """The part of `table` that is clusterf's."""
        return [line for line in self.table() if not _is_foreign(line)]

    def foreign(self) -> list[str]:
        """The part of `table` that is not."""
        return [line for line in self.table() if _is_foreign(line)]

    def wait_for_rules(
        self, condition: Callable[[list[str]], object], what: str, within: float = PATIENCE
    ) -> list[str]:
        """Wait until the managed rules (as of ``ipvsadm -S``) are as wanted; returns them."""
        seen: list[str] = []

        def holds() -> object:
            seen[:] = [line for line in self.rules() if not _is_foreign(line)]
            return condition(seen)

        try:
            eventually(holds, what, within=within)
        except TimeoutError as error:
            raise AssertionError(f"{error}; the table is\n" + "\n".join(seen)) from None
        return list(seen)

    def run(
        self, argv: list[str], *, text: str = "", check: bool = True, timeout: float = 60
    ) -> Completed:
        return self.namespace.run(argv, text=text, check=check, timeout=timeout)


FOREIGN_LINES = frozenset(FOREIGN.splitlines())
_FOREIGN_KEYS = frozenset(" ".join(line.split()[1:3]) for line in FOREIGN_LINES)


def _is_foreign(line: str) -> bool:
    return " ".join(line.split()[1:3]) in _FOREIGN_KEYS


def _thresholds(listing: str) -> list[tuple[int, int]]:
    """Upper and lower of each destination, in the order of the listing."""
    rows = [line.split() for line in listing.splitlines() if line.startswith("  -> ")]
    return [(int(row[2]), int(row[3])) for row in rows if len(row) > 3]


class World:
    """What stays: wires, the client, real servers that answer HTTP and echo."""

    def __init__(self) -> None:
        self._networks = Networks()
        self._answering: Servers | None = None

    def __enter__(self) -> Self:
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._answering is not None:
            self._answering.close()
        self._networks.close()

    def _build(self) -> None:
        networks = self._networks
        wires = networks.namespace("wires")
        self.front: Bridge = networks.bridge(wires, "front")
        self.back: Bridge = networks.bridge(wires, "back")
        self.client = networks.namespace("client", forward=True)
        networks.plug(self.client, "eth0", self.front, [f"{CLIENT}/24", f"{CLIENT6}/64"])
        networks.plug(self.client, "eth1", self.back, [f"{CLIENT_BACK}/24"])
        self.client.ip(f"route add {VIPS} via {FRONT}", f"route add {VIPS6} via {FRONT6}")
        self.servers: dict[str, Namespace] = {}
        for name, address in WEB.items():
            self._server(name, address, WEB6[name])
        self.direct = self._server("direct", DIRECT, DIRECT6)
        self.direct.sysctl(ipv4__conf__all__arp_ignore=1, ipv4__conf__all__arp_announce=2)
        self.direct.ip(
            f"route add {CLIENT}/32 via {CLIENT_BACK}",
            f"address add {VIP_DROUTE}/32 dev lo",
            f"address add {VIP_TUNNEL}/32 dev lo",
            f"link add decap type ipip local {DIRECT} remote {BACK}",
            "link set decap up",
        )
        self.direct.sysctl(
            ipv4__conf__all__rp_filter=0,
            ipv4__conf__default__rp_filter=0,
            ipv4__conf__decap__rp_filter=0,
        )
        self._answering = Servers(self.servers.items())

    def _server(self, name: str, ipv4: str, ipv6: str) -> Namespace:
        namespace = self._networks.namespace(name)
        self._networks.plug(namespace, "eth0", self.back, [f"{ipv4}/24", f"{ipv6}/64"])
        namespace.ip(f"route add default via {BACK}", f"route add default via {BACK6}")
        self.servers[name] = namespace
        return namespace

    @contextlib.contextmanager
    def director(self) -> Iterator[Director]:
        """A new director. One at a time: they have the same addresses."""
        with Networks() as networks:
            namespace = networks.namespace("director", forward=True)
            # Always the same hardware addresses, so that no neighbour has to learn them anew.
            self._plug(namespace, "front", self.front, (f"{FRONT}/24", f"{FRONT6}/64"), 1)
            self._plug(namespace, "back", self.back, (f"{BACK}/24", f"{BACK6}/64"), 2)
            namespace.ip(
                *(f"address add 198.51.100.{last}/32 dev lo" for last in range(1, 10)),
                *(f"address add 2001:db8:3::{last}/128 dev lo nodad" for last in range(1, 10)),
            )
            try:
                yield Director(namespace)
            finally:
                namespace.ip("link delete front", "link delete back")

    @staticmethod
    def _plug(
        namespace: Namespace, name: str, bridge: Bridge, addresses: tuple[str, ...], number: int
    ) -> None:
        bridge.namespace.ip(
            f"link add d-{name} type veth peer name {name} "
            f"address 02:00:00:00:00:0{number} netns {namespace.name}",
            f"link set d-{name} master {bridge.name} up",
        )
        namespace.ip(
            *(
                f"address add {address} broadcast + dev {name}"
                if "." in address
                else f"address add {address} dev {name} nodad"
                for address in addresses
            ),
            f"link set {name} up",
        )
