from __future__ import annotations

import pytest

from clusterf_addresses.attributes import (
    DecodeError,
    attribute,
    be16,
    be32,
    contents,
    nest,
    number,
    row,
    text,
    u8,
    u32,
    words,
)


def test_an_attribute_has_a_length_a_kind_and_padding() -> None:
    assert attribute(3, b"abc") == b"\x07\x00\x03\x00abc\x00"
    assert attribute(19) == b"\x04\x00\x13\x00"


def test_numbers_are_in_the_order_that_they_are_asked_in() -> None:
    assert be16(1, 6080) == b"\x06\x00\x01\x00\x17\xc0\x00\x00"
    assert be32(2, -300) == b"\x08\x00\x02\x00\xff\xff\xfe\xd4"
    [(kind, content)] = row(u32(4, 1500))
    assert (kind, number(content)) == (4, 1500)
    [(kind, content)] = row(u8(2, 10))
    assert (kind, number(content)) == (2, 10)


def test_words_end_with_a_zero_byte_that_is_not_theirs() -> None:
    [(_, content)] = row(text(1, "clusterf-gre"))
    assert content.endswith(b"\0")
    assert words(content) == "clusterf-gre"
    assert words(b"") == ""


def test_a_nest_is_read_by_its_kind_without_the_flag() -> None:
    whole = nest(18, text(1, "ipip"), nest(2, attribute(19)))
    [(kind, inner)] = row(whole)
    assert kind == 18
    assert contents(inner).keys() == {1, 2}
    assert contents(contents(inner)[2]) == {19: b""}


def test_of_two_with_one_kind_the_last_counts() -> None:
    assert contents(u8(1, 3) + u8(1, 4)) == {1: b"\x04"}


@pytest.mark.parametrize("data", [b"\x03\x00\x01\x00", b"\x09\x00\x01\x00abcd"])
def test_a_length_that_does_not_fit_is_told(data: bytes) -> None:
    with pytest.raises(DecodeError, match="attribute 1"):
        contents(data)
