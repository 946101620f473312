"""The scope: what clusterf owns. All else is foreign and is never touched."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from clusterf.model.address import Address, Network
from clusterf.model.table import FwmarkKey, ServiceKey


@dataclass(frozen=True, slots=True)
class Scope:
    """VIP prefixes and firewall marks. Every entry of the cluster is held against it."""

    prefixes: Collection[Network] = ()
    fwmarks: Collection[int] = ()
    # By the length of an address, the bytes with which one of ours begins.
    _beginnings: dict[int, tuple[bytes, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        beginnings: dict[int, tuple[bytes, ...]] = {4: (), 16: ()}
        for prefix in self.prefixes:
            beginnings[len(prefix.address)] += tuple(_beginnings(prefix))
        object.__setattr__(self, "_beginnings", beginnings)

    def holds(self, address: Address) -> bool:
        """Whether this may be a VIP of ours."""
        return address.startswith(self._beginnings[len(address)])

    def owns(self, key: ServiceKey) -> bool:
        """Whether an entry is managed."""
        if isinstance(key, FwmarkKey):
            return key.mark in self.fwmarks
        return self.holds(key.address)


def _beginnings(prefix: Network) -> Iterator[bytes]:
    """Bytes that begin the addresses in a prefix: one that ends within a byte has several."""
    whole, rest = divmod(prefix.length, 8)
    start = bytes(prefix.address[:whole])
    if not rest:
        yield start
        return
    first = prefix.address[whole]
    for last in range(first, first + (1 << (8 - rest))):
        yield start + bytes((last,))
