from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterf_etcd.lines import Lines, LineTooLong


def fed(pieces: list[bytes], limit: int = 1000) -> list[bytes]:
    lines = Lines(limit)
    found = [line for piece in pieces for line in lines.feed(piece)]
    return [*found, lines.rest()]


@given(st.lists(st.binary(max_size=4).map(lambda b: b.replace(b"\xff", b"\n")), max_size=12))
def test_however_it_is_cut_the_lines_are_the_same(pieces: list[bytes]) -> None:
    assert fed(pieces) == b"".join(pieces).split(b"\n")


def test_other_ends_than_the_line_feed_are_part_of_a_line() -> None:
    assert fed([b"a\r\x0b\x0c\x1c\xe2\x80\xa8b\n"]) == [b"a\r\x0b\x0c\x1c\xe2\x80\xa8b", b""]


def test_the_rest_is_given_once() -> None:
    lines = Lines(10)
    assert lines.feed(b"a\nb") == [b"a"]
    assert lines.rest() == b"b"
    assert lines.rest() == b""


@pytest.mark.parametrize("pieces", [[b"12345"], [b"123", b"45"], [b"1\n12345"], [b"12345\n"]])
def test_a_line_that_is_too_long(pieces: list[bytes]) -> None:
    with pytest.raises(LineTooLong):
        fed(pieces, limit=4)
    fed(pieces, limit=5)


@pytest.mark.timeout(30)
def test_a_long_line_takes_no_longer_than_its_bytes() -> None:
    """A buffer that is searched or copied anew with each piece would take many minutes."""
    lines, piece, pieces = Lines(2**30), b"x" * 4096, 16384
    for _ in range(pieces):
        assert lines.feed(piece) == []
    assert len(lines.rest()) == pieces * len(piece)
