"""Encoding, against pyroute2's numbers and pyroute2's reader of the same messages."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest
from pyroute2.netlink.generic import ipvs

from clusterf.model.address import Family
from clusterf.model.table import (
    Destination,
    DestinationKey,
    FwmarkKey,
    Method,
    Persistence,
    Tunnel,
    TunnelType,
)
from clusterf_ipvs import constants
from clusterf_ipvs.encode import GET_INFO, LIST_SERVICES, ServiceEncoder
from tests.strategies import ip, tcp, udp

if TYPE_CHECKING:
    from clusterf.model.table import ServiceKey

NOTHING: frozenset[str] = frozenset()
HOST = DestinationKey(ip("198.51.100.7"), 8080)
HOST6 = DestinationKey(ip("2001:db8::7"), 8080)


def attributes(kind: Any, prefix: str) -> dict[str, int]:
    """pyroute2's names of a nest's attributes, with their numbers."""
    names = (entry[0] for entry in kind.nla_map)
    return {name.removeprefix(prefix): number for number, name in enumerate(names)}


def read(message: bytes) -> Any:
    """The message as pyroute2 reads it."""
    whole = constants.NLMSG_HEADER.pack(16 + len(message), 0x1F, 1, 1, 0) + message
    parsed = ipvs.ipvsmsg(whole)
    parsed.decode()
    return parsed


@pytest.mark.parametrize("command", list(constants.Command))
def test_commands_have_the_numbers_of_the_kernel(command: constants.Command) -> None:
    assert getattr(ipvs, f"IPVS_CMD_{command.name}") == command


@pytest.mark.parametrize(
    ("kind", "prefix", "ours"),
    [
        (ipvs.ipvsmsg, "IPVS_CMD_ATTR_", "CMD_"),
        (ipvs.ipvsmsg.service, "IPVS_SVC_ATTR_", "SVC_"),
        (ipvs.ipvsmsg.dest, "IPVS_DEST_ATTR_", "DEST_"),
    ],
)
def test_attributes_have_the_numbers_of_the_kernel(kind: Any, prefix: str, ours: str) -> None:
    theirs = attributes(kind, prefix)
    mine = {
        name.removeprefix(ours): value
        for name, value in vars(constants).items()
        if name.startswith(ours)
    }
    assert mine
    assert {name: theirs[name] for name in mine} == mine


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
    ("target", "method", "number"),
    [(HOST, Method.MASQ, 0), (HOST, Method.TUNNEL, 2), (HOST, Method.DROUTE, 3)],
)
def test_pyroute2_reads_the_destination(
    target: DestinationKey, method: Method, number: int
) -> None:
    wanted = Destination(70000, method, 9, 4)
    message = read(ServiceEncoder(tcp()).new_destination(target, wanted))
    assert message["cmd"] == ipvs.IPVS_CMD_NEW_DEST
    found = message.get_attr("IPVS_CMD_ATTR_DEST")
    for name, value in {
        "PORT": 8080,
        "FWD_METHOD": number,
        "WEIGHT": 70000,
        "U_THRESH": 9,
        "L_THRESH": 4,
    }.items():
        assert found.get_attr(f"IPVS_DEST_ATTR_{name}") == value


@pytest.mark.parametrize(("target", "family"), [(HOST, 2), (HOST6, 10)])
def test_the_family_is_told_where_there_is_a_tunnel(target: DestinationKey, family: int) -> None:
    tunnel = Tunnel(TunnelType.GUE, 6080, "csum")
    wanted = Destination(1, Method.TUNNEL, tunnel=tunnel)
    found = read(ServiceEncoder(tcp()).set_destination(target, wanted)).get_attr(
        "IPVS_CMD_ATTR_DEST"
    )
    assert found.get_attr("IPVS_DEST_ATTR_ADDR_FAMILY") == family
    assert found.get_attr("IPVS_DEST_ATTR_TUN_TYPE") == 1
    assert found.get_attr("IPVS_DEST_ATTR_TUN_FLAGS") == 1
    # pyroute2 reads this one in the wrong order of bytes.
    assert struct.pack("=H", found.get_attr("IPVS_DEST_ATTR_TUN_PORT")) == (6080).to_bytes(2)


def test_the_common_message_has_no_attribute_that_the_kernel_defaults() -> None:
    message = ServiceEncoder(tcp()).new_destination(HOST, Destination(1, Method.MASQ))
    found = read(message).get_attr("IPVS_CMD_ATTR_DEST")
    assert len(found["attrs"]) == 6
    assert len(message) == 92


@pytest.mark.parametrize("target", [HOST, HOST6])
def test_a_deletion_has_the_identity_only(target: DestinationKey) -> None:
    message = read(ServiceEncoder(tcp()).del_destination(target))
    found = message.get_attr("IPVS_CMD_ATTR_DEST")
    assert message["cmd"] == ipvs.IPVS_CMD_DEL_DEST
    assert found.get_attr("IPVS_DEST_ATTR_PORT") == 8080
    assert found.get_attr("IPVS_DEST_ATTR_WEIGHT") is None
    family = found.get_attr("IPVS_DEST_ATTR_ADDR_FAMILY")
    assert family == (10 if target is HOST6 else None)


def test_requests_without_a_service() -> None:
    assert list(LIST_SERVICES) == [ipvs.IPVS_CMD_GET_SERVICE, 1, 0, 0]
    assert list(GET_INFO) == [ipvs.IPVS_CMD_GET_INFO, 1, 0, 0]


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
