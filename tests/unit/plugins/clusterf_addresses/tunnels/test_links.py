"""The messages; what a kernel makes of them is in tests/lab/test_tunnels.py."""

from __future__ import annotations

import struct

import pytest

from clusterf_addresses.attributes import attribute, be16, contents, nest, text, u8, u32, words
from clusterf_addresses.tunnels import links
from clusterf_addresses.tunnels.receiving import Device, SeenLink

HEAD = struct.Struct("=BxHiII")
UP, LOOPBACK = 1, 8


def told(name: str, kind: str = "", *data: bytes, flags: int = UP, rest: bytes = b"") -> SeenLink:
    """What is seen of a link that the kernel tells so."""
    info = nest(18, text(1, kind), nest(2, *data)) if kind else b""
    return links.seen(HEAD.pack(0, 0, 7, flags, 0) + text(3, name) + u32(4, 1400) + info + rest)


def asked(device: Device) -> tuple[str, str, dict[int, bytes]]:
    """Name, kind and data of a request to make a device."""
    found = contents(links.create_message(device)[HEAD.size :])
    info = contents(found[18])
    return words(found[3]), words(info[1]), contents(info[2])


@pytest.mark.parametrize(
    ("kind", "collect"), [("ipip", 19), ("ip6tnl", 19), ("gre", 18), ("ip6gre", 18)]
)
def test_devices_are_asked_for_that_take_from_anybody(kind: str, collect: int) -> None:
    assert asked(Device(kind)) == (f"clusterf-{kind}", kind, {collect: b""})


def test_sit_is_told_from_sit0_by_its_link() -> None:
    name, kind, data = asked(Device("sit"))
    assert (name, kind) == ("clusterf-sit", "sit")
    assert data == {1: struct.pack("=I", 1)}


@pytest.mark.parametrize("kind", ["gre", "ip6gre"])
def test_gre_with_checksums_asks_for_them_in_both_directions(kind: str) -> None:
    _, _, data = asked(Device(kind, checksums=True))
    assert data == {18: b"", 2: b"\x80\x00", 3: b"\x80\x00"}


def test_an_alias_and_no_addresses_are_asked_for_by_name() -> None:
    found = contents(links.alias_message("clusterf-ipip", "clusterf: gue 1")[HEAD.size :])
    assert (words(found[3]), found[20]) == ("clusterf-ipip", b"clusterf: gue 1")
    found = contents(links.without_addresses_message("clusterf-gre")[HEAD.size :])
    assert contents(contents(found[26])[10]) == {8: b"\x01"}


def test_a_link_is_seen_as_it_is() -> None:
    link = told("eth0")
    assert link == SeenLink("eth0", mtu=1400)
    assert told("lo", flags=UP | LOOPBACK).loopback
    assert not told("eth0", flags=0).up
    assert told("port1", "veth", rest=u32(10, 3)).enslaved


def test_our_device_is_seen_with_its_alias() -> None:
    rest = text(20, "clusterf: gue 6080")
    link = told("clusterf-ipip", "ipip", attribute(19), rest=rest)
    assert (link.ours, link.anybody, link.alias) == (True, True, "clusterf: gue 6080")


ANY, END = u32(2, 0) + u32(3, 0), attribute(3, b"\xc0\x00\x02\x01")


@pytest.mark.parametrize(
    ("kind", "data", "anybody"),
    [
        ("ipip", ANY, True),
        ("ipip", ANY + attribute(19), True),
        ("ipip", attribute(2, bytes(4)) + END, False),
        ("sit", ANY, True),
        ("ip6tnl", attribute(2, bytes(16)) + attribute(3, bytes(16)) + u8(9, 0), True),
        ("ip6tnl", attribute(2, bytes(16)) + attribute(3, bytes(16)) + u8(9, 41), False),
        ("gre", u32(6, 0) + u32(7, 0) + be16(2, 0), True),
        ("gre", u32(6, 0) + u32(7, 0) + be16(2, 0x2000), False),
        ("gre", u32(6, 0) + attribute(7, b"\xc0\x00\x02\x01"), False),
        ("vxlan", ANY, False),
        ("veth", b"", False),
    ],
)
def test_who_takes_from_anybody(kind: str, data: bytes, anybody: bool) -> None:  # noqa: FBT001
    assert told("x", kind, data).anybody is anybody


def test_checksums_are_seen() -> None:
    assert told("x", "gre", attribute(18) + be16(2, 0x8000)).checksums
    assert not told("x", "gre", attribute(18) + be16(2, 0)).checksums
    assert not told("x", "ipip", attribute(19) + be16(2, 0x8000)).checksums


def test_listing_needs_no_lab() -> None:
    assert [link.name for link in links.links() if link.loopback] == ["lo"]
