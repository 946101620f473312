"""The network of these tests: a client, both tiers, and a container, across routers.

::

    client ── edge ── tier1 ── core ── tier2 ── docker0 ── container
               │        └─── rack ──┼───┘ │
               ├────────── back ────┼─────┘
               └──── around ────────┴─ far ── alone

The client reaches VIPs by tier1. Tunnels go from tier1 through the router core to tier2; rack is
an Ethernet that both tiers share, for ``droute``. Tier2 answers the client by back, never through
tier1. Behind core there is also ``alone``: a real server without a second tier, whose answers go
around both.

A *way* is a forwarding method of tier1, with its tunnel and the family of the outer packets. Each
has VIPs of both families, and a backend of its own in the container: routes go by its prefix.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

from tests.lab.network import Namespace, Networks
from tests.lab.promises.stage import Director

Family = Literal[4, 6]


class Link(NamedTuple):
    """A cable of two ends: 192.0.2.(4 n)/30 and 2001:db8:n::/64."""

    number: int

    def end(self, which: Literal[1, 2], family: Family) -> str:
        if family == 4:
            return f"192.0.2.{4 * self.number + which}"
        return f"2001:db8:{self.number}::{which}"

    def addresses(self, which: Literal[1, 2]) -> list[str]:
        return [f"{self.end(which, 4)}/30", f"{self.end(which, 6)}/64"]

    @property
    def nets(self) -> tuple[str, str]:
        return f"192.0.2.{4 * self.number}/30", f"2001:db8:{self.number}::/64"


CLIENTS, FRONT, BACK, RACK, MID, REAR, FAR, AROUND = (Link(number) for number in range(1, 9))
CONTAINERS, CONTAINERS6 = "203.0.113.0/24", "2001:db8:20::/64"
VIPS, VIPS6 = "198.51.100.0/24", "2001:db8:30::/64"
MANAGED = f'["{VIPS}", "{VIPS6}"]'

GUE_PORT = 6080


@dataclass(frozen=True, slots=True)
class Way:
    """A forwarding method; ``outer`` is of tunnels. ``alone``: to the server without a tier."""

    name: str
    number: int
    tunnel: str = ""
    outer: Family = 4
    alone: bool = False

    def vip(self, family: Family) -> str:
        """VIP of its service."""
        return VIPS.replace("0/24", f"{self.number}") if family == 4 else self._in(VIPS6)

    def backend(self, family: Family) -> str:
        """Where its service runs."""
        if self.alone:
            return FAR.end(2, family)
        return f"203.0.113.{self.number}" if family == 4 else self._in(CONTAINERS6)

    def gateway(self, family: Family) -> str:
        """Where tier1 sends packets of this inner family."""
        if not self.tunnel:
            return RACK.end(2, family)
        return (FAR if self.alone else REAR).end(2, self.outer)

    def _in(self, prefix: str) -> str:
        return prefix.replace("/64", f"{self.number:x}")


def _ways() -> Iterator[Way]:
    numbers = itertools.count(11)
    yield Way("droute", next(numbers))
    gue = f'{{ type = "gue", port = {GUE_PORT}, flags = "%s" }}'
    tunnels = {
        "ipip": '"ipip"',
        "gre": '"gre"',
        "gue": gue % "nocsum",
        "gue-csum": gue % "csum",
        "gue-remcsum": gue % "remcsum",
    }
    outers: tuple[Family, ...] = (4, 6)
    for (name, tunnel), outer in itertools.product(tunnels.items(), outers):
        yield Way(f"{name}-over-ipv{outer}", next(numbers), tunnel, outer)
    yield Way("alone", next(numbers), '"ipip"', 4, alone=True)


WAYS = {way.name: way for way in _ways()}
THROUGH_TIER2 = [way for way in WAYS.values() if not way.alone]
MAIN = [way for way in THROUGH_TIER2 if "csum" not in way.name]
"""One of each type and outer family."""

ALONE = WAYS["alone"]


class Stage:
    """The namespaces and what connects them."""

    def __init__(self) -> None:
        self._networks = Networks()
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._networks.close()

    def _build(self) -> None:
        make = self._networks.namespace
        self.client = make("client")
        self.edge = make("edge", forward=True)
        self.tier1 = Director(make("tier1", forward=True))
        self.core = make("core", forward=True)
        self.tier2 = Director(make("tier2", forward=True))
        self.alone = Director(make("alone"))
        self.container = make("container")
        tier1, tier2, alone = self.tier1.namespace, self.tier2.namespace, self.alone.namespace
        self._cable(CLIENTS, self.client, "eth0", self.edge, "clients")
        self._cable(FRONT, self.edge, "front", tier1, "front")
        self._cable(BACK, self.edge, "back", tier2, "back")
        self._cable(RACK, tier1, "rack", tier2, "rack")
        self._cable(MID, tier1, "mid", self.core, "mid")
        self._cable(REAR, self.core, "rear", tier2, "rear")
        self._cable(FAR, self.core, "far", alone, "eth0")
        self._cable(AROUND, self.edge, "around", self.core, "around")
        self._containers(tier2)
        default(self.client, CLIENTS, 2)
        default(tier1, MID, 2)
        default(self.core, MID, 1)
        default(tier2, BACK, 1)
        default(alone, FAR, 1)
        self.edge.ip(*(f"route add {net} via {FRONT.end(2, family)}" for net, family in _VIPS))
        for net, family in zip(CLIENTS.nets, _FAMILIES, strict=True):
            self.core.ip(f"route add {net} via {AROUND.end(1, family)}")
        self.send_trains(yes=False)
        self.let_errors_through(yes=True)

    def _cable(
        self, link: Link, one: Namespace, name: str, other: Namespace, other_name: str
    ) -> None:
        self._networks.cable(
            one,
            name,
            other,
            other_name,
            one_addresses=link.addresses(1),
            other_addresses=link.addresses(2),
        )

    def _containers(self, tier2: Namespace) -> None:
        bridge = self._networks.bridge(tier2, "docker0")
        tier2.ip(
            "address add 203.0.113.254/24 dev docker0",
            "address add 2001:db8:20::fe/64 dev docker0 nodad",
        )
        self._networks.plug(
            self.container,
            "eth0",
            bridge,
            [
                *(f"{way.backend(4)}/24" for way in THROUGH_TIER2),
                *(f"{way.backend(6)}/64" for way in THROUGH_TIER2),
            ],
        )
        self.container.ip(
            "route add default via 203.0.113.254", "route add default via 2001:db8:20::fe"
        )

    def let_errors_through(self, *, yes: bool) -> None:
        """Whether the client gets what tier1 has to say of packets that are too large."""
        tier1 = self.tier1.namespace
        for net, family in zip(CLIENTS.nets, _FAMILIES, strict=True):
            way = f"via {FRONT.end(1, family)}"
            tier1.ip(f"route replace {net} {way}" if yes else f"route replace blackhole {net}")
        self.forget_paths()

    def send_trains(self, *, yes: bool) -> None:
        """Whether the client's packets come together, as network cards do it (GRO), or singly."""
        self.client.ip(f"link set eth0 gso_max_segs {65535 if yes else 1}")

    def forget_paths(self) -> None:
        """What the client has learned of paths' MTUs."""
        self.client.run(["sh", "-ec", "ip route flush cache; ip -6 route flush cache"])

    def narrow_containers(self, mtu: int) -> None:
        """As Docker's option com.docker.network.driver.mtu does it."""
        self.container.ip(f"link set eth0 mtu {mtu}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_FAMILIES: tuple[Family, ...] = (4, 6)
_VIPS: tuple[tuple[str, Family], ...] = ((VIPS, 4), (VIPS6, 6))


def default(place: Namespace, link: Link, which: Literal[1, 2]) -> None:
    """The default routes of a place go to this end of a link."""
    place.ip(*(f"route add default via {link.end(which, family)}" for family in _FAMILIES))
