"""Messages that the codecs have no part in: put together by hand, or taken apart by pyroute2."""

from __future__ import annotations

import struct
from typing import Any

from pyroute2.netlink.generic import ipvs

HEAD = b"\1\1\0\0"


def attribute(kind: int, content: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(content), kind) + content + bytes(-len(content) % 4)


def number(value: int) -> bytes:
    return struct.pack("=I", value)


def whole(kind: int, contents: dict[int, bytes | None]) -> bytes:
    """A message with one nest, of these attributes; those that are None are left out."""
    row = b"".join(
        attribute(each, content) for each, content in contents.items() if content is not None
    )
    return HEAD + attribute(kind, row)


def read(message: bytes) -> Any:
    """The message as pyroute2 reads it."""
    header = struct.pack("=IHHII", 16 + len(message), 0x1F, 1, 1, 0)
    parsed = ipvs.ipvsmsg(header + message)
    parsed.decode()
    return parsed
