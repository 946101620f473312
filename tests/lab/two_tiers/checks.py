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

_PATIENCE = 20.0
"""Seconds in which the last packets of a connection come to their ends."""


def transfer_all(tiers: Tiers, way: Way, family: Family) -> list[Transfer]:
    """One transfer of each size."""
    client, vip = tiers.stage.client, way.vip(family)
    return [transfer(client, vip, PORT, size) for size in SIZES.values()]


class Watched:
    """Counters of both tiers, and of the router between them, before and after transfers."""

    def __init__(self, tiers: Tiers, way: Way) -> None:
        self._tiers = tiers
        self._way = way
        self._served = self._serve()
        self._too_large = self._large()
        self._came = self._out_of_tunnels()

    def check_the_way(self, connections: int) -> None:
        """So many connections went through both tiers, and answers only through one.

        What the first tier tells of packets that are too large is all that it has to say.
        """

        def holds() -> bool:
            first, second = self._since()
            return (
                first.connections == second.connections == connections
                and second.outwards > connections
                and first.outwards == self.told()
            )

        self._wait(f"{connections} connections through both tiers", holds)

    def check_nothing_was_lost(self) -> None:
        """Each packet that the first tier got has come to the second one, in one piece."""

        def holds() -> bool:
            first, _ = self._since()
            return first.inwards == self._came_since()

        self._wait("as many packets at the first tier as at the second one", holds)
        assert self._large() == self._too_large

    def _came_since(self) -> int:
        """Packets that came to the second tier by this way, before anybody puts them together.

        GRO does that in a tunnel device, and then IPVS sees trains.
        """
        if self._way.tunnel:
            return self._out_of_tunnels() - self._came
        _, second = self._since()
        return second.inwards

    def told(self) -> int:
        """How often the first tier has told of packets that are too large."""
        now, before = self._large()[0], self._too_large[0]
        return sum(now[name] - before[name] for name in ("OutDestUnreachs", "Icmp6OutPktTooBigs"))

    def _wait(self, what: str, holds: Callable[[], bool]) -> None:
        try:
            eventually(holds, what, within=_PATIENCE)
        except TimeoutError as error:
            seen = f"{self._since()}, came {self._came_since()}, told {self.told()}"
            raise AssertionError(f"{error}: {seen}") from None

    def _since(self) -> tuple[Served, Served]:
        """What both tiers have counted."""
        (first, second), (first_then, second_then) = self._serve(), self._served
        return first.since(first_then), second.since(second_then)

    def _serve(self) -> tuple[Served, Served]:
        stage = self._tiers.stage
        return counters.served(stage.tier1.namespace), counters.served(stage.tier2.namespace)

    def _large(self) -> list[dict[str, int]]:
        stage = self._tiers.stage
        places = (stage.tier1.namespace, stage.core, stage.tier2.namespace)
        return [counters.too_large(place) for place in places]

    def _out_of_tunnels(self) -> int:
        return counters.received(self._tiers.stage.tier2.namespace, "clusterf-")
