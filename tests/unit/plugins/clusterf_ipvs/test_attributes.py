"""Attributes: forms, orders of bytes, padding, and bytes that make no sense."""

from __future__ import annotations

import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterf.model.address import Family
from clusterf_ipvs.attributes import (
    Attribute,
    DecodeError,
    contents,
    enclose,
    family_of,
    layout,
    message,
    nested,
    outermost,
    read_address,
)
from tests.strategies import ip

NUMBER = Attribute(7, "I")
PORT = Attribute(8, "H", network=True)
SMALL = Attribute(9, "B")


@pytest.mark.parametrize(("form", "size"), [("B", 1), ("H", 2), ("I", 4), ("II", 8), ("16s", 16)])
def test_a_form_has_a_size_and_a_header(form: str, size: int) -> None:
    attribute = Attribute(5, form)
    assert attribute.size == size
    assert attribute.header.to_bytes(4, sys.byteorder) == struct.pack("=HH", 4 + size, 5)


def test_numbers_are_in_the_order_of_the_machine_or_of_the_network() -> None:
    assert NUMBER.pack(258) == struct.pack("=HHI", 8, 7, 258)
    assert PORT.pack(258) == struct.pack("=HH", 6, 8) + b"\1\2\0\0"
    assert SMALL.pack(3) == struct.pack("=HH", 5, 9) + b"\3\0\0\0"


@given(st.integers(0, 2**16 - 1))
def test_a_number_comes_back(number: int) -> None:
    for attribute in (NUMBER, PORT):
        assert attribute.read(contents(attribute.pack(number))) == number


def test_a_number_may_be_longer_than_its_form_but_not_shorter() -> None:
    assert PORT.read({8: b"\1\2\3\4"}) == 258
    for found in ({8: b"\1"}, {}):
        with pytest.raises(DecodeError, match="attribute 8 is missing or short"):
            PORT.read(found)
    assert PORT.read({}, 0) == 0
    with pytest.raises(DecodeError):
        PORT.read({8: b"\1"}, 0)


def test_a_layout_packs_what_the_attributes_are_one_by_one() -> None:
    row = layout(Attribute(1, "4s"), PORT, SMALL, NUMBER)
    packed = row.pack(
        *(Attribute(1, "4s").header, b"abcd", PORT.header, socket_order(80)),
        *(SMALL.header, 3, NUMBER.header, 70000),
    )
    assert packed == enclose(1, b"abcd") + PORT.pack(80) + SMALL.pack(3) + NUMBER.pack(70000)


def socket_order(port: int) -> int:
    return int(struct.unpack("=H", struct.pack("!H", port))[0])


@given(st.lists(st.tuples(st.integers(0, 0x3FFF), st.binary(max_size=9)), max_size=5))
def test_a_row_of_attributes_comes_back(attributes: list[tuple[int, bytes]]) -> None:
    row = b"".join(enclose(kind, content) for kind, content in attributes)
    assert len(row) % 4 == 0
    assert contents(row) == dict(attributes)
    whole = message(3, enclose(1, row))
    assert whole[:4] == b"\3\1\0\0"
    assert outermost(whole) == {1: row}
    assert nested(whole, 1) == row


def test_the_marks_of_a_kind_are_no_part_of_it() -> None:
    """NLA_F_NESTED, and whatever else has the two highest bits."""
    assert contents(enclose(0x8000 | 5, b"abcd")) == {5: b"abcd"}


@pytest.mark.parametrize("length", [0, 3, 9])
def test_a_length_that_does_not_fit_is_an_error(length: int) -> None:
    with pytest.raises(DecodeError, match=f"a length of {length} of 8"):
        contents(struct.pack("=HHI", length, 1, 0))


def test_a_missing_nest_is_an_error() -> None:
    with pytest.raises(DecodeError, match="attribute 2 is missing"):
        nested(message(1, enclose(1, b"")), 2)


def test_an_address_may_be_padded() -> None:
    four, six = ip("192.0.2.1"), ip("2001:db8::1")
    assert read_address({3: four}, 3, Family.INET) == four
    assert read_address({3: four + bytes(12)}, 3, Family.INET) == four
    assert read_address({3: six}, 3, Family.INET6) == six
    for found in ({3: four}, {}):
        with pytest.raises(DecodeError):
            read_address(found, 3, Family.INET6)


def test_families_have_numbers() -> None:
    assert [family_of(2), family_of(10)] == [Family.INET, Family.INET6]
    with pytest.raises(DecodeError, match="family 16"):
        family_of(16)
