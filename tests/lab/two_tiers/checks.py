"""What is asserted of transfers: that they took the way they should, and that nothing was lost."""

from __future__ import annotations

from collections.abc import Callable

from tests.lab.polling import eventually
from tests.lab.two_tiers import counters
from tests.lab.two_tiers.counters import Served
from tests.lab.two_tiers.stage import Family, Way
from tests.lab.two_tiers.tiers import PORT, Tiers
from tests.lab.two_tiers.transfers import Size, Transfer, transfer

FAMILIES: tuple[Family, ...] = (4, 6)

SIZES = {
    "a few bytes": Size(10, 10),
    "1,500 bytes": Size(1500, 1500),
    "64 KB": Size(64 << 10, 64 << 10),
    "1 MB": Size(1 << 20, 1 << 20),
}

FULL_PACKETS = Size(3000, 3000)

_ESTIMATION = 20.0
"""Seconds in which IPVS sums up its counters, which it does every other second."""


def transfer_all(tiers: Tiers, way: Way, family: Family) -> list[Transfer]:
    """One transfer of each size."""
    client, vip = tiers.stage.client, way.vip(family)
    return [transfer(client, vip, PORT, size) for size in SIZES.values()]


class Watched:
    """Counters of both tiers for a way, and of the router between them, before and after."""

    def __init__(self, tiers: Tiers, way: Way) -> None:
        self._tiers = tiers
        self._way = way
        self._served = self._serve()
        self._too_large = self._large()
        self._came = self._out_of_tunnels()

    def check_the_way(self, connections: int) -> None:
        """Connections of each family went through both tiers, and answers only through one.

        What the first tier tells of packets that are too large is all that it has to say.
        """
        self._wait(
            f"{connections} connections through both tiers",
            lambda: (
                all(
                    first.connections == second.connections == connections
                    and second.outwards > connections
                    for first, second in self._since()
                )
                and sum(first.outwards for first, _ in self._since()) == self.told()
            ),
        )

    def check_nothing_was_lost(self) -> None:
        """Each packet that the first tier got has come to the second one, in one piece."""
        came = self._came_since()
        self._wait(
            f"as many packets at the first tier as the {came} at the second one",
            lambda: sum(first.inwards for first, _ in self._since()) == self._came_since(),
        )
        assert self._large() == self._too_large

    def _came_since(self) -> int:
        """Packets that came to the second tier by this way, before anybody puts them together.

        GRO does that in a tunnel device, and then IPVS sees trains.
        """
        if self._way.tunnel:
            return self._out_of_tunnels() - self._came
        return sum(second.inwards for _, second in self._since())

    def told(self) -> int:
        """How often the first tier has told of packets that are too large."""
        now, before = self._large()[0], self._too_large[0]
        return sum(now[name] - before[name] for name in ("OutDestUnreachs", "Icmp6OutPktTooBigs"))

    def _wait(self, what: str, holds: Callable[[], bool]) -> None:
        """Until IPVS has summed up its counters, and they are so."""
        try:
            eventually(holds, what, within=_ESTIMATION, every=0.2)
        except TimeoutError as error:
            raise AssertionError(f"{error}: {self._since()}") from None

    def _since(self) -> list[tuple[Served, Served]]:
        """For each family what both tiers have counted."""
        return [
            (first.since(before[0]), second.since(before[1]))
            for (first, second), before in zip(self._serve(), self._served, strict=True)
        ]

    def _serve(self) -> list[tuple[Served, Served]]:
        first = counters.served(self._tiers.stage.tier1)
        second = counters.served(self._tiers.stage.tier2)
        vips = [self._way.vip(family) for family in FAMILIES]
        return [(counters.of(first, vip), counters.of(second, vip)) for vip in vips]

    def _large(self) -> list[dict[str, int]]:
        stage = self._tiers.stage
        places = (stage.tier1.namespace, stage.core, stage.tier2.namespace)
        return [counters.too_large(place) for place in places]

    def _out_of_tunnels(self) -> int:
        return counters.received(self._tiers.stage.tier2.namespace, "clusterf-")
