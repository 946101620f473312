"""Virtual services: against pyroute2's reader of the same messages, and what strangers have made.

That what is encoded is decoded to the same is a law: tests/laws/test_codec.py.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from pyroute2.netlink.generic import ipvs

from clusterf.model.address import Family
from clusterf.model.table import FwmarkKey, Persistence, VirtualService
from clusterf_ipvs import service_codec
from clusterf_ipvs.attributes import DecodeError
from clusterf_ipvs.kernel import Row, single
from clusterf_ipvs.service_codec import GET_INFO, LIST_SERVICES, Info, ServiceEncoder
from tests.strategies import destination, ip, target, tcp, udp
from tests.unit.plugins.clusterf_ipvs.messages import HEAD, attribute, number, read, whole

if TYPE_CHECKING:
    from clusterf.model.table import Destination, DestinationKey, ServiceKey

NOTHING: frozenset[str] = frozenset()


def service_with(**changed: bytes | None) -> bytes:
    """A whole service, some of its attributes exchanged or (None) left out."""
    numbers = {"af": 1, "protocol": 2, "address": 3, "port": 4, "scheduler": 6}
    numbers |= {"flags": 7, "timeout": 8, "netmask": 9}
    contents: dict[str, bytes | None] = {
        "af": b"\2\0",
        "protocol": b"\6\0",
        "address": ip("192.0.2.1"),
        "port": b"\0\x50",
        "scheduler": b"rr\0",
        "flags": bytes(8),
        "timeout": number(60),
        "netmask": b"\xff\xff\xff\xff",
        **changed,
    }
    return whole(1, {numbers[name]: content for name, content in contents.items()})


# --- to bytes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (tcp("192.0.2.9", 443), {"AF": 2, "PROTOCOL": 6, "ADDR": "192.0.2.9", "PORT": 443}),
        (udp("2001:db8::9", 53), {"AF": 10, "PROTOCOL": 17, "ADDR": "2001:db8::9", "PORT": 53}),
        (FwmarkKey(Family.INET6, 77), {"AF": 10, "FWMARK": 77}),
    ],
)
def test_pyroute2_reads_the_service(key: ServiceKey, expected: dict[str, object]) -> None:
    message = read(ServiceEncoder(key).new_service("mh", frozenset({"mh-port"}), None))
    assert message["cmd"] == ipvs.IPVS_CMD_NEW_SERVICE
    assert message["version"] == ipvs.GENL_VERSION
    service = message.get_attr("IPVS_CMD_ATTR_SERVICE")
    for name, value in {**expected, "SCHED_NAME": "mh", "TIMEOUT": 0}.items():
        assert service.get_attr(f"IPVS_SVC_ATTR_{name}") == value
    flags = service.get_attr("IPVS_SVC_ATTR_FLAGS")
    assert (flags["flags"], flags["mask"]) == (0x10, 0xFFFFFFFF)


@pytest.mark.parametrize(
    ("key", "persistence", "netmask", "timeout"),
    [
        (tcp(), None, "255.255.255.255", 0),
        (tcp(), Persistence(360, 20), "255.255.240.0", 360),
        (tcp(), Persistence(1, 0), "0.0.0.0", 1),
        # A number in host order where pyroute2 expects an address.
        (tcp("2001:db8::1"), None, "128.0.0.0", 0),
        (FwmarkKey(Family.INET6, 1), Persistence(60, 64), "64.0.0.0", 60),
    ],
)
def test_pyroute2_reads_persistence(
    key: ServiceKey, persistence: Persistence | None, netmask: str, timeout: int
) -> None:
    message = read(ServiceEncoder(key).set_service("rr", NOTHING, persistence))
    service = message.get_attr("IPVS_CMD_ATTR_SERVICE")
    assert service.get_attr("IPVS_SVC_ATTR_NETMASK") == netmask
    assert service.get_attr("IPVS_SVC_ATTR_TIMEOUT") == timeout
    assert service.get_attr("IPVS_SVC_ATTR_FLAGS")["flags"] == (persistence is not None)


@pytest.mark.parametrize(
    ("method", "command"),
    [
        ("del_service", ipvs.IPVS_CMD_DEL_SERVICE),
        ("get_service", ipvs.IPVS_CMD_GET_SERVICE),
        ("list_destinations", ipvs.IPVS_CMD_GET_DEST),
    ],
)
def test_requests_about_a_service(method: str, command: int) -> None:
    message = read(getattr(ServiceEncoder(tcp("192.0.2.9")), method)())
    assert message["cmd"] == command
    service = message.get_attr("IPVS_CMD_ATTR_SERVICE")
    assert service.get_attr("IPVS_SVC_ATTR_ADDR") == "192.0.2.9"


def test_requests_without_a_service() -> None:
    assert list(LIST_SERVICES) == [ipvs.IPVS_CMD_GET_SERVICE, 1, 0, 0]
    assert list(GET_INFO) == [ipvs.IPVS_CMD_GET_INFO, 1, 0, 0]


SIX = {target(1)._replace(address=ip("2001:db8::7")): destination()}


@pytest.mark.parametrize(
    ("destinations", "rows"),
    [
        ({}, 0),
        ({target(n): destination() for n in range(1, 6)}, 1),
        ({target(n): destination(n) for n in range(1, 6)}, 0),
        ({target(n, 8000 + n): destination() for n in range(1, 6)}, 0),
        ({target(1): destination(), **SIX}, 0),
    ],
)
def test_destinations_that_are_alike_in_all_but_their_addresses_are_one_row(
    destinations: dict[DestinationKey, Destination], rows: int
) -> None:
    web = ServiceEncoder(tcp())
    messages = web.new_destinations(destinations)
    assert sum(isinstance(message, Row) for message in messages) == rows
    assert single(messages) == [web.new_destination(*pair) for pair in destinations.items()]


# --- and back --------------------------------------------------------------------------------


def test_the_hashed_flag_is_masked() -> None:
    message = service_with(flags=struct.pack("=II", 0x2, 0xFFFFFFFF))
    assert service_codec.decode(message) == (tcp(), VirtualService("rr"))


def test_a_protocol_without_a_word_is_nobodys() -> None:
    key, service = service_codec.decode(service_with(protocol=b"\x32\0"))
    assert key is None
    assert service.scheduler == "rr"


@pytest.mark.parametrize(
    ("mask", "prefix"), [(b"\xff\xff\xff\0", 24), (b"\0\0\0\0", 0), (b"\xff\0\xff\0", 0)]
)
def test_a_mask_with_holes_is_one_that_nobody_wants(mask: bytes, prefix: int) -> None:
    message = service_with(netmask=mask, flags=struct.pack("=II", 1, 0))
    assert service_codec.decode(message)[1].persistence == Persistence(60, prefix)


def test_without_persistence_timeout_and_mask_mean_nothing() -> None:
    assert service_codec.decode(service_with(netmask=bytes(4)))[1].persistence is None


@pytest.mark.parametrize(
    "missing",
    ["af", "protocol", "address", "port", "scheduler", "flags", "timeout", "netmask"],
)
def test_half_a_service_is_an_error(missing: str) -> None:
    with pytest.raises(DecodeError):
        service_codec.decode(service_with(**{missing: None}))


def test_a_scheduler_with_odd_letters_can_be_shown() -> None:
    _, service = service_codec.decode(service_with(scheduler=b"\xff\x80x\0"))
    assert service.scheduler == "\\xff\\x80x"


def test_an_address_of_16_bytes_in_an_ipv4_service_is_cut() -> None:
    padded = ip("192.0.2.1") + bytes(12)
    assert service_codec.decode(service_with(address=padded))[0] == tcp()


def test_equal_settings_are_one_object() -> None:
    one, other = (service_codec.decode(service_with(port=port))[1] for port in (b"\0\1", b"\0\2"))
    assert one is other


def test_info() -> None:
    row = attribute(1, number(0x010203)) + attribute(2, number(32768))
    assert service_codec.decode_info(HEAD + row) == Info("1.2.3", 32768)
    with pytest.raises(DecodeError):
        service_codec.decode_info(HEAD + attribute(1, number(0x010203)))
