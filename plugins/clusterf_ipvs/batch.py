"""Batches: many messages in one datagram, the last one asking for an acknowledgement.

Pure. What is done for each message of a row is done in C: zip, chain and join.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, repeat

from clusterf_ipvs.constants import NLM_F_ACK, NLM_F_REQUEST
from clusterf_ipvs.kernel import Messages, Row

_START = struct.Struct("=IHH")
"""Length, type and flags of a netlink header; sequence number and sender follow."""

_SENDER = bytes(4)


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


def datagram(batch: Messages, size: int, first: int, family: int) -> list[bytes]:
    """Parts of a datagram with ``size`` single messages, numbered from ``first`` on.

    Only the last one asks for an acknowledgement (NLM_F_ACK): the barrier.
    """
    numbers = _as_parts(size).unpack(_as_numbers(size).pack(*range(first, first + size)))
    parts: list[bytes] = []
    at = 0
    for message in batch:
        if isinstance(message, Row):
            length = 16 + len(message.head) + len(message.fields[0]) + len(message.tail)
            start = _START.pack(length, family, NLM_F_REQUEST)
            end = at + len(message.fields)
            columns = zip(
                repeat(start),
                numbers[at:end],
                repeat(_SENDER + message.head),
                message.fields,
                repeat(message.tail),
                strict=False,
            )
            parts.extend(chain.from_iterable(columns))
            last = -5
            at = end
        else:
            length = 16 + len(message)
            parts += (
                _START.pack(length, family, NLM_F_REQUEST),
                numbers[at],
                _SENDER,
                message,
            )
            last = -4
            at += 1
    parts[last] = _START.pack(length, family, NLM_F_REQUEST | NLM_F_ACK)
    return parts


@lru_cache(maxsize=64)
def _as_numbers(size: int) -> struct.Struct:
    return struct.Struct(f"={size}I")


@lru_cache(maxsize=64)
def _as_parts(size: int) -> struct.Struct:
    return struct.Struct("4s" * size)
