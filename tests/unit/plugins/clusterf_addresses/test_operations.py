from __future__ import annotations

from clusterf.model.address import Address
from clusterf.model.operation import Operation, Stage
from clusterf_addresses.operations import (
    AddAddress,
    CreateInterface,
    RaiseInterface,
    RemoveAddress,
    SetSysctl,
)
from tests.unit.plugins.clusterf_addresses.desired import key

V4 = Address.parse("192.0.2.10")
V6 = Address.parse("2001:db8::10")


def test_operations_speak_as_ip_and_sysctl_do() -> None:
    said = {
        AddAddress(None, V4, "lo"): "ip address add 192.0.2.10/32 dev lo",
        AddAddress(None, V6, "lo"): (
            "ip address add 2001:db8::10/128 dev lo nodad preferred_lft 0"
        ),
        RemoveAddress(None, V4, 32, "lo"): "ip address delete 192.0.2.10/32 dev lo",
        CreateInterface("vips0"): "ip link add vips0 up type dummy",
        RaiseInterface("vips0"): "ip link set vips0 up",
        SetSysctl("net.ipv4.ip_forward", 1): "sysctl -w net.ipv4.ip_forward=1",
    }
    for operation, words in said.items():
        assert isinstance(operation, Operation)
        assert operation.describe() == words


def test_additions_come_before_removals() -> None:
    assert AddAddress(None, V4, "lo").stage is Stage.ADD
    assert RemoveAddress(None, V4, 32, "lo").stage is Stage.REMOVE


def test_an_operation_says_whom_it_serves_and_why() -> None:
    add = AddAddress(key("192.0.2.10"), V4, "lo", "tcp 192.0.2.10:80 can serve")
    assert add.subject == key("192.0.2.10")
    assert add.reason() == "tcp 192.0.2.10:80 can serve"
