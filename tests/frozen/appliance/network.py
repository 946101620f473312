"""The network of an appliance: a client before it, real servers behind it.

::

    client ── front ── appliance ── back ── web1 web2     default route: the appliance (masq)

The VIPs are clusterf's to bind. Client and servers are namespaces of this kernel.
"""

from __future__ import annotations

from typing import Self

from tests.frozen.appliance.machine import Appliance
from tests.lab import scratch
from tests.lab.network import FORWARDING, Networks
from tests.lab.promises.servers import Servers
from tests.lab.wiring import Card, Wiring

CLIENT, CLIENT6 = "192.0.2.1", "2001:db8:1::1"
FRONT, FRONT6 = "192.0.2.62", "2001:db8:1::fe"
BACK, BACK6 = "203.0.113.254", "2001:db8:2::fe"
WEB = {"web1": "203.0.113.11", "web2": "203.0.113.12"}
WEB6 = {"web1": "2001:db8:2::11", "web2": "2001:db8:2::12"}
CARDS = {"front": "02:00:00:00:00:01", "back": "02:00:00:00:00:02"}
"""And their hardware addresses."""

OTHER = {"web1": "198.51.100.1", "web2": "198.51.100.2"}
"""Further addresses of theirs, which packaging/freeze/drop_ins/trial_source.py knows."""

VIPS, VIPS6 = "198.51.100.64/26", "2001:db8:3::/64"
VIP, VIP6 = "198.51.100.65", "2001:db8:3::1"
OTHER_VIP = "198.51.100.66"


class Site:
    """All of it, for all tests."""

    def __init__(self) -> None:
        scratch.sweep()
        self._networks = Networks()
        self._answering: Servers | None = None
        self._appliance: Appliance | None = None
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    @property
    def appliance(self) -> Appliance:
        assert self._appliance is not None
        return self._appliance

    def _build(self) -> None:
        networks = self._networks
        wiring = Wiring(networks)
        front, back = wiring.segment("front"), wiring.segment("back")
        self.client = networks.namespace("client")
        networks.plug(self.client, "eth0", front, [f"{CLIENT}/26", f"{CLIENT6}/64"])
        self.client.ip(f"route add {VIPS} via {FRONT}", f"route add {VIPS6} via {FRONT6}")
        servers = []
        for name, address in WEB.items():
            place = networks.namespace(name)
            addresses = [f"{address}/24", f"{WEB6[name]}/64", f"{OTHER[name]}/32"]
            networks.plug(place, "eth0", back, addresses)
            place.ip(f"route add default via {BACK}", f"route add default via {BACK6}")
            servers.append((name, place))
        self._answering = Servers(servers)
        wires = {"front": front, "back": back}
        cards = [Card(name, wires[name], mac) for name, mac in CARDS.items()]
        self._appliance = Appliance(wiring, cards)
        self._appliance.sysctl(
            **FORWARDING, **{f"ipv6__conf__{card}__accept_dad": 0 for card in ("all", *CARDS)}
        )
        self._appliance.ip(
            f"address add {FRONT}/26 dev front",
            f"address add {FRONT6}/64 dev front",
            f"address add {BACK}/24 dev back",
            f"address add {BACK6}/64 dev back",
            *(f"route add {OTHER[name]} via {address}" for name, address in WEB.items()),
        )

    def close(self) -> None:
        if self._appliance is not None:
            self._appliance.close()
        if self._answering is not None:
            self._answering.close()
        self._networks.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
