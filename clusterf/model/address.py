"""IP addresses and prefixes, in the form in which the kernel takes them.

The table of a large cluster holds hundreds of thousands of addresses as keys of mappings, so an
address here *is* its packed bytes: hashing and comparing run in C (docs/adr/0002).
"""

from __future__ import annotations

import socket
from enum import StrEnum
from typing import Generic, NamedTuple, Self, TypeVar

from clusterf.model.quoting import quoted

T = TypeVar("T")

UNICAST4 = (b"\x01", b"\xe0")
"""Bounds of the IPv4 addresses that a host can have; the upper one is the first beyond."""


class Family(StrEnum):
    """Address family, by the names that ip(8) uses."""

    INET = "inet"
    INET6 = "inet6"

    # Enum's own is Python code.
    __hash__ = str.__hash__

    @property
    def bits(self) -> int:
        """Length of an address of this family in bits."""
        return 32 if self is Family.INET else 128


class Address(bytes):
    """One IPv4 or IPv6 address: 4 or 16 bytes in network order.

    An IPv4 address never equals an IPv6 address, not even its mapped form.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the usual notation; no prefix length, no zone, no leading zeros.

        Raises:
            ValueError: with the offending text.
        """
        try:
            if ":" in text:
                return cls(socket.inet_pton(socket.AF_INET6, text))
            return cls(socket.inet_pton(socket.AF_INET, text))
        except (OSError, ValueError):
            # ValueError covers embedded NUL characters and lone surrogates.
            raise ValueError(f"{quoted(text)} is not an IP address") from None

    @property
    def family(self) -> Family:
        """Family, told by the length."""
        return Family.INET if len(self) == 4 else Family.INET6

    @property
    def is_unicast(self) -> bool:
        """Whether a host can have it: not the unspecified address, multicast, or class E."""
        if len(self) == 4:
            return UNICAST4[0] <= self < UNICAST4[1]
        return self[0] != 0xFF and any(self)

    def __str__(self) -> str:
        family = socket.AF_INET if len(self) == 4 else socket.AF_INET6
        return socket.inet_ntop(family, self)

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"


def endpoint(address: Address, port: int) -> str:
    """``192.0.2.1:80`` or ``[2001:db8::1]:80``, as ipvsadm writes it."""
    if len(address) == 4:
        return f"{address}:{port}"
    return f"[{address}]:{port}"


class Network(NamedTuple):
    """A prefix. Host bits are zero; ``length`` is in bits."""

    address: Address
    length: int

    @classmethod
    def parse(cls, text: str, *, masked: bool = False) -> Network:
        """Read ``address/length`` or a bare address (its full length).

        ``masked``: host bits may be set, and are cleared.

        Raises:
            ValueError: for anything else (a mask, a zone), and for host bits that are set.
        """
        host, slash, digits = text.partition("/")
        try:
            address = Address.parse(host)
        except ValueError:
            raise ValueError(f"{quoted(text)} is not a prefix such as 192.0.2.0/24") from None
        bits = address.family.bits
        length = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 4 else -1
        if not slash:
            length = bits
        if not 0 <= length <= bits:
            raise ValueError(f"{quoted(text)} is not a prefix: its length must be from 0 to {bits}")
        number = int.from_bytes(address)
        host_bits = number & ((1 << (bits - length)) - 1)
        if host_bits:
            network = Address((number ^ host_bits).to_bytes(len(address)))
            if not masked:
                raise ValueError(
                    f"{quoted(text)} is not a prefix: it has host bits, {network}/{length} has none"
                )
            address = network
        return cls(address, length)

    @property
    def family(self) -> Family:
        """Family of the prefix."""
        return self.address.family

    def __contains__(self, address: object) -> bool:
        own, length = self
        if not isinstance(address, Address) or len(address) != len(own):
            return False
        whole, rest = length >> 3, length & 7
        if address[:whole] != own[:whole]:
            return False
        return not rest or (address[whole] ^ own[whole]) >> (8 - rest) == 0

    def __str__(self) -> str:
        return f"{self.address}/{self.length}"


class PrefixTable(Generic[T]):
    """Longest-prefix lookup. Of two entries for one prefix the first one added is kept."""

    __slots__ = ("_by_length",)

    def __init__(self) -> None:
        # (bytes in an address, prefix length) -> leading bits -> value, longest length first.
        self._by_length: dict[tuple[int, int], dict[int, T]] = {}

    def add(self, network: Network, value: T) -> bool:
        """Add an entry; False when the prefix was already there and nothing changed."""
        where = (len(network.address), network.length)
        if where not in self._by_length:
            self._by_length[where] = {}
            self._by_length = dict(sorted(self._by_length.items(), reverse=True))
        bits = int.from_bytes(network.address) >> (where[0] * 8 - network.length)
        entries = self._by_length[where]
        if bits in entries:
            return False
        entries[bits] = value
        return True

    def longest(self, address: Address) -> T | None:
        """Value of the longest prefix that holds the address, or None."""
        size = len(address)
        number = int.from_bytes(address)
        for (other, length), entries in self._by_length.items():
            if other == size and (found := entries.get(number >> (size * 8 - length))) is not None:
                return found
        return None
