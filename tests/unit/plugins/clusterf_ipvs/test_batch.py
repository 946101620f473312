"""Batches: rows cut where a batch is full, and the bytes of a datagram."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterf_ipvs.batch import LARGEST, batches, count, datagram, index_of, number
from clusterf_ipvs.constants import NLM_F_ACK, NLM_F_REQUEST, NLMSG_HEADER
from clusterf_ipvs.kernel import Messages, Row, single

words = st.binary(min_size=4, max_size=4)
some = st.lists(
    words | st.builds(Row, words, st.lists(words, min_size=1, max_size=6), words), max_size=6
)


@given(some, st.integers(1, 9))
def test_batches_are_full_and_lose_nothing(messages: list[bytes | Row], size: int) -> None:
    parts = list(batches(messages, size))
    assert [each for part in parts for each in single(part)] == single(messages)
    sizes = [count(part) for part in parts]
    assert all(each == size for each in sizes[:-1])
    assert not sizes or 1 <= sizes[-1] <= size


def parsed(data: bytearray) -> list[tuple[int, int, int, int, bytes]]:
    found, offset = [], 0
    while offset < len(data):
        length, kind, flags, number, sender = NLMSG_HEADER.unpack_from(data, offset)
        found.append((kind, flags, number, sender, data[offset + 16 : offset + length]))
        offset += length
    return found


@pytest.mark.parametrize(
    "batch",
    [
        [b"abcd"],
        [Row(b"head", [b"1111", b"2222"], b"tail")],
        [b"abcd", Row(b"head", [b"1111"], b""), b"efghijkl"],
        [Row(b"", [b"1111"], b""), Row(b"head", [b"2222", b"3333"], b"")],
    ],
)
def test_only_the_last_message_asks_for_an_acknowledgement(batch: Messages) -> None:
    size = count(batch)
    messages = parsed(datagram(batch, 77, 0x1B))
    assert [each[4] for each in messages] == single(batch)
    assert [index_of(each[2], 77) for each in messages] == list(range(size))
    assert {each[0] for each in messages} == {0x1B}
    assert {each[3] for each in messages} == {0}
    flags = [each[1] for each in messages]
    assert flags == [NLM_F_REQUEST] * (size - 1) + [NLM_F_REQUEST | NLM_F_ACK]


@given(st.integers(0, 0xFFFF), st.integers(0, LARGEST - 1), st.integers(0, 0xFFFF))
def test_a_number_tells_its_index_in_its_own_turn_alone(turn: int, index: int, other: int) -> None:
    sequence = number(turn, index)
    assert 0 <= sequence < 1 << 32
    assert index_of(sequence, turn) == index
    assert other == turn or index_of(sequence, other) == -1
