"""Destinations: against pyroute2's reader of the same messages, and what strangers have made.

That what is encoded is decoded to the same is a law: tests/laws/test_codec.py.
"""

from __future__ import annotations

import struct

import pytest
from pyroute2.netlink.generic import ipvs

from clusterf.model.address import Family
from clusterf.model.table import (
    Connections,
    Destination,
    DestinationKey,
    Method,
    Tunnel,
    TunnelType,
)
from clusterf_ipvs import destination_codec
from clusterf_ipvs.attributes import DecodeError, nested
from clusterf_ipvs.destination_codec import around, decode, decode_all, encode, settings
from clusterf_ipvs.fake_messages import StoredDestination, destination_message
from clusterf_ipvs.service_codec import ServiceEncoder
from tests.strategies import ip, target, tcp
from tests.unit.plugins.clusterf_ipvs.messages import HEAD, attribute, number, read, whole

HOST = DestinationKey(ip("198.51.100.7"), 8080)
HOST6 = DestinationKey(ip("2001:db8::7"), 8080)
PLAIN = Destination(1, Method.MASQ)


# --- to bytes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "expected"), [(Method.MASQ, 0), (Method.TUNNEL, 2), (Method.DROUTE, 3)]
)
def test_pyroute2_reads_the_destination(method: Method, expected: int) -> None:
    message = read(ServiceEncoder(tcp()).new_destination(HOST, Destination(70000, method, 9, 4)))
    assert message["cmd"] == ipvs.IPVS_CMD_NEW_DEST
    found = message.get_attr("IPVS_CMD_ATTR_DEST")
    for name, value in {
        "PORT": 8080,
        "FWD_METHOD": expected,
        "WEIGHT": 70000,
        "U_THRESH": 9,
        "L_THRESH": 4,
    }.items():
        assert found.get_attr(f"IPVS_DEST_ATTR_{name}") == value


@pytest.mark.parametrize(("host", "family"), [(HOST, 2), (HOST6, 10)])
def test_the_family_is_told_where_there_is_a_tunnel(host: DestinationKey, family: int) -> None:
    tunnel = Tunnel(TunnelType.GUE, 6080, "csum")
    wanted = Destination(1, Method.TUNNEL, tunnel=tunnel)
    message = read(ServiceEncoder(tcp()).set_destination(host, wanted))
    found = message.get_attr("IPVS_CMD_ATTR_DEST")
    assert found.get_attr("IPVS_DEST_ATTR_ADDR_FAMILY") == family
    assert found.get_attr("IPVS_DEST_ATTR_TUN_TYPE") == 1
    assert found.get_attr("IPVS_DEST_ATTR_TUN_FLAGS") == 1
    # pyroute2 reads this one in the wrong order of bytes.
    assert struct.pack("=H", found.get_attr("IPVS_DEST_ATTR_TUN_PORT")) == (6080).to_bytes(2)


def test_the_common_message_has_no_attribute_that_the_kernel_defaults() -> None:
    message = ServiceEncoder(tcp()).new_destination(HOST, PLAIN)
    found = read(message).get_attr("IPVS_CMD_ATTR_DEST")
    assert len(found["attrs"]) == 6
    assert len(message) == 92


@pytest.mark.parametrize("host", [HOST, HOST6])
def test_a_deletion_has_the_identity_only(host: DestinationKey) -> None:
    message = read(ServiceEncoder(tcp()).del_destination(host))
    found = message.get_attr("IPVS_CMD_ATTR_DEST")
    assert message["cmd"] == ipvs.IPVS_CMD_DEL_DEST
    assert found.get_attr("IPVS_DEST_ATTR_PORT") == 8080
    assert found.get_attr("IPVS_DEST_ATTR_WEIGHT") is None
    family = found.get_attr("IPVS_DEST_ATTR_ADDR_FAMILY")
    assert family == (10 if host is HOST6 else None)


@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize("host", [HOST, HOST6])
@pytest.mark.parametrize("method", [Method.MASQ, Method.TUNNEL])
def test_what_is_around_an_address_is_the_rest_of_the_whole(
    family: Family, host: DestinationKey, method: Method
) -> None:
    wanted = Destination(5, method)
    before, after = around(family, len(host.address), host.port, wanted)
    assert before + host.address + after == encode(family, host, wanted)


# --- and back --------------------------------------------------------------------------------


@pytest.mark.parametrize("family", list(Family))
def test_a_destination_without_a_family_has_that_of_its_service(family: Family) -> None:
    host = HOST if family is Family.INET else HOST6
    assert decode(HEAD + encode(family, host, PLAIN), family).key == host


@pytest.mark.parametrize(
    "stored",
    [
        StoredDestination(2, HOST.address, 8080, 0, 7, 5, 4),
        StoredDestination(10, HOST6.address, 8080, 2, 0, 0, 0, (1, 6080, 1), 3, 4),
    ],
)
def test_the_kernels_row_is_read_at_once_and_as_it_is_one_by_one(
    stored: StoredDestination, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = destination_message(stored)
    entry = decode(message, Family.INET)
    monkeypatch.setattr(destination_codec, "decode", None)
    found, quiesced = decode_all([message], Family.INET)
    assert found == {entry.key: entry.destination}
    assert quiesced == ({entry.key: Connections(3, 4)} if not stored.weight else {})


@pytest.mark.parametrize("missing", [1, 2, 3, 4, 5, 6])
def test_half_a_destination_is_an_error(missing: int) -> None:
    row: dict[int, bytes | None] = {1: HOST.address, 2: b"\0\x50"}
    row |= dict.fromkeys((3, 4, 5, 6), number(0))
    assert decode(whole(2, row), Family.INET).key == DestinationKey(HOST.address, 80)
    with pytest.raises(DecodeError):
        decode_all([whole(2, {**row, missing: None})], Family.INET)


@pytest.mark.parametrize("method", [1, 4, 5, 6, 7])
def test_a_method_that_nobody_sets_differs_from_all_that_is_wanted(method: int) -> None:
    strange = settings(method, 1, 0, 0, 0, 0, 0)
    wanted = [Destination(1, each) for each in Method]
    wanted.append(Destination(1, Method.TUNNEL, tunnel=Tunnel()))
    assert strange not in wanted


def test_a_tunnel_type_that_nobody_sets_differs_from_all_that_is_wanted() -> None:
    strange = settings(2, 1, 0, 0, 9, 0, 1)
    assert strange.tunnel == Tunnel(TunnelType.IPIP, 0, "type-9,csum")
    assert strange.tunnel not in [Tunnel(kind, 0, "csum") for kind in TunnelType]


def test_leftovers_of_a_tunnel_mean_nothing_to_other_methods() -> None:
    assert settings(0, 1, 0, 0, 1, 9999, 1) == PLAIN


def test_equal_settings_are_one_object() -> None:
    messages = [HEAD + encode(Family.INET, target(n), PLAIN) for n in range(5)]
    found, _ = decode_all(messages, Family.INET)
    assert len({id(each) for each in found.values()}) == 1
    assert len(found) == 5


def test_counters_are_those_of_weight_0() -> None:
    counters = attribute(7, number(3)) + attribute(8, number(4))
    messages = []
    for host, weight in ((1, 0), (2, 5)):
        message = HEAD + encode(Family.INET, target(host), Destination(weight, Method.MASQ))
        messages.append(HEAD + attribute(2, nested(message, 2) + counters))
    _, quiesced = decode_all(messages, Family.INET)
    assert quiesced == {target(1): Connections(3, 4)}
