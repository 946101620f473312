"""Netlink attributes: a length, a kind and a content, padded to four bytes (linux/netlink.h).

Nothing of IPVS is known here. A *message* is what follows the netlink header: four bytes that name
a command, and a row of attributes, some of which hold rows of attributes themselves.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping
from socket import AF_INET, AF_INET6
from typing import Final, Literal

from clusterf.model.address import Address, Family

VERSION: Final = 1
"""Of the generic netlink families that are spoken to here."""

_HEAD = struct.Struct("=HH")
_MESSAGE = struct.Struct("=BBH")
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")

FAMILIES: Final = {Family.INET: AF_INET, Family.INET6: AF_INET6}
_FAMILIES = {int(number): family for family, number in FAMILIES.items()}


class DecodeError(ValueError):
    """The bytes are not what the kernel's interface says."""


class Attribute:
    """An attribute whose content has one form.

    ``form`` is the content as `struct` writes it: ``B``, ``H`` or ``I`` is a number, ``16s`` are
    bytes. ``network``: the number is in network order; most are in this machine's.

    ``header`` is what comes before the content, as one number of this machine; ``size`` is the
    content's, in bytes.
    """

    __slots__ = ("_order", "form", "header", "kind", "size")

    def __init__(self, kind: int, form: str, *, network: bool = False) -> None:
        self.kind = kind
        self.form = form
        self.size = struct.calcsize("=" + form)
        self.header: int = struct.unpack("=I", _HEAD.pack(4 + self.size, kind))[0]
        self._order: Literal["little", "big"] = "big" if network else sys.byteorder

    def pack(self, number: int) -> bytes:
        """The attribute with a number."""
        return enclose(self.kind, number.to_bytes(self.size, self._order))

    def read(self, found: Mapping[int, bytes], default: int | None = None) -> int:
        """The number among the contents of attributes; ``default`` where the attribute is absent.

        Raises:
            DecodeError: it is short, or absent without a default.
        """
        content = found.get(self.kind)
        if content is None and default is not None:
            return default
        if content is None or len(content) < self.size:
            raise DecodeError(f"attribute {self.kind} is missing or short")
        return int.from_bytes(content[: self.size], self._order)


def layout(*attributes: Attribute) -> struct.Struct:
    """A row of attributes, to pack and unpack at once: for each its ``header`` and its content.

    Numbers in network order are the caller's to convert.
    """
    forms = [f"I{each.form}{-each.size % 4 * 'x'}" for each in attributes]
    return struct.Struct("=" + "".join(forms))


def enclose(kind: int, content: bytes) -> bytes:
    """One attribute around a content, padded."""
    size = len(content)
    return _HEAD.pack(size + 4, kind) + content + _PADDING[size & 3]


def message(command: int, attributes: bytes = b"") -> bytes:
    """A message of generic netlink: a command and a row of attributes."""
    return _MESSAGE.pack(command, VERSION, 0) + attributes


def contents(attributes: bytes) -> dict[int, bytes]:
    """Contents of a row of attributes by their kind; of two with one kind the last counts.

    Raises:
        DecodeError: a length does not fit.
    """
    found: dict[int, bytes] = {}
    offset, end = 0, len(attributes)
    while offset + 4 <= end:
        length, kind = _HEAD.unpack_from(attributes, offset)
        if length < 4 or offset + length > end:
            raise DecodeError(f"attribute {kind} has a length of {length} of {end - offset}")
        # The two highest bits are flags (NLA_F_NESTED, NLA_F_NET_BYTEORDER).
        found[kind & 0x3FFF] = attributes[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found


def outermost(whole: bytes) -> dict[int, bytes]:
    """Contents of a message's own attributes.

    Raises:
        DecodeError: a length does not fit.
    """
    return contents(whole[_MESSAGE.size :])


def nested(whole: bytes, kind: int) -> bytes:
    """The row of attributes that one of a message's own attributes holds.

    Raises:
        DecodeError: it is not there, or a length does not fit.
    """
    row = outermost(whole).get(kind)
    if row is None:
        raise DecodeError(f"attribute {kind} is missing")
    return row


def read_address(found: Mapping[int, bytes], kind: int, family: Family) -> Address:
    """An address of this family, which may be padded to the length of the other one's.

    Raises:
        DecodeError: it is missing or short.
    """
    content, size = found.get(kind), family.bits // 8
    if content is None or len(content) < size:
        raise DecodeError("an address is missing or short")
    return Address(content[:size])


def family_of(number: int) -> Family:
    """The address family with the system's number.

    Raises:
        DecodeError: it is neither of the two.
    """
    family = _FAMILIES.get(number)
    if family is None:
        raise DecodeError(f"address family {number} is unknown")
    return family
