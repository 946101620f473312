"""Batches: many messages in one datagram, the last one asking for an acknowledgement.

Pure. What is done for each message of a row is done in C: the list of its parts is repeated, and
the columns in which the messages differ are written from top to bottom.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from clusterf_ipvs.constants import NLM_F_ACK, NLM_F_REQUEST
from clusterf_ipvs.kernel import Messages, Row

LARGEST: Final = 4096
"""Single messages in one datagram."""

_START = struct.Struct("=IHH")
"""Length, type and flags of a netlink header; sequence number and sender follow."""

_FLAGS = struct.Struct("=H")
_FLAGS_AT = 6
_SENDER = bytes(4)
_NUMBER = struct.Struct("=I")
_HALVES = struct.Struct("=HH")
_HALF = struct.Struct("=H")
_INDICES = [_HALF.pack(index) for index in range(LARGEST)]


def number(turn: int, index: int = 0) -> int:
    """Sequence number of a message: its index in the batch, and the turn of the batch.

    The halves are in the order of the bytes in memory: the kernel gives a number back as it came,
    and the first half of all numbers can be had from one list.
    """
    return int(_NUMBER.unpack(_HALVES.pack(index, turn))[0])


def index_of(sequence: int, turn: int) -> int:
    """Index in the batch of this turn, or -1 for a number of another turn."""
    index, other = _HALVES.unpack(_NUMBER.pack(sequence))
    return int(index) if other == turn else -1


def count(messages: Messages) -> int:
    """How many single messages these are."""
    return sum([len(one.fields) if one.__class__ is Row else 1 for one in messages])


def batches(messages: Messages, size: int) -> Iterator[Messages]:
    """Split into batches of at most ``size`` single messages; a long row is cut."""
    if count(messages) <= size:
        if messages:
            yield messages
        return
    batch: list[bytes | Row] = []
    room = size
    for message in messages:
        rest = message
        while isinstance(rest, Row) and len(rest.fields) > room:
            if room:
                batch.append(Row(rest.head, rest.fields[:room], rest.tail))
            yield batch
            rest = Row(rest.head, rest.fields[room:], rest.tail)
            batch, room = [], size
        if not room:
            yield batch
            batch, room = [], size
        batch.append(rest)
        room -= count([rest])
    if batch:
        yield batch


def datagram(batch: Messages, turn: int, family: int) -> bytearray:
    """The messages with their headers, numbered by `number`.

    Only the last one asks for an acknowledgement (NLM_F_ACK): the barrier.
    """
    rest = _HALF.pack(turn) + _SENDER
    parts: list[bytes] = []
    at = length = 0
    for message in batch:
        if isinstance(message, Row):
            fields, tail = message.fields, message.tail
            middle, size = rest + message.head, len(fields)
            length = 10 + len(middle) + len(fields[0]) + len(tail)
            start = _START.pack(length, family, NLM_F_REQUEST)
            end = at + size
            # Index, rest and head, field, tail; behind a tail comes the start of the next one.
            row = [b"", middle, b"", tail + start] * size
            row[::4] = _INDICES[at:end]
            row[2::4] = fields
            row[-1] = tail
            parts.append(start)
            parts += row
            at = end
        else:
            length = 16 + len(message)
            start = _START.pack(length, family, NLM_F_REQUEST)
            parts += (start, _INDICES[at], rest, message)
            at += 1
    laid_out = bytearray().join(parts)
    _FLAGS.pack_into(laid_out, len(laid_out) - length + _FLAGS_AT, NLM_F_REQUEST | NLM_F_ACK)
    return laid_out
