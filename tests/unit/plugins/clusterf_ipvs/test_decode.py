"""Decoding what the kernel answers, and what strangers have put there."""

from __future__ import annotations

import struct

import pytest

from clusterf.model.address import Family
from clusterf.model.table import (
    Connections,
    Destination,
    DestinationKey,
    Method,
    Persistence,
    Tunnel,
    TunnelType,
    VirtualService,
)
from clusterf_ipvs import decode
from clusterf_ipvs.constants import SVC_AF, SVC_FLAGS, SVC_NETMASK
from clusterf_ipvs.encode import ServiceEncoder
from tests.strategies import ip, target, tcp

NOTHING: frozenset[str] = frozenset()
HEAD = b"\1\1\0\0"


def attribute(kind: int, content: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(content), kind) + content + bytes(-len(content) % 4)


def service_with(**changed: bytes | None) -> bytes:
    """A whole service, some of its attributes exchanged or (None) left out."""
    numbers = {"af": SVC_AF, "protocol": 2, "address": 3, "port": 4, "scheduler": 6}
    numbers |= {"flags": SVC_FLAGS, "timeout": 8, "netmask": SVC_NETMASK}
    contents: dict[str, bytes | None] = {
        "af": b"\2\0",
        "protocol": b"\6\0",
        "address": ip("192.0.2.1"),
        "port": b"\0\x50",
        "scheduler": b"rr\0",
        "flags": bytes(8),
        "timeout": struct.pack("=I", 60),
        "netmask": b"\xff\xff\xff\xff",
    } | changed
    row = b"".join(
        attribute(numbers[name], content)
        for name, content in contents.items()
        if content is not None
    )
    return HEAD + attribute(1, row)


def test_the_hashed_flag_is_masked() -> None:
    message = service_with(flags=struct.pack("=II", 0x2, 0xFFFFFFFF))
    assert decode.service(message) == (tcp(), VirtualService("rr"))


def test_a_protocol_without_a_word_is_nobodys() -> None:
    key, service = decode.service(service_with(protocol=b"\x32\0"))
    assert key is None
    assert service.scheduler == "rr"


@pytest.mark.parametrize(
    ("mask", "prefix"), [(b"\xff\xff\xff\0", 24), (b"\0\0\0\0", 0), (b"\xff\0\xff\0", 0)]
)
def test_a_mask_with_holes_is_one_that_nobody_wants(mask: bytes, prefix: int) -> None:
    message = service_with(netmask=mask, flags=struct.pack("=II", 1, 0))
    assert decode.service(message)[1].persistence == Persistence(60, prefix)


def test_without_persistence_timeout_and_mask_mean_nothing() -> None:
    assert decode.service(service_with(netmask=bytes(4)))[1].persistence is None


@pytest.mark.parametrize(
    "missing",
    ["af", "protocol", "address", "port", "scheduler", "flags", "timeout", "netmask"],
)
def test_half_a_service_is_an_error(missing: str) -> None:
    with pytest.raises(decode.DecodeError):
        decode.service(service_with(**{missing: None}))


def test_a_scheduler_with_odd_letters_can_be_shown() -> None:
    assert decode.service(service_with(scheduler=b"\xff\x80x\0"))[1].scheduler == "\\xff\\x80x"


def test_an_address_of_16_bytes_in_an_ipv4_service_is_cut() -> None:
    padded = ip("192.0.2.1") + bytes(12)
    assert decode.service(service_with(address=padded))[0] == tcp()


@pytest.mark.parametrize(
    ("scheduler", "bits", "words"),
    [
        ("mh", 0x18, {"mh-fallback", "mh-port"}),
        ("sh", 0x18, {"sh-fallback", "sh-port"}),
        ("rr", 0x38, {"flag-1", "flag-2", "flag-3"}),
        ("mh", 0x24, {"ops", "flag-3"}),
        ("rr", 0xC3, {"0xc0"}),
    ],
)
def test_flags_in_words(scheduler: str, bits: int, words: set[str]) -> None:
    assert decode.flag_words(scheduler, bits) == words


@pytest.mark.parametrize("family", list(Family))
def test_a_destination_without_a_family_has_that_of_its_service(family: Family) -> None:
    address = ip("198.51.100.1") if family is Family.INET else ip("2001:db8::1")
    key = tcp("192.0.2.1" if family is Family.INET else "2001:db8::9")
    plain = Destination(1, Method.MASQ)
    message = ServiceEncoder(key).new_destination(DestinationKey(address, 80), plain)
    assert decode.destination(message, family).key.address == address


@pytest.mark.parametrize("method", [1, 4, 5, 6, 7])
def test_a_method_that_nobody_sets_differs_from_all_that_is_wanted(method: int) -> None:
    strange = decode._destination(method, 1, 0, 0, 0, 0, 0)
    wanted = [Destination(1, each) for each in Method]
    wanted.append(Destination(1, Method.TUNNEL, tunnel=Tunnel()))
    assert strange not in wanted


def test_a_tunnel_type_that_nobody_sets_differs_from_all_that_is_wanted() -> None:
    strange = decode._destination(2, 1, 0, 0, 9, 0, 1)
    assert strange.tunnel == Tunnel(TunnelType.IPIP, 0, "type-9,csum")
    assert strange.tunnel not in [Tunnel(kind, 0, "csum") for kind in TunnelType]


def test_leftovers_of_a_tunnel_mean_nothing_to_other_methods() -> None:
    assert decode._destination(0, 1, 0, 0, 1, 9999, 1) == Destination(1, Method.MASQ)


def test_equal_settings_are_one_object() -> None:
    new = ServiceEncoder(tcp()).new_destination
    plain = Destination(3, Method.DROUTE)
    found, _ = decode.destinations([new(target(n), plain) for n in range(5)], Family.INET)
    assert len({id(each) for each in found.values()}) == 1
    assert len(found) == 5


def test_counters_are_those_of_weight_0() -> None:
    counters = struct.pack("=HHI", 8, 7, 3) + struct.pack("=HHI", 8, 8, 4)
    messages = []
    for number, weight in ((1, 0), (2, 5)):
        plain = ServiceEncoder(tcp()).new_destination(
            target(number), Destination(weight, Method.MASQ)
        )
        inner = decode.nested(plain, 2) + counters
        messages.append(HEAD + attribute(2, inner))
    _, quiesced = decode.destinations(messages, Family.INET)
    assert quiesced == {target(1): Connections(3, 4)}


def test_info() -> None:
    row = attribute(1, struct.pack("=I", 0x010203)) + attribute(2, struct.pack("=I", 32768))
    assert decode.info(HEAD + row) == decode.Info("1.2.3", 32768)
