"""The numbers are those of pyroute2 and of the standard library, as far as these have them."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from pyroute2 import netlink
from pyroute2.netlink import nlsocket
from pyroute2.netlink.generic import ipvs

from clusterf_ipvs import constants
from clusterf_ipvs.attributes import VERSION, Attribute

SIZES = {"uint8": 1, "uint16": 2, "be16": 2, "uint32": 4, "ip4addr": 4}
"""Of pyroute2's types of attributes, in bytes."""


def named(kind: Any, prefix: str) -> dict[str, tuple[int, str]]:
    """pyroute2's names of a nest's attributes, with their numbers and types."""
    return {
        name.removeprefix(prefix): (number, form)
        for number, (name, form) in enumerate(kind.nla_map)
    }


@pytest.mark.parametrize("command", list(constants.Command))
def test_commands_have_the_numbers_of_the_kernel(command: constants.Command) -> None:
    assert getattr(ipvs, f"IPVS_CMD_{command.name}") == command


def test_the_outermost_attributes_have_the_numbers_of_the_kernel() -> None:
    theirs = named(ipvs.ipvsmsg, "IPVS_CMD_ATTR_")
    assert theirs["SERVICE"][0] == constants.CMD_SERVICE
    assert theirs["DEST"][0] == constants.CMD_DEST
    assert ipvs.GENL_VERSION == VERSION


@pytest.mark.parametrize(
    ("kind", "prefix", "ours"),
    [
        (ipvs.ipvsmsg.service, "IPVS_SVC_ATTR_", constants.SvcAttr),
        (ipvs.ipvsmsg.dest, "IPVS_DEST_ATTR_", constants.DestAttr),
    ],
)
def test_attributes_have_the_numbers_and_sizes_of_the_kernel(
    kind: Any, prefix: str, ours: type
) -> None:
    theirs = named(kind, prefix)
    mine = {name.rstrip("46"): one for name, one in vars(ours).items() if name.isupper()}
    assert len(mine) >= 9
    for name, one in mine.items():
        number, form = theirs[name]
        assert number == (one.kind if isinstance(one, Attribute) else one), name
        if form in SIZES:
            assert SIZES[form] == one.size, name


@pytest.mark.parametrize(
    "name",
    [
        *("NLMSG_ERROR", "NLMSG_DONE", "NLM_F_REQUEST", "NLM_F_ACK", "NLM_F_DUMP"),
        *("NLM_F_DUMP_INTR", "NETLINK_GENERIC", "GENL_ID_CTRL", "CTRL_CMD_GETFAMILY"),
        *("SOL_NETLINK", "NETLINK_EXT_ACK"),
    ],
)
def test_netlink_has_the_numbers_of_the_system(name: str) -> None:
    where = [each for each in (netlink, nlsocket, socket) if hasattr(each, name)]
    assert where, "nobody else knows it"
    assert {getattr(each, name) for each in where} == {getattr(constants, name)}
