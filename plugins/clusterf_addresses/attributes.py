"""Netlink attributes: a length, a kind and a content, padded to four bytes (linux/netlink.h).

Pure. Of what the kernel says in them nothing is known here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_HEAD = struct.Struct("=HH")
_NESTED = 0x8000
"""NLA_F_NESTED: nf_tables and newer families want it on attributes that hold attributes."""

_KIND = 0x3FFF
"""Without the flags of nesting and byte order."""


class DecodeError(ValueError):
    """The bytes are not what the kernel's interface says."""


def attribute(kind: int, content: bytes = b"") -> bytes:
    """One attribute around a content; without one it is a flag."""
    return _HEAD.pack(len(content) + 4, kind) + content + b"\0" * (-len(content) % 4)


def nest(kind: int, *attributes: bytes) -> bytes:
    """One attribute around others."""
    return attribute(kind | _NESTED, b"".join(attributes))


def u8(kind: int, number: int) -> bytes:
    """A number of one byte."""
    return attribute(kind, struct.pack("=B", number))


def u32(kind: int, number: int) -> bytes:
    """A number of four bytes in this machine's order."""
    return attribute(kind, struct.pack("=I", number))


def be16(kind: int, number: int) -> bytes:
    """A number of two bytes in network order."""
    return attribute(kind, struct.pack(">H", number))


def be32(kind: int, number: int) -> bytes:
    """A number of four bytes in network order; a negative one as its complement."""
    return attribute(kind, struct.pack(">I", number & 0xFFFFFFFF))


def text(kind: int, words: str) -> bytes:
    """A string with the zero byte that ends it."""
    return attribute(kind, words.encode() + b"\0")


def row(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Kinds and contents of a row of attributes.

    Raises:
        DecodeError: a length does not fit.
    """
    offset, end = 0, len(data)
    while offset + 4 <= end:
        length, kind = _HEAD.unpack_from(data, offset)
        if length < 4 or offset + length > end:
            raise DecodeError(f"attribute {kind & _KIND} has a length of {length}")
        yield kind & _KIND, data[offset + 4 : offset + length]
        offset += (length + 3) & ~3


def contents(data: bytes) -> dict[int, bytes]:
    """Contents of a row by their kind; of two with one kind the last counts.

    Raises:
        DecodeError: a length does not fit.
    """
    return dict(row(data))


def words(content: bytes) -> str:
    """A string, without the zero byte that ends it."""
    return content.split(b"\0", 1)[0].decode("utf-8", "replace")


def number(content: bytes) -> int:
    """A number in this machine's order, as long as its content."""
    return int.from_bytes(content, "little" if _LITTLE else "big")


_LITTLE = struct.pack("=H", 1) == b"\1\0"
