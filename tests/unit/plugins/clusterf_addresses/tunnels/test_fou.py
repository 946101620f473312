"""The messages; what a kernel makes of them is in tests/lab/test_tunnels.py."""

from __future__ import annotations

import pytest

from clusterf.model.address import Family
from clusterf_addresses.attributes import DecodeError, attribute, be16, contents, text, u8, words
from clusterf_addresses.tunnels import fou
from clusterf_addresses.tunnels.receiving import Port

HEAD = b"\1\1\0\0"
INET, INET6 = Port(Family.INET, 6080), Port(Family.INET6, 6080)


def test_the_family_is_asked_for_by_name() -> None:
    assert words(contents(fou.family_message()[4:])[2]) == "fou"
    assert fou.family_number(HEAD + text(2, "fou") + attribute(1, b"\x1d\x00")) == 29


@pytest.mark.parametrize(("port", "family"), [(INET, 2), (INET6, 10)])
def test_a_port_is_opened_for_gue_and_closed(port: Port, family: int) -> None:
    opened = fou.add_message(port)
    assert opened[0] == 1
    assert contents(opened[4:]) == {1: b"\x17\xc0", 2: bytes((family,)), 4: b"\x02"}
    closed = fou.delete_message(port)
    assert closed[0] == 2
    assert contents(closed[4:]) == {1: b"\x17\xc0", 2: bytes((family,))}


@pytest.mark.parametrize("port", [INET, INET6])
def test_a_port_is_seen_as_it_was_opened(port: Port) -> None:
    assert fou.seen(fou.add_message(port)) == port


def test_a_port_that_takes_something_else_is_not_seen() -> None:
    assert fou.seen(HEAD + be16(1, 5555) + u8(2, 2) + u8(4, 1)) is None
    assert fou.seen(HEAD + be16(1, 5555) + u8(2, 77) + u8(4, 2)) is None


def test_nonsense_is_told() -> None:
    with pytest.raises(DecodeError):
        fou.seen(HEAD + b"\xff\xff\x01\x00")
